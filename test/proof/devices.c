/*
 * devices.c - what a device reads: its flash slots (device.c), and message 2 of a resumption.
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

void reads_resumption_answers(void) {
  size_t len = up_to(LEN);
  const uint8_t *message = any_bytes(len);
  const uint8_t *step = any_bytes(HAWSER_KEY_LEN), *h1 = any_bytes(HAWSER_HASH_LEN);
  hawser_keys keys;
  uint8_t next[HAWSER_KEY_LEN], status = 0, transport = nondet_u8();
  int err = hawser_resume_read2(step, h1, transport, message, len, &status);
  PROVE(err != HAWSER_OK || len == HAWSER_RESUME2_LEN, "of its length");
  if (err == HAWSER_OK) {
    err = hawser_resume_keys(step, h1, transport, message, len, &keys, next);
  }
  REACHES(err == HAWSER_OK && status != 0, "a status");
  REACHES(err == HAWSER_ERR_AUTH, "a forged one");
}
