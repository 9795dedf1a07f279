/*
 * startup.c - vectors and reset of a Cortex-M. The stack is painted, so that its peak can be read.
 */
#include <stdint.h>

#include "drivers/board.h"
#include "emulator/machine.h"

#define PAINT 0xdeadbeefu

extern uint32_t __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[], __stack_limit[], __stack_top[];
extern int main(void);

_Noreturn void reset(void);
_Noreturn void fault(void);

/* As far as the stack pointer leaves it free. */
static inline void paint_stack(void) {
  const uint32_t *sp;
  __asm volatile("mov %0, sp" : "=r"(sp));
  for (volatile uint32_t *at = __stack_limit; at < sp - 8; at++) {
    *at = PAINT;
  }
}

uint32_t board_stack_peak(void) {
  const uint32_t *at = __stack_limit;
  while (at < __stack_top && *at == PAINT) {
    at++;
  }
  return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)at);
}

void board_stack_repaint(void) {
  paint_stack();
}

void reset(void) {
  const uint32_t *from = __data_load;
  paint_stack();
  for (uint32_t *to = __data_start; to < __data_end; to++, from++) {
    *to = *from;
  }
  for (uint32_t *to = __bss_start; to < __bss_end; to++) {
    *to = 0;
  }
  board_init();
  (void)main();
  board_halt();
}

void fault(void) {
  machine()->state = MACHINE_FAULT;
  board_halt();
}

/* Interrupts are never taken, so that exceptions are all there is. */
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
