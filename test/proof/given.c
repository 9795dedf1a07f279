/*
 * given.c - inputs of the harnesses that several of them start from.
 */
#include <stdlib.h>

#include "proof.h"

void *any_bytes(size_t len) {
  void *bytes = malloc(len); /* its content is any */
  REQUIRE(bytes != NULL);
  return bytes;
}

const hawser_pairing *any_valid_pairing(void) {
  hawser_pairing *p = any_bytes(sizeof *p);
  REQUIRE(hawser_pairing_valid(p) == HAWSER_OK);
  return p;
}
