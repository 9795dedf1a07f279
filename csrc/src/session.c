/*
 * session.c - the four verbs and the reader of events over one link, and the calls for streams.
 */
#include "session.h"

#include <string.h>

int hawser_session_start(hawser_session *s, const hawser_pairing *pairing, hawser_stream *streams,
                         uint16_t stream_count, uint8_t *rx, size_t rx_cap, int gateway) {
  size_t record_max = gateway ? HAWSER_RECORD_MAX : pairing->record_max;
  int err = hawser_pairing_valid(pairing);
  if (err != HAWSER_OK || rx == NULL || rx_cap < HAWSER_RX_LEN(record_max) || (stream_count > 0 && streams == NULL)) {
    return HAWSER_ERR_ARG;
  }
  memset(s, 0, sizeof *s);
  if (stream_count > 0) {
    memset(streams, 0, stream_count * sizeof *streams);
  }
  s->pairing = pairing;
  s->streams = streams;
  s->stream_count = stream_count;
  s->rx = rx;
  s->rx_cap = rx_cap;
  s->gateway = gateway != 0;
  s->ack_ms = HAWSER_NEVER;
  return HAWSER_OK;
}

static int stream_valid(const hawser_stream *st) {
#if HAWSER_STREAMS
  return st->tx_acked <= st->tx && st->rx_acked <= st->rx && st->rx_sent <= st->rx_acked &&
         st->rx <= HAWSER_OFFSET_MAX && st->tx <= HAWSER_OFFSET_MAX && (st->tx_end == 0 || st->tx <= st->tx_end) &&
         (st->rx_end == 0 || st->rx == st->rx_end);
#else
  return st->kind == HAWSER_KIND_MESSAGES || st->flags == 0;
#endif
}

int hawser_session_valid(const hawser_session *s) {
  int ok = hawser_link_valid(&s->link) && s->pairing != NULL && s->rx != NULL && s->rx_len <= s->rx_cap &&
           s->gateway <= HAWSER_GATEWAY && (s->frames_len == 0 || s->frames != NULL) &&
           (s->link.live || (hawser_is_zero(s->link.tx_key, HAWSER_KEY_LEN) || !(s->flags & HAWSER_SF_LINK)));
  for (uint16_t id = 0; ok && id < s->stream_count; id++) {
    ok = stream_valid(&s->streams[id]);
  }
  return ok;
}

int hawser_is_live(const hawser_session *s) {
  return s->link.live;
}

/* ---- time ---- */

static int waits(const hawser_session *s) {
  return s->link.live && ((s->flags & (HAWSER_SF_PING_OUT | HAWSER_SF_SYNC_WAIT | HAWSER_SF_STATUS_WAIT)) != 0 ||
                          hawser_channel_waits(s));
}

void hawser_session_note(hawser_session *s, uint64_t now_ms) {
  int before = (s->flags & HAWSER_SF_WAITING) != 0;
  int after = waits(s);
  if (now_ms < s->now_ms) { /* a clock that went back: nothing waits until it is there again */
    s->quiet_ms = now_ms;
    s->ping_ms = now_ms;
    if (s->ack_ms != HAWSER_NEVER) {
      s->ack_ms = now_ms;
    }
  }
  s->now_ms = now_ms;
  if (after && !before) {
    s->quiet_ms = now_ms;
  }
  s->flags = after ? s->flags | HAWSER_SF_WAITING : s->flags & ~(uint32_t)HAWSER_SF_WAITING;
}

#define PING_MS (HAWSER_DEAD_MS / 3)

static uint64_t sooner(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* SPEC 9, liveness: since the last valid record, or since this end began to wait. */
static uint64_t dead_at(const hawser_session *s) {
  return (s->flags & HAWSER_SF_DEAD) != 0 ? HAWSER_NEVER : s->quiet_ms + HAWSER_DEAD_MS;
}

/* Every so often while nothing is heard; a gateway at a serial line goes on with it on a dead link: the gap in the counters
 * tells a device that only listens. */
static uint64_t ping_at(const hawser_session *s) {
  int over = (s->flags & HAWSER_SF_DEAD) != 0 && !(hawser_is_gateway(s) && hawser_is_serial(s->link.transport));
  if (over || (s->flags & HAWSER_SF_PING_DUE) != 0) {
    return HAWSER_NEVER;
  }
  return (s->quiet_ms > s->ping_ms ? s->quiet_ms : s->ping_ms) + PING_MS;
}

static int is_waiting(const hawser_session *s) {
  return s->link.live && (s->flags & HAWSER_SF_WAITING) != 0;
}

uint64_t hawser_deadline(const hawser_session *s) {
  uint64_t at = hawser_channel_speaks(s) ? s->ack_ms : HAWSER_NEVER;
  if (hawser_session_has_events(s)) {
    return s->now_ms;
  }
  return is_waiting(s) ? sooner(at, sooner(dead_at(s), ping_at(s))) : at;
}

int hawser_timeout(hawser_session *s, uint64_t now_ms) {
  hawser_session_note(s, now_ms);
  if (!is_waiting(s)) {
    return HAWSER_OK;
  }
  if (now_ms >= ping_at(s)) {
    s->flags |= HAWSER_SF_PING_DUE;
  }
  if (now_ms >= dead_at(s)) {
    s->flags |= HAWSER_SF_EV_DEAD | HAWSER_SF_DEAD;
  }
  return HAWSER_OK;
}

/* ---- links come and go ---- */

void hawser_session_up(hawser_session *s, uint64_t now_ms) {
  s->flags &= HAWSER_SF_EVENTS;
  s->quiet_ms = now_ms;
  s->ping_ms = 0;
  s->pong = 0; /* a peer counts its PINGs from 1 */
  s->now_ms = now_ms;
  s->rx_len = 0;
  s->frames_len = 0;
}

void hawser_link_down(hawser_session *s) {
  hawser_port_wipe(&s->link, sizeof s->link);
  /* what was to be said about this link must not hit the next one */
  s->flags &= ~(uint32_t)(HAWSER_SF_LINK | HAWSER_SF_EV_DEAD | HAWSER_SF_EV_LIVE | HAWSER_SF_EV_HANDSHAKE);
  s->rx_len = 0;
  s->frames = NULL;
  s->frames_len = 0;
  s->ack_ms = HAWSER_NEVER;
  hawser_channel_down(s);
}

void hawser_session_forget(hawser_session *s, uint8_t code) {
  hawser_link_down(s);
  hawser_control_end(s, code);
}

void hawser_session_wipe(hawser_session *s) {
  if (s->streams != NULL) {
    hawser_port_wipe(s->streams, s->stream_count * sizeof *s->streams);
  }
  if (s->rx != NULL) {
    hawser_port_wipe(s->rx, s->rx_cap);
  }
  hawser_port_wipe(s, sizeof *s);
}

#if HAWSER_KEYLOG
int hawser_link_keys(const hawser_session *s, uint8_t d2g[HAWSER_KEY_LEN], uint8_t g2d[HAWSER_KEY_LEN]) {
  if (!s->link.live) {
    return HAWSER_ERR_STATE;
  }
  memcpy(d2g, hawser_is_gateway(s) ? s->link.rx_key : s->link.tx_key, HAWSER_KEY_LEN);
  memcpy(g2d, hawser_is_gateway(s) ? s->link.tx_key : s->link.rx_key, HAWSER_KEY_LEN);
  return HAWSER_OK;
}
#endif

/* ---- bytes in ---- */

static size_t own_record_max(const hawser_session *s) {
  return hawser_is_gateway(s) ? HAWSER_RECORD_MAX : s->pairing->record_max;
}

#if HAWSER_GATEWAY

/* Gateway, serial: a handshake message may come at any time; it is handed on as it came, its zero included. */
static int is_serial_handshake(const hawser_session *s, const hawser_frame *f) {
  return hawser_is_gateway(s) && hawser_is_serial(s->link.transport) && hawser_frame_is_message(f);
}

static void keep_handshake(hawser_session *s, hawser_frame *f) {
  f->at[f->len] = 0;
  s->frames = f->at;
  s->frames_len = f->len + 1;
  s->flags |= HAWSER_SF_EV_HANDSHAKE;
}

#endif

static int open_frame(hawser_session *s, hawser_frame *f, uint64_t now_ms) {
  int err = hawser_frame_decode(s->link.transport, f);
  if (err == HAWSER_OK && (f->at[0] <= HAWSER_FIRST_MESSAGE || f->len > own_record_max(s) + HAWSER_RECORD_OVERHEAD)) {
    err = HAWSER_ERR_FORMAT; /* SPEC 3.3: a handshake message after the first */
  }
  if (err == HAWSER_OK) {
    err = hawser_record_open(&s->link, f->at, f->len);
  }
  if (err == HAWSER_OK) {
    s->frames = f->at + HAWSER_HEADER_LEN;
    s->frames_len = f->len - HAWSER_RECORD_OVERHEAD;
    s->quiet_ms = now_ms;
    s->flags &= ~(uint32_t)(HAWSER_SF_EV_DEAD | HAWSER_SF_DEAD);
    hawser_session_note(s, now_ms);
  }
  return err;
}

/* SPEC 3.4: on a serial line a bad frame is skipped; the device answers a record that fails by resuming. */
static int skips(const hawser_session *s, int err) {
  return hawser_is_serial(s->link.transport) &&
         (err == HAWSER_ERR_FORMAT || (err == HAWSER_ERR_AUTH && hawser_is_gateway(s)));
}

int hawser_receive(hawser_session *s, uint8_t *in, size_t in_len, size_t *used, uint64_t now_ms) {
  const hawser_expect expect = {1, HAWSER_RECORD_OVERHEAD, own_record_max(s) + HAWSER_RECORD_OVERHEAD};
  hawser_frame frame;
  int err;
  *used = 0;
  if (!s->link.live || s->frames_len > 0) {
    return HAWSER_ERR_STATE;
  }
  err = hawser_frame_collect(s->link.transport, s->rx, &s->rx_len, s->rx_cap, in, in_len, expect, &frame);
  if (err != HAWSER_OK) {
    return err;
  }
  *used = frame.used;
  if (frame.at == NULL) {
    return HAWSER_OK;
  }
#if HAWSER_GATEWAY
  if (is_serial_handshake(s, &frame)) {
    keep_handshake(s, &frame);
    return HAWSER_OK;
  }
#endif
  err = open_frame(s, &frame, now_ms);
  return skips(s, err) ? HAWSER_OK : err;
}

/* ---- events ---- */

int hawser_session_has_events(const hawser_session *s) {
  return (s->flags & HAWSER_SF_EVENT_MASK) != 0 || s->frames_len > 0;
}

static int take_flag(hawser_session *s, uint32_t flag) {
  int was = (s->flags & flag) != 0;
  s->flags &= ~flag;
  return was;
}

/* Comes before what streams say. */
static void first_event(hawser_session *s, hawser_event *event) {
  if (take_flag(s, HAWSER_SF_EV_LIVE)) {
    event->type = HAWSER_EV_LIVE;
    event->value = (s->flags & HAWSER_SF_CONTINUED) != 0;
  } else if (take_flag(s, HAWSER_SF_EV_HANDSHAKE)) {
    event->type = HAWSER_EV_HANDSHAKE;
    event->data = s->frames;
    event->len = s->frames_len;
    s->frames_len = 0;
  }
}

/* Comes after it. */
static void last_event(hawser_session *s, hawser_event *event) {
  if (take_flag(s, HAWSER_SF_EV_PONG)) {
    event->type = HAWSER_EV_PONG;
  } else if (take_flag(s, HAWSER_SF_EV_CLOSE)) {
    event->type = HAWSER_EV_CLOSE;
    event->value = s->code;
  } else if (take_flag(s, HAWSER_SF_EV_DEAD)) {
    event->type = HAWSER_EV_DEAD;
  }
}

int hawser_next(hawser_session *s, hawser_event *event) {
  memset(event, 0, sizeof *event);
  first_event(s, event);
  while (event->type == HAWSER_EV_NONE) {
    int err;
    if ((s->flags & HAWSER_SF_EVENTS) != 0) {
      hawser_channel_event(s, event);
    }
    if (event->type != HAWSER_EV_NONE) {
      break;
    }
    if (s->frames_len == 0) {
      last_event(s, event);
      break;
    }
    err = hawser_control_frame(s, event);
    if (err != HAWSER_OK) {
      memset(event, 0, sizeof *event);
      hawser_session_forget(s, HAWSER_VIOLATION);
      return err;
    }
    if ((s->flags & HAWSER_SF_EV_LIVE) != 0) {
      first_event(s, event); /* STATUS has come */
    }
  }
  if (!waits(s)) {
    s->flags &= ~(uint32_t)HAWSER_SF_WAITING; /* a wait begins with the next call that knows the time */
  }
  return HAWSER_OK;
}

/* ---- bytes out ---- */

/* Plaintext that the peer takes in one record and that fits into cap. */
static size_t plaintext_max(const hawser_session *s, size_t cap) {
  size_t fits = hawser_frame_max(s->link.transport, cap);
  size_t limit = hawser_is_gateway(s) ? s->pairing->record_max : HAWSER_RECORD_MAX;
  if (!hawser_is_gateway(s) && s->link.tx_counter == 0) {
    limit = HAWSER_FIRST_RECORD_MAX; /* SPEC 3.6 */
  }
  fits = fits > HAWSER_RECORD_OVERHEAD ? fits - HAWSER_RECORD_OVERHEAD : 0;
  return fits < limit ? fits : limit;
}

/* Seals the len bytes that stand where a record's plaintext belongs. */
static int seal(hawser_session *s, uint8_t *out, size_t cap, size_t len, size_t *out_len) {
  uint8_t *record = out + hawser_frame_front(s->link.transport, cap);
  int err = hawser_record_seal(&s->link, record, len);
  if (err != HAWSER_OK) {
    hawser_port_wipe(out, cap);
    return err;
  }
  s->flags &= ~(uint32_t)HAWSER_SF_FIRST_DUE;
  *out_len = hawser_frame_finish(s->link.transport, out, cap, len + HAWSER_RECORD_OVERHEAD);
  return HAWSER_OK;
}

static int control_due(const hawser_session *s, uint64_t now_ms) {
  const uint32_t session = HAWSER_SF_STATE_DUE | HAWSER_SF_STATUS_DUE | HAWSER_SF_FIRST_DUE | HAWSER_SF_PING_DUE |
                           HAWSER_SF_PONG_DUE | HAWSER_SF_CLOSE_DUE;
  if ((s->flags & session) != 0) {
    return 1;
  }
  return hawser_channel_speaks(s) && hawser_channel_due(s, now_ms);
}

int hawser_send(hawser_session *s, uint8_t *out, size_t cap, size_t *len, uint64_t now_ms) {
  size_t front, max;
  hawser_writer w;
  *len = 0;
  if (cap < HAWSER_SEND_MIN) {
    return HAWSER_ERR_BUFFER;
  }
  if (!s->link.live || !control_due(s, now_ms)) {
    return HAWSER_OK;
  }
  /* asked before anything is taken off the list of what is due */
  if (s->link.tx_counter >= HAWSER_COUNTER_END) {
    return HAWSER_ERR_EXHAUSTED;
  }
  front = hawser_frame_front(s->link.transport, cap) + HAWSER_HEADER_LEN;
  max = plaintext_max(s, cap);
  w.at = out + front;
  w.left = max;
  w.bad = 0;
  hawser_session_note(s, now_ms);
  hawser_channel_write(s, &w);
  hawser_session_note(s, now_ms);
  return seal(s, out, cap, max - w.left, len);
}

/* ---- streams ---- */

static hawser_stream *used_stream(const hawser_session *s, uint16_t id) {
  hawser_stream *st = id < s->stream_count ? &s->streams[id] : NULL;
  const uint32_t open = HAWSER_ST_OPEN;
  return st != NULL && (st->flags & open) == HAWSER_ST_USED ? st : NULL;
}

static int may_send(const hawser_session *s, const hawser_stream *st) {
  const uint32_t first = HAWSER_ST_OPEN_DUE | HAWSER_ST_STREAM_DUE | HAWSER_ST_RESET_DUE | HAWSER_ST_HELD;
  return hawser_channel_ready(s) && (st->flags & first) == 0 && st->owed.serial == 0;
}

/* DATA, FIN or MSG around bytes: SPEC 9, all run to the end of the record. There is room for them. */
static int seal_data(hawser_session *s, uint8_t code, uint16_t stream, const uint8_t *data, size_t len, uint8_t *out,
                     size_t cap, size_t *out_len) {
  hawser_writer w = {out + hawser_frame_front(s->link.transport, cap) + HAWSER_HEADER_LEN, HAWSER_FRAME_OVERHEAD + len,
                     0};
  hawser_fields f = {0};
  f.code = code;
  f.id = stream;
  f.bytes = data;
  f.len = len;
  (void)hawser_fields_write(&w, &f);
  return seal(s, out, cap, HAWSER_FRAME_OVERHEAD + len, out_len);
}

#if HAWSER_STREAMS

uint32_t hawser_window(const hawser_session *s, uint16_t stream) {
  const hawser_stream *st = used_stream(s, stream);
  if (st == NULL || st->kind != HAWSER_KIND_STREAM || st->tx_end != 0 || (st->flags & HAWSER_ST_HELD) != 0 ||
      !hawser_channel_speaks(s)) {
    return 0;
  }
  return hawser_channel_window(s, st);
}

/* A window may be larger than any buffer: a size_t has 16 bits in places. */
static size_t least(size_t len, size_t room, uint32_t window) {
  size_t n = len < room ? len : room;
  return window < n ? (size_t)window : n;
}

int hawser_write(hawser_session *s, uint16_t stream, const uint8_t *data, size_t data_len, int fin, uint8_t *out,
                 size_t cap, size_t *out_len, size_t *taken, int *fin_taken, uint64_t now_ms) {
  hawser_stream *st = used_stream(s, stream);
  /* FIN was said; one that may have been said is settled by the peer's STREAM */
  int ended = st != NULL && st->tx_end != 0 && (st->flags & HAWSER_ST_HELD) == 0;
  size_t room, n;
  int ends, err;
  *out_len = 0;
  *taken = 0;
  *fin_taken = 0;
  if (st == NULL || (s->flags & HAWSER_SF_CLOSED) != 0 || (ended && data_len > 0)) {
    return HAWSER_ERR_CLOSED;
  }
  if (st->kind != HAWSER_KIND_STREAM) {
    return HAWSER_ERR_ARG;
  }
  if (cap < HAWSER_SEND_MIN) {
    return HAWSER_ERR_BUFFER;
  }
  if (ended) {
    *fin_taken = fin != 0; /* said already, and not rewound */
    return HAWSER_OK;
  }
  if (!may_send(s, st)) {
    return HAWSER_OK;
  }
  room = plaintext_max(s, cap) - HAWSER_FRAME_OVERHEAD;
  n = least(data_len, room, hawser_channel_window(s, st));
  ends = fin && n == data_len;
  if (n == 0 && !ends) {
    return HAWSER_OK;
  }
  err = seal_data(s, ends ? HAWSER_FRAME_FIN : HAWSER_FRAME_DATA, stream, data, n, out, cap, out_len);
  if (err != HAWSER_OK) {
    return err;
  }
  st->tx += n;
  if (ends) {
    st->tx += 1;
    st->tx_end = st->tx;
  }
  *taken = n;
  *fin_taken = ends;
  hawser_session_note(s, now_ms);
  return HAWSER_OK;
}

int hawser_consume(hawser_session *s, uint16_t stream, size_t bytes) {
  hawser_stream *st = used_stream(s, stream);
  uint64_t end;
  if (st == NULL) {
    return HAWSER_ERR_CLOSED;
  }
  end = st->rx_end != 0 ? st->rx_end - 1 : st->rx;
  if (bytes > 0 && (st->rx_acked > end || bytes > end - st->rx_acked)) {
    return HAWSER_ERR_ARG;
  }
  st->rx_acked += bytes;
  st->flags |= hawser_is_gateway(s) ? (uint32_t)HAWSER_ST_OPENED : 0u;
  hawser_channel_accepted(s, st);
  return HAWSER_OK;
}

#endif

int hawser_message(hawser_session *s, uint16_t stream, const uint8_t *data, size_t data_len, uint8_t *out, size_t cap,
                   size_t *out_len, uint64_t now_ms) {
  hawser_stream *st = used_stream(s, stream);
  int err;
  *out_len = 0;
  if (st == NULL || (s->flags & HAWSER_SF_CLOSED) != 0) {
    return HAWSER_ERR_CLOSED;
  }
  if (st->kind != HAWSER_KIND_MESSAGES) {
    return HAWSER_ERR_ARG;
  }
  if (data_len > (hawser_is_gateway(s) ? s->pairing->record_max : HAWSER_RECORD_MAX) - (size_t)HAWSER_FRAME_OVERHEAD) {
    return HAWSER_ERR_LIMIT;
  }
  if (!may_send(s, st)) {
    return HAWSER_OK;
  }
  if (!hawser_is_gateway(s) && s->link.tx_counter == 0 && data_len > HAWSER_FIRST_RECORD_MAX - HAWSER_FRAME_OVERHEAD) {
    return HAWSER_OK; /* hawser_send makes the first record */
  }
  if (plaintext_max(s, cap) < data_len + HAWSER_FRAME_OVERHEAD) {
    return HAWSER_ERR_BUFFER;
  }
  err = seal_data(s, HAWSER_FRAME_MSG, stream, data, data_len, out, cap, out_len);
  if (err == HAWSER_OK) {
    hawser_session_note(s, now_ms);
  }
  return err;
}

int hawser_reset(hawser_session *s, uint16_t stream, uint8_t code) {
  hawser_stream *st = used_stream(s, stream);
  if (st == NULL) {
    return HAWSER_ERR_CLOSED;
  }
  hawser_channel_reset(s, st, code);
  return HAWSER_OK;
}

int hawser_ping(hawser_session *s, uint64_t now_ms) {
  if (!s->link.live) {
    return HAWSER_ERR_STATE;
  }
  hawser_session_note(s, now_ms);
  s->flags |= HAWSER_SF_PING_DUE | HAWSER_SF_PING_APP;
  return HAWSER_OK;
}

int hawser_close(hawser_session *s, uint8_t code) {
  if ((s->flags & HAWSER_SF_CLOSED) != 0) {
    return HAWSER_ERR_CLOSED;
  }
  hawser_control_end(s, code);
  s->code = code;
  s->flags |= s->link.live ? (uint32_t)HAWSER_SF_CLOSE_DUE : 0u;
  return HAWSER_OK;
}
