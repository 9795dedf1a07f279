/* What this device leaves out, and where its random bytes come from. */
#ifndef METER_HAWSER_CONFIG_H
#define METER_HAWSER_CONFIG_H

#define HAWSER_CRYPTO HAWSER_CRYPTO_PSA
#define HAWSER_RANDOM HAWSER_RANDOM_BOARD

#define HAWSER_SERIAL_LINES 0
#define HAWSER_SAVE 0
#define HAWSER_SUITE_25519 0
#define HAWSER_MODE_TICKET 0
#define HAWSER_ATTEMPT_MS 20000u

#endif
