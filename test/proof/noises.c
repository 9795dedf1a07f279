/*
 * noises.c - noise.h: each step from any state with bytes of any length. An error sticks.
 */
#include "noise.h"

#include "proof.h"

void mixes(void) {
  hawser_symmetric s = nondet_symmetric();
  size_t len = up_to(LEN);
  uint8_t *in = any_bytes(len + HAWSER_TAG_LEN), *out = any_bytes(len + HAWSER_TAG_LEN),
          *keys = any_bytes(3 * HAWSER_KEY_LEN);
  int before = s.err, step = nondet_int(), err = s.err;
  REQUIRE(before == HAWSER_OK || before == HAWSER_ERR_CRYPTO || before == HAWSER_ERR_AUTH);
  switch (step) {
  case 0:
    hawser_mix_hash(&s, in, len);
    break;
  case 1:
    hawser_mix_key(&s, in, len);
    break;
  case 2:
    hawser_mix_psk(&s, nondet_key());
    break;
  case 3:
    hawser_encrypt_and_hash(&s, in, len, out);
    break;
  case 4:
    hawser_decrypt_and_hash(&s, in, len, out);
    break;
  case 5:
    err = hawser_split(&s, keys, keys + HAWSER_KEY_LEN, keys + 2 * HAWSER_KEY_LEN);
    PROVE(s.err == before && (err == HAWSER_OK || err == HAWSER_ERR_CRYPTO), "leaves the state");
    break;
  default:
    hawser_symmetric_init(&s, "Noise_KKpsk0_25519_AESGCM_SHA256");
    PROVE(s.err == HAWSER_OK && s.h[31] == '6' && s.ck[0] == 'N', "begins");
    return;
  }
  PROVE(before == HAWSER_OK || s.err == before, "an error sticks");
  PROVE(s.err != HAWSER_ERR_AUTH || before == s.err || step == 4, "what fails to open is forged");
  REACHES(s.err == HAWSER_ERR_AUTH && before == HAWSER_OK, "a forged one");
  REACHES(s.err == HAWSER_OK && step == 3 && len == LEN, "the longest");
}
