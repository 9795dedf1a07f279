/*
 * fuzz.h - what every target has: its function, its assertions, and a cursor over the fuzzer's bytes.
 */
#ifndef HAWSER_FUZZ_H
#define HAWSER_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A finding: says where and stops, so that libFuzzer keeps the input. */
#define FUZZ_ASSERT(condition)                                                                                         \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                          \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

/* A byte, or 0 behind the end. */
typedef struct fuzz_input {
  const uint8_t *at;
  size_t left;
} fuzz_input;

static inline uint8_t fuzz_byte(fuzz_input *in) {
  if (in->left == 0) {
    return 0;
  }
  in->left--;
  return *in->at++;
}

/* A copy of its own of at most max bytes, exactly as long as it says: a read beyond its end is seen. Free it. */
static inline uint8_t *fuzz_take(fuzz_input *in, size_t max, size_t *len) {
  uint8_t *copy;
  *len = in->left < max ? in->left : max;
  copy = malloc(*len > 0 ? *len : 1);
  FUZZ_ASSERT(copy != NULL);
  if (*len > 0) {
    memcpy(copy, in->at, *len);
  }
  in->at += *len;
  in->left -= *len;
  return copy;
}

/* The targets. Each takes any bytes. */
void fuzz_accept(const uint8_t *data, size_t size);
void fuzz_cobs(const uint8_t *data, size_t size);
void fuzz_collect(const uint8_t *data, size_t size);
void fuzz_device(const uint8_t *data, size_t size);
void fuzz_frames(const uint8_t *data, size_t size);
void fuzz_pairing(const uint8_t *data, size_t size);
void fuzz_saved(const uint8_t *data, size_t size);
void fuzz_slots(const uint8_t *data, size_t size);
void fuzz_verbs(const uint8_t *data, size_t size);

#endif
