/*
 * main.c - a TLS or DTLS client against a server at the other end of the board's line: what mbedTLS's calls cost. Reading and
 * writing the line is not counted.
 */
#include "drivers/board.h"
#include "measure/cost.h"
#include "measure/tls-cost/frames.h"
#include "measure/tls/client.h"

#define PAYLOAD 64

static mbedtls_ssl_session session;
static uint8_t bytes[PAYLOAD];
static int got;

static int handshake(void) {
  return mbedtls_ssl_handshake(&client);
}

static int write(void) {
  return mbedtls_ssl_write(&client, bytes, PAYLOAD) == PAYLOAD ? 0 : -1;
}

/* Part of a record that is for mbedTLS alone ends a call with WANT_READ. */
static int read(void) {
  do {
    got = mbedtls_ssl_read(&client, bytes, PAYLOAD);
  } while (got == MBEDTLS_ERR_SSL_WANT_READ);
  return got == PAYLOAD || got == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET ? 0 : got;
}

static void must(const char *what, int err) {
  if (err != 0) {
    cost_fail(what, err);
  }
}

/* Resumes the session, if there is one. */
static void connect(const char *name, const mbedtls_ssl_session *known) {
  cost c = {0, 0};
  must("connect", client_connect(known, frames_give, frames_take));
  cost_measure(&c, name, handshake);
  cost_print(name, &c);
#if PEER_TLS13
  c = (cost){0, 0};
  cost_measure(&c, "ticket", read);
  must("no ticket", got == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET ? 0 : -1);
  if (known == NULL) {
    cost_print("ticket received", &c);
  }
#else
  {
    uint8_t id[MBEDTLS_SSL_CID_OUT_LEN_MAX];
    size_t len = 0;
    int enabled = MBEDTLS_SSL_CID_DISABLED;
    must("connection id", mbedtls_ssl_get_peer_cid(&client, &enabled, id, &len));
    must("no connection id", enabled == MBEDTLS_SSL_CID_ENABLED && len == sizeof id ? 0 : -1);
  }
#endif
}

static void records(void) {
  cost sent = {0, 0}, received = {0, 0};
  cost_measure(&received, "read", read);
  must("nothing came", got == PAYLOAD ? 0 : -1);
  must("something else came", bytes[0] == 'x' && bytes[PAYLOAD - 1] == '\n' ? 0 : -1);
  cost_measure(&sent, "write", write);
  cost_print("record sent", &sent);
  cost_print("record received", &received);
}

#if !PEER_TLS13
/* A server that begins a session anew gives it another id. */
static void check_same_session(void) {
  mbedtls_ssl_session now;
  size_t len = mbedtls_ssl_session_get_id_len(&session);
  mbedtls_ssl_session_init(&now);
  must("session", mbedtls_ssl_get_session(&client, &now));
  must("id of the session", len > 0 && len == mbedtls_ssl_session_get_id_len(&now) ? 0 : -1);
  for (size_t i = 0; i < len; i++) {
    must("another session",
         (*mbedtls_ssl_session_get_id(&now))[i] == (*mbedtls_ssl_session_get_id(&session))[i] ? 0 : -1);
  }
  mbedtls_ssl_session_free(&now);
}
#endif

int main(void) {
  must("configure", client_configure());
#if !PEER_TLS13
  /* It repeats nothing, however long the emulator is kept waiting. */
  mbedtls_ssl_conf_handshake_timeout(&client_configs[0], 3600000, 3600000);
#endif
  mbedtls_ssl_session_init(&session);
  connect("full handshake", NULL);
  must("session", mbedtls_ssl_get_session(&client, &session));
  frames_renew();
  connect("resumption", &session);
#if !PEER_TLS13
  check_same_session();
#endif
  records();
#if PEER_ECDHE
  frames_renew();
  mbedtls_ssl_conf_tls13_key_exchange_modes(&client_configs[1], MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL);
  connect("resumption with ECDHE", &session);
#endif
  cost_end();
}
