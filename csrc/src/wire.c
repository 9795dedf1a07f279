/*
 * wire.c - cursors, the identity header, the PRF. Knows nothing of states.
 */
#include "wire.h"

#include <string.h>

uint64_t hawser_get(hawser_reader *r, size_t n) {
  uint64_t value = 0;
  const uint8_t *bytes = hawser_get_bytes(r, n);
  for (size_t i = 0; bytes != NULL && i < n; i++) {
    value = value << 8 | bytes[i];
  }
  return value;
}

void hawser_put(hawser_writer *w, size_t n, uint64_t value) {
  uint8_t bytes[8];
  for (size_t i = n; i > 0; i--) {
    bytes[i - 1] = (uint8_t)value;
    value >>= 8;
  }
  hawser_put_bytes(w, bytes, n);
}

const uint8_t *hawser_get_bytes(hawser_reader *r, size_t len) {
  const uint8_t *bytes = r->at;
  if (r->bad || len > r->left) {
    r->bad = 1;
    return NULL;
  }
  r->at += len;
  r->left -= len;
  return bytes;
}

void hawser_put_bytes(hawser_writer *w, const uint8_t *bytes, size_t len) {
  if (w->bad || len > w->left) {
    w->bad = 1;
    return;
  }
  if (len > 0) {
    memcpy(w->at, bytes, len);
    w->at += len;
    w->left -= len;
  }
}

int hawser_reader_done(const hawser_reader *r) {
  return !r->bad && r->left == 0;
}

int hawser_is_zero(const uint8_t *bytes, size_t len) {
  uint8_t sum = 0;
  for (size_t i = 0; i < len; i++) {
    sum = (uint8_t)(sum | bytes[i]);
  }
  return sum == 0;
}

void hawser_ident(const hawser_pairing *pairing, hawser_writer *w) {
  hawser_put_bytes(w, (const uint8_t *)"hawser1", 7);
  hawser_put(w, 1, pairing->suite);
  hawser_put(w, 1, pairing->mode);
  hawser_put(w, 1, 1); /* the initiator is the device */
  hawser_put(w, 1, pairing->id_len);
  hawser_put_bytes(w, pairing->id, pairing->id_len);
  hawser_put(w, 1, pairing->gateway_id_len);
  hawser_put_bytes(w, pairing->gateway_id, pairing->gateway_id_len);
}

/* SPEC 1: a label is padded with zeros to 8 bytes, so that no label with its X can be read as another. */
#define LABEL_LEN 8
static const char labels[][LABEL_LEN] = {
    [HAWSER_LABEL_TICKET] = "ticket", [HAWSER_LABEL_CHAINID] = "chainid", [HAWSER_LABEL_FIRST] = "first",
    [HAWSER_LABEL_BLOCK] = "block",   [HAWSER_LABEL_NEXT] = "next",       [HAWSER_LABEL_NONCE] = "nonce",
    [HAWSER_LABEL_M1] = "m1",         [HAWSER_LABEL_M2] = "m2",           [HAWSER_LABEL_D2G] = "d2g",
    [HAWSER_LABEL_G2D] = "g2d",       [HAWSER_LABEL_NAME] = "name",
#if HAWSER_GATEWAY || HAWSER_ECDH
    [HAWSER_LABEL_CHAIN] = "chain",   [HAWSER_LABEL_EXPORT] = "export",   [HAWSER_LABEL_MAC] = "mac",
    [HAWSER_LABEL_GATE] = "gate",
#endif
#if HAWSER_GATEWAY
    [HAWSER_LABEL_NG] = "ng",
#endif
};

/* One PRF: what its HMAC is of, and its whole output. */
typedef struct prf_work {
  uint8_t input[LABEL_LEN + HAWSER_HASH_LEN], output[HAWSER_HASH_LEN];
} prf_work;

static HAWSER_APART hawser_bytes prf_begin(prf_work *w, enum hawser_label label, const uint8_t *x) {
  hawser_bytes part = {w->input, LABEL_LEN};
  memcpy(w->input, labels[label], LABEL_LEN);
  if (x != NULL) {
    memcpy(w->input + LABEL_LEN, x, HAWSER_HASH_LEN);
    part.len += HAWSER_HASH_LEN;
  }
  return part;
}

/* The first len bytes, if all went well. */
static HAWSER_APART int prf_finish(prf_work *w, int err, uint8_t *out, size_t len) {
  if (err == HAWSER_OK) {
    memcpy(out, w->output, len);
  }
  hawser_port_wipe(w, sizeof *w);
  return err;
}

void hawser_prf_start(hawser_prf *prf, const uint8_t key[HAWSER_KEY_LEN]) {
  prf->err = hawser_port_hmac_start(&prf->hmac, key);
}

void hawser_prf_next(hawser_prf *prf, enum hawser_label label, const uint8_t *x, uint8_t *out, size_t len) {
  prf_work w;
  hawser_bytes part = prf_begin(&w, label, x);
  if (prf->err == HAWSER_OK) {
    prf->err = hawser_port_hmac_next(&prf->hmac, w.output, &part, 1);
  }
  prf->err = prf_finish(&w, prf->err, out, len);
}

int hawser_prf_end(hawser_prf *prf) {
  hawser_port_hmac_end(&prf->hmac);
  return prf->err;
}

void hawser_prf_hashed(hawser_prf *prf, enum hawser_label label, const hawser_bytes *parts, size_t count, uint8_t *out,
                       size_t len) {
  uint8_t x[HAWSER_HASH_LEN];
  if (prf->err == HAWSER_OK) {
    prf->err = hawser_port_sha256(x, parts, count);
  }
  hawser_prf_next(prf, label, x, out, len);
}

int hawser_prf_once(const uint8_t key[HAWSER_KEY_LEN], enum hawser_label label, const uint8_t *x, uint8_t *out,
                    size_t len) {
  prf_work w;
  hawser_bytes part = prf_begin(&w, label, x);
  return prf_finish(&w, hawser_port_hmac(w.output, key, HAWSER_KEY_LEN, &part, 1), out, len);
}

int hawser_prf_of(const uint8_t key[HAWSER_KEY_LEN], enum hawser_label label, const hawser_bytes *parts, size_t count,
                  uint8_t *out, size_t len) {
  uint8_t x[HAWSER_HASH_LEN];
  int err = hawser_port_sha256(x, parts, count);
  return err != HAWSER_OK ? err : hawser_prf_once(key, label, x, out, len);
}

int hawser_prf_key(hawser_key key, enum hawser_label label, uint8_t *out, size_t len) {
  prf_work w;
  hawser_bytes part = prf_begin(&w, label, NULL);
  return prf_finish(&w, hawser_port_hmac_key(w.output, key, &part, 1), out, len);
}

int hawser_check(const uint8_t *bytes, size_t len, uint8_t check[HAWSER_CHECK_LEN]) {
  hawser_bytes part = {bytes, len};
  uint8_t digest[HAWSER_HASH_LEN];
  int err = hawser_port_sha256(digest, &part, 1);
  if (err == HAWSER_OK) {
    memcpy(check, digest, HAWSER_CHECK_LEN);
  }
  return err;
}

int hawser_check_matches(const uint8_t *bytes, size_t len) {
  uint8_t check[HAWSER_CHECK_LEN];
  int err = hawser_check(bytes, len, check);
  return err != HAWSER_OK ? err : hawser_port_equal(check, bytes + len, HAWSER_CHECK_LEN);
}

static void make_nonce(uint8_t nonce[HAWSER_NONCE_LEN], uint64_t counter) {
  hawser_writer w = {nonce + 4, 8, 0};
  memset(nonce, 0, 4);
  hawser_put(&w, 8, counter);
}

int hawser_seal(const uint8_t key[HAWSER_KEY_LEN], uint64_t counter, const uint8_t *ad, size_t ad_len,
                const uint8_t *in, size_t len, uint8_t *out) {
  uint8_t nonce[HAWSER_NONCE_LEN];
  make_nonce(nonce, counter);
#if HAWSER_TRACE
  hawser_trace(key, nonce, ad, ad_len, in, len);
#endif
  return hawser_port_seal(key, nonce, ad, ad_len, in, len, out);
}

int hawser_unseal(const uint8_t key[HAWSER_KEY_LEN], uint64_t counter, const uint8_t *ad, size_t ad_len,
                  const uint8_t *in, size_t len, uint8_t *out) {
  uint8_t nonce[HAWSER_NONCE_LEN];
  make_nonce(nonce, counter);
  return hawser_port_open(key, nonce, ad, ad_len, in, len, out);
}
