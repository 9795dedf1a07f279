/*
 * noise.h - SymmetricState of the Noise Protocol Framework, revision 34, for AESGCM and SHA256.
 *
 * CipherState's n is not kept: in every pattern here each EncryptAndHash follows a MixKey, which sets n to 0, and no
 * key seals twice.
 */
#ifndef HAWSER_NOISE_H
#define HAWSER_NOISE_H

#include "wire.h"

typedef struct hawser_symmetric {
  uint8_t ck[HAWSER_HASH_LEN], h[HAWSER_HASH_LEN], k[HAWSER_KEY_LEN];
} hawser_symmetric;

/* InitializeSymmetric: no protocol name here is longer than a hash. */
int hawser_symmetric_init(hawser_symmetric *s, const char *name);

int hawser_mix_hash(hawser_symmetric *s, const uint8_t *data, size_t len);
int hawser_mix_key(hawser_symmetric *s, const uint8_t *ikm, size_t len);

/* MixKeyAndHash with a pre-shared key that the port holds. */
int hawser_mix_psk(hawser_symmetric *s, hawser_key psk);

/* out holds len + 16 bytes. */
int hawser_encrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out);

/* in holds len + 16 bytes. */
int hawser_decrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out);

/* Split with a third output: first || second || third. */
int hawser_split(const hawser_symmetric *s, uint8_t out[96]);

#endif
