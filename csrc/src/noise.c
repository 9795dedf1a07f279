/*
 * noise.c - SymmetricState. An error leaves s half mixed: the caller works on a copy and throws it away.
 */
#include "noise.h"

#include <string.h>

int hawser_symmetric_init(hawser_symmetric *s, const char *name) {
  size_t len = strlen(name);
  if (len > HAWSER_HASH_LEN) {
    return HAWSER_ERR_ARG;
  }
  memset(s, 0, sizeof *s);
  memcpy(s->h, name, len);
  memcpy(s->ck, s->h, sizeof s->ck);
  return HAWSER_OK;
}

int hawser_mix_hash(hawser_symmetric *s, const uint8_t *data, size_t len) {
  hawser_bytes parts[2] = {{s->h, sizeof s->h}, {data, len}};
  return hawser_port_sha256(s->h, parts, 2);
}

/* HKDF(salt, ikm) of Noise 4.3 with n outputs, n = 2 or 3. */
static int hkdf(uint8_t *out, size_t n, const uint8_t salt[HAWSER_HASH_LEN], const uint8_t *ikm, size_t len) {
  uint8_t prk[HAWSER_HASH_LEN];
  hawser_bytes input = {ikm, len};
  int err = hawser_port_hmac(prk, salt, HAWSER_HASH_LEN, &input, len > 0 ? 1 : 0);
  for (size_t i = 0; err == HAWSER_OK && i < n; i++) {
    uint8_t *block = out + HAWSER_HASH_LEN * i;
    uint8_t number = (uint8_t)(i + 1);
    hawser_bytes parts[2] = {{i > 0 ? block - HAWSER_HASH_LEN : &number, i > 0 ? HAWSER_HASH_LEN : 1}, {&number, 1}};
    err = hawser_port_hmac(block, prk, sizeof prk, parts, i > 0 ? 2 : 1);
  }
  hawser_port_wipe(prk, sizeof prk);
  return err;
}

int hawser_mix_key(hawser_symmetric *s, const uint8_t *ikm, size_t len) {
  uint8_t out[64];
  int err = hkdf(out, 2, s->ck, ikm, len);
  if (err == HAWSER_OK) {
    memcpy(s->ck, out, sizeof s->ck);
    memcpy(s->k, out + 32, sizeof s->k);
  }
  hawser_port_wipe(out, sizeof out);
  return err;
}

int hawser_mix_psk(hawser_symmetric *s, hawser_key psk) {
  uint8_t out[96];
  int err = hawser_port_hkdf_key(out, s->ck, psk);
  if (err == HAWSER_OK) {
    memcpy(s->ck, out, sizeof s->ck);
    memcpy(s->k, out + 64, sizeof s->k);
    err = hawser_mix_hash(s, out + 32, HAWSER_HASH_LEN);
  }
  hawser_port_wipe(out, sizeof out);
  return err;
}

int hawser_encrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out) {
  int err = hawser_seal(s->k, 0, s->h, sizeof s->h, in, len, out);
  return err != HAWSER_OK ? err : hawser_mix_hash(s, out, len + HAWSER_TAG_LEN);
}

int hawser_decrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out) {
  int err = hawser_unseal(s->k, 0, s->h, sizeof s->h, in, len, out);
  return err != HAWSER_OK ? err : hawser_mix_hash(s, in, len + HAWSER_TAG_LEN);
}

int hawser_split(const hawser_symmetric *s, uint8_t out[96]) {
  return hkdf(out, 3, s->ck, NULL, 0);
}
