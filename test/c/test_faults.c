/*
 * test_faults.c - the n-th call of the port fails, once and for ever, for every n: nothing is ever established by it, and what
 * failed once succeeds the next time (ATTACKS.md class 6). A random source that fails or repeats itself (class 5).
 * No (key, nonce) seals two different things (classes 3 and 4).
 */
#include "ends.h"
#include "faults_port.h"

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

/* Connects with the n-th call failing. 0: there was no n-th call. */
static int strike(unsigned long n, int for_ever, int boots) {
  int wipe = 0, err;
  faults_calls = 0;
  faults_for_ever = for_ever;
  faults_at = n;
  err = HAWSER_OK;
  if (boots) {
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
static void heals(int boots) {
  int tries = 0;
  if (boots && e.device.state == 0) {
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

static void every_call(uint8_t mode, uint8_t suite, int boots) {
  for (unsigned long n = 1;; n++) {
    int struck;
    ends_init(&e, mode, suite, HAWSER_STREAM);
    if (boots) {
      CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
      ends_cut(&e);
    }
    struck = strike(n, n % 2 == 0, boots);
    heals(boots);
    ends_free(&e);
    forget_seals();
    if (!struck) {
      CHECK(n > 10);
      return;
    }
  }
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
    every_call(ends_modes[m][0], ends_modes[m][1], 0); /* the first handshake */
    every_call(ends_modes[m][0], ends_modes[m][1], 1); /* boot and resumption */
  }
  random_broken();
  no_pair_twice(0);
  no_pair_twice(1);
  CHECK(seal_wrong == 0);
  return check_done();
}
