/*
 * random_zephyr.c - hawser_board_random() from Zephyr's cryptographic generator.
 */
#include <zephyr/random/random.h>

#include "hawser/port.h"

int hawser_board_random(uint8_t *out, size_t len) {
  return sys_csrand_get(out, len) == 0;
}
