/*
 * flash.h - NOR flash as microcontrollers have it: a page is erased as a whole, to ones; a word is programmed, from ones.
 * What either was doing when the power went is neither the old nor the new content.
 */
#ifndef FIRMWARE_FLASH_H
#define FIRMWARE_FLASH_H

#include <stddef.h>
#include <stdint.h>

#define FLASH_PAGE 2048u
#define FLASH_WORD 4u

/* What each page is for. */
enum flash_page {
  FLASH_PAIRING, /* written in production, never by the firmware */
  FLASH_SLOT0,
  FLASH_SLOT1,
  FLASH_SAVED,
  FLASH_JOURNAL0,
  FLASH_JOURNAL1,
  FLASH_PAGES
};

/* The page as memory. */
const uint8_t *flash_at(unsigned page);

/* 1 if it worked, and the content was read back. */
int flash_erase(unsigned page);
int flash_program(unsigned page, size_t offset, const void *bytes, size_t len); /* offset and len in whole words */

/* 1 if the page is all ones. */
int flash_blank(unsigned page);

#endif
