/*
 * stuffed.c - COBS taken at its word (cobs.c proves it): any bytes, of any length that they may have; and memchr().
 */
#include <string.h>

#include "cobs.h"
#include "proof.h"

size_t hawser_cobs_encode(uint8_t *buffer, size_t front, size_t len) {
  size_t most = HAWSER_COBS_LEN(len);
  size_t n = up_to(most);
  REQUIRE(n >= 2);
  PROVE(front >= HAWSER_COBS_FRONT(len), "the plain bytes lie far enough behind");
  PROVE(__CPROVER_w_ok(buffer, front + len) && __CPROVER_w_ok(buffer, most), "room for both forms");
  __CPROVER_havoc_slice(buffer, most);
  return n;
}

size_t hawser_cobs_decode(uint8_t *buffer, size_t len) {
  PROVE(__CPROVER_w_ok(buffer, len), "a frame");
  if (len > 0) {
    __CPROVER_havoc_slice(buffer, len);
  }
  return up_to(len > 0 ? len - 1 : 0);
}

/* Any such byte of the run: more than the first one, and enough here. */
void *memchr(const void *bytes, int wanted, size_t len) {
  size_t at = nondet_size();
  PROVE(__CPROVER_r_ok(bytes, len), "a run of bytes");
  if (at >= len) {
    return NULL;
  }
  REQUIRE(((const uint8_t *)bytes)[at] == wanted);
  return (uint8_t *)bytes + at;
}

size_t hawser_cobs_peek(const uint8_t *frame, size_t len, uint8_t head[2]) {
  PROVE(len == 0 || __CPROVER_r_ok(frame, len), "a frame");
  __CPROVER_havoc_slice(head, 2);
  return up_to(len > 0 ? len - 1 : 0);
}
