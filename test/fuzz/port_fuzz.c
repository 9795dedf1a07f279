/*
 * port_fuzz.c - see port_fuzz.h. Not cryptography: never link it into anything but tests.
 */
#include "port_fuzz.h"

#include <string.h>

#include "defined.h"
#include "hawser/error.h"

#define SLOTS 16

int hawser_fuzz_any_tag;
uint64_t hawser_fuzz_seed;

static struct {
  uint8_t raw[HAWSER_KEY_LEN];
  int used;
} slots[SLOTS];

hawser_key hawser_fuzz_key_import(const uint8_t raw[HAWSER_KEY_LEN]) {
  for (size_t i = 0; i < SLOTS; i++) {
    if (!slots[i].used) {
      memcpy(slots[i].raw, raw, HAWSER_KEY_LEN);
      slots[i].used = 1;
      return (hawser_key)(i + 1);
    }
  }
  return 0;
}

void hawser_fuzz_key_free(hawser_key key) {
  if (key >= 1 && key <= SLOTS) {
    memset(&slots[key - 1], 0, sizeof slots[0]);
  }
}

void hawser_fuzz_keys_clear(void) {
  memset(slots, 0, sizeof slots);
}

static const uint8_t *raw_of(hawser_key key) {
  return key >= 1 && key <= SLOTS && slots[key - 1].used ? slots[key - 1].raw : NULL;
}

/* ---- mixing ---- */

static uint64_t stir(uint64_t h, uint64_t x) {
  h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
  return h ^ h >> 29;
}

static uint64_t absorb(uint64_t h, const uint8_t *bytes, size_t len) {
  uint64_t word;
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    memcpy(&word, bytes + i, 8);
    h = stir(h, word);
  }
  for (; i < len; i++) {
    h = stir(h, bytes[i]);
  }
  return h;
}

static uint64_t absorb_parts(uint64_t h, const hawser_bytes *parts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    h = absorb(h, parts[i].ptr, parts[i].len);
  }
  return h;
}

static void squeeze(uint64_t h, uint8_t *out, size_t len) {
  for (size_t i = 0; i < len; i += 8) {
    size_t n = len - i < 8 ? len - i : 8;
    uint64_t word = stir(stir(h, i + 1), UINT64_C(0xd1b54a32d192ed03));
    memcpy(out + i, &word, n);
  }
}

/* ---- the port ---- */

int hawser_port_sha256(uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  squeeze(absorb_parts(1, parts, count), out, HAWSER_HASH_LEN);
  return HAWSER_OK;
}

static int hmac_from(uint64_t h, uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  squeeze(absorb_parts(h, parts, count), out, HAWSER_HASH_LEN);
  /* SPEC 7.1, 9: names of chains and sessions are no secrets, and are compared like any other name */
  if (count > 0 &&
      (parts[0].len == 8 || parts[0].len == 8 + HAWSER_HASH_LEN) && /* SPEC 1: of a label, alone or before a hash */
      (memcmp(parts[0].ptr, "chainid", 8) == 0 || memcmp(parts[0].ptr, "name\0\0\0", 8) == 0)) {
    DEFINED_PUBLIC(out, HAWSER_HASH_LEN);
  }
  return HAWSER_OK;
}

int hawser_port_hmac(uint8_t out[HAWSER_HASH_LEN], const uint8_t *key, size_t key_len, const hawser_bytes *parts,
                     size_t count) {
  return hmac_from(absorb(2, key, key_len), out, parts, count);
}

int hawser_port_hmac_start(hawser_hmac *state, const uint8_t key[HAWSER_KEY_LEN]) {
  state->align = absorb(2, key, HAWSER_KEY_LEN);
  return HAWSER_OK;
}

int hawser_port_hmac_next(hawser_hmac *state, uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  return hmac_from(state->align, out, parts, count);
}

void hawser_port_hmac_end(hawser_hmac *state) {
  hawser_port_wipe(state, sizeof *state);
}

int hawser_port_hmac_key(uint8_t out[HAWSER_HASH_LEN], hawser_key key, const hawser_bytes *parts, size_t count) {
  const uint8_t *raw = raw_of(key);
  return raw == NULL ? HAWSER_ERR_CRYPTO : hawser_port_hmac(out, raw, HAWSER_KEY_LEN, parts, count);
}

int hawser_port_hkdf_key(uint8_t out[96], const uint8_t salt[HAWSER_HASH_LEN], hawser_key key) {
  const uint8_t *raw = raw_of(key);
  if (raw == NULL) {
    return HAWSER_ERR_CRYPTO;
  }
  squeeze(absorb(absorb(3, salt, HAWSER_HASH_LEN), raw, HAWSER_KEY_LEN), out, 96);
  return HAWSER_OK;
}

static void make_tag(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *text, size_t len, uint8_t tag[HAWSER_TAG_LEN]) {
  uint64_t h = absorb(absorb(4, key, HAWSER_KEY_LEN), nonce, HAWSER_NONCE_LEN);
  squeeze(absorb(absorb(stir(h, ad_len), ad, ad_len), text, len), tag, HAWSER_TAG_LEN);
}

int hawser_port_seal(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
#if !HAWSER_TEST_SECRETS
  DEFINED_CHECK(ad, ad_len);
  DEFINED_CHECK(in, len);
#endif
  if (len > 0) {
    memmove(out, in, len);
  }
  make_tag(key, nonce, ad, ad_len, out, len, out + len);
  return HAWSER_OK;
}

int hawser_port_open(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  uint8_t tag[HAWSER_TAG_LEN];
  int good;
  make_tag(key, nonce, ad, ad_len, in, len, tag);
  good = hawser_port_equal(tag, in + len, HAWSER_TAG_LEN) | hawser_fuzz_any_tag;
  if (!good) {
    for (size_t i = 0; i < len; i++) {
      out[i] = 0;
    }
    return HAWSER_ERR_AUTH;
  }
  if (len > 0) {
    memmove(out, in, len);
  }
  return HAWSER_OK;
}

/* The public key is the private one, masked, so that dh(a, B) = dh(b, A). */
int hawser_port_public(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  size_t at = suite == HAWSER_SUITE_ID_P256;
  memset(public_key, 4, at ? HAWSER_PUBLIC_MAX : HAWSER_KEY_LEN);
  for (size_t i = 0; i < HAWSER_KEY_LEN; i++) {
    public_key[at + i] = secret[i] ^ 0x5a;
  }
  DEFINED_PUBLIC(public_key, at ? HAWSER_PUBLIC_MAX : HAWSER_KEY_LEN);
  return HAWSER_OK;
}

int hawser_port_keygen(uint8_t suite, uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  int err = hawser_port_random(secret, HAWSER_KEY_LEN);
  if (err == HAWSER_OK) {
    err = hawser_port_public(suite, secret, public_key);
  }
  DEFINED_SECRET(secret, HAWSER_KEY_LEN);
  return err;
}

/* P-256 points have one form that is valid: 0x04 in front; what is behind does not matter here. */
int hawser_port_dh(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], const uint8_t *peer, uint8_t out[32]) {
  size_t at = suite == HAWSER_SUITE_ID_P256;
  uint8_t both[HAWSER_KEY_LEN];
  if (at && peer[0] != 4) {
    return HAWSER_ERR_AUTH;
  }
  for (size_t i = 0; i < HAWSER_KEY_LEN; i++) {
    both[i] = secret[i] ^ peer[at + i];
  }
  squeeze(absorb(5, both, sizeof both), out, 32);
  return HAWSER_OK;
}

int hawser_port_dh_key(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]) {
  const uint8_t *raw = raw_of(key);
  return raw == NULL ? HAWSER_ERR_CRYPTO : hawser_port_dh(suite, raw, peer, out);
}

int hawser_port_random(uint8_t *out, size_t len) {
  squeeze(stir(6, ++hawser_fuzz_seed), out, len);
  return HAWSER_OK;
}

void hawser_port_wipe(void *ptr, size_t len) {
  volatile uint8_t *bytes = ptr;
  if (len <= 128) { /* as a port does it; large buffers as fast as may be */
    for (size_t i = 0; i < len; i++) {
      bytes[i] = 0;
    }
    return;
  }
  memset(ptr, 0, len);
}

int hawser_port_equal(const uint8_t *a, const uint8_t *b, size_t len) {
  uint8_t difference = 0;
  int equal;
  for (size_t i = 0; i < len; i++) {
    difference = (uint8_t)(difference | (a[i] ^ b[i]));
  }
  equal = difference == 0;
  DEFINED_PUBLIC(&equal, sizeof equal); /* the one bit that a comparison may tell */
  return equal;
}
