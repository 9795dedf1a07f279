/*
 * cobs.c - each zero becomes the distance to the next one; a block holds at most 254 bytes that are not zero.
 */
#include "cobs.h"

#include "hawser/config.h"

size_t hawser_cobs_encode(uint8_t *buffer, size_t front, size_t len) {
  const uint8_t *in = buffer + front;
  size_t code_at = 0, at = 1;
  uint8_t code = 1;
  for (size_t i = 0; i < len; i++) {
    uint8_t byte = in[i];
    /* a full block ends only before another byte, so that the last one needs no empty block behind it */
    if (code == COBS_BLOCK) {
      buffer[code_at] = code;
      code_at = at++;
      code = 1;
    }
    if (byte != 0) {
      buffer[at++] = byte;
      code++;
    } else {
      buffer[code_at] = code;
      code_at = at++;
      code = 1;
    }
  }
  buffer[code_at] = code;
  buffer[at++] = 0;
  return at;
}

size_t hawser_cobs_decode(uint8_t *buffer, size_t len) {
  size_t at = 0, i = 0;
  while (i < len) {
    uint8_t code = buffer[i++];
    if (code == 0 || (size_t)(code - 1) > len - i) {
      return 0;
    }
    for (uint8_t k = 1; k < code; k++) {
      if (buffer[i] == 0) {
        return 0;
      }
      buffer[at++] = buffer[i++];
    }
    if (code != COBS_BLOCK && i < len) {
      buffer[at++] = 0;
    }
  }
  return at;
}

#if HAWSER_GATEWAY

static void note(uint8_t head[2], size_t *at, uint8_t byte) {
  if (*at < 2) {
    head[*at] = byte;
  }
  (*at)++;
}

size_t hawser_cobs_peek(const uint8_t *frame, size_t len, uint8_t head[2]) {
  size_t at = 0, i = 0;
  while (i < len) {
    uint8_t code = frame[i++];
    if (code == 0 || (size_t)(code - 1) > len - i) {
      return 0;
    }
    for (uint8_t k = 1; k < code; k++) {
      if (frame[i] == 0) {
        return 0;
      }
      note(head, &at, frame[i++]);
    }
    if (code != COBS_BLOCK && i < len) {
      note(head, &at, 0);
    }
  }
  return at;
}

#endif
