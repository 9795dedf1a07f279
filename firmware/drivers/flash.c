/*
 * flash.c - the part of flash.h that is the same for every flash: checks, and reading back what was done.
 */
#include "drivers/flash.h"

#include <string.h>

#include "drivers/flash_cells.h"

int flash_blank(unsigned page) {
  const uint8_t *bytes = flash_at(page);
  for (size_t i = 0; i < FLASH_PAGE; i++) {
    if (bytes[i] != 0xff) {
      return 0;
    }
  }
  return 1;
}

int flash_erase(unsigned page) {
  cells_erase(page);
  return flash_blank(page);
}

int flash_program(unsigned page, size_t offset, const void *bytes, size_t len) {
  const uint8_t *at = bytes;
  for (size_t i = 0; i < len; i += FLASH_WORD) {
    uint32_t word;
    memcpy(&word, at + i, sizeof word);
    cells_program(page, offset + i, word);
  }
  return memcmp(flash_at(page) + offset, bytes, len) == 0;
}
