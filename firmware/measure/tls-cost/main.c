/*
 * main.c - a TLS client against a server at the other end of the board's line: what mbedTLS's calls cost. Reading and writing
 * the line is not counted.
 */
#include "drivers/board.h"
#include "measure/cost.h"
#include "measure/tls/client.h"

#define PAYLOAD 64

static uint8_t bytes[PAYLOAD];
static int got;

static int give(void *context, const unsigned char *data, size_t len) {
  (void)context;
  cost_pause();
  line_write(data, len);
  cost_resume();
  return (int)len;
}

/* All that is asked for, so that it is asked for as often in each run. */
static int take(void *context, unsigned char *data, size_t len) {
  size_t at = 0;
  (void)context;
  cost_pause();
  while (at < len) {
    at += line_read(data + at, len - at);
  }
  cost_resume();
  return (int)len;
}

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

int main(void) {
  cost full = {0, 0}, ticket = {0, 0}, sent = {0, 0}, received = {0, 0};
  int err = client_configure(give, take);
  if (err != 0) {
    cost_fail("configure", -1);
  }
  cost_measure(&full, "handshake", handshake);
  cost_print("full handshake", &full);
  cost_measure(&ticket, "ticket", read);
  if (got == PAYLOAD) {
    cost_fail("no ticket", got);
  }
  cost_print("ticket received", &ticket);
  cost_measure(&received, "read", read);
  if (got != PAYLOAD) {
    cost_fail("another ticket", got);
  }
  cost_measure(&sent, "write", write);
  cost_print("record sent", &sent);
  cost_print("record received", &received);
  cost_end();
}
