/*
 * journal.h - every reading has a number that never comes twice, and flash knows what became of it: a reading that was begun
 * before a power cut and not settled is reported as unknown, not sent again.
 */
#ifndef FIRMWARE_JOURNAL_H
#define FIRMWARE_JOURNAL_H

#include <stdint.h>

#define JOURNAL_OPEN_MAX 8 /* readings that may be open at once */

enum journal_outcome { JOURNAL_DELIVERED, JOURNAL_UNKNOWN };

/* Reads the journal. unknown(number) is called for what a power cut left open; NULL: there was none, leave it open. 0: the
 * flash does not work. */
int journal_open(void (*unknown)(uint32_t number));

/* A new number, before anything of that reading is sent. 0: the flash does not work. */
uint32_t journal_begin(void);

int journal_settle(uint32_t number, enum journal_outcome outcome);

#endif
