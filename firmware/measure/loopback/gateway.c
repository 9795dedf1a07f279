/*
 * gateway.c - see gateway.h: one device, a store in memory, an upstream that takes everything and says nothing.
 */
#include "measure/loopback/gateway.h"

#include <string.h>

#include "hawser/gateway.h"
#include "measure/keys.h"

#define ROOM __attribute__((section(".retained"))) /* more memory than a device has: nothing here is counted */

static hawser_pairing pairing;
static hawser_gateway_context context;
static hawser_accept accept_;
static hawser_session session;
static hawser_stream streams[4];
static hawser_chain chain;
static hawser_position position;
#if !HAWSER_MODE_TICKET
static uint8_t own[HAWSER_KEY_LEN];
#endif
static ROOM uint8_t accept_buffer[HAWSER_ACCEPT_LEN], rx[HAWSER_RX_LEN(HAWSER_RECORD_MAX)];

static void common(hawser_pairing *p) {
  memset(p, 0, sizeof *p);
  p->mode = MEASURE_MODE;
  p->suite = MEASURE_SUITE;
  p->id_len = p->gateway_id_len = 8;
  memcpy(p->id, "device-1", 8);
  memcpy(p->gateway_id, "gateway1", 8);
  p->record_max = 256;
  p->window_device = p->window_gateway = 1024;
  p->max_steps = p->max_blocks = 65536;
}

#if HAWSER_MODE_TICKET
static int pair(hawser_pairing *device, const uint8_t secret[HAWSER_KEY_LEN]) {
  (void)device;
  return hawser_chain_start(&chain, secret);
}
#elif HAWSER_MODE_PSK
static int pair(hawser_pairing *device, const uint8_t secret[HAWSER_KEY_LEN]) {
  (void)device;
  memcpy(own, secret, sizeof own);
  return measure_key(&pairing, own);
}
#else
static int pair(hawser_pairing *device, const uint8_t secret[HAWSER_KEY_LEN]) {
  int err = hawser_port_keygen(MEASURE_SUITE, own, device->peer);
  err |= hawser_port_public(MEASURE_SUITE, secret, device->own_public);
  err |= hawser_port_dh(MEASURE_SUITE, own, device->own_public, device->ss);
  memcpy(pairing.ss, device->ss, sizeof pairing.ss);
  memcpy(pairing.own_public, device->peer, sizeof pairing.peer);
  memcpy(pairing.peer, device->own_public, sizeof pairing.peer);
  err |= hawser_gate_keys(device, NULL);
  return err | hawser_gate_keys(&pairing, NULL) | measure_key(&pairing, own);
}
#endif

int gateway_pair(hawser_pairing *device, uint8_t secret[HAWSER_KEY_LEN]) {
  int err = hawser_gateway_init(&context);
  common(device);
  common(&pairing);
  err |= hawser_port_random(secret, HAWSER_KEY_LEN);
  return err | pair(device, secret);
}

int gateway_link(void) {
  hawser_link_down(&session);
  return hawser_accept_init(&accept_, HAWSER_STREAM, accept_buffer);
}

void gateway_forget(void) {
  hawser_session_wipe(&session);
}

/* 1 if the device wants its session back, and it is here. */
static int continues(void) {
  static const uint8_t none[HAWSER_NAME_LEN];
  const uint8_t *name = hawser_accept_continues(&accept_);
  return memcmp(name, none, sizeof none) != 0 && memcmp(name, session.name, sizeof none) == 0;
}

static int answer(uint8_t event, uint8_t *out, size_t cap, size_t *out_len) {
  int early = 0, err;
  if (event == HAWSER_ACCEPT_ID) {
    err = hawser_accept_offer_id(&accept_, &pairing);
    return err != HAWSER_OK ? err : hawser_accept_answer_full(&accept_, NULL, 0, out, cap, out_len);
  }
  err = hawser_accept_offer_ticket(&accept_, &pairing, &chain, 2, &position, &early);
  err = err == HAWSER_OK ? hawser_chain_move(&chain, position) : err;
  return err != HAWSER_OK ? err
                          : hawser_accept_answer_ticket(&accept_, &context, HAWSER_NO_EARLY, continues(), NULL, 0, out,
                                                        cap, out_len);
}

static int attach(void) {
  hawser_position next = {position.b, position.i + 1};
  int err = HAWSER_OK, continued = continues();
  if (hawser_accept_chain(&accept_) != NULL) {
    chain = *hawser_accept_chain(&accept_);
  } else {
    err = hawser_chain_move(&chain, next);
  }
  if (!continued) {
    hawser_session_wipe(&session);
    err |= hawser_session_init(&session, &pairing, streams, 4, rx, sizeof rx);
  }
  return err != HAWSER_OK ? err : hawser_session_attach(&session, &accept_, continued, 0);
}

static int take_events(void) {
  hawser_event event;
  int err = hawser_next(&session, &event);
  while (err == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_OPEN || event.type == HAWSER_EV_DATA) {
      err = hawser_consume(&session, event.stream, event.type == HAWSER_EV_DATA ? event.len : 0);
    }
    err = err == HAWSER_OK ? hawser_next(&session, &event) : err;
  }
  return err;
}

static int take(uint8_t *in, size_t len, size_t *used, uint8_t *out, size_t cap, size_t *out_len) {
  hawser_accept_event event;
  int err;
  if (hawser_is_live(&session)) {
    err = hawser_receive(&session, in, len, used, 0);
    return err == HAWSER_OK ? take_events() : err;
  }
  err = hawser_accept_receive(&accept_, in, len, used, &event);
  if (err != HAWSER_OK || event.type == HAWSER_ACCEPT_NONE) {
    return err;
  }
  if (event.type != HAWSER_ACCEPT_CONFIRM) {
    return answer(event.type, out, cap, out_len);
  }
  err = attach();
  return err == HAWSER_OK ? take_events() : err;
}

int gateway_exchange(uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *out_len) {
  size_t used, more = 1;
  int err = HAWSER_OK;
  *out_len = 0;
  while (err == HAWSER_OK && len > 0) {
    err = take(in, len, &used, out, cap, out_len);
    in += used;
    len -= used;
  }
  while (err == HAWSER_OK && more > 0 && hawser_is_live(&session)) {
    err = hawser_send(&session, out + *out_len, cap - *out_len, &more, 1000);
    *out_len += more;
  }
  return err;
}

int gateway_write(const uint8_t *data, size_t len, uint8_t *out, size_t cap, size_t *out_len) {
#if MEASURE_MESSAGES
  return hawser_message(&session, 0, data, len, out, cap, out_len, 1000);
#else
  size_t taken;
  int fin;
  return hawser_write(&session, 0, data, len, 0, out, cap, out_len, &taken, &fin, 1000);
#endif
}
