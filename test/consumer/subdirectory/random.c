/* The board's random source, which hawser_config.h names: here the operating system's. */
#include <stdio.h>

#include "hawser/port.h"

int hawser_board_random(uint8_t *out, size_t len) {
  FILE *source = fopen("/dev/urandom", "rb");
  size_t got = source == NULL ? 0 : fread(out, 1, len, source);
  if (source != NULL) {
    (void)fclose(source);
  }
  return got == len;
}
