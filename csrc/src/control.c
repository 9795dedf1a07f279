/*
 * control.c - the frames of SPEC 9 that are the session's own: STATE, STATUS, PING, PONG, CLOSE.
 */
#include <string.h>

#include "channel.h"

void hawser_control_write(hawser_session *s, hawser_writer *w) {
  if ((s->flags & HAWSER_SF_STATE_DUE) != 0) {
    /* SPEC 6: 0^8 where nothing is to be continued, and then the session has its new name already */
    static const uint8_t none[HAWSER_NAME_LEN];
    hawser_put(w, 1, HAWSER_FRAME_STATE);
    hawser_put_bytes(w, (s->flags & HAWSER_SF_HOLD) != 0 ? s->name : none, HAWSER_NAME_LEN);
  }
  if ((s->flags & HAWSER_SF_STATUS_DUE) != 0) {
    hawser_put(w, 1, HAWSER_FRAME_STATUS);
    hawser_put(w, 1, (s->flags & HAWSER_SF_CONTINUED) != 0);
  }
  if ((s->flags & HAWSER_SF_PONG_DUE) != 0) {
    hawser_put(w, 1, HAWSER_FRAME_PONG);
    hawser_put(w, 4, s->pong);
  }
  if ((s->flags & HAWSER_SF_PING_DUE) != 0) {
    hawser_put(w, 1, HAWSER_FRAME_PING);
    s->ping += (s->flags & HAWSER_SF_PING_OUT) == 0; /* the same until it is answered */
    hawser_put(w, 4, s->ping);
    s->flags |= HAWSER_SF_PING_OUT;
    s->ping_ms = s->now_ms;
  }
  if ((s->flags & HAWSER_SF_CLOSE_DUE) != 0) {
    hawser_put(w, 1, HAWSER_FRAME_CLOSE);
    hawser_put(w, 1, s->code);
  }
  s->flags &= ~(uint32_t)(HAWSER_SF_STATE_DUE | HAWSER_SF_STATUS_DUE | HAWSER_SF_PONG_DUE | HAWSER_SF_PING_DUE |
                          HAWSER_SF_CLOSE_DUE);
}

static int on_status(hawser_session *s, hawser_reader *r) {
  uint64_t status = hawser_get(r, 1);
  int named = (s->flags & HAWSER_SF_HOLD) != 0;
  if (r->bad || (s->flags & HAWSER_SF_STATUS_WAIT) == 0 || status > 1 || (status == 1 && !named)) {
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
static int on_ping(hawser_session *s, hawser_reader *r) {
  uint32_t value = (uint32_t)hawser_get(r, 4);
  if (r->bad) {
    return HAWSER_ERR_PEER;
  }
  if (!hawser_is_gateway(s) && hawser_is_serial(s->link.transport) && value == s->pong) {
    s->flags |= HAWSER_SF_EV_DEAD | HAWSER_SF_DEAD;
  }
  s->pong = value;
  s->flags |= HAWSER_SF_PONG_DUE;
  return HAWSER_OK;
}

static int on_pong(hawser_session *s, hawser_reader *r) {
  uint32_t value = (uint32_t)hawser_get(r, 4);
  if (r->bad) {
    return HAWSER_ERR_PEER;
  }
  if ((s->flags & HAWSER_SF_PING_OUT) != 0 && value == s->ping) {
    s->flags &= ~(uint32_t)HAWSER_SF_PING_OUT;
    if ((s->flags & HAWSER_SF_PING_APP) != 0) {
      s->flags = (s->flags | HAWSER_SF_EV_PONG) & ~(uint32_t)HAWSER_SF_PING_APP;
    }
  }
  return HAWSER_OK;
}

static int on_close(hawser_session *s, hawser_reader *r) {
  uint8_t code = (uint8_t)hawser_get(r, 1);
  if (r->bad) {
    return HAWSER_ERR_PEER;
  }
  hawser_channel_end(s, code);
  memset(s->name, 0, sizeof s->name);
  s->code = code;
  s->flags |= HAWSER_SF_EV_CLOSE | HAWSER_SF_CLOSED;
  r->left = 0; /* nothing counts after it */
  return HAWSER_OK;
}

int hawser_control_frame(hawser_session *s, uint8_t code, hawser_reader *r) {
  switch (code) {
  case HAWSER_FRAME_STATUS:
    return on_status(s, r);
  case HAWSER_FRAME_PING:
    return on_ping(s, r);
  case HAWSER_FRAME_PONG:
    return on_pong(s, r);
  case HAWSER_FRAME_CLOSE:
    return on_close(s, r);
  default:
    return HAWSER_ERR_PEER;
  }
}
