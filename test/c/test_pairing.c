/*
 * test_pairing.c - the binary form of a pairing (SPEC 4.1): what the TypeScript encoder wrote, every truncation and bit
 * flip of it, and every field at both ends of its range.
 */
#include "check.h"
#include "hawser/hawser.h"
#include "pairing_forms.h"
#include "wire.h"

#define FORMS (sizeof forms / sizeof forms[0])

/* Where each field begins in a form with ids of 8 bytes. */
enum { VERSION = 4, MODE = 5, SUITE = 6, FLAGS = 7, ID = 8, GATEWAY_ID = 17, TERMS = 26, SECRETS = 44 };

typedef struct form {
  uint8_t bytes[HAWSER_PAIRING_FORM_MAX + 8];
  size_t len;
} form;

static form of_hex(const char *hex) {
  form f;
  memset(&f, 0, sizeof f);
  for (; hex[0] != 0; hex += 2) {
    unsigned byte = 0;
    CHECK(sscanf(hex, "%2x", &byte) == 1);
    f.bytes[f.len++] = (uint8_t)byte;
  }
  return f;
}

/* With a check that is right, so that the field itself has to be looked at. */
static void seal(form *f) {
  CHECK(hawser_check(f->bytes, f->len - 8, f->bytes + f->len - 8) == HAWSER_OK);
}

static void refused(const form *f, int expected) {
  hawser_pairing p;
  hawser_pairing_secrets s;
  memset(&p, 0xaa, sizeof p);
  memset(&s, 0xaa, sizeof s);
  CHECK(hawser_pairing_read(&p, &s, f->bytes, f->len) == expected);
  CHECK_ZERO((const uint8_t *)&p, sizeof p);
  CHECK_ZERO((const uint8_t *)&s, sizeof s);
}

static int has_keys(uint8_t mode) {
  return mode == HAWSER_KEYS || mode == HAWSER_KEYS_PSK;
}

/* Against each other: what was paired agrees. */
static void secrets_agree(hawser_pairing *p, const hawser_pairing_secrets *s) {
  uint8_t ss[32], gates[64];
  memcpy(gates, p->gate_d2g, 32);
  memcpy(gates + 32, p->gate_g2d, 32);
  CHECK(hawser_port_dh(p->suite, s->own, p->peer, ss) == HAWSER_OK);
  CHECK_BYTES(ss, p->ss, 32);
  CHECK(hawser_gate_keys(p, p->mode == HAWSER_KEYS_PSK ? s->psk : NULL) == HAWSER_OK);
  CHECK_BYTES(gates, p->gate_d2g, 32);
  CHECK_BYTES(gates + 32, p->gate_g2d, 32);
}

static void known(const pairing_form *expected) {
  form f = of_hex(expected->hex);
  hawser_pairing p;
  hawser_pairing_secrets s;
  CHECK(f.len <= HAWSER_PAIRING_FORM_MAX);
  CHECK(hawser_pairing_read(&p, &s, f.bytes, f.len) == HAWSER_OK);
  CHECK(p.mode == expected->mode && p.suite == expected->suite);
  CHECK(p.id_len == 8 && memcmp(p.id, "device-1", 8) == 0);
  CHECK(p.gateway_id_len == 8 && memcmp(p.gateway_id, "gateway1", 8) == 0);
  CHECK(p.record_max == 1024 && p.window_device == 4096 && p.window_gateway == 65536 && p.max_steps == 0x10203);
  CHECK(p.max_blocks == (p.mode == HAWSER_TICKET ? 0xfffffffe : 0x40506));
  if (has_keys(p.mode)) {
    secrets_agree(&p, &s);
  }
  /* as a device uses it, once the secrets are the port's */
  p.own = has_keys(p.mode) ? 1 : 0;
  p.psk = check_is_zero(s.psk, 32) ? 0 : 1;
  CHECK(hawser_pairing_valid(&p) == HAWSER_OK);
  CHECK((p.psk != 0) == (p.mode == HAWSER_KEYS_PSK || p.mode == HAWSER_PSK));
  CHECK(check_is_zero(s.own, 32) == !has_keys(p.mode));
  CHECK(check_is_zero(s.ticket, 32) == (p.mode != HAWSER_TICKET));
}

static void damaged(const char *hex) {
  const form good = of_hex(hex);
  form f;
  for (size_t bit = 0; bit < 8 * good.len; bit++) {
    f = good;
    f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    refused(&f, HAWSER_ERR_FORMAT);
  }
  for (size_t len = 0; len < good.len; len++) {
    f = good;
    f.len = len;
    refused(&f, HAWSER_ERR_FORMAT);
    if (len > 8) { /* cut, with a check that fits */
      seal(&f);
      refused(&f, HAWSER_ERR_FORMAT);
    }
  }
  f = good;
  f.len++; /* a byte more, with a check that fits */
  seal(&f);
  refused(&f, HAWSER_ERR_FORMAT);
}

/* Writes width bytes of value at `at` of a good form. 0: refused. */
static int takes(const form *good, size_t at, size_t width, uint64_t value) {
  hawser_pairing p;
  hawser_pairing_secrets s;
  form f = *good;
  hawser_writer w = {f.bytes + at, width, 0};
  hawser_put(&w, width, value);
  seal(&f);
  if (hawser_pairing_read(&p, &s, f.bytes, f.len) == HAWSER_OK) {
    return 1;
  }
  refused(&f, HAWSER_ERR_FORMAT);
  return 0;
}

static void ranges(const char *hex) {
  const form good = of_hex(hex);
  int ticket = good.bytes[MODE] == HAWSER_TICKET;
  CHECK(!takes(&good, 0, 1, 'h') && !takes(&good, VERSION, 1, 0) && !takes(&good, VERSION, 1, 2));
  CHECK(!takes(&good, MODE, 1, 0) && !takes(&good, MODE, 1, 5) && !takes(&good, SUITE, 1, 3));
  CHECK(!takes(&good, SUITE, 1, ticket ? 1 : 0) && !takes(&good, FLAGS, 1, 1) && !takes(&good, FLAGS, 1, 0x80));
  CHECK(!takes(&good, ID, 1, 3) && !takes(&good, ID, 1, 33) && !takes(&good, GATEWAY_ID, 1, 0));
  CHECK(!takes(&good, TERMS, 2, 63) && takes(&good, TERMS, 2, 64));
  CHECK(takes(&good, TERMS, 2, 16383) && !takes(&good, TERMS, 2, 16384));
  for (size_t at = TERMS + 2; at <= TERMS + 6; at += 4) { /* windows */
    CHECK(!takes(&good, at, 4, 63) && takes(&good, at, 4, 64));
    CHECK(takes(&good, at, 4, 1u << 30) && !takes(&good, at, 4, (1u << 30) + 1));
  }
  CHECK(!takes(&good, TERMS + 10, 4, 0) && takes(&good, TERMS + 10, 4, 1));
  CHECK(takes(&good, TERMS + 10, 4, 0xfffffffe) && !takes(&good, TERMS + 10, 4, 0xffffffff));
  CHECK(!takes(&good, TERMS + 14, 4, 0) && takes(&good, TERMS + 14, 4, 1) == !ticket);
  CHECK(takes(&good, TERMS + 14, 4, 0xfffffffe) && !takes(&good, TERMS + 14, 4, 0xffffffff));
}

/* A secret or public key of zeros, wherever one stands. */
static void zeros(const char *hex) {
  const form good = of_hex(hex);
  size_t at = SECRETS;
  while (at < good.len - 8) {
    size_t len =
        good.bytes[SUITE] == HAWSER_SUITE_ID_P256 && has_keys(good.bytes[MODE]) && at == SECRETS + 32 ? 65 : 32;
    form f = good;
    memset(f.bytes + at, 0, len);
    seal(&f);
    refused(&f, HAWSER_ERR_FORMAT);
    at += len;
  }
  CHECK(at == good.len - 8);
}

static void p256_keys(const char *hex) {
  form f = of_hex(hex);
  f.bytes[SECRETS + 32] = 0x02; /* a compressed point's first byte */
  seal(&f);
  refused(&f, HAWSER_ERR_FORMAT);
  f = of_hex(hex);
  memset(f.bytes + SECRETS, 0xff, 32); /* not below the order */
  seal(&f);
  refused(&f, HAWSER_ERR_CRYPTO);
}

/* The predicate itself, which has to hold for pairings that no form brought. One wrong field at a time. */
#define REFUSES(field, wrong)                                                                                          \
  do {                                                                                                                 \
    hawser_pairing bad = p;                                                                                            \
    bad.field = (wrong);                                                                                               \
    CHECK(hawser_pairing_valid(&bad) == HAWSER_ERR_ARG);                                                               \
  } while (0)
#define REFUSES_ZEROS(field)                                                                                           \
  do {                                                                                                                 \
    hawser_pairing bad = p;                                                                                            \
    memset(bad.field, 0, sizeof bad.field);                                                                            \
    CHECK(hawser_pairing_valid(&bad) == HAWSER_ERR_ARG);                                                               \
  } while (0)

static void predicate(const pairing_form *expected) {
  const form f = of_hex(expected->hex);
  hawser_pairing p;
  hawser_pairing_secrets s;
  CHECK(hawser_pairing_read(&p, &s, f.bytes, f.len) == HAWSER_OK);
  p.own = has_keys(p.mode) ? 1 : 0;
  p.psk = check_is_zero(s.psk, 32) ? 0 : 1;
  CHECK(hawser_pairing_valid(&p) == HAWSER_OK);
  REFUSES(mode, 0);
  REFUSES(mode, HAWSER_TICKET + 1);
  REFUSES(suite, p.mode == HAWSER_TICKET ? HAWSER_SUITE_ID_25519 : HAWSER_SUITE_NONE);
  REFUSES(suite, HAWSER_SUITE_ID_P256 + 1);
  REFUSES(id_len, HAWSER_ID_MIN - 1);
  REFUSES(id_len, HAWSER_ID_MAX + 1);
  REFUSES(gateway_id_len, 0);
  REFUSES(record_max, HAWSER_RECORD_MIN - 1);
  REFUSES(record_max, HAWSER_RECORD_MAX + 1);
  REFUSES(window_device, 63);
  REFUSES(window_gateway, ((uint32_t)1 << 30) + 1);
  REFUSES(max_steps, 0);
  REFUSES(max_blocks, UINT32_MAX);
  if (has_keys(p.mode)) {
    REFUSES(own, 0);
    REFUSES_ZEROS(peer);
    REFUSES_ZEROS(own_public);
    REFUSES_ZEROS(ss);
    REFUSES_ZEROS(gate_d2g);
    REFUSES_ZEROS(gate_g2d);
    memset(p.ss, 0, sizeof p.ss);
    CHECK(hawser_gate_keys(&p, NULL) != HAWSER_OK); /* SPEC 4: from a secret, never from nothing */
  }
  if (p.psk != 0) {
    REFUSES(psk, 0);
  }
}

int main(void) {
  for (size_t i = 0; i < FORMS; i++) {
    known(&forms[i]);
    damaged(forms[i].hex);
    ranges(forms[i].hex);
    zeros(forms[i].hex);
    predicate(&forms[i]);
    if (has_keys(forms[i].mode) && forms[i].suite == HAWSER_SUITE_ID_P256) {
      p256_keys(forms[i].hex);
    }
  }
  return check_done();
}
