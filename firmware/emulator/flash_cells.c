/*
 * flash_cells.c - flash in the shared memory. Programming only clears bits, erasing sets them all, and both happen bit by bit:
 * whoever ends the emulator meanwhile finds what a power cut leaves, some of the bits done and others not. Each such step can
 * also be the one at which the host has asked for the power to go (cut_after). Erasures and words are counted.
 */
#include "drivers/flash_cells.h"

#include "drivers/board.h"
#include "drivers/flash.h"
#include "emulator/machine.h"

#define STEP_US 20 /* a few steps make a word; a real flash takes some 50 us for it, and milliseconds for a page */

static volatile uint32_t *word_at(unsigned page, size_t offset) {
  return (volatile uint32_t *)(void *)(__shared_start + MACHINE_FLASH + page * FLASH_PAGE + offset);
}

const uint8_t *flash_at(unsigned page) {
  return __shared_start + MACHINE_FLASH + page * FLASH_PAGE;
}

static void step(void) {
  volatile machine_host *host = machine();
  host->flash_steps++;
  if (host->cut_after != 0 && host->flash_steps >= host->cut_after) {
    host->state = MACHINE_CUT;
    board_halt();
  }
  board_spin_us(STEP_US);
}

/* Which bits go first: another half of them each time, and in each power cycle, as the host says. */
static uint32_t half(void) {
  static uint32_t x;
  if (x == 0) {
    x = machine()->torn | 1u;
  }
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return x;
}

void cells_program(unsigned page, size_t offset, uint32_t word) {
  volatile uint32_t *cell = word_at(page, offset);
  uint32_t to = *cell & word;
  if (*cell != 0xffffffffu && word != 0) {
    machine()->state = MACHINE_FAULT; /* a driver's mistake: many flashes refuse it, or lose the word */
    board_halt();
  }
  machine()->programs[page]++;
  step();
  *cell = to | (*cell & half());
  step();
  *cell = to;
  step();
}

void cells_erase(unsigned page) {
  uint32_t erased = (machine()->worn >> page & 1) != 0 ? 0xfffffffeu : 0xffffffffu;
  machine()->erases[page]++;
  for (size_t pass = 0; pass < 2; pass++) {
    for (size_t offset = 0; offset < FLASH_PAGE; offset += FLASH_WORD) {
      volatile uint32_t *cell = word_at(page, offset);
      *cell = pass == 0 ? *cell | half() : erased;
      if (offset % 256 == 0) {
        step();
      }
    }
  }
}
