/*
 * flash_sim.h - NOR flash as a driver sees it, and as a power cut leaves it. Plain C99, no allocation, needs nothing of the core:
 * a host test and emulated firmware share it.
 *
 * A page is erased to 0xff as a whole; a word is programmed once after that, which only clears bits. Each erase and each word is one
 * operation. The power can be made to go at the n-th of them, which is then left half done: of a word some bits are cleared, of a page
 * some bits are set, or a part of it is erased. From then on everything fails until the power is back. An operation may also fail with
 * the power on, and say so or not. With `cached` nothing is certain before flash_sync(): a cut loses any of what was not synced, in any order.
 *
 * Bits read the same until they are written: cells that hover between 0 and 1 are not modelled.
 */
#ifndef FLASH_SIM_H
#define FLASH_SIM_H

#include <stddef.h>
#include <stdint.h>

#define FLASH_PAGES 2
#ifndef FLASH_PAGE
#define FLASH_PAGE 128
#endif
#ifndef FLASH_WORD
#define FLASH_WORD 8
#endif
#define FLASH_QUEUE 64 /* operations between two flash_sync() */

enum flash_result {
  FLASH_OK = 0,
  FLASH_FAILED = -1, /* the operation did not do what it should; something may have changed */
  FLASH_OFF = -2,    /* there is no power */
  FLASH_MISUSE = -3  /* out of range, or a word that is not erased: a driver's mistake */
};

/* What goes wrong with the power on: one in so many operations, 0 for never. */
typedef struct flash_faults {
  uint32_t fails;  /* half done, and reported */
  uint32_t silent; /* half done, and reported as done */
} flash_faults;

typedef struct flash_op {
  uint8_t bytes[FLASH_WORD];
  uint16_t page, at; /* at: of a word in its page; FLASH_PAGE for an erase */
} flash_op;

typedef struct flash_sim {
  uint8_t bytes[FLASH_PAGES][FLASH_PAGE];           /* what is there if the power goes now */
  uint8_t seen[FLASH_PAGES][FLASH_PAGE];            /* what a read gives: the cache over it */
  uint32_t erases[FLASH_PAGES], words[FLASH_PAGES]; /* wear, since flash_init() */
  flash_op queue[FLASH_QUEUE];
  flash_faults faults;
  uint64_t random;
  uint32_t cut_in; /* the power goes in the n-th operation from now; 0: never */
  uint16_t queued;
  uint8_t cached, off;
} flash_sim;

/* Erased, with the power on and no faults. */
void flash_init(flash_sim *f, uint64_t seed);

int flash_erase(flash_sim *f, unsigned page);
/* at and len are multiples of FLASH_WORD. */
int flash_program(flash_sim *f, unsigned page, size_t at, const uint8_t *bytes, size_t len);
int flash_read(const flash_sim *f, unsigned page, size_t at, uint8_t *bytes, size_t len);
/* Afterwards what was written is there. */
int flash_sync(flash_sim *f);
/* 1: the page is erased, as a read sees it. */
int flash_blank(const flash_sim *f, unsigned page);

/* Now, between two operations. */
void flash_power_cut(flash_sim *f);
void flash_power_on(flash_sim *f);

#endif
