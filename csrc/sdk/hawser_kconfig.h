/*
 * hawser_kconfig.h - the HAWSER_CONFIG_FILE of ESP-IDF and Zephyr: what was chosen in Kconfig, in the core's words.
 */
#ifndef HAWSER_KCONFIG_H
#define HAWSER_KCONFIG_H

#ifdef ESP_PLATFORM
#include "sdkconfig.h" /* Zephyr includes its own by itself */
#endif

#define HAWSER_CRYPTO HAWSER_CRYPTO_PSA
#define HAWSER_RANDOM HAWSER_RANDOM_BOARD /* random_zephyr.c, random_esp_idf.c */

/* Kconfig leaves out what is off. */
#ifdef CONFIG_HAWSER_GATEWAY
#define HAWSER_GATEWAY 1
#else
#define HAWSER_GATEWAY 0
#endif
#ifdef CONFIG_HAWSER_STREAMS
#define HAWSER_STREAMS 1
#else
#define HAWSER_STREAMS 0
#endif
#ifdef CONFIG_HAWSER_SERIAL_LINES
#define HAWSER_SERIAL_LINES 1
#else
#define HAWSER_SERIAL_LINES 0
#endif
#ifdef CONFIG_HAWSER_SAVE
#define HAWSER_SAVE 1
#else
#define HAWSER_SAVE 0
#endif
#ifdef CONFIG_HAWSER_SUITE_25519
#define HAWSER_SUITE_25519 1
#else
#define HAWSER_SUITE_25519 0
#endif
#ifdef CONFIG_HAWSER_SUITE_P256
#define HAWSER_SUITE_P256 1
#else
#define HAWSER_SUITE_P256 0
#endif
#ifdef CONFIG_HAWSER_MODE_KEYS
#define HAWSER_MODE_KEYS 1
#else
#define HAWSER_MODE_KEYS 0
#endif
#ifdef CONFIG_HAWSER_MODE_KEYS_PSK
#define HAWSER_MODE_KEYS_PSK 1
#else
#define HAWSER_MODE_KEYS_PSK 0
#endif
#ifdef CONFIG_HAWSER_MODE_PSK
#define HAWSER_MODE_PSK 1
#else
#define HAWSER_MODE_PSK 0
#endif
#ifdef CONFIG_HAWSER_MODE_TICKET
#define HAWSER_MODE_TICKET 1
#else
#define HAWSER_MODE_TICKET 0
#endif
#define HAWSER_WARM_PATIENCE_MS CONFIG_HAWSER_WARM_PATIENCE_MS
#define HAWSER_ATTEMPT_MS CONFIG_HAWSER_ATTEMPT_MS
#define HAWSER_DEAD_MS CONFIG_HAWSER_DEAD_MS

#endif
