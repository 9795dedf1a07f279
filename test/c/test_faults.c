/*
 * test_faults.c - the n-th call of the port fails, once and for ever, for every n: nothing is ever established by it, and what
 * failed once succeeds the next time (ATTACKS.md class 6). A random source that fails or repeats itself (class 5).
 * No (key, nonce) seals two different things (classes 3 and 4).
 */
#include "ends.h"
#include "faults_port.h"

#include "pairing_forms.h"
#include "wire.h"

static ends e;

/* ---- what was sealed under which key and nonce ---- */

#define SEALS 200000
typedef struct sealed {
  uint8_t key[32], nonce[12], digest[32];
} sealed;
static sealed seals[SEALS];
static size_t seal_count;
static int seal_wrong;

static size_t slot_of(const uint8_t *key, const uint8_t *nonce) {
  size_t hash = 0;
  for (size_t i = 0; i < 8; i++) {
    hash = hash * 257 + key[i] + (size_t)nonce[11 - i] * 31;
  }
  return hash % SEALS;
}

void hawser_trace(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len, const uint8_t *in,
                  size_t len) {
  hawser_bytes parts[2] = {{ad, ad_len}, {in, len}};
  uint8_t digest[32];
  size_t at = slot_of(key, nonce);
  int saved_for_ever = faults_for_ever;
  unsigned long saved_at = faults_at, saved_calls = faults_calls;
  faults_at = 0;
  seal_wrong += hawser_port_sha256(digest, parts, ad_len > 0 ? 2 : 1) != HAWSER_OK;
  faults_at = saved_at;
  faults_calls = saved_calls;
  faults_for_ever = saved_for_ever;
  for (; !check_is_zero(seals[at].key, 32); at = (at + 1) % SEALS) {
    if (memcmp(seals[at].key, key, 32) == 0 && memcmp(seals[at].nonce, nonce, 12) == 0) {
      seal_wrong += memcmp(seals[at].digest, digest, 32) != 0; /* the same bytes again are a repeat, not a second use */
      return;
    }
  }
  if (++seal_count < SEALS / 2) {
    memcpy(seals[at].key, key, 32);
    memcpy(seals[at].nonce, nonce, 12);
    memcpy(seals[at].digest, digest, 32);
  } else {
    seal_wrong++;
  }
}

static void forget_seals(void) {
  memset(seals, 0, sizeof seals);
  seal_count = 0;
}

/* ---- faults ---- */

static int both_live(void) {
  return hawser_is_live(&e.device.session) && e.has_session && hawser_is_live(&e.session);
}

/* What the device has been through before the n-th call fails. */
enum before { NOTHING, FIRST_BOOT, BOOT, SECOND_BOOT, SILENCE };

/* Connects with the n-th call failing. 0: there was no n-th call. */
static int strike(unsigned long n, int for_ever, enum before boots) {
  int wipe = 0, err;
  faults_calls = 0;
  faults_for_ever = for_ever;
  faults_at = n;
  err = HAWSER_OK;
  if (boots == FIRST_BOOT || boots == BOOT || boots == SECOND_BOOT) {
    err = hawser_device_init(&e.device, &e.device_pairing, e.device_streams, ENDS_STREAMS, e.device_rx,
                             sizeof e.device_rx, e.message1, sizeof e.message1);
    err = err == HAWSER_OK
              ? hawser_device_boot(&e.device, e.slot == 0 ? e.slots[0] : NULL, e.slot == 1 ? e.slots[1] : NULL, &wipe)
              : err;
  }
  err = err == HAWSER_OK ? ends_handshake(&e, NULL, NULL) : err;
  faults_at = 0;
  faults_for_ever = 0;
  if (faults_calls < n) {
    CHECK(err == HAWSER_OK && both_live());
    return 0;
  }
  CHECK(err != HAWSER_OK);
  CHECK(!both_live());
  return 1;
}

/* After the fault has gone: whatever was half done heals by the ladder. */
static void heals(void) {
  int tries = 0;
  if (e.device.state == 0) {
    ends_boot(&e);
  }
  hawser_disconnected(&e.device, e.now);
  if (e.has_session) {
    hawser_link_down(&e.session);
  }
  while (tries++ < 4 && ends_connect(&e, NULL, NULL) != HAWSER_OK) {
    hawser_disconnected(&e.device, e.now);
    e.now += HAWSER_WARM_PATIENCE_MS;
  }
  CHECK(both_live());
}

/* The valid slot is 0 after one handshake with a block to store, and 1 after two. */
static void prepare(enum before before) {
  int taken;
  for (int k = 0; k < (before <= FIRST_BOOT ? 0 : before == SECOND_BOOT ? 2 : 1); k++) {
    if (k > 0) {
      ends_boot(&e);
    }
    CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
    ends_cut(&e);
  }
  if (before == SILENCE) { /* a warm message 1 that nobody answers for so long that the device jumps */
    CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
    hawser_disconnected(&e.device, e.now);
    e.now += HAWSER_WARM_PATIENCE_MS;
  }
}

static void every_call(uint8_t mode, uint8_t suite, uint8_t transport, enum before before) {
  for (unsigned long n = 1;; n++) {
    int struck;
    ends_init(&e, mode, suite, transport);
    prepare(before);
    struck = strike(n, n % 2 == 0, before);
    heals();
    ends_free(&e);
    forget_seals();
    if (!struck) {
      CHECK(n > 10);
      return;
    }
  }
}

/* Saving and restoring: a blob is whole, or it is nothing. */
static void saving(void) {
  uint8_t blob[HAWSER_SAVE_MAX], copy[HAWSER_SAVE_MAX];
  size_t len = 0;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  prepare(BOOT);
  faults_calls = 0;
  faults_at = 1;
  CHECK(hawser_save(&e.device, HAWSER_SAVE_FLASH, blob, &len) == HAWSER_ERR_CRYPTO);
  faults_at = 0;
  CHECK_ZERO(blob, sizeof blob);
  CHECK(hawser_save(&e.device, HAWSER_SAVE_FLASH, blob, &len) == HAWSER_OK);
  ends_boot(&e);
  memcpy(copy, blob, len);
  faults_calls = 0;
  faults_at = 1;
  CHECK(hawser_restore(&e.device, copy, len) == HAWSER_ERR_CRYPTO);
  faults_at = 0;
  CHECK(hawser_restore(&e.device, blob, len) == HAWSER_OK);
  ends_free(&e);
}

/* A pairing that is read while the port fails: an error, and nothing of its secrets. */
static void reading_pairings(void) {
  for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
    uint8_t form[HAWSER_PAIRING_FORM_MAX];
    hawser_pairing p;
    hawser_pairing_secrets secrets;
    size_t len = strlen(forms[k].hex) / 2;
    for (size_t i = 0; i < len; i++) {
      unsigned byte = 0;
      CHECK(sscanf(forms[k].hex + 2 * i, "%2x", &byte) == 1);
      form[i] = (uint8_t)byte;
    }
    for (unsigned long n = 1, struck = 1; struck; n++) {
      int err;
      faults_calls = 0;
      faults_at = n;
      err = hawser_pairing_read(&p, &secrets, form, len);
      faults_at = 0;
      struck = faults_calls >= n;
      CHECK((err == HAWSER_OK) == !struck);
      CHECK(!struck ||
            (check_is_zero((const uint8_t *)&p, sizeof p) && check_is_zero((const uint8_t *)&secrets, sizeof secrets)));
    }
  }
}

static void walking_chains(void) {
  hawser_position at;
  uint8_t ticket[HAWSER_TICKET_LEN];
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  for (unsigned long n = 1; n <= 2; n++) {
    faults_calls = 0;
    faults_at = n;
    CHECK(hawser_chain_ticket(&e.chain, 1, &at, ticket) == HAWSER_ERR_CRYPTO);
    faults_at = 0;
  }
  CHECK(hawser_chain_ticket(&e.chain, 1, &at, ticket) == HAWSER_OK && e.chain.i == 0);
  ends_free(&e);
}

static void random_broken(void) {
  for (size_t m = 0; m < ENDS_MODES; m++) {
    ends_init(&e, ends_modes[m][0], ends_modes[m][1], HAWSER_STREAM);
    faults_random_broken = 1;
    CHECK(ends_modes[m][0] == HAWSER_TICKET ? ends_connect(&e, NULL, NULL) == HAWSER_ERR_RANDOM : 1);
    faults_random_broken = 0;
    hawser_disconnected(&e.device, e.now);
    CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
    ends_free(&e);
  }
}

/* Boots, resumptions, repeats, records: no pair twice, even if random repeats for ever (resumption needs none). */
static void no_pair_twice(int fixed) {
  uint8_t data[300], m1[512];
  size_t sent, len;
  uint16_t id;
  int taken;
  ends_fill(data, sizeof data, 1);
  forget_seals();
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  faults_random_fixed = fixed;
  for (int k = 0; k < 120; k++) {
    if (k % 5 == 4) {
      ends_boot(&e);
      e.has_session = k % 2;
    }
    if (k % 3 == 0) { /* lost, then repeated; or lost with everything */
      CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
      CHECK(hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) == HAWSER_OK);
      hawser_disconnected(&e.device, e.now);
    }
    ends_clear(&e);
    memset(e.gateway_log.lens, 0, sizeof e.gateway_log.lens);
    CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
    if (hawser_open(&e.device, "x", HAWSER_KIND_STREAM, &id) == HAWSER_OK) {
      CHECK(ends_write(&e, 1, id, data, sizeof data, 1, &sent) == HAWSER_OK && sent == sizeof data);
    }
    ends_cut(&e);
  }
  faults_random_fixed = 0;
  CHECK(seal_count > 400);
  CHECK(seal_wrong == 0);
  ends_free(&e);
}

int main(void) {
  for (size_t m = 0; m < ENDS_MODES; m++) {
    every_call(ends_modes[m][0], ends_modes[m][1], HAWSER_STREAM, NOTHING);
    every_call(ends_modes[m][0], ends_modes[m][1], HAWSER_STREAM, BOOT);
  }
  every_call(HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM, FIRST_BOOT);
  every_call(HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM, SECOND_BOOT);
  every_call(HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM, SILENCE);
  every_call(HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_SERIAL, NOTHING);
  saving();
  reading_pairings();
  walking_chains();
  random_broken();
  no_pair_twice(0);
  no_pair_twice(1);
  CHECK(seal_wrong == 0);
  return check_done();
}
