/*
 * hawser_config.h - this device's limits (see hawser/config.h). Modes and suites come from the image's row in
 * tools/firmware-build.mjs.
 */
#ifndef FIRMWARE_HAWSER_CONFIG_H
#define FIRMWARE_HAWSER_CONFIG_H

#define HAWSER_GATEWAY 0
#if !FIRMWARE_NO_RANDOM                   /* a test: a build that names none must not compile */
#define HAWSER_RANDOM HAWSER_RANDOM_BOARD /* emulator/random.c; on a chip, its TRNG */
#endif
#define HAWSER_MODE_KEYS_PSK 0
#define HAWSER_HMAC_LEN 224 /* two hash states of mbedTLS, exactly: they lie on the stack */

#endif
