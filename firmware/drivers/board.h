/*
 * board.h - what a board gives the application: a clock, a line to the gateway, a console, sleep.
 */
#ifndef FIRMWARE_BOARD_H
#define FIRMWARE_BOARD_H

#include <stddef.h>
#include <stdint.h>

void board_init(void);

/* Milliseconds, and microseconds to wait. The clock stands still while the board is off. */
uint64_t board_now_ms(void);
void board_spin_us(uint32_t us);

/* The line to the gateway. */
size_t line_read(uint8_t *bytes, size_t cap);
void line_write(const uint8_t *bytes, size_t len);

/* Text for whoever watches. */
void console_write(const char *text);

/* Until a byte of the line is there, or a tick has passed. */
void board_idle(void);

/* The most of the stack, in bytes, that was in use since it was painted: at the start, and by the second. */
uint32_t board_stack_peak(void);
void board_stack_repaint(void);

/* Nothing happens any more. */
_Noreturn void board_halt(void);

/* Everything but the retained RAM goes off. The board starts anew after so many milliseconds. */
_Noreturn void board_sleep(uint32_t ms);

#endif
