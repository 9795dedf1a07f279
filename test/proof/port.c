/*
 * port.c - a port that computes nothing: it checks that what it is handed may be read or written, gives any bytes, and fails
 * whenever it likes. What is proved with it holds with every port.
 */
#include <string.h>

#include "proof.h"

static void reads(const void *ptr, size_t len) {
  PROVE(len == 0 || __CPROVER_r_ok(ptr, len), "the port may read its input");
}

static void gives(void *ptr, size_t len) {
  PROVE(len == 0 || __CPROVER_w_ok(ptr, len), "the port may write its output");
  if (len > 0) {
    __CPROVER_havoc_slice(ptr, len);
  }
}

static void reads_parts(const hawser_bytes *parts, size_t count) {
  reads(parts, count * sizeof *parts);
  for (size_t i = 0; i < count; i++) {
    reads(parts[i].ptr, parts[i].len);
  }
}

static int result(int other) {
  int err = nondet_int();
  REQUIRE(err == HAWSER_OK || err == HAWSER_ERR_CRYPTO || err == other);
  return err;
}

int hawser_port_sha256(uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  reads_parts(parts, count);
  gives(out, HAWSER_HASH_LEN);
  return result(HAWSER_OK);
}

int hawser_port_hmac(uint8_t out[HAWSER_HASH_LEN], const uint8_t *key, size_t key_len, const hawser_bytes *parts,
                     size_t count) {
  PROVE(key_len >= 1 && key_len <= 64, "the port takes such a key");
  reads(key, key_len);
  reads_parts(parts, count);
  gives(out, HAWSER_HASH_LEN);
  return result(HAWSER_OK);
}

int hawser_port_hmac_start(hawser_hmac *state, const uint8_t key[HAWSER_KEY_LEN]) {
  reads(key, HAWSER_KEY_LEN);
  gives(state, sizeof *state);
  return result(HAWSER_OK);
}

int hawser_port_hmac_next(hawser_hmac *state, uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  reads(state, sizeof *state);
  reads_parts(parts, count);
  gives(state, sizeof *state);
  gives(out, HAWSER_HASH_LEN);
  return result(HAWSER_OK);
}

void hawser_port_hmac_end(hawser_hmac *state) {
  gives(state, sizeof *state);
}

int hawser_port_hmac_key(uint8_t out[HAWSER_HASH_LEN], hawser_key key, const hawser_bytes *parts, size_t count) {
  (void)key;
  reads_parts(parts, count);
  gives(out, HAWSER_HASH_LEN);
  return result(HAWSER_OK);
}

int hawser_port_hkdf_key(uint8_t out[96], const uint8_t salt[HAWSER_HASH_LEN], hawser_key key) {
  (void)key;
  reads(salt, HAWSER_HASH_LEN);
  gives(out, 96);
  return result(HAWSER_OK);
}

int hawser_port_seal(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  reads(key, HAWSER_KEY_LEN);
  reads(nonce, HAWSER_NONCE_LEN);
  reads(ad, ad_len);
  reads(in, len);
  gives(out, len + HAWSER_TAG_LEN);
  return result(HAWSER_OK);
}

int hawser_port_open(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  reads(key, HAWSER_KEY_LEN);
  reads(nonce, HAWSER_NONCE_LEN);
  reads(ad, ad_len);
  reads(in, len + HAWSER_TAG_LEN);
  gives(out, len);
  return result(HAWSER_ERR_AUTH);
}

static int gives_public(uint8_t suite, uint8_t *public_key) {
  gives(public_key, hawser_public_len(suite));
  return result(HAWSER_ERR_RANDOM);
}

int hawser_port_keygen(uint8_t suite, uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  gives(secret, HAWSER_KEY_LEN);
  return gives_public(suite, public_key);
}

int hawser_port_public(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  reads(secret, HAWSER_KEY_LEN);
  return gives_public(suite, public_key);
}

static int agrees(uint8_t suite, const uint8_t *peer, uint8_t out[32]) {
  reads(peer, hawser_public_len(suite));
  gives(out, 32);
  return result(HAWSER_ERR_AUTH);
}

int hawser_port_dh(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], const uint8_t *peer, uint8_t out[32]) {
  reads(secret, HAWSER_KEY_LEN);
  return agrees(suite, peer, out);
}

int hawser_port_dh_key(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]) {
  (void)key;
  return agrees(suite, peer, out);
}

int hawser_port_random(uint8_t *out, size_t len) {
  gives(out, len);
  return result(HAWSER_ERR_RANDOM);
}

void hawser_port_wipe(void *ptr, size_t len) {
  PROVE(len == 0 || __CPROVER_w_ok(ptr, len), "the port may wipe");
  memset(ptr, 0, len);
}

int hawser_port_equal(const uint8_t *a, const uint8_t *b, size_t len) {
  int equal = nondet_int();
  reads(a, len);
  reads(b, len);
  REQUIRE(equal == 0 || equal == 1);
  return equal;
}
