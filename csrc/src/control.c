/*
 * control.c - the frames of SPEC 9 that are the session's own: STATE, STATUS, PING, PONG, CLOSE.
 */
#include <string.h>

#include "channel.h"

/* A frame of one number. HAWSER_RECORD_MIN has room for all of these. */
static void say(hawser_writer *w, uint8_t code, uint32_t number) {
  hawser_fields f = {0};
  f.code = code;
  f.number = number;
  f.byte = number; /* the code says which of them */
  (void)hawser_fields_write(w, &f);
}

void hawser_control_write(hawser_session *s, hawser_writer *w) {
  if ((s->flags & HAWSER_SF_STATE_DUE) != 0) {
    /* SPEC 6: 0^8 where nothing is to be continued, and then the session has its new name already */
    static const uint8_t none[HAWSER_NAME_LEN];
    hawser_put(w, 1, HAWSER_FRAME_STATE);
    hawser_put_bytes(w, (s->flags & HAWSER_SF_HOLD) != 0 ? s->name : none, HAWSER_NAME_LEN);
  }
  if (hawser_is_gateway(s) && (s->flags & HAWSER_SF_STATUS_DUE) != 0) {
    say(w, HAWSER_FRAME_STATUS, (s->flags & HAWSER_SF_CONTINUED) != 0);
  }
  if ((s->flags & HAWSER_SF_PONG_DUE) != 0) {
    say(w, HAWSER_FRAME_PONG, s->pong);
  }
  if ((s->flags & HAWSER_SF_PING_DUE) != 0) {
    s->ping += (s->flags & HAWSER_SF_PING_OUT) == 0; /* the same until it is answered */
    say(w, HAWSER_FRAME_PING, s->ping);
    s->flags |= HAWSER_SF_PING_OUT;
    s->ping_ms = s->now_ms;
  }
  if ((s->flags & HAWSER_SF_CLOSE_DUE) != 0) {
    say(w, HAWSER_FRAME_CLOSE, s->code);
  }
  s->flags &= ~(uint32_t)(HAWSER_SF_STATE_DUE | HAWSER_SF_STATUS_DUE | HAWSER_SF_PONG_DUE | HAWSER_SF_PING_DUE |
                          HAWSER_SF_CLOSE_DUE);
}

static int on_status(hawser_session *s, uint64_t status) {
  int named = (s->flags & HAWSER_SF_HOLD) != 0;
  if ((s->flags & HAWSER_SF_STATUS_WAIT) == 0 || status > 1 || (status == 1 && !named)) {
    return HAWSER_ERR_PEER;
  }
  s->flags &= ~(uint32_t)(HAWSER_SF_STATUS_WAIT | HAWSER_SF_HOLD);
  if (!named) {
    return HAWSER_OK; /* there was nothing to continue: the session is live as a new one already */
  }
  if (HAWSER_STREAMS && status == 1) {
    hawser_channel_continue(s);
  } else {
    hawser_channel_renew(s);
  }
  return HAWSER_OK;
}

/* SPEC 9, liveness: at a serial line a PING that this device has answered says that the answer was lost, so that the
 * gateway can read nothing any more. */
static void on_ping(hawser_session *s, uint32_t number) {
  if (!hawser_is_gateway(s) && hawser_is_serial(s->link.transport) && number == s->pong) {
    s->flags |= HAWSER_SF_EV_DEAD | HAWSER_SF_DEAD;
  }
  s->pong = number;
  s->flags |= HAWSER_SF_PONG_DUE;
}

static void on_pong(hawser_session *s, uint32_t number) {
  if ((s->flags & HAWSER_SF_PING_OUT) == 0 || number != s->ping) {
    return;
  }
  if ((s->flags & HAWSER_SF_PING_APP) != 0) {
    s->flags |= HAWSER_SF_EV_PONG;
  }
  s->flags &= ~(uint32_t)(HAWSER_SF_PING_OUT | HAWSER_SF_PING_APP);
}

void hawser_control_end(hawser_session *s, uint8_t code) {
  hawser_channel_end(s, code);
  memset(s->name, 0, sizeof s->name);
  s->flags |= HAWSER_SF_CLOSED;
}

static void on_close(hawser_session *s, uint8_t code) {
  hawser_control_end(s, code);
  s->code = code;
  s->flags |= HAWSER_SF_EV_CLOSE;
  s->frames_len = 0; /* nothing counts after it */
}

static int control_frame(hawser_session *s, const hawser_fields *f, hawser_event *event) {
  switch (f->code) {
  case HAWSER_FRAME_STATUS:
    return on_status(s, f->byte);
  case HAWSER_FRAME_PING:
    on_ping(s, (uint32_t)f->number);
    return HAWSER_OK;
  case HAWSER_FRAME_PONG:
    on_pong(s, (uint32_t)f->number);
    return HAWSER_OK;
  case HAWSER_FRAME_CLOSE:
    on_close(s, (uint8_t)f->byte);
    return HAWSER_OK;
  default:
    return hawser_channel_take(s, f, event);
  }
}

int hawser_control_frame(hawser_session *s, hawser_event *event) {
  hawser_reader r = {s->frames, s->frames_len, 0};
  hawser_fields f;
  int err = hawser_fields_read(&r, &f);
  if (err != HAWSER_OK || ((s->flags & HAWSER_SF_STATUS_WAIT) != 0 && f.code != HAWSER_FRAME_STATUS)) {
    return HAWSER_ERR_PEER; /* SPEC 9: STATUS comes first */
  }
#if HAWSER_GATEWAY
  if (hawser_channel_replaces(s, &f)) {
    return HAWSER_OK; /* the frame stays where it is until that was told */
  }
#endif
  s->frames = r.at;
  s->frames_len = r.left;
  return control_frame(s, &f, event);
}
