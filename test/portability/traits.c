/*
 * traits.c - what the emulated machine is, and that undefined behaviour does not go by unseen there.
 *
 *   traits              prints bits of a size_t, byte order, and the alignment of a 64-bit integer
 *   traits misaligned   reads an integer from an odd address
 *   traits overflow     adds to the largest int
 */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct padded {
  char first;
  uint64_t second;
};

static int print(void) {
  uint16_t one = 1;
  uint8_t first;
  memcpy(&first, &one, 1);
  return printf("%zu %s %zu\n", sizeof(size_t) * CHAR_BIT, first == 1 ? "little" : "big",
                offsetof(struct padded, second)) < 0;
}

static int misaligned(void) {
  static volatile uint32_t words[2];
  const volatile uint8_t *odd = (const volatile uint8_t *)words + 1;
  return (int)*(const volatile uint32_t *)odd;
}

static int overflow(void) {
  volatile int most = INT_MAX;
  return most + 1;
}

int main(int argc, char **argv) {
  if (argc == 1) {
    return print();
  }
  return strcmp(argv[1], "misaligned") == 0 ? misaligned() : overflow();
}
