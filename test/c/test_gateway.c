/*
 * test_gateway.c - the responder's functions asked in the wrong order, with the wrong answer, or at the end of a number; and
 * its predicates, which notice every wrong field.
 */
#include "ends.h"

#include "record.h"

static ends e; /* large */
static uint8_t m1[4200], m2[256];
static size_t m1_len, m2_len;

/* A message 1 of the device, after whatever it has been through. */
static void ask(const hawser_early *early) {
  int taken = 0;
  CHECK(hawser_connect(&e.device, e.transport, early, &taken, e.now) == HAWSER_OK);
  CHECK(taken == (early != NULL));
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &m1_len, e.now) == HAWSER_OK);
}

/* Feeds all of the bytes to the accept. */
static int feed(const uint8_t *bytes, size_t len, hawser_accept_event *event) {
  size_t used = 0;
  int err = hawser_accept_receive(&e.accept, bytes, len, &used, event);
  CHECK(err != HAWSER_OK || used == len);
  return err;
}

static void start(void) {
  CHECK(hawser_accept_init(&e.accept, e.transport, e.accept_buffer) == HAWSER_OK);
}

static int answer_full(void) {
  return hawser_accept_answer_full(&e.accept, NULL, 0, m2, sizeof m2, &m2_len);
}

static int answer_ticket(uint8_t verdict, int continued) {
  return hawser_accept_answer_ticket(&e.accept, &e.context, verdict, continued, NULL, 0, m2, sizeof m2, &m2_len);
}

static int offer_ticket(void) {
  int early;
  return hawser_accept_offer_ticket(&e.accept, &e.gateway_pairing, &e.chain, 2, &e.position, &early);
}

/* Each step before its time, and again after it. */
static void order_full(void) {
  hawser_accept_event event;
  hawser_accept copy;
  uint8_t buffer[HAWSER_ACCEPT_LEN];
  hawser_handshake_info info;
  ends_init(&e, HAWSER_KEYS, HAWSER_SUITE_ID_25519, HAWSER_STREAM);
  ask(NULL);
  CHECK(hawser_accept_init(&e.accept, 9, e.accept_buffer) == HAWSER_ERR_ARG);
  start();
  hawser_accept_handshake(&e.accept, &info);
  CHECK(info.kind == 0);
  CHECK(hawser_accept_offer_id(&e.accept, &e.gateway_pairing) == HAWSER_ERR_STATE);
  CHECK(answer_full() == HAWSER_ERR_STATE && m2_len == 0);
  CHECK(feed(m1, m1_len, &event) == HAWSER_OK && event.type == HAWSER_ACCEPT_ID);
  CHECK(feed(m1, 1, &event) == HAWSER_ERR_STATE); /* an event waits for its answer */
  CHECK(offer_ticket() == HAWSER_ERR_STATE);
  CHECK(answer_full() == HAWSER_ERR_STATE && answer_ticket(0, 0) == HAWSER_ERR_STATE);
  CHECK(hawser_accept_clone(&copy, &e.accept, buffer) == HAWSER_ERR_STATE);
  CHECK(hawser_accept_offer_id(&e.accept, &e.gateway_pairing) == HAWSER_OK);
  CHECK(answer_ticket(0, 0) == HAWSER_ERR_STATE);
  CHECK(hawser_accept_chain(&e.accept) == NULL);
  CHECK(hawser_accept_answer_full(&e.accept, m1, 1, m2, sizeof m2, &m2_len) == HAWSER_ERR_ARG); /* not on a stream */
  e.accept.transport = HAWSER_DATAGRAM; /* nor may message 2 get longer than message 1 */
  CHECK(hawser_accept_answer_full(&e.accept, m1, HAWSER_ID_MIN + 1, m2, sizeof m2, &m2_len) == HAWSER_ERR_ARG);
  e.accept.transport = HAWSER_STREAM;
  CHECK(answer_full() == HAWSER_OK && hawser_accept_chain(&e.accept) != NULL);
  CHECK(hawser_accept_clone(&copy, &e.accept, buffer) == HAWSER_OK && hawser_accept_valid(&copy));
  CHECK(answer_full() == HAWSER_ERR_STATE);
  CHECK(hawser_session_attach(&e.session, &e.accept, 0, e.now) == HAWSER_ERR_STATE); /* not confirmed */
  CHECK(hawser_session_early(&e.session, &e.accept, e.now) == HAWSER_ERR_STATE);     /* has none */
  hawser_accept_wipe(&e.accept);
  memset(&copy, 0, sizeof copy);
  hawser_accept_wipe(&copy); /* without a buffer */
  ends_free(&e);
}

/* A pairing that is none, of another mode, or of a ticket where an id asks. */
static void wrong_pairing(void) {
  hawser_accept_event event;
  hawser_pairing bad;
  ends_init(&e, HAWSER_PSK, HAWSER_SUITE_ID_25519, HAWSER_STREAM);
  ask(NULL);
  start();
  CHECK(feed(m1, m1_len, &event) == HAWSER_OK);
  bad = e.gateway_pairing;
  bad.psk = 0;
  CHECK(hawser_accept_offer_id(&e.accept, &bad) == HAWSER_ERR_ARG);
  bad = e.gateway_pairing;
  bad.mode = HAWSER_TICKET;
  bad.suite = HAWSER_SUITE_NONE;
  CHECK(hawser_accept_offer_id(&e.accept, &bad) == HAWSER_ERR_ARG);
  CHECK(hawser_accept_offer_id(&e.accept, &e.gateway_pairing) == HAWSER_OK); /* nothing was lost */
  ends_free(&e);

  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  ask(NULL);
  start();
  CHECK(feed(m1, m1_len, &event) == HAWSER_OK && event.type == HAWSER_ACCEPT_TICKET);
  CHECK(hawser_accept_offer_id(&e.accept, &e.gateway_pairing) == HAWSER_ERR_STATE);
  bad = e.gateway_pairing;
  bad.record_max = 0;
  CHECK(hawser_accept_offer_ticket(&e.accept, &bad, &e.chain, 2, &e.position, &e.early) == HAWSER_ERR_ARG);
  CHECK(answer_full() == HAWSER_ERR_STATE);
  CHECK(offer_ticket() == HAWSER_OK && offer_ticket() == HAWSER_ERR_STATE);
  CHECK(answer_full() == HAWSER_ERR_STATE);
  ends_free(&e);
}

/* Verdicts that cannot be, and a session that is continued though none was named. */
static void wrong_answer(void) {
  static const uint8_t bytes[] = {1, 2, 3};
  hawser_early early = {0, bytes, sizeof bytes, 0, 0};
  hawser_accept_event event;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(hawser_open(&e.device, "mqtt", HAWSER_KIND_STREAM, &early.stream) == HAWSER_OK);
  ask(&early);
  start();
  CHECK(feed(m1, m1_len, &event) == HAWSER_OK && offer_ticket() == HAWSER_OK);
  CHECK(answer_ticket(HAWSER_NO_EARLY, 0) == HAWSER_ERR_ARG); /* it had some */
  CHECK(answer_ticket(HAWSER_UNKNOWN + 1, 0) == HAWSER_ERR_ARG);
  CHECK(answer_ticket(HAWSER_TAKEN, 1) == HAWSER_ERR_ARG); /* no name */
  CHECK(hawser_accept_answer_ticket(&e.accept, &e.context, HAWSER_TAKEN, 0, m1, 1, m2, sizeof m2, &m2_len) ==
        HAWSER_ERR_ARG);
  CHECK(hawser_session_early(&e.session, &e.accept, e.now) == HAWSER_ERR_STATE); /* not answered */
  CHECK(hawser_accept_answer_ticket(&e.accept, &e.context, HAWSER_TAKEN, 0, NULL, 0, m2, 10, &m2_len) ==
        HAWSER_ERR_BUFFER);
  CHECK(answer_ticket(HAWSER_NOT_TAKEN, 0) == HAWSER_OK);
  ends_new_session(&e);
  CHECK(hawser_session_early(&e.session, &e.accept, e.now) == HAWSER_ERR_STATE); /* not taken */
  start();
  CHECK(feed(m1, m1_len, &event) == HAWSER_OK && offer_ticket() == HAWSER_OK);
  CHECK(answer_ticket(HAWSER_TAKEN, 0) == HAWSER_OK);
  CHECK(hawser_session_early(&e.session, &e.accept, e.now) == HAWSER_OK && ends_gateway_events(&e) == HAWSER_OK);
  CHECK(hawser_session_early(&e.session, &e.accept, e.now) == HAWSER_ERR_STATE); /* once */
  CHECK(e.gateway_log.lens[early.stream] == sizeof bytes);
  ends_free(&e);
}

/* A candidate's session is what was answered, and no other. */
static void wrong_session(void) {
  uint8_t record[512], name[8];
  hawser_accept_event event;
  size_t len;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  ends_cut(&e);
  ask(NULL);
  CHECK(ends_answer(&e, m1, m1_len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  CHECK(e.accept.continued);
  CHECK(ends_to_device(&e, m2, m2_len) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, record, sizeof record, &len, e.now) == HAWSER_OK);
  CHECK(feed(record, len, &event) == HAWSER_OK && event.type == HAWSER_ACCEPT_CONFIRM);
  CHECK(feed(record, len, &event) == HAWSER_ERR_STATE);
  CHECK(hawser_session_attach(&e.session, &e.accept, 0, e.now) == HAWSER_ERR_ARG); /* CONTINUED was said */
  memcpy(name, e.session.name, sizeof name);
  e.session.name[0] ^= 1;
  CHECK(hawser_session_attach(&e.session, &e.accept, 1, e.now) == HAWSER_ERR_ARG); /* another session */
  memset(e.session.name, 0, sizeof e.session.name);
  memset(e.accept.continues, 0, sizeof e.accept.continues);
  CHECK(hawser_session_attach(&e.session, &e.accept, 1, e.now) == HAWSER_ERR_ARG); /* one without a name */
  memcpy(e.session.name, name, sizeof name);
  memcpy(e.accept.continues, name, sizeof name);
  e.session.frames_len = 1;
  CHECK(hawser_session_attach(&e.session, &e.accept, 1, e.now) == HAWSER_ERR_STATE); /* events are unread */
  e.session.frames_len = 0;
  CHECK(hawser_session_attach(&e.session, &e.accept, 1, e.now) == HAWSER_OK);
  CHECK(hawser_session_attach(&e.session, &e.accept, 1, e.now) == HAWSER_ERR_STATE); /* once */
  CHECK(ends_gateway_events(&e) == HAWSER_OK);
  ends_free(&e);
}

/* A record of some other link, framed. */
static size_t strange_record(uint8_t *framed, size_t cap, size_t text_len) {
  static const uint8_t key[HAWSER_KEY_LEN] = {9};
  static uint8_t record[HAWSER_RECORD_MAX + HAWSER_RECORD_OVERHEAD];
  hawser_link other;
  memset(&other, 0, sizeof other);
  hawser_link_up(&other, e.transport, key, key);
  CHECK(hawser_record_seal(&other, record, text_len) == HAWSER_OK);
  memcpy(framed + hawser_frame_front(e.transport, cap), record, text_len + HAWSER_RECORD_OVERHEAD);
  return hawser_frame_finish(e.transport, framed, cap, text_len + HAWSER_RECORD_OVERHEAD);
}

/* What a stream's accept takes for the end of the link, and a serial line's for noise. */
static void wrong_bytes(uint8_t transport) {
  static uint8_t frame[8192];
  uint8_t replay[256];
  hawser_accept_event event;
  size_t replay_len, len, used = 0;
  int serial = transport == HAWSER_SERIAL;
  int noise = serial ? HAWSER_OK : HAWSER_ERR_FORMAT;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, transport);
  ask(NULL);
  memcpy(replay, m1, m1_len);
  replay_len = m1_len;
  start();
  len = strange_record(frame, sizeof frame, 20); /* a record before any message 1 */
  CHECK(hawser_accept_receive(&e.accept, frame, len, &used, &event) == noise && event.type == HAWSER_ACCEPT_NONE);
  start();
  CHECK(feed(m1, m1_len, &event) == HAWSER_OK && offer_ticket() == HAWSER_OK);
  CHECK(answer_ticket(HAWSER_NO_EARLY, 0) == HAWSER_OK);
  if (serial) { /* longer than a first record, and one of another link */
    len = strange_record(frame, sizeof frame, HAWSER_FIRST_RECORD_MAX + 1);
    CHECK(feed(frame, len, &event) == HAWSER_OK && event.type == HAWSER_ACCEPT_NONE);
    len = strange_record(frame, sizeof frame, 20);
    CHECK(feed(frame, len, &event) == HAWSER_OK && event.type == HAWSER_ACCEPT_NONE);
  }
  /* the same message 1 on a link that has been answered: a serial line starts over */
  CHECK(hawser_accept_receive(&e.accept, replay, replay_len, &used, &event) == noise);
  CHECK(event.type == (serial ? HAWSER_ACCEPT_TICKET : HAWSER_ACCEPT_NONE));
  ends_free(&e);
}

/* SPEC 7.1: numbers end, they do not wrap. */
static void chain_ends(void) {
  uint8_t b0[32], zero[32] = {0}, ticket[HAWSER_TICKET_LEN];
  hawser_chain chain, before;
  hawser_position at;
  ends_fill(b0, sizeof b0, 5);
  CHECK(hawser_chain_start(&chain, zero) == HAWSER_ERR_ARG);
  memset(&chain, 0, sizeof chain);
  CHECK(hawser_chain_start(&chain, b0) == HAWSER_OK);
  for (uint32_t k = 0; k < 4; k++) {
    CHECK(hawser_chain_ticket(&chain, k, &at, ticket) == HAWSER_OK);
    CHECK(at.b == (k > 1 ? k - 1 : 0) && at.i == (k == 1));
  }
  chain.i = UINT32_MAX;
  memcpy(&before, &chain, sizeof chain);
  at = (hawser_position){0, 0};
  CHECK(hawser_chain_move(&chain, at) == HAWSER_ERR_ARG); /* round the end of the steps */
  CHECK(hawser_chain_ticket(&chain, 1, &at, ticket) == HAWSER_ERR_LIMIT);
  CHECK_BYTES(&before, &chain, sizeof chain);
  at = (hawser_position){1, 1};
  CHECK(hawser_chain_move(&chain, at) == HAWSER_ERR_ARG); /* a later block has one entrance */
  chain.i = 3;
  at = (hawser_position){0, 5};
  CHECK(hawser_chain_move(&chain, at) == HAWSER_ERR_ARG); /* one step at a time */
  at = (hawser_position){0, 2};
  CHECK(hawser_chain_move(&chain, at) == HAWSER_ERR_ARG); /* never back */
  chain.b = UINT32_MAX;
  CHECK(hawser_chain_ticket(&chain, 2, &at, ticket) == HAWSER_ERR_LIMIT);
  at = (hawser_position){UINT32_MAX - 1, 0};
  CHECK(hawser_chain_move(&chain, at) == HAWSER_ERR_ARG);
}

/* At the last block of its numbers a chain still offers what is left of its window. */
static void window_ends(void) {
  hawser_accept_event event;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  e.chain.i = UINT32_MAX;
  ask(NULL);
  start();
  CHECK(feed(m1, m1_len, &event) == HAWSER_OK);
  CHECK(offer_ticket() == HAWSER_ERR_AUTH); /* the walk ends where the numbers do */
  ends_free(&e);
}

#define ACCEPT_NOTICES(field, wrong) NOTICES(hawser_accept_valid, hawser_accept, e.accept, field, wrong)

static void predicates(void) {
  hawser_accept_event event;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  NOTICES(hawser_chain_valid, hawser_chain, e.chain, next[0], (memset(copy.next, 0, sizeof copy.next), 0));
  NOTICES(hawser_chain_valid, hawser_chain, e.chain, r[0], (memset(copy.r, 0, sizeof copy.r), 0));
  ask(NULL);
  start();
  ACCEPT_NOTICES(buffer, NULL);
  ACCEPT_NOTICES(received, 1);
  ACCEPT_NOTICES(link.live, (copy.link.transport = HAWSER_STREAM, 1));
  CHECK(feed(m1, m1_len, &event) == HAWSER_OK);
  ACCEPT_NOTICES(received, 0);
  ACCEPT_NOTICES(pairing, &e.gateway_pairing);
  CHECK(offer_ticket() == HAWSER_OK);
  ACCEPT_NOTICES(pairing, NULL);
  CHECK(answer_ticket(HAWSER_NO_EARLY, 0) == HAWSER_OK);
  ACCEPT_NOTICES(sent, 0);
  ACCEPT_NOTICES(link.live, 0);
  ACCEPT_NOTICES(message_len, HAWSER_MESSAGE1_MAX + 1);
  ACCEPT_NOTICES(early_len, HAWSER_MESSAGE1_MAX + 1);
  ACCEPT_NOTICES(first_len, HAWSER_ACCEPT_LEN);
  ACCEPT_NOTICES(frame_len, HAWSER_ACCEPT_LEN);
  ACCEPT_NOTICES(verdict, HAWSER_UNKNOWN + 1);
  ACCEPT_NOTICES(continued, 2);
  ACCEPT_NOTICES(early, 2);
  ACCEPT_NOTICES(transport, 0);
  ACCEPT_NOTICES(link.rx_counter, UINT64_MAX);
  ACCEPT_NOTICES(state, 6);
  ends_free(&e);
}

int main(void) {
  order_full();
  wrong_pairing();
  wrong_answer();
  wrong_session();
  wrong_bytes(HAWSER_STREAM);
  wrong_bytes(HAWSER_SERIAL);
  chain_ends();
  window_ends();
  predicates();
  return check_done();
}
