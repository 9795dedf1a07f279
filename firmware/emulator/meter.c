/*
 * meter.c - the meter and the lamp of the emulated boards: the host says how fast the one ticks, and sees the other.
 */
#include "drivers/meter.h"

#include "drivers/board.h"
#include "emulator/machine.h"

uint32_t meter_ticks(void) {
  const volatile machine_host *host = machine();
  uint32_t ticks = host->reading_ms == 0 ? 0 : 1 + (uint32_t)board_now_ms() / host->reading_ms;
  return ticks < host->readings ? ticks : host->readings;
}

void lamp_set(uint32_t brightness) {
  machine()->lamp = brightness;
}
