/*
 * libfuzzer.c - one target as libFuzzer wants it: -DFUZZ_TARGET=fuzz_accept and the like.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  FUZZ_TARGET(data, size);
  return 0;
}
