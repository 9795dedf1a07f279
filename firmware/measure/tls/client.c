/*
 * client.c - see client.h.
 */
#include "measure/tls/client.h"

#include <mbedtls/psa_util.h>
#include <psa/crypto.h>

#include "drivers/board.h"

mbedtls_ssl_context client;
mbedtls_ssl_config client_configs[1 + PEER_TLS13];

#if PEER_TLS13
static mbedtls_ssl_config current; /* a copy: a client keeps the address of its configuration */
#else
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

static int configure(mbedtls_ssl_config *conf, int modes) {
  int err;
  mbedtls_ssl_config_init(conf);
  err = mbedtls_ssl_config_defaults(conf, MBEDTLS_SSL_IS_CLIENT,
                                    PEER_TLS13 ? MBEDTLS_SSL_TRANSPORT_STREAM : MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_rng(conf, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
#if PEER_TLS13
  mbedtls_ssl_conf_tls13_key_exchange_modes(conf, modes);
  mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
      conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED); /* or it resumes nothing */
#else
  (void)modes;
  err |= mbedtls_ssl_conf_cid(conf, 0, MBEDTLS_SSL_UNEXPECTED_CID_IGNORE);
#endif
  return err;
}

int client_configure(void) {
  static const uint8_t psk[32] = {1};
  static const uint8_t identity[] = "device-1";
  int err = psa_crypto_init() != PSA_SUCCESS;
  mbedtls_ssl_init(&client);
  err |= configure(&client_configs[0], PEER_ECDHE ? MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_ALL
                                                  : MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK);
#if PEER_TLS13
  err |= configure(&client_configs[1], MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK);
#endif
  err |= mbedtls_ssl_conf_psk(&client_configs[0], psk, sizeof psk, identity, sizeof identity - 1);
#if PEER_TLS13
  current = client_configs[0];
  err |= mbedtls_ssl_setup(&client, &current);
#endif
  return err;
}

/* Of two ways to begin again each protocol has the smaller. */
int client_connect(const mbedtls_ssl_session *session, mbedtls_ssl_send_t *give, mbedtls_ssl_recv_t *take) {
  int err;
#if PEER_TLS13
  current = client_configs[session != NULL];
  err = mbedtls_ssl_session_reset(&client);
#else
  mbedtls_ssl_free(&client);
  mbedtls_ssl_init(&client);
  err = mbedtls_ssl_setup(&client, client_configs);
  mbedtls_ssl_set_timer_cb(&client, NULL, set_timer, get_timer);
  err |= mbedtls_ssl_set_cid(&client, MBEDTLS_SSL_CID_ENABLED, NULL, 0);
#endif
  mbedtls_ssl_set_bio(&client, NULL, give, take, NULL);
  return session == NULL ? err : err | mbedtls_ssl_set_session(&client, session);
}
