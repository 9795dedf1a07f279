/*
 * mbedtls/config.h - what a device needs of mbedTLS 3.6, through PSA alone: no heap, no operating system, no entropy module.
 * psa_config.h names the algorithms; FIRMWARE_25519 and FIRMWARE_P256 come from the image's row in tools/firmware-build.mjs.
 */
#ifndef FIRMWARE_MBEDTLS_CONFIG_H
#define FIRMWARE_MBEDTLS_CONFIG_H

/* PSA: keys live in a fixed table, buffers of the caller are trusted not to change under a call */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_CONFIG
#define MBEDTLS_PSA_CRYPTO_CONFIG_FILE "mbedtls/psa_config.h"
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#define MBEDTLS_PSA_STATIC_KEY_SLOTS
#define MBEDTLS_PSA_STATIC_KEY_SLOT_BUFFER_SIZE 32
#define MBEDTLS_PSA_KEY_SLOT_COUNT 4
#define MBEDTLS_PSA_ASSUME_EXCLUSIVE_BUFFERS

/* What calls for memory is refused, or, for mbedTLS's own X25519, served from a static arena: drivers/memory.c. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_CALLOC_MACRO firmware_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO firmware_free

/* Small rather than fast: AES with one table in flash and no way to decrypt a block, which GCM does not need. */
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_BLOCK_CIPHER_NO_DECRYPT
#if !FIRMWARE_LARGER_SHA256 /* which is faster: see bench/FIRMWARE.md */
#define MBEDTLS_SHA256_SMALLER
#endif

#if FIRMWARE_P256
#define MBEDTLS_PSA_P256M_DRIVER_ENABLED
#endif

#include <stddef.h>
void *firmware_calloc(size_t count, size_t size);
void firmware_free(void *ptr);

#endif
