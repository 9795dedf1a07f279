/*
 * noise.c - SymmetricState.
 */
#include "noise.h"

#include <string.h>

void hawser_symmetric_init(hawser_symmetric *s, const char *name) {
  memset(s, 0, sizeof *s);
  for (size_t i = 0; i < sizeof s->h && name[i] != 0; i++) {
    s->h[i] = (uint8_t)name[i];
  }
  memcpy(s->ck, s->h, sizeof s->ck);
}

void hawser_mix_hash(hawser_symmetric *s, const uint8_t *data, size_t len) {
  hawser_bytes parts[2] = {{s->h, sizeof s->h}, {data, len}};
  if (s->err == HAWSER_OK) {
    s->err = hawser_port_sha256(s->h, parts, 2);
  }
}

/* HKDF(salt, ikm) of Noise 4.3 with n outputs, n = 2 or 3. The first may be the salt. */
static int hkdf(uint8_t *const out[], size_t n, const uint8_t salt[HAWSER_HASH_LEN], const uint8_t *ikm, size_t len) {
  uint8_t prk[HAWSER_HASH_LEN];
  hawser_bytes input = {ikm, len};
  int err = hawser_port_hmac(prk, salt, HAWSER_HASH_LEN, &input, 1);
  for (size_t i = 0; err == HAWSER_OK && i < n; i++) {
    uint8_t number = (uint8_t)(i + 1);
    hawser_bytes parts[2] = {{i > 0 ? out[i - 1] : NULL, i > 0 ? HAWSER_HASH_LEN : 0}, {&number, 1}};
    err = hawser_port_hmac(out[i], prk, sizeof prk, parts, 2);
  }
  hawser_port_wipe(prk, sizeof prk);
  return err;
}

void hawser_mix_key(hawser_symmetric *s, const uint8_t *ikm, size_t len) {
  uint8_t *const out[2] = {s->ck, s->k};
  if (s->err == HAWSER_OK) {
    s->err = hkdf(out, 2, s->ck, ikm, len);
  }
}

void hawser_mix_psk(hawser_symmetric *s, hawser_key psk) {
  uint8_t out[96];
  if (s->err == HAWSER_OK) {
    s->err = hawser_port_hkdf_key(out, s->ck, psk);
  }
  if (s->err == HAWSER_OK) {
    memcpy(s->ck, out, sizeof s->ck);
    memcpy(s->k, out + 64, sizeof s->k);
    hawser_mix_hash(s, out + 32, HAWSER_HASH_LEN);
  }
  hawser_port_wipe(out, sizeof out);
}

void hawser_encrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out) {
  if (s->err == HAWSER_OK) {
    s->err = hawser_seal(s->k, 0, s->h, sizeof s->h, in, len, out);
  }
  hawser_mix_hash(s, out, len + HAWSER_TAG_LEN);
}

void hawser_decrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out) {
  if (s->err == HAWSER_OK) {
    s->err = hawser_unseal(s->k, 0, s->h, sizeof s->h, in, len, out);
  }
  hawser_mix_hash(s, in, len + HAWSER_TAG_LEN);
}

int hawser_split(const uint8_t ck[HAWSER_HASH_LEN], uint8_t first[HAWSER_KEY_LEN], uint8_t second[HAWSER_KEY_LEN],
                 uint8_t third[HAWSER_KEY_LEN]) {
  uint8_t *const out[3] = {first, second, third};
  return hkdf(out, 3, ck, NULL, 0);
}
