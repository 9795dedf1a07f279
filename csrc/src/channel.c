/*
 * channel.c - see channel.h. Offsets are absolute, so bytes that come twice are known, and a gap is seen.
 */
#include "channel.h"

#if HAWSER_STREAMS

#include <string.h>

static hawser_stream *stream_at(const hawser_session *s, uint64_t id) {
  return id < s->stream_count ? &s->streams[id] : NULL;
}

static int is_used(const hawser_stream *st) {
  return (st->flags & HAWSER_ST_USED) != 0;
}

static void raise_event(hawser_session *s, hawser_stream *st, uint32_t event) {
  st->flags |= event;
  s->flags |= HAWSER_SF_EVENTS;
}

/* The stream ends with code; hawser_channel_event() frees it once the application has been told. */
static void close_stream(hawser_session *s, hawser_stream *st, uint8_t code) {
  if ((st->flags & HAWSER_ST_EV_CLOSED) == 0) {
    st->code = code;
    raise_event(s, st, HAWSER_ST_EV_CLOSED);
  }
}

/* Takes part in the exchange of frames: used, and neither reset nor about to be reported closed. NULL (an id beyond the
 * array) is not open. */
static int is_open(const hawser_stream *st) {
  return st != NULL && (st->flags & HAWSER_ST_OPEN) == HAWSER_ST_USED;
}

/* SPEC 9, closing: a direction has ended when its FIN is acknowledged. */
static void check_ended(hawser_session *s, hawser_stream *st) {
  if (is_open(st) && st->tx_end != 0 && st->tx_acked == st->tx_end && st->rx_end != 0 && st->rx_sent == st->rx_end) {
    close_stream(s, st, HAWSER_DONE);
  }
}

/* A RESET is owed for the serial of a frame that no stream has (any more). HAWSER_ERR_PEER: more than the array can note, which a
 * peer that waits for answers never asks for. */
static int owe_reset(hawser_session *s, const hawser_fields *f, uint8_t code) {
  hawser_stream *st = stream_at(s, f->id);
  for (uint16_t i = 0; (st == NULL || st->owed.serial != 0) && i < s->stream_count; i++) {
    st = &s->streams[i];
  }
  if (st == NULL || st->owed.serial != 0) {
    return HAWSER_ERR_PEER;
  }
  st->owed = (hawser_owed){(uint32_t)f->number, (uint16_t)f->id, code};
  return HAWSER_OK;
}

static void ack_by(hawser_session *s, hawser_stream *st, uint64_t ms) {
  st->flags |= HAWSER_ST_ACK_DUE;
  if (ms < s->ack_ms) {
    s->ack_ms = ms;
  }
}

void hawser_channel_accepted(hawser_session *s, hawser_stream *st) {
  uint32_t window = hawser_is_gateway(s) ? s->pairing->window_gateway : s->pairing->window_device;
  int first = hawser_is_gateway(s) && (st->flags & (HAWSER_ST_TOLD | HAWSER_ST_OPENED)) == HAWSER_ST_OPENED;
  int connected = !hawser_is_gateway(s) || (st->flags & HAWSER_ST_OPENED) != 0;
  if (st->rx_end != 0 && st->rx_acked == st->rx_end - 1 && connected) {
    st->rx_acked = st->rx_end; /* SPEC 9: FIN is acknowledged by itself, at once */
  }
  /* at once too: the word that the upstream is connected, and before the peer's window runs dry */
  if (first || (st->rx_end != 0 && st->rx_acked == st->rx_end) || st->rx_acked - st->rx_sent >= window / 4) {
    ack_by(s, st, s->now_ms);
  } else if (st->rx_acked != st->rx_sent) {
    ack_by(s, st, s->now_ms + HAWSER_ACK_DELAY_MS);
  }
}

/* ---- sending ---- */

uint32_t hawser_channel_window(const hawser_session *s, const hawser_stream *st) {
  uint32_t window = hawser_is_gateway(s) ? s->pairing->window_device : s->pairing->window_gateway;
  uint64_t flight = st->tx - st->tx_acked;
  uint64_t left = HAWSER_OFFSET_MAX - 1 - st->tx;
  uint64_t open = flight < window ? window - flight : 0;
  return (uint32_t)(open < left ? open : left);
}

int hawser_channel_speaks(const hawser_session *s) {
  /* SPEC 9: the gateway sends no stream frame until it has the device's SYNCED */
  return s->link.live && (s->flags & (HAWSER_SF_HOLD | HAWSER_SF_CLOSED)) == 0 &&
         !(hawser_is_gateway(s) && (s->flags & HAWSER_SF_SYNC_WAIT) != 0);
}

int hawser_channel_ready(const hawser_session *s) {
  const uint32_t first = HAWSER_SF_STATE_DUE | HAWSER_SF_STATUS_DUE | HAWSER_SF_SYNC_DUE;
  return hawser_channel_speaks(s) && (s->flags & first) == 0;
}

static uint16_t id_of(const hawser_session *s, const hawser_stream *st) {
  return (uint16_t)(st - s->streams);
}

/* A frame about a stream: what its code does not have is not written. */
static hawser_fields about(const hawser_session *s, const hawser_stream *st, uint8_t code) {
  hawser_fields f;
  f.code = code;
  f.id = id_of(s, st);
  f.number = st->serial;
  f.byte = code == HAWSER_FRAME_RESET ? st->code : st->kind;
  f.tx = st->tx;
  f.rx = st->rx;
  f.ack = st->rx_acked;
  f.bytes = (const uint8_t *)st->name;
  f.len = st->name != NULL ? strlen(st->name) : 0;
  return f;
}

/* rx_acked was told. STREAM says it as well as ACK does, but for the gateway's first word, which is an ACK. */
static void note_told(hawser_session *s, hawser_stream *st, uint32_t frame) {
  st->rx_sent = st->rx_acked;
  if (frame == HAWSER_ST_ACK_DUE) {
    st->flags |= HAWSER_ST_TOLD;
  } else if (!hawser_is_gateway(s) || st->rx_acked > 0) {
    st->flags &= ~(uint32_t)HAWSER_ST_ACK_DUE;
  }
  check_ended(s, st);
}

/* Writes one frame of a stream if it is due and there is room; what it says is then said. */
static int write_due(hawser_session *s, hawser_stream *st, uint32_t due, uint8_t code, hawser_writer *w) {
  hawser_fields f;
  if ((st->flags & due) == 0) {
    return 1;
  }
  f = about(s, st, code);
  if (!hawser_fields_write(w, &f)) {
    return 0;
  }
  st->flags &= ~due;
  if (due == HAWSER_ST_OPEN_DUE) {
    st->flags |= HAWSER_ST_SENT;
  } else if (due != HAWSER_ST_RESET_DUE) {
    note_told(s, st, due);
  }
  return 1;
}

static int write_owed(hawser_owed *owed, hawser_writer *w) {
  hawser_fields f = {0};
  if (owed->serial == 0) {
    return 1;
  }
  f.code = HAWSER_FRAME_RESET;
  f.id = owed->id;
  f.number = owed->serial;
  f.byte = owed->code;
  if (!hawser_fields_write(w, &f)) {
    return 0;
  }
  owed->serial = 0;
  return 1;
}

/* In SPEC 9's order: what resynchronises, SYNCED, the rest. 0: the record is full. */
static int write_streams(hawser_session *s, hawser_writer *w) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    hawser_stream *st = &s->streams[id];
    if (!write_owed(&st->owed, w) || !write_due(s, st, HAWSER_ST_OPEN_DUE, HAWSER_FRAME_OPEN, w) ||
        !write_due(s, st, HAWSER_ST_STREAM_DUE, HAWSER_FRAME_STREAM, w) ||
        !write_due(s, st, HAWSER_ST_RESET_DUE, HAWSER_FRAME_RESET, w)) {
      return 0;
    }
  }
  if ((s->flags & HAWSER_SF_SYNC_DUE) != 0) {
    const hawser_fields synced = {.code = HAWSER_FRAME_SYNCED};
    if (!hawser_fields_write(w, &synced)) {
      return 0;
    }
    s->flags &= ~(uint32_t)HAWSER_SF_SYNC_DUE;
  }
  for (uint16_t id = 0; id < s->stream_count; id++) {
    if (!write_due(s, &s->streams[id], HAWSER_ST_ACK_DUE, HAWSER_FRAME_ACK, w)) {
      return 0;
    }
  }
  s->ack_ms = HAWSER_NEVER;
  return 1;
}

void hawser_channel_write(hawser_session *s, hawser_writer *w) {
  hawser_control_write(s, w); /* HAWSER_RECORD_MIN holds all of these */
  if (hawser_channel_speaks(s)) {
    (void)write_streams(s, w);
  }
}

int hawser_channel_due(const hawser_session *s, uint64_t now_ms) {
  const uint32_t due = HAWSER_ST_OPEN_DUE | HAWSER_ST_STREAM_DUE | HAWSER_ST_RESET_DUE;
  if ((s->flags & HAWSER_SF_SYNC_DUE) != 0 || now_ms >= s->ack_ms) {
    return 1;
  }
  for (uint16_t id = 0; id < s->stream_count; id++) {
    if ((s->streams[id].flags & due) != 0 || s->streams[id].owed.serial != 0) {
      return 1;
    }
  }
  return 0;
}

/* A device waits for the answer before the id is free, since DATA of the old stream may be on its way. A gateway chooses no
 * ids: for it the stream is over, and only remembered. */
void hawser_channel_reset(hawser_session *s, hawser_stream *st, uint8_t code) {
  int never_sent = !hawser_is_gateway(s) && (st->flags & HAWSER_ST_SENT) == 0;
  st->flags &= ~(uint32_t)HAWSER_ST_DUE;
  st->code = code;
  if (never_sent) {
    close_stream(s, st, code);
    return;
  }
  st->flags |= HAWSER_ST_RESET | (s->link.live ? (uint32_t)HAWSER_ST_RESET_DUE : 0u);
  if (hawser_is_gateway(s) || !s->link.live) {
    close_stream(s, st, code);
  }
}

/* Device: the answer to its RESET, or the word that its OPEN has arrived, is awaited. */
static int asks(const hawser_stream *st) {
  return (st->flags & HAWSER_ST_RESET) != 0 || (st->flags & (HAWSER_ST_SENT | HAWSER_ST_KNOWN)) == HAWSER_ST_SENT;
}

int hawser_channel_waits(const hawser_session *s) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    const hawser_stream *st = &s->streams[id];
    if (is_used(st) && (st->tx > st->tx_acked || (!hawser_is_gateway(s) && asks(st)))) {
      return 1;
    }
  }
  return 0;
}

/* ---- receiving ---- */

/* The gateway's first acknowledgement says that the upstream is connected. */
static void note_opened(hawser_session *s, hawser_stream *st) {
  if (!hawser_is_gateway(s) && (st->flags & HAWSER_ST_OPENED) == 0) {
    st->flags |= HAWSER_ST_OPENED | HAWSER_ST_KNOWN;
    raise_event(s, st, HAWSER_ST_EV_OPENED);
  }
}

/* The peer's word on a stream that both have: SPEC 9, resynchronisation. The first one on a link also tells where this
 * end goes on; a later one only where the peer does. */
static int take_stream(hawser_session *s, hawser_stream *st, uint64_t tx, uint64_t rx, uint64_t ack) {
  int first = (st->flags & HAWSER_ST_NAMED) == 0;
  uint64_t sent = (st->flags & HAWSER_ST_HELD) != 0 ? st->tx_high : st->tx;
  uint64_t most =
      st->tx_end != 0 ? st->tx_end : HAWSER_OFFSET_MAX - 1; /* of any stream with that end, or with none yet */
  if (tx > st->rx) {
    return HAWSER_ERR_PEER; /* a gap */
  }
  if ((first && rx < st->tx_acked) || rx > sent || rx > most) {
    return HAWSER_ERR_PEER; /* wants bytes that it acknowledged, or has some that were never sent */
  }
  st->rx_at = tx;
  st->flags |= HAWSER_ST_NAMED;
  if (!hawser_is_gateway(s)) {
    st->flags |= HAWSER_ST_KNOWN;
  }
  if (ack > st->tx_acked) {
    st->tx_acked = ack;
    raise_event(s, st, HAWSER_ST_EV_ACKED);
    note_opened(s, st);
  }
  /* a device that had nothing in flight, and was not held, may have written more since: then there is nothing to mend */
  if (first && (hawser_is_gateway(s) ? rx != st->tx : (st->flags & HAWSER_ST_HELD) != 0)) {
    if (!hawser_is_gateway(s) && rx != st->tx) {
      st->flags |= HAWSER_ST_STREAM_DUE; /* announce where the next DATA goes */
    }
    st->tx = rx;
    st->flags &= ~(uint32_t)HAWSER_ST_HELD;
    if (rx < st->tx_end) {
      st->tx_end = 0; /* FIN will be written again */
    }
    raise_event(s, st, HAWSER_ST_EV_REWIND);
  }
  check_ended(s, st);
  return HAWSER_OK;
}

/* Gateway: an id begins anew. */
static int open_stream(hawser_stream *st, const hawser_fields *f, hawser_event *event) {
  hawser_owed owed = st->owed;
  memset(st, 0, sizeof *st);
  st->owed = owed;
  st->serial = (uint32_t)f->number;
  st->kind = (uint8_t)f->byte;
  st->flags = HAWSER_ST_USED | HAWSER_ST_NAMED;
  event->type = HAWSER_EV_OPEN;
  event->stream = (uint16_t)f->id;
  event->value = (uint32_t)f->byte;
  event->data = f->bytes;
  event->len = f->len;
  return HAWSER_OK;
}

/* Gateway: a stream that has ended is asked after: its final offsets, or its RESET. */
static void recall(hawser_stream *st) {
  st->flags |= (st->flags & (HAWSER_ST_RESET | HAWSER_ST_ANSWERED)) != 0 ? HAWSER_ST_RESET_DUE : HAWSER_ST_STREAM_DUE;
}

/* SPEC 11: 1..32 bytes of a-z 0-9 . _ - */
static int name_fits(const uint8_t *name, size_t len) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
  size_t good = 0;
  while (good < len && memchr(letters, name[good], sizeof letters - 1) != NULL) {
    good++;
  }
  return len >= 1 && len <= HAWSER_UPSTREAM_MAX && good == len;
}

static int open_fits(const hawser_session *s, const hawser_fields *f) {
  return hawser_is_gateway(s) && f->byte <= HAWSER_KIND_MESSAGES && name_fits(f->bytes, f->len);
}

static int on_open(hawser_session *s, hawser_stream *st, const hawser_fields *f, hawser_event *event) {
  if (!open_fits(s, f)) {
    return HAWSER_ERR_PEER;
  }
  if (st == NULL) {
    return owe_reset(s, f, HAWSER_STREAM_LIMIT); /* SPEC 9: an id beyond what the gateway holds */
  }
  if (f->number < st->serial) {
    return HAWSER_ERR_PEER;
  }
  if (f->number > st->serial) {
    return open_stream(st, f, event);
  }
  if ((st->flags & HAWSER_ST_DONE) != 0) {
    recall(st);
    return HAWSER_OK;
  }
  /* a repeat: the device has heard nothing of this stream */
  return is_open(st) ? take_stream(s, st, 0, 0, 0) : HAWSER_OK;
}

static int on_stream(hawser_session *s, hawser_stream *st, const hawser_fields *f) {
  int own = st != NULL && f->number == st->serial;
  if (f->ack > f->rx) {
    return HAWSER_ERR_PEER; /* accepted before received: of no stream */
  }
  if (own && is_open(st)) {
    return take_stream(s, st, f->tx, f->rx, f->ack);
  }
  if (!hawser_is_gateway(s)) {
    return HAWSER_OK;
  }
  if (own && (st->flags & HAWSER_ST_DONE) != 0) {
    recall(st);
    return HAWSER_OK;
  }
  return owe_reset(s, f, HAWSER_STATE_LOST);
}

/* DATA or FIN of an open stream: bytes below rx are discarded, so repeats do no harm; a gap is a violation. */
static int on_data(hawser_session *s, hawser_stream *st, const hawser_fields *f, hawser_event *event) {
  uint32_t window = hawser_is_gateway(s) ? s->pairing->window_gateway : s->pairing->window_device;
  int fin = f->code == HAWSER_FRAME_FIN;
  uint64_t end;
  if (st->kind != HAWSER_KIND_STREAM || st->rx_at > st->rx) {
    return HAWSER_ERR_PEER;
  }
  end = st->rx_at + f->len;
  if (end > HAWSER_OFFSET_MAX - 1 || (end > st->rx && end - st->rx_acked > window)) {
    return HAWSER_ERR_PEER;
  }
  /* nothing beyond a FIN, and a FIN only where the first one was */
  if (st->rx_end != 0 && (end > st->rx_end - 1 || (fin && end != st->rx_end - 1))) {
    return HAWSER_ERR_PEER;
  }
  if (fin && st->rx_end == 0 && end < st->rx) {
    return HAWSER_ERR_PEER;
  }
  st->flags |= hawser_is_gateway(s) ? 0u : (uint32_t)HAWSER_ST_KNOWN;
  if (end > st->rx) {
    size_t fresh = (size_t)(end - st->rx);
    event->type = HAWSER_EV_DATA;
    event->stream = (uint16_t)f->id;
    event->data = f->bytes + (f->len - fresh);
    event->len = fresh;
    event->offset = st->rx;
    st->rx = end;
  }
  st->rx_at = end + (uint64_t)(fin != 0);
  if (fin && st->rx_end == 0) {
    st->rx_end = end + 1;
    st->rx = end + 1;
    raise_event(s, st, HAWSER_ST_EV_FIN);
    hawser_channel_accepted(s, st);
  }
  return HAWSER_OK;
}

static int on_ack(hawser_session *s, hawser_stream *st, uint64_t offset) {
  if (offset > st->tx) {
    return HAWSER_ERR_PEER;
  }
  note_opened(s, st);
  if (offset > st->tx_acked) {
    st->tx_acked = offset;
    raise_event(s, st, HAWSER_ST_EV_ACKED);
    check_ended(s, st);
  }
  return HAWSER_OK;
}

/* The receiver of a RESET that has not sent one for this serial sends one back (code 0). */
static int on_reset(hawser_session *s, hawser_stream *st, const hawser_fields *f) {
  int own;
  if (st == NULL) {
    return HAWSER_OK; /* its OPEN or STREAM was answered with a RESET */
  }
  own = f->number == st->serial;
  if (own && (st->flags & HAWSER_ST_RESET) != 0) {
    if (is_used(st)) {
      close_stream(s, st, st->code); /* the answer to the device's own */
    } else if (hawser_is_gateway(s)) {
      st->flags |= HAWSER_ST_RESET_DUE; /* the device may not have heard this end's: that link was torn */
    }
    return HAWSER_OK;
  }
  if (!own && !hawser_is_gateway(s)) {
    return HAWSER_OK;
  }
  if (own && !is_used(st) && !hawser_is_gateway(s)) {
    return HAWSER_OK;
  }
  if (own && is_used(st)) {
    st->flags &= ~(uint32_t)HAWSER_ST_DUE;
    close_stream(s, st, (uint8_t)f->byte);
  }
  return owe_reset(s, f, HAWSER_DONE);
}

static int on_message(const hawser_stream *st, const hawser_fields *f, hawser_event *event) {
  if (st->kind != HAWSER_KIND_MESSAGES) {
    return HAWSER_ERR_PEER;
  }
  event->type = HAWSER_EV_MESSAGE;
  event->stream = (uint16_t)f->id;
  event->data = f->bytes;
  event->len = f->len;
  return HAWSER_OK;
}

/* Gateway: forgets the streams that were not named, tells its own. Device: what the gateway left unnamed is lost. */
static int on_synced(hawser_session *s) {
  if ((s->flags & HAWSER_SF_SYNC_WAIT) == 0) {
    return HAWSER_ERR_PEER;
  }
  s->flags &= ~(uint32_t)HAWSER_SF_SYNC_WAIT;
  s->flags |= hawser_is_gateway(s) ? HAWSER_SF_SYNC_DUE : 0u;
  for (uint16_t id = 0; id < s->stream_count; id++) {
    hawser_stream *st = &s->streams[id];
    int ended = st->tx_end != 0 && st->rx_end != 0 && st->rx_acked == st->rx_end;
    if (!is_open(st)) {
      continue;
    }
    if ((st->flags & HAWSER_ST_NAMED) != 0) {
      st->flags |= hawser_is_gateway(s) ? HAWSER_ST_STREAM_DUE : 0u;
    } else if (hawser_is_gateway(s) || (st->flags & HAWSER_ST_ASKED) != 0) {
      /* the device forgets what has ended on both sides: then only its last acknowledgement was lost */
      close_stream(s, st, hawser_is_gateway(s) && ended ? HAWSER_DONE : HAWSER_STATE_LOST);
    }
  }
  return HAWSER_OK;
}

/* SPEC 9: before the device's SYNCED the gateway takes only what resynchronises. */
static int in_place(const hawser_session *s, uint8_t code) {
  return !hawser_is_gateway(s) || (s->flags & HAWSER_SF_SYNC_WAIT) == 0 || code == HAWSER_FRAME_OPEN ||
         code == HAWSER_FRAME_STREAM || code == HAWSER_FRAME_SYNCED || code == HAWSER_FRAME_RESET;
}

#if HAWSER_GATEWAY
int hawser_channel_replaces(hawser_session *s, const hawser_fields *f) {
  hawser_stream *st = stream_at(s, f->id);
  if (f->code != HAWSER_FRAME_OPEN || !open_fits(s, f) || st == NULL || !is_used(st) || f->number <= st->serial) {
    return 0;
  }
  close_stream(s, st, HAWSER_DONE);
  return 1;
}
#endif

/* Frames without a serial are of the stream that is open, or ignored. */
static int open_stream_frame(hawser_session *s, hawser_stream *st, const hawser_fields *f, hawser_event *event) {
  if (!is_open(st)) {
    return HAWSER_OK;
  }
  switch (f->code) {
  case HAWSER_FRAME_ACK:
    return on_ack(s, st, f->ack);
  case HAWSER_FRAME_MSG:
    return on_message(st, f, event);
  default: /* DATA, FIN */
    return on_data(s, st, f, event);
  }
}

int hawser_channel_take(hawser_session *s, const hawser_fields *f, hawser_event *event) {
  hawser_stream *st = stream_at(s, f->id);
  if (!in_place(s, f->code)) {
    return HAWSER_ERR_PEER;
  }
  switch (f->code) {
  case HAWSER_FRAME_OPEN:
    return on_open(s, st, f, event);
  case HAWSER_FRAME_STREAM:
    return on_stream(s, st, f);
  case HAWSER_FRAME_SYNCED:
    return on_synced(s);
  case HAWSER_FRAME_RESET:
    return on_reset(s, st, f);
  default:
    return open_stream_frame(s, st, f, event);
  }
}

/* ---- events ---- */

/* The application has been told that the stream is gone. A gateway remembers how it ended (SPEC 9, closing). */
static void free_stream(const hawser_session *s, hawser_stream *st) {
  const uint32_t own_reset = st->flags & (HAWSER_ST_RESET | HAWSER_ST_RESET_DUE);
  int well = st->tx_end != 0 && st->rx_end != 0 && st->tx_acked == st->tx_end && st->rx_sent == st->rx_end;
  if (!hawser_is_gateway(s)) {
    st->flags = 0;
    st->name = NULL;
  } else if (own_reset != 0) {
    st->flags = HAWSER_ST_DONE | own_reset;
  } else {
    st->flags = HAWSER_ST_DONE | (well ? 0u : (uint32_t)HAWSER_ST_ANSWERED);
    st->code = HAWSER_DONE;
  }
}

/* In this order. */
static const struct {
  uint32_t flag;
  uint8_t type;
} stream_events[] = {
    {HAWSER_ST_EV_OPENED, HAWSER_EV_OPENED}, {HAWSER_ST_EV_ACKED, HAWSER_EV_ACKED},   {HAWSER_ST_EV_FIN, HAWSER_EV_FIN},
    {HAWSER_ST_EV_CLOSED, HAWSER_EV_CLOSED}, {HAWSER_ST_EV_REWIND, HAWSER_EV_REWIND},
};

/* The first that is flagged, of a stream that has one. */
static void stream_event(const hawser_session *s, hawser_stream *st, hawser_event *event) {
  unsigned i = 0;
  while ((st->flags & stream_events[i].flag) == 0) {
    i++;
  }
  st->flags &= ~stream_events[i].flag;
  event->type = stream_events[i].type;
  event->stream = id_of(s, st);
  if (event->type == HAWSER_EV_CLOSED) {
    event->value = st->code;
    free_stream(s, st);
  } else if (event->type == HAWSER_EV_ACKED || event->type == HAWSER_EV_REWIND) {
    uint64_t at = event->type == HAWSER_EV_ACKED ? st->tx_acked : st->tx;
    event->value = st->tx_end != 0 && at == st->tx_end;
    event->offset = at - event->value;
  }
}

void hawser_channel_event(hawser_session *s, hawser_event *event) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    hawser_stream *st = &s->streams[id];
    if ((st->flags & HAWSER_ST_EVENTS) != 0) {
      stream_event(s, st, event);
      return;
    }
  }
  s->flags &= ~(uint32_t)HAWSER_SF_EVENTS;
}

/* ---- the device's own ---- */

void hawser_channel_open(hawser_session *s, hawser_stream *st, const char *name, uint8_t kind) {
  hawser_owed owed = st->owed; /* the answer to a RESET may still be owed: it goes out before the OPEN */
  memset(st, 0, sizeof *st);
  st->owed = owed;
  st->name = name;
  st->kind = kind;
  st->serial = ++s->serial;
  st->flags = HAWSER_ST_USED | HAWSER_ST_OPEN_DUE;
}

int hawser_channel_name(const hawser_session *s, const hawser_stream *st, hawser_writer *w) {
  hawser_fields f = about(s, st, (st->flags & HAWSER_ST_SENT) != 0 ? HAWSER_FRAME_STREAM : HAWSER_FRAME_OPEN);
  return hawser_fields_write(w, &f);
}

void hawser_channel_early(hawser_session *s, hawser_stream *st, int taken, uint64_t tx, int fin) {
  if (!taken) {
    if ((st->flags & HAWSER_ST_HELD) == 0) { /* else the gateway's STREAM says where to go on */
      raise_event(s, st, HAWSER_ST_EV_REWIND);
    }
    return;
  }
  st->tx = fin ? tx + 1 : tx;
  st->tx_end = fin ? st->tx : 0;
  if ((st->flags & HAWSER_ST_OPEN_DUE) != 0) {
    st->rx_at = 0;
    st->flags &= ~(uint32_t)HAWSER_ST_OPEN_DUE;
    st->flags |= (s->flags & HAWSER_SF_CONTINUED) != 0 ? HAWSER_ST_STREAM_DUE | HAWSER_ST_ASKED : 0u;
  }
  st->flags = (st->flags | HAWSER_ST_SENT | HAWSER_ST_KNOWN) & ~(uint32_t)HAWSER_ST_HELD;
}

void hawser_channel_unsure(hawser_stream *st, uint64_t tx, int fin) {
  uint64_t end = fin ? tx + 1 : tx;
  if (!is_open(st)) {
    return;
  }
  st->tx_high = end > st->tx_high ? end : st->tx_high;
  st->tx_end = fin ? end : st->tx_end;
  st->flags |= HAWSER_ST_HELD;
}

/* ---- links come and go ---- */

static void forget_link(const hawser_session *s, hawser_stream *st) {
  st->rx_at = HAWSER_NOWHERE;
  st->flags &=
      ~(uint32_t)(HAWSER_ST_NAMED | HAWSER_ST_ASKED | HAWSER_ST_STREAM_DUE | HAWSER_ST_ACK_DUE | HAWSER_ST_RESET_DUE);
  if (hawser_is_gateway(s) && is_open(st) && (st->flags & HAWSER_ST_OPENED) != 0 && st->rx_acked == 0) {
    st->flags |= HAWSER_ST_ACK_DUE; /* whether the word that the upstream is connected has arrived is not known */
  }
}

/* Device: names a stream to the gateway, from where it knows the gateway to be. */
static void name_stream(hawser_stream *st) {
  uint64_t tx = (st->flags & HAWSER_ST_KNOWN) != 0 ? st->tx_acked : 0;
  if ((st->flags & HAWSER_ST_SENT) == 0) {
    st->flags |= HAWSER_ST_OPEN_DUE;
    st->rx_at = 0;
    return;
  }
  st->flags |= HAWSER_ST_ASKED;
  st->flags &= ~(uint32_t)HAWSER_ST_DOUBT; /* offsets dedupe what a stream of this session carried */
  st->flags |= (st->flags & HAWSER_ST_KNOWN) != 0 ? HAWSER_ST_STREAM_DUE : HAWSER_ST_OPEN_DUE;
  if (st->tx != tx) {
    st->tx_high = st->tx > st->tx_high ? st->tx : st->tx_high;
    st->tx = tx;
    st->flags |= HAWSER_ST_HELD;
  }
}

void hawser_channel_continue(hawser_session *s) {
  s->ack_ms = HAWSER_NEVER; /* STREAM tells what was accepted */
  s->flags |= HAWSER_SF_CONTINUED | HAWSER_SF_SYNC_WAIT;
  for (uint16_t id = 0; id < s->stream_count; id++) {
    hawser_stream *st = &s->streams[id];
    forget_link(s, st);
    if (!hawser_is_gateway(s) && is_open(st)) {
      name_stream(st);
    }
  }
  if (!hawser_is_gateway(s)) {
    s->flags |= HAWSER_SF_SYNC_DUE | HAWSER_SF_EV_LIVE;
  }
}

/* Device: opened in the new session. What early data in the old one came to, if it carried any, does not matter here. */
static void start_over(hawser_session *s, hawser_stream *st) {
  st->flags |= HAWSER_ST_OPEN_DUE;
  st->rx_at = 0;
  if ((st->flags & HAWSER_ST_HELD) != 0) {
    st->flags &= ~(uint32_t)HAWSER_ST_HELD;
    st->tx_high = st->tx_end = 0;
    raise_event(s, st, HAWSER_ST_EV_REWIND);
  }
}

/* Device: the old session is gone, and with it every stream that was opened in it. */
void hawser_channel_renew(hawser_session *s) {
  s->flags &= ~(uint32_t)HAWSER_SF_CONTINUED;
  memcpy(s->name, s->next, HAWSER_NAME_LEN);
  for (uint16_t id = 0; !hawser_is_gateway(s) && id < s->stream_count; id++) {
    hawser_stream *st = &s->streams[id];
    if (!is_open(st)) {
      continue;
    }
    if ((st->flags & HAWSER_ST_DOUBT) != 0) {
      close_stream(s, st, HAWSER_EARLY_UNKNOWN);
    } else if ((st->flags & HAWSER_ST_SENT) != 0) {
      close_stream(s, st, HAWSER_STATE_LOST);
    } else {
      start_over(s, st);
    }
  }
  s->flags |= hawser_is_gateway(s) ? 0u : (uint32_t)HAWSER_SF_EV_LIVE;
}

void hawser_channel_down(hawser_session *s) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    hawser_stream *st = &s->streams[id];
    st->owed.serial = 0; /* SPEC 9: a device that goes off-link forgets streams whose RESET it has received */
    if (hawser_is_gateway(s)) {
      continue;
    }
    st->flags &= ~(uint32_t)(HAWSER_ST_RESET_DUE | HAWSER_ST_OPEN_DUE);
    if (is_used(st) && (st->flags & HAWSER_ST_RESET) != 0) {
      close_stream(s, st, st->code); /* left unnamed, the gateway forgets it too */
    }
  }
}

void hawser_channel_end(hawser_session *s, uint8_t code) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    hawser_stream *st = &s->streams[id];
    st->flags &= ~(uint32_t)HAWSER_ST_DUE;
    st->owed.serial = 0;
    if (is_used(st)) {
      close_stream(s, st, code);
    }
  }
}

#endif
