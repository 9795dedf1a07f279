/*
 * random_esp_idf.c - hawser_board_random() from the hardware generator of the ESP32 family. It is a true one while radio or
 * SAR ADC feed it: start one of them, or call bootloader_random_enable(), before the first handshake.
 */
#include <esp_random.h>

#include "hawser/port.h"

int hawser_board_random(uint8_t *out, size_t len) {
  esp_fill_random(out, len);
  return 1;
}
