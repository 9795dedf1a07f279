/*
 * devices.c - what a device reads: its flash slots (device.c), and both kinds of message 2.
 */
#include "device.c"

#include "proof.h"

void reads_slots(void) {
  const uint8_t *image = nondet_int() ? any_bytes(HAWSER_SLOT_LEN) : NULL;
  slot s;
  int is = read_slot(image, &s);
  PROVE(is == 0 || is == 1 || is == HAWSER_ERR_CRYPTO, "a slot, none, or a port that failed");
  PROVE(is != 1 || (image != NULL && s.block == image + 24), "with its block");
  PROVE(is != 1 || (s.f >> 24 == image[20] && (s.f & 0xff) == image[23]), "and its number");
  REACHES(is == 1 && s.sequence > 0, "a slot");
}

void reads_full_answers(void) {
  size_t len = up_to(LEN);
  const uint8_t *message = any_bytes(len);
  hawser_pairing pairing = nondet_pairing();
  uint8_t d2g[HAWSER_KEY_LEN], g2d[HAWSER_KEY_LEN], name[HAWSER_NAME_LEN], b0[HAWSER_KEY_LEN];
  const hawser_keys keys = {d2g, g2d, name};
  struct hawser_asked asked = {{0}, {0}, {0}};
  int err;
  REQUIRE(pairing.mode >= HAWSER_KEYS && pairing.mode <= HAWSER_PSK);
  REQUIRE(pairing.suite == HAWSER_SUITE_ID_25519 || pairing.suite == HAWSER_SUITE_ID_P256);
  err = hawser_full_read2(&asked, &pairing, message, len, &keys, b0);
  PROVE(err != HAWSER_OK || len == hawser_full_len(pairing.mode, pairing.suite), "of its length");
  REACHES(err == HAWSER_OK && pairing.mode == HAWSER_KEYS_PSK && pairing.suite == HAWSER_SUITE_ID_P256, "with keys");
  REACHES(err == HAWSER_OK && pairing.mode == HAWSER_PSK, "with a psk");
  REACHES(err == HAWSER_ERR_AUTH, "a forged one");
}

void reads_resumption_answers(void) {
  size_t len = up_to(LEN);
  const uint8_t *message = any_bytes(len);
  const uint8_t *step = any_bytes(HAWSER_KEY_LEN), *h1 = any_bytes(HAWSER_HASH_LEN);
  uint8_t d2g[HAWSER_KEY_LEN], g2d[HAWSER_KEY_LEN], name[HAWSER_NAME_LEN];
  const hawser_keys keys = {d2g, g2d, name};
  struct hawser_answer a;
  uint8_t status = 0, transport = nondet_u8();
  int err = hawser_resume_read2(step, h1, transport, message, len, &keys, &a, &status);
  PROVE(err != HAWSER_OK || len == HAWSER_RESUME2_LEN, "of its length");
  REACHES(err == HAWSER_OK && status != 0, "a status");
  REACHES(err == HAWSER_ERR_AUTH, "a forged one");
}
