/*
 * board.c - qemu's RISC-V board `virt`: a 16550 as the line, the CLINT's clock, and semihosting for the console and for sleep.
 * Interrupts are never taken: a pending one ends a wait, which is what WFI does with mstatus.MIE clear.
 */
#include "drivers/board.h"

#include "emulator/machine.h"

#define REG8(address) (*(volatile uint8_t *)(address))
#define REG32(address) (*(volatile uint32_t *)(address))

#define TICKS_PER_US 10u
#define MTIME 0x0200bff8u
#define MTIMECMP 0x02004000u
#define MIE_TIMER (1u << 7)
#define TICK_US 1000u
#define LINE 0x10000000u
#define UART_DATA 0
#define UART_FIFO 2
#define UART_STATE 5
#define RX_READY 1u
#define TX_EMPTY 0x20u
#define SYS_WRITE0 0x04u
#define SYS_EXIT 0x18u
#define EXIT_OF_APPLICATION 0x20026u

static uint32_t last_ticks, ticks; /* ticks: those that make no whole millisecond yet */
static uint64_t elapsed_ms;

static uint64_t now_ticks(void) {
  uint32_t high, low;
  do {
    high = REG32(MTIME + 4);
    low = REG32(MTIME);
  } while (high != REG32(MTIME + 4));
  return (uint64_t)high << 32 | low;
}

void board_init(void) {
  REG8(LINE + UART_FIFO) = 1;
  last_ticks = REG32(MTIME);
  __asm volatile("csrci mstatus, 8\n csrs mie, %0" ::"r"(MIE_TIMER));
}

/* Without a division of 64 bits. Must be called more often than the clock's lower half wraps: 429 s. */
uint64_t board_now_ms(void) {
  uint32_t now = REG32(MTIME);
  ticks += now - last_ticks;
  last_ticks = now;
  elapsed_ms += ticks / (TICKS_PER_US * 1000u);
  ticks %= TICKS_PER_US * 1000u;
  return elapsed_ms;
}

void board_spin_us(uint32_t us) {
  uint32_t start = REG32(MTIME);
  while (REG32(MTIME) - start < us * TICKS_PER_US) {
  }
}

size_t line_read(uint8_t *bytes, size_t cap) {
  size_t len = 0;
  while (len < cap && (REG8(LINE + UART_STATE) & RX_READY) != 0) {
    bytes[len++] = REG8(LINE + UART_DATA);
  }
  return len;
}

void line_write(const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    while ((REG8(LINE + UART_STATE) & TX_EMPTY) == 0) {
    }
    REG8(LINE + UART_DATA) = bytes[i];
  }
}

/* The three instructions are the call; they must not be compressed, nor lie on two pages. */
static void semihosting(uint32_t operation, uintptr_t argument) {
  register uint32_t a0 __asm("a0") = operation;
  register uintptr_t a1 __asm("a1") = argument;
  __asm volatile(".option push\n .option norvc\n .balign 16\n"
                 "slli zero, zero, 0x1f\n ebreak\n srai zero, zero, 7\n"
                 ".option pop"
                 : "+r"(a0)
                 : "r"(a1)
                 : "memory");
}

void console_write(const char *text) {
  semihosting(SYS_WRITE0, (uintptr_t)text);
}

void board_idle(void) {
  uint64_t next = now_ticks() + TICK_US * TICKS_PER_US;
  REG32(MTIMECMP + 4) = 0xffffffffu;
  REG32(MTIMECMP) = (uint32_t)next;
  REG32(MTIMECMP + 4) = (uint32_t)(next >> 32);
  if ((REG8(LINE + UART_STATE) & RX_READY) == 0) {
    __asm volatile("wfi" ::: "memory");
  }
}

void board_halt(void) {
  __asm volatile("csrw mie, zero");
  for (;;) {
    __asm volatile("wfi");
  }
}

/* The emulator ends; the host starts it again. */
void board_sleep(uint32_t ms) {
  machine()->sleep_ms = ms;
  machine()->state = MACHINE_SLEEPS;
  semihosting(SYS_EXIT, EXIT_OF_APPLICATION);
  board_halt();
}
