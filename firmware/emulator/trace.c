/*
 * trace.c - every key and nonce that anything is sealed with, for the host, which holds them all against each other. In images
 * with HAWSER_TRACE alone.
 */
#include "hawser/hawser.h"

#if HAWSER_TRACE

#include "drivers/board.h"
#include "emulator/machine.h"

void hawser_trace(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                  size_t ad_len, const uint8_t *in, size_t len);

void hawser_trace(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                  size_t ad_len, const uint8_t *in, size_t len) {
  volatile machine_host *host = machine();
  volatile uint8_t *to = host->trace[host->traces];
  (void)ad;
  (void)ad_len;
  (void)in;
  (void)len;
  if (host->traces == MACHINE_TRACES) {
    host->state = MACHINE_FAULT; /* nothing goes out untraced */
    board_halt();
  }
  for (size_t i = 0; i < HAWSER_KEY_LEN; i++) {
    to[i] = key[i];
  }
  for (size_t i = 0; i < HAWSER_NONCE_LEN; i++) {
    to[HAWSER_KEY_LEN + i] = nonce[i];
  }
  host->traces++;
}

#endif
