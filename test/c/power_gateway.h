/*
 * power_gateway.h - the gateway of test_power: SPEC 7.5 over one record in a store that can lose its last writes, and an upstream that
 * counts how often each datum was handed to it. Include it in one file of the program.
 */
#ifndef HAWSER_TEST_POWER_GATEWAY_H
#define HAWSER_TEST_POWER_GATEWAY_H

#include "ends.h"

#define GATEWAY_AHEAD 2

enum early_state { EARLY_NONE, EARLY_VOID, EARLY_REFUSED, EARLY_TAKEN };

/* Per device, SPEC 7.5. */
typedef struct record {
  hawser_chain chain;
  uint32_t incarnation;
  uint8_t has_chain, early, h[HAWSER_HASH_LEN];
} record;

/* An answered message 1, until its first record. */
typedef struct candidate {
  hawser_accept accept;
  uint8_t buffer[HAWSER_ACCEPT_LEN];
  hawser_session *session; /* that its early data went to, or that it continues */
  hawser_position q;
  uint32_t incarnation;
  uint8_t chain[HAWSER_NAME_LEN]; /* of its answer; full: what it replaces */
  uint8_t held, full, continued, verdict;
} candidate;

enum gateway_fault {
  GATEWAY_SOUND,
  GATEWAY_FORGETS_CLAIMS, /* early data is handed over, and not noted */
  GATEWAY_LOSES_CLAIMS,   /* noted, but not so that it lasts */
  GATEWAY_REFUSES_UNSURE  /* NOT TAKEN where it has to say UNKNOWN */
};

static struct {
  record store, durable, before; /* before: what a failover brings back */
  uint32_t incarnation;
  hawser_gateway_context context;
  const hawser_pairing *pairing;
  candidate live, replayed;   /* of the device's link; of one that an attacker opened */
  hawser_session sessions[3]; /* the confirmed one and the device's next by turns; the attacker's */
  hawser_stream streams[3][ENDS_STREAMS];
  uint8_t rx[3][HAWSER_RX_LEN(HAWSER_RECORD_MAX)];
  hawser_session *session; /* confirmed, or NULL */
  uint8_t fault, transport;
  void (*on_datum)(const uint8_t *bytes, size_t len);
} g;

/* ---- the store ---- */

static void gateway_persist(void) {
  g.before = g.durable;
  g.durable = g.store;
}

static int gateway_compare(hawser_position a, hawser_position b) {
  return a.b != b.b ? (a.b < b.b ? -1 : 1) : a.i != b.i ? (a.i < b.i ? -1 : 1) : 0;
}

static hawser_position gateway_p(void) {
  return (hawser_position){g.store.chain.b, g.store.chain.i};
}

/* ---- sessions and their upstream ---- */

static hawser_session *gateway_fresh(const candidate *c) {
  int which = c == &g.replayed ? 2 : g.session == &g.sessions[0];
  hawser_session *s = &g.sessions[which];
  CHECK(hawser_session_init(s, g.pairing, g.streams[which], ENDS_STREAMS, g.rx[which], sizeof g.rx[which]) ==
        HAWSER_OK);
  return s;
}

static int gateway_events(hawser_session *s) {
  hawser_event event;
  int err;
  while ((err = hawser_next(s, &event)) == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_OPEN) {
      CHECK(hawser_consume(s, event.stream, 0) == HAWSER_OK);
    } else if (event.type == HAWSER_EV_DATA) {
      g.on_datum(event.data, event.len);
      CHECK(hawser_consume(s, event.stream, event.len) == HAWSER_OK);
    }
  }
  return err;
}

/* ---- message 1 ---- */

/* SPEC 7.5 rule 3. */
static uint8_t gateway_decide(const uint8_t *h) {
  record *r = &g.store;
  uint8_t unsure = g.fault == GATEWAY_REFUSES_UNSURE ? HAWSER_NOT_TAKEN : HAWSER_UNKNOWN;
  if (r->incarnation != g.incarnation) {
    r->early = EARLY_VOID;
  }
  switch (r->early) {
  case EARLY_VOID:
    return unsure;
  case EARLY_REFUSED:
    return HAWSER_NOT_TAKEN;
  case EARLY_TAKEN:
    return memcmp(r->h, h, sizeof r->h) == 0 ? unsure : HAWSER_NOT_TAKEN;
  default:
    memcpy(r->h, h, sizeof r->h);
    r->early = g.fault == GATEWAY_FORGETS_CLAIMS ? EARLY_NONE : EARLY_TAKEN;
    return HAWSER_TAKEN;
  }
}

/* Rules 2 and 3. */
static uint8_t gateway_claim(hawser_position q, const uint8_t *h, int early) {
  uint8_t verdict;
  if (gateway_compare(q, gateway_p()) > 0) {
    CHECK(hawser_chain_move(&g.store.chain, q) == HAWSER_OK);
    g.store.early = g.store.incarnation == g.incarnation ? EARLY_NONE : EARLY_VOID;
  }
  verdict = early ? gateway_decide(h) : HAWSER_NO_EARLY;
  if ((q.i == 0 || early) && g.fault != GATEWAY_LOSES_CLAIMS) {
    gateway_persist();
  }
  return verdict;
}

static int gateway_answer_ticket(candidate *c, uint8_t *out, size_t cap, size_t *len) {
  int early = 0;
  int err = g.store.has_chain
                ? hawser_accept_offer_ticket(&c->accept, g.pairing, &g.store.chain, GATEWAY_AHEAD, &c->q, &early)
                : HAWSER_ERR_AUTH;
  if (err != HAWSER_OK) {
    return err;
  }
  c->continued = g.session != NULL && !check_is_zero(g.session->name, HAWSER_NAME_LEN) &&
                 memcmp(g.session->name, hawser_accept_continues(&c->accept), HAWSER_NAME_LEN) == 0;
  if (early && !c->continued && !check_is_zero(hawser_accept_continues(&c->accept), HAWSER_NAME_LEN)) {
    return HAWSER_ERR_STATE; /* the device of this test never sends it: its datum begins a stream of a new session */
  }
  c->verdict = gateway_claim(c->q, hawser_accept_digest1(&c->accept), early);
  err = hawser_accept_answer_ticket(&c->accept, &g.context, c->verdict, c->continued, NULL, 0, out, cap, len);
  if (err == HAWSER_OK && c->verdict == HAWSER_TAKEN) {
    c->session = c->continued ? g.session : gateway_fresh(c);
    err = hawser_session_early(c->session, &c->accept, 1000);
    err = err == HAWSER_OK ? gateway_events(c->session) : err;
  }
  return err;
}

/* A framed message 1 on a link of its own: message 2, or silence. */
static int gateway_message1(candidate *c, const uint8_t *bytes, size_t bytes_len, uint8_t *out, size_t cap,
                            size_t *len) {
  hawser_accept_event event;
  size_t used = 0;
  int err = hawser_accept_init(&c->accept, g.transport, c->buffer);
  *len = 0;
  c->held = 0;
  c->session = NULL;
  err = err == HAWSER_OK ? hawser_accept_receive(&c->accept, bytes, bytes_len, &used, &event) : err;
  if (err != HAWSER_OK) {
    return err;
  }
  c->full = event.type == HAWSER_ACCEPT_ID;
  if (c->full) {
    err = hawser_accept_offer_id(&c->accept, g.pairing);
    err = err == HAWSER_OK ? hawser_accept_answer_full(&c->accept, NULL, 0, out, cap, len) : err;
  } else {
    err = gateway_answer_ticket(c, out, cap, len);
  }
  c->held = err == HAWSER_OK;
  c->incarnation = g.incarnation;
  memcpy(c->chain, g.store.chain.id, sizeof c->chain);
  return err;
}

/* ---- the first record ---- */

/* Rules 5 and 6; 0: the candidate is dropped. */
static int gateway_confirm(const candidate *c) {
  record *r = &g.store;
  if (memcmp(r->chain.id, c->chain, sizeof c->chain) != 0) {
    return 0; /* replaced since the answer */
  }
  if (c->full) {
    r->chain = *hawser_accept_chain(&c->accept);
    r->has_chain = 1;
    r->early = EARLY_NONE;
    r->incarnation = g.incarnation;
    gateway_persist();
    return 1;
  }
  if (gateway_compare(gateway_p(), c->q) > 0) {
    return 0;
  }
  CHECK(hawser_chain_move(&r->chain, (hawser_position){c->q.b, c->q.i + 1}) == HAWSER_OK);
  r->early = c->incarnation == g.incarnation ? EARLY_NONE : EARLY_VOID;
  r->incarnation = c->incarnation == g.incarnation ? g.incarnation : r->incarnation;
  return 1;
}

static int gateway_first_record(candidate *c, const uint8_t *bytes, size_t len) {
  hawser_accept_event event;
  size_t used = 0;
  int err = c->held ? hawser_accept_receive(&c->accept, bytes, len, &used, &event) : HAWSER_ERR_STATE;
  if (err != HAWSER_OK || event.type != HAWSER_ACCEPT_CONFIRM || !gateway_confirm(c)) {
    return err != HAWSER_OK ? err : HAWSER_ERR_AUTH;
  }
  if (c->full) {
    c->continued = g.session != NULL && !check_is_zero(g.session->name, HAWSER_NAME_LEN) &&
                   memcmp(g.session->name, hawser_accept_continues(&c->accept), HAWSER_NAME_LEN) == 0;
  }
  c->held = 0;
  c->session = c->continued ? g.session : c->session != NULL ? c->session : gateway_fresh(c);
  g.session = c->session;
  err = hawser_session_attach(g.session, &c->accept, c->continued, 1000);
  return err == HAWSER_OK ? gateway_events(g.session) : err;
}

/* ---- faults and restarts ---- */

/* The process ends: candidates and sessions with it. */
static void gateway_restart(void) {
  g.live.held = g.replayed.held = 0;
  g.session = NULL;
  CHECK(hawser_gateway_init(&g.context) == HAWSER_OK);
}

/* The machine: writes behind the last durable one are gone, and nobody says so. */
static void gateway_machine_down(void) {
  g.store = g.durable;
  gateway_restart();
}

/* The store: the last durable write is gone as well, which it announces. More than J - 1 block advances it must not lose (SPEC 14), and
 * one write may hold two, if the one before was lost already. */
static void gateway_failover(void) {
  if (g.durable.chain.b > g.before.chain.b + GATEWAY_AHEAD - 1) {
    gateway_machine_down();
    return;
  }
  g.store = g.durable = g.before;
  g.incarnation++;
  gateway_restart();
}

static void gateway_start(const ends *e, uint8_t fault, void (*on_datum)(const uint8_t *bytes, size_t len)) {
  memset(&g, 0, sizeof g);
  g.pairing = &e->gateway_pairing;
  g.store.chain = e->chain;
  g.store.has_chain = (uint8_t)e->has_chain;
  g.incarnation = g.store.incarnation = 1;
  g.durable = g.before = g.store;
  g.fault = fault;
  g.transport = e->transport;
  g.on_datum = on_datum;
  CHECK(hawser_gateway_init(&g.context) == HAWSER_OK);
}

#endif
