/*
 * config.h - mbedTLS on a host as a DTLS 1.2 server with connection ids: its crypto as in ports/psa/mbedtls_config_host.h, of which
 * there is a library already.
 */
#ifndef FIRMWARE_MEASURE_DTLS_SERVER_CONFIG_H
#define FIRMWARE_MEASURE_DTLS_SERVER_CONFIG_H

#include "mbedtls_config_host.h"

#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_CACHE_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_PROTO_DTLS
#define MBEDTLS_SSL_DTLS_CONNECTION_ID
#define MBEDTLS_SSL_DTLS_ANTI_REPLAY
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_KEY_EXCHANGE_PSK_ENABLED

#endif
