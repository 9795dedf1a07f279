/*
 * startup.c - vectors of a Cortex-M. Interrupts are never taken, so that exceptions are all there is.
 */
#include <stdint.h>

#include "boards/common/start.h"

extern uint32_t __stack_top[];

_Noreturn void reset(void);

void reset(void) {
  start();
}

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)__stack_top,
    (uintptr_t)reset,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    (uintptr_t)fault,
    0,
    0,
    0,
    0,
    (uintptr_t)fault,
    (uintptr_t)fault,
    0,
    (uintptr_t)fault,
    (uintptr_t)fault,
};
