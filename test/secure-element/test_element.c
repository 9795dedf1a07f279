/*
 * test_element.c - whole conversations of devices whose ticket, or whose private key, is in the secure element alone.
 */
#include <psa/crypto.h>

#include "element.h"
#include "ends.h"
#include "test/drivers/test_driver.h"

static ends e; /* large */

/* 1 if the bytes are anywhere in what the device keeps in RAM. */
static int in_device(const uint8_t secret[HAWSER_KEY_LEN]) {
  const struct {
    const void *at;
    size_t len;
  } places[] = {
      {&e.device, sizeof e.device}, {&e.device_pairing, sizeof e.device_pairing}, {e.message1, sizeof e.message1}};
  for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
    for (size_t i = 0; i + HAWSER_KEY_LEN <= places[p].len; i++) {
      if (memcmp((const uint8_t *)places[p].at + i, secret, HAWSER_KEY_LEN) == 0) {
        return 1;
      }
    }
  }
  return 0;
}

static psa_key_attributes_t opaque(psa_key_type_t type, psa_key_usage_t usage, psa_algorithm_t alg) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_lifetime(&attributes, PSA_KEY_LIFETIME_FROM_PERSISTENCE_AND_LOCATION(PSA_KEY_PERSISTENCE_VOLATILE,
                                                                                   PSA_CRYPTO_TEST_DRIVER_LOCATION));
  psa_set_key_type(&attributes, type);
  psa_set_key_bits(&attributes, 256);
  psa_set_key_usage_flags(&attributes, usage);
  psa_set_key_algorithm(&attributes, alg);
  return attributes;
}

/* A stream there and back, a torn link that resumes, a boot from flash. */
static void conversation(uint8_t first) {
  static const uint8_t reading[] = "21.5 degrees";
  uint16_t id = 9;
  size_t sent;
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(e.device.kind == first);
  CHECK(hawser_open(&e.device, "mqtt", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  CHECK(ends_pump(&e) == HAWSER_OK);
  CHECK(ends_write(&e, 1, id, reading, sizeof reading, 0, &sent) == HAWSER_OK && sent == sizeof reading);
  CHECK(e.gateway_log.lens[id] == sizeof reading);
  CHECK_BYTES(e.gateway_log.bytes[id], reading, sizeof reading);
  ends_cut(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(e.device.kind == HAWSER_RESUMPTION);
  ends_cut(&e);
  ends_boot(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(e.device.kind == HAWSER_RESUMPTION);
  ends_cut(&e);
}

/* The form of SPEC 4.1 that e.device_pairing and a ticket have. */
static size_t form_of(const uint8_t secret[HAWSER_KEY_LEN], uint8_t form[HAWSER_PAIRING_FORM_MAX]) {
  static const uint8_t head[] = {'H', 'W', 'P', 'R', 1, HAWSER_TICKET, HAWSER_SUITE_NONE, 0};
  const hawser_pairing *p = &e.device_pairing;
  hawser_writer w = {form, HAWSER_PAIRING_FORM_MAX - HAWSER_CHECK_LEN, 0};
  size_t len;
  hawser_put_bytes(&w, head, sizeof head);
  hawser_put(&w, 1, p->id_len);
  hawser_put_bytes(&w, p->id, p->id_len);
  hawser_put(&w, 1, p->gateway_id_len);
  hawser_put_bytes(&w, p->gateway_id, p->gateway_id_len);
  hawser_put(&w, 2, p->record_max);
  hawser_put(&w, 4, p->window_device);
  hawser_put(&w, 4, p->window_gateway);
  hawser_put(&w, 4, p->max_steps);
  hawser_put(&w, 4, HAWSER_NUMBER_MAX);
  hawser_put_bytes(&w, secret, HAWSER_KEY_LEN);
  len = (size_t)(w.at - form);
  CHECK(!w.bad && hawser_check(form, len, form + len) == HAWSER_OK);
  return len + HAWSER_CHECK_LEN;
}

/* As docs/PORTING.md, section 9, has it: the form is read once, and what the device keeps of it has no secret. */
static void provisioned(psa_key_attributes_t attributes) {
  uint8_t form[HAWSER_PAIRING_FORM_MAX], kept[sizeof(hawser_pairing)], secret[HAWSER_KEY_LEN];
  hawser_pairing pairing;
  hawser_pairing_secrets secrets;
  psa_key_id_t key = 0;
  size_t len;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  ends_fill(secret, sizeof secret, 99);
  len = form_of(secret, form);
  CHECK(hawser_pairing_read(&pairing, &secrets, form, len) == HAWSER_OK);
  CHECK_BYTES(secrets.ticket, secret, sizeof secret);
  CHECK(psa_import_key(&attributes, secrets.ticket, sizeof secrets.ticket, &key) == PSA_SUCCESS);
  pairing.ticket = key;
  memcpy(kept, &pairing, sizeof kept);
  CHECK(psa_destroy_key((psa_key_id_t)e.device_pairing.ticket) == PSA_SUCCESS); /* in memory: ends.h made it */
  memcpy(&e.device_pairing, kept, sizeof kept);
  CHECK(hawser_pairing_valid(&e.device_pairing) == HAWSER_OK && !in_device(secret));
  ends_boot(&e);
  conversation(HAWSER_RESUMPTION);
  CHECK(!in_device(secret));
  ends_free(&e);
  CHECK(psa_destroy_key(key) == PSA_SUCCESS);
}

static void ticket(void) {
  psa_key_attributes_t attributes =
      opaque(PSA_KEY_TYPE_HMAC, PSA_KEY_USAGE_SIGN_MESSAGE, PSA_ALG_HMAC(PSA_ALG_SHA_256));
  uint8_t secret[HAWSER_KEY_LEN], out[HAWSER_KEY_LEN];
  psa_key_id_t key = 0;
  size_t len;
  int wipe;
  ends_init(&e, HAWSER_TICKET, HAWSER_SUITE_NONE, HAWSER_STREAM);
  ends_fill(secret, sizeof secret, 99); /* the ticket of ends.h */
  CHECK(psa_import_key(&attributes, secret, sizeof secret, &key) == PSA_SUCCESS);
  CHECK(psa_export_key(key, out, sizeof out, &len) == PSA_ERROR_NOT_PERMITTED);
  e.device_pairing.ticket = key;
  ends_boot(&e);
  CHECK(element_worked().macs > 0);
  conversation(HAWSER_RESUMPTION);
  CHECK(!in_device(secret));

  element_present(0);
  ends_start_device(&e);
  CHECK(hawser_device_boot(&e.device, NULL, NULL, &wipe) == HAWSER_ERR_CRYPTO);
  element_present(1);
  ends_start_device(&e);
  CHECK(hawser_device_boot(&e.device, NULL, NULL, &wipe) == HAWSER_OK);
  ends_free(&e);
  CHECK(psa_destroy_key(key) == PSA_SUCCESS);
  provisioned(attributes);
}

/* Two keys that were made in the element, so that no other copy can be: the test's gateway has its key there as well. */
static void pair_inside(void) {
  ends_common(&e.device_pairing, HAWSER_KEYS, HAWSER_SUITE_ID_P256);
  ends_common(&e.gateway_pairing, HAWSER_KEYS, HAWSER_SUITE_ID_P256);
  e.device_pairing.own = element_generate(e.device_pairing.own_public);
  e.gateway_pairing.own = element_generate(e.gateway_pairing.own_public);
  CHECK(e.device_pairing.own != 0 && e.gateway_pairing.own != 0);
  memcpy(e.device_pairing.peer, e.gateway_pairing.own_public, HAWSER_PUBLIC_MAX);
  memcpy(e.gateway_pairing.peer, e.device_pairing.own_public, HAWSER_PUBLIC_MAX);
  CHECK(hawser_port_dh_key(HAWSER_SUITE_ID_P256, e.device_pairing.own, e.device_pairing.peer, e.device_pairing.ss) ==
        HAWSER_OK);
  CHECK(hawser_port_dh_key(HAWSER_SUITE_ID_P256, e.gateway_pairing.own, e.gateway_pairing.peer, e.gateway_pairing.ss) ==
        HAWSER_OK);
  CHECK_BYTES(e.device_pairing.ss, e.gateway_pairing.ss, 32);
  CHECK(hawser_gate_keys(&e.device_pairing, NULL) == HAWSER_OK);
  CHECK(hawser_gate_keys(&e.gateway_pairing, NULL) == HAWSER_OK);
}

static void private_key(void) {
  uint8_t point[HAWSER_PUBLIC_MAX] = {0x04, 1}, out[HAWSER_SEND_MIN], answer[256];
  size_t len, answer_len;
  unsigned before;
  int early;
  ends_init(&e, HAWSER_PSK, HAWSER_SUITE_ID_P256, HAWSER_STREAM); /* everything but the keys */
  pair_inside();
  ends_boot(&e);
  before = element_worked().agreements;
  conversation(HAWSER_FULL);
  CHECK(element_worked().agreements == before + 2); /* se of the device, es of the gateway: resumptions need none */

  CHECK(hawser_port_dh_key(HAWSER_SUITE_ID_P256, e.device_pairing.own, point, out) == HAWSER_ERR_AUTH);
  CHECK(hawser_port_dh_key(HAWSER_SUITE_ID_P256, 99, e.device_pairing.peer, out) == HAWSER_ERR_CRYPTO);

  /* without the chip no full handshake is completed, and the device keeps its state */
  e.slot = -1;
  ends_boot(&e);
  CHECK(hawser_connect(&e.device, HAWSER_STREAM, NULL, &early, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, out, sizeof out, &len, e.now) == HAWSER_OK);
  CHECK(ends_answer(&e, out, len, answer, sizeof answer, &answer_len) == HAWSER_OK);
  element_present(0);
  CHECK(ends_to_device(&e, answer, answer_len) == HAWSER_ERR_CRYPTO);
  CHECK(!hawser_is_live(&e.device.session));
  element_present(1);
  ends_free(&e);
}

/* Why there is hawser_board_agree(): mbedTLS 3.6 asks no driver to agree with an opaque key. */
static void provider_refuses(void) {
  psa_key_attributes_t attributes =
      opaque(PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH);
  uint8_t public_key[HAWSER_PUBLIC_MAX], out[32];
  psa_key_id_t key = 0;
  size_t len;
  CHECK(psa_generate_key(&attributes, &key) == PSA_SUCCESS);
  CHECK(psa_export_public_key(key, public_key, sizeof public_key, &len) == PSA_SUCCESS && len == sizeof public_key);
  CHECK(psa_raw_key_agreement(PSA_ALG_ECDH, key, public_key, len, out, sizeof out, &len) == PSA_ERROR_NOT_SUPPORTED);
  CHECK(psa_destroy_key(key) == PSA_SUCCESS);
}

int main(void) {
  ticket();
  private_key();
  provider_refuses();
  return check_done();
}
