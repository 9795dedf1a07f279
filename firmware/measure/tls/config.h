/*
 * config.h - the smallest clients of mbedTLS 3.6 that do for a device what hawser does: a PSK, and session resumption. The image's
 * row says which: PEER_TLS13 with PEER_ECDHE 0 (none), 256 or 25519, or DTLS 1.2 with a connection id. The rest is as in
 * firmware/mbedtls/config.h; what calls for memory gets it from the static arena of drivers/memory.c.
 */
#ifndef FIRMWARE_MEASURE_TLS_CONFIG_H
#define FIRMWARE_MEASURE_TLS_CONFIG_H

#include "mbedtls/config.h"

#undef MBEDTLS_PSA_CRYPTO_CONFIG_FILE
#define MBEDTLS_PSA_CRYPTO_CONFIG_FILE "measure/tls/psa_config.h"
#undef MBEDTLS_PSA_STATIC_KEY_SLOT_BUFFER_SIZE
#define MBEDTLS_PSA_STATIC_KEY_SLOT_BUFFER_SIZE 65
#undef MBEDTLS_PSA_KEY_SLOT_COUNT
#define MBEDTLS_PSA_KEY_SLOT_COUNT 8
#define MBEDTLS_AES_ONLY_128_BIT_KEY_LENGTH

#define MBEDTLS_USE_PSA_CRYPTO
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_IN_CONTENT_LEN 512
#define MBEDTLS_SSL_OUT_CONTENT_LEN 512
#define MBEDTLS_PSK_MAX_LEN 32

#if PEER_TLS13
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE /* it wants that, certificates or not */
#define MBEDTLS_SSL_SESSION_TICKETS
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_ENABLED /* with ECDHE too, which costs no byte: it can resume without */
#if PEER_ECDHE
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL_ENABLED
#endif
#if PEER_ECDHE == 256
#define MBEDTLS_PSA_P256M_DRIVER_ENABLED
#endif
#define MBEDTLS_SSL_CIPHERSUITES MBEDTLS_TLS1_3_AES_128_GCM_SHA256
#else
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_PROTO_DTLS
#define MBEDTLS_SSL_DTLS_CONNECTION_ID
#define MBEDTLS_SSL_DTLS_ANTI_REPLAY
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_CID_IN_LEN_MAX 8
#define MBEDTLS_SSL_CID_OUT_LEN_MAX 8
#define MBEDTLS_KEY_EXCHANGE_PSK_ENABLED
#define MBEDTLS_SSL_CIPHERSUITES MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256
#endif

#endif
