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

size_t hawser_ident(const hawser_pairing *pairing, uint8_t out[HAWSER_IDENT_MAX]) {
  hawser_writer w = {out, HAWSER_IDENT_MAX, 0};
  hawser_put_bytes(&w, (const uint8_t *)"hawser1", 7);
  hawser_put(&w, 1, pairing->suite);
  hawser_put(&w, 1, pairing->mode);
  hawser_put(&w, 1, 1); /* the initiator is the device */
  hawser_put(&w, 1, pairing->id_len);
  hawser_put_bytes(&w, pairing->id, pairing->id_len);
  hawser_put(&w, 1, pairing->gateway_id_len);
  hawser_put_bytes(&w, pairing->gateway_id, pairing->gateway_id_len);
  return HAWSER_IDENT_MAX - w.left;
}

uint8_t hawser_type_full(uint8_t mode, uint8_t suite) {
  return (uint8_t)(HAWSER_TYPE_FULL_1 + 2 * (mode - HAWSER_KEYS) + (suite - HAWSER_SUITE_ID_25519));
}

/* A label is padded with zeros to 8 bytes, so that no label with its X can be read as another. */
static void pad_label(uint8_t out[8], const char *label) {
  size_t i = 0;
  memset(out, 0, 8);
  for (; i < 8 && label[i] != 0; i++) {
    out[i] = (uint8_t)label[i];
  }
}

/* What a PRF's HMAC is of, as so many parts. */
static size_t prf_input(hawser_bytes parts[2], uint8_t padded[8], const char *label, const uint8_t *x) {
  pad_label(padded, label);
  parts[0] = (hawser_bytes){padded, 8};
  parts[1] = (hawser_bytes){x, HAWSER_HASH_LEN};
  return x != NULL ? 2 : 1;
}

/* The first len bytes of what was made without an error. */
static int prf_output(int err, uint8_t whole[HAWSER_HASH_LEN], uint8_t *out, size_t len) {
  if (err == HAWSER_OK) {
    memcpy(out, whole, len);
  }
  hawser_port_wipe(whole, HAWSER_HASH_LEN);
  return err;
}

void hawser_prf_start(hawser_prf *prf, const uint8_t key[HAWSER_KEY_LEN]) {
  prf->err = hawser_port_hmac_start(&prf->hmac, key);
}

void hawser_prf_next(hawser_prf *prf, const char *label, const uint8_t *x, uint8_t *out, size_t len) {
  uint8_t padded[8], whole[HAWSER_HASH_LEN];
  hawser_bytes parts[2];
  size_t count = prf_input(parts, padded, label, x);
  if (prf->err == HAWSER_OK) {
    prf->err = hawser_port_hmac_next(&prf->hmac, whole, parts, count);
  }
  prf->err = prf_output(prf->err, whole, out, len);
}

int hawser_prf_end(hawser_prf *prf) {
  hawser_port_hmac_end(&prf->hmac);
  return prf->err;
}

void hawser_prf_hashed(hawser_prf *prf, const char *label, const hawser_bytes *parts, size_t count, uint8_t *out,
                       size_t len) {
  uint8_t x[HAWSER_HASH_LEN];
  if (prf->err == HAWSER_OK) {
    prf->err = hawser_port_sha256(x, parts, count);
  }
  hawser_prf_next(prf, label, x, out, len);
}

int hawser_prf_once(const uint8_t key[HAWSER_KEY_LEN], const char *label, const uint8_t *x, uint8_t *out, size_t len) {
  uint8_t padded[8], whole[HAWSER_HASH_LEN];
  hawser_bytes parts[2];
  size_t count = prf_input(parts, padded, label, x);
  return prf_output(hawser_port_hmac(whole, key, HAWSER_KEY_LEN, parts, count), whole, out, len);
}

int hawser_prf_of(const uint8_t key[HAWSER_KEY_LEN], const char *label, const hawser_bytes *parts, size_t count,
                  uint8_t *out, size_t len) {
  uint8_t x[HAWSER_HASH_LEN];
  int err = hawser_port_sha256(x, parts, count);
  return err != HAWSER_OK ? err : hawser_prf_once(key, label, x, out, len);
}

int hawser_prf_key(hawser_key key, const char *label, uint8_t *out, size_t len) {
  uint8_t padded[8], whole[HAWSER_HASH_LEN];
  hawser_bytes parts[2];
  size_t count = prf_input(parts, padded, label, NULL);
  return prf_output(hawser_port_hmac_key(whole, key, parts, count), whole, out, len);
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
  hawser_writer w = {nonce, HAWSER_NONCE_LEN, 0};
  hawser_put(&w, 4, 0);
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
