/*
 * board.c - Arm's MPS2 boards with a Cortex-M3 (AN385) or Cortex-M4 (AN386): UARTs, timers and SysTick at 25 MHz.
 * Interrupts are never taken: they only end a wait, which is what WFI does when PRIMASK is set.
 */
#include "drivers/board.h"

#include "emulator/machine.h"

#define REG(address) (*(volatile uint32_t *)(address))

#define CLOCK_MHZ 25u
#define TICKS_PER_MS (CLOCK_MHZ * 1000u)
#define TIMER0 0x40000000u
#define LINE 0x40004000u
#define CONSOLE 0x40005000u
#define UART_DATA 0x00u
#define UART_STATE 0x04u
#define UART_CTRL 0x08u
#define UART_INT 0x0cu
#define UART_BAUD 0x10u
#define TX_FULL 1u
#define RX_FULL 2u
#define LINE_RX_IRQ 1u /* bit of NVIC's first registers */
#define SYSTICK_CTRL 0xe000e010u
#define SYSTICK_LOAD 0xe000e014u
#define NVIC_ENABLE 0xe000e100u
#define NVIC_CLEAR 0xe000e280u
#define ICSR 0xe000ed04u
#define ICSR_CLEAR_TICK (1u << 25)
#define TICK_MS 4u

static uint32_t last_ticks, ticks; /* ticks: those that make no whole millisecond yet */
static uint64_t elapsed_ms;

void board_init(void) {
  __asm volatile("cpsid i");
  REG(TIMER0 + 8) = 0xffffffffu; /* reload: it counts down, all the time */
  REG(TIMER0 + 4) = 0xffffffffu;
  REG(TIMER0) = 1;
  last_ticks = 0;
  REG(LINE + UART_BAUD) = 217; /* 115 200 */
  REG(LINE + UART_CTRL) = 1u | 2u | 8u;
  REG(CONSOLE + UART_BAUD) = 217;
  REG(CONSOLE + UART_CTRL) = 1u;
  REG(NVIC_ENABLE) = LINE_RX_IRQ;
  REG(SYSTICK_LOAD) = TICKS_PER_MS * TICK_MS - 1u;
  REG(SYSTICK_CTRL) = 7u;
}

/* It counts down. */
static uint32_t now_ticks(void) {
  return ~REG(TIMER0 + 4);
}

/* Without a division of 64 bits, which is 700 bytes. Must be called more often than the timer wraps, which board_idle() sees
 * to: 171 s. */
uint64_t board_now_ms(void) {
  uint32_t now = now_ticks();
  ticks += now - last_ticks;
  last_ticks = now;
  elapsed_ms += ticks / TICKS_PER_MS;
  ticks %= TICKS_PER_MS;
  return elapsed_ms;
}

void board_spin_us(uint32_t us) {
  uint32_t start = now_ticks();
  while (now_ticks() - start < us * CLOCK_MHZ) {
  }
}

static void uart_put(uint32_t uart, uint8_t byte) {
  while ((REG(uart + UART_STATE) & TX_FULL) != 0) {
  }
  REG(uart + UART_DATA) = byte;
}

size_t line_read(uint8_t *bytes, size_t cap) {
  size_t len = 0;
  while (len < cap && (REG(LINE + UART_STATE) & RX_FULL) != 0) {
    bytes[len++] = (uint8_t)REG(LINE + UART_DATA);
  }
  REG(LINE + UART_INT) = 2;
  REG(NVIC_CLEAR) = LINE_RX_IRQ;
  return len;
}

void line_write(const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    uart_put(LINE, bytes[i]);
  }
}

void console_write(const char *text) {
  for (; *text != '\0'; text++) {
    uart_put(CONSOLE, (uint8_t)*text);
  }
}

void board_idle(void) {
  if ((REG(LINE + UART_STATE) & RX_FULL) == 0) {
    __asm volatile("dsb\n wfi" ::: "memory");
  }
  REG(ICSR) = ICSR_CLEAR_TICK;
  (void)board_now_ms();
}

void board_halt(void) {
  for (;;) {
    REG(SYSTICK_CTRL) = 0;
    __asm volatile("wfi");
  }
}

/* The emulator ends (semihosting's SYS_EXIT); the host starts it again. */
void board_sleep(uint32_t ms) {
  register uint32_t operation __asm("r0") = 0x18;
  register uint32_t reason __asm("r1") = 0x20026; /* ADP_Stopped_ApplicationExit */
  machine()->sleep_ms = ms;
  machine()->state = MACHINE_SLEEPS;
  __asm volatile("bkpt 0xab" ::"r"(operation), "r"(reason) : "memory");
  board_halt();
}
