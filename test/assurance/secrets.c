/*
 * secrets.c - whole conversations in which every secret is marked as unknown to valgrind: a branch or an index that depends on
 * one is reported (ATTACKS.md class 22). Built by tools/valgrind.mjs at -O2, -O3 and -Os, over the port without cryptography.
 *
 * Secret: private keys, PSK, ticket, ss, gate keys, chain and step secrets, traffic keys, the gateway's boot key, and all that
 * is derived from them but for what SPEC makes public: messages as sent, names of chains and sessions, one bit for each
 * comparison in constant time, and one for whether a configured secret is zero (below). Plaintext of records is not a secret
 * here: frames are parsed.
 */
#include "defined.h"
#include "record.h"
#include "rig.h"

int __real_hawser_is_zero(const uint8_t *bytes, size_t len);
int __wrap_hawser_is_zero(const uint8_t *bytes, size_t len);

/* Linked in with --wrap. SPEC 2 asks that a secret of zeros be refused: whether it is one may be seen. */
int __wrap_hawser_is_zero(const uint8_t *bytes, size_t len) {
  int zero = __real_hawser_is_zero(bytes, len);
  DEFINED_PUBLIC(&zero, sizeof zero);
  return zero;
}

size_t __real_hawser_cobs_encode(uint8_t *buffer, size_t front, size_t len);
size_t __wrap_hawser_cobs_encode(uint8_t *buffer, size_t front, size_t len);

/* What is encoded for a line goes out as it is: sealed records and messages, which anybody may see. */
size_t __wrap_hawser_cobs_encode(uint8_t *buffer, size_t front, size_t len) {
  DEFINED_PUBLIC(buffer + front, len);
  return __real_hawser_cobs_encode(buffer, front, len);
}

/* Every byte of it is unknown to valgrind; asking is not reported as an error. */
static int is_marked(const uint8_t secret[32]) {
  int marked = 1;
#if HAWSER_TEST_VALGRIND
  uint8_t bits[32];
  FUZZ_ASSERT(VALGRIND_GET_VBITS(secret, bits, 32) == 1);
  for (size_t i = 0; i < 32; i++) {
    marked &= bits[i] == 0xff;
  }
#else
  (void)secret;
#endif
  return marked;
}

/* Else a run without a report would mean nothing. */
static void check_marked(void) {
  const hawser_device *d = &r.device;
  FUZZ_ASSERT(is_marked(d->session.link.tx_key) && is_marked(d->session.link.rx_key));
  FUZZ_ASSERT(is_marked(r.session.link.tx_key) && is_marked(r.session.link.rx_key));
  FUZZ_ASSERT(is_marked(d->step) && is_marked(d->block) && is_marked(r.chain.r) && is_marked(r.chain.next));
  FUZZ_ASSERT(is_marked(r.context.boot_key));
}

static void off(void) {
  hawser_disconnected(&r.device, r.now);
  FUZZ_ASSERT(rig_device_events() == HAWSER_OK);
}

/* Records at the counter where the key changes, and one that fails. */
static void records(void) {
  uint8_t bad[64];
  size_t used = 0;
  r.device.session.link.tx_counter = r.session.link.rx_counter = ((uint64_t)1 << HAWSER_REKEY_BITS) - 1;
  for (int i = 0; i < 3; i++) {
    FUZZ_ASSERT(hawser_ping(&r.device.session, r.now) == HAWSER_OK);
    rig_pump();
  }
  FUZZ_ASSERT(hawser_ping(&r.device.session, r.now) == HAWSER_OK);
  FUZZ_ASSERT(rig_device_send() == HAWSER_OK && r.out_len > 0 && r.out_len <= sizeof bad);
  memcpy(bad, r.out, r.out_len);
  bad[r.out_len - (r.transport == HAWSER_SERIAL ? 2 : 1)] ^= 2;
  (void)!hawser_receive(&r.session, bad, r.out_len, &used, r.now);
  off();
}

/* Answers that are not genuine, and message 1s that are not. */
static void forged(void) {
  uint8_t m1[RIG_OUT], bad[RIG_OUT];
  size_t len, used = 0;
  FUZZ_ASSERT(rig_message1(NULL) == HAWSER_OK);
  len = r.out_len;
  memcpy(m1, r.out, len);
  for (size_t at = 3; at < len; at += 7) {
    memcpy(bad, m1, len);
    bad[at] ^= 64;
    (void)!rig_answer(bad, len, HAWSER_TAKEN, 0);
  }
  FUZZ_ASSERT(rig_answer(m1, len, HAWSER_TAKEN, 0) == HAWSER_OK);
  memcpy(bad, r.out, r.out_len);
  bad[r.out_len / 2] ^= 1;
  (void)!hawser_device_receive(&r.device, bad, r.out_len, &used, r.now);
  off();
}

static void saved(void) {
  uint8_t blob[HAWSER_SAVE_MAX];
  size_t len = 0;
  FUZZ_ASSERT(hawser_save(&r.device, HAWSER_SAVE_RETAINED, blob, &len) == HAWSER_OK);
  rig_boot();
  FUZZ_ASSERT(hawser_restore(&r.device, blob, len) == HAWSER_OK);
}

static void conversation(uint8_t which, uint8_t transport) {
  uint16_t id = 0;
  rig_init(which, transport);
  rig_session();
  FUZZ_ASSERT(hawser_open(&r.device, "mqtt", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  rig_connect(0);
  check_marked();
  records();
  saved();
  rig_connect(1);
  check_marked();
  off();
  forged();
  rig_boot();
  rig_connect(0);
  off();
}

int main(void) {
  for (uint8_t which = 0; which < RIG_MODES; which++) {
    conversation(which, HAWSER_STREAM);
    conversation(which, HAWSER_SERIAL);
  }
  printf("%d conversations\n", 2 * RIG_MODES);
  return 0;
}
