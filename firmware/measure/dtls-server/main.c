/*
 * main.c - on a host: mbedTLS's DTLS 1.2 server, the other end of the measured client. It speaks the frames of tls-cost/frames.h
 * on its standard input and output, one connection after the other; sessions are resumed by their ids. In each it sends 64 bytes
 * and, if the client does not give up before, receives as many. It ends with its input: 0 if nothing failed.
 */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <stdio.h>
#include <string.h>

#define PAYLOAD 64

enum { ENDED = -0x10000, GIVEN_UP = -0x10001 }; /* the input, and a connection: below all errors of mbedTLS */

static mbedtls_ssl_context server;
static mbedtls_ssl_config conf;
static mbedtls_ssl_cache_context cache;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;
static int timer_set;

/* A line that loses nothing needs no repetitions: no timer ever expires. */
static void set_timer(void *context, uint32_t middle_ms, uint32_t final_ms) {
  (void)context;
  (void)middle_ms;
  timer_set = final_ms != 0;
}

static int get_timer(void *context) {
  (void)context;
  return timer_set ? 0 : -1;
}

static int give(void *context, const unsigned char *data, size_t len) {
  const unsigned char head[2] = {(unsigned char)(len >> 8), (unsigned char)len};
  (void)context;
  if (fwrite(head, 1, 2, stdout) != 2 || fwrite(data, 1, len, stdout) != len || fflush(stdout) != 0) {
    return ENDED;
  }
  return (int)len;
}

static int take(void *context, unsigned char *data, size_t cap) {
  unsigned char head[2];
  size_t len;
  (void)context;
  if (fread(head, 1, 2, stdin) != 2) {
    return ENDED;
  }
  len = (size_t)head[0] << 8 | head[1];
  if (len == 0) {
    return GIVEN_UP;
  }
  return len <= cap && fread(data, 1, len, stdin) == len ? (int)len : ENDED;
}

static int again(int err) {
  return err == MBEDTLS_ERR_SSL_WANT_READ || err == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int serve(void) {
  static const unsigned char id[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  unsigned char bytes[PAYLOAD];
  int err = mbedtls_ssl_session_reset(&server);
  err |= mbedtls_ssl_set_cid(&server, MBEDTLS_SSL_CID_ENABLED, id, sizeof id);
  while (err == 0 && again(err = mbedtls_ssl_handshake(&server))) {
  }
  if (err != 0) {
    return err;
  }
  memset(bytes, 'x', PAYLOAD - 1);
  bytes[PAYLOAD - 1] = '\n';
  err = mbedtls_ssl_write(&server, bytes, PAYLOAD);
  while (err > 0 || again(err)) {
    err = mbedtls_ssl_read(&server, bytes, PAYLOAD);
  }
  return err;
}

static int configure(void) {
  static const unsigned char psk[32] = {1};
  static const int suites[] = {MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256, 0};
  int err;
  mbedtls_ssl_init(&server);
  mbedtls_ssl_config_init(&conf);
  mbedtls_ssl_cache_init(&cache);
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&drbg);
  err = mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0);
  err |= mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                     MBEDTLS_SSL_PRESET_DEFAULT);
  mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &drbg);
  mbedtls_ssl_conf_ciphersuites(&conf, suites);
  mbedtls_ssl_conf_session_cache(&conf, &cache, mbedtls_ssl_cache_get, mbedtls_ssl_cache_set);
  err |= mbedtls_ssl_conf_psk(&conf, psk, sizeof psk, (const unsigned char *)"device-1", 8);
  err |= mbedtls_ssl_conf_cid(&conf, 8, MBEDTLS_SSL_UNEXPECTED_CID_FAIL);
  err |= mbedtls_ssl_setup(&server, &conf);
  mbedtls_ssl_set_timer_cb(&server, NULL, set_timer, get_timer);
  mbedtls_ssl_set_bio(&server, NULL, give, take, NULL);
  return err;
}

int main(void) {
  int err = configure();
  while (err == 0) {
    err = serve();
    err = err == GIVEN_UP ? give(NULL, NULL, 0) : err;
  }
  if (err != ENDED) {
    fprintf(stderr, "-0x%04x\n", (unsigned)-err);
  }
  return err == ENDED ? 0 : 1;
}
