/*
 * random.c - the emulated boards' random source, for tests alone: the host leaves a fresh seed before each start, and
 * SHA-256 over seed and counter expands it. Without a seed there are no random bytes. A chip has a TRNG for this.
 */
#include <string.h>

#include <psa/crypto.h>

#include "emulator/machine.h"
#include "hawser/port.h"

#ifndef FIRMWARE_STUCK_RANDOM
#define FIRMWARE_STUCK_RANDOM 0 /* 1: a test's fault, a generator that repeats after every reset */
#endif

static uint8_t state[32 + 4]; /* seed, counter */
static int seeded;

/* The seed is used once: it is taken away from where the host left it. */
static void take_seed(void) {
  volatile machine_host *host = machine();
  if (host->seeded != 1) {
    return;
  }
  for (size_t i = 0; i < 32; i++) {
    state[i] = FIRMWARE_STUCK_RANDOM ? 0 : host->seed[i];
    host->seed[i] = 0;
  }
  host->seeded = 0;
  seeded = 1;
}

int hawser_board_random(uint8_t *out, size_t len) {
  uint8_t block[32];
  size_t done = 0, hash_len;
  take_seed();
  while (seeded && done < len) {
    size_t part = len - done < sizeof block ? len - done : sizeof block;
    for (size_t i = sizeof state; i-- > 32 && ++state[i] == 0;) {
    }
    if (psa_hash_compute(PSA_ALG_SHA_256, state, sizeof state, block, sizeof block, &hash_len) != PSA_SUCCESS) {
      return 0;
    }
    memcpy(out + done, block, part);
    done += part;
  }
  return done == len;
}

/* The same for mbedTLS itself, which blinds its curves with it. */
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context, uint8_t *output,
                                             size_t output_size, size_t *output_length) {
  (void)context;
  *output_length = output_size;
  return hawser_board_random(output, output_size) ? PSA_SUCCESS : PSA_ERROR_INSUFFICIENT_ENTROPY;
}
