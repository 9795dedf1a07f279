/*
 * hawser/gateway.h - the gateway's half: a link until its first valid record (hawser_accept), the store's half of a
 * resumption chain (hawser_chain), and sessions that outlive links. Built with HAWSER_GATEWAY=1 only.
 *
 *   hawser_accept_receive -> ID      look the id up;      hawser_accept_offer_id, then _answer_full
 *                         -> TICKET  look the ticket up;  hawser_accept_offer_ticket for each device that the ticket may
 *                                    name, claim in the store, then _answer_ticket
 *                         -> CONFIRM write to the store; hawser_session_attach, then the session's verbs
 *
 * Every error of these functions means silence on the network (SPEC 6, 7.5).
 */
#ifndef HAWSER_GATEWAY_H
#define HAWSER_GATEWAY_H

#include "hawser/hawser.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Process ---------------------------------------------------------------------------------------- */

/* One per process (or per thread): hedges the answers' nonces against a bad random source (SPEC 7.2). */
typedef struct hawser_gateway_context {
  uint8_t boot_key[HAWSER_KEY_LEN];
  uint64_t counter;
} hawser_gateway_context;

int hawser_gateway_init(hawser_gateway_context *g) HAWSER_MUST_USE;

/* ---- Chain: the store's half (SPEC 7.1, 7.5) --------------------------------------------------------- */

typedef struct hawser_chain {
  uint8_t id[HAWSER_NAME_LEN];
  uint32_t b, i;                /* p */
  uint8_t r[HAWSER_KEY_LEN];    /* R_p */
  uint8_t next[HAWSER_KEY_LEN]; /* B_{b+1} */
} hawser_chain;

typedef struct hawser_position {
  uint32_t b, i;
} hawser_position;

/* 1 if it may be one; a secret of zeros never is. */
int hawser_chain_valid(const hawser_chain *chain) HAWSER_MUST_USE;

/* A new chain at (0, 0). */
int hawser_chain_start(hawser_chain *chain, const uint8_t b0[HAWSER_KEY_LEN]) HAWSER_MUST_USE;

/* Ticket k of p's window: k = 0: (b, i); 1: (b, i+1); 2: (b+1, 0) .. 1 + J: (b+J, 0). HAWSER_ERR_LIMIT: there is no such
 * position (a number would wrap). */
int hawser_chain_ticket(const hawser_chain *chain, uint32_t k, hawser_position *position,
                        uint8_t ticket[HAWSER_TICKET_LEN]) HAWSER_MUST_USE;

/* Moves p to (b, i), at most one step within the block or (b', 0) of a later block; also to where it stands.
 * HAWSER_ERR_ARG otherwise. A jump of n blocks costs n derivations: bound it by the J in force. */
int hawser_chain_move(hawser_chain *chain, hawser_position to) HAWSER_MUST_USE;

/* ---- Accept: one link until its first valid record --------------------------------------------------- */

/* Room for one framed message and for the early data that it held. */
#define HAWSER_ACCEPT_LEN (HAWSER_COBS_LEN(HAWSER_MESSAGE1_MAX + 2) + HAWSER_MESSAGE1_MAX)

enum hawser_accept_event_type {
  HAWSER_ACCEPT_NONE = 0, /* more bytes are needed */
  HAWSER_ACCEPT_ID,       /* full handshake: id, mode, suite */
  HAWSER_ACCEPT_TICKET,   /* resumption: id = the ticket, 8 bytes */
  HAWSER_ACCEPT_CONFIRM   /* the first record is valid */
};

typedef struct hawser_accept_event {
  uint8_t type, mode, suite;
  const uint8_t *id; /* valid until the next call that takes bytes */
  size_t id_len;
} hawser_accept_event;

/* Fields are private. Copy it only with hawser_accept_clone(). */
typedef struct hawser_accept {
  const hawser_pairing *pairing;
  uint8_t *buffer; /* of HAWSER_ACCEPT_LEN bytes */
  size_t frame_len, message_at, message_len, early_len, first_at, first_len;
  uint8_t digest1[HAWSER_HASH_LEN];
  uint8_t ck[HAWSER_HASH_LEN], h[HAWSER_HASH_LEN]; /* full: ck, h. Resumption: R_q, h1 */
  hawser_chain chain;
  hawser_link link;
  hawser_position position;
  uint8_t continues[HAWSER_NAME_LEN], name[HAWSER_NAME_LEN];
  uint16_t received, sent;
  uint8_t transport, state, type, verdict, continued, early;
} hawser_accept;

/* HAWSER_ERR_ARG: the transport is not known. */
int hawser_accept_init(hawser_accept *a, uint8_t transport, uint8_t buffer[HAWSER_ACCEPT_LEN]) HAWSER_MUST_USE;

/* Collects bytes up to the end of the message it waits for; *used says how many. The rest belongs to the session after it
 * was attached. HAWSER_ERR_FORMAT, _AUTH: drop the link in silence (on a serial line bad frames are skipped instead, and a
 * new message 1 starts over). HAWSER_ERR_STATE: an event was not answered yet. */
int hawser_accept_receive(hawser_accept *a, const uint8_t *in, size_t in_len, size_t *used,
                          hawser_accept_event *event) HAWSER_MUST_USE;

/* Full handshake: all checks that need no ECDH. HAWSER_ERR_AUTH: silence. pairing must outlive the accept. */
int hawser_accept_offer_id(hawser_accept *a, const hawser_pairing *pairing) HAWSER_MUST_USE;

/* ECDH and the rest; message 2, framed, into out (HAWSER_SEND_MIN + HAWSER_CONNECTION_ID_MAX bytes are enough). The
 * connection id is empty on stream and serial transports. HAWSER_ERR_AUTH: silence. */
int hawser_accept_answer_full(hawser_accept *a, const uint8_t *connection_id, size_t connection_id_len, uint8_t *out,
                              size_t cap, size_t *len) HAWSER_MUST_USE;

/* Resumption: tries the record of one device; ahead is J. HAWSER_ERR_AUTH: not this device (nothing has changed: try the
 * next), or silence. On success position is q and *early tells whether early data is there. */
int hawser_accept_offer_ticket(hawser_accept *a, const hawser_pairing *pairing, const hawser_chain *chain,
                               uint32_t ahead, hawser_position *position, int *early) HAWSER_MUST_USE;

/* Message 2, framed. verdict is HAWSER_NO_EARLY exactly when there was no early data. */
int hawser_accept_answer_ticket(hawser_accept *a, hawser_gateway_context *g, uint8_t verdict, int continued,
                                const uint8_t *connection_id, size_t connection_id_len, uint8_t *out, size_t cap,
                                size_t *len) HAWSER_MUST_USE;

/* SHA-256 of message 1: key of the answer cache, h of the store. Known from the first event on. */
const uint8_t *hawser_accept_digest1(const hawser_accept *a);
/* The session that the device wants to continue, 8 bytes, zero for none (full: known at CONFIRM). */
const uint8_t *hawser_accept_continues(const hawser_accept *a);
/* The name of the session should it be NEW: known once answered. */
const uint8_t *hawser_accept_name(const hawser_accept *a);
/* Full handshake: the new chain at (0, 0), known once answered. Else NULL. */
const hawser_chain *hawser_accept_chain(const hawser_accept *a);
void hawser_accept_handshake(const hawser_accept *a, hawser_handshake_info *info);

/* Another link brought the same message 1: the same candidate, without its early data. HAWSER_ERR_STATE: a has not been
 * answered yet. The framed answer is the caller's to keep. */
int hawser_accept_clone(hawser_accept *copy, const hawser_accept *a, uint8_t buffer[HAWSER_ACCEPT_LEN]) HAWSER_MUST_USE;

void hawser_accept_wipe(hawser_accept *a);

/* For asserts and tests: 1 if every field is within its range and the fields agree with each other. */
int hawser_accept_valid(const hawser_accept *a) HAWSER_MUST_USE;

/* ---- Session ----------------------------------------------------------------------------------------- */

/* A session without a link. rx holds HAWSER_RX_LEN(HAWSER_RECORD_MAX) bytes. */
int hawser_session_init(hawser_session *s, const hawser_pairing *pairing, hawser_stream *streams, uint16_t stream_count,
                        uint8_t *rx, size_t rx_cap) HAWSER_MUST_USE;

/* Feeds the early data of an answered, TAKEN candidate, once; then read hawser_next(). An older link of this session goes
 * down: the device has abandoned it (SPEC 7.4 rule 3). Keep the accept's buffer until hawser_next says NONE. */
int hawser_session_early(hawser_session *s, hawser_accept *a, uint64_t now_ms) HAWSER_MUST_USE;

/* Takes over a confirmed candidate's link and its first record; then read hawser_next(). Keep the accept's
 * buffer until it says NONE. continued: s is the session that the device named (resumption: what was answered); else s is a
 * fresh one and gets the candidate's name. HAWSER_ERR_STATE: not confirmed; HAWSER_ERR_ARG: not what was answered. */
int hawser_session_attach(hawser_session *s, hawser_accept *a, int continued, uint64_t now_ms) HAWSER_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
