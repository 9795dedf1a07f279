/*
 * cobs.c - cobs.h, for any bytes up to a length: what is encoded comes back, and nothing outside the buffer is touched.
 */
#include "cobs.h"

#include <string.h>

#include "proof.h"

#define ENCODED(len) ((len) + HAWSER_COBS_FRONT(len) + 1)

void encodes(void) {
  size_t len = up_to(LEN), front = HAWSER_COBS_FRONT(len), k = nondet_size(), encoded;
  uint8_t room[ENCODED(LEN)], *buffer = room + sizeof room - ENCODED(len); /* it ends where they do */
  uint8_t plain[LEN];
  memcpy(plain, buffer + front, len);
  encoded = hawser_cobs_encode(buffer, front, len);
  PROVE(encoded >= 2 && encoded <= ENCODED(len), "no longer than said");
  PROVE(buffer[encoded - 1] == 0, "ends with a zero");
  PROVE(k >= encoded - 1 || buffer[k] != 0, "and has no other");
  PROVE(hawser_cobs_decode(buffer, encoded - 1) == len, "decodes to its length");
  PROVE(k >= len || buffer[k] == plain[k], "and its bytes");
  REACHES(len == LEN, "the longest");
  REACHES(buffer[0] == COBS_BLOCK && encoded > COBS_BLOCK + 1, "a full block, and bytes behind it");
}

void decodes(void) {
  size_t len = up_to(LEN), n;
  uint8_t room[LEN], *buffer = room + LEN - len;
  int full;
  full = len > 0 && buffer[0] == COBS_BLOCK;
  n = hawser_cobs_decode(buffer, len);
  PROVE(n < len || (n == 0 && len == 0), "shorter than it came");
  REACHES(n == LEN - 1, "the longest");
  REACHES(full && n > 0 && len > COBS_BLOCK, "something behind a full block");
}

/* Looking into a frame tells what decoding it will, and changes nothing. */
void peeks(void) {
  size_t len = up_to(LEN), k = nondet_size(), n;
  uint8_t room[LEN], before[LEN], head[2], *buffer = room + LEN - len;
  memcpy(before, room, sizeof room);
  n = hawser_cobs_peek(buffer, len, head);
  PROVE(k >= LEN || room[k] == before[k], "left as it is");
  PROVE(n == hawser_cobs_decode(buffer, len), "the length that decoding gives");
  PROVE(n < 2 || (head[0] == buffer[0] && head[1] == buffer[1]), "and its first bytes");
  REACHES(n == LEN - 1, "the longest");
}
