/*
 * random.c - numbers that are the same in every run, and cost next to nothing, so that the figures are those of what asks
 * for them. For measuring alone: nothing here is secret.
 */
#include <psa/crypto.h>

#include "hawser/port.h"

int hawser_board_random(uint8_t *out, size_t len) {
  static uint32_t x = 0x9e3779b9u;
  for (size_t i = 0; i < len; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    out[i] = (uint8_t)(x >> 24);
  }
  return 1;
}

psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context, uint8_t *output,
                                             size_t output_size, size_t *output_length) {
  (void)context;
  *output_length = output_size;
  return hawser_board_random(output, output_size) ? PSA_SUCCESS : PSA_ERROR_INSUFFICIENT_ENTROPY;
}
