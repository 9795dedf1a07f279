/*
 * test_channel.c - what SPEC 9 says of streams beyond bytes: reset, close, windows, messages, liveness, ids, violations.
 */
#include "ends.h"

#include "channel.h"
#include "record.h"

static ends e;
static uint8_t text[9000];

static void up(void) {
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
}

static void resets(void) {
  uint16_t id;
  up();
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(hawser_reset(&e.device.session, id, HAWSER_CANCELLED) == HAWSER_OK);
  CHECK(hawser_reset(&e.device.session, id, HAWSER_CANCELLED) == HAWSER_ERR_CLOSED);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, id) == 0); /* not before the answer */
  CHECK(ends_pump(&e) == HAWSER_OK);
  CHECK(ends_last(&e.gateway_log, HAWSER_EV_CLOSED)->value == HAWSER_CANCELLED);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_CANCELLED);

  /* by the gateway; the id is used again, with a higher serial */
  CHECK(ends_open(&e, "b", HAWSER_KIND_STREAM) == id && e.device_streams[id].serial == 2);
  CHECK(hawser_reset(&e.session, id, HAWSER_UNREACHABLE) == HAWSER_OK);
  CHECK(ends_gateway_events(&e) == HAWSER_OK && ends_pump(&e) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_UNREACHABLE);
  CHECK(ends_open(&e, "c", HAWSER_KIND_STREAM) == id);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_OPEN, id) == 3);

  /* by the gateway while the link is down: told on the next one */
  ends_cut(&e);
  CHECK(hawser_reset(&e.session, id, HAWSER_TIMEOUT) == HAWSER_OK && ends_gateway_events(&e) == HAWSER_OK);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_TIMEOUT);

  /* by the device while it is down: the gateway forgets what is not named */
  id = ends_open(&e, "d", HAWSER_KIND_STREAM);
  ends_cut(&e);
  ends_clear(&e);
  CHECK(hawser_reset(&e.device.session, id, HAWSER_CANCELLED) == HAWSER_OK && ends_device_events(&e) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_CANCELLED);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_CLOSED, id) == 1);
  CHECK(ends_last(&e.gateway_log, HAWSER_EV_CLOSED)->value == HAWSER_STATE_LOST);
  ends_free(&e);
}

/* The loss of a last acknowledgement is no error. */
static void lost_last_ack(void) {
  uint16_t id;
  size_t sent, len;
  uint8_t out[2048];
  up();
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(ends_write(&e, 1, id, text, 5, 1, &sent) == HAWSER_OK && ends_write(&e, 0, id, text, 5, 0, &sent) == HAWSER_OK);
  e.now += 30;
  CHECK(ends_pump(&e) == HAWSER_OK);
  e.hold = 1;
  CHECK(ends_write(&e, 0, id, text, 0, 1, &sent) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_OK);
  ends_cut(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(ends_gateway_events(&e) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->type == HAWSER_EV_CLOSED);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_DONE);
  CHECK(ends_last(&e.gateway_log, HAWSER_EV_CLOSED)->type == HAWSER_EV_CLOSED);
  CHECK(ends_last(&e.gateway_log, HAWSER_EV_CLOSED)->value == HAWSER_DONE);
  ends_free(&e);
}

/* The gateway's process has died: NEW. Streams that were opened are lost, one that was not is opened now. */
static void new_session(void) {
  uint16_t old, fresh;
  up();
  old = ends_open(&e, "old", HAWSER_KIND_STREAM);
  ends_cut(&e);
  CHECK(hawser_open(&e.device, "fresh", HAWSER_KIND_STREAM, &fresh) == HAWSER_OK);
  e.has_session = 0;
  ends_clear(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 0);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, old) == 1);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_STATE_LOST);
  CHECK(ends_count(&e.device_log, HAWSER_EV_OPENED, fresh) == 1 &&
        ends_count(&e.gateway_log, HAWSER_EV_OPEN, fresh) == 1);
  ends_free(&e);
}

static void windows(void) {
  uint16_t id;
  size_t sent;
  up();
  e.hold = 1;
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(hawser_window(&e.device.session, id) == 8192);
  CHECK(ends_write(&e, 1, id, text, sizeof text, 1, &sent) == HAWSER_OK);
  CHECK(sent == 8192 && hawser_window(&e.device.session, id) == 0); /* acked + window, and no further */
  CHECK(hawser_consume(&e.session, id, 9000) == HAWSER_ERR_ARG);
  CHECK(hawser_consume(&e.session, id, 100) == HAWSER_OK && hawser_deadline(&e.session) <= e.now + HAWSER_ACK_DELAY_MS);
  e.now += HAWSER_ACK_DELAY_MS;
  CHECK(ends_pump(&e) == HAWSER_OK && hawser_window(&e.device.session, id) == 100);
  CHECK(ends_write(&e, 0, id, text, sizeof text, 0, &sent) == HAWSER_OK && sent == 4096);
  CHECK(hawser_consume(&e.session, id, 8092) == HAWSER_OK && ends_pump(&e) == HAWSER_OK);
  CHECK(ends_write(&e, 1, id, text, sizeof text - 8192, 1, &sent) == HAWSER_OK && sent == sizeof text - 8192);
  ends_free(&e);
}

static void messages(void) {
  uint8_t out[20000];
  uint16_t id;
  size_t len, taken;
  int fin;
  up();
  id = ends_open(&e, "dns", HAWSER_KIND_MESSAGES);
  CHECK(hawser_message(&e.device.session, id, text, 300, out, sizeof out, &len, e.now) == HAWSER_OK && len == 321);
  CHECK(ends_to_gateway(&e, out, len) == HAWSER_OK);
  CHECK(ends_last(&e.gateway_log, HAWSER_EV_MESSAGE)->len == 300);
  CHECK(hawser_message(&e.session, id, text, 1022, out, sizeof out, &len, e.now) == HAWSER_ERR_LIMIT);
  CHECK(hawser_message(&e.session, id, text, 1021, out, sizeof out, &len, e.now) == HAWSER_OK);
  CHECK(ends_to_device(&e, out, len) == HAWSER_OK && ends_last(&e.device_log, HAWSER_EV_MESSAGE)->len == 1021);
  CHECK(hawser_write(&e.session, id, text, 1, 0, out, sizeof out, &len, &taken, &fin, e.now) == HAWSER_ERR_ARG);
  ends_free(&e);
}

/* A wait that begins after an idle hour begins now, not an hour ago. */
static void waiting_after_idle(void) {
  hawser_event event;
  uint8_t out[256];
  size_t len;
  uint16_t id;
  up();
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(hawser_consume(&e.session, id, 0) == HAWSER_OK && ends_pump(&e) == HAWSER_OK);
  e.now += 3600000;
  CHECK(hawser_reset(&e.device.session, id, HAWSER_CANCELLED) == HAWSER_OK);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_NONE);
  CHECK(hawser_device_timeout(&e.device, e.now) == HAWSER_OK);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_NONE);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_OK && len > 0);
  CHECK(hawser_device_deadline(&e.device) > e.now);
  CHECK(hawser_device_timeout(&e.device, e.now + HAWSER_DEAD_MS) == HAWSER_OK);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_DEAD);
  ends_free(&e);
}

static void liveness(void) {
  uint8_t out[2048];
  size_t len;
  uint16_t id;
  size_t sent, taken;
  int fin;
  hawser_event event;
  up();
  e.hold = 1;
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(hawser_consume(&e.session, id, 0) == HAWSER_OK && ends_pump(&e) == HAWSER_OK);
  CHECK(hawser_device_deadline(&e.device) == UINT64_MAX); /* nothing to wait for */
  CHECK(hawser_write(&e.device.session, id, text, 10, 0, out, sizeof out, &sent, &taken, &fin, e.now) == HAWSER_OK);
  CHECK(hawser_device_deadline(&e.device) == e.now + HAWSER_DEAD_MS / 3);
  e.now += HAWSER_DEAD_MS / 3;
  CHECK(hawser_device_timeout(&e.device, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_OK && len == 5 + 18);
  CHECK(hawser_device_deadline(&e.device) == e.now + HAWSER_DEAD_MS / 3);
  e.now += 2 * HAWSER_DEAD_MS / 3;
  CHECK(hawser_device_timeout(&e.device, e.now) == HAWSER_OK);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_DEAD);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_NONE);
  ends_free(&e);

  up();
  CHECK(hawser_ping(&e.session, e.now) == HAWSER_OK && ends_pump(&e) == HAWSER_OK);
  CHECK(ends_gateway_events(&e) == HAWSER_OK && ends_count(&e.gateway_log, HAWSER_EV_PONG, 0xffff) == 1);
  CHECK(hawser_deadline(&e.session) == UINT64_MAX && hawser_device_deadline(&e.device) == UINT64_MAX);
  ends_free(&e);
}

static void closing(void) {
  uint16_t id;
  up();
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(hawser_close(&e.session, HAWSER_GOING_AWAY) == HAWSER_OK && ends_pump(&e) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSE)->value == HAWSER_GOING_AWAY);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, id) == 1);
  CHECK_ZERO(e.device.session.name, 8);
  ends_cut(&e);
  e.has_session = 0;
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK); /* a new session, by resumption */
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 0);
  ends_free(&e);
}

static void ids_run_out(void) {
  uint16_t id;
  up();
  for (uint16_t k = 0; k < ENDS_STREAMS; k++) {
    CHECK(ends_open(&e, "many", HAWSER_KIND_STREAM) == k);
  }
  CHECK(hawser_open(&e.device, "more", HAWSER_KIND_STREAM, &id) == HAWSER_ERR_LIMIT);
  CHECK(hawser_open(&e.device, "", HAWSER_KIND_STREAM, &id) == HAWSER_ERR_ARG);
  CHECK(hawser_open(&e.device, "012345678901234567890123456789012", HAWSER_KIND_STREAM, &id) == HAWSER_ERR_ARG);
  ends_free(&e);
}

/* The plaintext of what the gateway sends next, as its device would read it. */
static size_t next_frames(uint8_t *out, size_t cap) {
  uint8_t record[512];
  size_t len = 0;
  CHECK(hawser_send(&e.session, record, sizeof record, &len, e.now) == HAWSER_OK);
  if (len == 0) {
    return 0;
  }
  CHECK(hawser_record_open(&e.device.session.link, record, len) == HAWSER_OK && len - 18 <= cap);
  memcpy(out, record + HAWSER_HEADER_LEN, len - 18);
  return len - 18;
}

#define ANSWERS(expected, ...)                                                                                         \
  do {                                                                                                                 \
    static const uint8_t frames[] = {__VA_ARGS__};                                                                     \
    uint8_t got[256];                                                                                                  \
    CHECK(ends_inject(&e, 1, frames, sizeof frames) == HAWSER_OK);                                                     \
    CHECK(next_frames(got, sizeof got) == sizeof(expected));                                                           \
    CHECK_BYTES(got, expected, sizeof(expected));                                                                      \
  } while (0)

/* SPEC 9, opening: an id beyond what the gateway holds is answered with RESET 4, and touches no other stream. */
static void beyond_the_array(void) {
  static const uint8_t limit[] = {0x09, 0, 99, 0, 0, 0, 9, 4};
  static const uint8_t both[] = {0x09, 0, 99, 0, 0, 0, 9, 4, 0x09, 0xff, 0xff, 0, 0, 0, 10, 4};
  static const uint8_t lost[] = {0x09, 0, 98, 0, 0, 0, 9, 5};
  uint8_t many[10 * (ENDS_STREAMS + 1)], out[64];
  uint16_t id;
  size_t sent;
  up();
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  ANSWERS(limit, 0x03, 0, 99, 0, 0, 0, 9, 0, 1, 'x');
  ANSWERS(both, 0x03, 0, 99, 0, 0, 0, 9, 0, 1, 'x', 0x03, 0xff, 0xff, 0, 0, 0, 10, 1, 1, 'y');
  ANSWERS(lost, 0x04, 0, 98, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  /* what may follow an OPEN at once, and the device's answer to the RESET */
  CHECK(ends_inject(&e, 1, (const uint8_t[]){0x06, 0, 99, 'd'}, 4) == HAWSER_OK);
  CHECK(ends_inject(&e, 1, (const uint8_t[]){0x07, 0, 99}, 3) == HAWSER_OK);
  CHECK(ends_inject(&e, 1, (const uint8_t[]){0x0a, 0, 99, 'm'}, 4) == HAWSER_OK);
  CHECK(ends_inject(&e, 1, (const uint8_t[]){0x08, 0, 99, 0, 0, 0, 0, 0, 7}, 9) == HAWSER_OK);
  CHECK(ends_inject(&e, 1, (const uint8_t[]){0x09, 0, 99, 0, 0, 0, 9, 0}, 8) == HAWSER_OK);
  CHECK(next_frames(out, sizeof out) == 0);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_OPEN, 0xffff) == 1);
  CHECK(ends_write(&e, 1, id, text, 30, 0, &sent) == HAWSER_OK && e.gateway_log.lens[id] == 30);
  /* and a device ignores what it does not know */
  CHECK(ends_inject(&e, 0, (const uint8_t[]){0x06, 0, 99, 'd'}, 4) == HAWSER_OK);
  CHECK(ends_inject(&e, 0, (const uint8_t[]){0x09, 0, 99, 0, 0, 0, 9, 4}, 8) == HAWSER_OK);
  CHECK(ends_write(&e, 0, id, text, 30, 0, &sent) == HAWSER_OK && e.device_log.lens[id] == 30);
  /* a peer that opens on without waiting for answers */
  for (size_t k = 0; k <= ENDS_STREAMS; k++) {
    const uint8_t open[10] = {0x03, 1, (uint8_t)k, 0, 0, 1, 0, 0, 1, 'x'};
    memcpy(many + 10 * k, open, sizeof open);
  }
  CHECK(ends_inject(&e, 1, many, sizeof many - 10) == HAWSER_OK && next_frames(out, sizeof out) >= 8 * ENDS_STREAMS);
  for (size_t k = 0; k < ENDS_STREAMS; k++) {
    CHECK(out[8 * k] == 0x09 && out[8 * k + 2] == k && out[8 * k + 7] == HAWSER_STREAM_LIMIT);
  }
  CHECK(ends_inject(&e, 1, many, sizeof many) == HAWSER_ERR_PEER);
  ends_free(&e);
}

/* A genuine peer that breaks a rule: the link ends, the session is gone, nothing else happens. */
#define VIOLATES(to_gateway, ...)                                                                                      \
  do {                                                                                                                 \
    static const uint8_t frames[] = {__VA_ARGS__};                                                                     \
    up();                                                                                                              \
    (void)ends_open(&e, "a", HAWSER_KIND_STREAM);                                                                      \
    CHECK(ends_inject(&e, to_gateway, frames, sizeof frames) == HAWSER_ERR_PEER);                                      \
    CHECK(!hawser_is_live(to_gateway ? &e.session : &e.device.session));                                               \
    CHECK_ZERO((to_gateway ? &e.session : &e.device.session)->name, 8);                                                \
    CHECK((to_gateway ? ends_gateway_events(&e) : ends_device_events(&e)) == HAWSER_OK);                               \
    CHECK(ends_last(to_gateway ? &e.gateway_log : &e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_VIOLATION);        \
    ends_free(&e);                                                                                                     \
  } while (0)

static void violations(void) {
  VIOLATES(1, 0x00);                              /* unknown code */
  VIOLATES(1, 0x0e);                              /* unknown code */
  VIOLATES(1, 0x08, 0, 0, 0, 0, 0);               /* cut short */
  VIOLATES(1, 0x01, 1, 2, 3, 4, 5, 6, 7, 8);      /* STATE out of place */
  VIOLATES(0, 0x02, 1);                           /* STATUS out of place */
  VIOLATES(1, 0x05);                              /* SYNCED out of place */
  VIOLATES(0, 0x05);                              /* the same */
  VIOLATES(1, 0x08, 0, 0, 0, 0, 0, 0, 0, 9);      /* acknowledges what was not sent */
  VIOLATES(0, 0x03, 0, 1, 0, 0, 0, 9, 0, 1, 'x'); /* a gateway opens nothing */
  VIOLATES(1, 0x03, 0, 1, 0, 0, 0, 9, 2, 1, 'x'); /* no such kind */
  VIOLATES(1, 0x03, 0, 1, 0, 0, 0, 9, 0, 0);      /* no name */
  VIOLATES(1, 0x03, 0, 0, 0, 0, 0, 0, 0, 1, 'x'); /* serial 0 */
  VIOLATES(1, 0x0a, 0, 0, 'x');                   /* a message on a stream */
  VIOLATES(1, 0x04, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* a gap */
  VIOLATES(1, 0x04, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0); /* has what was not sent */
  VIOLATES(1, 0x03, 0, 1, 0, 0, 0, 9, 0, 1, 'X'); /* no such letter in a name */
  VIOLATES(1, 0x03, 0, 0, 0, 0, 0, 9, 2, 1, 'x'); /* no such kind, for an id in use: the old stream stays as it was */
  VIOLATES(1, 0x04, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           9); /* accepted before received */
  VIOLATES(0, 0x04, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0,
           0); /* the same, at the device */
  VIOLATES(0, 0x04, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 9); /* and acknowledged */
}

/* Of a restored stream the gateway alone knows how far it got, but not beyond a FIN that it has acknowledged, nor
 * where no stream ends. */
static void beyond_fin(void) {
  uint16_t id;
  size_t sent;
  hawser_stream *st;
  up();
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(ends_write(&e, 1, id, text, 60, 0, &sent) == HAWSER_OK);
  st = &e.device.session.streams[id];
  for (int k = 0; k < 4; k++) {
    const uint64_t rx[] = {61, HAWSER_OFFSET_MAX - 1, 62, HAWSER_OFFSET_MAX}, end[] = {61, 0, 61, 0};
    uint8_t frame[25];
    hawser_writer w = {frame, sizeof frame, 0};
    hawser_put(&w, 1, HAWSER_FRAME_STREAM);
    hawser_put(&w, 2, id);
    hawser_put(&w, 4, st->serial);
    hawser_put(&w, 6, 0);
    hawser_put(&w, 6, rx[k]);
    hawser_put(&w, 6, 61);
    st->tx = st->tx_acked = 61;
    st->tx_end = end[k];
    st->tx_high = HAWSER_OFFSET_MAX;
    st->flags = (st->flags | HAWSER_ST_HELD) & ~(uint32_t)HAWSER_ST_NAMED;
    CHECK(ends_inject(&e, 0, frame, sizeof frame) == (k < 2 ? HAWSER_OK : HAWSER_ERR_PEER));
    CHECK(hawser_session_valid(&e.device.session));
    if (k >= 2) {
      ends_free(&e);
      up();
      id = ends_open(&e, "a", HAWSER_KIND_STREAM);
      st = &e.device.session.streams[id];
    }
  }
  ends_free(&e);
}

int main(void) {
  ends_fill(text, sizeof text, 11);
  resets();
  lost_last_ack();
  new_session();
  windows();
  messages();
  liveness();
  waiting_after_idle();
  closing();
  ids_run_out();
  beyond_the_array();
  violations();
  beyond_fin();
  return check_done();
}
