/*
 * test_corners.c - what takes some arranging: frames of a genuine peer that contradict what both ends know, records without
 * room, authenticated answers that cannot be, saved state of another place. Each is refused, or does exactly what SPEC says.
 */
#include "ends.h"

#include "channel.h"
#include "cobs.h"
#include "record.h"
#include "resume.h"

static ends e; /* large */
static uint8_t text[9000];

static void up(uint8_t transport) {
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, transport);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
}

#define INJECT(to_gateway, ...)                                                                                        \
  ends_inject(&e, to_gateway, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* DATA and STREAM of stream 0 with serial 1; STREAM's offsets fit a byte here. */
#define DATA(...) 0x06, 0, 0, __VA_ARGS__
#define FIN(...) 0x07, 0, 0, __VA_ARGS__
#define EMPTY_FIN 0x07, 0, 0
#define STREAM(tx, rx, ack) 0x04, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, (tx), 0, 0, 0, 0, 0, (rx), 0, 0, 0, 0, 0, (ack)

/* A stream of which the gateway has five bytes, accepted; with FIN if asked. */
static void five(int fin) {
  size_t sent;
  up(HAWSER_STREAM);
  CHECK(ends_open(&e, "a", HAWSER_KIND_STREAM) == 0);
  CHECK(ends_write(&e, 1, 0, text, 5, fin, &sent) == HAWSER_OK && sent == 5);
}

static void offsets(void) {
  five(1);
  CHECK(INJECT(1, DATA('x')) == HAWSER_ERR_PEER); /* behind a FIN */
  ends_free(&e);
  five(1); /* a repeat from the start, which says FIN elsewhere */
  CHECK(INJECT(1, STREAM(0, 0, 0)) == HAWSER_OK && INJECT(1, DATA('a', 'b', 'c')) == HAWSER_OK);
  CHECK(INJECT(1, FIN('d')) == HAWSER_ERR_PEER);
  ends_free(&e);
  five(1); /* and one that says it where it was: nothing new */
  e.gateway_log.count = 0;
  CHECK(INJECT(1, STREAM(0, 0, 0)) == HAWSER_OK && INJECT(1, FIN('a', 'b', 'c', 'd', 'e')) == HAWSER_OK);
  CHECK(e.gateway_log.lens[0] == 5 && ends_count(&e.gateway_log, HAWSER_EV_FIN, 0) == 0);
  ends_free(&e);
  five(0); /* FIN below what came already */
  CHECK(INJECT(1, STREAM(0, 0, 0)) == HAWSER_OK && INJECT(1, FIN('a', 'b')) == HAWSER_ERR_PEER);
  ends_free(&e);
  five(0); /* at the end of all offsets */
  e.gateway_streams[0].rx = e.gateway_streams[0].rx_at = e.gateway_streams[0].rx_acked = HAWSER_OFFSET_MAX - 3;
  e.gateway_streams[0].rx_sent = HAWSER_OFFSET_MAX - 3;
  CHECK(INJECT(1, DATA(1, 2, 3, 4, 5)) == HAWSER_ERR_PEER);
  ends_free(&e);
  five(0);
  e.device_streams[0].tx = e.device_streams[0].tx_acked = HAWSER_OFFSET_MAX - 5;
  CHECK(hawser_window(&e.device.session, 0) == 4);
  ends_free(&e);
}

/* One byte beyond what may be in flight. */
static void beyond_window(void) {
  size_t sent;
  up(HAWSER_STREAM);
  e.hold = 1;
  CHECK(ends_open(&e, "a", HAWSER_KIND_STREAM) == 0);
  CHECK(ends_write(&e, 1, 0, text, sizeof text, 0, &sent) == HAWSER_OK && sent == 8192);
  CHECK(INJECT(1, DATA('x')) == HAWSER_ERR_PEER);
  ends_free(&e);
}

/* FIN before the upstream is connected: it is acknowledged when it is, not before. */
static void fin_before_upstream(void) {
  size_t sent;
  up(HAWSER_STREAM);
  e.hold = 1;
  CHECK(ends_open(&e, "a", HAWSER_KIND_STREAM) == 0);
  CHECK(ends_write(&e, 1, 0, text, 0, 1, &sent) == HAWSER_OK);
  CHECK(ends_count(&e.device_log, HAWSER_EV_ACKED, 0) == 0);
  CHECK(hawser_consume(&e.session, 0, 0) == HAWSER_OK && ends_pump(&e) == HAWSER_OK);
  CHECK(ends_last(&e.device_log, HAWSER_EV_ACKED)->value == 1);
  ends_free(&e);
}

/* Frames about a stream that has just been reset here, and whose end the application has not heard yet. */
static void half_ended(void) {
  five(0);
  CHECK(hawser_reset(&e.session, 0, HAWSER_UNREACHABLE) == HAWSER_OK);
  CHECK(INJECT(1, 0x03, 0, 0, 0, 0, 0, 1, 0, 1, 'a') == HAWSER_OK);
  ends_free(&e);
  five(0);
  CHECK(hawser_reset(&e.session, 0, HAWSER_UNREACHABLE) == HAWSER_OK);
  CHECK(INJECT(1, STREAM(5, 0, 0)) == HAWSER_OK);
  CHECK(ends_pump(&e) == HAWSER_OK);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, 0) == 1);
  ends_free(&e);
  five(0); /* a serial that is below the stream's */
  e.gateway_streams[0].serial = 7;
  CHECK(INJECT(1, 0x03, 0, 0, 0, 0, 0, 1, 0, 1, 'a') == HAWSER_ERR_PEER);
  ends_free(&e);
}

/* A RESET of a stream that ended well: answered, and nothing else. */
static void reset_of_ended(void) {
  size_t sent;
  five(1);
  CHECK(ends_write(&e, 0, 0, text, 1, 1, &sent) == HAWSER_OK && ends_gateway_events(&e) == HAWSER_OK);
  CHECK(ends_pump(&e) == HAWSER_OK && ends_count(&e.gateway_log, HAWSER_EV_CLOSED, 0) == 1);
  CHECK(INJECT(1, 0x09, 0, 0, 0, 0, 0, 1, 7) == HAWSER_OK);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_CLOSED, 0) == 1);
  CHECK(e.gateway_streams[0].owed.serial == 0 || e.gateway_streams[0].owed.code == HAWSER_DONE);
  ends_free(&e);
}

/* At the start of a link: what is out of place, what was acknowledged already, what the peer leaves out. */
static void resynchronisation(void) {
  uint8_t out[256];
  uint16_t late;
  size_t len, taken;
  int fin;
  five(0);
  e.session.flags |= HAWSER_SF_SYNC_WAIT;
  CHECK(INJECT(1, DATA('x')) == HAWSER_ERR_PEER); /* before SYNCED */
  ends_free(&e);
  five(0);
  e.gateway_streams[0].tx = e.gateway_streams[0].tx_acked = 5;
  e.gateway_streams[0].flags &= ~(uint32_t)HAWSER_ST_NAMED;
  CHECK(INJECT(1, STREAM(5, 2, 2)) == HAWSER_ERR_PEER); /* wants again what it acknowledged */
  ends_free(&e);
  five(0); /* opened between the device's SYNCED and the gateway's: not asked after, so not lost */
  ends_cut(&e);
  ends_clear(&e);
  CHECK(ends_handshake(&e, NULL, NULL) == HAWSER_OK);
  CHECK(hawser_open(&e.device, "late", HAWSER_KIND_STREAM, &late) == HAWSER_OK);
  CHECK(ends_pump(&e) == HAWSER_OK);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, 0xffff) == 0);
  CHECK(ends_count(&e.device_log, HAWSER_EV_OPENED, late) == 1);
  ends_free(&e);
  five(0); /* a gateway whose first word is still owed sends no data */
  e.session.flags |= HAWSER_SF_STATUS_DUE;
  CHECK(hawser_write(&e.session, 0, text, 1, 0, out, sizeof out, &len, &taken, &fin, e.now) == HAWSER_OK);
  CHECK(len == 0 && taken == 0);
  ends_free(&e);
  five(0); /* and a device says nothing where it does not know how far it got */
  CHECK(hawser_window(&e.device.session, 0) > 0);
  e.device_streams[0].flags |= HAWSER_ST_HELD;
  CHECK(hawser_window(&e.device.session, 0) == 0);
  ends_free(&e);
}

/* Both ends have said FIN, and the device's last acknowledgement was lost: it has forgotten the stream, the gateway learns
 * from its silence that all is done. */
static void ended_unheard(void) {
  five(1);
  e.gateway_streams[0].tx = e.gateway_streams[0].tx_end = 1;
  memset(&e.device_streams[0], 0, sizeof e.device_streams[0]);
  ends_cut(&e);
  ends_clear(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_CLOSED, 0) == 1);
  CHECK(ends_last(&e.gateway_log, HAWSER_EV_CLOSED)->value == HAWSER_DONE);
  ends_free(&e);
}

/* A gateway that holds no stream at all has no room for an answer either. */
static void no_streams(void) {
  up(HAWSER_STREAM);
  e.session.stream_count = 0;
  CHECK(INJECT(1, 0x03, 0, 0, 0, 0, 0, 1, 0, 1, 'a') == HAWSER_ERR_PEER);
  ends_free(&e);
}

/* PONG with another number than was asked: no answer. */
static void wrong_pong(void) {
  uint8_t out[256];
  size_t len;
  up(HAWSER_STREAM);
  CHECK(hawser_ping(&e.session, e.now) == HAWSER_OK);
  CHECK(hawser_send(&e.session, out, sizeof out, &len, e.now) == HAWSER_OK && len > 0);
  CHECK(hawser_record_open(&e.device.session.link, out, len) == HAWSER_OK); /* read here, so that none answers */
  CHECK(INJECT(1, 0x0c, 0xde, 0xad, 0, 0) == HAWSER_OK);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_PONG, 0xffff) == 0);
  ends_free(&e);
}

/* STATUS has to come first after a full handshake. */
static void status_first(void) {
  up(HAWSER_STREAM);
  e.device.session.flags |= HAWSER_SF_STATUS_WAIT;
  CHECK(INJECT(0, 0x0b, 0, 0, 0, 1) == HAWSER_ERR_PEER);
  ends_free(&e);
}

/* Whatever room a record has: frames are whole, what did not fit stays due, and in the end all has been said. */
static void any_room(void) {
  static const char name[] = "name-of-thirty-two-characters-ab";
  for (size_t room = 0; room <= 200; room++) {
    uint8_t out[256];
    size_t said = 0, last = 1;
    up(HAWSER_STREAM);
    for (uint16_t k = 0; k < ENDS_STREAMS; k++) {
      uint16_t id;
      CHECK(hawser_open(&e.device, name, HAWSER_KIND_STREAM, &id) == HAWSER_OK);
      e.device_streams[id].owed = (hawser_owed){k + 1u, id, HAWSER_DONE};
      e.device_streams[id].flags |= k < 2 ? HAWSER_ST_STREAM_DUE : HAWSER_ST_RESET_DUE | HAWSER_ST_ACK_DUE;
    }
    e.device.session.flags |= HAWSER_SF_SYNC_DUE;
    for (int records = 0; last > 0 && records < 100; records++) {
      hawser_writer w = {out, room, 0};
      hawser_channel_write(&e.device.session, &w);
      last = room - w.left;
      said += last;
      CHECK(!w.bad && last <= room);
    }
    CHECK(last == 0);
    if (room >= 41) { /* OPEN with such a name is the longest */
      CHECK(said == ENDS_STREAMS * (8 + 41) + 2 * 25 + 2 * 8 + 1 + 2 * 9);
    }
    ends_free(&e);
  }
}

/* ---- handshakes ---- */

/* An answer that is authentic, and yet says what cannot be. */
static int answered(uint8_t status) {
  static const uint8_t n_g[16] = {1, 2, 3};
  uint8_t m1[256], message[64], framed[80];
  hawser_accept_event event;
  size_t m1_len, len = 0, framed_len, used;
  int taken, early;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &m1_len, e.now) == HAWSER_OK);
  CHECK(hawser_accept_init(&e.accept, e.transport, e.accept_buffer) == HAWSER_OK);
  CHECK(hawser_accept_receive(&e.accept, m1, m1_len, &used, &event) == HAWSER_OK);
  CHECK(hawser_accept_offer_ticket(&e.accept, &e.gateway_pairing, &e.chain, 2, &e.position, &early) == HAWSER_OK);
  CHECK(hawser_resume_write2(e.accept.ck, e.accept.h, e.transport, n_g, status, NULL, 0, message, &len) == HAWSER_OK);
  CHECK(hawser_frame_message(e.transport, message, len, framed, sizeof framed, &framed_len) == HAWSER_OK);
  used = 0;
  early = hawser_device_receive(&e.device, framed, framed_len, &used, e.now);
  ends_free(&e);
  return early;
}

static void statuses(void) {
  CHECK(answered(0) == HAWSER_OK);
  CHECK(answered(0x08) == HAWSER_ERR_AUTH);                    /* a bit that means nothing */
  CHECK(answered(HAWSER_TAKEN) == HAWSER_ERR_AUTH);            /* there was no early data */
  CHECK(answered(HAWSER_STATUS_CONTINUED) == HAWSER_ERR_AUTH); /* no session was named */
}

/* Message 1s that are authentic, with early frames that cannot be. 1: the gateway took it. */
static int early_taken(const uint8_t *pay1, size_t len) {
  uint8_t m[256], framed[300], h1[HAWSER_HASH_LEN], ticket[HAWSER_TICKET_LEN];
  hawser_step at = {&e.gateway_pairing, e.chain.id, e.chain.b, e.chain.i, e.chain.r};
  hawser_accept_event event;
  size_t framed_len, used;
  int early, err;
  memcpy(m + HAWSER_RESUME_HEAD, pay1, len);
  CHECK(hawser_ticket_of(e.chain.r, ticket) == HAWSER_OK);
  CHECK(hawser_resume_write1(&at, m, len, h1) == HAWSER_OK);
  CHECK(memcmp(m + 1, ticket, sizeof ticket) == 0);
  CHECK(hawser_frame_message(e.transport, m, HAWSER_RESUME_HEAD + len + HAWSER_TAG_LEN, framed, sizeof framed,
                             &framed_len) == HAWSER_OK);
  CHECK(hawser_accept_init(&e.accept, e.transport, e.accept_buffer) == HAWSER_OK);
  CHECK(hawser_accept_receive(&e.accept, framed, framed_len, &used, &event) == HAWSER_OK);
  err = hawser_accept_offer_ticket(&e.accept, &e.gateway_pairing, &e.chain, 2, &e.position, &early);
  CHECK(err == HAWSER_OK || err == HAWSER_ERR_AUTH);
  CHECK(err != HAWSER_OK || early == (pay1[0] == HAWSER_PAY1_EARLY));
  return err == HAWSER_OK;
}

#define NO_NAME 0, 0, 0, 0, 0, 0, 0, 0
#define OPEN_A 0x03, 0, 0, 0, 0, 0, 1, 0, 1, 'a'
#define TAKES(...) early_taken((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void early_frames(void) {
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(TAKES(0, NO_NAME));
  CHECK(TAKES(1, NO_NAME, OPEN_A));
  CHECK(TAKES(1, NO_NAME, OPEN_A, DATA('x')));
  CHECK(TAKES(1, NO_NAME, OPEN_A, EMPTY_FIN));
  CHECK(TAKES(1, NO_NAME, STREAM(0, 0, 0), FIN('x')));
  CHECK(!TAKES(0, NO_NAME, OPEN_A));                            /* without the flag */
  CHECK(!TAKES(2, NO_NAME));                                    /* another flag */
  CHECK(!TAKES(3, NO_NAME, OPEN_A));                            /* both */
  CHECK(!TAKES(1, NO_NAME));                                    /* the flag, and nothing */
  CHECK(!TAKES(1, NO_NAME, DATA('x')));                         /* of no stream */
  CHECK(!TAKES(1, NO_NAME, 0x04, 0, 0, 0));                     /* cut short */
  CHECK(!TAKES(1, NO_NAME, 0x03, 0, 0, 0, 0, 0, 1, 0, 9, 'a')); /* the same */
  CHECK(!TAKES(1, NO_NAME, OPEN_A, 0x06, 0, 1, 'x'));           /* of another stream */
  CHECK(!TAKES(1, NO_NAME, OPEN_A, 0x0a, 0, 0, 'x'));           /* a message */
  CHECK(!TAKES(1, NO_NAME, OPEN_A, 0x06, 0));                   /* cut short */
  ends_free(&e);
}

/* What is too short, or of another type, is no message 1 of a resumption. */
static void not_message1(void) {
  hawser_step at = {&e.gateway_pairing, e.chain.id, 0, 0, e.chain.r};
  uint8_t m[64] = {0x10}, pay1[64], h1[HAWSER_HASH_LEN];
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_resume_read1(&at, m, HAWSER_MESSAGE1_MIN - 1, pay1, h1) != HAWSER_OK);
  m[0] = 0x7f;
  CHECK(hawser_resume_read1(&at, m, HAWSER_MESSAGE1_MIN, pay1, h1) != HAWSER_OK);
  ends_free(&e);
}

/* Early data that does not fit stays out, and the message 1 goes without it. */
static void early_stays_out(void) {
  hawser_early early = {0, text, 5, 0, 0};
  uint8_t small[HAWSER_MESSAGE1_MIN + 20];
  uint16_t messages;
  hawser_event event;
  int taken = 1, wipe;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_open(&e.device, "a", HAWSER_KIND_STREAM, &early.stream) == HAWSER_OK);
  CHECK(hawser_open(&e.device, "b", HAWSER_KIND_MESSAGES, &messages) == HAWSER_OK);
  for (int wrong = 0; wrong < 3; wrong++) {
    hawser_early bad = early;
    bad.stream = wrong == 0 ? ENDS_STREAMS : wrong == 1 ? messages : early.stream;
    bad.len = wrong == 2 ? 600 : 5; /* longer than message 1's buffer */
    CHECK(hawser_connect(&e.device, e.transport, &bad, &taken, e.now) == HAWSER_OK && !taken);
    CHECK(e.device.message1_len == HAWSER_MESSAGE1_MIN);
    hawser_disconnected(&e.device, e.now);
    ends_boot(&e);
    CHECK(hawser_open(&e.device, "a", HAWSER_KIND_STREAM, &early.stream) == HAWSER_OK);
    CHECK(hawser_open(&e.device, "b", HAWSER_KIND_MESSAGES, &messages) == HAWSER_OK);
  }
  e.device_pairing.window_gateway = 64;
  early.len = 65; /* more than the gateway's window */
  CHECK(hawser_connect(&e.device, e.transport, &early, &taken, e.now) == HAWSER_OK && !taken);
  ends_free(&e);

  /* not even room for the name */
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_device_init(&e.device, &e.device_pairing, e.device_streams, ENDS_STREAMS, e.device_rx,
                           sizeof e.device_rx, small, sizeof small) == HAWSER_OK);
  CHECK(hawser_device_boot(&e.device, NULL, NULL, &wipe) == HAWSER_OK);
  CHECK(hawser_open(&e.device, "a-name-that-is-too-long-for-it", HAWSER_KIND_STREAM, &early.stream) == HAWSER_OK);
  early.len = 1;
  CHECK(hawser_connect(&e.device, e.transport, &early, &taken, e.now) == HAWSER_OK && !taken);
  ends_free(&e);

  /* an end that was said, and a verdict that was not read */
  five(1);
  early.stream = 0;
  ends_cut(&e);
  CHECK(hawser_connect(&e.device, e.transport, &early, &taken, e.now) == HAWSER_OK && !taken);
  ends_free(&e);
  five(0);
  e.now += HAWSER_ACK_DELAY_MS;
  CHECK(ends_pump(&e) == HAWSER_OK);
  ends_cut(&e);
  CHECK(hawser_connect(&e.device, e.transport, &early, &taken, e.now) == HAWSER_OK && taken);
  hawser_disconnected(&e.device, e.now);
  e.now += HAWSER_WARM_PATIENCE_MS; /* the device jumps: nobody knows */
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  hawser_disconnected(&e.device, e.now);
  CHECK(hawser_device_deadline(&e.device) == e.device.session.now_ms); /* the verdict waits to be read */
  e.device.message1_len = 0;
  CHECK(hawser_connect(&e.device, e.transport, &early, &taken, e.now) == HAWSER_OK && !taken);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_VERDICT);
  CHECK(event.value == HAWSER_UNKNOWN);
  ends_free(&e);
}

/* A clock that went back is no patience that ended, nor one that lasts until the clock is there again. */
static void clock_goes_back(void) {
  int taken;
  five(0);
  ends_cut(&e);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  hawser_disconnected(&e.device, e.now);
  e.now = 0;
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(e.device.i == 1); /* where it stood */
  hawser_disconnected(&e.device, e.now);
  e.now = HAWSER_WARM_PATIENCE_MS - 1;
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK && e.device.i == 1);
  hawser_disconnected(&e.device, e.now);
  e.now++;
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(e.device.i == 0 && e.device.b == 1); /* at the next block */
  ends_free(&e);
}

/* Nor is it an attempt, a wait for the peer, or an acknowledgement that lasts as long. */
static void deadlines_go_back(uint8_t transport) {
  hawser_event event;
  size_t sent;
  int taken;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, transport);
  e.now = UINT32_MAX;
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  e.now = 0;
  CHECK(hawser_device_timeout(&e.device, e.now) == HAWSER_OK);
  CHECK(hawser_device_deadline(&e.device) == HAWSER_ATTEMPT_MS);
  CHECK(hawser_device_timeout(&e.device, HAWSER_ATTEMPT_MS - 1) == HAWSER_OK);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_NONE);
  CHECK(hawser_device_timeout(&e.device, HAWSER_ATTEMPT_MS) == HAWSER_OK);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_DEAD);
  CHECK(hawser_device_timeout(&e.device, HAWSER_ATTEMPT_MS) == HAWSER_OK);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_NONE); /* said once */
  ends_free(&e);

  up(transport);
  e.now = UINT32_MAX;
  CHECK(ends_open(&e, "a", HAWSER_KIND_STREAM) == 0);
  CHECK(ends_write(&e, 1, 0, text, 5, 0, &sent) == HAWSER_OK && sent == 5);
  CHECK(e.session.ack_ms == (uint64_t)UINT32_MAX + HAWSER_ACK_DELAY_MS);
  CHECK(hawser_device_deadline(&e.device) > UINT32_MAX);
  e.now = 0;
  CHECK(hawser_timeout(&e.session, e.now) == HAWSER_OK && e.session.ack_ms == 0);
  CHECK(hawser_device_timeout(&e.device, e.now) == HAWSER_OK);
  CHECK(hawser_device_deadline(&e.device) == HAWSER_DEAD_MS / 3);
  CHECK(hawser_device_timeout(&e.device, HAWSER_DEAD_MS) == HAWSER_OK);
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_DEAD);
  ends_free(&e);
}

/* An image that waits to be stored: nothing is taken from the network, and its word comes before the next attempt. */
static void storing(uint8_t transport) {
  uint8_t m1[256], m2[256], bytes[4] = {1, 2, 3, 0};
  hawser_event event;
  size_t m1_len, m2_len, used;
  int taken;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, transport);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &m1_len, e.now) == HAWSER_OK);
  CHECK(ends_answer(&e, m1, m1_len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  CHECK(hawser_device_receive(&e.device, m2, m2_len, &used, e.now) == HAWSER_OK);
  CHECK(hawser_device_deadline(&e.device) == e.device.session.now_ms);
  CHECK(hawser_device_receive(&e.device, bytes, 0, &used, e.now) == HAWSER_OK && used == 0);
  CHECK(hawser_device_receive(&e.device, bytes, sizeof bytes, &used, e.now) ==
        (transport == HAWSER_STREAM ? HAWSER_ERR_FORMAT : HAWSER_OK));
  CHECK(hawser_device_next(&e.device, &event) == HAWSER_OK && event.type == HAWSER_EV_STORE);
  hawser_disconnected(&e.device, e.now);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_stored(&e.device, HAWSER_STORED) == HAWSER_ERR_STATE); /* too late */
  ends_free(&e);
}

/* A serial line waits on after a bad answer, for so many of them. */
static void bad_answers(void) {
  uint8_t m1[256], m2[256], copy[256], bad[256];
  size_t m1_len, m2_len, plain, bad_len, used;
  int taken, err = HAWSER_OK, count = 0;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_SERIAL);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &m1_len, e.now) == HAWSER_OK);
  CHECK(ends_answer(&e, m1, m1_len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  for (; err == HAWSER_OK && count < 300; count++) {
    memcpy(copy, m2, m2_len);
    plain = hawser_cobs_decode(copy, m2_len - 1);
    copy[plain - 1] ^= 1; /* in the tag, not in COBS, where it could make another length of it */
    CHECK(hawser_frame_message(e.transport, copy + HAWSER_HEADER_LEN, plain - HAWSER_HEADER_LEN, bad, sizeof bad,
                               &bad_len) == HAWSER_OK);
    err = hawser_device_receive(&e.device, bad, bad_len, &used, e.now);
  }
  CHECK(err == HAWSER_ERR_AUTH && count == HAWSER_BAD_ANSWERS);
  e.device.bad = 0; /* one that is too short counts as well */
  CHECK(hawser_frame_message(e.transport, (const uint8_t[]){0x11}, 1, copy, sizeof copy, &m2_len) == HAWSER_OK);
  CHECK(hawser_device_receive(&e.device, copy, m2_len, &used, e.now) == HAWSER_OK && e.device.bad == 1);
  ends_free(&e);

  /* an answer to a message 1 that has not been sent */
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  memcpy(copy, e.device.message1, e.device.message1_len);
  CHECK(hawser_frame_message(e.transport, copy, e.device.message1_len, m1, sizeof m1, &m1_len) == HAWSER_OK);
  CHECK(ends_answer(&e, m1, m1_len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  CHECK(hawser_device_receive(&e.device, m2, m2_len, &used, e.now) == HAWSER_ERR_FORMAT);
  ends_free(&e);
}

static void figures(void) {
  static const uint8_t ecdh[] = {0, 3, 3, 1, 0}; /* by mode */
  for (size_t m = 0; m < ENDS_MODES; m++) {
    hawser_handshake_info device, gateway;
    uint8_t out[64];
    size_t len;
    int taken;
    ends_init(&e, ends_modes[m][0], ends_modes[m][1], HAWSER_STREAM);
    CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
    CHECK(hawser_device_send(&e.device, out, 10, &len, e.now) == HAWSER_ERR_BUFFER && len == 0);
    hawser_disconnected(&e.device, e.now);
    CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
    hawser_device_handshake(&e.device, &device);
    hawser_accept_handshake(&e.accept, &gateway);
    CHECK(device.ecdh == ecdh[ends_modes[m][0]] && gateway.ecdh == device.ecdh);
    CHECK(device.sent == gateway.received && device.received == gateway.sent && device.kind == gateway.kind);
    ends_free(&e);
  }
}

static void serials_end(void) {
  uint16_t id;
  up(HAWSER_STREAM);
  e.device.session.serial = UINT32_MAX;
  CHECK(hawser_open(&e.device, "a", HAWSER_KIND_STREAM, &id) == HAWSER_ERR_LIMIT);
  ends_free(&e);
}

/* ---- saved state ---- */

static void too_many_to_save(void) {
  static hawser_stream many[16];
  uint8_t blob[HAWSER_SAVE_MAX];
  uint16_t id;
  size_t len;
  int wipe;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_device_init(&e.device, &e.device_pairing, many, 16, e.device_rx, sizeof e.device_rx, e.message1,
                           sizeof e.message1) == HAWSER_OK);
  CHECK(hawser_device_boot(&e.device, NULL, NULL, &wipe) == HAWSER_OK);
  for (int k = 0; k < 16; k++) {
    CHECK(hawser_open(&e.device, "a", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  }
  CHECK(hawser_save(&e.device, HAWSER_SAVE_FLASH, blob, &len) == HAWSER_ERR_LIMIT);
  CHECK_ZERO(blob, sizeof blob);
  CHECK(hawser_save(&e.device, 9, blob, &len) == HAWSER_ERR_ARG);
  ends_free(&e);
}

/* Where the fields of a retained position stand in the blob. */
enum { BLOB_CHAIN = 20, BLOB_B = 28, BLOB_I = 32, BLOB_STEP = 36 };

static int restored(const uint8_t *blob, size_t len, size_t at, size_t width, uint64_t value) {
  uint8_t copy[HAWSER_SAVE_MAX];
  hawser_writer w = {copy + at, width, 0};
  int err;
  memcpy(copy, blob, len);
  hawser_put(&w, width, value);
  CHECK(hawser_check(copy, len - 8, copy + len - 8) == HAWSER_OK);
  ends_boot(&e);
  err = hawser_restore(&e.device, copy, len);
  CHECK(hawser_device_valid(&e.device) && check_is_zero(copy, len)); /* refused or restored: it is RETAINED */
  return err;
}

static void position_of_another(void) {
  uint8_t blob[HAWSER_SAVE_MAX];
  size_t len, sent;
  int taken;
  five(0);
  e.hold = 1;
  CHECK(ends_write(&e, 0, 0, text, 3, 1, &sent) == HAWSER_OK); /* a FIN that the application has not taken yet */
  ends_cut(&e);
  CHECK(hawser_save(&e.device, HAWSER_SAVE_RETAINED, blob, &len) == HAWSER_OK);
  CHECK(restored(blob, len, BLOB_I, 4, e.device.i) == HAWSER_OK);
  CHECK(restored(blob, len, BLOB_CHAIN, 8, 0x1234) == HAWSER_ERR_FORMAT);
  CHECK(restored(blob, len, BLOB_B, 4, 7) == HAWSER_ERR_FORMAT);
  CHECK(restored(blob, len, BLOB_I, 4, e.device_pairing.max_steps + 1u) == HAWSER_ERR_FORMAT);
  ends_boot(&e);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_restore(&e.device, blob, len) == HAWSER_ERR_STATE); /* not idle */
  hawser_disconnected(&e.device, e.now);
  CHECK(hawser_restore(&e.device, blob, len) == HAWSER_ERR_STATE); /* a message 1 was made */
  ends_free(&e);
}

/* ---- predicates, and frames of a serial line ---- */

#define DEVICE_NOTICES(field, wrong) NOTICES(hawser_device_valid, hawser_device, e.device, field, wrong)

static void positions(void) {
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  ends_start_device(&e);
  CHECK(hawser_device_valid(&e.device)); /* before boot: no chain yet */
  ends_boot(&e);
  DEVICE_NOTICES(flags, 0); /* mode ticket without a chain */
  DEVICE_NOTICES(b, 5);
  DEVICE_NOTICES(block[0], 1); /* the root, and a block beside it */
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  ends_cut(&e);
  ends_boot(&e);
  DEVICE_NOTICES(i, 3); /* at flash's own position there is one step */
  DEVICE_NOTICES(block[0], (memset(copy.block, 0, sizeof copy.block), 0));
  ends_free(&e);
  ends_init(&e, HAWSER_PSK, HAWSER_SUITE_ID_25519, HAWSER_STREAM);
  CHECK(hawser_device_valid(&e.device)); /* no chain, but a way to one */
  ends_free(&e);
}

static void serial_frames(void) {
  static uint8_t longest[HAWSER_COBS_LEN(HAWSER_MESSAGE1_MAX + 2) + 300];
  uint8_t record[2048], framed[2200];
  size_t used, len;
  up(HAWSER_SERIAL);
  /* of one byte and of two, and a handshake message longer than any */
  CHECK(ends_to_gateway(&e, (uint8_t[]){2, 0x55, 0}, 3) == HAWSER_OK);
  CHECK(ends_to_gateway(&e, (uint8_t[]){1, 0}, 2) == HAWSER_OK);
  CHECK(ends_to_gateway(&e, (uint8_t[]){1, 1, 0}, 3) == HAWSER_OK);
  memset(longest, 1, sizeof longest); /* runs of one zero each */
  longest[sizeof longest - 1] = 0;
  CHECK(ends_to_gateway(&e, longest, sizeof longest) == HAWSER_OK);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_HANDSHAKE, 0xffff) == 0);
  /* a record that is longer than the device takes: it resumes */
  memset(record, 7, sizeof record);
  CHECK(hawser_record_seal(&e.session.link, record, ENDS_RECORD + 1) == HAWSER_OK);
  memcpy(framed + hawser_frame_front(HAWSER_SERIAL, sizeof framed), record, ENDS_RECORD + 1 + HAWSER_RECORD_OVERHEAD);
  len = hawser_frame_finish(HAWSER_SERIAL, framed, sizeof framed, ENDS_RECORD + 1 + HAWSER_RECORD_OVERHEAD);
  e.device.session.rx_cap = sizeof e.device_rx;
  CHECK(hawser_device_receive(&e.device, framed, len, &used, e.now) == HAWSER_OK);
  CHECK(!e.device.session.frames_len);
  ends_free(&e);
}

int main(void) {
  ends_fill(text, sizeof text, 11);
  offsets();
  beyond_window();
  fin_before_upstream();
  half_ended();
  reset_of_ended();
  resynchronisation();
  ended_unheard();
  no_streams();
  wrong_pong();
  status_first();
  any_room();
  statuses();
  early_frames();
  not_message1();
  early_stays_out();
  clock_goes_back();
  deadlines_go_back(HAWSER_STREAM);
  deadlines_go_back(HAWSER_SERIAL);
  storing(HAWSER_STREAM);
  storing(HAWSER_SERIAL);
  bad_answers();
  figures();
  serials_end();
  too_many_to_save();
  position_of_another();
  positions();
  serial_frames();
  return check_done();
}
