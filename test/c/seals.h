/*
 * seals.h - what was sealed under which key and nonce: the same bytes again are a repeat, others under the same pair are a second
 * use. Include it in one file of the program.
 */
#ifndef HAWSER_TEST_SEALS_H
#define HAWSER_TEST_SEALS_H

#include <stdint.h>
#include <string.h>

#include "hawser/hawser.h"
#include "wire.h"

#define SEALS_BITS 18
#define SEALS_SIZE (1u << SEALS_BITS)

/* Fingerprints of 64 bits: keys are uniform, so a chance hit among the few thousand of a device's life is out of the question. */
static struct { uint64_t pair, input; } seals[SEALS_SIZE];
static uint32_t seals_count;
static uint32_t seals_repeats; /* the same bytes */
static uint32_t seals_reused;  /* other bytes: what must not be */

static inline uint64_t seals_mix(uint64_t h, const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    h = (h ^ bytes[i]) * 0x100000001b3u;
  }
  return h ^ h >> 29;
}

static inline void seals_forget(void) {
  memset(seals, 0, sizeof seals);
  seals_count = 0;
}

/* The device's life is to end before the table is full. */
static inline int seals_full(void) {
  return seals_count > SEALS_SIZE / 2;
}

static inline void seals_note(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len,
                              const uint8_t *in, size_t len) {
  const uint64_t start = 0xcbf29ce484222325u;
  uint64_t pair = seals_mix(seals_mix(start, key, 32), nonce, 12) | 1;
  uint64_t input = seals_mix(seals_mix(start, ad, ad_len) + len, in, len);
  uint32_t at = (uint32_t)(pair >> (64 - SEALS_BITS));
  for (; seals[at].pair != 0; at = (at + 1) % SEALS_SIZE) {
    if (seals[at].pair == pair) {
      seals_repeats += seals[at].input == input;
      seals_reused += seals[at].input != input;
      return;
    }
  }
  seals[at].pair = pair;
  seals[at].input = input;
  seals_count++;
}

#endif
