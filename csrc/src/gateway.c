/*
 * gateway.c - the responder: a link until its first valid record, the store's half of a chain, and what a session takes
 * over from a candidate. SPEC 6, 7.5 and 8 (gateway). Who the device is, whether it may, and what is stored is the caller's.
 */
#include "hawser/gateway.h"

#if HAWSER_GATEWAY

#include <string.h>

#include "handshake.h"
#include "resume.h"
#include "session.h"

enum state { FIRST, LOOKUP, CHECKED, CANDIDATE, CONFIRMED, DEAD };

#define FRAME_LEN HAWSER_COBS_LEN(HAWSER_MESSAGE1_MAX + HAWSER_HEADER_LEN)
#define FIRST_RECORD_LEN (HAWSER_FIRST_RECORD_MAX + HAWSER_RECORD_OVERHEAD)

/* ---- process ---- */

int hawser_gateway_init(hawser_gateway_context *g) {
  g->counter = 0;
  return hawser_port_random(g->boot_key, sizeof g->boot_key);
}

/* n_g = PRF(boot key, "ng", SHA256(32 random bytes || u64 counter || h1))[0..16] */
static int make_n_g(hawser_gateway_context *g, const uint8_t h1[HAWSER_HASH_LEN], uint8_t n_g[16]) {
  uint8_t random[32], counter[8];
  hawser_bytes parts[3] = {{random, sizeof random}, {counter, sizeof counter}, {h1, HAWSER_HASH_LEN}};
  hawser_writer w = {counter, sizeof counter, 0};
  int err = hawser_port_random(random, sizeof random);
  hawser_put(&w, 8, g->counter++);
  if (err == HAWSER_OK) {
    err = hawser_prf_of(g->boot_key, HAWSER_LABEL_NG, parts, 3, n_g, 16);
  }
  hawser_port_wipe(random, sizeof random);
  return err;
}

/* ---- chain, SPEC 7.1 ---- */

int hawser_chain_valid(const hawser_chain *c) {
  return !hawser_is_zero(c->r, sizeof c->r) && !hawser_is_zero(c->next, sizeof c->next);
}

int hawser_chain_start(hawser_chain *chain, const uint8_t b0[HAWSER_KEY_LEN]) {
  hawser_chain c;
  int err;
  memset(&c, 0, sizeof c);
  err = hawser_is_zero(b0, HAWSER_KEY_LEN) ? HAWSER_ERR_ARG : hawser_chain_of(b0, c.id, c.r, c.next);
  if (err == HAWSER_OK) {
    *chain = c;
  }
  hawser_port_wipe(&c, sizeof c);
  return err;
}

/* To (b + n, 0), n >= 1. */
static int move_blocks(hawser_chain *c, uint32_t n) {
  int err = HAWSER_OK;
  for (; err == HAWSER_OK && n > 0; n--) {
    hawser_prf prf;
    hawser_prf_start(&prf, c->next);
    hawser_prf_next(&prf, HAWSER_LABEL_FIRST, NULL, c->r, sizeof c->r);
    hawser_prf_next(&prf, HAWSER_LABEL_BLOCK, NULL, c->next, sizeof c->next);
    err = hawser_prf_end(&prf);
    c->b++;
    c->i = 0;
  }
  return err;
}

int hawser_chain_move(hawser_chain *chain, hawser_position to) {
  hawser_chain c = *chain;
  int err = HAWSER_ERR_ARG;
  if (to.b == c.b && to.i == c.i) {
    return HAWSER_OK;
  }
  if (to.b == c.b && c.i != UINT32_MAX && to.i == c.i + 1) {
    err = hawser_prf_once(c.r, HAWSER_LABEL_NEXT, NULL, c.r, sizeof c.r);
    c.i++;
  } else if (to.b > c.b && to.i == 0) {
    err = move_blocks(&c, to.b - c.b);
  }
  if (err == HAWSER_OK) {
    *chain = c;
  }
  hawser_port_wipe(&c, sizeof c);
  return err;
}

/* Position k of p's window, SPEC 7.5 rule 1. */
static int window_position(const hawser_chain *chain, uint32_t k, hawser_position *at) {
  at->b = chain->b;
  at->i = chain->i;
  if (k == 1) {
    at->i++;
    return at->i > chain->i;
  }
  if (k > 1) {
    at->b += k - 1;
    at->i = 0;
    return at->b > chain->b;
  }
  return 1;
}

int hawser_chain_ticket(const hawser_chain *chain, uint32_t k, hawser_position *position,
                        uint8_t ticket[HAWSER_TICKET_LEN]) {
  hawser_chain c = *chain;
  int err;
  if (!window_position(chain, k, position)) {
    return HAWSER_ERR_LIMIT;
  }
  err = hawser_chain_move(&c, *position);
  if (err == HAWSER_OK) {
    err = hawser_ticket_of(c.r, ticket);
  }
  hawser_port_wipe(&c, sizeof c);
  return err;
}

/* ---- accept: bytes in ---- */

int hawser_accept_init(hawser_accept *a, uint8_t transport, uint8_t buffer[HAWSER_ACCEPT_LEN]) {
  if (!hawser_transport_known(transport)) {
    return HAWSER_ERR_ARG;
  }
  memset(a, 0, sizeof *a);
  a->transport = transport;
  a->buffer = buffer;
  return HAWSER_OK;
}

static const uint8_t *message_of(const hawser_accept *a) {
  return a->buffer + HAWSER_HEADER_LEN;
}

/* Where decrypted early data lies, behind the room for frames. */
static uint8_t *early_of(const hawser_accept *a) {
  return a->buffer + FRAME_LEN;
}

static int is_full(uint8_t type) {
  return type >= HAWSER_TYPE_FULL_1 && type <= HAWSER_TYPE_FULL_1_LAST;
}

static uint8_t full_mode(uint8_t type) {
  return (uint8_t)(HAWSER_KEYS + (type - HAWSER_TYPE_FULL_1) / 2);
}

static uint8_t full_suite(uint8_t type) {
  return (uint8_t)(HAWSER_SUITE_ID_25519 + (type - HAWSER_TYPE_FULL_1) % 2);
}

/* SPEC 3.2: a message 1 of this type may have this length. */
static int type_fits(uint8_t type, size_t len) {
  size_t fixed;
  if (!is_full(type)) {
    return type == HAWSER_TYPE_RESUME_1 && len >= HAWSER_MESSAGE1_MIN && len <= HAWSER_MESSAGE1_MAX;
  }
  fixed = hawser_full_len(full_mode(type), full_suite(type));
  return len >= fixed + HAWSER_ID_MIN && len <= fixed + HAWSER_ID_MAX;
}

/* SPEC 3.2: mode, suite and n follow from type and length. */
static void full_event(const hawser_accept *a, hawser_accept_event *event) {
  event->type = HAWSER_ACCEPT_ID;
  event->mode = full_mode(a->type);
  event->suite = full_suite(a->type);
  event->id = message_of(a) + 1;
  event->id_len = a->message_len - hawser_full_len(event->mode, event->suite);
}

static void resumption_event(const hawser_accept *a, hawser_accept_event *event) {
  event->type = HAWSER_ACCEPT_TICKET;
  event->id = message_of(a) + 1;
  event->id_len = HAWSER_TICKET_LEN;
}

/* A message 1 lies at the start of the buffer. Starts over, whatever was there. */
static int on_message1(hawser_accept *a, size_t len, hawser_accept_event *event) {
  hawser_bytes part = {message_of(a), len};
  uint8_t digest1[HAWSER_HASH_LEN];
  int err = type_fits(message_of(a)[0], len) ? hawser_port_sha256(digest1, &part, 1) : HAWSER_ERR_FORMAT;
  if (err != HAWSER_OK) {
    return err;
  }
  memcpy(a->digest1, digest1, sizeof a->digest1);
  a->type = message_of(a)[0];
  a->message_len = len;
  if (is_full(a->type)) {
    full_event(a, event);
  } else {
    resumption_event(a, event);
  }
  hawser_port_wipe(&a->link, sizeof a->link);
  memset(a->name, 0, sizeof a->name);
  memset(a->continues, 0, sizeof a->continues);
  a->pairing = NULL;
  a->verdict = HAWSER_NO_EARLY;
  a->continued = 0;
  a->early = 0;
  a->early_len = 0;
  a->sent = 0;
  a->state = LOOKUP;
  return HAWSER_OK;
}

/* After a full handshake the first record opens with STATE, SPEC 9. */
static int read_state(hawser_accept *a) {
  hawser_reader r = {a->buffer + a->first_at, a->first_len, 0};
  uint64_t code;
  const uint8_t *name;
  if (!is_full(a->type)) {
    return HAWSER_OK;
  }
  code = hawser_get(&r, 1);
  name = hawser_get_bytes(&r, HAWSER_NAME_LEN);
  if (r.bad || code != HAWSER_FRAME_STATE) {
    return HAWSER_ERR_PEER;
  }
  memcpy(a->continues, name, HAWSER_NAME_LEN);
  a->first_at += 1 + HAWSER_NAME_LEN;
  a->first_len -= 1 + HAWSER_NAME_LEN;
  return HAWSER_OK;
}

static int on_first_record(hawser_accept *a, uint8_t *record, size_t len, hawser_accept_event *event) {
  int err = hawser_record_open(&a->link, record, len);
  if (err == HAWSER_OK) {
    a->first_at = (size_t)(record - a->buffer) + HAWSER_HEADER_LEN;
    a->first_len = len - HAWSER_RECORD_OVERHEAD;
    err = read_state(a);
    a->state = err == HAWSER_OK ? CONFIRMED : DEAD;
  }
  if (err == HAWSER_OK) {
    event->type = HAWSER_ACCEPT_CONFIRM;
  }
  return err;
}

static int on_frame(hawser_accept *a, hawser_frame *f, hawser_accept_event *event) {
  size_t framed = hawser_frame_len(a->transport, f);
  int message;
  int err = hawser_frame_decode(a->transport, f);
  if (err != HAWSER_OK) {
    return err;
  }
  message = f->at[0] <= HAWSER_FIRST_MESSAGE;
  if (message && (a->state == FIRST || hawser_is_serial(a->transport))) {
    err = on_message1(a, f->len - HAWSER_HEADER_LEN, event);
    a->received = err == HAWSER_OK ? (uint16_t)framed : a->received;
    return err;
  }
  if (message || a->state != CANDIDATE || f->len > FIRST_RECORD_LEN) {
    return HAWSER_ERR_FORMAT;
  }
  return on_first_record(a, f->at, f->len, event);
}

/* SPEC 3.4: on a serial line what is bad is skipped. */
static int skips(const hawser_accept *a, int err) {
  return hawser_is_serial(a->transport) && a->state != DEAD && (err == HAWSER_ERR_FORMAT || err == HAWSER_ERR_AUTH);
}

/* SPEC 3.3: on a stream a message 1 comes first, then one record. A serial line brings anything at any time. */
static hawser_expect expected(const hawser_accept *a) {
  const hawser_expect first = {0, HAWSER_HEADER_LEN + HAWSER_MESSAGE1_MIN, HAWSER_HEADER_LEN + HAWSER_MESSAGE1_MAX};
  const hawser_expect record = {1, HAWSER_RECORD_OVERHEAD, FIRST_RECORD_LEN};
  return a->state == FIRST ? first : record;
}

/* A message 1 on a stream whose type is known, and which cannot have the length announced. */
static int cannot_become(const hawser_accept *a) {
  return a->transport == HAWSER_STREAM && a->state == FIRST && a->frame_len > HAWSER_HEADER_LEN &&
         !type_fits(message_of(a)[0], (size_t)a->buffer[0] << 8 | a->buffer[1]);
}

int hawser_accept_receive(hawser_accept *a, const uint8_t *in, size_t in_len, size_t *used,
                          hawser_accept_event *event) {
  hawser_frame frame;
  size_t taken = 0;
  int err = HAWSER_OK;
  memset(event, 0, sizeof *event);
  *used = 0;
  if (a->state != FIRST && a->state != CANDIDATE) {
    return HAWSER_ERR_STATE;
  }
  while (err == HAWSER_OK && taken < in_len && event->type == HAWSER_ACCEPT_NONE) {
    /* byte runs up to a frame's end go through the buffer, so that `in` stays as it is */
    err = hawser_frame_take(a->transport, a->buffer, &a->frame_len, FRAME_LEN, in + taken, in_len - taken, expected(a),
                            &frame);
    taken += frame.used;
    if (err == HAWSER_OK && cannot_become(a)) {
      err = HAWSER_ERR_FORMAT;
    }
    if (err == HAWSER_OK && frame.at != NULL) {
      err = on_frame(a, &frame, event);
      err = skips(a, err) ? HAWSER_OK : err;
    }
  }
  *used = taken;
  return err;
}

/* SPEC 3.2: empty on stream and serial transports; and message 2 MUST NOT be longer than the message 1 it answers, which an
 * id of HAWSER_ID_MIN bytes leaves that much room for. */
static int connection_id_valid(const hawser_accept *a, size_t len) {
  return len == 0 || (a->transport == HAWSER_DATAGRAM && len <= HAWSER_ID_MIN);
}

/* ---- accept: full handshake ---- */

#if HAWSER_ECDH

int hawser_accept_offer_id(hawser_accept *a, const hawser_pairing *pairing) {
  hawser_noise n;
  int err;
  if (a->state != LOOKUP || !is_full(a->type)) {
    return HAWSER_ERR_STATE;
  }
  if (hawser_pairing_valid(pairing) != HAWSER_OK || pairing->mode == HAWSER_TICKET) {
    return HAWSER_ERR_ARG;
  }
  memset(&n, 0, sizeof n);
  err = hawser_full_check1(&n, pairing, message_of(a), a->message_len);
  if (err == HAWSER_OK) {
    memcpy(a->ck, n.s.ck, sizeof a->ck);
    memcpy(a->h, n.s.h, sizeof a->h);
    a->pairing = pairing;
    a->state = CHECKED;
  }
  hawser_port_wipe(&n, sizeof n);
  return err;
}

/* The state in which message 1 leaves the pattern: psk's was kept by the check, which needed no ECDH. */
static int resume_noise(const hawser_accept *a, hawser_noise *n) {
  memset(n, 0, sizeof *n);
  n->responder = 1;
  memcpy(n->s.ck, a->ck, sizeof n->s.ck);
  memcpy(n->s.h, a->h, sizeof n->s.h);
  n->re = message_of(a) + 1 + a->pairing->id_len;
  return hawser_full_read1(n, a->pairing, message_of(a), a->message_len);
}

static int candidate_full(hawser_accept *a, const hawser_noise *n) {
  uint8_t d2g[HAWSER_KEY_LEN], g2d[HAWSER_KEY_LEN], b0[HAWSER_KEY_LEN];
  const hawser_keys keys = {d2g, g2d, a->name};
  int err = hawser_noise_finish(n->s.ck, n->s.h, &keys, b0);
  if (err == HAWSER_OK) {
    err = hawser_chain_start(&a->chain, b0);
  }
  if (err == HAWSER_OK) {
    hawser_link_up(&a->link, a->transport, g2d, d2g);
  }
  hawser_port_wipe(d2g, sizeof d2g);
  hawser_port_wipe(g2d, sizeof g2d);
  hawser_port_wipe(b0, sizeof b0);
  return err;
}

int hawser_accept_answer_full(hawser_accept *a, const uint8_t *connection_id, size_t connection_id_len, uint8_t *out,
                              size_t cap, size_t *len) {
  uint8_t message[HAWSER_MESSAGE2_MAX + HAWSER_CONNECTION_ID_MAX];
  size_t message_len = 0;
  hawser_noise n;
  int err;
  *len = 0;
  if (a->state != CHECKED || !is_full(a->type)) {
    return HAWSER_ERR_STATE;
  }
  if (!connection_id_valid(a, connection_id_len)) {
    return HAWSER_ERR_ARG;
  }
  err = resume_noise(a, &n);
  if (err == HAWSER_OK) {
    err = hawser_full_write2(&n, a->pairing, connection_id, connection_id_len, message, &message_len);
  }
  if (err == HAWSER_OK) {
    err = hawser_frame_message(a->transport, message, message_len, out, cap, len);
  }
  if (err == HAWSER_OK) {
    err = candidate_full(a, &n);
  }
  hawser_port_wipe(&n, sizeof n);
  if (err != HAWSER_OK) {
    *len = 0;
    return err;
  }
  hawser_port_wipe(a->ck, sizeof a->ck);
  hawser_port_wipe(a->h, sizeof a->h);
  a->sent = (uint16_t)*len;
  a->state = CANDIDATE;
  return HAWSER_OK;
}

#endif

/* ---- accept: resumption ---- */

/* SPEC 7.3: both ends keep the limits. */
static int within_limits(const hawser_pairing *p, hawser_position at) {
  return at.i < p->max_steps && (p->mode == HAWSER_TICKET || at.b < p->max_blocks);
}

/* SPEC 7.2: OPEN or STREAM, then at most one DATA or FIN of the same stream, which runs to the end. */
static int early_valid(const uint8_t *frames, size_t len) {
  hawser_reader r = {frames, len, 0};
  uint64_t code = hawser_get(&r, 1);
  uint64_t id = hawser_get(&r, 2);
  if (code == HAWSER_FRAME_OPEN) {
    (void)hawser_get(&r, 5);
    (void)hawser_get_bytes(&r, (size_t)hawser_get(&r, 1));
  } else if (code == HAWSER_FRAME_STREAM) {
    (void)hawser_get_bytes(&r, 4 + 3 * 6);
  } else {
    return 0;
  }
  if (r.bad || r.left == 0) {
    return !r.bad;
  }
  code = hawser_get(&r, 1);
  return (code == HAWSER_FRAME_DATA || code == HAWSER_FRAME_FIN) && hawser_get(&r, 2) == id && !r.bad;
}

static int pay1_valid(const uint8_t *pay1, size_t len) {
  const uint8_t *early = pay1 + HAWSER_PAY1_MIN;
  size_t early_len = len - HAWSER_PAY1_MIN;
  if (pay1[0] == 0) {
    return early_len == 0;
  }
  return pay1[0] == HAWSER_PAY1_EARLY && early_valid(early, early_len);
}

/* Tries one position whose ticket matches. pay1 is left where early data is kept. */
static int try_position(hawser_accept *a, const hawser_pairing *pairing, const hawser_chain *c) {
  hawser_step at = {pairing, c->id, c->b, c->i, c->r};
  uint8_t h1[HAWSER_HASH_LEN];
  uint8_t *pay1 = early_of(a);
  size_t len = a->message_len - HAWSER_RESUME_HEAD - HAWSER_TAG_LEN;
  int err = hawser_resume_read1(&at, message_of(a), a->message_len, pay1, h1);
  if (err == HAWSER_OK && !pay1_valid(pay1, len)) {
    err = HAWSER_ERR_AUTH;
  }
  if (err != HAWSER_OK) {
    hawser_port_wipe(pay1, len);
    return err;
  }
  memcpy(a->ck, c->r, sizeof a->ck);
  memcpy(a->h, h1, sizeof a->h);
  memcpy(a->continues, pay1 + 1, HAWSER_NAME_LEN);
  a->early = pay1[0] & HAWSER_PAY1_EARLY;
  a->early_len = len - HAWSER_PAY1_MIN;
  a->position.b = c->b;
  a->position.i = c->i;
  a->pairing = pairing;
  a->state = CHECKED;
  return HAWSER_OK;
}

/* One derivation per position: the walk goes through the window as hawser_chain_ticket() numbers it. */
int hawser_accept_offer_ticket(hawser_accept *a, const hawser_pairing *pairing, const hawser_chain *chain,
                               uint32_t ahead, hawser_position *position, int *early) {
  hawser_chain c = *chain;
  uint8_t ticket[HAWSER_TICKET_LEN];
  hawser_position at;
  int err = HAWSER_ERR_AUTH;
  if (a->state != LOOKUP || a->type != HAWSER_TYPE_RESUME_1) {
    return HAWSER_ERR_STATE;
  }
  if (hawser_pairing_valid(pairing) != HAWSER_OK) {
    return HAWSER_ERR_ARG;
  }
  for (uint32_t k = 0; err == HAWSER_ERR_AUTH && k <= ahead + 1 && window_position(chain, k, &at); k++) {
    int moved = hawser_chain_move(&c, at);
    if (moved == HAWSER_OK) {
      moved = hawser_ticket_of(c.r, ticket);
    }
    if (moved != HAWSER_OK) {
      err = moved;
    } else if (within_limits(pairing, at) && hawser_port_equal(ticket, message_of(a) + 1, sizeof ticket)) {
      err = try_position(a, pairing, &c);
    }
  }
  hawser_port_wipe(&c, sizeof c);
  if (err == HAWSER_OK) {
    *position = a->position;
    *early = a->early;
  }
  return err;
}

static int answer_valid(const hawser_accept *a, uint8_t verdict, int continued, size_t connection_id_len) {
  return verdict <= HAWSER_UNKNOWN && (verdict != HAWSER_NO_EARLY) == a->early &&
         !(continued && hawser_is_zero(a->continues, HAWSER_NAME_LEN)) && connection_id_valid(a, connection_id_len);
}

int hawser_accept_answer_ticket(hawser_accept *a, hawser_gateway_context *g, uint8_t verdict, int continued,
                                const uint8_t *connection_id, size_t connection_id_len, uint8_t *out, size_t cap,
                                size_t *len) {
  uint8_t message[HAWSER_RESUME2_LEN + HAWSER_CONNECTION_ID_MAX], n_g[16];
  uint8_t d2g[HAWSER_KEY_LEN], g2d[HAWSER_KEY_LEN];
  const hawser_keys keys = {d2g, g2d, a->name};
  size_t message_len = 0;
  int err;
  *len = 0;
  if (a->state != CHECKED || a->type != HAWSER_TYPE_RESUME_1) {
    return HAWSER_ERR_STATE;
  }
  if (!answer_valid(a, verdict, continued, connection_id_len)) {
    return HAWSER_ERR_ARG;
  }
  err = make_n_g(g, a->h, n_g);
  if (err == HAWSER_OK) {
    uint8_t status = (uint8_t)(verdict | (continued ? HAWSER_STATUS_CONTINUED : 0));
    err = hawser_resume_write2(a->ck, a->h, a->transport, n_g, status, connection_id, connection_id_len, message,
                               &message_len);
  }
  if (err == HAWSER_OK) {
    err = hawser_resume_keys(a->ck, a->h, a->transport, message, message_len, &keys);
  }
  if (err == HAWSER_OK) {
    err = hawser_frame_message(a->transport, message, message_len, out, cap, len);
  }
  if (err == HAWSER_OK) {
    hawser_link_up(&a->link, a->transport, g2d, d2g);
    hawser_port_wipe(a->ck, sizeof a->ck);
    hawser_port_wipe(a->h, sizeof a->h);
    a->verdict = verdict;
    a->continued = continued != 0;
    a->sent = (uint16_t)*len;
    a->state = CANDIDATE;
  }
  hawser_port_wipe(d2g, sizeof d2g);
  hawser_port_wipe(g2d, sizeof g2d);
  return err;
}

/* ---- accept: what is known of it ---- */

const uint8_t *hawser_accept_digest1(const hawser_accept *a) {
  return a->digest1;
}

const uint8_t *hawser_accept_continues(const hawser_accept *a) {
  return a->continues;
}

const uint8_t *hawser_accept_name(const hawser_accept *a) {
  return a->name;
}

const hawser_chain *hawser_accept_chain(const hawser_accept *a) {
  return is_full(a->type) && (a->state == CANDIDATE || a->state == CONFIRMED) ? &a->chain : NULL;
}

void hawser_accept_handshake(const hawser_accept *a, hawser_handshake_info *info) {
  int full = is_full(a->type);
  memset(info, 0, sizeof *info);
  if (a->sent == 0) {
    return; /* none has come to its end */
  }
  info->kind = full ? HAWSER_FULL : HAWSER_RESUMPTION;
  info->ecdh = (uint8_t)(!full ? 0 : a->type >= HAWSER_TYPE_FULL_1 + 4 ? 1 : 3);
  info->verdict = a->verdict;
  info->sent = a->sent;
  info->received = a->received;
}

int hawser_accept_clone(hawser_accept *copy, const hawser_accept *a, uint8_t buffer[HAWSER_ACCEPT_LEN]) {
  if (a->state != CANDIDATE) {
    return HAWSER_ERR_STATE;
  }
  *copy = *a;
  copy->buffer = buffer;
  copy->frame_len = 0;
  copy->early_len = 0;
  copy->message_len = 0;
  return HAWSER_OK;
}

/* What each state has, SPEC 8. */
static int state_valid(const hawser_accept *a) {
  int asked = a->state != FIRST;
  int checked = a->state == CHECKED || a->state == CANDIDATE || a->state == CONFIRMED;
  int answered = a->state == CANDIDATE || a->state == CONFIRMED;
  return asked == (a->received != 0) && (a->state == DEAD || checked == (a->pairing != NULL)) &&
         (!answered || (a->link.live && a->sent != 0)) && (a->state >= CANDIDATE || !a->link.live);
}

int hawser_accept_valid(const hawser_accept *a) {
  int bounds = a->buffer != NULL && a->state <= DEAD && a->frame_len <= FRAME_LEN &&
               a->message_len <= HAWSER_MESSAGE1_MAX && a->early_len <= HAWSER_MESSAGE1_MAX &&
               a->first_at + a->first_len <= FRAME_LEN && a->verdict <= HAWSER_UNKNOWN && a->continued <= 1 &&
               a->early <= 1;
  return bounds && hawser_transport_known(a->transport) && hawser_link_valid(&a->link) && state_valid(a);
}

void hawser_accept_wipe(hawser_accept *a) {
  if (a->buffer != NULL) {
    hawser_port_wipe(a->buffer, HAWSER_ACCEPT_LEN);
  }
  hawser_port_wipe(a, sizeof *a);
  a->state = DEAD;
}

/* ---- session ---- */

int hawser_session_init(hawser_session *s, const hawser_pairing *pairing, hawser_stream *streams, uint16_t stream_count,
                        uint8_t *rx, size_t rx_cap) {
  return hawser_session_start(s, pairing, streams, stream_count, rx, rx_cap, 1);
}

int hawser_session_early(hawser_session *s, hawser_accept *a, uint64_t now_ms) {
  if ((a->state != CANDIDATE && a->state != CONFIRMED) || a->verdict != HAWSER_TAKEN || a->early_len == 0) {
    return HAWSER_ERR_STATE;
  }
  hawser_link_down(s);
  s->now_ms = now_ms;
  s->frames = early_of(a) + HAWSER_PAY1_MIN;
  s->frames_len = a->early_len;
  a->early_len = 0;
  return HAWSER_OK;
}

int hawser_session_attach(hawser_session *s, hawser_accept *a, int continued, uint64_t now_ms) {
  int full = is_full(a->type);
  if (a->state != CONFIRMED || s->frames_len > 0) {
    return HAWSER_ERR_STATE;
  }
  if ((!full && continued != a->continued) || (continued && memcmp(s->name, a->continues, HAWSER_NAME_LEN) != 0) ||
      (continued && hawser_is_zero(s->name, HAWSER_NAME_LEN))) {
    return HAWSER_ERR_ARG;
  }
  if (s->link.live) {
    hawser_link_down(s);
  }
  hawser_session_up(s, now_ms);
  s->link = a->link;
  if (full) {
    s->flags |= HAWSER_SF_STATUS_DUE;
  }
  memcpy(s->next, a->name, HAWSER_NAME_LEN);
  if (continued) {
    hawser_channel_continue(s);
  } else {
    hawser_channel_renew(s);
  }
  s->frames = a->buffer + a->first_at;
  s->frames_len = a->first_len;
  hawser_port_wipe(&a->link, sizeof a->link);
  a->state = DEAD;
  hawser_session_note(s, now_ms);
  return HAWSER_OK;
}

#endif
