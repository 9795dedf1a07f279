/*
 * keys.h - what both measured programs have of a pairing: its mode and suite, as the image's row says, and its one secret.
 */
#ifndef FIRMWARE_MEASURE_KEYS_H
#define FIRMWARE_MEASURE_KEYS_H

#include "hawser/device.h"
#include "port_psa.h"

#if HAWSER_MODE_TICKET
#define MEASURE_MODE HAWSER_TICKET
#elif HAWSER_MODE_PSK
#define MEASURE_MODE HAWSER_PSK
#else
#define MEASURE_MODE HAWSER_KEYS
#endif
#if HAWSER_MODE_TICKET
#define MEASURE_SUITE HAWSER_SUITE_NONE
#elif HAWSER_SUITE_P256
#define MEASURE_SUITE HAWSER_SUITE_ID_P256
#else
#define MEASURE_SUITE HAWSER_SUITE_ID_25519
#endif

/* The secret must outlive the pairing. HAWSER_OK or HAWSER_ERR_CRYPTO. */
static inline int measure_key(hawser_pairing *pairing, const uint8_t secret[HAWSER_KEY_LEN]) {
#if HAWSER_MODE_KEYS
  pairing->own = hawser_psa_key_import(HAWSER_SUITE_P256 ? HAWSER_PSA_P256 : HAWSER_PSA_25519, secret);
  return pairing->own != 0 ? HAWSER_OK : HAWSER_ERR_CRYPTO;
#else
#if HAWSER_PSA_RAW_SECRETS
  hawser_key key = hawser_psa_raw_key(secret);
#else
  hawser_key key = hawser_psa_key_import(HAWSER_MODE_TICKET ? HAWSER_PSA_TICKET : HAWSER_PSA_PSK, secret);
#endif
  *(HAWSER_MODE_TICKET ? &pairing->ticket : &pairing->psk) = key;
  return key != 0 ? HAWSER_OK : HAWSER_ERR_CRYPTO;
#endif
}

#endif
