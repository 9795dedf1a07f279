/*
 * fuzz_frames.c - the plaintext of authenticated records, straight into a session of either end: new, continued, or waiting
 * for SYNCED or STATUS, with streams of both kinds. What comes out stays within its window, and state within its bounds.
 */
#include "channel.h"
#include "rig.h"
#include "rig_keys.h"
#include "session.h"

enum flag { GATEWAY = 1, CONTINUED = 2, OPENED = 4, HOLD = 8, FULL = 16, SERIAL = 32, RESETS = 64 };

static hawser_session *s;
static uint64_t got[RIG_STREAMS]; /* where DATA must go on, per id */

static void on_data(const hawser_event *event, const uint8_t *frames, size_t len, int hold) {
  FUZZ_ASSERT(event->stream < RIG_STREAMS && event->len > 0);
  FUZZ_ASSERT(event->data >= frames && event->data + event->len <= frames + len);
  FUZZ_ASSERT(event->offset == got[event->stream]);
  got[event->stream] += event->len;
  if (!hold) {
    FUZZ_ASSERT(hawser_consume(s, event->stream, event->len) == HAWSER_OK);
  }
}

static int events(const uint8_t *frames, size_t len, uint8_t flags) {
  hawser_event event;
  int err = hawser_next(s, &event);
  for (size_t n = 0; err == HAWSER_OK && event.type != HAWSER_EV_NONE; n++) {
    FUZZ_ASSERT(n <= len + 64); /* events without end */
    if (event.type == HAWSER_EV_DATA) {
      on_data(&event, frames, len, (flags & HOLD) != 0);
    } else if (event.type == HAWSER_EV_OPEN) {
      FUZZ_ASSERT(event.len >= 1 && event.len <= HAWSER_UPSTREAM_MAX);
      got[event.stream] = 0;
      FUZZ_ASSERT(flags & HOLD || hawser_consume(s, event.stream, 0) == HAWSER_OK);
    } else if (event.type == HAWSER_EV_CLOSED && (flags & RESETS) != 0) {
      FUZZ_ASSERT(hawser_consume(s, event.stream, 0) == HAWSER_ERR_CLOSED);
    }
    err = hawser_next(s, &event);
  }
  return err;
}

/* As the end under test sends and writes while it listens. */
static int say(void) {
  static const uint8_t bytes[100] = {1, 2, 3};
  uint8_t out[RIG_OUT];
  size_t out_len = 1, taken = 0;
  int fin_taken = 0;
  int err = HAWSER_OK;
  for (int n = 0; err == HAWSER_OK && out_len > 0; n++) {
    FUZZ_ASSERT(n < 20);
    err = hawser_send(s, out, sizeof out, &out_len, r.now);
    FUZZ_ASSERT(out_len <= sizeof out);
  }
  for (uint16_t id = 0; err == HAWSER_OK && id < RIG_STREAMS; id++) {
    uint32_t window = hawser_window(s, id);
    FUZZ_ASSERT(window <= 2 * RIG_WINDOW);
    err = hawser_write(s, id, bytes, sizeof bytes, r.now % 2, out, sizeof out, &out_len, &taken, &fin_taken, r.now);
    if (err == HAWSER_ERR_CLOSED || err == HAWSER_ERR_ARG) {
      err = HAWSER_OK;
      continue;
    }
    FUZZ_ASSERT(taken <= window && taken <= sizeof bytes && (!fin_taken || taken == sizeof bytes || window == 0));
  }
  return err;
}

static void prepare(uint8_t which, uint8_t flags) {
  uint16_t id = 0;
  memset(got, 0, sizeof got);
  rig_init(which, flags & SERIAL ? HAWSER_SERIAL : HAWSER_STREAM);
  rig_session();
  if (flags & OPENED) {
    FUZZ_ASSERT(hawser_open(&r.device, "mqtt", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
    FUZZ_ASSERT(hawser_open(&r.device, "coap", HAWSER_KIND_MESSAGES, &id) == HAWSER_OK);
  }
  rig_connect(0);
  s = flags & GATEWAY ? &r.session : &r.device.session;
  if (flags & CONTINUED) { /* as a link begins that continues the session: SYNCED is awaited */
    hawser_link saved = s->link;
    hawser_link_down(s);
    s->link = saved;
    hawser_session_up(s, r.now);
    hawser_channel_continue(s);
    s->flags |= HAWSER_SF_FIRST_DUE;
  }
  if ((flags & FULL) != 0 && (flags & GATEWAY) == 0) {
    s->flags |= HAWSER_SF_STATUS_WAIT | ((flags & CONTINUED) != 0 ? (uint32_t)HAWSER_SF_HOLD : 0u);
  }
}

void fuzz_frames(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  uint8_t which = fuzz_byte(&in);
  uint8_t flags = fuzz_byte(&in);
  int err;
  prepare(which, flags);
  err = events(NULL, 0, flags);
  while (err == HAWSER_OK && in.left > 0 && s->link.live) {
    size_t len;
    uint8_t act = fuzz_byte(&in);
    uint8_t *frames = fuzz_take(&in, act % 128, &len);
    s->frames = frames;
    s->frames_len = len;
    s->quiet_ms = r.now;
    err = events(frames, len, flags);
    rig_check_session(s);
    if (err == HAWSER_OK && act >= 128) {
      err = say();
      FUZZ_ASSERT(err == HAWSER_OK);
      FUZZ_ASSERT(hawser_timeout(s, r.now) == HAWSER_OK);
      err = events(NULL, 0, flags);
      FUZZ_ASSERT(err == HAWSER_OK);
      r.now += act - 127u;
    }
    free(frames);
  }
  if (err != HAWSER_OK) { /* SPEC 10: the link is gone and the session with it; its streams say so */
    FUZZ_ASSERT(err == HAWSER_ERR_PEER && !s->link.live && (s->flags & HAWSER_SF_CLOSED) != 0);
    FUZZ_ASSERT(events(NULL, 0, flags | HOLD) == HAWSER_OK);
    for (uint16_t id = 0; id < RIG_STREAMS; id++) {
      FUZZ_ASSERT((s->streams[id].flags & HAWSER_ST_USED) == 0);
    }
  }
  rig_check_session(s);
}
