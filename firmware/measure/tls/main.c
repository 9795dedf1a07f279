/*
 * main.c - a device program that calls what a device needs of mbedTLS's TLS or DTLS: the peer of program/main.c. It is measured, not run.
 */
#include "drivers/board.h"
#include "measure/tls/client.h"

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

static int again(int err) {
  int wanted = err == MBEDTLS_ERR_SSL_WANT_READ || err == MBEDTLS_ERR_SSL_WANT_WRITE;
#if PEER_TLS13
  if (err == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
    return mbedtls_ssl_get_session(&client, &session) == 0;
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
    err = mbedtls_ssl_handshake(&client);
  } while (again(err));
#if !PEER_TLS13
  err = err == 0 ? mbedtls_ssl_get_session(&client, &session) : err;
#endif
  while (err >= 0 || again(err)) {
    err = mbedtls_ssl_read(&client, bytes, sizeof bytes);
    if (err >= 0 || err == MBEDTLS_ERR_SSL_WANT_READ) {
      err = mbedtls_ssl_write(&client, (const uint8_t *)"21.5", 4);
    }
  }
}

int main(void) {
  const mbedtls_ssl_session *known = NULL;
  int err = client_configure();
  mbedtls_ssl_session_init(&session);
  while (err == 0) {
    err = client_connect(known, give, take);
    serve();
    known = &session;
  }
  return mbedtls_ssl_close_notify(&client);
}
