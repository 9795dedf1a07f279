/*
 * start.c - see start.h. The linker script has the symbols.
 */
#include "boards/common/start.h"

#include "drivers/board.h"
#include "emulator/machine.h"

#define PAINT 0xdeadbeefu
#define SPARE 16 /* words below this function's frame that it may use itself */

extern uint32_t __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[], __stack_limit[], __stack_top[];
extern int main(void);

void board_stack_repaint(void) {
  const uint32_t *free_to = (const uint32_t *)__builtin_frame_address(0) - SPARE;
  for (volatile uint32_t *at = __stack_limit; at < free_to; at++) {
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

void start(void) {
  const uint32_t *from = __data_load;
  board_stack_repaint();
  for (uint32_t *to = __data_start; to < __data_end; to++, from++) {
    *to = *from;
  }
  for (uint32_t *to = __bss_start; to < __bss_end; to++) {
    *to = 0;
  }
  board_init();
  (void)main();
  fault();
}

void fault(void) {
  machine()->state = MACHINE_FAULT;
  board_halt();
}
