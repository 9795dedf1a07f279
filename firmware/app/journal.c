/*
 * journal.c - two pages of entries, used in turn: number, its complement, outcome. Bits that are not programmed yet, or erased
 * already, are ones: no torn number is its complement's. The page that is not in use is erased when the other is full.
 */
#include "app/journal.h"

#include <string.h>

#include "drivers/flash.h"

#define ENTRY 16u
#define ENTRIES (FLASH_PAGE / ENTRY)
#define BLANK 0xffffffffu

enum word { NUMBER, COMPLEMENT, OUTCOME };

/* Unknown can be programmed over whatever a power cut left of another outcome. */
static const uint32_t outcomes[] = {[JOURNAL_DELIVERED] = 0xffff0d0d, [JOURNAL_UNKNOWN] = 0};

static unsigned page;
static unsigned used; /* entries of it */
static uint32_t last; /* the highest number */

static uint32_t word_at(unsigned of, unsigned entry, enum word word) {
  uint32_t value;
  memcpy(&value, flash_at(of) + entry * ENTRY + word * FLASH_WORD, sizeof value);
  return value;
}

/* 0: none, or torn. */
static uint32_t number_at(unsigned of, unsigned entry) {
  uint32_t number = word_at(of, entry, NUMBER);
  return number == ~word_at(of, entry, COMPLEMENT) ? number : 0;
}

static int settle_at(unsigned of, unsigned entry, enum journal_outcome outcome) {
  return flash_program(of, entry * ENTRY + OUTCOME * FLASH_WORD, &outcomes[outcome], FLASH_WORD);
}

static int settle_open(unsigned of, void (*unknown)(uint32_t number)) {
  for (unsigned entry = 0; entry < ENTRIES; entry++) {
    uint32_t number = number_at(of, entry), outcome = word_at(of, entry, OUTCOME);
    if (number == 0 || outcome == outcomes[JOURNAL_DELIVERED] || outcome == outcomes[JOURNAL_UNKNOWN]) {
      continue;
    }
    unknown(number);
    if (!settle_at(of, entry, JOURNAL_UNKNOWN)) {
      return 0;
    }
  }
  return 1;
}

static uint32_t highest(unsigned of) {
  uint32_t most = 0;
  for (unsigned entry = 0; entry < ENTRIES; entry++) {
    uint32_t number = number_at(of, entry);
    most = number > most ? number : most;
  }
  return most;
}

static unsigned other(void) {
  return page == FLASH_JOURNAL0 ? FLASH_JOURNAL1 : FLASH_JOURNAL0;
}

int journal_open(void (*unknown)(uint32_t number)) {
  uint32_t first = highest(FLASH_JOURNAL0), second = highest(FLASH_JOURNAL1);
  page = second > first ? FLASH_JOURNAL1 : FLASH_JOURNAL0;
  last = second > first ? second : first;
  for (used = ENTRIES; used > 0; used--) {
    if (word_at(page, used - 1, NUMBER) != BLANK || word_at(page, used - 1, COMPLEMENT) != BLANK) {
      break;
    }
  }
  if (unknown == NULL) {
    return 1;
  }
  /* with so many entries in this page all of the other's are settled, and their erasure may have begun */
  return (used > JOURNAL_OPEN_MAX || settle_open(other(), unknown)) && settle_open(page, unknown);
}

uint32_t journal_begin(void) {
  uint32_t words[2] = {last + 1, ~(last + 1)};
  if (used == ENTRIES) {
    if (!flash_blank(other()) && !flash_erase(other())) {
      return 0;
    }
    page = other();
    used = 0;
  }
  used++; /* also if it fails: what was programmed cannot be programmed again */
  if (!flash_program(page, (used - 1) * ENTRY, words, sizeof words)) {
    return 0;
  }
  return ++last;
}

int journal_settle(uint32_t number, enum journal_outcome outcome) {
  for (unsigned of = FLASH_JOURNAL0; of <= FLASH_JOURNAL1; of++) {
    for (unsigned entry = 0; entry < ENTRIES; entry++) {
      if (number_at(of, entry) == number) {
        return settle_at(of, entry, outcome);
      }
    }
  }
  return 0;
}
