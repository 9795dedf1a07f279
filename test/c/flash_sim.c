/*
 * flash_sim.c - see flash_sim.h.
 */
#include "flash_sim.h"

#include <string.h>

static uint32_t roll(flash_sim *f, uint32_t n) {
  f->random = f->random * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(f->random >> 33) % n;
}

void flash_init(flash_sim *f, uint64_t seed) {
  memset(f, 0, sizeof *f);
  memset(f->bytes, 0xff, sizeof f->bytes);
  memset(f->seen, 0xff, sizeof f->seen);
  f->random = seed * 2 + 1;
}

/* ---- the medium: whole operations, and half ones ---- */

static void program(uint8_t *word, const uint8_t *bytes) {
  for (size_t i = 0; i < FLASH_WORD; i++) {
    word[i] &= bytes[i];
  }
}

static void apply(uint8_t pages[FLASH_PAGES][FLASH_PAGE], const flash_op *op) {
  if (op->at == FLASH_PAGE) {
    memset(pages[op->page], 0xff, FLASH_PAGE);
  } else {
    program(pages[op->page] + op->at, op->bytes);
  }
}

/* Any of the bits that were to be cleared. */
static void program_half(flash_sim *f, uint8_t *word, const uint8_t *bytes) {
  for (size_t i = 0; i < FLASH_WORD; i++) {
    word[i] &= (uint8_t)(bytes[i] | roll(f, 256));
  }
}

/* Nothing, everything, the first bytes, or any bits. */
static void erase_half(flash_sim *f, uint8_t *page) {
  size_t len = roll(f, FLASH_PAGE + 1);
  switch (roll(f, 4)) {
  case 0:
    return;
  case 1:
    memset(page, 0xff, FLASH_PAGE);
    return;
  case 2:
    memset(page, 0xff, len);
    return;
  default:
    for (size_t i = 0; i < FLASH_PAGE; i++) {
      page[i] |= (uint8_t)roll(f, 256);
    }
  }
}

static void apply_half(flash_sim *f, uint8_t pages[FLASH_PAGES][FLASH_PAGE], const flash_op *op) {
  if (op->at == FLASH_PAGE) {
    erase_half(f, pages[op->page]);
  } else {
    program_half(f, pages[op->page] + op->at, op->bytes);
  }
}

/* ---- power ---- */

/* What was not synced got to the medium in any order, and not all of it; what came last is half done. */
static void lose_queue(flash_sim *f) {
  uint16_t left = f->queued;
  while (left > 0 && roll(f, 1u + left) > 0) {
    uint16_t which = (uint16_t)roll(f, left);
    apply(f->bytes, &f->queue[which]);
    f->queue[which] = f->queue[--left];
  }
  if (left > 0) {
    apply_half(f, f->bytes, &f->queue[roll(f, left)]);
  }
  f->queued = 0;
}

void flash_power_cut(flash_sim *f) {
  if (f->off) {
    return;
  }
  lose_queue(f);
  f->off = 1;
  f->cut_in = 0;
}

void flash_power_on(flash_sim *f) {
  memcpy(f->seen, f->bytes, sizeof f->seen);
  f->off = 0;
}

/* ---- operations ---- */

static int happens(flash_sim *f, uint32_t one_in) {
  return one_in != 0 && roll(f, one_in) == 0;
}

/* Both the medium and what a read sees: a fault is no secret of the cache. */
static void fail_half(flash_sim *f, const flash_op *op) {
  (void)flash_sync(f);
  apply_half(f, f->bytes, op);
  memcpy(f->seen, f->bytes, sizeof f->seen);
}

static int operate(flash_sim *f, const flash_op *op) {
  if (f->off) {
    return FLASH_OFF;
  }
  if (op->at == FLASH_PAGE) {
    f->erases[op->page]++;
  } else {
    f->words[op->page]++;
  }
  if (f->cut_in > 0 && --f->cut_in == 0) {
    lose_queue(f);
    apply_half(f, f->bytes, op);
    f->off = 1;
    return FLASH_OFF;
  }
  if (happens(f, f->faults.fails)) {
    fail_half(f, op);
    return FLASH_FAILED;
  }
  if (happens(f, f->faults.silent)) {
    fail_half(f, op);
    return FLASH_OK;
  }
  apply(f->seen, op);
  if (!f->cached) {
    apply(f->bytes, op);
    return FLASH_OK;
  }
  if (f->queued == FLASH_QUEUE) {
    return FLASH_MISUSE;
  }
  f->queue[f->queued++] = *op;
  return FLASH_OK;
}

int flash_sync(flash_sim *f) {
  if (f->off) {
    return FLASH_OFF;
  }
  for (uint16_t i = 0; i < f->queued; i++) {
    apply(f->bytes, &f->queue[i]);
  }
  f->queued = 0;
  return FLASH_OK;
}

int flash_erase(flash_sim *f, unsigned page) {
  flash_op op = {{0}, (uint16_t)page, FLASH_PAGE};
  return page < FLASH_PAGES ? operate(f, &op) : FLASH_MISUSE;
}

static int word_blank(const uint8_t *word) {
  size_t i = 0;
  while (i < FLASH_WORD && word[i] == 0xff) {
    i++;
  }
  return i == FLASH_WORD;
}

int flash_program(flash_sim *f, unsigned page, size_t at, const uint8_t *bytes, size_t len) {
  int err = FLASH_OK;
  if (page >= FLASH_PAGES || at % FLASH_WORD != 0 || len % FLASH_WORD != 0 || at > FLASH_PAGE ||
      len > FLASH_PAGE - at) {
    return FLASH_MISUSE;
  }
  for (size_t i = 0; i < len && err == FLASH_OK; i += FLASH_WORD) {
    flash_op op = {{0}, (uint16_t)page, (uint16_t)(at + i)};
    memcpy(op.bytes, bytes + i, FLASH_WORD);
    err = f->off || word_blank(f->seen[page] + at + i) ? operate(f, &op) : FLASH_MISUSE;
  }
  return err;
}

int flash_read(const flash_sim *f, unsigned page, size_t at, uint8_t *bytes, size_t len) {
  if (f->off) {
    return FLASH_OFF;
  }
  if (page >= FLASH_PAGES || at > FLASH_PAGE || len > FLASH_PAGE - at) {
    return FLASH_MISUSE;
  }
  memcpy(bytes, f->seen[page] + at, len);
  return FLASH_OK;
}

int flash_blank(const flash_sim *f, unsigned page) {
  size_t at = 0;
  while (at < FLASH_PAGE && f->seen[page][at] == 0xff) {
    at++;
  }
  return at == FLASH_PAGE;
}
