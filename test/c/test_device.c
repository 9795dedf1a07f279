/*
 * test_device.c - the device's rules (SPEC 7.4): slots, boot, ladder, limits, early data and its verdicts, saved state.
 */
#include "ends.h"

static ends e;
static uint8_t text[400];

static void up(uint8_t mode) {
  ends_init(&e, mode, mode == HAWSER_TICKET ? HAWSER_SUITE_NONE : HAWSER_SUITE_ID_25519, HAWSER_STREAM);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
}

/* An attempt that nobody answers. */
static size_t attempt(uint8_t *m1, size_t cap) {
  size_t len = 0;
  int taken;
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, cap, &len, e.now) == HAWSER_OK);
  CHECK(len > 0);
  hawser_disconnected(&e.device, e.now);
  return len;
}

/* ---- slots ---- */

/* The answer to the message 1 at hand, up to the event that asks for a write. */
static uint32_t asked(void) {
  uint8_t m1[256], m2[256];
  size_t len, m2_len = 0, used;
  hawser_event event;
  int taken;
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) == HAWSER_OK);
  CHECK(ends_answer(&e, m1, len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  CHECK(hawser_device_receive(&e.device, m2, m2_len, &used, e.now) == HAWSER_OK);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK);
  return event.type == HAWSER_EV_STORE ? event.value : 9;
}

/* Where a device that booted from these slots wants its next image. */
static uint32_t slot_asked_for(const uint8_t *slot0, const uint8_t *slot1) {
  uint8_t ticket[32];
  int wipe;
  ends_start_device(&e);
  CHECK(hawser_device_boot(&e.device, slot0, slot1, &wipe) == HAWSER_OK);
  ends_fill(ticket, sizeof ticket, ENDS_TICKET);
  CHECK(hawser_chain_start(&e.chain, ticket) == HAWSER_OK);
  CHECK(e.device.f == 0 || hawser_chain_move(&e.chain, (hawser_position){e.device.f, 0}) == HAWSER_OK);
  return asked();
}

static void slots(void) {
  uint8_t other[HAWSER_SLOT_LEN], bad[HAWSER_SLOT_LEN];
  int wipe = -2;
  up(HAWSER_TICKET);
  CHECK(memcmp(e.slots[e.slot], "HWSL\1\0\0\0", 8) == 0);
  memcpy(other, e.slots[e.slot], sizeof other);
  ends_boot(&e);
  ends_cut(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK); /* at (1, 0): a second image */
  CHECK(memcmp(other, e.slots[e.slot], sizeof other) != 0);

  /* two valid slots: the higher sequence is taken, the other wiped, whichever place they have */
  ends_start_device(&e);
  CHECK(hawser_device_boot(&e.device, other, e.slots[e.slot], &wipe) == HAWSER_OK && wipe == 0 && e.device.f == 2);
  ends_start_device(&e);
  CHECK(hawser_device_boot(&e.device, e.slots[e.slot], other, &wipe) == HAWSER_OK && wipe == 1 && e.device.f == 2);
  CHECK(hawser_device_boot(&e.device, NULL, NULL, &wipe) == HAWSER_ERR_STATE);

  /* no bit of a slot may be wrong */
  for (size_t bit = 0; bit < 8 * sizeof bad; bit++) {
    memcpy(bad, e.slots[e.slot], sizeof bad);
    bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    ends_start_device(&e);
    CHECK(hawser_device_boot(&e.device, bad, other, &wipe) == HAWSER_OK && wipe == -1 && e.device.f == 1);
  }

  /* the next image never goes where the valid one is, torn as the other may be */
  CHECK(slot_asked_for(bad, other) == 0);
  CHECK(slot_asked_for(other, bad) == 1);
  CHECK(slot_asked_for(NULL, other) == 0);
  CHECK(slot_asked_for(other, NULL) == 1);
  CHECK(slot_asked_for(bad, bad) == 0); /* none is valid */
  ends_free(&e);

  /* keys: nothing in flash, the full handshake; then a slot of f = 1 and RAM at (0, 0) */
  ends_init(&e, HAWSER_KEYS, HAWSER_SUITE_ID_25519, HAWSER_STREAM);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(e.device.kind == HAWSER_FULL && e.device.f == 1 && e.device.b == 0 && e.device.i == 0);
  ends_free(&e);
}

/* Nothing is sent and no position left before the image is stored; a failure keeps all. */
static void storing(void) {
  uint8_t m1[256], again[256], m2[256], out[256];
  size_t len, len2, m2_len = 0, used;
  hawser_event event;
  int taken;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) == HAWSER_OK);
  CHECK(ends_answer(&e, m1, len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  CHECK(hawser_device_receive(&e.device, m2, m2_len, &used, e.now) == HAWSER_OK && used == m2_len);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_STORE);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len2, e.now) == HAWSER_OK && len2 == 0);
  CHECK(!hawser_is_live(&e.device.session));
  CHECK(hawser_stored(&e.device, 0) == HAWSER_ERR_STORAGE);
  CHECK(e.device.b == 0 && e.device.i == 0 && e.device.f == 0);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, again, sizeof again, &len2, e.now) == HAWSER_OK);
  CHECK(len2 == len && memcmp(m1, again, len) == 0); /* byte for byte */
  CHECK(ends_answer(&e, again, len2, m2, sizeof m2, &m2_len) == HAWSER_OK);
  CHECK(ends_to_device(&e, m2, m2_len) == HAWSER_OK);
  CHECK(hawser_is_live(&e.device.session) && e.device.i == 1 && e.device.f == 1);
  ends_free(&e);
}

/* A driver that finishes after the link was lost: flash is what it is, and the valid slot is not written over. */
static void stored_late(void) {
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(asked() == 0);
  hawser_disconnected(&e.device, e.now);
  CHECK(hawser_stored(&e.device, 1) == HAWSER_OK);
  CHECK(asked() == 1);
  hawser_disconnected(&e.device, e.now);
  CHECK(hawser_stored(&e.device, 0) == HAWSER_OK);
  CHECK(asked() == 1); /* slot 0 is still the valid one */
  CHECK(hawser_stored(&e.device, HAWSER_NOT_WIPED) == HAWSER_ERR_STORAGE);
  CHECK(!hawser_is_live(&e.device.session));
  CHECK(asked() == 0); /* slot 1 is: what is left of slot 0 goes */
  ends_free(&e);
}

/* The word on an image comes when the next one waits already: it is not taken for that one's, and nothing is sent. */
static void stored_too_late(void) {
  uint8_t m1[256], m2[256], out[256];
  size_t len, m2_len = 0, used;
  hawser_event event;
  int taken;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(asked() == 0);
  hawser_disconnected(&e.device, e.now);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) == HAWSER_OK);
  CHECK(ends_answer(&e, m1, len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  CHECK(hawser_device_receive(&e.device, m2, m2_len, &used, e.now) == HAWSER_OK);
  CHECK(hawser_stored(&e.device, HAWSER_STORED) == HAWSER_ERR_STATE);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_OK && len == 0);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_STORE);
  CHECK(hawser_stored(&e.device, HAWSER_STORED) == HAWSER_OK && hawser_is_live(&e.device.session));
  ends_free(&e);
}

/* ---- ladder ---- */

static void ladder(void) {
  uint8_t a[256], b[256];
  size_t len;
  up(HAWSER_KEYS);
  ends_cut(&e);
  len = attempt(a, sizeof a);
  CHECK(a[2] == 0x18 && attempt(b, sizeof b) == len && memcmp(a, b, len) == 0); /* warm, and again */
  e.now += HAWSER_WARM_PATIENCE_MS;
  CHECK(attempt(b, sizeof b) == len && b[2] == 0x18 && memcmp(a + 3, b + 3, 8) != 0); /* jumped to (1, 0) */
  CHECK(e.device.b == 1 && e.device.i == 0);
  (void)attempt(a, sizeof a);
  CHECK(a[2] == 0x11); /* the full handshake's turn */
  CHECK(attempt(a, sizeof a) == len && memcmp(a, b, len) == 0);
  (void)attempt(a, sizeof a);
  CHECK(a[2] == 0x11);
  e.now += 10 * (uint64_t)HAWSER_WARM_PATIENCE_MS; /* never beyond an unanswered (f, 0) */
  CHECK(attempt(a, sizeof a) == len && memcmp(a, b, len) == 0);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK && e.device.kind == HAWSER_FULL);
  ends_free(&e);

  /* the gateway has lost the chain: the ladder ends in a full handshake */
  up(HAWSER_PSK);
  ends_cut(&e);
  e.has_chain = 0;
  e.now += HAWSER_WARM_PATIENCE_MS;
  for (int k = 0; k < 4 && !hawser_is_live(&e.device.session); k++) {
    e.now += HAWSER_WARM_PATIENCE_MS;
    if (ends_connect(&e, NULL, NULL) != HAWSER_OK) {
      ends_cut(&e);
    }
  }
  CHECK(hawser_is_live(&e.device.session) && e.device.kind == HAWSER_FULL);
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 1); /* STATE and STATUS carry the session over */
  ends_free(&e);
}

/* SPEC 7.4 rule 5: until a valid record came, the gateway may not know the chain of the last full handshake. */
static void unproven(void) {
  uint8_t m1[256], m2[256], blob[HAWSER_SAVE_MAX];
  size_t len, m2_len = 0;
  int taken;
  ends_init(&e, HAWSER_KEYS, HAWSER_SUITE_ID_25519, HAWSER_STREAM);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) == HAWSER_OK);
  CHECK(ends_answer(&e, m1, len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  CHECK(ends_to_device(&e, m2, m2_len) == HAWSER_OK && hawser_is_live(&e.device.session));
  hawser_disconnected(&e.device, e.now); /* its first record never arrived */
  CHECK(hawser_save(&e.device, HAWSER_SAVE_RETAINED, blob, &len) == HAWSER_ERR_STATE);
  (void)attempt(m1, sizeof m1);
  CHECK(m1[2] == 0x11);
  (void)attempt(m1, sizeof m1);
  CHECK(m1[2] == 0x11);
  CHECK(ends_handshake(&e, NULL, NULL) == HAWSER_OK && e.device.kind == HAWSER_FULL);
  CHECK(hawser_send(&e.session, m2, sizeof m2, &m2_len, e.now) == HAWSER_OK && m2_len > 0);
  m2[m2_len - 1] ^= 1; /* a record that fails proves nothing */
  CHECK(ends_to_device(&e, m2, m2_len) == HAWSER_ERR_AUTH);
  ends_cut(&e);
  (void)attempt(m1, sizeof m1);
  CHECK(m1[2] == 0x11);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK && e.device.kind == HAWSER_FULL);
  ends_cut(&e);
  CHECK(hawser_save(&e.device, HAWSER_SAVE_RETAINED, blob, &len) == HAWSER_OK);
  (void)attempt(m1, sizeof m1);
  CHECK(m1[2] == 0x18);
  ends_free(&e);
}

static void limits(void) {
  ends_init(&e, HAWSER_KEYS, HAWSER_SUITE_ID_25519, HAWSER_STREAM);
  e.device_pairing.max_steps = e.gateway_pairing.max_steps = 3;
  e.device_pairing.max_blocks = e.gateway_pairing.max_blocks = 2;
  static const uint8_t expected[][3] = {{1, 0, 0}, {2, 0, 1}, {2, 0, 2}, {2, 0, 3},
                                        {2, 1, 1}, {2, 1, 2}, {2, 1, 3}, {1, 0, 0}};
  for (size_t k = 0; k < 8; k++) {
    CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
    CHECK(e.device.kind == expected[k][0] && e.device.b == expected[k][1] && e.device.i == expected[k][2]);
    ends_cut(&e);
  }
  ends_free(&e);

  /* and the gateway holds them by itself */
  up(HAWSER_KEYS);
  ends_cut(&e);
  e.gateway_pairing.max_blocks = 1;
  ends_boot(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_ERR_AUTH);
  ends_free(&e);
}

/* ---- early data ---- */

static int early_connect(uint16_t stream, size_t len, int fin, int idempotent, uint8_t verdict, int *taken) {
  hawser_early early = {stream, text, len, (uint8_t)fin, (uint8_t)idempotent};
  e.verdict = verdict;
  ends_clear(&e);
  return ends_connect(&e, &early, taken);
}

static void early_taken(void) {
  uint16_t id;
  size_t sent;
  int taken = 0;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_open(&e.device, "meter", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  CHECK(early_connect(id, 100, 0, 0, HAWSER_TAKEN, &taken) == HAWSER_OK && taken);
  CHECK(ends_last(&e.device_log, HAWSER_EV_VERDICT)->value == HAWSER_TAKEN);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_OPEN, id) == 1 && e.gateway_log.lens[id] == 100);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, 0xffff) == 0);
  CHECK(ends_write(&e, 1, id, text + 100, 100, 0, &sent) == HAWSER_OK && sent == 100);
  CHECK(e.gateway_log.lens[id] == 200 && memcmp(e.gateway_log.bytes[id], text, 200) == 0);
  e.now += 30;
  CHECK(ends_pump(&e) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_ACKED)->offset == 200);

  /* more of the same stream rides on a continued session, and ends it */
  ends_cut(&e);
  CHECK(early_connect(id, 50, 1, 0, HAWSER_TAKEN, &taken) == HAWSER_OK && taken);
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 1);
  CHECK(e.gateway_log.lens[id] == 250 && ends_count(&e.gateway_log, HAWSER_EV_FIN, id) == 1);
  CHECK(ends_last(&e.device_log, HAWSER_EV_ACKED)->offset == 250);
  ends_free(&e);
}

static void early_refused(uint8_t verdict, int idempotent, int survives) {
  uint16_t id;
  size_t sent;
  int taken = 0;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_open(&e.device, "meter", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  CHECK(early_connect(id, 100, 0, idempotent, verdict, &taken) == HAWSER_OK && taken);
  CHECK(ends_last(&e.device_log, HAWSER_EV_VERDICT)->value == verdict);
  CHECK(ends_count(&e.device_log, HAWSER_EV_REWIND, id) == (size_t)survives);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, id) == (size_t)!survives);
  if (survives) {
    CHECK(ends_last(&e.device_log, HAWSER_EV_REWIND)->offset == 0);
    CHECK(ends_write(&e, 1, id, text, 100, 0, &sent) == HAWSER_OK && e.gateway_log.lens[id] == 100);
  } else {
    CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_EARLY_UNKNOWN);
    CHECK(ends_count(&e.gateway_log, HAWSER_EV_OPEN, 0xffff) == 0);
  }
  ends_free(&e);
}

/* On a continued session offsets dedupe, so UNKNOWN costs nothing. */
static void early_unknown_continued(void) {
  uint16_t id;
  size_t sent;
  int taken = 0;
  up(HAWSER_TICKET);
  CHECK(hawser_open(&e.device, "meter", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  CHECK(ends_write(&e, 1, id, text, 10, 0, &sent) == HAWSER_OK);
  e.now += 30;
  CHECK(ends_pump(&e) == HAWSER_OK);
  ends_cut(&e);
  CHECK(early_connect(id, 90, 0, 0, HAWSER_UNKNOWN, &taken) == HAWSER_OK && taken);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, id) == 0);
  CHECK(ends_last(&e.device_log, HAWSER_EV_REWIND)->offset == 10);
  CHECK(ends_write(&e, 1, id, text + 10, 90, 0, &sent) == HAWSER_OK && e.gateway_log.lens[id] == 100);
  ends_free(&e);
}

/* Early data was taken and its verdict never heard. The session goes on, and the gateway's word says where: before this end has
 * written a byte of it again. */
static void early_unheard(int fin) {
  uint8_t m1[1024], m2[256];
  uint16_t id;
  size_t len, sent;
  int taken = 0;
  hawser_early early = {0, text + 10, 90, (uint8_t)fin, 0};
  up(HAWSER_TICKET);
  CHECK(hawser_open(&e.device, "meter", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  early.stream = id;
  CHECK(ends_write(&e, 1, id, text, 10, 0, &sent) == HAWSER_OK);
  e.now += 30;
  CHECK(ends_pump(&e) == HAWSER_OK);
  ends_cut(&e);
  CHECK(hawser_connect(&e.device, e.transport, &early, &taken, e.now) == HAWSER_OK && taken);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) == HAWSER_OK);
  CHECK(ends_answer(&e, m1, len, m2, sizeof m2, &len) == HAWSER_OK && ends_feed_early(&e) == HAWSER_OK);
  CHECK(e.gateway_log.lens[id] == 100);
  ends_cut(&e);
  ends_clear(&e);
  e.now += HAWSER_WARM_PATIENCE_MS;
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 1);
  CHECK(ends_last(&e.device_log, HAWSER_EV_VERDICT)->value == HAWSER_UNKNOWN);
  CHECK(ends_last(&e.device_log, HAWSER_EV_REWIND)->offset == 100);
  CHECK(ends_last(&e.device_log, HAWSER_EV_REWIND)->value == (uint32_t)fin);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, id) == 0 && e.gateway_log.lens[id] == 100);
  if (!fin) {
    CHECK(ends_write(&e, 1, id, text + 100, 20, 1, &sent) == HAWSER_OK && e.gateway_log.lens[id] == 120);
  }
  CHECK(ends_write(&e, 0, id, text, 5, 1, &sent) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_DONE);
  ends_free(&e);
}

/* A position that is left without an answer makes the verdict UNKNOWN; a repeat of message 1 takes no new data. */
static void early_left(void) {
  uint8_t m1[1024];
  uint16_t id;
  size_t len;
  int taken = 0;
  hawser_early early;
  up(HAWSER_KEYS);
  CHECK(hawser_open(&e.device, "meter", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  ends_cut(&e);
  early.stream = id;
  early.data = text;
  early.len = 70;
  early.fin = early.idempotent = 0;
  CHECK(hawser_connect(&e.device, e.transport, &early, &taken, e.now) == HAWSER_OK && taken);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &len, e.now) == HAWSER_OK);
  hawser_disconnected(&e.device, e.now);
  CHECK(hawser_connect(&e.device, e.transport, &early, &taken, e.now) == HAWSER_OK && !taken);
  hawser_disconnected(&e.device, e.now);
  ends_clear(&e);
  e.now += HAWSER_WARM_PATIENCE_MS;
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_VERDICT)->value == HAWSER_UNKNOWN);
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 1);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_OPEN, id) == 1); /* the OPEN is in doubt too: offsets dedupe it */
  ends_free(&e);
}

/* ---- saved state ---- */

static void save_and_restore(uint8_t kind) {
  uint8_t blob[HAWSER_SAVE_MAX], bad[HAWSER_SAVE_MAX];
  uint16_t id;
  size_t sent, len = 0;
  up(HAWSER_TICKET);
  CHECK(hawser_open(&e.device, "meter", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  CHECK(ends_write(&e, 1, id, text, 60, 0, &sent) == HAWSER_OK);
  CHECK(ends_write(&e, 0, id, text, 30, 0, &sent) == HAWSER_OK);
  CHECK(hawser_save(&e.device, kind, blob, &len) == HAWSER_ERR_STATE); /* not while a link is up */
  ends_cut(&e); /* the gateway's acknowledgement is lost: it has 60 bytes, the device knows of 0 */
  CHECK(hawser_save(&e.device, kind, blob, &len) == HAWSER_OK);
  CHECK(len <= HAWSER_SAVE_MAX && memcmp(blob, "HWSV\1", 5) == 0 && blob[5] == kind && blob[6] == 1);

  for (size_t bit = 0; bit < 8 * len; bit++) {
    hawser_device before;
    ends_boot(&e);
    before = e.device;
    memcpy(bad, blob, len);
    bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK(hawser_restore(&e.device, bad, len) == HAWSER_ERR_FORMAT);
    CHECK_BYTES(&before, &e.device, sizeof before);
    CHECK(check_is_zero(bad, len)); /* what is refused may hold a secret */
  }
  for (size_t cut = 0; cut < len; cut++) {
    memcpy(bad, blob, len);
    CHECK(hawser_restore(&e.device, bad, cut) == HAWSER_ERR_FORMAT && check_is_zero(bad, cut));
  }
  ends_boot(&e);
  CHECK(hawser_restore(&e.device, blob, len) == HAWSER_OK);
  CHECK(check_is_zero(blob, len) == (kind == HAWSER_SAVE_RETAINED));
  memset(bad, 1, len);
  CHECK(hawser_restore(&e.device, bad, len) == HAWSER_ERR_STATE && bad[0] == 1);
  CHECK(hawser_name(&e.device, id, "meter") == HAWSER_OK);
  CHECK((e.device.i == 1) == (kind == HAWSER_SAVE_RETAINED));
  ends_clear(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 1);
  CHECK(ends_count(&e.device_log, HAWSER_EV_STORE, 0xffff) == (kind == HAWSER_SAVE_FLASH));
  CHECK(ends_last(&e.device_log, HAWSER_EV_REWIND)->offset == 60);
  CHECK(ends_write(&e, 1, id, text + 60, 40, 1, &sent) == HAWSER_OK);
  CHECK(e.gateway_log.lens[id] == 100 && memcmp(e.gateway_log.bytes[id], text, 100) == 0);
  CHECK(ends_write(&e, 0, id, text + 30, 10, 1, &sent) == HAWSER_OK);
  CHECK(e.device_log.lens[id] == 40 && ends_count(&e.device_log, HAWSER_EV_CLOSED, id) == 1);
  ends_free(&e);
}

/* A position under which a message 1 was sent is not saved; nor is a FIN that waits. */
static void not_saved(void) {
  uint8_t blob[HAWSER_SAVE_MAX], m1[256];
  uint16_t id;
  size_t len;
  int fin;
  up(HAWSER_TICKET);
  ends_cut(&e);
  (void)attempt(m1, sizeof m1);
  CHECK(hawser_save(&e.device, HAWSER_SAVE_RETAINED, blob, &len) == HAWSER_ERR_STATE);
  CHECK(hawser_save(&e.device, HAWSER_SAVE_FLASH, blob, &len) == HAWSER_OK);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(hawser_open(&e.device, "x", HAWSER_KIND_STREAM, &id) == HAWSER_OK && ends_pump(&e) == HAWSER_OK);
  CHECK(hawser_write(&e.device.session, id, NULL, 0, 1, m1, sizeof m1, &len, &(size_t){0}, &fin, e.now) == HAWSER_OK);
  CHECK(fin == 1);
  ends_cut(&e);
  CHECK(hawser_save(&e.device, HAWSER_SAVE_FLASH, blob, &len) == HAWSER_ERR_STATE);
  ends_free(&e);
}

int main(void) {
  ends_fill(text, sizeof text, 40);
  slots();
  storing();
  stored_late();
  stored_too_late();
  ladder();
  unproven();
  limits();
  early_taken();
  early_refused(HAWSER_NOT_TAKEN, 0, 1);
  early_refused(HAWSER_UNKNOWN, 1, 1);
  early_refused(HAWSER_UNKNOWN, 0, 0);
  early_unknown_continued();
  early_unheard(0);
  early_unheard(1);
  early_left();
  save_and_restore(HAWSER_SAVE_FLASH);
  save_and_restore(HAWSER_SAVE_RETAINED);
  not_saved();
  return check_done();
}
