/*
 * element.h - a secure element: secrets go in or are made inside, and never come out.
 */
#ifndef ELEMENT_H
#define ELEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "hawser/port.h"

/* A P-256 key made inside: its slot (not 0) and its public half. 0: the element is full or absent. */
hawser_key element_generate(uint8_t public_key[HAWSER_PUBLIC_MAX]);

/* What was asked of it, so that a test sees where the work was done. */
typedef struct element_work {
  unsigned macs, agreements;
} element_work;
element_work element_worked(void);

/* Takes the chip off its socket: everything fails until it is back. */
void element_present(int present);

#endif
