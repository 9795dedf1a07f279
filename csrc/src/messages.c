/*
 * messages.c - what channel.c does, for a device without streams (HAWSER_STREAMS=0): it carries MSG frames alone. Such a
 * device names no session, so that each of its links is a new one, in which every channel is opened again under a new
 * serial: nothing is resynchronised, acknowledged or repeated.
 */
#include "channel.h"

#if !HAWSER_STREAMS

#include <string.h>

static hawser_stream *stream_at(const hawser_session *s, uint64_t id) {
  return id < s->stream_count ? &s->streams[id] : NULL;
}

static int is_used(const hawser_stream *st) {
  return (st->flags & HAWSER_ST_USED) != 0;
}

static int is_open(const hawser_stream *st) {
  return st != NULL && (st->flags & HAWSER_ST_OPEN) == HAWSER_ST_USED;
}

static void raise_event(hawser_session *s, hawser_stream *st, uint32_t event) {
  st->flags |= event;
  s->flags |= HAWSER_SF_EVENTS;
}

static void close_stream(hawser_session *s, hawser_stream *st, uint8_t code) {
  st->flags &= ~(uint32_t)HAWSER_ST_DUE;
  st->code = code;
  raise_event(s, st, HAWSER_ST_EV_CLOSED);
}

int hawser_channel_speaks(const hawser_session *s) {
  return s->link.live && (s->flags & HAWSER_SF_CLOSED) == 0;
}

int hawser_channel_ready(const hawser_session *s) {
  return hawser_channel_speaks(s) && (s->flags & HAWSER_SF_STATE_DUE) == 0;
}

/* ---- sending ---- */

/* One frame at most; 0: there is no room for it. */
static int write_one(hawser_stream *st, uint16_t id, hawser_writer *w) {
  int owed = st->owed.serial != 0;
  int opens = !owed && (st->flags & HAWSER_ST_OPEN_DUE) != 0;
  hawser_fields f;
  f.code = opens ? HAWSER_FRAME_OPEN : HAWSER_FRAME_RESET;
  f.id = id;
  f.number = owed ? st->owed.serial : st->serial;
  f.byte = opens ? st->kind : owed ? st->owed.code : st->code;
  f.bytes = (const uint8_t *)st->name;
  f.len = opens ? strlen(st->name) : 0;
  if (!hawser_fields_write(w, &f)) {
    return 0;
  }
  st->owed.serial = 0;
  if (opens) {
    st->flags = (st->flags | HAWSER_ST_SENT) & ~(uint32_t)HAWSER_ST_OPEN_DUE;
  } else if (!owed) {
    st->flags &= ~(uint32_t)HAWSER_ST_RESET_DUE;
  }
  return 1;
}

static int is_due(const hawser_stream *st) {
  return st->owed.serial != 0 || (st->flags & (HAWSER_ST_OPEN_DUE | HAWSER_ST_RESET_DUE)) != 0;
}

void hawser_channel_write(hawser_session *s, hawser_writer *w) {
  hawser_control_write(s, w);
  for (uint16_t id = 0; hawser_channel_speaks(s) && id < s->stream_count; id++) {
    while (is_due(&s->streams[id])) {
      if (!write_one(&s->streams[id], id, w)) {
        return;
      }
    }
  }
}

int hawser_channel_due(const hawser_session *s, uint64_t now_ms) {
  int due = 0;
  (void)now_ms; /* nothing is acknowledged */
  for (uint16_t id = 0; id < s->stream_count; id++) {
    due |= is_due(&s->streams[id]);
  }
  return due;
}

void hawser_channel_reset(hawser_session *s, hawser_stream *st, uint8_t code) {
  if (!s->link.live || (st->flags & HAWSER_ST_SENT) == 0) {
    close_stream(s, st, code);
    return;
  }
  st->code = code;
  st->flags |= HAWSER_ST_RESET | HAWSER_ST_RESET_DUE; /* the id is free once that was answered */
}

int hawser_channel_waits(const hawser_session *s) {
  int waits = 0;
  for (uint16_t id = 0; id < s->stream_count; id++) {
    waits |= is_used(&s->streams[id]) && (s->streams[id].flags & HAWSER_ST_RESET) != 0;
  }
  return waits;
}

/* ---- receiving ---- */

/* The gateway's word that the upstream is there. */
static int on_ack(hawser_session *s, hawser_stream *st, const hawser_fields *f) {
  if (f->ack != 0) {
    return HAWSER_ERR_PEER;
  }
  if ((st->flags & HAWSER_ST_OPENED) == 0) {
    raise_event(s, st, HAWSER_ST_OPENED | HAWSER_ST_EV_OPENED);
  }
  return HAWSER_OK;
}

/* The receiver of a RESET that has not sent one for this serial sends one back (code 0). */
static void on_reset(hawser_session *s, hawser_stream *st, const hawser_fields *f) {
  if (st == NULL || !is_used(st) || f->number != st->serial || (st->flags & HAWSER_ST_EV_CLOSED) != 0) {
    return;
  }
  if ((st->flags & HAWSER_ST_RESET) != 0) {
    close_stream(s, st, st->code); /* the answer to this end's own */
    return;
  }
  st->owed = (hawser_owed){(uint32_t)f->number, (uint16_t)f->id, HAWSER_DONE};
  close_stream(s, st, (uint8_t)f->byte);
}

static void on_message(const hawser_fields *f, hawser_event *event) {
  event->type = HAWSER_EV_MESSAGE;
  event->stream = (uint16_t)f->id;
  event->data = f->bytes;
  event->len = f->len;
}

int hawser_channel_take(hawser_session *s, const hawser_fields *f, hawser_event *event) {
  hawser_stream *st = stream_at(s, f->id);
  switch (f->code) {
  case HAWSER_FRAME_RESET:
    on_reset(s, st, f);
    return HAWSER_OK;
  case HAWSER_FRAME_ACK:
    return is_open(st) ? on_ack(s, st, f) : HAWSER_OK;
  case HAWSER_FRAME_MSG:
    if (is_open(st)) {
      on_message(f, event);
    }
    return HAWSER_OK;
  case HAWSER_FRAME_DATA:
  case HAWSER_FRAME_FIN:
    return is_open(st) ? HAWSER_ERR_PEER : HAWSER_OK; /* for streams alone */
  default:
    return HAWSER_ERR_PEER;
  }
}

/* ---- events ---- */

static int stream_event(hawser_stream *st, hawser_event *event) {
  if ((st->flags & HAWSER_ST_EV_OPENED) != 0) {
    st->flags &= ~(uint32_t)HAWSER_ST_EV_OPENED;
    event->type = HAWSER_EV_OPENED;
  } else if ((st->flags & HAWSER_ST_EV_CLOSED) != 0) {
    event->type = HAWSER_EV_CLOSED;
    event->value = st->code;
    st->flags = 0;
    st->name = NULL;
  }
  return event->type != HAWSER_EV_NONE;
}

void hawser_channel_event(hawser_session *s, hawser_event *event) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    if (stream_event(&s->streams[id], event)) {
      event->stream = id;
      return;
    }
  }
  s->flags &= ~(uint32_t)HAWSER_SF_EVENTS;
}

/* ---- channels, and links that come and go ---- */

void hawser_channel_open(hawser_session *s, hawser_stream *st, const char *name, uint8_t kind) {
  st->name = name;
  st->kind = kind;
  st->serial = ++s->serial;
  st->flags = HAWSER_ST_USED | HAWSER_ST_OPEN_DUE;
}

void hawser_channel_renew(hawser_session *s) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    hawser_stream *st = &s->streams[id];
    if (is_open(st)) {
      hawser_channel_open(s, st, st->name, st->kind);
    }
  }
  s->flags |= HAWSER_SF_EV_LIVE;
}

void hawser_channel_down(hawser_session *s) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    hawser_stream *st = &s->streams[id];
    st->owed.serial = 0;
    st->flags &= ~(uint32_t)HAWSER_ST_DUE;
    if (is_used(st) && (st->flags & HAWSER_ST_RESET) != 0) {
      close_stream(s, st, st->code); /* the gateway forgets it with its session */
    }
  }
}

void hawser_channel_end(hawser_session *s, uint8_t code) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    s->streams[id].owed.serial = 0;
    if (is_used(&s->streams[id]) && (s->streams[id].flags & HAWSER_ST_EV_CLOSED) == 0) {
      close_stream(s, &s->streams[id], code);
    }
  }
}

#endif
