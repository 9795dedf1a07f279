/*
 * handshake.c - the full handshakes, SPEC 6.
 *
 *   KK:       -> s         KKpsk0:  -> s                  NNpsk0:
 *             <- s                  <- s
 *             ...                   ...
 *             -> e, es, ss          -> psk, e, es, ss     -> psk, e
 *             <- e, ee, se          <- e, ee, se          <- e, ee
 */
#include "handshake.h"

#include <string.h>

#if HAWSER_ECDH

enum token { END = 0, E, EE, ES, SE, SS, PSK };

/* Names of a pattern, one for each suite that is built in. */
#if !HAWSER_SUITE_P256
#define NAMES(pattern)                                                                                                 \
  { "Noise_" pattern "_25519_AESGCM_SHA256" }
#elif !HAWSER_SUITE_25519
#define NAMES(pattern)                                                                                                 \
  { "Noise_" pattern "_P256_AESGCM_SHA256" }
#else
#define NAMES(pattern)                                                                                                 \
  { "Noise_" pattern "_25519_AESGCM_SHA256", "Noise_" pattern "_P256_AESGCM_SHA256" }
#endif

typedef struct pattern {
  const char *names[HAWSER_SUITE_25519 + HAWSER_SUITE_P256];
  uint8_t first[5], second[4];
} pattern;

static const pattern patterns[] = {
#if HAWSER_MODE_KEYS
    [HAWSER_KEYS - HAWSER_KEYS] = {NAMES("KK"), {E, ES, SS}, {E, EE, SE}},
#endif
#if HAWSER_MODE_KEYS_PSK
    [HAWSER_KEYS_PSK - HAWSER_KEYS] = {NAMES("KKpsk0"), {PSK, E, ES, SS}, {E, EE, SE}},
#endif
#if HAWSER_MODE_PSK
    [HAWSER_PSK - HAWSER_KEYS] = {NAMES("NNpsk0"), {PSK, E}, {E, EE}},
#endif
};

static const pattern *pattern_of(const hawser_pairing *p) {
  return &patterns[HAWSER_MODE_KEYS_PSK || HAWSER_MODE_PSK ? p->mode - HAWSER_KEYS : 0];
}

static const char *name_of(const hawser_pairing *p) {
  return pattern_of(p)->names[HAWSER_SUITE_25519 && HAWSER_SUITE_P256 ? p->suite - HAWSER_SUITE_ID_25519 : 0];
}

/* A device never responds: in its build this is 0 and the other half of each choice is gone. */
static int responds(const hawser_noise *n) {
#if HAWSER_GATEWAY
  return n->responder;
#else
  (void)n;
  return 0;
#endif
}

int hawser_noise_start(hawser_noise *n, const hawser_pairing *p, int responder, const uint8_t *prologue, size_t len) {
  size_t key_len = hawser_public_len(p->suite);
  n->responder = (uint8_t)responder;
  n->re = NULL;
  n->fixed_e = 0;
  hawser_symmetric_init(&n->s, name_of(p));
  hawser_mix_hash(&n->s, prologue, len);
  if (hawser_has_statics(p)) { /* -> s, <- s: the initiator's first */
    hawser_mix_hash(&n->s, responds(n) ? p->peer : p->own_public, key_len);
    hawser_mix_hash(&n->s, responds(n) ? p->own_public : p->peer, key_len);
  }
  return n->s.err;
}

static void mix_public(hawser_noise *n, const hawser_pairing *p, const uint8_t *e) {
  size_t len = hawser_public_len(p->suite);
  hawser_mix_hash(&n->s, e, len);
  if (hawser_has_psk(p)) {
    hawser_mix_key(&n->s, e, len); /* Noise 9.2: with a psk, e is mixed into the key as well */
  }
}

/* The shared secret of a token; the letters are initiator's, then responder's. */
static int agree(const hawser_noise *n, const hawser_pairing *p, uint8_t token, uint8_t out[32]) {
  int own_is_static = token == (responds(n) ? ES : SE);
  int peer_is_static = token == (responds(n) ? SE : ES);
  const uint8_t *peer = peer_is_static ? p->peer : n->re;
  if (token == SS) {
    memcpy(out, p->ss, 32); /* computed when the devices were paired */
    return HAWSER_OK;
  }
  return own_is_static ? hawser_port_dh_key(p->suite, p->own, peer, out) : hawser_port_dh(p->suite, n->e, peer, out);
}

static void mix_agreement(hawser_noise *n, const hawser_pairing *p, uint8_t token) {
  uint8_t shared[32];
  n->s.err = agree(n, p, token, shared);
  hawser_mix_key(&n->s, shared, sizeof shared);
  hawser_port_wipe(shared, sizeof shared);
}

/* Writes (in == NULL) or reads the public key and does what the tokens say. */
static void run_tokens(hawser_noise *n, const hawser_pairing *p, int number, const uint8_t *in, uint8_t *out) {
  const pattern *pt = pattern_of(p);
  for (const uint8_t *token = number == 1 ? pt->first : pt->second; n->s.err == HAWSER_OK && *token != END; token++) {
    if (hawser_has_psk(p) && *token == PSK) {
      hawser_mix_psk(&n->s, p->psk);
    } else if (*token != E) {
      mix_agreement(n, p, *token);
    } else if (in != NULL) {
      n->re = in;
      mix_public(n, p, in);
    } else {
      n->s.err = n->fixed_e ? hawser_port_public(p->suite, n->e, out) : hawser_port_keygen(p->suite, n->e, out);
      mix_public(n, p, out);
    }
  }
}

int hawser_noise_write(hawser_noise *n, const hawser_pairing *p, int number, const uint8_t *payload, size_t len,
                       uint8_t *out, size_t *out_len) {
  size_t key_len = hawser_public_len(p->suite);
  run_tokens(n, p, number, NULL, out);
  hawser_encrypt_and_hash(&n->s, payload, len, out + key_len);
  *out_len = key_len + len + HAWSER_TAG_LEN;
  return n->s.err;
}

int hawser_noise_read(hawser_noise *n, const hawser_pairing *p, int number, const uint8_t *in, size_t in_len,
                      uint8_t *payload) {
  size_t key_len = hawser_public_len(p->suite);
  if (in_len < key_len + HAWSER_TAG_LEN) {
    return HAWSER_ERR_FORMAT;
  }
  run_tokens(n, p, number, in, NULL);
  hawser_decrypt_and_hash(&n->s, in + key_len, in_len - key_len - HAWSER_TAG_LEN, payload);
  return n->s.err;
}

/* SPEC 6: Split, and what is exported besides: E = PRF(X, "export", h); B_0 and name from E. */
int hawser_noise_finish(const uint8_t ck[HAWSER_HASH_LEN], const uint8_t h[HAWSER_HASH_LEN], const hawser_keys *keys,
                        uint8_t b0[HAWSER_KEY_LEN]) {
  uint8_t secret[HAWSER_KEY_LEN]; /* X, then E */
  int err = hawser_split(ck, keys->d2g, keys->g2d, secret);
  if (err == HAWSER_OK) {
    err = hawser_prf_once(secret, HAWSER_LABEL_EXPORT, h, secret, HAWSER_KEY_LEN);
  }
  if (err == HAWSER_OK) {
    err = hawser_prf_once(secret, HAWSER_LABEL_CHAIN, NULL, b0, HAWSER_KEY_LEN);
  }
  if (HAWSER_STREAMS && err == HAWSER_OK) {
    err = hawser_prf_once(secret, HAWSER_LABEL_NAME, NULL, keys->name, HAWSER_NAME_LEN);
  }
  hawser_port_wipe(secret, sizeof secret);
  return err;
}

/* ---- whole messages ---- */

size_t hawser_full_len(uint8_t mode, uint8_t suite) {
  return 1 + hawser_public_len(suite) + HAWSER_TAG_LEN +
         ((HAWSER_GATEWAY || HAWSER_MODE_PSK) && mode == HAWSER_PSK ? 0 : HAWSER_MAC_LEN);
}

/* SPEC 6: mac = PRF(gate(direction), "mac", SHA256(all preceding bytes))[0..8] */
static int make_mac(const uint8_t gate[32], const uint8_t *message, size_t len, uint8_t mac[HAWSER_MAC_LEN]) {
  hawser_bytes part = {message, len};
  return hawser_prf_of(gate, HAWSER_LABEL_MAC, &part, 1, mac, HAWSER_MAC_LEN);
}

static int append_mac(const hawser_pairing *p, const uint8_t gate[32], uint8_t *message, size_t *len) {
  int err = HAWSER_OK;
  if (hawser_has_statics(p)) {
    err = make_mac(gate, message, *len, message + *len);
    *len += HAWSER_MAC_LEN;
  }
  return err;
}

/* Takes the mac off. The length was checked before. */
static HAWSER_APART int check_mac(const hawser_pairing *p, const uint8_t gate[32], const uint8_t *message,
                                  size_t *len) {
  uint8_t mac[HAWSER_MAC_LEN];
  int err;
  if (!hawser_has_statics(p)) {
    return HAWSER_OK;
  }
  *len -= HAWSER_MAC_LEN;
  err = make_mac(gate, message, *len, mac);
  if (err == HAWSER_OK && !hawser_port_equal(mac, message + *len, HAWSER_MAC_LEN)) {
    err = HAWSER_ERR_AUTH;
  }
  hawser_port_wipe(mac, sizeof mac);
  return err;
}

/* prologue = ident || type */
static HAWSER_APART int start(hawser_noise *n, const hawser_pairing *p, int responder) {
  uint8_t prologue[HAWSER_IDENT_MAX + 1];
  hawser_writer w = {prologue, sizeof prologue, 0};
  hawser_ident(p, &w);
  hawser_put(&w, 1, hawser_type_full(p->mode, p->suite));
  return hawser_noise_start(n, p, responder, prologue, sizeof prologue - w.left);
}

int hawser_full_write1(hawser_noise *n, const hawser_pairing *p, uint8_t *out, size_t cap, size_t *len) {
  size_t head = 1u + p->id_len;
  size_t body = 0;
  int err;
  if (cap < hawser_full_len(p->mode, p->suite) + p->id_len) {
    return HAWSER_ERR_BUFFER;
  }
  out[0] = hawser_type_full(p->mode, p->suite);
  memcpy(out + 1, p->id, p->id_len);
  err = start(n, p, 0);
  if (err == HAWSER_OK) {
    err = hawser_noise_write(n, p, 1, NULL, 0, out + head, &body); /* SPEC 6: message 1's payload is empty */
  }
  if (err == HAWSER_OK) {
    *len = head + body;
    err = append_mac(p, p->gate_d2g, out, len);
  }
  return err;
}

/* The tokens of message 2. What the rest of it needs, and no more, stays: a handshake and the cipher at once are much for a stack. */
static HAWSER_APART int mix2(const struct hawser_asked *asked, const hawser_pairing *p, const uint8_t *e,
                             uint8_t ck[HAWSER_HASH_LEN], uint8_t h[HAWSER_HASH_LEN], uint8_t k[HAWSER_KEY_LEN]) {
  hawser_noise n = {0};
  int err;
  memcpy(n.e, asked->e, sizeof n.e);
  memcpy(n.s.ck, asked->ck, sizeof n.s.ck);
  memcpy(n.s.h, asked->h, sizeof n.s.h);
  run_tokens(&n, p, 2, e, NULL);
  memcpy(ck, n.s.ck, sizeof n.s.ck);
  memcpy(h, n.s.h, sizeof n.s.h);
  memcpy(k, n.s.k, sizeof n.s.k);
  err = n.s.err;
  hawser_port_wipe(&n, sizeof n);
  return err;
}

int hawser_full_read2(const struct hawser_asked *asked, const hawser_pairing *p, const uint8_t *in, size_t len,
                      const hawser_keys *keys, uint8_t b0[HAWSER_KEY_LEN]) {
  uint8_t *ck = keys->d2g, *k = keys->g2d, *h = b0; /* until these are known */
  hawser_bytes parts[2] = {{h, HAWSER_HASH_LEN}, {in, HAWSER_TAG_LEN}};
  uint8_t payload[1];
  int err;
  /* SPEC 3.2: the connection id is empty on stream and serial transports */
  if (len != hawser_full_len(p->mode, p->suite) || in[0] != HAWSER_TYPE_FULL_2) {
    return HAWSER_ERR_FORMAT;
  }
  parts[1].ptr += 1 + hawser_public_len(p->suite);
  err = check_mac(p, p->gate_g2d, in, &len); /* SPEC 6: a bad mac costs no ECDH */
  if (err == HAWSER_OK) {
    err = mix2(asked, p, in + 1, ck, h, k);
  }
  if (err == HAWSER_OK) {
    err = hawser_unseal(k, 0, h, HAWSER_HASH_LEN, parts[1].ptr, 0, payload);
  }
  if (err == HAWSER_OK) {
    err = hawser_port_sha256(h, parts, 2);
  }
  return err != HAWSER_OK ? err : hawser_noise_finish(ck, h, keys, b0);
}

#if HAWSER_GATEWAY

static int read_noise1(hawser_noise *n, const hawser_pairing *p, const uint8_t *in, size_t len) {
  uint8_t payload[1];
  size_t head = 1u + p->id_len;
  int err = start(n, p, 1);
  return err != HAWSER_OK ? err : hawser_noise_read(n, p, 1, in + head, len - head, payload);
}

/* SPEC 6, order of checks: length and type; the look-up was done; mac, or psk0's tag. None of it is an ECDH. */
int hawser_full_check1(hawser_noise *n, const hawser_pairing *p, const uint8_t *in, size_t len) {
  if (len != hawser_full_len(p->mode, p->suite) + p->id_len || in[0] != hawser_type_full(p->mode, p->suite) ||
      memcmp(in + 1, p->id, p->id_len) != 0) {
    return HAWSER_ERR_AUTH;
  }
  return hawser_has_statics(p) ? check_mac(p, p->gate_d2g, in, &len) : read_noise1(n, p, in, len);
}

int hawser_full_read1(hawser_noise *n, const hawser_pairing *p, const uint8_t *in, size_t len) {
  return hawser_has_statics(p) ? read_noise1(n, p, in, len - HAWSER_MAC_LEN) : HAWSER_OK; /* psk: check1 has done it */
}

int hawser_full_write2(hawser_noise *n, const hawser_pairing *p, const uint8_t *connection_id, size_t id_len,
                       uint8_t *out, size_t *len) {
  size_t body = 0;
  int err;
  out[0] = HAWSER_TYPE_FULL_2;
  err = hawser_noise_write(n, p, 2, connection_id, id_len, out + 1, &body);
  if (err == HAWSER_OK) {
    *len = 1 + body;
    err = append_mac(p, p->gate_g2d, out, len);
  }
  return err;
}

#endif
#endif
