/*
 * main.c - a device program that calls what a device needs of mbedTLS's TLS or DTLS: the peer of program/main.c. It is measured, not run.
 */
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>
#include <psa/crypto.h>

#include "drivers/board.h"

static mbedtls_ssl_context ssl;
static mbedtls_ssl_config conf;
static mbedtls_ssl_session session;
static uint8_t bytes[256];

static int give(void *context, const unsigned char *data, size_t len) {
  (void)context;
  line_write(data, len);
  return (int)len;
}

static int take(void *context, unsigned char *data, size_t cap) {
  size_t len = line_read(data, cap);
  (void)context;
  return len > 0 ? (int)len : MBEDTLS_ERR_SSL_WANT_READ;
}

#if !PEER_TLS13
static uint64_t middle, final;

static void set_timer(void *context, uint32_t middle_ms, uint32_t final_ms) {
  (void)context;
  middle = board_now_ms() + middle_ms;
  final = final_ms == 0 ? 0 : board_now_ms() + final_ms;
}

static int get_timer(void *context) {
  (void)context;
  if (final == 0) {
    return -1;
  }
  return (board_now_ms() >= middle) + (board_now_ms() >= final);
}
#endif

static int configure(void) {
  static const uint8_t psk[32] = {1};
  static const uint8_t identity[] = "device-1";
  int err = psa_crypto_init() != PSA_SUCCESS;
  mbedtls_ssl_config_init(&conf);
  mbedtls_ssl_init(&ssl);
  mbedtls_ssl_session_init(&session);
  err |= mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_CLIENT,
                                     PEER_TLS13 ? MBEDTLS_SSL_TRANSPORT_STREAM : MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                     MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_rng(&conf, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
  err |= mbedtls_ssl_conf_psk(&conf, psk, sizeof psk, identity, sizeof identity - 1);
#if PEER_TLS13
  mbedtls_ssl_conf_tls13_key_exchange_modes(&conf, PEER_P256 ? MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL
                                                             : MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK);
#else
  err |= mbedtls_ssl_conf_cid(&conf, 0, MBEDTLS_SSL_UNEXPECTED_CID_IGNORE);
#endif
  err |= mbedtls_ssl_setup(&ssl, &conf);
#if !PEER_TLS13
  mbedtls_ssl_set_timer_cb(&ssl, NULL, set_timer, get_timer);
  err |= mbedtls_ssl_set_cid(&ssl, MBEDTLS_SSL_CID_ENABLED, NULL, 0);
#endif
  mbedtls_ssl_set_bio(&ssl, NULL, give, take, NULL);
  return err;
}

static int again(int err) {
  int wanted = err == MBEDTLS_ERR_SSL_WANT_READ || err == MBEDTLS_ERR_SSL_WANT_WRITE;
#if PEER_TLS13
  if (err == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
    return mbedtls_ssl_get_session(&ssl, &session) == 0;
  }
#endif
  if (wanted) {
    board_idle();
  }
  return wanted;
}

static void serve(void) {
  int err;
  do {
    err = mbedtls_ssl_handshake(&ssl);
  } while (again(err));
#if !PEER_TLS13
  err = err == 0 ? mbedtls_ssl_get_session(&ssl, &session) : err;
#endif
  while (err >= 0 || again(err)) {
    err = mbedtls_ssl_read(&ssl, bytes, sizeof bytes);
    if (err >= 0 || err == MBEDTLS_ERR_SSL_WANT_READ) {
      err = mbedtls_ssl_write(&ssl, (const uint8_t *)"21.5", 4);
    }
  }
}

int main(void) {
  int err = configure();
  while (err == 0) {
    serve();
    err = mbedtls_ssl_session_reset(&ssl);
    err |= mbedtls_ssl_set_session(&ssl, &session);
  }
  return mbedtls_ssl_close_notify(&ssl);
}
