/*
 * ends.h - a device and its gateway in one memory: the bytes between them, the gateway's store, and a log of events.
 * The test drives; nothing here decides what is right.
 */
#ifndef HAWSER_TEST_ENDS_H
#define HAWSER_TEST_ENDS_H

#include <stdlib.h>

#include "check.h"
#include "hawser/device.h"
#include "hawser/gateway.h"
#include "port_keys.h"
#include "record.h"
#include "session.h"

#define ENDS_STREAMS 4
#define ENDS_TICKET 99 /* seed of mode ticket's B_0 */
#define ENDS_RECORD 1024
#define ENDS_LOG 256
#define ENDS_BYTES 65536
#define ENDS_PIPE 20000

typedef struct ends_log {
  hawser_event events[ENDS_LOG];
  size_t count;
  uint8_t bytes[ENDS_STREAMS][ENDS_BYTES]; /* what came in, per stream */
  size_t lens[ENDS_STREAMS];
  uint8_t data[64]; /* of the last event that is not DATA */
  size_t data_len;
} ends_log;

typedef struct ends {
  uint64_t now;
  uint8_t transport;
  hawser_key keys[5];
  hawser_pairing device_pairing, gateway_pairing;
  hawser_device device;
  hawser_stream device_streams[ENDS_STREAMS], gateway_streams[ENDS_STREAMS];
  uint8_t device_rx[HAWSER_RX_LEN(ENDS_RECORD)], gateway_rx[HAWSER_RX_LEN(HAWSER_RECORD_MAX)];
  uint8_t message1[HAWSER_MESSAGE1_LEN(512)];
  uint8_t slots[2][HAWSER_SLOT_LEN];
  int slot; /* which one is valid; -1 none */
  hawser_gateway_context context;
  hawser_chain chain;
  int has_chain;
  hawser_session session;
  int has_session;
  hawser_accept accept;
  uint8_t accept_buffer[HAWSER_ACCEPT_LEN];
  hawser_position position; /* q of the last resumption */
  uint8_t verdict;          /* what the gateway answers to early data */
  int hold;                 /* the gateway does not consume by itself */
  int early;                /* the last message 1 carried early data */
  ends_log device_log, gateway_log;
} ends;

/* Deterministic bytes that are no secret. */
static inline void ends_fill(uint8_t *out, size_t len, uint8_t seed) {
  for (size_t i = 0; i < len; i++) {
    out[i] = (uint8_t)(seed + 31 * i + (i >> 8));
  }
}

static inline void ends_common(hawser_pairing *p, uint8_t mode, uint8_t suite) {
  memset(p, 0, sizeof *p);
  p->mode = mode;
  p->suite = suite;
  p->id_len = 8;
  memcpy(p->id, "device-1", 8);
  p->gateway_id_len = 6;
  memcpy(p->gateway_id, "gate-1", 6);
  p->record_max = ENDS_RECORD;
  p->window_device = 4096;
  p->window_gateway = 8192;
  p->max_steps = 65536;
  p->max_blocks = 1048576;
}

static inline hawser_key ends_import_private(uint8_t suite, const uint8_t raw[32]) {
  return suite == HAWSER_SUITE_ID_P256 ? IMPORT(P256, raw) : IMPORT(25519, raw);
}

static inline void ends_pair_keys(ends *e, uint8_t suite, const uint8_t *psk) {
  uint8_t secret_d[32], secret_g[32], ss[32];
  CHECK(hawser_port_keygen(suite, secret_d, e->device_pairing.own_public) == HAWSER_OK);
  CHECK(hawser_port_keygen(suite, secret_g, e->gateway_pairing.own_public) == HAWSER_OK);
  memcpy(e->device_pairing.peer, e->gateway_pairing.own_public, HAWSER_PUBLIC_MAX);
  memcpy(e->gateway_pairing.peer, e->device_pairing.own_public, HAWSER_PUBLIC_MAX);
  CHECK(hawser_port_dh(suite, secret_d, e->device_pairing.peer, ss) == HAWSER_OK);
  e->device_pairing.own = e->keys[0] = ends_import_private(suite, secret_d);
  e->gateway_pairing.own = e->keys[1] = ends_import_private(suite, secret_g);
  memcpy(e->device_pairing.ss, ss, 32);
  memcpy(e->gateway_pairing.ss, ss, 32);
  CHECK(hawser_gate_keys(&e->device_pairing, psk) == HAWSER_OK);
  CHECK(hawser_gate_keys(&e->gateway_pairing, psk) == HAWSER_OK);
}

static inline void ends_start_device(ends *e) {
  CHECK(hawser_device_init(&e->device, &e->device_pairing, e->device_streams, ENDS_STREAMS, e->device_rx,
                           sizeof e->device_rx, e->message1, sizeof e->message1) == HAWSER_OK);
}

static inline void ends_boot(ends *e) {
  int wipe = -2;
  ends_start_device(e);
  CHECK(hawser_device_boot(&e->device, e->slot == 0 ? e->slots[0] : NULL, e->slot == 1 ? e->slots[1] : NULL, &wipe) ==
        HAWSER_OK);
  CHECK(wipe == -1);
}

static inline void ends_init(ends *e, uint8_t mode, uint8_t suite, uint8_t transport) {
  uint8_t psk[32], ticket[32];
  memset(e, 0, sizeof *e);
  e->now = 1000;
  e->transport = transport;
  e->slot = -1;
  e->verdict = HAWSER_TAKEN;
  ends_fill(psk, 32, 77);
  ends_fill(ticket, sizeof ticket, ENDS_TICKET);
  ends_common(&e->device_pairing, mode, suite);
  ends_common(&e->gateway_pairing, mode, suite);
  if (mode == HAWSER_KEYS || mode == HAWSER_KEYS_PSK) {
    ends_pair_keys(e, suite, mode == HAWSER_KEYS_PSK ? psk : NULL);
  }
  if (mode == HAWSER_KEYS_PSK || mode == HAWSER_PSK) {
    e->device_pairing.psk = e->gateway_pairing.psk = e->keys[2] = IMPORT(PSK, psk);
  }
  if (mode == HAWSER_TICKET) {
    e->device_pairing.ticket = e->keys[3] = IMPORT(TICKET, ticket);
    CHECK(hawser_chain_start(&e->chain, ticket) == HAWSER_OK);
    e->has_chain = 1;
  }
  CHECK(hawser_gateway_init(&e->context) == HAWSER_OK);
  ends_boot(e);
}

static inline void ends_free(ends *e) {
  hawser_device_wipe(&e->device);
  hawser_session_wipe(&e->session);
  for (size_t i = 0; i < 5; i++) {
    FREE(e->keys[i]);
  }
}

static inline void ends_note(ends_log *log, const hawser_event *event) {
  CHECK(log->count < ENDS_LOG);
  log->events[log->count++] = *event;
  if (event->type == HAWSER_EV_DATA) {
    memcpy(log->bytes[event->stream] + log->lens[event->stream], event->data, event->len);
    log->lens[event->stream] += event->len;
  } else if (event->data != NULL) {
    log->data_len = event->len < sizeof log->data ? event->len : sizeof log->data;
    memcpy(log->data, event->data, log->data_len);
  }
}

/* How many events of a type (and stream, unless 0xffff) were logged. */
static inline size_t ends_count(const ends_log *log, uint8_t type, uint16_t stream) {
  size_t n = 0;
  for (size_t i = 0; i < log->count; i++) {
    n += log->events[i].type == type && (stream == 0xffff || log->events[i].stream == stream);
  }
  return n;
}

static inline const hawser_event *ends_last(const ends_log *log, uint8_t type) {
  static const hawser_event none;
  for (size_t i = log->count; i > 0; i--) {
    if (log->events[i - 1].type == type) {
      return &log->events[i - 1];
    }
  }
  return &none;
}

static inline void ends_clear(ends *e) {
  e->device_log.count = 0;
  e->gateway_log.count = 0;
}

static inline void ends_store(ends *e, const hawser_event *event) {
  int other = e->slot == 0 ? 1 : 0;
  CHECK(event->len == HAWSER_SLOT_LEN && event->value == (uint32_t)other);
  memcpy(e->slots[other], event->data, HAWSER_SLOT_LEN);
  e->slot = other;
}

/* The predicates hold after whatever was done. */
static inline void ends_valid(const ends *e) {
  CHECK(hawser_device_valid(&e->device));
  CHECK(!e->has_session || hawser_session_valid(&e->session));
  CHECK(e->accept.buffer == NULL || hawser_accept_valid(&e->accept));
  CHECK(!e->has_chain || hawser_chain_valid(&e->chain));
}

/* All events of the device; stores when asked. */
static inline int ends_device_events(ends *e) {
  hawser_event event;
  int err;
  while ((err = hawser_device_next(&e->device, &event)) == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    ends_note(&e->device_log, &event);
    if (event.type == HAWSER_EV_STORE) {
      ends_store(e, &event);
      err = hawser_stored(&e->device, 1);
      if (err != HAWSER_OK) {
        return err;
      }
    } else if (event.type == HAWSER_EV_DATA && !e->hold) {
      CHECK(hawser_consume(&e->device.session, event.stream, event.len) == HAWSER_OK);
    }
  }
  ends_valid(e);
  return err;
}

static inline int ends_gateway_events(ends *e) {
  hawser_event event;
  int err;
  while ((err = hawser_next(&e->session, &event)) == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    ends_note(&e->gateway_log, &event);
    if ((event.type == HAWSER_EV_OPEN || event.type == HAWSER_EV_DATA) && !e->hold) {
      size_t len = event.type == HAWSER_EV_DATA ? event.len : 0;
      CHECK(hawser_consume(&e->session, event.stream, len) == HAWSER_OK);
    }
  }
  ends_valid(e);
  return err;
}

/* Bytes to the device, with its events. */
static inline int ends_to_device(ends *e, uint8_t *bytes, size_t len) {
  int err = HAWSER_OK;
  while (err == HAWSER_OK && len > 0) {
    size_t used = 0;
    err = hawser_device_receive(&e->device, bytes, len, &used, e->now);
    bytes += used;
    len -= used;
    if (err == HAWSER_OK) {
      err = ends_device_events(e);
    }
  }
  return err;
}

static inline int ends_to_gateway(ends *e, uint8_t *bytes, size_t len) {
  int err = HAWSER_OK;
  while (err == HAWSER_OK && len > 0) {
    size_t used = 0;
    err = hawser_receive(&e->session, bytes, len, &used, e->now);
    bytes += used;
    len -= used;
    if (err == HAWSER_OK) {
      err = ends_gateway_events(e);
    }
  }
  return err;
}

/* Control records of both ends, until neither has any. */
static inline int ends_pump(ends *e) {
  uint8_t out[2048];
  size_t len, total;
  int err = HAWSER_OK;
  do {
    total = 0;
    err = hawser_device_send(&e->device, out, sizeof out, &len, e->now);
    total += len;
    err = err == HAWSER_OK ? ends_to_gateway(e, out, len) : err;
    if (err == HAWSER_OK) {
      err = hawser_send(&e->session, out, sizeof out, &len, e->now);
      total += len;
    }
    err = err == HAWSER_OK ? ends_to_device(e, out, len) : err;
  } while (err == HAWSER_OK && total > 0);
  return err == HAWSER_OK ? ends_device_events(e) : err;
}

static inline void ends_new_session(ends *e) {
  hawser_session_wipe(&e->session);
  CHECK(hawser_session_init(&e->session, &e->gateway_pairing, e->gateway_streams, ENDS_STREAMS, e->gateway_rx,
                            sizeof e->gateway_rx) == HAWSER_OK);
  e->has_session = 1;
}

static inline int ends_continues(const ends *e) {
  return e->has_session && memcmp(e->session.name, hawser_accept_continues(&e->accept), 8) == 0 &&
         !check_is_zero(e->session.name, 8);
}

/* Message 1 to the gateway's accept: its answer comes out. */
static inline int ends_answer(ends *e, const uint8_t *message1, size_t len, uint8_t *out, size_t cap, size_t *out_len) {
  hawser_accept_event event;
  size_t used = 0;
  int early = 0;
  int err = hawser_accept_init(&e->accept, e->transport, e->accept_buffer);
  *out_len = 0;
  err = err == HAWSER_OK ? hawser_accept_receive(&e->accept, message1, len, &used, &event) : err;
  ends_valid(e);
  if (err != HAWSER_OK) {
    return err;
  }
  if (event.type == HAWSER_ACCEPT_ID) {
    err = hawser_accept_offer_id(&e->accept, &e->gateway_pairing);
    return err == HAWSER_OK ? hawser_accept_answer_full(&e->accept, NULL, 0, out, cap, out_len) : err;
  }
  if (event.type != HAWSER_ACCEPT_TICKET || !e->has_chain) {
    return HAWSER_ERR_FORMAT;
  }
  err = hawser_accept_offer_ticket(&e->accept, &e->gateway_pairing, &e->chain, 2, &e->position, &early);
  if (err != HAWSER_OK) {
    return err;
  }
  e->early = early;
  err = hawser_chain_move(&e->chain, e->position);
  return err != HAWSER_OK ? err
                          : hawser_accept_answer_ticket(&e->accept, &e->context, early ? e->verdict : 0,
                                                        ends_continues(e), NULL, 0, out, cap, out_len);
}

static inline int ends_feed_early(ends *e) {
  int err;
  if (!e->early || e->verdict != HAWSER_TAKEN) {
    return HAWSER_OK;
  }
  if (!ends_continues(e)) {
    ends_new_session(e);
  }
  err = hawser_session_early(&e->session, &e->accept, e->now);
  return err == HAWSER_OK ? ends_gateway_events(e) : err;
}

/* The device's first record to the accept, and what the store does with it. */
static inline int ends_attach(ends *e, const uint8_t *record, size_t len) {
  hawser_accept_event event;
  size_t used = 0;
  int fed = e->early && e->verdict == HAWSER_TAKEN;
  int continued;
  int err = hawser_accept_receive(&e->accept, record, len, &used, &event);
  if (err != HAWSER_OK) {
    return err;
  }
  if (event.type != HAWSER_ACCEPT_CONFIRM) {
    return HAWSER_ERR_FORMAT;
  }
  continued = ends_continues(e);
  if (hawser_accept_chain(&e->accept) != NULL) {
    e->chain = *hawser_accept_chain(&e->accept);
    e->has_chain = 1;
  } else {
    hawser_position next = {e->position.b, e->position.i + 1};
    err = hawser_chain_move(&e->chain, next);
    if (err != HAWSER_OK) {
      return err;
    }
  }
  if (!continued && !fed) {
    ends_new_session(e);
  }
  return hawser_session_attach(&e->session, &e->accept, continued, e->now);
}

static inline int ends_confirm(ends *e, const uint8_t *record, size_t len) {
  int err = ends_attach(e, record, len);
  return err == HAWSER_OK ? ends_gateway_events(e) : err;
}

/* A whole handshake with the first record: both ends live, or an error. */
static inline int ends_handshake(ends *e, const hawser_early *early, int *early_taken) {
  uint8_t m1[4200], m2[256], record[2048];
  size_t m1_len = 0, m2_len = 0, len = 0;
  int taken = 0;
  int err = hawser_connect(&e->device, e->transport, early, &taken, e->now);
  if (early_taken != NULL) {
    *early_taken = taken;
  }
  e->early = 0;
  err = err == HAWSER_OK ? hawser_device_send(&e->device, m1, sizeof m1, &m1_len, e->now) : err;
  err = err == HAWSER_OK ? ends_answer(e, m1, m1_len, m2, sizeof m2, &m2_len) : err;
  err = err == HAWSER_OK ? ends_feed_early(e) : err;
  err = err == HAWSER_OK ? ends_to_device(e, m2, m2_len) : err;
  err = err == HAWSER_OK ? hawser_device_send(&e->device, record, sizeof record, &len, e->now) : err;
  return err == HAWSER_OK ? ends_confirm(e, record, len) : err;
}

/* And what both say at once after it. */
static inline int ends_connect(ends *e, const hawser_early *early, int *early_taken) {
  int err = ends_handshake(e, early, early_taken);
  return err == HAWSER_OK ? ends_pump(e) : err;
}

/* The link is torn at both ends. */
static inline void ends_cut(ends *e) {
  hawser_disconnected(&e->device, e->now);
  if (e->has_session) {
    hawser_link_down(&e->session);
  }
  CHECK(ends_device_events(e) == HAWSER_OK);
}

/* Writes to the device's stream as far as it goes, and delivers; *sent counts. */
static inline int ends_write(ends *e, int from_device, uint16_t stream, const uint8_t *data, size_t len, int fin,
                             size_t *sent) {
  uint8_t out[ENDS_PIPE];
  hawser_session *s = from_device ? &e->device.session : &e->session;
  int fin_taken = 0;
  int err = HAWSER_OK;
  *sent = 0;
  for (;;) {
    size_t out_len = 0, taken = 0;
    err = ends_pump(e);
    err = err == HAWSER_OK ? hawser_write(s, stream, data + *sent, len - *sent, fin, out, sizeof out, &out_len, &taken,
                                          &fin_taken, e->now)
                           : err;
    if (err != HAWSER_OK || out_len == 0) {
      return err;
    }
    *sent += taken;
    err = from_device ? ends_to_gateway(e, out, out_len) : ends_to_device(e, out, out_len);
    if (err != HAWSER_OK || fin_taken) {
      return err == HAWSER_OK ? ends_pump(e) : err;
    }
  }
}

/* A stream of the device that the gateway has heard of. */
static inline uint16_t ends_open(ends *e, const char *name, uint8_t kind) {
  uint16_t id = 99;
  CHECK(hawser_open(&e->device, name, kind, &id) == HAWSER_OK);
  CHECK(ends_pump(e) == HAWSER_OK);
  return id;
}

/* Frames of a peer that is genuine, whatever they say. */
static inline int ends_inject(ends *e, int to_gateway, const uint8_t *frames, size_t len) {
  uint8_t record[2048];
  hawser_session *from = to_gateway ? &e->device.session : &e->session;
  CHECK(len + HAWSER_RECORD_OVERHEAD <= sizeof record);
  memcpy(record + HAWSER_HEADER_LEN, frames, len);
  CHECK(hawser_record_seal(&from->link, record, len) == HAWSER_OK);
  len += HAWSER_RECORD_OVERHEAD;
  return to_gateway ? ends_to_gateway(e, record, len) : ends_to_device(e, record, len);
}

static const uint8_t ends_modes[][2] = {
    {HAWSER_KEYS, HAWSER_SUITE_ID_25519},     {HAWSER_KEYS, HAWSER_SUITE_ID_P256},
    {HAWSER_KEYS_PSK, HAWSER_SUITE_ID_25519}, {HAWSER_KEYS_PSK, HAWSER_SUITE_ID_P256},
    {HAWSER_PSK, HAWSER_SUITE_ID_25519},      {HAWSER_PSK, HAWSER_SUITE_ID_P256},
    {HAWSER_TICKET, HAWSER_SUITE_NONE}};
#define ENDS_MODES (sizeof ends_modes / sizeof ends_modes[0])

#endif
