/*
 * port_openssl.c - hawser/port.h on OpenSSL 3: EVP, and EC_POINT for the one thing that EVP lacks.
 *
 * Algorithms are fetched once per process. Each thread keeps one cipher and one digest context, because making
 * them costs more than sealing a small record. Between calls they hold no secret, unless the caller keeps keys. A host that unloads the library it
 * puts this file in must not do so while threads live that used it (the addon is linked with -z nodelete).
 */
#include "port_openssl.h"

#include <limits.h>
#include <string.h>

#include "hawser/config.h"
#include "hawser/error.h"

#if !defined(HAWSER_CRYPTO) || HAWSER_CRYPTO == HAWSER_CRYPTO_OPENSSL

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#define BLOCK_LEN 64 /* of SHA-256 */
#define P256_LEN 65

typedef struct key_object {
  uint8_t raw[HAWSER_KEY_LEN];
} key_object;

/* A context, and the key that its schedule is of. */
typedef struct cipher {
  EVP_CIPHER_CTX *ctx;
  uint8_t key[HAWSER_KEY_LEN];
  int keyed;
} cipher;

typedef struct local {
  cipher seal, open;
  EVP_MD_CTX *hash;
  int keeps;
} local;

static CRYPTO_ONCE g_once = CRYPTO_ONCE_STATIC_INIT;
static CRYPTO_THREAD_LOCAL g_local;
static EVP_CIPHER *g_aes;
static EVP_MD *g_sha256;
static EC_GROUP *g_p256;
static int g_ready;

/* ---- once per process, once per thread ---- */

static void local_free(void *ptr) {
  local *l = ptr;
  if (l == NULL) {
    return;
  }
  EVP_CIPHER_CTX_free(l->seal.ctx);
  EVP_CIPHER_CTX_free(l->open.ctx);
  EVP_MD_CTX_free(l->hash);
  OPENSSL_free(l);
}

static void fetch_all(void) {
  g_aes = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
  g_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  g_p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  g_ready = g_aes != NULL && g_sha256 != NULL && g_p256 != NULL && CRYPTO_THREAD_init_local(&g_local, local_free);
}

static local *local_new(void) {
  local *l = OPENSSL_zalloc(sizeof *l);
  if (l == NULL) {
    return NULL;
  }
  l->seal.ctx = EVP_CIPHER_CTX_new();
  l->open.ctx = EVP_CIPHER_CTX_new();
  l->hash = EVP_MD_CTX_new();
  if (l->seal.ctx == NULL || l->open.ctx == NULL || l->hash == NULL ||
      !EVP_EncryptInit_ex2(l->seal.ctx, g_aes, NULL, NULL, NULL) ||
      !EVP_DecryptInit_ex2(l->open.ctx, g_aes, NULL, NULL, NULL) || !EVP_DigestInit_ex2(l->hash, g_sha256, NULL) ||
      !CRYPTO_THREAD_set_local(&g_local, l)) {
    local_free(l);
    return NULL;
  }
  return l;
}

static local *local_get(void) {
  local *l;
  if (!CRYPTO_THREAD_run_once(&g_once, fetch_all) || !g_ready) {
    return NULL;
  }
  l = CRYPTO_THREAD_get_local(&g_local);
  return l != NULL ? l : local_new();
}

/* Node reads the same error queue: leave nothing in it. */
static int fail(int code, void *out, size_t len) {
  ERR_clear_error();
  hawser_port_wipe(out, len);
  return code;
}

/* ---- bytes ---- */

void hawser_port_wipe(void *ptr, size_t len) {
  if (len > 0) {
    OPENSSL_cleanse(ptr, len);
  }
}

int hawser_port_equal(const uint8_t *a, const uint8_t *b, size_t len) {
  return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

int hawser_port_random(uint8_t *out, size_t len) {
  if (len > INT_MAX || (len > 0 && RAND_priv_bytes(out, (int)len) != 1)) {
    return fail(HAWSER_ERR_RANDOM, out, len);
  }
  return HAWSER_OK;
}

static int is_zero(const uint8_t *bytes, size_t len) {
  uint8_t sum = 0;
  for (size_t i = 0; i < len; i++) {
    sum = (uint8_t)(sum | bytes[i]);
  }
  return sum == 0;
}

/* ---- SHA-256, HMAC, HKDF ---- */

/* H(prefix || parts). No prefix is NULL. The context is initialised before and after: the state it ends in is the
 * digest, which may be a key. */
static int hash(uint8_t out[HAWSER_HASH_LEN], const uint8_t *prefix, const hawser_bytes *parts, size_t count) {
  local *l = local_get();
  int ok = l != NULL;
  if (ok && prefix != NULL) {
    ok = EVP_DigestUpdate(l->hash, prefix, BLOCK_LEN);
  }
  for (size_t i = 0; ok && i < count; i++) {
    ok = EVP_DigestUpdate(l->hash, parts[i].ptr, parts[i].len);
  }
  ok = ok && EVP_DigestFinal_ex(l->hash, out, NULL);
  return l != NULL && EVP_DigestInit_ex2(l->hash, NULL, NULL) && ok;
}

int hawser_port_sha256(uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  return hash(out, NULL, parts, count) ? HAWSER_OK : fail(HAWSER_ERR_CRYPTO, out, HAWSER_HASH_LEN);
}

/* RFC 2104: the blocks that a key's hashes begin with. To absorb them again costs less than to copy a context that has. */
typedef struct pads {
  uint8_t inner[BLOCK_LEN], outer[BLOCK_LEN];
} pads;

typedef char HAWSER_HMAC_LEN_is_too_small_for_two_hash_states[sizeof(pads) <= sizeof(hawser_hmac) ? 1 : -1];

static void pads_start(pads *p, const uint8_t *key, size_t key_len) {
  for (size_t i = 0; i < BLOCK_LEN; i++) {
    uint8_t byte = i < key_len ? key[i] : 0;
    p->inner[i] = (uint8_t)(byte ^ 0x36);
    p->outer[i] = (uint8_t)(byte ^ 0x5c);
  }
}

/* Two digests in a kept context: EVP_MAC would duplicate a context for every call. */
static int pads_next(const pads *p, uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  uint8_t inner[HAWSER_HASH_LEN];
  hawser_bytes inner_part = {inner, sizeof inner};
  int ok = hash(inner, p->inner, parts, count) && hash(out, p->outer, &inner_part, 1);
  hawser_port_wipe(inner, sizeof inner);
  return ok ? HAWSER_OK : fail(HAWSER_ERR_CRYPTO, out, HAWSER_HASH_LEN);
}

int hawser_port_hmac(uint8_t out[HAWSER_HASH_LEN], const uint8_t *key, size_t key_len, const hawser_bytes *parts,
                     size_t count) {
  pads p;
  int err;
  if (key_len < 1 || key_len > BLOCK_LEN) {
    return fail(HAWSER_ERR_CRYPTO, out, HAWSER_HASH_LEN);
  }
  pads_start(&p, key, key_len);
  err = pads_next(&p, out, parts, count);
  hawser_port_wipe(&p, sizeof p);
  return err;
}

int hawser_port_hmac_start(hawser_hmac *state, const uint8_t key[HAWSER_KEY_LEN]) {
  pads_start((pads *)state, key, HAWSER_KEY_LEN);
  return HAWSER_OK;
}

int hawser_port_hmac_next(hawser_hmac *state, uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count) {
  return pads_next((const pads *)state, out, parts, count);
}

void hawser_port_hmac_end(hawser_hmac *state) {
  hawser_port_wipe(state, sizeof *state);
}

int hawser_port_hmac_key(uint8_t out[HAWSER_HASH_LEN], hawser_key key, const hawser_bytes *parts, size_t count) {
  const key_object *object = (const key_object *)key; // NOLINT(performance-no-int-to-ptr)
  if (object == NULL || is_zero(object->raw, sizeof object->raw)) {
    return fail(HAWSER_ERR_CRYPTO, out, HAWSER_HASH_LEN);
  }
  return hawser_port_hmac(out, object->raw, sizeof object->raw, parts, count);
}

int hawser_port_hkdf_key(uint8_t out[96], const uint8_t salt[HAWSER_HASH_LEN], hawser_key key) {
  const key_object *object = (const key_object *)key; // NOLINT(performance-no-int-to-ptr)
  uint8_t prk[HAWSER_HASH_LEN];
  int err = HAWSER_ERR_CRYPTO;
  if (object != NULL && !is_zero(object->raw, sizeof object->raw)) {
    hawser_bytes secret = {object->raw, sizeof object->raw};
    err = hawser_port_hmac(prk, salt, HAWSER_HASH_LEN, &secret, 1);
  }
  /* T(i) = HMAC(prk, T(i-1) || i), T(0) empty */
  for (uint8_t i = 1; err == HAWSER_OK && i <= 3; i++) {
    uint8_t *block = out + HAWSER_HASH_LEN * (size_t)(i - 1);
    hawser_bytes parts[2] = {{i > 1 ? block - HAWSER_HASH_LEN : NULL, i > 1 ? HAWSER_HASH_LEN : 0}, {&i, 1}};
    err = hawser_port_hmac(block, prk, sizeof prk, parts, 2);
  }
  hawser_port_wipe(prk, sizeof prk);
  return err == HAWSER_OK ? HAWSER_OK : fail(err, out, 96);
}

/* ---- AES-256-GCM ---- */

/* Writes another key schedule over the last one. */
static int forget(cipher *c) {
  static const uint8_t no_key[HAWSER_KEY_LEN] = {0};
  hawser_port_wipe(c->key, sizeof c->key);
  c->keyed = 0;
  return EVP_CipherInit_ex2(c->ctx, NULL, no_key, NULL, -1, NULL);
}

/* The schedule of the call before serves again, if it was kept and is of the same key. */
static int start(const local *l, cipher *c, const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN],
                 const OSSL_PARAM *params) {
  int same = c->keyed && CRYPTO_memcmp(c->key, key, HAWSER_KEY_LEN) == 0;
  if (!same && l->keeps) {
    memcpy(c->key, key, HAWSER_KEY_LEN);
  }
  c->keyed = l->keeps;
  return EVP_CipherInit_ex2(c->ctx, NULL, same ? NULL : key, nonce, -1, params);
}

static int finish(const local *l, cipher *c, int ok) {
  return ok && l->keeps ? 1 : forget(c) && ok;
}

void hawser_openssl_keep_keys(int keep) {
  local *l = local_get();
  if (l == NULL) {
    return;
  }
  l->keeps = keep != 0;
  if (!l->keeps && l->seal.keyed) {
    (void)forget(&l->seal);
  }
  if (!l->keeps && l->open.keyed) {
    (void)forget(&l->open);
  }
}

static int aead_arguments_valid(const uint8_t key[HAWSER_KEY_LEN], size_t ad_len, size_t len) {
  return ad_len <= INT_MAX && len <= INT_MAX - HAWSER_TAG_LEN && !is_zero(key, HAWSER_KEY_LEN);
}

int hawser_port_seal(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  OSSL_PARAM get_tag[2] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, out + len, HAWSER_TAG_LEN),
                           OSSL_PARAM_END};
  local *l = local_get();
  int n = 0;
  int ok = l != NULL && aead_arguments_valid(key, ad_len, len) && start(l, &l->seal, key, nonce, NULL) &&
           (ad_len == 0 || EVP_EncryptUpdate(l->seal.ctx, NULL, &n, ad, (int)ad_len)) &&
           (len == 0 || EVP_EncryptUpdate(l->seal.ctx, out, &n, in, (int)len)) &&
           EVP_EncryptFinal_ex(l->seal.ctx, out + len, &n) && EVP_CIPHER_CTX_get_params(l->seal.ctx, get_tag);
  ok = l != NULL && finish(l, &l->seal, ok);
  return ok ? HAWSER_OK : fail(HAWSER_ERR_CRYPTO, out, len + HAWSER_TAG_LEN);
}

int hawser_port_open(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  uint8_t tag[HAWSER_TAG_LEN];
  uint8_t none[1]; /* the final block is empty; out itself may be NULL */
  OSSL_PARAM set_tag[2] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, sizeof tag), OSSL_PARAM_END};
  local *l = local_get();
  int genuine = 0;
  int n = 0;
  int ok = l != NULL && aead_arguments_valid(key, ad_len, len);
  if (ok) {
    memcpy(tag, in + len, sizeof tag);
    ok = start(l, &l->open, key, nonce, set_tag) &&
         (ad_len == 0 || EVP_DecryptUpdate(l->open.ctx, NULL, &n, ad, (int)ad_len)) &&
         (len == 0 || EVP_DecryptUpdate(l->open.ctx, out, &n, in, (int)len));
    genuine = ok && EVP_DecryptFinal_ex(l->open.ctx, none, &n);
    ok = finish(l, &l->open, ok);
  }
  if (ok && genuine) {
    return HAWSER_OK;
  }
  return fail(ok ? HAWSER_ERR_AUTH : HAWSER_ERR_CRYPTO, out, len);
}

/* ---- X25519 ---- */

static int x25519_public(const uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[32]) {
  size_t len = 32;
  EVP_PKEY *own = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, secret, HAWSER_KEY_LEN);
  int ok = own != NULL && EVP_PKEY_get_raw_public_key(own, public_key, &len) && len == 32;
  EVP_PKEY_free(own);
  return ok ? HAWSER_OK : HAWSER_ERR_CRYPTO;
}

/* The agreement of two keys; a failure is the peer's fault. */
static int derive(EVP_PKEY *own, EVP_PKEY *peer, uint8_t out[32]) {
  size_t len = 32;
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
  int err = HAWSER_ERR_CRYPTO;
  if (ctx != NULL && EVP_PKEY_derive_init(ctx) == 1) {
    /* the peer's key was validated when it was made */
    int ok = EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 && EVP_PKEY_derive(ctx, out, &len) == 1;
    err = ok && len == 32 ? HAWSER_OK : HAWSER_ERR_AUTH;
  }
  EVP_PKEY_CTX_free(ctx);
  return err;
}

static int x25519_dh(const uint8_t secret[HAWSER_KEY_LEN], const uint8_t peer[32], uint8_t out[32]) {
  EVP_PKEY *own = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, secret, HAWSER_KEY_LEN);
  EVP_PKEY *other = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, peer, 32);
  int err = own != NULL && other != NULL ? derive(own, other, out) : HAWSER_ERR_CRYPTO;
  EVP_PKEY_free(own);
  EVP_PKEY_free(other);
  if (err == HAWSER_OK && is_zero(out, 32)) {
    err = HAWSER_ERR_AUTH;
  }
  return err;
}

/* ---- P-256 ---- */

/* 1 if 0 < scalar < n, in constant time: the borrow of scalar - n. */
static int p256_scalar_valid(const uint8_t scalar[HAWSER_KEY_LEN]) {
  static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                    0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
  unsigned borrow = 0;
  for (size_t i = 32; i-- > 0;) {
    borrow = ((unsigned)scalar[i] - order[i] - borrow) >> 8 & 1u;
  }
  return borrow == 1 && !is_zero(scalar, HAWSER_KEY_LEN);
}

/* EVP has no way from a private EC key to its public one, so this is a multiplication of the generator. */
static int p256_public(const uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[P256_LEN]) {
  BIGNUM *scalar = BN_secure_new();
  EC_POINT *point = EC_POINT_new(g_p256);
  int ok = scalar != NULL && point != NULL && BN_bin2bn(secret, HAWSER_KEY_LEN, scalar) != NULL;
  if (ok) {
    BN_set_flags(scalar, BN_FLG_CONSTTIME);
    ok = EC_POINT_mul(g_p256, point, scalar, NULL, NULL, NULL) &&
         EC_POINT_point2oct(g_p256, point, POINT_CONVERSION_UNCOMPRESSED, public_key, P256_LEN, NULL) == P256_LEN;
  }
  EC_POINT_clear_free(point);
  BN_clear_free(scalar);
  return ok ? HAWSER_OK : HAWSER_ERR_CRYPTO;
}

static EVP_PKEY *p256_pkey(OSSL_PARAM *params, int selection) {
  EVP_PKEY *pkey = NULL;
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1) {
    pkey = NULL;
  }
  EVP_PKEY_CTX_free(ctx);
  return pkey;
}

static EVP_PKEY *p256_private(const uint8_t secret[HAWSER_KEY_LEN]) {
  static char group[] = "prime256v1";
  uint8_t native[HAWSER_KEY_LEN]; /* an integer parameter is in the machine's byte order */
  BIGNUM *scalar = BN_secure_new();
  EVP_PKEY *pkey = NULL;
  if (scalar != NULL && BN_bin2bn(secret, HAWSER_KEY_LEN, scalar) != NULL &&
      BN_bn2nativepad(scalar, native, sizeof native) == (int)sizeof native) {
    OSSL_PARAM params[3] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group - 1),
                            OSSL_PARAM_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, sizeof native), OSSL_PARAM_END};
    pkey = p256_pkey(params, EVP_PKEY_KEYPAIR);
  }
  hawser_port_wipe(native, sizeof native);
  BN_clear_free(scalar);
  return pkey;
}

/* NULL unless the 65 bytes are a point of the curve: fromdata checks the equation and the range. */
static EVP_PKEY *p256_peer(const uint8_t peer[P256_LEN]) {
  static char group[] = "prime256v1";
  uint8_t point[P256_LEN];
  OSSL_PARAM params[3] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group - 1),
                          OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point), OSSL_PARAM_END};
  memcpy(point, peer, sizeof point);
  return point[0] == 0x04 ? p256_pkey(params, EVP_PKEY_PUBLIC_KEY) : NULL;
}

static int p256_dh(const uint8_t secret[HAWSER_KEY_LEN], const uint8_t peer[P256_LEN], uint8_t out[32]) {
  int err = HAWSER_ERR_CRYPTO;
  EVP_PKEY *own = p256_scalar_valid(secret) ? p256_private(secret) : NULL;
  EVP_PKEY *other = own != NULL ? p256_peer(peer) : NULL;
  if (own != NULL) {
    err = other != NULL ? derive(own, other, out) : HAWSER_ERR_AUTH;
  }
  EVP_PKEY_free(own);
  EVP_PKEY_free(other);
  return err;
}

/* ---- both suites ---- */

int hawser_port_public(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  int err = HAWSER_ERR_CRYPTO;
  if (local_get() != NULL && !is_zero(secret, HAWSER_KEY_LEN)) {
    if (suite == HAWSER_SUITE_ID_25519) {
      err = x25519_public(secret, public_key);
    } else if (suite == HAWSER_SUITE_ID_P256 && p256_scalar_valid(secret)) {
      err = p256_public(secret, public_key);
    }
  }
  return err == HAWSER_OK ? HAWSER_OK : fail(err, public_key, suite == HAWSER_SUITE_ID_P256 ? P256_LEN : 32);
}

int hawser_port_keygen(uint8_t suite, uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  int err;
  /* an invalid scalar has a chance of 2^-32 for P-256: the bound only ends a broken random source */
  for (int tries = 0; tries < 8; tries++) {
    err = hawser_port_random(secret, HAWSER_KEY_LEN);
    if (err != HAWSER_OK || suite != HAWSER_SUITE_ID_P256 || p256_scalar_valid(secret)) {
      break;
    }
    err = HAWSER_ERR_RANDOM;
  }
  if (err == HAWSER_OK) {
    err = hawser_port_public(suite, secret, public_key);
  }
  return err == HAWSER_OK ? HAWSER_OK : fail(err, secret, HAWSER_KEY_LEN);
}

int hawser_port_dh(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], const uint8_t *peer, uint8_t out[32]) {
  int err = HAWSER_ERR_CRYPTO;
  if (local_get() != NULL && !is_zero(secret, HAWSER_KEY_LEN)) {
    if (suite == HAWSER_SUITE_ID_25519) {
      err = x25519_dh(secret, peer, out);
    } else if (suite == HAWSER_SUITE_ID_P256) {
      err = p256_dh(secret, peer, out);
    }
  }
  return err == HAWSER_OK ? HAWSER_OK : fail(err, out, 32);
}

int hawser_port_dh_key(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]) {
  const key_object *object = (const key_object *)key; // NOLINT(performance-no-int-to-ptr)
  if (object == NULL) {
    return fail(HAWSER_ERR_CRYPTO, out, 32);
  }
  return hawser_port_dh(suite, object->raw, peer, out);
}

/* ---- long-term keys ---- */

hawser_key hawser_openssl_key_import(const uint8_t raw[HAWSER_KEY_LEN]) {
  key_object *object = is_zero(raw, HAWSER_KEY_LEN) ? NULL : OPENSSL_zalloc(sizeof *object);
  if (object == NULL) {
    return 0;
  }
  memcpy(object->raw, raw, sizeof object->raw);
  return (hawser_key)object;
}

void hawser_openssl_key_free(hawser_key key) {
  OPENSSL_clear_free((void *)key, sizeof(key_object)); // NOLINT(performance-no-int-to-ptr)
}

#endif
