/*
 * noise.h - SymmetricState of the Noise Protocol Framework, revision 34, for AESGCM and SHA256.
 *
 * CipherState's n is not kept: in every pattern here each EncryptAndHash follows a MixKey, which sets n to 0, and no
 * key seals twice.
 */
#ifndef HAWSER_NOISE_H
#define HAWSER_NOISE_H

#include "wire.h"

/* The first error sticks: what comes after it does nothing. It leaves the state half mixed, so that the caller works on a copy
 * and throws that away. */
typedef struct hawser_symmetric {
  uint8_t ck[HAWSER_HASH_LEN], h[HAWSER_HASH_LEN], k[HAWSER_KEY_LEN];
  int err;
} hawser_symmetric;

/* InitializeSymmetric: no protocol name here is longer than a hash. */
HAWSER_INTERNAL void hawser_symmetric_init(hawser_symmetric *s, const char *name);

HAWSER_INTERNAL void hawser_mix_hash(hawser_symmetric *s, const uint8_t *data, size_t len);
HAWSER_INTERNAL void hawser_mix_key(hawser_symmetric *s, const uint8_t *ikm, size_t len);

/* MixKeyAndHash with a pre-shared key that the port holds. */
HAWSER_INTERNAL void hawser_mix_psk(hawser_symmetric *s, hawser_key psk);

/* out holds len + 16 bytes. */
HAWSER_INTERNAL void hawser_encrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out);

/* in holds len + 16 bytes. */
HAWSER_INTERNAL void hawser_decrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out);

/* Split, with a third output of its HKDF. The first may be ck. */
HAWSER_INTERNAL int hawser_split(const uint8_t ck[HAWSER_HASH_LEN], uint8_t first[HAWSER_KEY_LEN],
                                 uint8_t second[HAWSER_KEY_LEN], uint8_t third[HAWSER_KEY_LEN]);

#endif
