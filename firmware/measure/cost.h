/*
 * cost.h - what calls cost an emulated Cortex-M board, in instructions and stack. Printed are "cost NAME INSTRUCTIONS" and
 * "stack BYTES" for each operation, at last "end".
 *
 * Instructions: the emulator's clock advances by 64 ns for each (qemu -icount shift=6), and a timer that ticks every 40 ns reads
 * it, so that no instruction goes uncounted. Stack: what is free of it is painted before each call.
 */
#ifndef FIRMWARE_MEASURE_COST_H
#define FIRMWARE_MEASURE_COST_H

#include <stdint.h>

typedef struct cost {
  uint32_t instructions, stack;
} cost;

/* Adds a call's instructions to c, and its stack if it is the most so far. The call returns 0, or everything ends. */
void cost_measure(cost *c, const char *what, int (*call)(void));

/* Around what is not to be counted of a call. */
void cost_pause(void);
void cost_resume(void);

void cost_print(const char *name, const cost *c);

/* The emulator ends. */
_Noreturn void cost_fail(const char *what, int err);
_Noreturn void cost_end(void);

#endif
