/*
 * client.h - mbedTLS's client as its config.h has it, with a PSK: identity "device-1", 01 and 31 zeros.
 */
#ifndef FIRMWARE_MEASURE_TLS_CLIENT_H
#define FIRMWARE_MEASURE_TLS_CLIENT_H

#include <mbedtls/ssl.h>

extern mbedtls_ssl_context client;

/* 0 if all went well. */
int client_configure(mbedtls_ssl_send_t *give, mbedtls_ssl_recv_t *take);

#endif
