/*
 * test_arguments.c - what a program may ask wrongly of a device or a session, and what their predicates notice. Everything
 * is refused by its own error, and what was refused left nothing behind.
 */
#include "ends.h"

static ends e; /* large */
static uint8_t out[ENDS_PIPE];
static size_t len;

static void up(uint8_t transport) {
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, transport);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
}

/* What hawser_device_init is given; the other arguments are good. */
typedef struct given {
  const hawser_pairing *pairing;
  hawser_stream *streams;
  uint16_t stream_count;
  uint8_t *rx;
  size_t rx_cap;
  uint8_t *message1;
  size_t message1_cap;
} given;

static int init(const given *g) {
  hawser_device d;
  return hawser_device_init(&d, g->pairing, g->streams, g->stream_count, g->rx, g->rx_cap, g->message1,
                            g->message1_cap);
}

#define INIT_REFUSES(field, wrong)                                                                                     \
  do {                                                                                                                 \
    given bad = good;                                                                                                  \
    bad.field = (wrong);                                                                                               \
    CHECK(init(&bad) == HAWSER_ERR_ARG);                                                                               \
  } while (0)

static void device_init(void) {
  given good = {&e.device_pairing,  e.device_streams, ENDS_STREAMS,     e.device_rx,
                sizeof e.device_rx, e.message1,       sizeof e.message1};
  hawser_pairing pairing;
  hawser_device none;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(init(&good) == HAWSER_OK);
  INIT_REFUSES(message1, NULL);
  INIT_REFUSES(message1_cap, HAWSER_MESSAGE1_MIN - 1);
  INIT_REFUSES(rx, NULL);
  INIT_REFUSES(rx_cap, HAWSER_RX_LEN(ENDS_RECORD) - 1);
  INIT_REFUSES(streams, NULL);
  pairing = e.device_pairing;
  pairing.ticket = 0; /* a device of mode ticket has nothing else */
  INIT_REFUSES(pairing, &pairing);
  pairing = e.device_pairing;
  pairing.record_max = 0;
  INIT_REFUSES(pairing, &pairing);
  good.streams = NULL;
  good.stream_count = 0; /* a device that opens none */
  CHECK(init(&good) == HAWSER_OK);
  good.message1_cap = HAWSER_MESSAGE1_MAX + 1;
  CHECK(init(&good) == HAWSER_OK);
  memset(&none, 0, sizeof none);
  hawser_device_wipe(&none); /* before init: nothing to reach */
  ends_free(&e);
}

/* Verbs and calls before boot, off-link and in the middle of a handshake. */
static void out_of_order(void) {
  hawser_event event;
  size_t used;
  int taken, wipe;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_device_boot(&e.device, NULL, NULL, &wipe) == HAWSER_ERR_STATE); /* once */
  CHECK(hawser_stored(&e.device, 1) == HAWSER_ERR_STATE); /* nothing was asked: no slot changes its role */
  CHECK(hawser_device_receive(&e.device, out, 4, &used, e.now) == HAWSER_ERR_STATE && used == 0);
  CHECK(hawser_ping(&e.device.session, e.now) == HAWSER_ERR_STATE);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_OK && len == 0);
  CHECK(hawser_device_deadline(&e.device) == UINT64_MAX && hawser_device_timeout(&e.device, e.now) == HAWSER_OK);
  CHECK(hawser_connect(&e.device, 9, NULL, &taken, e.now) == HAWSER_ERR_ARG);
  CHECK(hawser_connect(&e.device, HAWSER_STREAM, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_connect(&e.device, HAWSER_STREAM, NULL, &taken, e.now) == HAWSER_ERR_STATE);
  CHECK(hawser_stored(&e.device, 1) == HAWSER_ERR_STATE);
  CHECK(hawser_device_receive(&e.device, out, 4, &used, e.now) == HAWSER_ERR_FORMAT); /* before message 1 went out */
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_NONE);
  hawser_disconnected(&e.device, e.now);
  hawser_disconnected(&e.device, e.now); /* twice is nothing */
  ends_free(&e);

  ends_start_device(&e); /* before boot */
  CHECK(hawser_connect(&e.device, HAWSER_STREAM, NULL, &taken, e.now) == HAWSER_ERR_STATE);
  hawser_disconnected(&e.device, e.now);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_NONE);
}

/* A device whose only way in has ended: mode ticket has no full handshake, modes with ECDH no chain before one. */
static void names(void) {
  uint16_t id;
  up(HAWSER_STREAM);
  CHECK(hawser_open(&e.device, NULL, HAWSER_KIND_STREAM, &id) == HAWSER_ERR_ARG);
  CHECK(hawser_open(&e.device, "", HAWSER_KIND_STREAM, &id) == HAWSER_ERR_ARG);
  CHECK(hawser_open(&e.device, "Upper", HAWSER_KIND_STREAM, &id) == HAWSER_ERR_ARG);
  CHECK(hawser_open(&e.device, "a23456789012345678901234567890123", HAWSER_KIND_STREAM, &id) == HAWSER_ERR_ARG);
  CHECK(hawser_open(&e.device, "a", HAWSER_KIND_MESSAGES + 1, &id) == HAWSER_ERR_ARG);
  CHECK(hawser_name(&e.device, 0, "a") == HAWSER_ERR_ARG); /* no such stream yet */
  CHECK(hawser_name(&e.device, ENDS_STREAMS, "a") == HAWSER_ERR_ARG);
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(hawser_name(&e.device, id, "A") == HAWSER_ERR_ARG);
  CHECK(hawser_name(&e.device, id, "a") == HAWSER_OK);
  ends_free(&e);
}

static void session_calls(uint8_t transport) {
  static const uint8_t data[1100] = {7};
  hawser_event event;
  uint16_t stream, messages;
  size_t taken, used;
  int fin;
  up(transport);
  stream = ends_open(&e, "a", HAWSER_KIND_STREAM);
  messages = ends_open(&e, "a", HAWSER_KIND_MESSAGES);
  for (int gateway = 0; gateway <= 1; gateway++) {
    hawser_session *s = gateway ? &e.session : hawser_device_session(&e.device);
    CHECK(hawser_send(s, out, HAWSER_SEND_MIN - 1, &len, e.now) == HAWSER_ERR_BUFFER);
    CHECK(hawser_write(s, stream, data, 1, 0, out, HAWSER_SEND_MIN - 1, &len, &taken, &fin, e.now) ==
          HAWSER_ERR_BUFFER);
    CHECK(hawser_write(s, messages, data, 1, 0, out, sizeof out, &len, &taken, &fin, e.now) == HAWSER_ERR_ARG);
    CHECK(hawser_write(s, 99, data, 1, 0, out, sizeof out, &len, &taken, &fin, e.now) == HAWSER_ERR_CLOSED);
    CHECK(hawser_message(s, stream, data, 1, out, sizeof out, &len, e.now) == HAWSER_ERR_ARG);
    CHECK(hawser_message(s, 99, data, 1, out, sizeof out, &len, e.now) == HAWSER_ERR_CLOSED);
    CHECK(hawser_message(s, messages, data, sizeof data, out, 100, &len, e.now) ==
          (gateway ? HAWSER_ERR_LIMIT : HAWSER_ERR_BUFFER));
    CHECK(hawser_message(s, messages, data, 10, out, 5, &len, e.now) == HAWSER_ERR_BUFFER && len == 0);
    CHECK(hawser_consume(s, 99, 1) == HAWSER_ERR_CLOSED);
    CHECK(hawser_reset(s, 99, 0) == HAWSER_ERR_CLOSED);
    CHECK(hawser_window(s, 99) == 0 && hawser_window(s, messages) == 0);
  }
  CHECK(ends_pump(&e) == HAWSER_OK); /* nothing of that reached the other end */
  CHECK(e.gateway_log.lens[stream] == 0 && e.gateway_log.lens[messages] == 0);

  /* bytes while events are unread */
  CHECK(hawser_write(&e.device.session, stream, data, 9, 0, out, sizeof out, &len, &taken, &fin, e.now) == HAWSER_OK);
  CHECK(hawser_receive(&e.session, out, len, &used, e.now) == HAWSER_OK && used == len);
  CHECK(hawser_deadline(&e.session) == e.session.now_ms); /* now: there is something to read */
  CHECK(hawser_receive(&e.session, out, len, &used, e.now) == HAWSER_ERR_STATE && used == 0);
  CHECK(hawser_session_valid(&e.session));
  CHECK(hawser_next(&e.session, &event) == HAWSER_OK && event.type == HAWSER_EV_DATA && event.len == 9);
  CHECK(hawser_consume(&e.session, stream, 10) == HAWSER_ERR_ARG);
  CHECK(hawser_consume(&e.session, stream, 9) == HAWSER_OK);
  CHECK(hawser_consume(&e.session, stream, 1) == HAWSER_ERR_ARG);

  /* and without a link */
  ends_cut(&e);
  CHECK(hawser_receive(&e.session, out, len, &used, e.now) == HAWSER_ERR_STATE);
  CHECK(hawser_close(&e.session, HAWSER_GOING_AWAY) == HAWSER_OK);
  CHECK(hawser_close(&e.session, HAWSER_GOING_AWAY) == HAWSER_ERR_CLOSED);
  CHECK(hawser_send(&e.session, out, sizeof out, &len, e.now) == HAWSER_OK && len == 0);
  ends_free(&e);
}

/* FIN was accepted: there is nothing left to accept. A RESET that is owed for the id goes out before data. */
static void after_the_end(void) {
  static const uint8_t data[3] = {1, 2, 3};
  size_t sent;
  uint16_t id;
  int fin;
  up(HAWSER_STREAM);
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(ends_write(&e, 1, id, data, 3, 1, &sent) == HAWSER_OK);
  CHECK(hawser_consume(&e.session, id, 1) == HAWSER_ERR_ARG);
  CHECK(hawser_window(&e.session, id) > 0);
  e.gateway_streams[id].owed = (hawser_owed){9, id, HAWSER_DONE};
  CHECK(hawser_write(&e.session, id, data, 3, 0, out, sizeof out, &len, &sent, &fin, e.now) == HAWSER_OK);
  CHECK(len == 0 && sent == 0);
  ends_free(&e);
}

/* At the end of the counter nothing is taken off a list, and nothing goes out. */
static void exhausted(void) {
  static const uint8_t data[3] = {1, 2, 3};
  uint16_t stream, messages;
  size_t taken;
  int fin;
  up(HAWSER_STREAM);
  stream = ends_open(&e, "a", HAWSER_KIND_STREAM);
  messages = ends_open(&e, "a", HAWSER_KIND_MESSAGES);
  e.device.session.link.tx_counter = (uint64_t)1 << 48;
  CHECK(hawser_write(&e.device.session, stream, data, 3, 0, out, sizeof out, &len, &taken, &fin, e.now) ==
        HAWSER_ERR_EXHAUSTED);
  CHECK(len == 0 && taken == 0 && e.device.session.streams[stream].tx == 0);
  CHECK(hawser_message(&e.device.session, messages, data, 3, out, sizeof out, &len, e.now) == HAWSER_ERR_EXHAUSTED);
  CHECK(hawser_ping(&e.device.session, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_ERR_EXHAUSTED && len == 0);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_ERR_EXHAUSTED);
  ends_free(&e);
}

#if HAWSER_KEYLOG
static void key_log(void) {
  uint8_t device[2][HAWSER_KEY_LEN], gateway[2][HAWSER_KEY_LEN];
  up(HAWSER_STREAM);
  CHECK(hawser_link_keys(&e.device.session, device[0], device[1]) == HAWSER_OK);
  CHECK(hawser_link_keys(&e.session, gateway[0], gateway[1]) == HAWSER_OK);
  CHECK_BYTES(device, gateway, sizeof device);
  CHECK(memcmp(device[0], device[1], HAWSER_KEY_LEN) != 0);
  ends_cut(&e);
  CHECK(hawser_link_keys(&e.device.session, device[0], device[1]) == HAWSER_ERR_STATE);
  ends_free(&e);
}
#endif

#define DEVICE_NOTICES(field, wrong) NOTICES(hawser_device_valid, hawser_device, e.device, field, wrong)
#define SESSION_NOTICES(field, wrong) NOTICES(hawser_session_valid, hawser_session, e.session, field, wrong)

/* The stream's array lies outside the struct: spoiled in place, and mended. */
#define STREAM_NOTICES(field, wrong)                                                                                   \
  do {                                                                                                                 \
    hawser_stream kept = e.gateway_streams[0];                                                                         \
    CHECK(hawser_session_valid(&e.session));                                                                           \
    e.gateway_streams[0].field = (wrong);                                                                              \
    CHECK(!hawser_session_valid(&e.session));                                                                          \
    e.gateway_streams[0] = kept;                                                                                       \
  } while (0)

static void predicates(void) {
  static const uint8_t data[3] = {1, 2, 3};
  size_t sent;
  uint16_t id;
  up(HAWSER_STREAM);
  id = ends_open(&e, "a", HAWSER_KIND_STREAM);
  CHECK(id == 0 && ends_write(&e, 1, id, data, 3, 1, &sent) == HAWSER_OK);
  STREAM_NOTICES(tx_acked, 1);
  STREAM_NOTICES(rx_acked, 9);
  STREAM_NOTICES(rx_sent, 9);
  STREAM_NOTICES(rx, (uint64_t)1 << 48);
  STREAM_NOTICES(tx, (uint64_t)1 << 48);
  STREAM_NOTICES(rx_end, 2);
  e.gateway_streams[0].tx = 1;
  STREAM_NOTICES(tx_end, 0 + (e.gateway_streams[0].tx = 2, 1));
  SESSION_NOTICES(pairing, NULL);
  SESSION_NOTICES(rx, NULL);
  SESSION_NOTICES(rx_len, SIZE_MAX);
  SESSION_NOTICES(gateway, 2);
  SESSION_NOTICES(frames, (copy.frames_len = 1, NULL));
  SESSION_NOTICES(link.live, 2);
  SESSION_NOTICES(flags, (copy.link.live = 0, HAWSER_SF_PING_DUE)); /* no link, and yet its keys and what it owes */
  SESSION_NOTICES(link.rx_counter, UINT64_MAX);
  DEVICE_NOTICES(message1, NULL);
  DEVICE_NOTICES(message1_cap, HAWSER_MESSAGE1_MAX + 1);
  DEVICE_NOTICES(step[0], (memset(copy.step, 0, sizeof copy.step), 0));
  DEVICE_NOTICES(b, e.device.f + 1);
  ends_free(&e);
}

int main(void) {
  device_init();
  out_of_order();
  names();
  session_calls(HAWSER_STREAM);
  session_calls(HAWSER_SERIAL);
  after_the_end();
  exhausted();
#if HAWSER_KEYLOG
  key_log();
#endif
  predicates();
  return check_done();
}
