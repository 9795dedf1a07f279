/*
 * pairing.c - what both ends know before they meet, SPEC 4.
 */
#include <string.h>

#include "wire.h"

#define WINDOW_MIN 64
#define WINDOW_MAX ((uint32_t)1 << 30)

static int id_valid(uint8_t len) {
  return len >= HAWSER_ID_MIN && len <= HAWSER_ID_MAX;
}

static int window_valid(uint32_t window) {
  return window >= WINDOW_MIN && window <= WINDOW_MAX;
}

static int suite_built_in(uint8_t suite) {
  return (HAWSER_SUITE_25519 && suite == HAWSER_SUITE_ID_25519) || (HAWSER_SUITE_P256 && suite == HAWSER_SUITE_ID_P256);
}

/* SPEC 2: a secret of 32 zero bytes MUST be refused when it is configured. The port refuses it for the keys that it holds. */
static int statics_valid(const hawser_pairing *p) {
  size_t len = hawser_public_len(p->suite);
  return HAWSER_MODE_KEYS && p->own != 0 && !hawser_is_zero(p->peer, len) && !hawser_is_zero(p->own_public, len) &&
         !hawser_is_zero(p->ss, sizeof p->ss) && !hawser_is_zero(p->gate_d2g, sizeof p->gate_d2g) &&
         !hawser_is_zero(p->gate_g2d, sizeof p->gate_g2d);
}

static int secrets_valid(const hawser_pairing *p) {
  switch (p->mode) {
  case HAWSER_KEYS:
    return suite_built_in(p->suite) && statics_valid(p);
  case HAWSER_KEYS_PSK:
    return suite_built_in(p->suite) && statics_valid(p) && p->psk != 0;
  case HAWSER_PSK:
    return suite_built_in(p->suite) && HAWSER_MODE_PSK && p->psk != 0;
  case HAWSER_TICKET:
    return p->suite == HAWSER_SUITE_NONE;
  default:
    return 0;
  }
}

int hawser_pairing_valid(const hawser_pairing *p) {
  int ok = id_valid(p->id_len) && id_valid(p->gateway_id_len) && p->record_max >= HAWSER_RECORD_MIN &&
           p->record_max <= HAWSER_RECORD_MAX && window_valid(p->window_device) && window_valid(p->window_gateway) &&
           p->max_steps >= 1 && p->max_blocks >= 1 && secrets_valid(p);
  return ok ? HAWSER_OK : HAWSER_ERR_ARG;
}

#if HAWSER_MODE_KEYS
/* SHA256(direction || psk flag || psk || len,id_device || len,id_gateway) */
static int gate_context(const hawser_pairing *p, uint8_t direction, const uint8_t *psk, uint8_t out[HAWSER_HASH_LEN]) {
  uint8_t head[2] = {direction, psk != NULL};
  hawser_bytes parts[6] = {{head, 2},
                           {psk, psk != NULL ? HAWSER_KEY_LEN : 0},
                           {&p->id_len, 1},
                           {p->id, p->id_len},
                           {&p->gateway_id_len, 1},
                           {p->gateway_id, p->gateway_id_len}};
  return hawser_port_sha256(out, parts, 6);
}

int hawser_gate_keys(hawser_pairing *p, const uint8_t *psk) {
  static const uint8_t label[11] = {'h', 'a', 'w', 's', 'e', 'r', ' ', 'g', 'a', 't', 'e'};
  uint8_t key[HAWSER_HASH_LEN], context[HAWSER_HASH_LEN];
  uint8_t gates[2][HAWSER_HASH_LEN];
  hawser_bytes ss = {p->ss, sizeof p->ss};
  int err = hawser_is_zero(p->ss, sizeof p->ss) ? HAWSER_ERR_ARG : HAWSER_OK;
  if (err == HAWSER_OK) {
    err = hawser_port_hmac(key, label, sizeof label, &ss, 1);
  }
  for (uint8_t direction = 1; err == HAWSER_OK && direction <= 2; direction++) {
    err = gate_context(p, direction, psk, context);
    if (err == HAWSER_OK) {
      err = hawser_prf(gates[direction - 1], key, "gate", context, sizeof context);
    }
  }
  if (err == HAWSER_OK) {
    memcpy(p->gate_d2g, gates[0], sizeof p->gate_d2g);
    memcpy(p->gate_g2d, gates[1], sizeof p->gate_g2d);
  }
  hawser_port_wipe(key, sizeof key);
  hawser_port_wipe(context, sizeof context);
  hawser_port_wipe(gates, sizeof gates);
  return err;
}
#endif
