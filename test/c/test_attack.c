/*
 * test_attack.c - the classes of ATTACKS.md that need a look below the core, in C, on each crypto port: 2 counters at their ends, 3 a
 * message 1 that comes again and again, 5 a random source that errs, is constant or starts over, 6 an ECDH that fails, 14 records around a
 * change of key. Each is also run with a fault seeded into it (faults_port.h), and has to notice.
 */
#include "ends.h"
#include "faults_port.h"
#include "seals.h"
#include "wire.h"

static ends e;
static uint64_t counters[64]; /* of the records that were sealed */
static size_t counted;

static void note(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len, const uint8_t *in,
                 size_t len) {
  hawser_reader r = {nonce + 4, 8, 0};
  uint64_t counter = hawser_get(&r, 8);
  seals_note(key, nonce, ad, ad_len, in, len);
  if (counter != UINT64_MAX && counted < 64) {
    counters[counted++] = counter;
  }
}

static void begin(uint8_t mode) {
  seals_forget();
  seals_reused = 0;
  counted = 0;
  ends_init(&e, mode, mode == HAWSER_TICKET ? HAWSER_SUITE_NONE : HAWSER_SUITE_ID_25519, HAWSER_STREAM);
}

/* What a check found wrong first: a seeded fault has to be found by what it breaks. */
enum found { NOTHING, NOT_SENT, LOST, NOT_COUNTED, NOT_REFUSED, MOVED };

/* ---- class 2 ---- */

/* Records of the device from `first` on: one by one, and each arrives. */
static enum found counts_past(uint64_t first) {
  uint8_t data[5] = {1, 2, 3, 4, 5}, out[256];
  uint16_t id;
  enum found found = NOTHING;
  begin(HAWSER_TICKET);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK &&
        hawser_open(&e.device, "x", HAWSER_KIND_MESSAGES, &id) == HAWSER_OK);
  CHECK(ends_pump(&e) == HAWSER_OK);
  e.device.session.link.tx_counter = e.session.link.rx_counter = first;
  counted = 0;
  for (int n = 0; n < 6; n++) {
    size_t len = 0;
    if (hawser_message(&e.device.session, id, data, sizeof data, out, sizeof out, &len, e.now) != HAWSER_OK) {
      found = NOT_SENT;
    } else if (ends_to_gateway(&e, out, len) != HAWSER_OK && found == NOTHING) {
      found = LOST;
    }
  }
  if (found == NOTHING && (ends_count(&e.gateway_log, HAWSER_EV_MESSAGE, id) != 6 || counted != 6)) {
    found = LOST;
  }
  for (size_t n = 0; n < counted && found == NOTHING; n++) {
    found = counters[n] == first + n ? NOTHING : NOT_COUNTED;
  }
  ends_free(&e);
  return found;
}

/* ---- class 3 ---- */

/* One message 1, answered by one process after another and in new candidates: each answer under keys of its own. */
static int answers_afresh(void) {
  uint8_t m1[256], m2[256];
  size_t len, m2_len;
  int taken;
  begin(HAWSER_TICKET);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) == HAWSER_OK);
  for (int n = 0; n < 40; n++) {
    hawser_chain chain = e.chain;
    uint8_t record[64];
    if (n % 10 == 9) {
      CHECK(hawser_gateway_init(&e.context) == HAWSER_OK);
    }
    e.has_session = 0; /* each answer says something else about the session */
    e.verdict = HAWSER_TAKEN;
    CHECK(ends_answer(&e, m1, len, m2, sizeof m2, &m2_len) == HAWSER_OK);
    /* what a gateway might say in it */
    memset(record, n, sizeof record);
    CHECK(hawser_seal(e.accept.link.tx_key, 0, record, 2, record + 2, 40, record) == HAWSER_OK);
    e.chain = chain;
  }
  ends_free(&e);
  return seals_reused == 0;
}

/* ---- class 5: the random simulator ---- */

enum source { HEALTHY, CONSTANT, STARTS_OVER, FAILS };

static void plug(enum source source) {
  faults_random_fixed = source == CONSTANT;
  faults_random_broken = source == FAILS;
  faults_random_sequence = source == STARTS_OVER ? 12345 : 0;
}

/* The device's message 1 at a block start, with other early data each time, drawn from the source. */
static int boots_with(enum source source, uint8_t mode) {
  uint8_t m1[600], data[8];
  hawser_early early = {0, data, sizeof data, 0, 0};
  size_t len;
  begin(mode);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  for (int n = 0; n < 40; n++) {
    int taken = 0, err;
    ends_cut(&e);
    ends_boot(&e);
    CHECK(hawser_open(&e.device, "x", HAWSER_KIND_STREAM, &early.stream) == HAWSER_OK);
    memset(data, n, sizeof data);
    plug(source); /* a reset of the device: a source that starts over does so */
    err = hawser_connect(&e.device, e.transport, &early, &taken, e.now);
    err = err == HAWSER_OK ? hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) : err;
    plug(HEALTHY);
    CHECK(source == FAILS ? err == HAWSER_ERR_RANDOM : err == HAWSER_OK && taken);
    if (n % 8 == 7) { /* and on to the next block */
      hawser_disconnected(&e.device, e.now);
      CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
    }
  }
  ends_free(&e);
  return seals_reused == 0;
}

/* A gateway with such a source: no answer twice, within a process. One that fails answers nothing. */
static int answers_with(enum source source) {
  uint8_t m1[256], m2[256], seen[40][16];
  size_t len, m2_len;
  int taken, fresh = 1;
  begin(HAWSER_TICKET);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) == HAWSER_OK);
  for (int n = 0; n < 40; n++) {
    int err;
    plug(source);
    err = ends_answer(&e, m1, len, m2, sizeof m2, &m2_len);
    plug(HEALTHY);
    CHECK(source == FAILS ? err == HAWSER_ERR_RANDOM && m2_len == 0 : err == HAWSER_OK);
    memcpy(seen[n], m2 + 3, 16);
    for (int k = 0; k < n && source != FAILS; k++) {
      fresh &= memcmp(seen[k], seen[n], 16) != 0;
    }
  }
  ends_free(&e);
  return fresh && seals_reused == 0;
}

static void sources(void) {
  static const uint8_t modes[] = {HAWSER_TICKET, HAWSER_PSK};
  for (int source = HEALTHY; source <= FAILS; source++) {
    for (size_t m = 0; m < 2; m++) {
      CHECK(boots_with((enum source)source, modes[m]));
    }
    CHECK(answers_with((enum source)source));
  }
}

/* ---- class 6 ---- */

/* Every call of the port fails from the n-th on, or the ECDH alone: nothing is ever live. */
static int never_live(void) {
  int live = 0;
  begin(HAWSER_PSK);
  faults_dh_fails = 1;
  live += ends_handshake(&e, NULL, NULL) == HAWSER_OK;
  faults_dh_fails = 0;
  ends_free(&e);
  for (unsigned long n = 1; n < 80; n++) {
    begin(HAWSER_PSK);
    faults_calls = 0;
    faults_for_ever = 1;
    faults_at = n;
    if (ends_handshake(&e, NULL, NULL) == HAWSER_OK) {
      live += faults_calls >= n;
    }
    faults_at = 0;
    faults_for_ever = 0;
    ends_free(&e);
  }
  return live == 0;
}

/* ---- class 14 ---- */

#define PERIOD (1u << 20)

/* Records on both sides of a change of key: in any place but its own each is refused, and moves nothing. */
static enum found keeps_periods(void) {
  uint8_t records[4][64], copy[64], data[5] = {0};
  size_t lens[4], used;
  uint16_t id;
  enum found found = NOTHING;
  begin(HAWSER_TICKET);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK &&
        hawser_open(&e.device, "x", HAWSER_KIND_MESSAGES, &id) == HAWSER_OK);
  CHECK(ends_pump(&e) == HAWSER_OK);
  e.device.session.link.tx_counter = e.session.link.rx_counter = PERIOD - 2;
  for (int n = 0; n < 4; n++) {
    CHECK(hawser_message(&e.device.session, id, data, sizeof data, records[n], 64, &lens[n], e.now) == HAWSER_OK);
  }
  for (int n = 0; n < 4; n++) {
    for (int other = 0; other < 4; other++) {
      hawser_link before = e.session.link;
      memcpy(copy, records[other], 64);
      if (other != n) {
        if (found == NOTHING && hawser_receive(&e.session, copy, lens[other], &used, e.now) != HAWSER_ERR_AUTH) {
          found = NOT_REFUSED;
        } else if (found == NOTHING && memcmp(&before, &e.session.link, sizeof before) != 0) {
          found = MOVED;
        }
      }
    }
    memcpy(copy, records[n], 64);
    if (found == NOTHING && ends_to_gateway(&e, copy, lens[n]) != HAWSER_OK) {
      found = LOST;
    }
  }
  ends_free(&e);
  return found;
}

/* ---- each with its fault ---- */

static void class_2(void) {
  static const uint64_t ends_of[] = {1ull << 20, 1ull << 31, 1ull << 32, 1ull << 47};
  for (size_t n = 0; n < 4; n++) {
    CHECK(counts_past(ends_of[n] - 3) == NOTHING);
  }
  faults_seed = SEED_COUNTER_32_BITS;
  CHECK(counts_past((1ull << 32) - 3) == NOT_COUNTED);
  faults_seed = SEED_NONE;
}

static void class_3(void) {
  CHECK(answers_afresh());
  faults_seed = SEED_CONSTANT_N_G;
  CHECK(!answers_afresh());
  faults_seed = SEED_NONE;
}

static void class_5(void) {
  sources();
  faults_seed = SEED_N_D_FROM_RANDOM;
  CHECK(!boots_with(CONSTANT, HAWSER_TICKET));
  faults_seed = SEED_NONE;
}

static void class_6(void) {
  CHECK(never_live());
  faults_seed = SEED_FAILED_DH_COUNTS;
  CHECK(!never_live());
  faults_seed = SEED_NONE;
}

static void class_14(void) {
  CHECK(keeps_periods() == NOTHING);
  faults_seed = SEED_TAG_IGNORED;
  CHECK(keeps_periods() == NOT_REFUSED);
  faults_seed = SEED_NONE;
}

int main(void) {
  faults_on_seal = note;
  class_2();
  class_3();
  class_5();
  class_6();
  class_14();
  return check_done();
}
