/*
 * start.h - what every board does before main().
 */
#ifndef FIRMWARE_START_H
#define FIRMWARE_START_H

#include <stdint.h>

/* Where the reset handler goes as soon as there is a stack. */
_Noreturn void start(void);

/* Where faults go. */
_Noreturn void fault(void);

/* The stack is painted, as far as it is free, at the start and by board_stack_repaint(): the most of it, in bytes, that was in
 * use since then. */
void board_stack_repaint(void);
uint32_t board_stack_peak(void);

#endif
