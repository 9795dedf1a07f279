/*
 * fuzz_pairing.c - any bytes as the binary form of a pairing, with the check set right where the input asks for it. What is
 * read is a pairing that a device starts with; after a refusal nothing of it is left.
 */
#include "rig.h"
#include "rig_keys.h"

static void set_check(uint8_t *form, size_t len) {
  uint8_t digest[HAWSER_HASH_LEN];
  hawser_bytes part = {form, len - 8};
  FUZZ_ASSERT(hawser_port_sha256(digest, &part, 1) == HAWSER_OK);
  memcpy(form + len - 8, digest, 8);
}

static int all_zero(const void *ptr, size_t len) {
  const uint8_t *bytes = ptr;
  while (len > 0 && bytes[len - 1] == 0) {
    len--;
  }
  return len == 0;
}

/* A key of the table above, or 0 where the port refuses it (a P-256 key that is none). */
static hawser_key import(uint8_t suite, const uint8_t raw[HAWSER_KEY_LEN]) {
  return all_zero(raw, HAWSER_KEY_LEN) ? 0 : rig_import_private(suite, raw);
}

static void start(hawser_pairing *p, const hawser_pairing_secrets *secrets) {
  static hawser_stream streams[2];
  static uint8_t rx[HAWSER_RX_LEN(HAWSER_RECORD_MAX)], message1[HAWSER_MESSAGE1_LEN(64)], out[512];
  static hawser_device d;
  int wipe = -1, taken;
  size_t len;
  p->own = import(p->suite, secrets->own);
  p->psk = import(HAWSER_SUITE_ID_25519, secrets->psk);
  p->ticket = import(HAWSER_SUITE_ID_25519, secrets->ticket);
  if (p->own != 0 && all_zero(p->own_public, HAWSER_KEY_LEN)) {
    RIG_FREE(p->own); /* only the port without cryptography gives a private key that */
    p->own = 0;
  }
  if (p->own != 0 || p->mode == HAWSER_PSK || p->mode == HAWSER_TICKET) {
    FUZZ_ASSERT(hawser_pairing_valid(p) == HAWSER_OK);
    FUZZ_ASSERT(hawser_device_init(&d, p, streams, 2, rx, sizeof rx, message1, sizeof message1) == HAWSER_OK);
    FUZZ_ASSERT(hawser_device_boot(&d, NULL, NULL, &wipe) == HAWSER_OK && wipe == -1);
    FUZZ_ASSERT(hawser_connect(&d, HAWSER_STREAM, NULL, &taken, 1) == HAWSER_OK);
    /* a public key that is no point of the curve is found out here at the latest */
    (void)!hawser_device_send(&d, out, sizeof out, &len, 1);
    hawser_device_wipe(&d);
  }
  RIG_FREE(p->own);
  RIG_FREE(p->psk);
  RIG_FREE(p->ticket);
}

void fuzz_pairing(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  uint8_t flags = fuzz_byte(&in);
  hawser_pairing p;
  hawser_pairing_secrets secrets;
  size_t len;
  uint8_t *form = fuzz_take(&in, HAWSER_PAIRING_FORM_MAX + 8, &len);
  int err;
  if ((flags & 1) != 0 && len >= 8) {
    set_check(form, len);
  }
  memset(&p, 0xa5, sizeof p);
  memset(&secrets, 0xa5, sizeof secrets);
  err = hawser_pairing_read(&p, &secrets, form, len);
  if (err == HAWSER_OK) {
    FUZZ_ASSERT(p.own == 0 && p.psk == 0 && p.ticket == 0);
    start(&p, &secrets);
  } else {
    FUZZ_ASSERT(err == HAWSER_ERR_FORMAT || err == HAWSER_ERR_ARG || err == HAWSER_ERR_CRYPTO);
    FUZZ_ASSERT(all_zero(&p, sizeof p) && all_zero(&secrets, sizeof secrets));
  }
  free(form);
}
