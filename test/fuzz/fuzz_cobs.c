/*
 * fuzz_cobs.c - any bytes decoded in place, and every decoding encoded and decoded again; any bytes encoded with any room in
 * front.
 */
#include "cobs.h"
#include "fuzz.h"
#include "hawser/hawser.h"

static void decode(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  size_t len, plain, front, encoded;
  uint8_t *bytes = fuzz_take(&in, size, &len);
  uint8_t *again;
  plain = hawser_cobs_decode(bytes, len);
  FUZZ_ASSERT(plain <= len);
  front = HAWSER_COBS_FRONT(plain);
  again = malloc(HAWSER_COBS_LEN(plain));
  FUZZ_ASSERT(again != NULL);
  memcpy(again + front, bytes, plain);
  encoded = hawser_cobs_encode(again, front, plain);
  FUZZ_ASSERT(encoded <= HAWSER_COBS_LEN(plain) && again[encoded - 1] == 0);
  FUZZ_ASSERT(memchr(again, 0, encoded) == again + encoded - 1);
  if (plain > 0) {
    FUZZ_ASSERT(hawser_cobs_decode(again, encoded - 1) == plain && memcmp(again, bytes, plain) == 0);
  }
  free(again);
  free(bytes);
}

static void encode(const uint8_t *data, size_t size, size_t extra) {
  size_t front = HAWSER_COBS_FRONT(size) + extra;
  uint8_t *buffer = malloc(HAWSER_COBS_LEN(size) + extra);
  size_t encoded;
  FUZZ_ASSERT(buffer != NULL);
  memcpy(buffer + front, data, size);
  encoded = hawser_cobs_encode(buffer, front, size);
  FUZZ_ASSERT(encoded <= HAWSER_COBS_LEN(size) && memchr(buffer, 0, encoded) == buffer + encoded - 1);
  FUZZ_ASSERT(hawser_cobs_decode(buffer, encoded - 1) == size && memcmp(buffer, data, size) == 0);
  free(buffer);
}

void fuzz_cobs(const uint8_t *data, size_t size) {
  if (size < 2) {
    return;
  }
  if (data[0] % 2 == 0) {
    decode(data + 1, size - 1);
  } else {
    encode(data + 1, size - 1, data[0] / 2 % 8);
  }
}
