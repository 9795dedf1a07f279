/*
 * unwritten.c - the seeded fault for MemorySanitizer: seals a buffer of which one byte was never written.
 */
#include "defined.h"
#include "hawser/port.h"
#include "wire.h"

int main(void) {
  static const uint8_t key[HAWSER_KEY_LEN] = {1}, nonce[HAWSER_NONCE_LEN];
  uint8_t plain[16], sealed[16 + HAWSER_TAG_LEN];
  hawser_writer w = {plain, sizeof plain, 0};
  hawser_put(&w, 8, 1);
  hawser_put(&w, 7, 1); /* one too few */
  return hawser_port_seal(key, nonce, NULL, 0, plain, sizeof plain, sealed);
}
