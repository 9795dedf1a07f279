/*
 * port_psa.c - hawser/port.h on the PSA Crypto API, and on nothing else of its provider.
 *
 * Raw keys become volatile keys for one call. HMAC with a raw key is two hashes: a build without long-term HMAC keys links no
 * MAC code, and several HMACs under one key absorb it once.
 */
#include "port_psa.h"

#include <string.h>

#include "hawser/config.h"
#include "hawser/error.h"

#if !defined(HAWSER_CRYPTO) || HAWSER_CRYPTO == HAWSER_CRYPTO_PSA

#include <psa/crypto.h>

#if !defined(HAWSER_RANDOM) && (defined(__unix__) || defined(__APPLE__) || defined(_WIN32))
#define HAWSER_RANDOM HAWSER_RANDOM_PROVIDER
#elif !defined(HAWSER_RANDOM)
#error "hawser: no entropy source is known here: define HAWSER_RANDOM in HAWSER_CONFIG_FILE, see hawser/config.h"
#elif HAWSER_RANDOM != HAWSER_RANDOM_PROVIDER && HAWSER_RANDOM != HAWSER_RANDOM_BOARD
#error "hawser: HAWSER_RANDOM is HAWSER_RANDOM_PROVIDER or HAWSER_RANDOM_BOARD"
#endif

#define BLOCK_LEN 64 /* of SHA-256 */

#if !HAWSER_PSA_RAW_SECRETS
static const psa_algorithm_t k_hmac = PSA_ALG_HMAC(PSA_ALG_SHA_256);
static const psa_algorithm_t k_hkdf = PSA_ALG_HKDF(PSA_ALG_SHA_256);
#endif

/* ---- bytes ---- */

/* By words, as the C library does it; through a pointer that is read anew each time, so that no compiler can know that the bytes
 * are a memset's, and leave out one whose bytes nobody reads. */
static void *(*const volatile set_bytes)(void *, int, size_t) = memset;

void hawser_port_wipe(void *ptr, size_t len) {
  if (len > 0) {
    (void)set_bytes(ptr, 0, len);
  }
}

int hawser_port_equal(const uint8_t *a, const uint8_t *b, size_t len) {
  volatile uint8_t diff = 0;
  for (size_t i = 0; i < len; i++) {
    diff = (uint8_t)(diff | (a[i] ^ b[i]));
  }
  return diff == 0;
}

static int fail(int code, void *out, size_t len) {
  hawser_port_wipe(out, len);
  return code;
}

static int random_bytes(uint8_t *out, size_t len) {
#if HAWSER_RANDOM == HAWSER_RANDOM_BOARD
  return hawser_board_random(out, len);
#else
  return psa_crypto_init() == PSA_SUCCESS && psa_generate_random(out, len) == PSA_SUCCESS;
#endif
}

int hawser_port_random(uint8_t *out, size_t len) {
  return random_bytes(out, len) ? HAWSER_OK : fail(HAWSER_ERR_RANDOM, out, len);
}

/* Of a key or a shared secret, by words; all of it is looked at in any case. */
static int is_zero(const uint8_t bytes[HAWSER_KEY_LEN]) {
  uint32_t word, sum = 0;
  for (size_t i = 0; i < HAWSER_KEY_LEN; i += sizeof word) {
    memcpy(&word, bytes + i, sizeof word);
    sum |= word;
  }
  return sum == 0;
}

/* ---- keys ---- */

#if !HAWSER_PSA_RAW_SECRETS || HAWSER_ECDH
/* A hawser_key has the bits of a pointer, an id of PSA has 32: where pointers are shorter, raw tickets are all that there can be. */
typedef char hawser_key_is_too_short_for_a_psa_key_id_t[sizeof(hawser_key) >= sizeof(psa_key_id_t) ? 1 : -1];
#endif

/* 0 on failure. psa_crypto_init returns at once when it has run before. */
static psa_key_id_t import(psa_key_type_t type, size_t bits, psa_key_usage_t usage, psa_algorithm_t alg,
                           const uint8_t raw[HAWSER_KEY_LEN]) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_key_id_t id = 0;
  if (is_zero(raw) || psa_crypto_init() != PSA_SUCCESS) {
    return 0;
  }
  psa_set_key_type(&attributes, type);
  psa_set_key_bits(&attributes, bits);
  psa_set_key_usage_flags(&attributes, usage);
  psa_set_key_algorithm(&attributes, alg);
  return psa_import_key(&attributes, raw, HAWSER_KEY_LEN, &id) == PSA_SUCCESS ? id : 0;
}

#if HAWSER_ECDH
/* 0 for a suite that is not compiled in. */
static psa_key_id_t import_private(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN]) {
#if HAWSER_SUITE_25519
  if (suite == HAWSER_SUITE_ID_25519) {
    return import(PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY), 255, PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH,
                  secret);
  }
#endif
#if HAWSER_SUITE_P256
  if (suite == HAWSER_SUITE_ID_P256) {
    return import(PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), 256, PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH, secret);
  }
#endif
  return 0;
}
#endif

hawser_key hawser_psa_key_import(hawser_psa_use use, const uint8_t raw[HAWSER_KEY_LEN]) {
  (void)raw; /* a build may have no such key */
  switch (use) {
#if !HAWSER_PSA_RAW_SECRETS
  case HAWSER_PSA_TICKET:
    return import(PSA_KEY_TYPE_HMAC, 256, PSA_KEY_USAGE_SIGN_MESSAGE, k_hmac, raw);
  case HAWSER_PSA_PSK:
    return import(PSA_KEY_TYPE_DERIVE, 256, PSA_KEY_USAGE_DERIVE, k_hkdf, raw);
#endif
#if HAWSER_ECDH
  case HAWSER_PSA_25519:
    return import_private(HAWSER_SUITE_ID_25519, raw);
  case HAWSER_PSA_P256:
    return import_private(HAWSER_SUITE_ID_P256, raw);
#endif
  default:
    return 0;
  }
}

void hawser_psa_key_free(hawser_key key) {
  if (key != 0) {
    (void)psa_destroy_key((psa_key_id_t)key);
  }
}

/* ---- SHA-256, HMAC, HKDF ---- */

/* Finishes a hash over what op holds and the parts; op is free again. */
static int finish(psa_hash_operation_t *op, psa_status_t status, const hawser_bytes *parts, size_t count,
                  uint8_t out[HAWSER_HASH_LEN]) {
  size_t out_len = 0;
  for (size_t i = 0; status == PSA_SUCCESS && i < count; i++) {
    status = psa_hash_update(op, parts[i].ptr, parts[i].len);
  }
  if (status == PSA_SUCCESS) {
    status = psa_hash_finish(op, out, HAWSER_HASH_LEN, &out_len);
  }
  if (status == PSA_SUCCESS) {
    return HAWSER_OK;
  }
  (void)psa_hash_abort(op);
  return fail(HAWSER_ERR_CRYPTO, out, HAWSER_HASH_LEN);
}

int hawser_port_sha256(uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  psa_hash_operation_t op = PSA_HASH_OPERATION_INIT;
  psa_status_t status = psa_hash_setup(&op, PSA_ALG_SHA_256);
  return finish(&op, status, parts, count, out);
}

/* RFC 2104: a hash that takes in the key ^ a pad first, by words. */
#define INNER 0x36363636u
#define OUTER 0x5c5c5c5cu

static psa_status_t absorb_pad(psa_hash_operation_t *op, const uint8_t *key, size_t key_len, uint32_t word) {
  uint32_t pad[BLOCK_LEN / 4] = {0};
  psa_status_t status = PSA_ERROR_INVALID_ARGUMENT;
  if (key_len < 1 || key_len > BLOCK_LEN) {
    return status;
  }
  memcpy(pad, key, key_len);
  for (size_t i = 0; i < BLOCK_LEN / 4; i++) {
    pad[i] ^= word;
  }
  status = psa_hash_setup(op, PSA_ALG_SHA_256);
  if (status == PSA_SUCCESS) {
    status = psa_hash_update(op, (const uint8_t *)pad, sizeof pad);
  }
  hawser_port_wipe(pad, sizeof pad);
  return status;
}

/* A single one: with one hash at a time, and without a copy of it. */
int hawser_port_hmac(uint8_t out[HAWSER_HASH_LEN], const uint8_t *key, size_t key_len, const hawser_bytes *parts,
                     size_t count) {
  psa_hash_operation_t op = PSA_HASH_OPERATION_INIT;
  uint8_t digest[HAWSER_HASH_LEN]; /* out may overlap the key, which is needed again */
  hawser_bytes inner = {digest, sizeof digest};
  int err = finish(&op, absorb_pad(&op, key, key_len, INNER), parts, count, digest);
  if (err == HAWSER_OK) {
    err = finish(&op, absorb_pad(&op, key, key_len, OUTER), &inner, 1, out);
  }
  hawser_port_wipe(digest, sizeof digest);
  return err == HAWSER_OK ? HAWSER_OK : fail(err, out, HAWSER_HASH_LEN);
}

/* The hashes that have taken in both pads. Each HMAC goes on from copies of them. */
typedef struct pads {
  psa_hash_operation_t inner, outer;
} pads;

typedef char HAWSER_HMAC_LEN_is_too_small_for_two_hash_states[sizeof(pads) <= sizeof(hawser_hmac) ? 1 : -1];

int hawser_port_hmac_start(hawser_hmac *state, const uint8_t key[HAWSER_KEY_LEN]) {
  pads *p = (pads *)state;
  psa_status_t status;
  memset(p, 0, sizeof *p);
  status = absorb_pad(&p->inner, key, HAWSER_KEY_LEN, INNER);
  if (status == PSA_SUCCESS) {
    status = absorb_pad(&p->outer, key, HAWSER_KEY_LEN, OUTER);
  }
  return status == PSA_SUCCESS ? HAWSER_OK : HAWSER_ERR_CRYPTO;
}

int hawser_port_hmac_next(hawser_hmac *state, uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  const pads *p = (const pads *)state;
  psa_hash_operation_t op = PSA_HASH_OPERATION_INIT;
  hawser_bytes inner = {out, HAWSER_HASH_LEN};
  int err = finish(&op, psa_hash_clone(&p->inner, &op), parts, count, out);
  return err != HAWSER_OK ? err : finish(&op, psa_hash_clone(&p->outer, &op), &inner, 1, out);
}

void hawser_port_hmac_end(hawser_hmac *state) {
  pads *p = (pads *)state;
  (void)psa_hash_abort(&p->inner);
  (void)psa_hash_abort(&p->outer);
  hawser_port_wipe(state, sizeof *state);
}

/* ---- long-term secrets ---- */

#if HAWSER_PSA_RAW_SECRETS

/* NULL: there is none, or it is zero. */
static const uint8_t *secret_of(hawser_key key) {
  const uint8_t *raw = (const uint8_t *)key; // NOLINT(performance-no-int-to-ptr)
  return raw == NULL || is_zero(raw) ? NULL : raw;
}

int hawser_port_hmac_key(uint8_t out[HAWSER_HASH_LEN], hawser_key key, const hawser_bytes *parts, size_t count) {
  const uint8_t *secret = secret_of(key);
  return secret != NULL ? hawser_port_hmac(out, secret, HAWSER_KEY_LEN, parts, count)
                        : fail(HAWSER_ERR_CRYPTO, out, HAWSER_HASH_LEN);
}

#if HAWSER_ECDH
/* prk = HMAC(salt, secret); T(i) = HMAC(prk, T(i-1) || i), T(0) empty */
int hawser_port_hkdf_key(uint8_t out[96], const uint8_t salt[HAWSER_HASH_LEN], hawser_key key) {
  uint8_t prk[HAWSER_HASH_LEN];
  hawser_bytes secret = {secret_of(key), HAWSER_KEY_LEN};
  int err = secret.ptr != NULL ? hawser_port_hmac(prk, salt, HAWSER_HASH_LEN, &secret, 1) : HAWSER_ERR_CRYPTO;
  for (uint8_t i = 1; err == HAWSER_OK && i <= 3; i++) {
    uint8_t *block = out + HAWSER_HASH_LEN * (size_t)(i - 1);
    hawser_bytes parts[2] = {{i > 1 ? block - HAWSER_HASH_LEN : NULL, i > 1 ? HAWSER_HASH_LEN : 0}, {&i, 1}};
    err = hawser_port_hmac(block, prk, sizeof prk, parts, 2);
  }
  hawser_port_wipe(prk, sizeof prk);
  return err == HAWSER_OK ? HAWSER_OK : fail(err, out, 96);
}
#endif

#else

/* In steps, because psa_mac_compute wants the parts in one piece. */
int hawser_port_hmac_key(uint8_t out[HAWSER_HASH_LEN], hawser_key key, const hawser_bytes *parts, size_t count) {
  psa_mac_operation_t op = PSA_MAC_OPERATION_INIT;
  uint8_t mac[HAWSER_HASH_LEN]; /* out may overlap a part */
  size_t mac_len = 0;
  psa_status_t status = psa_mac_sign_setup(&op, (psa_key_id_t)key, k_hmac);
  for (size_t i = 0; status == PSA_SUCCESS && i < count; i++) {
    status = psa_mac_update(&op, parts[i].ptr, parts[i].len);
  }
  if (status == PSA_SUCCESS) {
    status = psa_mac_sign_finish(&op, mac, sizeof mac, &mac_len);
  }
  (void)psa_mac_abort(&op);
  if (status == PSA_SUCCESS) {
    memcpy(out, mac, sizeof mac);
  }
  hawser_port_wipe(mac, sizeof mac);
  return status == PSA_SUCCESS ? HAWSER_OK : fail(HAWSER_ERR_CRYPTO, out, HAWSER_HASH_LEN);
}

#if HAWSER_ECDH
int hawser_port_hkdf_key(uint8_t out[96], const uint8_t salt[HAWSER_HASH_LEN], hawser_key key) {
  psa_key_derivation_operation_t op = PSA_KEY_DERIVATION_OPERATION_INIT;
  psa_status_t status = psa_key_derivation_setup(&op, k_hkdf);
  if (status == PSA_SUCCESS) {
    status = psa_key_derivation_input_bytes(&op, PSA_KEY_DERIVATION_INPUT_SALT, salt, HAWSER_HASH_LEN);
  }
  if (status == PSA_SUCCESS) {
    status = psa_key_derivation_input_key(&op, PSA_KEY_DERIVATION_INPUT_SECRET, (psa_key_id_t)key);
  }
  if (status == PSA_SUCCESS) {
    status = psa_key_derivation_input_bytes(&op, PSA_KEY_DERIVATION_INPUT_INFO, NULL, 0);
  }
  if (status == PSA_SUCCESS) {
    status = psa_key_derivation_output_bytes(&op, out, 96);
  }
  (void)psa_key_derivation_abort(&op);
  return status == PSA_SUCCESS ? HAWSER_OK : fail(HAWSER_ERR_CRYPTO, out, 96);
}
#endif

#endif

/* ---- AES-256-GCM ---- */

int hawser_port_seal(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  size_t out_len = 0;
  psa_key_id_t id = import(PSA_KEY_TYPE_AES, 256, PSA_KEY_USAGE_ENCRYPT, PSA_ALG_GCM, key);
  psa_status_t status = PSA_ERROR_INVALID_ARGUMENT;
  if (id != 0) {
    status = psa_aead_encrypt(id, PSA_ALG_GCM, nonce, HAWSER_NONCE_LEN, ad, ad_len, in, len, out, len + HAWSER_TAG_LEN,
                              &out_len);
    (void)psa_destroy_key(id);
  }
  return status == PSA_SUCCESS && out_len == len + HAWSER_TAG_LEN ? HAWSER_OK
                                                                  : fail(HAWSER_ERR_CRYPTO, out, len + HAWSER_TAG_LEN);
}

int hawser_port_open(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  size_t out_len = 0;
  psa_key_id_t id = import(PSA_KEY_TYPE_AES, 256, PSA_KEY_USAGE_DECRYPT, PSA_ALG_GCM, key);
  psa_status_t status = PSA_ERROR_INVALID_ARGUMENT;
  if (id != 0) {
    status = psa_aead_decrypt(id, PSA_ALG_GCM, nonce, HAWSER_NONCE_LEN, ad, ad_len, in, len + HAWSER_TAG_LEN, out, len,
                              &out_len);
    (void)psa_destroy_key(id);
  }
  if (status == PSA_SUCCESS && out_len == len) {
    return HAWSER_OK;
  }
  return fail(status == PSA_ERROR_INVALID_SIGNATURE ? HAWSER_ERR_AUTH : HAWSER_ERR_CRYPTO, out, len);
}

/* ---- ECDH ---- */

#if HAWSER_ECDH

static size_t public_len(uint8_t suite) {
  return suite == HAWSER_SUITE_ID_P256 ? 65 : 32;
}

#if HAWSER_SUITE_P256
/* 1 if 0 < scalar < n, in constant time: the borrow of scalar - n. */
static int p256_scalar_valid(const uint8_t scalar[HAWSER_KEY_LEN]) {
  static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                    0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
  unsigned borrow = 0;
  for (size_t i = 32; i-- > 0;) {
    borrow = ((unsigned)scalar[i] - order[i] - borrow) >> 8 & 1u;
  }
  return borrow == 1 && !is_zero(scalar);
}
#endif

int hawser_port_public(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  size_t out_len = 0;
  psa_key_id_t id = import_private(suite, secret);
  psa_status_t status = PSA_ERROR_INVALID_ARGUMENT;
  if (id != 0) {
    status = psa_export_public_key(id, public_key, public_len(suite), &out_len);
    (void)psa_destroy_key(id);
  }
  return status == PSA_SUCCESS && out_len == public_len(suite) ? HAWSER_OK
                                                               : fail(HAWSER_ERR_CRYPTO, public_key, public_len(suite));
}

/* 1 if the random bytes are a private key of the suite: nearly always, see hawser_port_keygen. */
static int secret_valid(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN]) {
#if HAWSER_SUITE_P256
  if (suite == HAWSER_SUITE_ID_P256) {
    return p256_scalar_valid(secret);
  }
#endif
  (void)suite;
  return !is_zero(secret);
}

int hawser_port_keygen(uint8_t suite, uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  int err;
  /* an invalid scalar has a chance of 2^-32 for P-256: the bound only ends a broken random source */
  for (int tries = 0; tries < 8; tries++) {
    err = hawser_port_random(secret, HAWSER_KEY_LEN);
    if (err != HAWSER_OK || secret_valid(suite, secret)) {
      break;
    }
    err = HAWSER_ERR_RANDOM;
  }
  if (err == HAWSER_OK) {
    err = hawser_port_public(suite, secret, public_key);
  }
  return err == HAWSER_OK ? HAWSER_OK : fail(err, secret, HAWSER_KEY_LEN);
}

/* A key of the provider. It checks that a P-256 point is on the curve. */
static int provider_agree(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]) {
  size_t out_len = 0;
  psa_status_t status =
      psa_raw_key_agreement(PSA_ALG_ECDH, (psa_key_id_t)key, peer, public_len(suite), out, 32, &out_len);
  if (status == PSA_ERROR_INVALID_ARGUMENT) {
    return HAWSER_ERR_AUTH;
  }
  return status == PSA_SUCCESS && out_len == 32 ? HAWSER_OK : HAWSER_ERR_CRYPTO;
}

#if HAWSER_AGREE == HAWSER_AGREE_BOARD
#define STATIC_AGREE hawser_board_agree
#else
#define STATIC_AGREE provider_agree
#endif

static int form_valid(uint8_t suite, const uint8_t *peer) {
  return suite != HAWSER_SUITE_ID_P256 || peer[0] == 0x04;
}

/* X25519's zero result is refused here. (On P-256 the x-coordinate zero belongs to a point like any other.) */
static int checked(uint8_t suite, int err, uint8_t out[32]) {
  if (err == HAWSER_OK && suite != HAWSER_SUITE_ID_P256 && is_zero(out)) {
    err = HAWSER_ERR_AUTH;
  }
  return err == HAWSER_OK ? HAWSER_OK : fail(err, out, 32);
}

int hawser_port_dh(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], const uint8_t *peer, uint8_t out[32]) {
  psa_key_id_t id = import_private(suite, secret);
  int err = HAWSER_ERR_CRYPTO;
  if (id != 0) {
    err = form_valid(suite, peer) ? provider_agree(suite, id, peer, out) : HAWSER_ERR_AUTH;
    (void)psa_destroy_key(id);
  }
  return checked(suite, err, out);
}

int hawser_port_dh_key(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]) {
  return checked(suite, form_valid(suite, peer) ? STATIC_AGREE(suite, key, peer, out) : HAWSER_ERR_AUTH, out);
}

#endif

#endif
