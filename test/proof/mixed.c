/*
 * mixed.c - noise.h taken at its word (noises.c proves it): runs of bytes that it may read or write, any hashes and keys, and an
 * error that sticks.
 */
#include "noise.h"

#include "proof.h"

static void reads(const void *ptr, size_t len) {
  PROVE(len == 0 || __CPROVER_r_ok(ptr, len), "bytes to mix");
}

static void mixes(hawser_symmetric *s, int other) {
  hawser_symmetric next = nondet_symmetric();
  PROVE(__CPROVER_w_ok(s, sizeof *s), "a state");
  REQUIRE(s->err == HAWSER_OK ? next.err == HAWSER_OK || next.err == HAWSER_ERR_CRYPTO || next.err == other
                              : next.err == s->err);
  *s = next;
}

void hawser_symmetric_init(hawser_symmetric *s, const char *name) {
  reads(name, 1);
  *s = nondet_symmetric();
  s->err = HAWSER_OK;
}

void hawser_mix_hash(hawser_symmetric *s, const uint8_t *data, size_t len) {
  reads(data, len);
  mixes(s, HAWSER_OK);
}

void hawser_mix_key(hawser_symmetric *s, const uint8_t *ikm, size_t len) {
  reads(ikm, len);
  mixes(s, HAWSER_OK);
}

void hawser_mix_psk(hawser_symmetric *s, hawser_key psk) {
  PROVE(psk != 0, "a key that the port holds");
  mixes(s, HAWSER_OK);
}

static void passes(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out, size_t out_len, int other) {
  reads(in, len);
  PROVE(out_len == 0 || __CPROVER_w_ok(out, out_len), "room for what comes out");
  if (out_len > 0) {
    __CPROVER_havoc_slice(out, out_len);
  }
  mixes(s, other);
}

void hawser_encrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out) {
  passes(s, in, len, out, len + HAWSER_TAG_LEN, HAWSER_OK);
}

void hawser_decrypt_and_hash(hawser_symmetric *s, const uint8_t *in, size_t len, uint8_t *out) {
  passes(s, in, len + HAWSER_TAG_LEN, out, len, HAWSER_ERR_AUTH);
}

int hawser_split(const hawser_symmetric *s, uint8_t first[HAWSER_KEY_LEN], uint8_t second[HAWSER_KEY_LEN],
                 uint8_t third[HAWSER_KEY_LEN]) {
  int err = nondet_int();
  reads(s, sizeof *s);
  __CPROVER_havoc_slice(first, HAWSER_KEY_LEN);
  __CPROVER_havoc_slice(second, HAWSER_KEY_LEN);
  __CPROVER_havoc_slice(third, HAWSER_KEY_LEN);
  REQUIRE(err == HAWSER_OK || err == HAWSER_ERR_CRYPTO);
  return err;
}
