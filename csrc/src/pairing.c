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

/* The numbers of SPEC 2, and whether this build has what they stand for. */
static int mode_known(uint8_t mode, uint8_t suite) {
  return mode == HAWSER_TICKET ? suite == HAWSER_SUITE_NONE
                               : mode >= HAWSER_KEYS && mode <= HAWSER_PSK &&
                                     (suite == HAWSER_SUITE_ID_25519 || suite == HAWSER_SUITE_ID_P256);
}

/* Of a mode that is known. */
static int mode_built_in(uint8_t mode, uint8_t suite) {
  static const uint8_t built_in[] = {0, HAWSER_MODE_KEYS, HAWSER_MODE_KEYS_PSK, HAWSER_MODE_PSK, HAWSER_MODE_TICKET};
  return built_in[mode] && (mode == HAWSER_TICKET || suite_built_in(suite));
}

/* SPEC 2: a secret of 32 zero bytes MUST be refused when it is configured. The port refuses it for the keys that it holds. */
static int statics_valid(const hawser_pairing *p) {
  size_t len = hawser_public_len(p->suite);
  return p->own != 0 && !hawser_is_zero(p->peer, len) && !hawser_is_zero(p->own_public, len) &&
         !hawser_is_zero(p->ss, sizeof p->ss) && !hawser_is_zero(p->gate_d2g, sizeof p->gate_d2g) &&
         !hawser_is_zero(p->gate_g2d, sizeof p->gate_g2d);
}

static int secrets_valid(const hawser_pairing *p) {
  return mode_known(p->mode, p->suite) && mode_built_in(p->mode, p->suite) &&
         (!hawser_has_statics(p) || statics_valid(p)) && (!hawser_has_psk(p) || p->psk != 0);
}

static int number_valid(uint32_t number) {
  return number >= 1 && number <= HAWSER_NUMBER_MAX;
}

static int terms_valid(const hawser_pairing *p) {
  return id_valid(p->id_len) && id_valid(p->gateway_id_len) && p->record_max >= HAWSER_RECORD_MIN &&
         p->record_max <= HAWSER_RECORD_MAX && window_valid(p->window_device) && window_valid(p->window_gateway) &&
         number_valid(p->max_steps) && number_valid(p->max_blocks);
}

int hawser_pairing_valid(const hawser_pairing *p) {
  return terms_valid(p) && secrets_valid(p) ? HAWSER_OK : HAWSER_ERR_ARG;
}

/* ---- binary form, SPEC 4.1 ---- */

/* Copies len bytes. A secret of zeros, or an id of a length that none has, spoils the reader. */
static void read_secret(hawser_reader *r, uint8_t *out, size_t len) {
  const uint8_t *bytes = hawser_get_bytes(r, len);
  if (bytes == NULL || hawser_is_zero(bytes, len)) {
    r->bad = 1;
    return;
  }
  memcpy(out, bytes, len);
}

static void read_id(hawser_reader *r, uint8_t *id, uint8_t *id_len) {
  uint8_t len = (uint8_t)hawser_get(r, 1);
  const uint8_t *bytes = hawser_get_bytes(r, len);
  if (bytes == NULL || !id_valid(len)) {
    r->bad = 1;
    return;
  }
  memcpy(id, bytes, len);
  *id_len = len;
}

static int read_terms(hawser_reader *r, hawser_pairing *p) {
  static const uint8_t head[5] = {'H', 'W', 'P', 'R', 1};
  const uint8_t *magic = hawser_get_bytes(r, sizeof head);
  p->mode = (uint8_t)hawser_get(r, 1);
  p->suite = (uint8_t)hawser_get(r, 1);
  if (hawser_get(r, 1) != 0) {
    return 0; /* flags */
  }
  read_id(r, p->id, &p->id_len);
  read_id(r, p->gateway_id, &p->gateway_id_len);
  p->record_max = (uint16_t)hawser_get(r, 2);
  p->window_device = (uint32_t)hawser_get(r, 4);
  p->window_gateway = (uint32_t)hawser_get(r, 4);
  p->max_steps = (uint32_t)hawser_get(r, 4);
  p->max_blocks = (uint32_t)hawser_get(r, 4);
  return !r->bad && memcmp(magic, head, sizeof head) == 0 && terms_valid(p) &&
         (p->mode != HAWSER_TICKET || p->max_blocks == HAWSER_NUMBER_MAX);
}

static int read_secrets(hawser_reader *r, hawser_pairing *p, hawser_pairing_secrets *s) {
  if (hawser_has_statics(p)) {
    read_secret(r, s->own, sizeof s->own);
    read_secret(r, p->peer, hawser_public_len(p->suite));
    read_secret(r, p->ss, sizeof p->ss);
    read_secret(r, p->gate_d2g, sizeof p->gate_d2g);
    read_secret(r, p->gate_g2d, sizeof p->gate_g2d);
  }
  if (hawser_has_psk(p)) {
    read_secret(r, s->psk, sizeof s->psk);
  }
  if (hawser_is_ticket(p)) {
    read_secret(r, s->ticket, sizeof s->ticket);
  }
  return hawser_reader_done(r) && (p->suite != HAWSER_SUITE_ID_P256 || p->mode == HAWSER_PSK || p->peer[0] == 4);
}

static int read_own_public(hawser_pairing *p, const uint8_t own[HAWSER_KEY_LEN]) {
#if HAWSER_MODE_KEYS
  if (!hawser_is_zero(own, HAWSER_KEY_LEN)) {
    return hawser_port_public(p->suite, own, p->own_public);
  }
#else
  (void)p;
  (void)own;
#endif
  return HAWSER_OK;
}

static int read_form(hawser_pairing *p, hawser_pairing_secrets *s, const uint8_t *form, size_t len) {
  hawser_reader r = {form, len - HAWSER_CHECK_LEN, 0};
  int matches = hawser_check_matches(form, r.left);
  if (matches != 1) {
    return matches < 0 ? matches : HAWSER_ERR_FORMAT;
  }
  if (!read_terms(&r, p) || !mode_known(p->mode, p->suite)) {
    return HAWSER_ERR_FORMAT;
  }
  if (!mode_built_in(p->mode, p->suite)) {
    return HAWSER_ERR_ARG;
  }
  return read_secrets(&r, p, s) ? read_own_public(p, s->own) : HAWSER_ERR_FORMAT;
}

int hawser_pairing_read(hawser_pairing *p, hawser_pairing_secrets *s, const uint8_t *form, size_t len) {
  int err;
  memset(p, 0, sizeof *p);
  memset(s, 0, sizeof *s);
  if (len < HAWSER_CHECK_LEN || len > HAWSER_PAIRING_FORM_MAX) {
    return HAWSER_ERR_FORMAT;
  }
  err = read_form(p, s, form, len);
  if (err != HAWSER_OK) {
    hawser_port_wipe(p, sizeof *p);
    hawser_port_wipe(s, sizeof *s);
  }
  return err;
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
      err = hawser_prf_once(key, HAWSER_LABEL_GATE, context, gates[direction - 1], sizeof gates[0]);
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
