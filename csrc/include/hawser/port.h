/*
 * hawser/port.h - all the cryptography that the core needs, as a few functions.
 *
 * A port is one C file: ports/psa (PSA Crypto API only) or ports/openssl (EVP). Every function that
 * returns int returns 0 or HAWSER_ERR_CRYPTO (HAWSER_ERR_RANDOM for a random source); on an error no
 * output byte may be used, and a port wipes what it wrote. Outputs never overlap inputs unless a comment
 * allows it. No function keeps a pointer. A port checks for itself what its provider may not:
 * all-zero X25519 results, invalid P-256 points, zero keys.
 */
#ifndef HAWSER_PORT_H
#define HAWSER_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "hawser/config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names a long-term secret that the port holds: a psa_key_id_t, a slot of a secure element, or the
 * address of a key object of the OpenSSL port. 0 is "none". */
typedef uintptr_t hawser_key;

/* A run of bytes that is only read. */
typedef struct hawser_bytes {
  const uint8_t *ptr;
  size_t len;
} hawser_bytes;

/* Values are those of the wire (SPEC 3.2). */
enum { HAWSER_SUITE_NONE = 0, HAWSER_SUITE_ID_25519 = 1, HAWSER_SUITE_ID_P256 = 2 };

#define HAWSER_HASH_LEN 32
#define HAWSER_KEY_LEN 32
#define HAWSER_NONCE_LEN 12
#define HAWSER_TAG_LEN 16
#define HAWSER_PUBLIC_MAX 65 /* 32 for 25519; 65 for P-256: 0x04 || x || y */

/* SHA-256 over the concatenation of parts. out may be one of the parts. */
int hawser_port_sha256(uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count);

/* HMAC-SHA-256, key_len 1..64, over the concatenation of parts. out may overlap key or a part. */
int hawser_port_hmac(uint8_t out[HAWSER_HASH_LEN], const uint8_t *key, size_t key_len, const hawser_bytes *parts,
                     size_t count);

/* The same under one key of 32 bytes, any number of times: start, then next for each, then end, which wipes the state, also
 * after an error. What a port keeps of the key may spare it half of the hashing. HAWSER_HMAC_LEN: hawser/config.h. */
typedef union hawser_hmac {
  uint64_t align;
  uint8_t bytes[HAWSER_HMAC_LEN];
} hawser_hmac;
int hawser_port_hmac_start(hawser_hmac *state, const uint8_t key[HAWSER_KEY_LEN]);
int hawser_port_hmac_next(hawser_hmac *state, uint8_t out[HAWSER_HASH_LEN], const hawser_bytes *parts, size_t count);
void hawser_port_hmac_end(hawser_hmac *state);

/* The same, keyed by a long-term secret of 32 bytes (a ticket). */
int hawser_port_hmac_key(uint8_t out[HAWSER_HASH_LEN], hawser_key key, const hawser_bytes *parts, size_t count);

/* Noise's HKDF with three outputs (HKDF-SHA-256, empty info) over a long-term secret of 32 bytes (a PSK):
 * out = first || second || third, salt is the chaining key. */
int hawser_port_hkdf_key(uint8_t out[96], const uint8_t salt[HAWSER_HASH_LEN], hawser_key key);

/* AES-256-GCM. out holds len + 16 bytes (ciphertext, then tag); out == in is allowed. */
int hawser_port_seal(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out);

/* in holds len + 16 bytes; out gets len bytes; out == in is allowed. On a bad tag: HAWSER_ERR_AUTH, and the
 * len bytes of out are zero. */
int hawser_port_open(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out);

/* A fresh ephemeral key pair: private key of 32 bytes, public key of 32 or 65 bytes. */
int hawser_port_keygen(uint8_t suite, uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]);

/* The public key that belongs to a private one (pairing tools and test vectors). */
int hawser_port_public(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], uint8_t public_key[HAWSER_PUBLIC_MAX]);

/* ECDH: 32 bytes, X25519's output or P-256's x-coordinate. HAWSER_ERR_AUTH for an invalid peer point or an
 * all-zero X25519 result. */
int hawser_port_dh(uint8_t suite, const uint8_t secret[HAWSER_KEY_LEN], const uint8_t *peer, uint8_t out[32]);

/* The same with a long-term private key. */
int hawser_port_dh_key(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]);

/* len uniform bytes, or HAWSER_ERR_RANDOM. Never a fallback. */
int hawser_port_random(uint8_t *out, size_t len);

/* Supplied by the board where HAWSER_RANDOM is HAWSER_RANDOM_BOARD: len bytes of a true random generator, or of a DRBG
 * that one seeded. 1 if all of them are good, else 0. */
int hawser_board_random(uint8_t *out, size_t len);

/* Supplied by the board where HAWSER_AGREE is HAWSER_AGREE_BOARD: hawser_port_dh_key() with the key that the board calls `key`.
 * HAWSER_ERR_AUTH for a point that is not on the curve, HAWSER_ERR_CRYPTO for any other failure. */
int hawser_board_agree(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]);

/* Zeroes that the compiler may not remove. */
void hawser_port_wipe(void *ptr, size_t len);

/* 1 if the len bytes are equal, else 0, in time that depends on len alone. */
int hawser_port_equal(const uint8_t *a, const uint8_t *b, size_t len);

#ifdef __cplusplus
}
#endif
#endif
