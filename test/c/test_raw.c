/*
 * test_raw.c - the PSA port with HAWSER_PSA_RAW_SECRETS: what a secret in plain memory gives is what a PSA key gives
 * (test_port.c holds that to published vectors), by the one-shot HMAC; and it is refused when it is zero.
 */
#include <string.h>

#include "check.h"

#include "hawser/error.h"
#include "port_psa.h"

static const uint8_t salt[32] = {7, 1, 2, 3};

static void test_ticket(const uint8_t secret[32]) {
  hawser_bytes parts[2] = {{(const uint8_t *)"chainid", 8}, {salt, sizeof salt}};
  uint8_t out[32], expected[32];
  CHECK(hawser_port_hmac(expected, secret, 32, parts, 2) == HAWSER_OK);
  CHECK(hawser_port_hmac_key(out, hawser_psa_raw_key(secret), parts, 2) == HAWSER_OK);
  CHECK_BYTES(out, expected, 32);
}

/* RFC 5869 with an empty info, written out. */
static void test_psk(const uint8_t secret[32]) {
  uint8_t out[96], prk[32], text[33];
  hawser_bytes input = {secret, 32}, first = {(const uint8_t *)"\1", 1}, next = {text, sizeof text};
  CHECK(hawser_port_hkdf_key(out, salt, hawser_psa_raw_key(secret)) == HAWSER_OK);
  CHECK(hawser_port_hmac(prk, salt, sizeof salt, &input, 1) == HAWSER_OK);
  CHECK(hawser_port_hmac(text, prk, sizeof prk, &first, 1) == HAWSER_OK);
  CHECK_BYTES(out, text, 32);
  for (uint8_t i = 2; i <= 3; i++) {
    text[32] = i;
    CHECK(hawser_port_hmac(text, prk, sizeof prk, &next, 1) == HAWSER_OK);
    CHECK_BYTES(out + (size_t)32 * (i - 1u), text, 32);
  }
}

/* No address, an address of zeros, and a key that was never imported. */
static void test_refused(void) {
  static const uint8_t zeros[32];
  hawser_bytes part = {salt, sizeof salt};
  uint8_t out[96];
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_hmac_key(out, 0, &part, 1) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(out, 32);
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_hmac_key(out, hawser_psa_raw_key(zeros), &part, 1) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(out, 32);
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_hkdf_key(out, salt, hawser_psa_raw_key(zeros)) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(out, 96);
  CHECK(hawser_psa_key_import(HAWSER_PSA_TICKET, salt) == 0 && hawser_psa_key_import(HAWSER_PSA_PSK, salt) == 0);
}

int main(void) {
  uint8_t secret[32];
  for (size_t i = 0; i < sizeof secret; i++) {
    secret[i] = (uint8_t)(0x50 + i);
  }
  test_ticket(secret);
  test_psk(secret);
  test_refused();
  return check_done();
}
