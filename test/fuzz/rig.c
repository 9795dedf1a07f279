/*
 * rig.c - see rig.h.
 */
#include "rig.h"

#include "channel.h"
#include "defined.h"
#include "rig_keys.h"
#include "session.h"

rig r;

static uint8_t device_rx[HAWSER_RX_LEN(RIG_RECORD)], gateway_rx[HAWSER_RX_LEN(HAWSER_RECORD_MAX)];
static uint8_t message1[HAWSER_MESSAGE1_LEN(256)];
static uint8_t accept_buffer[HAWSER_ACCEPT_LEN];
static hawser_key keys[4];

static const uint8_t modes[RIG_MODES][2] = {{HAWSER_TICKET, HAWSER_SUITE_NONE},
                                            {HAWSER_PSK, HAWSER_SUITE_ID_25519},
                                            {HAWSER_KEYS, HAWSER_SUITE_ID_25519},
                                            {HAWSER_KEYS_PSK, HAWSER_SUITE_ID_P256},
                                            {HAWSER_PSK, HAWSER_SUITE_ID_P256}};

static void fill(uint8_t *out, size_t len, uint8_t seed) {
  for (size_t i = 0; i < len; i++) {
    out[i] = (uint8_t)(seed + 31 * i + (i >> 8));
  }
}

static void common(hawser_pairing *p, const uint8_t mode[2]) {
  p->mode = mode[0];
  p->suite = mode[1];
  p->id_len = 8;
  memcpy(p->id, "device-1", 8);
  p->gateway_id_len = 6;
  memcpy(p->gateway_id, "gate-1", 6);
  p->record_max = RIG_RECORD;
  p->window_device = RIG_WINDOW;
  p->window_gateway = 2 * RIG_WINDOW;
  p->max_steps = 8; /* so that a few resumptions reach the end of a block */
  p->max_blocks = 1000000;
}

static void pair_keys(uint8_t suite, const uint8_t *psk) {
  uint8_t secret[2][32], ss[32];
  hawser_pairing *d = &r.device_pairing, *g = &r.gateway_pairing;
  fill(secret[0], 32, 11);
  fill(secret[1], 32, 57);
  FUZZ_ASSERT(hawser_port_public(suite, secret[0], d->own_public) == HAWSER_OK);
  FUZZ_ASSERT(hawser_port_public(suite, secret[1], g->own_public) == HAWSER_OK);
  memcpy(d->peer, g->own_public, HAWSER_PUBLIC_MAX);
  memcpy(g->peer, d->own_public, HAWSER_PUBLIC_MAX);
  DEFINED_SECRET(secret, sizeof secret);
  FUZZ_ASSERT(hawser_port_dh(suite, secret[0], d->peer, ss) == HAWSER_OK);
  d->own = keys[0] = rig_import_private(suite, secret[0]);
  g->own = keys[1] = rig_import_private(suite, secret[1]);
  memcpy(d->ss, ss, 32);
  memcpy(g->ss, ss, 32);
  FUZZ_ASSERT(hawser_gate_keys(d, psk) == HAWSER_OK);
  FUZZ_ASSERT(hawser_gate_keys(g, psk) == HAWSER_OK);
}

void rig_init(uint8_t which, uint8_t transport) {
  const uint8_t *mode = modes[which % RIG_MODES];
  uint8_t psk[32], ticket[32];
  for (size_t i = 0; i < 4; i++) {
    RIG_FREE(keys[i]);
    keys[i] = 0;
  }
  rig_restart_random();
  memset(&r, 0, sizeof r);
  r.now = 1000;
  r.transport = transport;
  r.slot = -1;
  fill(psk, 32, 77);
  fill(ticket, 32, 99);
  DEFINED_SECRET(psk, 32);
  DEFINED_SECRET(ticket, 32);
  common(&r.device_pairing, mode);
  common(&r.gateway_pairing, mode);
  if (mode[0] == HAWSER_KEYS || mode[0] == HAWSER_KEYS_PSK) {
    pair_keys(mode[1], mode[0] == HAWSER_KEYS_PSK ? psk : NULL);
  }
  if (mode[0] == HAWSER_KEYS_PSK || mode[0] == HAWSER_PSK) {
    r.device_pairing.psk = r.gateway_pairing.psk = keys[2] = RIG_IMPORT(PSK, psk);
  }
  if (mode[0] == HAWSER_TICKET) {
    r.device_pairing.ticket = keys[3] = RIG_IMPORT(TICKET, ticket);
    FUZZ_ASSERT(hawser_chain_start(&r.chain, ticket) == HAWSER_OK);
    r.has_chain = 1;
  }
  FUZZ_ASSERT(hawser_gateway_init(&r.context) == HAWSER_OK);
  DEFINED_SECRET(r.context.boot_key, sizeof r.context.boot_key);
  rig_boot();
}

void rig_boot(void) {
  int wipe = -2;
  FUZZ_ASSERT(hawser_device_init(&r.device, &r.device_pairing, r.device_streams, RIG_STREAMS, device_rx,
                                 sizeof device_rx, message1, sizeof message1) == HAWSER_OK);
  FUZZ_ASSERT(hawser_device_boot(&r.device, r.slot == 0 ? r.slots[0] : NULL, r.slot == 1 ? r.slots[1] : NULL, &wipe) ==
              HAWSER_OK);
  FUZZ_ASSERT(wipe == -1);
}

void rig_session(void) {
  FUZZ_ASSERT(hawser_session_init(&r.session, &r.gateway_pairing, r.gateway_streams, RIG_STREAMS, gateway_rx,
                                  sizeof gateway_rx) == HAWSER_OK);
}

/* Whatever leaves an end is initialised to its last byte, and public. */
static void sent(void) {
  FUZZ_ASSERT(r.out_len <= sizeof r.out);
#if HAWSER_TEST_SECRETS
  DEFINED_PUBLIC(r.out, r.out_len);
#else
  DEFINED_CHECK(r.out, r.out_len);
#endif
}

void rig_accept(void) {
  FUZZ_ASSERT(hawser_accept_init(&r.accept, r.transport, accept_buffer) == HAWSER_OK);
}

int rig_device_send(void) {
  int err;
  DEFINED_UNKNOWN(r.out, sizeof r.out);
  err = hawser_device_send(&r.device, r.out, sizeof r.out, &r.out_len, r.now);
  sent();
  return err;
}

int rig_gateway_send(void) {
  int err;
  DEFINED_UNKNOWN(r.out, sizeof r.out);
  err = hawser_send(&r.session, r.out, sizeof r.out, &r.out_len, r.now);
  sent();
  return err;
}

int rig_message1(const hawser_early *early) {
  int taken = 0;
  int err = hawser_connect(&r.device, r.transport, early, &taken, r.now);
  return err == HAWSER_OK ? rig_device_send() : err;
}

static int offer_ticket(uint8_t verdict, int continued) {
  int early = 0;
  int err = hawser_accept_offer_ticket(&r.accept, &r.gateway_pairing, &r.chain, 2, &r.position, &early);
  r.early = early;
  if (err == HAWSER_OK) {
    FUZZ_ASSERT(r.position.b > r.chain.b || (r.position.b == r.chain.b && r.position.i >= r.chain.i));
    FUZZ_ASSERT(hawser_chain_move(&r.chain, r.position) == HAWSER_OK);
    err = hawser_accept_answer_ticket(&r.accept, &r.context, early ? verdict : HAWSER_NO_EARLY, continued, NULL, 0,
                                      r.out, sizeof r.out, &r.out_len);
  }
  return err;
}

int rig_offer(const hawser_accept_event *event, uint8_t verdict, int continued) {
  int err;
  DEFINED_UNKNOWN(r.out, sizeof r.out);
  r.out_len = 0;
  if (event->type == HAWSER_ACCEPT_ID) {
    FUZZ_ASSERT(event->id_len >= HAWSER_ID_MIN && event->id_len <= HAWSER_ID_MAX);
    FUZZ_ASSERT(event->mode >= HAWSER_KEYS && event->mode <= HAWSER_PSK && event->suite >= 1 && event->suite <= 2);
    err = hawser_accept_offer_id(&r.accept, &r.gateway_pairing);
    if (err == HAWSER_OK) {
      err = hawser_accept_answer_full(&r.accept, NULL, 0, r.out, sizeof r.out, &r.out_len);
    }
  } else {
    FUZZ_ASSERT(event->type == HAWSER_ACCEPT_TICKET && event->id_len == HAWSER_TICKET_LEN);
    if (!r.has_chain) {
      return HAWSER_ERR_AUTH;
    }
    err = offer_ticket(verdict, continued);
  }
  if (err != HAWSER_OK) {
    FUZZ_ASSERT(r.out_len == 0);
  }
  sent();
  return err;
}

int rig_answer(const uint8_t *m1, size_t len, uint8_t verdict, int continued) {
  hawser_accept_event event;
  size_t used = 0;
  int err;
  rig_accept();
  err = hawser_accept_receive(&r.accept, m1, len, &used, &event);
  if (err != HAWSER_OK || event.type == HAWSER_ACCEPT_NONE) {
    return err != HAWSER_OK ? err : HAWSER_ERR_FORMAT;
  }
  return rig_offer(&event, verdict, continued);
}

static void attach(int continued) {
  hawser_accept_event event;
  size_t used = 0;
  FUZZ_ASSERT(hawser_accept_receive(&r.accept, r.out, r.out_len, &used, &event) == HAWSER_OK);
  FUZZ_ASSERT(event.type == HAWSER_ACCEPT_CONFIRM && used == r.out_len);
  if (hawser_accept_chain(&r.accept) != NULL) {
    r.chain = *hawser_accept_chain(&r.accept);
    r.has_chain = 1;
  } else {
    hawser_position next = {r.position.b, r.position.i + 1};
    FUZZ_ASSERT(hawser_chain_move(&r.chain, next) == HAWSER_OK);
  }
  if (!continued) {
    rig_session();
  }
  FUZZ_ASSERT(hawser_session_attach(&r.session, &r.accept, continued, r.now) == HAWSER_OK);
  FUZZ_ASSERT(rig_gateway_events() == HAWSER_OK);
}

void rig_connect(int continued) {
  uint8_t m1[RIG_OUT];
  size_t used = 0, len;
  FUZZ_ASSERT(rig_message1(NULL) == HAWSER_OK);
  len = r.out_len;
  memcpy(m1, r.out, len);
  FUZZ_ASSERT(rig_answer(m1, len, HAWSER_TAKEN, continued) == HAWSER_OK);
  FUZZ_ASSERT(hawser_device_receive(&r.device, r.out, r.out_len, &used, r.now) == HAWSER_OK && used == r.out_len);
  FUZZ_ASSERT(rig_device_events() == HAWSER_OK);
  FUZZ_ASSERT(rig_device_send() == HAWSER_OK && r.out_len > 0);
  attach(continued);
  rig_pump();
}

static size_t to_gateway(void) {
  size_t at = 0, used;
  FUZZ_ASSERT(rig_device_send() == HAWSER_OK);
  for (; at < r.out_len; at += used) {
    FUZZ_ASSERT(hawser_receive(&r.session, r.out + at, r.out_len - at, &used, r.now) == HAWSER_OK);
    FUZZ_ASSERT(rig_gateway_events() == HAWSER_OK);
  }
  return at;
}

static size_t to_device(void) {
  size_t at = 0, used;
  FUZZ_ASSERT(rig_gateway_send() == HAWSER_OK);
  for (; at < r.out_len; at += used) {
    FUZZ_ASSERT(hawser_device_receive(&r.device, r.out + at, r.out_len - at, &used, r.now) == HAWSER_OK);
    FUZZ_ASSERT(rig_device_events() == HAWSER_OK);
  }
  return at;
}

void rig_pump(void) {
  size_t moved = 1;
  for (int i = 0; moved > 0; i++) {
    FUZZ_ASSERT(i < 100); /* two ends that talk for ever */
    moved = to_gateway();
    moved += to_device();
  }
}

int rig_device_events(void) {
  hawser_event event;
  int err = hawser_device_next(&r.device, &event);
  while (err == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_STORE) {
      r.slot = r.slot == 0 ? 1 : 0;
      memcpy(r.slots[r.slot], event.data, HAWSER_SLOT_LEN);
      FUZZ_ASSERT(hawser_stored(&r.device, 1) == HAWSER_OK);
    } else if (event.type == HAWSER_EV_DATA) {
      FUZZ_ASSERT(hawser_consume(&r.device.session, event.stream, event.len) == HAWSER_OK);
    }
    err = hawser_device_next(&r.device, &event);
  }
  return err;
}

int rig_gateway_events(void) {
  hawser_event event;
  int err = hawser_next(&r.session, &event);
  while (err == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_OPEN || event.type == HAWSER_EV_DATA) {
      size_t len = event.type == HAWSER_EV_DATA ? event.len : 0;
      FUZZ_ASSERT(hawser_consume(&r.session, event.stream, len) == HAWSER_OK);
    }
    err = hawser_next(&r.session, &event);
  }
  return err;
}

void rig_check_session(const hawser_session *s) {
  FUZZ_ASSERT(hawser_session_valid(s));
  for (uint16_t id = 0; id < s->stream_count; id++) {
    const hawser_stream *st = &s->streams[id];
    if (!s->gateway && st->flags == 0) {
      FUZZ_ASSERT(st->name == NULL);
    }
    if (s->gateway) {
      FUZZ_ASSERT((st->flags & (HAWSER_ST_USED | HAWSER_ST_DONE)) != (HAWSER_ST_USED | HAWSER_ST_DONE));
    }
  }
}

void rig_check_device(void) {
  const hawser_device *d = &r.device;
  FUZZ_ASSERT(hawser_device_valid(d));
  FUZZ_ASSERT(d->message1 == message1 && d->message1_cap <= sizeof message1 && d->early_stream < RIG_STREAMS);
  FUZZ_ASSERT(d->b == d->f ? d->i == 0 : d->b + 1 == d->f); /* SPEC 7.4 rule 2 */
  rig_check_session(&d->session);
}

void rig_check_accept(const hawser_accept *a) {
  FUZZ_ASSERT(hawser_accept_valid(a));
  FUZZ_ASSERT(a->buffer == accept_buffer);
}
