/*
 * faults_port.c - the functions that faults.h names, over the real port. This file is compiled without faults.h.
 */
#include "faults_port.h"

#include <string.h>

#include "hawser/error.h"
#include "hawser/port.h"

unsigned long faults_calls;
unsigned long faults_at;  /* 0: none fails; n: the n-th call fails */
int faults_for_ever;      /* ... and all after it */
int faults_random_fixed;  /* random gives the same bytes for ever */
int faults_random_broken; /* random fails */
int faults_dh_fails;
uint64_t faults_random_sequence;
int faults_seed;
void (*faults_on_seal)(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len,
                       const uint8_t *in, size_t len);

static int strikes(void) {
  faults_calls++;
  return faults_at != 0 && (faults_calls == faults_at || (faults_for_ever && faults_calls > faults_at));
}

#define FAULT(call) (strikes() ? HAWSER_ERR_CRYPTO : (call))

int faults_sha256(uint8_t out[32], const hawser_bytes *parts, size_t count) {
  return FAULT(hawser_port_sha256(out, parts, count));
}

/* A derivation that leaves out what makes it fresh: nothing goes in. */
static int is_seeded_n_g(const hawser_bytes *parts, size_t count) {
  return faults_seed == SEED_CONSTANT_N_G && count > 0 && parts[0].len >= 8 && memcmp(parts[0].ptr, "ng", 3) == 0;
}

int faults_hmac(uint8_t out[32], const uint8_t *key, size_t key_len, const hawser_bytes *parts, size_t count) {
  if (is_seeded_n_g(parts, count)) {
    memset(out, 1, 32);
    return HAWSER_OK;
  }
  return FAULT(hawser_port_hmac(out, key, key_len, parts, count));
}

/* A state that did not start may be ended all the same. */
int faults_hmac_start(hawser_hmac *state, const uint8_t key[32]) {
  int err = hawser_port_hmac_start(state, key);
  return strikes() ? HAWSER_ERR_CRYPTO : err;
}

/* Another: its label alone goes in. */
int faults_hmac_next(hawser_hmac *state, uint8_t out[32], const hawser_bytes *parts, size_t count) {
  const hawser_bytes label = {parts[0].ptr, 8};
  int alone = faults_seed == SEED_N_D_FROM_RANDOM && memcmp(parts[0].ptr, "nonce", 6) == 0;
  return FAULT(hawser_port_hmac_next(state, out, alone ? &label : parts, count));
}

int faults_hmac_key(uint8_t out[32], hawser_key key, const hawser_bytes *parts, size_t count) {
  return FAULT(hawser_port_hmac_key(out, key, parts, count));
}

int faults_hkdf_key(uint8_t out[96], const uint8_t salt[32], hawser_key key) {
  return FAULT(hawser_port_hkdf_key(out, salt, key));
}

/* Records count in the last eight bytes; Noise's Rekey seals under all ones. */
static void used_nonce(uint8_t out[12], const uint8_t nonce[12]) {
  memcpy(out, nonce, 12);
  if (faults_seed == SEED_COUNTER_32_BITS && nonce[4] != 0xff) {
    memset(out, 0, 8);
  }
}

int faults_seal(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len, const uint8_t *in,
                size_t len, uint8_t *out) {
  uint8_t used[12];
  used_nonce(used, nonce);
  if (faults_on_seal != NULL) {
    faults_on_seal(key, used, ad, ad_len, in, len);
  }
  return FAULT(hawser_port_seal(key, used, ad, ad_len, in, len, out));
}

int faults_open(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len, const uint8_t *in,
                size_t len, uint8_t *out) {
  uint8_t used[12];
  int err;
  used_nonce(used, nonce);
  err = FAULT(hawser_port_open(key, used, ad, ad_len, in, len, out));
  return err == HAWSER_ERR_AUTH && faults_seed == SEED_TAG_IGNORED ? HAWSER_OK : err;
}

int faults_keygen(uint8_t suite, uint8_t secret[32], uint8_t public_key[65]) {
  return FAULT(hawser_port_keygen(suite, secret, public_key));
}

int faults_public(uint8_t suite, const uint8_t secret[32], uint8_t public_key[65]) {
  return FAULT(hawser_port_public(suite, secret, public_key));
}

int faults_dh(uint8_t suite, const uint8_t secret[32], const uint8_t *peer, uint8_t out[32]) {
  int err = faults_dh_fails ? HAWSER_ERR_CRYPTO : FAULT(hawser_port_dh(suite, secret, peer, out));
  if (err != HAWSER_OK && faults_seed == SEED_FAILED_DH_COUNTS) {
    memset(out, 0, 32);
    return HAWSER_OK;
  }
  return err;
}

int faults_dh_key(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]) {
  return FAULT(hawser_port_dh_key(suite, key, peer, out));
}

int faults_random(uint8_t *out, size_t len) {
  if (faults_random_broken || strikes()) {
    return HAWSER_ERR_RANDOM;
  }
  if (faults_random_fixed) {
    for (size_t i = 0; i < len; i++) {
      out[i] = (uint8_t)(i + 1);
    }
    return HAWSER_OK;
  }
  if (faults_random_sequence != 0) {
    for (size_t i = 0; i < len; i++) {
      faults_random_sequence = faults_random_sequence * 6364136223846793005u + 1442695040888963407u;
      out[i] = (uint8_t)(faults_random_sequence >> 56);
    }
    return HAWSER_OK;
  }
  return hawser_port_random(out, len);
}
