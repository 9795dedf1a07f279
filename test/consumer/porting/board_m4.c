/*
 * The board of docs/PORTING.md where the page's project is only linked: a Cortex-M4 with a timer, flash pages in RAM, and a UART
 * as the link, whose registers are those of an MPS2 board. It has no random generator, so nothing is ever sent.
 */
#include "board.h"

#include <string.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define TIMER 0x40000000u
#define UART 0x40004000u
#define TICKS_PER_MS 25000u

extern int main(void);
_Noreturn void reset(void);

void reset(void) {
  (void)main();
  for (;;) {
  }
}

static uint32_t last;
static uint64_t ticks;

uint64_t board_now_ms(void) {
  uint32_t now = ~REG(TIMER + 4);
  ticks += now - last;
  last = now;
  return ticks / TICKS_PER_MS;
}

void board_wait_ms(uint32_t ms) {
  uint64_t until = board_now_ms() + ms;
  while (board_now_ms() < until) {
  }
}

void board_watchdog(void) {
}

int board_trng(uint8_t *out, size_t len) {
  memset(out, 0, len);
  return 0;
}

size_t board_pairing(uint8_t *form, size_t cap) {
  memset(form, 0, cap);
  return 0;
}

static uint8_t pages[2][64];

int board_flash_read(int page, uint8_t *bytes, size_t len) {
  memcpy(bytes, pages[page], len);
  return 1;
}

int board_flash_write(int page, const uint8_t *bytes, size_t len) {
  memcpy(pages[page], bytes, len);
  return 1;
}

int board_flash_erase(int page) {
  memset(pages[page], 0xff, sizeof pages[page]);
  return 1;
}

int board_link_open(void) {
  REG(UART + 8) = 3;
  return 1;
}

int board_link_write(const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    while ((REG(UART + 4) & 1u) != 0) {
    }
    REG(UART) = bytes[i];
  }
  return 1;
}

int board_link_read(uint8_t *bytes, size_t cap, uint64_t until_ms) {
  size_t len = 0;
  while (len == 0 && board_now_ms() < until_ms) {
    while (len < cap && (REG(UART + 4) & 2u) != 0) {
      bytes[len++] = (uint8_t)REG(UART);
    }
  }
  return (int)len;
}

void board_link_close(void) {
  REG(UART + 8) = 0;
}
