/*
 * cost.c - see cost.h.
 */
#include "measure/cost.h"

#include "drivers/board.h"
#include "drivers/console.h"

#define TIMER (*(volatile uint32_t *)0x40000004u) /* of the MPS2: counts down */
#define PAINT 0xdeadbeefu
#define NOT_PAINTED 24 /* words below paint()'s caller that paint() may be using */

extern uint32_t __stack_limit[], __stack_top[];

static uint32_t paused_at, paused; /* ticks */

static __attribute__((noinline)) void paint(void) {
  const uint32_t *end = (const uint32_t *)__builtin_frame_address(0) - NOT_PAINTED;
  for (volatile uint32_t *at = __stack_limit; at < end; at++) {
    *at = PAINT;
  }
}

static uint32_t *lowest_used(void) {
  uint32_t *at = __stack_limit;
  while (at < __stack_top && *at == PAINT) {
    at++;
  }
  return at;
}

static int nothing(void) {
  return 0;
}

static uint32_t ticks_of(int (*call)(void), int *err) {
  uint32_t start;
  paused = 0;
  start = TIMER;
  *err = call();
  return start - TIMER - paused;
}

__attribute__((noinline)) void cost_measure(cost *c, const char *what, int (*call)(void)) {
  uint32_t *here, *low;
  uint32_t ticks;
  int err;
  __asm volatile("mov %0, sp" : "=r"(here));
  paint();
  ticks = ticks_of(call, &err);
  low = lowest_used();
  if (err != 0) {
    cost_fail(what, err);
  }
  ticks -= ticks_of(nothing, &err);
  c->instructions += (ticks * 5u + 4u) / 8u; /* of 40 ns, to the nearest 64 ns */
  if ((uint32_t)(here - low) * 4u > c->stack) {
    c->stack = (uint32_t)(here - low) * 4u;
  }
}

void cost_pause(void) {
  paused_at = TIMER;
}

void cost_resume(void) {
  paused += paused_at - TIMER;
}

void cost_print(const char *name, const cost *c) {
  console_write("cost ");
  console_write(name);
  console_line("", c->instructions);
  console_line("stack", c->stack);
}

void cost_fail(const char *what, int err) {
  console_line(what, (uint32_t)-err);
  board_sleep(0);
}

void cost_end(void) {
  console_line("end", 0);
  board_sleep(0);
}
