/*
 * client.h - mbedTLS's client as its config.h has it, with a PSK: identity "device-1", 01 and 31 zeros. Its second configuration,
 * of TLS 1.3 alone, has no PSK, and offers nothing but a ticket, without ECDHE.
 */
#ifndef FIRMWARE_MEASURE_TLS_CLIENT_H
#define FIRMWARE_MEASURE_TLS_CLIENT_H

#include <mbedtls/ssl.h>

extern mbedtls_ssl_context client;
extern mbedtls_ssl_config client_configs[1 + PEER_TLS13];

/* Once. 0 if all went well. */
int client_configure(void);

/* For each connection: it resumes that session, or begins with the PSK where it is NULL. 0 if all went well. */
int client_connect(const mbedtls_ssl_session *session, mbedtls_ssl_send_t *give, mbedtls_ssl_recv_t *take);

#endif
