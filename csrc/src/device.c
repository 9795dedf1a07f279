/*
 * device.c - the device's rules: boot, ladder, handshakes, storing, saving (SPEC 7.4 and 8).
 */
#include "hawser/device.h"

#include <stddef.h>
#include <string.h>

#include "handshake.h"
#include "resume.h"
#include "session.h"

enum state { OFF, IDLE, SENT, STORE, LIVE };

enum flag {
  CHAIN = 1 << 0,    /* slot and position are there; without: full handshakes only */
  UNPROVEN = 1 << 1, /* no valid record has come since the last full handshake */
  ROOT = 1 << 2,     /* B_f is the pairing's ticket */
  TRIED = 1 << 3,    /* (f, 0) was tried last: the full handshake's turn */
  SEND = 1 << 4,     /* message 1 waits for hawser_device_send() */
  EV_STORE = 1 << 5,
  EV_VERDICT = 1 << 6,
  EARLY = 1 << 7,      /* message 1 carries early data without a verdict */
  IDEMPOTENT = 1 << 8, /* of that data */
  EARLY_FIN = 1 << 9,
  SLOT_0 = 1 << 10, /* slot 0 is the valid one: the next image goes to slot 1, else to slot 0 */
  STORING = 1 << 11 /* EV_STORE was said, and what became of its image was not */
};

/* Where a slot has what. */
#define SLOT_CHAIN 12
#define SLOT_BLOCK 24
#define SLOT_CHECKED (HAWSER_SLOT_LEN - HAWSER_CHECK_LEN)

/* The next step secret stays where the answer's look put it. */
typedef char step_stays[offsetof(struct hawser_answer, step) == offsetof(struct hawser_store, step) ? 1 : -1];

static int is_ticket(const hawser_device *d) {
  return hawser_is_ticket(d->session.pairing);
}

static int has_ecdh(const hawser_device *d) {
  return HAWSER_ECDH && !is_ticket(d);
}

/* Not at what flash holds: only RAM knows this position. */
static int is_warm(const hawser_device *d) {
  return d->i > 0 || d->b < d->f;
}

hawser_session *hawser_device_session(hawser_device *d) {
  return &d->session;
}

/* ---- slots, SPEC 7.4 ---- */

typedef struct slot {
  uint32_t sequence, f;
  uint8_t chain[HAWSER_NAME_LEN];
  const uint8_t *block;
} slot;

/* 1 if the 64 bytes are a slot, 0 if not, or an error. */
static int read_slot(const uint8_t *image, slot *out) {
  static const uint8_t magic[8] = {'H', 'W', 'S', 'L', 1, 0, 0, 0};
  hawser_reader r = {image, HAWSER_SLOT_LEN, 0};
  if (image == NULL || memcmp(hawser_get_bytes(&r, sizeof magic), magic, sizeof magic) != 0) {
    return 0;
  }
  out->sequence = (uint32_t)hawser_get(&r, 4);
  memcpy(out->chain, hawser_get_bytes(&r, HAWSER_NAME_LEN), HAWSER_NAME_LEN);
  out->f = (uint32_t)hawser_get(&r, 4);
  out->block = hawser_get_bytes(&r, HAWSER_KEY_LEN);
  return hawser_is_zero(out->block, HAWSER_KEY_LEN) ? 0 : hawser_check_matches(image, SLOT_CHECKED);
}

/* The rest of an image that has its chain and its block already. */
static int write_slot(uint8_t image[HAWSER_SLOT_LEN], uint32_t sequence, uint32_t f) {
  hawser_writer w = {image, SLOT_BLOCK, 0};
  hawser_put_bytes(&w, (const uint8_t *)"HWSL\1\0\0", 8);
  hawser_put(&w, 4, sequence);
  w.at = image + SLOT_CHAIN + HAWSER_NAME_LEN;
  hawser_put(&w, 4, f);
  return hawser_check(image, SLOT_CHECKED, image + SLOT_CHECKED);
}

/* ---- early data: streams alone have it ---- */

static int has_early(const hawser_device *d) {
  return HAWSER_STREAMS && (d->flags & EARLY) != 0;
}

/* Nobody knows what became of it: a session that continues dedupes it by its offsets, a new one cannot. */
static void early_unknown(const hawser_device *d) {
#if HAWSER_STREAMS
  hawser_stream *st = &d->session.streams[d->early_stream];
  if ((d->flags & IDEMPOTENT) == 0 && (st->flags & HAWSER_ST_USED) != 0) {
    st->flags |= HAWSER_ST_DOUBT;
  }
  hawser_channel_unsure(st, d->early_tx, (d->flags & EARLY_FIN) != 0);
#else
  (void)d;
#endif
}

/* ---- position ---- */

/* PRF(B_f, label): B_0 of a pairing's ticket never leaves the port. */
static int from_block(const hawser_device *d, enum hawser_label label, uint8_t out[HAWSER_KEY_LEN]) {
  return is_ticket(d) && (d->flags & ROOT) != 0 ? hawser_prf_key(d->session.pairing->ticket, label, out, HAWSER_KEY_LEN)
                                                : hawser_prf_once(d->block, label, NULL, out, HAWSER_KEY_LEN);
}

/* SPEC 7.4 rule 6: leaving a position whose early data has no verdict makes it UNKNOWN. */
static void leave_position(hawser_device *d) {
  if (has_early(d)) {
    early_unknown(d);
    d->verdict = HAWSER_UNKNOWN;
    d->flags = (d->flags & ~(uint32_t)EARLY) | EV_VERDICT;
  }
  hawser_port_wipe(d->message1, d->message1_len);
  d->message1_len = 0;
}

/* SPEC 7.4 rule 2: to (f, 0), as if rebooted. */
static int jump(hawser_device *d) {
  uint8_t step[HAWSER_KEY_LEN];
  int err = from_block(d, HAWSER_LABEL_FIRST, step);
  if (err == HAWSER_OK) {
    leave_position(d);
    memcpy(d->step, step, sizeof step);
    d->b = d->f;
    d->i = 0;
  }
  hawser_port_wipe(step, sizeof step);
  return err;
}

/* Between what flash holds and what an answer under it leads to; f is 0 only at the root of mode ticket. */
static int position_valid(const hawser_device *d) {
  if ((d->flags & CHAIN) == 0) {
    return d->state == OFF || has_ecdh(d);
  }
  return d->i <= d->session.pairing->max_steps && (d->b == d->f || (d->f > 0 && d->b == d->f - 1)) &&
         (d->b == d->f ? d->i == 0 || (d->flags & ROOT) != 0 : 1) && !hawser_is_zero(d->step, sizeof d->step) &&
         ((d->flags & ROOT) != 0) == hawser_is_zero(d->block, sizeof d->block);
}

int hawser_device_valid(const hawser_device *d) {
  return hawser_session_valid(&d->session) && d->state <= LIVE && d->message1 != NULL &&
         d->message1_len <= d->message1_cap && d->message1_cap <= HAWSER_MESSAGE1_MAX &&
         (d->state == LIVE || !d->session.link.live) && d->verdict <= HAWSER_UNKNOWN &&
         (d->early_stream == 0 || d->early_stream < d->session.stream_count) && position_valid(d);
}

/* ---- init and boot ---- */

int hawser_device_init(hawser_device *d, const hawser_pairing *pairing, hawser_stream *streams, uint16_t stream_count,
                       uint8_t *rx, size_t rx_cap, uint8_t *message1, size_t message1_cap) {
  int err;
  if (message1 == NULL || message1_cap < HAWSER_MESSAGE1_MIN || (pairing->mode == HAWSER_TICKET && !pairing->ticket)) {
    return HAWSER_ERR_ARG;
  }
  memset(d, 0, sizeof *d);
  err = hawser_session_start(&d->session, pairing, streams, stream_count, rx, rx_cap, 0);
  d->message1 = message1;
  d->message1_cap = message1_cap < HAWSER_MESSAGE1_MAX ? message1_cap : HAWSER_MESSAGE1_MAX;
  return err;
}

/* Mode ticket without a slot: the pairing's B_0 is the first block. */
static int boot_root(hawser_device *d) {
  d->f = 0;
  d->flags |= ROOT;
  return hawser_prf_key(d->session.pairing->ticket, HAWSER_LABEL_CHAINID, d->chain, sizeof d->chain);
}

/* 1 if the image is a slot of this pairing, 0 if not, or an error. A slot of another chain is left from another pairing;
 * modes with ECDH get new chains, and cannot tell. */
static int own_slot(const hawser_device *d, const uint8_t *image, slot *out) {
  uint8_t id[HAWSER_NAME_LEN];
  int is = read_slot(image, out);
  if (is == 1 && is_ticket(d)) {
    int err = hawser_prf_key(d->session.pairing->ticket, HAWSER_LABEL_CHAINID, id, sizeof id);
    is = err != HAWSER_OK ? err : memcmp(id, out->chain, HAWSER_NAME_LEN) == 0;
  }
  return is;
}

static int boot_slot(hawser_device *d, const slot *s) {
  d->sequence = s->sequence;
  d->f = s->f;
  memcpy(d->chain, s->chain, sizeof d->chain);
  memcpy(d->block, s->block, sizeof d->block);
  return HAWSER_OK;
}

static int boot_position(hawser_device *d) {
  int err = from_block(d, HAWSER_LABEL_FIRST, d->step);
  if (err == HAWSER_OK) {
    d->b = d->f;
    d->i = 0;
    d->flags |= CHAIN;
  }
  return err;
}

int hawser_device_boot(hawser_device *d, const uint8_t *slot0, const uint8_t *slot1, int *wipe) {
  slot slots[2];
  int valid[2];
  int err = HAWSER_OK;
  *wipe = -1;
  if (d->state != OFF) {
    return HAWSER_ERR_STATE;
  }
  valid[0] = own_slot(d, slot0, &slots[0]);
  valid[1] = own_slot(d, slot1, &slots[1]);
  if (valid[0] < 0 || valid[1] < 0) {
    return valid[0] < 0 ? valid[0] : valid[1];
  }
  if (valid[0] && valid[1]) {
    *wipe = slots[0].sequence < slots[1].sequence ? 0 : 1; /* the older one, before anything else */
    valid[*wipe] = 0;
  }
  if (valid[0] || valid[1]) {
    err = boot_slot(d, valid[0] ? &slots[0] : &slots[1]);
    d->flags |= valid[0] ? (uint32_t)SLOT_0 : 0u;
  } else if (is_ticket(d)) {
    err = boot_root(d);
  }
  if (err == HAWSER_OK && (valid[0] || valid[1] || is_ticket(d))) {
    err = boot_position(d);
  }
  if (err != HAWSER_OK) {
    d->flags = 0;
    return err;
  }
  d->state = IDLE;
  return HAWSER_OK;
}

/* ---- message 1 ---- */

#if HAWSER_STREAMS

/* SPEC 7.2: OPEN or STREAM, then one DATA or FIN of the same stream. Nothing of it may be in flight, so that the data
 * begins where the peer's acknowledgements end. */
static int early_fits(const hawser_device *d, const hawser_early *early) {
  const hawser_session *s = &d->session;
  const hawser_stream *st;
  uint32_t window = s->pairing->window_gateway;
  if (early == NULL || early->stream >= s->stream_count || (d->flags & EV_VERDICT) != 0) {
    return 0;
  }
  st = &s->streams[early->stream];
  return (st->flags & (HAWSER_ST_OPEN | HAWSER_ST_DOUBT | HAWSER_ST_HELD)) == HAWSER_ST_USED &&
         st->kind == HAWSER_KIND_STREAM && st->tx == st->tx_acked && st->tx_end == 0 &&
         ((st->flags & HAWSER_ST_SENT) == 0 || (st->flags & HAWSER_ST_KNOWN) != 0) && early->len <= window;
}

static HAWSER_APART int put_early_frames(hawser_writer *w, const hawser_device *d, const hawser_early *early) {
  hawser_fields f = {0};
  f.code = early->fin ? HAWSER_FRAME_FIN : HAWSER_FRAME_DATA;
  f.id = early->stream;
  f.bytes = early->data;
  f.len = early->len;
  return hawser_channel_name(&d->session, &d->session.streams[early->stream], w) && hawser_fields_write(w, &f);
}

static void note_early(hawser_device *d, const hawser_early *early) {
  d->early_stream = early->stream;
  d->early_tx = d->session.streams[early->stream].tx + early->len;
  d->flags |= EARLY | (early->idempotent ? (uint32_t)IDEMPOTENT : 0u) | (early->fin ? (uint32_t)EARLY_FIN : 0u);
}

/* Puts early data behind pay1 if it may ride along and there is room. */
static int put_early(hawser_writer *w, const hawser_device *d, const hawser_early *early) {
  hawser_writer trial = *w;
  if (!early_fits(d, early) || !put_early_frames(&trial, d, early)) {
    return 0;
  }
  *w = trial;
  return 1;
}

#else

static int put_early(const hawser_writer *w, const hawser_device *d, const hawser_early *early) {
  (void)w;
  (void)d;
  (void)early;
  return 0;
}

static void note_early(const hawser_device *d, const hawser_early *early) {
  (void)d;
  (void)early;
}

#endif

/* SPEC 7.4 rule 1: built once per position, then repeated byte for byte. */
static int build_resumption(hawser_device *d, const hawser_early *early, int *early_taken) {
  hawser_step at = {d->session.pairing, d->chain, d->b, d->i, d->step};
  hawser_writer w = {d->message1 + HAWSER_RESUME_HEAD, d->message1_cap - HAWSER_RESUME_HEAD - HAWSER_TAG_LEN, 0};
  size_t pay1_len;
  int carries, err;
  hawser_put(&w, 1, 0);
  hawser_put_bytes(&w, d->session.name, HAWSER_NAME_LEN);
  carries = put_early(&w, d, early);
  d->message1[HAWSER_RESUME_HEAD] = carries ? HAWSER_PAY1_EARLY : 0;
  pay1_len = (size_t)(w.at - (d->message1 + HAWSER_RESUME_HEAD));
  err = hawser_resume_write1(&at, d->message1, pay1_len, d->h1);
  if (err != HAWSER_OK) {
    hawser_port_wipe(d->message1, d->message1_cap);
    return err;
  }
  d->message1_len = HAWSER_RESUME_HEAD + pay1_len + HAWSER_TAG_LEN;
  d->flags &= ~(uint32_t)(IDEMPOTENT | EARLY_FIN);
  if (carries) {
    note_early(d, early);
    *early_taken = 1;
  }
  return HAWSER_OK;
}

/* ---- ladder, SPEC 7.4 rules 2 and 5 ---- */

static int must_jump(hawser_device *d, uint64_t now_ms) {
  if ((d->flags & CHAIN) == 0 || !is_warm(d)) {
    return 0;
  }
  if (d->i >= d->session.pairing->max_steps) {
    return 1; /* SPEC 7.3 */
  }
  if (now_ms < d->first_ms) {
    d->first_ms = now_ms; /* a clock that went back: patience begins anew, and ends */
  }
  return d->message1_len > 0 && now_ms - d->first_ms >= HAWSER_WARM_PATIENCE_MS;
}

static uint8_t choose(const hawser_device *d) {
  if ((d->flags & CHAIN) == 0 || (d->flags & UNPROVEN) != 0) {
    return HAWSER_FULL; /* the gateway may not know the chain: it learns it with this end's first record */
  }
  if (has_ecdh(d) && (d->b >= d->session.pairing->max_blocks || (!is_warm(d) && (d->flags & TRIED) != 0))) {
    return HAWSER_FULL; /* SPEC 7.3, or its turn */
  }
  return HAWSER_RESUMPTION;
}

int hawser_connect(hawser_device *d, uint8_t transport, const hawser_early *early, int *early_taken, uint64_t now_ms) {
  uint8_t kind;
  int err = HAWSER_OK;
  int taken = 0;
  *early_taken = 0;
  if (d->state != IDLE) {
    return HAWSER_ERR_STATE;
  }
  if (!hawser_transport_known(transport)) {
    return HAWSER_ERR_ARG;
  }
  if (must_jump(d, now_ms)) {
    err = jump(d);
  }
  kind = choose(d);
  if (err == HAWSER_OK && kind == HAWSER_FULL && !has_ecdh(d)) {
    err = HAWSER_ERR_STATE;
  }
  if (err == HAWSER_OK && kind == HAWSER_RESUMPTION && d->message1_len == 0) {
    err = build_resumption(d, early, &taken);
    d->first_ms = now_ms;
  }
  if (err != HAWSER_OK) {
    return err;
  }
  if (kind == HAWSER_FULL) {
    d->flags &= ~(uint32_t)TRIED;
  } else if (!is_warm(d)) {
    d->flags |= TRIED;
  }
  d->session.link.transport = transport;
  d->session.rx_len = 0;
  d->kind = kind;
  d->bad = 0;
  d->sent = 0;
  d->received = 0;
  d->status = 0;
  d->state = SENT;
  d->flags |= SEND;
  d->attempt_ms = now_ms + HAWSER_ATTEMPT_MS;
  *early_taken = taken;
  return HAWSER_OK;
}

#if HAWSER_ECDH
/* Each attempt has an ephemeral key of its own, so message 1 need not be kept: it is made where it is sent from. */
static HAWSER_APART int write_full(hawser_device *d, uint8_t *out, size_t cap, size_t *len) {
  uint8_t transport = d->session.link.transport;
  size_t front = hawser_frame_front(transport, cap) + HAWSER_HEADER_LEN;
  uint8_t *message = out + front;
  size_t message_len = 0;
  hawser_noise n;
  int err = cap < HAWSER_SEND_MIN ? HAWSER_ERR_BUFFER
                                  : hawser_full_write1(&n, d->session.pairing, message, cap - front, &message_len);
  if (err == HAWSER_OK) {
    err = hawser_frame_message(transport, message, message_len, out, cap, len);
  }
  if (err == HAWSER_OK) {
    memcpy(d->u.full.e, n.e, sizeof n.e);
    memcpy(d->u.full.ck, n.s.ck, sizeof n.s.ck);
    memcpy(d->u.full.h, n.s.h, sizeof n.s.h);
  }
  hawser_port_wipe(&n, sizeof n);
  return err;
}
#endif

static int write_message1(hawser_device *d, uint8_t *out, size_t cap, size_t *len) {
#if HAWSER_ECDH
  if (d->kind == HAWSER_FULL) {
    return write_full(d, out, cap, len);
  }
#endif
  return hawser_frame_message(d->session.link.transport, d->message1, d->message1_len, out, cap, len);
}

int hawser_device_send(hawser_device *d, uint8_t *out, size_t cap, size_t *len, uint64_t now_ms) {
  int err;
  *len = 0;
  if (d->state == LIVE) {
    return hawser_send(&d->session, out, cap, len, now_ms);
  }
  if (d->state != SENT || (d->flags & SEND) == 0) {
    return HAWSER_OK;
  }
  err = write_message1(d, out, cap, len);
  if (err == HAWSER_OK) {
    d->sent = (uint16_t)*len;
    d->flags &= ~(uint32_t)SEND;
  }
  return err;
}

/* ---- live ---- */

#if HAWSER_STREAMS

/* Early data's stream, now that the link is named and the verdict known. */
static void settle_early(hawser_device *d) {
  hawser_session *s = &d->session;
  hawser_stream *st = &s->streams[d->early_stream];
  int alive = (st->flags & HAWSER_ST_OPEN) == HAWSER_ST_USED;
  d->verdict = d->status & HAWSER_STATUS_VERDICT;
  d->flags = (d->flags & ~(uint32_t)EARLY) | EV_VERDICT;
  if (alive) {
    hawser_channel_early(s, st, d->verdict == HAWSER_TAKEN, d->early_tx, (d->flags & EARLY_FIN) != 0);
  } else if (d->verdict == HAWSER_TAKEN) {
    /* the gateway has a stream that was given up here meanwhile: it is told so */
    st->owed = (hawser_owed){st->serial, d->early_stream, HAWSER_CANCELLED};
  }
}

/* A stream whose early data is in doubt must be marked before the session is renewed. */
static void doubt_early(hawser_device *d) {
  if ((d->status & HAWSER_STATUS_VERDICT) == HAWSER_UNKNOWN) {
    early_unknown(d);
  }
}

#else

static void settle_early(const hawser_device *d) {
  (void)d;
}

static void doubt_early(const hawser_device *d) {
  (void)d;
}

#endif

static void start_session(hawser_device *d, uint64_t now_ms) {
  hawser_session *s = &d->session;
  int named = !hawser_is_zero(s->name, HAWSER_NAME_LEN);
  hawser_session_up(s, now_ms);
  s->flags |= HAWSER_SF_FIRST_DUE;
  if (d->kind == HAWSER_FULL) {
    s->flags |= HAWSER_SF_STATE_DUE | HAWSER_SF_STATUS_WAIT;
  }
  if (d->kind == HAWSER_FULL && named) {
    s->flags |= HAWSER_SF_HOLD; /* STATUS will say whether it is continued */
  } else if (HAWSER_STREAMS && (d->status & HAWSER_STATUS_CONTINUED) != 0) {
    hawser_channel_continue(s);
  } else {
    hawser_channel_renew(s);
  }
}

/* Leaves the answered position and takes the link into use. */
static void go_live(hawser_device *d, uint64_t now_ms) {
  int early = has_early(d) && d->kind == HAWSER_RESUMPTION;
  if (early) {
    doubt_early(d);
  }
  if (!early) {
    leave_position(d); /* a full handshake leaves early data behind without a verdict */
  }
  start_session(d, now_ms);
  if (early) {
    settle_early(d);
  }
  leave_position(d);
  if (d->kind == HAWSER_RESUMPTION) {
    d->i++;
  }
  memcpy(d->step, d->u.store.step, HAWSER_KEY_LEN);
  hawser_port_wipe(&d->u, sizeof d->u);
  d->flags &= ~(uint32_t)TRIED;
  d->session.link.live = 1;
  d->state = LIVE;
  hawser_session_note(&d->session, now_ms);
}

/* ---- message 2 ---- */

/* A valid answer leads to keys, which are derived where the link will have them, and to u.store. Nobody reads either before this. */
static void commit(hawser_device *d, int stores, uint64_t now_ms) {
  if (!stores) {
    go_live(d, now_ms);
    return;
  }
  d->sequence++; /* the image may reach flash even if nobody hears of it */
  d->state = STORE;
  d->session.now_ms = now_ms;
  d->flags = (d->flags & ~(uint32_t)STORING) | EV_STORE; /* a late word on an older image is no word on this one */
}

#if HAWSER_ECDH

/* SPEC 7.4 rule 4: B_1 of the new chain is stored, f = 1; RAM stands at (0, 0). Aside, because u has what the same message 2 is
 * read with again, should the port fail. */
static HAWSER_APART int new_chain(hawser_device *d, const uint8_t b0[HAWSER_KEY_LEN]) {
  struct hawser_store next;
  int err = hawser_chain_of(b0, next.slot + SLOT_CHAIN, next.step, next.slot + SLOT_BLOCK);
  if (err == HAWSER_OK) {
    err = write_slot(next.slot, d->sequence + 1, 1);
  }
  if (err == HAWSER_OK) {
    d->u.store = next; // cppcheck-suppress uninitvar
  }
  hawser_port_wipe(&next, sizeof next);
  return err;
}

static HAWSER_APART int read_full(hawser_device *d, const hawser_keys *keys, const uint8_t *message, size_t len) {
  uint8_t b0[HAWSER_KEY_LEN];
  int err = hawser_full_read2(&d->u.full, d->session.pairing, message, len, keys, b0);
  if (err == HAWSER_OK) {
    err = new_chain(d, b0);
  }
  hawser_port_wipe(b0, sizeof b0);
  return err;
}
#endif

/* SPEC 7.2: a verdict exactly where there was early data; nothing is continued that has no name; no other bits. */
static int status_valid(const hawser_device *d, uint8_t status) {
  int verdict = status & HAWSER_STATUS_VERDICT;
  int continued = (status & HAWSER_STATUS_CONTINUED) != 0;
  int early = has_early(d);
  return (status & ~(HAWSER_STATUS_VERDICT | HAWSER_STATUS_CONTINUED)) == 0 && (verdict != HAWSER_NO_EARLY) == early &&
         !(continued && hawser_is_zero(d->session.name, HAWSER_NAME_LEN));
}

/* B_{f+1} must be in flash before (f, 0) is left. */
static int next_block(hawser_device *d) {
  uint8_t *image = d->u.store.slot;
  int err = from_block(d, HAWSER_LABEL_BLOCK, image + SLOT_BLOCK);
  memcpy(image + SLOT_CHAIN, d->chain, HAWSER_NAME_LEN);
  return err != HAWSER_OK ? err : write_slot(image, d->sequence + 1, d->f + 1);
}

static int read_resumption(hawser_device *d, const hawser_keys *keys, const uint8_t *message, size_t len) {
  int err =
      hawser_resume_read2(d->step, d->h1, d->session.link.transport, message, len, keys, &d->u.answer, &d->status);
  if (err == HAWSER_OK && !status_valid(d, d->status)) {
    err = HAWSER_ERR_AUTH;
  }
  if (err == HAWSER_OK && !is_warm(d)) {
    err = next_block(d);
  }
  if (err != HAWSER_OK) {
    d->status = 0;
    hawser_port_wipe(&d->u, sizeof d->u);
  }
  return err;
}

static HAWSER_APART int take_answer(hawser_device *d, const uint8_t *message, size_t len, uint64_t now_ms) {
  hawser_session *s = &d->session;
  const hawser_keys keys = {s->link.tx_key, s->link.rx_key, s->next};
  int stores = !is_warm(d);
  int err;
#if HAWSER_ECDH
  if (d->kind == HAWSER_FULL) {
    stores = 1;
    err = read_full(d, &keys, message, len);
  } else
#endif
    err = read_resumption(d, &keys, message, len);
  if (err == HAWSER_OK) {
    commit(d, stores, now_ms);
  } else {
    hawser_port_wipe(s->link.tx_key, sizeof s->link.tx_key);
    hawser_port_wipe(s->link.rx_key, sizeof s->link.rx_key);
  }
  return err;
}

int hawser_stored(hawser_device *d, int result) {
  slot next;
  if ((d->flags & STORING) == 0 || (d->state != STORE && d->state != IDLE)) {
    return HAWSER_ERR_STATE;
  }
  d->flags &= ~(uint32_t)STORING;
  if (result != HAWSER_NOT_STORED) {
    d->flags ^= SLOT_0;
  }
  if (d->state == IDLE) {
    return HAWSER_OK; /* the link was lost meanwhile: the position and its message 1 were kept */
  }
  if (result != HAWSER_STORED) {
    hawser_disconnected(d, d->session.now_ms);
    return HAWSER_ERR_STORAGE;
  }
  if (read_slot(d->u.store.slot, &next) != 1) {
    return HAWSER_ERR_CRYPTO;
  }
  if (d->kind == HAWSER_FULL) {
    d->b = 0;
    d->i = 0;
    d->flags |= UNPROVEN;
  }
  (void)boot_slot(d, &next);
  d->flags = (d->flags | CHAIN) & ~(uint32_t)(ROOT | EV_STORE);
  go_live(d, d->session.now_ms);
  return HAWSER_OK;
}

/* ---- bytes in ---- */

/* SPEC 7.4 rule 3: a bad answer changes nothing; a serial line waits on, for so many of them. */
static int bad_answer(hawser_device *d, int err) {
  if (!hawser_is_serial(d->session.link.transport) || (err != HAWSER_ERR_AUTH && err != HAWSER_ERR_FORMAT)) {
    return err;
  }
  d->bad++;
  return d->bad >= HAWSER_BAD_ANSWERS ? HAWSER_ERR_AUTH : HAWSER_OK;
}

/* The next message of the gateway, its length field taken off: at NULL if none is whole yet, or what came is to be skipped. */
static HAWSER_APART int collect_answer(hawser_device *d, uint8_t *in, size_t in_len, hawser_frame *frame,
                                       size_t *framed) {
  const hawser_expect expect = {0, HAWSER_HEADER_LEN + HAWSER_RESUME2_LEN, HAWSER_HEADER_LEN + HAWSER_MESSAGE2_MAX};
  hawser_session *s = &d->session;
  int err = hawser_frame_collect(s->link.transport, s->rx, &s->rx_len, s->rx_cap, in, in_len, expect, frame);
  if (err != HAWSER_OK || frame->at == NULL) {
    return err;
  }
  *framed = hawser_frame_len(s->link.transport, frame);
  if (hawser_frame_decode(s->link.transport, frame) != HAWSER_OK ||
      (hawser_is_serial(s->link.transport) && frame->at[0] > HAWSER_FIRST_MESSAGE)) {
    frame->at = NULL; /* serial: noise, or a record of a link that is gone */
    return HAWSER_OK;
  }
  if (frame->at[0] > HAWSER_FIRST_MESSAGE || (d->flags & SEND) != 0) {
    return HAWSER_ERR_FORMAT;
  }
  frame->at += HAWSER_HEADER_LEN;
  frame->len -= HAWSER_HEADER_LEN;
  return HAWSER_OK;
}

static int receive_answer(hawser_device *d, uint8_t *in, size_t in_len, size_t *used, uint64_t now_ms) {
  hawser_frame frame;
  size_t framed = 0;
  int err = collect_answer(d, in, in_len, &frame, &framed);
  *used = frame.used;
  if (err != HAWSER_OK || frame.at == NULL) {
    return err;
  }
  err = take_answer(d, frame.at, frame.len, now_ms);
  if (err != HAWSER_OK) {
    return bad_answer(d, err);
  }
  d->received = (uint16_t)framed;
  return HAWSER_OK;
}

int hawser_device_receive(hawser_device *d, uint8_t *in, size_t in_len, size_t *used, uint64_t now_ms) {
  *used = 0;
  if (d->state == LIVE) {
    int err = hawser_receive(&d->session, in, in_len, used, now_ms);
    if (d->session.link.rx_counter > 0) {
      d->flags &= ~(uint32_t)UNPROVEN;
    }
    return err;
  }
  if (d->state == SENT) {
    return receive_answer(d, in, in_len, used, now_ms);
  }
  if (d->state != STORE) {
    return HAWSER_ERR_STATE;
  }
  /* SPEC 6: a candidate is sent nothing but message 2 */
  if (d->session.link.transport == HAWSER_STREAM && in_len > 0) {
    return HAWSER_ERR_FORMAT;
  }
  *used = in_len;
  return HAWSER_OK;
}

int hawser_device_next(hawser_device *d, hawser_event *event) {
  if ((d->flags & (EV_STORE | EV_VERDICT)) == 0) {
    return hawser_next(&d->session, event);
  }
  memset(event, 0, sizeof *event);
  if ((d->flags & EV_STORE) != 0) {
    d->flags = (d->flags & ~(uint32_t)EV_STORE) | STORING;
    event->type = HAWSER_EV_STORE;
    event->value = (d->flags & SLOT_0) != 0;
    event->data = d->u.store.slot;
    event->len = HAWSER_SLOT_LEN;
  } else {
    d->flags &= ~(uint32_t)EV_VERDICT;
    event->type = HAWSER_EV_VERDICT;
    event->stream = d->early_stream;
    event->value = d->verdict;
  }
  return HAWSER_OK;
}

/* ---- time, and the link's end ---- */

uint64_t hawser_device_deadline(const hawser_device *d) {
  if ((d->flags & (EV_STORE | EV_VERDICT)) != 0) {
    return d->session.now_ms;
  }
  if (d->state == SENT && !hawser_session_has_events(&d->session)) {
    return d->attempt_ms;
  }
  return hawser_deadline(&d->session);
}

int hawser_device_timeout(hawser_device *d, uint64_t now_ms) {
  if (d->state != SENT) {
    return hawser_timeout(&d->session, now_ms);
  }
  if (d->attempt_ms == HAWSER_NEVER) {
    return HAWSER_OK; /* said once */
  }
  if (d->attempt_ms > now_ms + HAWSER_ATTEMPT_MS) {
    d->attempt_ms = now_ms + HAWSER_ATTEMPT_MS; /* a clock that went back */
  }
  if (now_ms >= d->attempt_ms) {
    d->session.flags |= HAWSER_SF_EV_DEAD;
    d->attempt_ms = HAWSER_NEVER;
  }
  return HAWSER_OK;
}

void hawser_disconnected(hawser_device *d, uint64_t now_ms) {
  if (d->state == OFF) {
    return;
  }
  hawser_link_down(&d->session);
  hawser_port_wipe(&d->u, sizeof d->u);
  d->session.now_ms = now_ms;
  d->flags &= ~(uint32_t)(SEND | EV_STORE);
  d->state = IDLE;
}

void hawser_device_wipe(hawser_device *d) {
  if (d->message1 != NULL) {
    hawser_port_wipe(d->message1, d->message1_cap);
  }
  hawser_session_wipe(&d->session);
  hawser_port_wipe(d, sizeof *d);
}

void hawser_device_handshake(const hawser_device *d, hawser_handshake_info *info) {
  int full = d->kind == HAWSER_FULL;
  memset(info, 0, sizeof *info);
  info->kind = d->kind;
  info->ecdh = (uint8_t)(!full ? 0 : d->session.pairing->mode == HAWSER_PSK ? 1 : 3); /* ee; es, ee, se */
  info->verdict = d->status & HAWSER_STATUS_VERDICT;
  info->sent = d->sent;
  info->received = d->received;
}

/* ---- streams ---- */

/* SPEC 11: 1..32 bytes of a-z 0-9 . _ - */
static int name_valid(const char *name) {
  size_t len = name != NULL ? strlen(name) : 0;
  return len >= 1 && len <= HAWSER_UPSTREAM_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* Early data of this id has no verdict yet, or none that was told: the id still means that stream. */
static int is_early(const hawser_device *d, uint16_t id) {
  return (d->flags & (EARLY | EV_VERDICT)) != 0 && id == d->early_stream;
}

int hawser_open(hawser_device *d, const char *name, uint8_t kind, uint16_t *stream) {
  hawser_session *s = &d->session;
  if (!name_valid(name) || kind > HAWSER_KIND_MESSAGES || (!HAWSER_STREAMS && kind != HAWSER_KIND_MESSAGES)) {
    return HAWSER_ERR_ARG;
  }
  if (s->serial == UINT32_MAX) {
    return HAWSER_ERR_LIMIT;
  }
  for (uint16_t id = 0; id < s->stream_count; id++) {
    if (s->streams[id].flags == 0 && !is_early(d, id)) {
      hawser_channel_open(s, &s->streams[id], name, kind);
      *stream = id;
      return HAWSER_OK;
    }
  }
  return HAWSER_ERR_LIMIT;
}

int hawser_name(hawser_device *d, uint16_t stream, const char *name) {
  if (stream >= d->session.stream_count || !(d->session.streams[stream].flags & HAWSER_ST_USED) || !name_valid(name)) {
    return HAWSER_ERR_ARG;
  }
  d->session.streams[stream].name = name;
  return HAWSER_OK;
}

/* ---- saved state, SPEC 7.4 ---- */

#if HAWSER_SAVE

#define SAVE_HEAD 20
enum saved_flag { SAVED_KNOWN = 1, SAVED_PEER_FIN = 2, SAVED_OWN_FIN = 4 };

static int is_saved(const hawser_stream *st) {
  return (st->flags & HAWSER_ST_OPEN) == HAWSER_ST_USED;
}

static void put_saved(hawser_writer *w, const hawser_stream *st, uint16_t id) {
  int known = (st->flags & (HAWSER_ST_KNOWN | HAWSER_ST_OPENED)) != 0;
  int peer_fin = st->rx_end != 0 && st->rx_acked == st->rx_end;
  int own_fin = st->tx_end != 0; /* one in flight is not saved */
  hawser_put(w, 2, id);
  hawser_put(w, 4, st->serial);
  hawser_put(w, 1, st->kind);
  hawser_put(w, 1,
             (uint64_t)((known ? SAVED_KNOWN : 0) | (peer_fin ? SAVED_PEER_FIN : 0) | (own_fin ? SAVED_OWN_FIN : 0)));
  hawser_put(w, 6, st->tx_acked);
  hawser_put(w, 6, st->rx_acked);
}

static int put_saved_streams(hawser_writer *w, const hawser_session *s, uint8_t *count) {
  for (uint16_t id = 0; id < s->stream_count; id++) {
    const hawser_stream *st = &s->streams[id];
    if (!is_saved(st)) {
      continue;
    }
    if (st->tx_end != 0 && st->tx_acked != st->tx_end) {
      return HAWSER_ERR_STATE; /* SPEC 7.4: the offset of a FIN in flight would be lost */
    }
    put_saved(w, st, id);
    (*count)++;
  }
  return w->bad ? HAWSER_ERR_LIMIT : HAWSER_OK;
}

int hawser_save(const hawser_device *d, uint8_t kind, uint8_t blob[HAWSER_SAVE_MAX], size_t *len) {
  const hawser_session *s = &d->session;
  hawser_writer w = {blob, HAWSER_SAVE_MAX - HAWSER_CHECK_LEN, 0};
  int retained = kind == HAWSER_SAVE_RETAINED;
  uint8_t count = 0;
  int err;
  if (kind != HAWSER_SAVE_FLASH && !retained) {
    return HAWSER_ERR_ARG;
  }
  /* a position is saved only when no message 1 was sent under it, and the gateway is known to know it */
  if (d->state != IDLE || (retained && (d->message1_len > 0 || (d->flags & (CHAIN | UNPROVEN)) != CHAIN))) {
    return HAWSER_ERR_STATE;
  }
  hawser_put_bytes(&w, (const uint8_t *)"HWSV\1", 5);
  hawser_put(&w, 1, kind);
  hawser_put(&w, 2, 0); /* count follows below; zero */
  hawser_put_bytes(&w, s->name, HAWSER_NAME_LEN);
  hawser_put(&w, 4, s->serial);
  if (retained) {
    hawser_put_bytes(&w, d->chain, HAWSER_NAME_LEN);
    hawser_put(&w, 4, d->b);
    hawser_put(&w, 4, d->i);
    hawser_put_bytes(&w, d->step, HAWSER_KEY_LEN);
  }
  err = put_saved_streams(&w, s, &count);
  if (err == HAWSER_OK) {
    size_t body = (size_t)(w.at - blob);
    blob[6] = count;
    err = hawser_check(blob, body, blob + body);
    *len = body + HAWSER_CHECK_LEN;
  }
  if (err != HAWSER_OK) {
    hawser_port_wipe(blob, HAWSER_SAVE_MAX);
  }
  return err;
}

typedef struct saved {
  const uint8_t *name, *chain, *step;
  uint32_t serial, b, i;
  uint8_t kind, count;
} saved;

static int saved_stream_valid(const hawser_session *s, hawser_reader *r, uint32_t serial) {
  uint64_t id = hawser_get(r, 2);
  uint64_t own = hawser_get(r, 4);
  uint64_t kind = hawser_get(r, 1);
  uint64_t flags = hawser_get(r, 1);
  uint64_t acked = hawser_get(r, 6);
  uint64_t ack = hawser_get(r, 6);
  return !r->bad && id < s->stream_count && own >= 1 && own <= serial && kind <= HAWSER_KIND_MESSAGES && flags <= 7 &&
         (!(flags & SAVED_OWN_FIN) || acked > 0) && (!(flags & SAVED_PEER_FIN) || ack > 0);
}

/* Everything is checked before anything is taken. r is left at the first stream. */
static int read_saved(const hawser_device *d, hawser_reader *r, saved *out) {
  hawser_reader streams;
  const uint8_t *magic = hawser_get_bytes(r, 5);
  out->kind = (uint8_t)hawser_get(r, 1);
  out->count = (uint8_t)hawser_get(r, 1);
  if (hawser_get(r, 1) != 0 || r->bad || memcmp(magic, "HWSV\1", 5) != 0) {
    return HAWSER_ERR_FORMAT;
  }
  out->name = hawser_get_bytes(r, HAWSER_NAME_LEN);
  out->serial = (uint32_t)hawser_get(r, 4);
  if (out->kind == HAWSER_SAVE_RETAINED) {
    out->chain = hawser_get_bytes(r, HAWSER_NAME_LEN);
    out->b = (uint32_t)hawser_get(r, 4);
    out->i = (uint32_t)hawser_get(r, 4);
    out->step = hawser_get_bytes(r, HAWSER_KEY_LEN);
  } else if (out->kind != HAWSER_SAVE_FLASH) {
    return HAWSER_ERR_FORMAT;
  }
  streams = *r;
  for (uint8_t k = 0; k < out->count; k++) {
    if (!saved_stream_valid(&d->session, &streams, out->serial)) {
      return HAWSER_ERR_FORMAT;
    }
  }
  if (!hawser_reader_done(&streams)) {
    return HAWSER_ERR_FORMAT;
  }
  return HAWSER_OK;
}

/* SPEC 7.4: restoring sets tx = acked and rx = ack. */
static void restore_stream(hawser_session *s, hawser_reader *r) {
  hawser_stream *st = &s->streams[hawser_get(r, 2)];
  uint8_t flags;
  memset(st, 0, sizeof *st);
  st->serial = (uint32_t)hawser_get(r, 4);
  st->kind = (uint8_t)hawser_get(r, 1);
  flags = (uint8_t)hawser_get(r, 1);
  st->tx = st->tx_acked = hawser_get(r, 6);
  st->tx_high = HAWSER_OFFSET_MAX; /* how far it got, the gateway alone knows */
  st->rx = st->rx_acked = st->rx_sent = hawser_get(r, 6);
  st->tx_end = flags & SAVED_OWN_FIN ? st->tx : 0;
  st->rx_end = flags & SAVED_PEER_FIN ? st->rx : 0;
  st->rx_at = HAWSER_NOWHERE;
  st->flags = HAWSER_ST_USED | HAWSER_ST_SENT | HAWSER_ST_HELD;
  if (flags & SAVED_KNOWN) {
    st->flags |= HAWSER_ST_KNOWN | HAWSER_ST_OPENED;
  }
}

/* A retained position must be of the chain that flash holds: (f, 0) itself, or in the block before. */
static int position_fits(const hawser_device *d, const saved *in) {
  return (d->flags & CHAIN) != 0 && memcmp(in->chain, d->chain, HAWSER_NAME_LEN) == 0 &&
         !hawser_is_zero(in->step, HAWSER_KEY_LEN) &&
         (in->b == d->f ? in->i == 0 : d->f > 0 && in->b == d->f - 1 && in->i <= d->session.pairing->max_steps);
}

/* All of it or, after an error, none. */
static int take_saved(hawser_device *d, const uint8_t *blob, size_t len, uint8_t *kind) {
  hawser_session *s = &d->session;
  hawser_reader r = {blob, 0, 0};
  saved in;
  int err;
  if (len < SAVE_HEAD + HAWSER_CHECK_LEN || len > HAWSER_SAVE_MAX) {
    return HAWSER_ERR_FORMAT;
  }
  memset(&in, 0, sizeof in);
  r.left = len - HAWSER_CHECK_LEN;
  err = hawser_check_matches(blob, r.left);
  if (err != 1) {
    return err < 0 ? err : HAWSER_ERR_FORMAT;
  }
  err = read_saved(d, &r, &in);
  if (err == HAWSER_OK && in.kind == HAWSER_SAVE_RETAINED && !position_fits(d, &in)) {
    err = HAWSER_ERR_FORMAT;
  }
  if (err != HAWSER_OK) {
    return err;
  }
  memcpy(s->name, in.name, HAWSER_NAME_LEN);
  s->serial = in.serial;
  for (uint8_t k = 0; k < in.count; k++) {
    restore_stream(s, &r);
  }
  if (in.kind == HAWSER_SAVE_RETAINED) {
    d->b = in.b;
    d->i = in.i;
    memcpy(d->step, in.step, HAWSER_KEY_LEN);
  }
  *kind = in.kind;
  return HAWSER_OK;
}

int hawser_restore(hawser_device *d, uint8_t *blob, size_t len) {
  uint8_t kind = HAWSER_SAVE_RETAINED;
  int err;
  if (d->state != IDLE || d->message1_len > 0 || d->session.serial != 0) {
    return HAWSER_ERR_STATE; /* only into a device that has just booted */
  }
  err = take_saved(d, blob, len, &kind);
  if (kind == HAWSER_SAVE_RETAINED) {
    hawser_port_wipe(blob, len); /* SPEC 7.4: wiped by restoring it, and where it is of no use */
  }
  return err;
}

#endif
