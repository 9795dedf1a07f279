/*
 * test_messages.c - a device without streams (HAWSER_STREAMS=0): what it says and takes on a link, against frames of SPEC 9
 * that the test itself makes as the gateway.
 */
#include "check.h"
#include "session.h"

#define CHANNELS 2

static hawser_session s;
static hawser_stream channels[CHANNELS];
static hawser_pairing pairing;
static hawser_link peer;
static uint8_t rx[HAWSER_RX_LEN(1024)], got[2048];
static uint64_t now = 1000;

/* As device.c does after a resumption. */
static void up(void) {
  uint8_t a[32], b[32];
  memset(a, 1, sizeof a);
  memset(b, 2, sizeof b);
  hawser_session_up(&s, now);
  hawser_link_up(&s.link, HAWSER_STREAM, a, b);
  hawser_link_up(&peer, HAWSER_STREAM, b, a);
  s.flags |= HAWSER_SF_FIRST_DUE;
  hawser_channel_renew(&s);
}

static void begin(void) {
  memset(&pairing, 0, sizeof pairing);
  pairing.mode = HAWSER_PSK;
  pairing.suite = HAWSER_SUITE_ID_P256;
  pairing.id_len = pairing.gateway_id_len = 8;
  pairing.record_max = 1024;
  pairing.window_device = pairing.window_gateway = 64;
  pairing.max_steps = pairing.max_blocks = 1;
  pairing.psk = 1;
  CHECK(hawser_session_start(&s, &pairing, channels, CHANNELS, rx, sizeof rx, 0) == HAWSER_OK);
}

static hawser_event next(void) {
  hawser_event event;
  CHECK(hawser_next(&s, &event) == HAWSER_OK);
  CHECK(hawser_session_valid(&s));
  return event;
}

static size_t opened(const uint8_t *record, size_t len) {
  memcpy(got, record, len);
  CHECK(hawser_record_open(&peer, got, len) == HAWSER_OK);
  memmove(got, got + HAWSER_HEADER_LEN, len - HAWSER_RECORD_OVERHEAD);
  return len - HAWSER_RECORD_OVERHEAD;
}

/* The next record of control frames, into got. SIZE_MAX: there is none. */
static size_t sent(void) {
  uint8_t out[2048];
  size_t len = 0;
  CHECK(hawser_send(&s, out, sizeof out, &len, now) == HAWSER_OK);
  return len == 0 ? SIZE_MAX : opened(out, len);
}

#define SENT(...)                                                                                                      \
  do {                                                                                                                 \
    static const uint8_t expected[] = {__VA_ARGS__};                                                                   \
    CHECK(sent() == sizeof expected);                                                                                  \
    CHECK_BYTES(got, expected, sizeof expected);                                                                       \
  } while (0)

/* A record from the gateway; the events are read by the test. */
static void take(const uint8_t *frames, size_t len) {
  static uint8_t record[512];
  size_t used;
  memcpy(record + HAWSER_HEADER_LEN, frames, len);
  CHECK(hawser_record_seal(&peer, record, len) == HAWSER_OK);
  CHECK(hawser_receive(&s, record, len + HAWSER_RECORD_OVERHEAD, &used, now) == HAWSER_OK);
  CHECK(used == len + HAWSER_RECORD_OVERHEAD);
}

#define TAKE(...)                                                                                                      \
  do {                                                                                                                 \
    static const uint8_t frames[] = {__VA_ARGS__};                                                                     \
    take(frames, sizeof frames);                                                                                       \
  } while (0)

/* Frames that change nothing that the application hears of. */
#define IGNORED(...)                                                                                                   \
  do {                                                                                                                 \
    TAKE(__VA_ARGS__);                                                                                                 \
    CHECK(next().type == HAWSER_EV_NONE);                                                                              \
  } while (0)

static void open_channel(void) {
  begin();
  hawser_channel_open(&s, &channels[0], "dns", HAWSER_KIND_MESSAGES);
  CHECK(sent() == SIZE_MAX); /* not before there is a link */
  up();
  CHECK(next().type == HAWSER_EV_LIVE && next().type == HAWSER_EV_NONE);
  SENT(0x03, 0, 0, 0, 0, 0, 2, 1, 3, 'd', 'n', 's');
  CHECK(sent() == SIZE_MAX);
  TAKE(0x08, 0, 0, 0, 0, 0, 0, 0, 0);
  CHECK(next().type == HAWSER_EV_OPENED && next().type == HAWSER_EV_NONE);
  TAKE(0x08, 0, 0, 0, 0, 0, 0, 0, 0); /* once */
  CHECK(next().type == HAWSER_EV_NONE);
}

static void messages(void) {
  uint8_t out[512];
  size_t len;
  hawser_event event;
  open_channel();
  CHECK(hawser_message(&s, 0, (const uint8_t *)"hello", 5, out, sizeof out, &len, now) == HAWSER_OK);
  CHECK(opened(out, len) == 8 && memcmp(got, "\x0a\0\0hello", 8) == 0);
  TAKE(0x0a, 0, 0, 'w', 'o', 'r', 'l', 'd');
  event = next();
  CHECK(event.type == HAWSER_EV_MESSAGE && event.stream == 0 && event.len == 5);
  CHECK_BYTES(event.data, "world", 5);
  CHECK(next().type == HAWSER_EV_NONE);
  TAKE(0x0b, 0, 0, 0, 9, 0x0a, 0, 0); /* a PING, then an empty message */
  event = next();
  CHECK(event.type == HAWSER_EV_MESSAGE && event.len == 0 && next().type == HAWSER_EV_NONE);
  SENT(0x0c, 0, 0, 0, 9);
  CHECK(hawser_message(&s, 1, (const uint8_t *)"x", 1, out, sizeof out, &len, now) == HAWSER_ERR_CLOSED);
  CHECK(hawser_message(&s, 0, out, 16381, out, sizeof out, &len, now) == HAWSER_ERR_LIMIT);
}

/* Each link is a new session: channels open again, under a higher serial. */
static void links(void) {
  uint8_t out[64];
  size_t len;
  open_channel();
  hawser_link_down(&s);
  CHECK(next().type == HAWSER_EV_NONE);
  CHECK(hawser_message(&s, 0, out, 1, out, sizeof out, &len, now) == HAWSER_OK && len == 0);
  up();
  CHECK(next().type == HAWSER_EV_LIVE);
  CHECK_ZERO(s.name, sizeof s.name);
  SENT(0x03, 0, 0, 0, 0, 0, 3, 1, 3, 'd', 'n', 's');
  TAKE(0x08, 0, 0, 0, 0, 0, 0, 0, 0);
  CHECK(next().type == HAWSER_EV_OPENED);
}

static void resets(void) {
  hawser_event event;
  open_channel();
  CHECK(hawser_reset(&s, 0, HAWSER_CANCELLED) == HAWSER_OK && hawser_reset(&s, 0, 0) == HAWSER_ERR_CLOSED);
  SENT(0x09, 0, 0, 0, 0, 0, 2, 7);
  CHECK(next().type == HAWSER_EV_NONE); /* the id is not free yet */
  IGNORED(0x0a, 0, 0, 'x');             /* was on its way */
  IGNORED(0x09, 0, 0, 0, 0, 0, 1, 0);   /* of an older serial */
  CHECK(next().type == HAWSER_EV_NONE);
  TAKE(0x09, 0, 0, 0, 0, 0, 2, 0);
  event = next();
  CHECK(event.type == HAWSER_EV_CLOSED && event.value == HAWSER_CANCELLED && sent() == SIZE_MAX);

  open_channel(); /* by the gateway: answered, and the id may be used at once */
  TAKE(0x09, 0, 0, 0, 0, 0, 2, 1);
  event = next();
  CHECK(event.type == HAWSER_EV_CLOSED && event.value == HAWSER_NOT_ALLOWED);
  hawser_channel_open(&s, &channels[0], "ntp", HAWSER_KIND_MESSAGES);
  SENT(0x09, 0, 0, 0, 0, 0, 2, 0, 0x03, 0, 0, 0, 0, 0, 3, 1, 3, 'n', 't', 'p');

  open_channel(); /* the link ends before the answer */
  CHECK(hawser_reset(&s, 0, HAWSER_CANCELLED) == HAWSER_OK);
  hawser_link_down(&s);
  CHECK(next().type == HAWSER_EV_CLOSED && channels[0].flags == 0);
}

static void closing(void) {
  hawser_event event;
  open_channel();
  TAKE(0x0d, 9);
  event = next();
  CHECK(event.type == HAWSER_EV_CLOSED && event.value == HAWSER_GOING_AWAY);
  CHECK(next().type == HAWSER_EV_CLOSE && next().type == HAWSER_EV_NONE);
  open_channel();
  CHECK(hawser_close(&s, HAWSER_DONE) == HAWSER_OK);
  SENT(0x0d, 0);
}

static void ignored(void) {
  open_channel();
  IGNORED(0x0a, 0, 1, 'x'); /* no such channel is open */
  IGNORED(0x06, 0, 9, 'x'); /* and none has this id */
  IGNORED(0x08, 0, 1, 0, 0, 0, 0, 0, 7, 0x09, 0, 1, 0, 0, 0, 1, 4);
  CHECK(next().type == HAWSER_EV_NONE && sent() == SIZE_MAX);
}

#define VIOLATES(...)                                                                                                  \
  do {                                                                                                                 \
    hawser_event event;                                                                                                \
    open_channel();                                                                                                    \
    TAKE(__VA_ARGS__);                                                                                                 \
    CHECK(hawser_next(&s, &event) == HAWSER_ERR_PEER && !hawser_is_live(&s));                                          \
    event = next();                                                                                                    \
    CHECK(event.type == HAWSER_EV_CLOSED && event.value == HAWSER_VIOLATION);                                          \
  } while (0)

static void violations(void) {
  VIOLATES(0x06, 0, 0, 'x');                   /* DATA on a channel of messages */
  VIOLATES(0x07, 0, 0);                        /* FIN */
  VIOLATES(0x08, 0, 0, 0, 0, 0, 0, 0, 1);      /* acknowledges what was not sent */
  VIOLATES(0x03, 0, 1, 0, 0, 0, 1, 1, 1, 'x'); /* OPEN */
  VIOLATES(0x05);                              /* SYNCED on a new link */
  VIOLATES(0x02, 0);                           /* STATUS out of place */
  VIOLATES(0x09, 0, 0, 0, 0, 0, 0, 0);         /* serial 0 */
  VIOLATES(0x08, 0, 0, 0);                     /* cut short */
  VIOLATES(0x0e);
}

int main(void) {
  messages();
  links();
  resets();
  closing();
  ignored();
  violations();
  return check_done();
}
