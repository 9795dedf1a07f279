/*
 * element.c - the chip and its driver in one file. What only the chip would see is g_slots; what leaves it is a slot's
 * number, a MAC, a shared secret or a public key. Inside it calculates with mbedTLS's own code.
 */
#include "element.h"

#include <string.h>

#include <psa/crypto.h>

#include "hawser/error.h"
#include "psa_crypto_ecp.h"
#include "psa_crypto_mac.h"
#include "test/drivers/test_driver.h"

#define SLOTS 8
#define SECRET_LEN 32

static struct {
  uint8_t secret[SECRET_LEN];
  uint8_t used;
} g_slots[SLOTS];
static element_work g_work;
static int g_absent;

element_work element_worked(void) {
  return g_work;
}

void element_present(int present) {
  g_absent = !present;
}

/* ---- the chip ---- */

/* The number of a free slot, from 1; 0 if there is none. */
static uint8_t take_slot(void) {
  for (uint8_t i = 0; !g_absent && i < SLOTS; i++) {
    if (!g_slots[i].used) {
      g_slots[i].used = 1;
      return (uint8_t)(i + 1);
    }
  }
  return 0;
}

/* NULL: no such slot, or no chip. */
static const uint8_t *secret_of(uint8_t number) {
  return g_absent || number == 0 || number > SLOTS || !g_slots[number - 1].used ? NULL : g_slots[number - 1].secret;
}

static psa_key_attributes_t p256(void) {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
  psa_set_key_bits(&attributes, 256);
  psa_set_key_algorithm(&attributes, PSA_ALG_ECDH);
  psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DERIVE);
  return attributes;
}

hawser_key element_generate(uint8_t public_key[HAWSER_PUBLIC_MAX]) {
  psa_key_attributes_t attributes = p256();
  uint8_t slot = take_slot();
  uint8_t *secret = slot == 0 ? NULL : g_slots[slot - 1].secret;
  size_t len;
  if (secret == NULL || mbedtls_psa_ecp_generate_key(&attributes, secret, SECRET_LEN, &len) != PSA_SUCCESS ||
      mbedtls_psa_ecp_export_public_key(&attributes, secret, SECRET_LEN, public_key, HAWSER_PUBLIC_MAX, &len) !=
          PSA_SUCCESS) {
    return 0;
  }
  return slot;
}

int hawser_board_agree(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]) {
  psa_key_attributes_t attributes = p256();
  const uint8_t *secret = key > SLOTS ? NULL : secret_of((uint8_t)key);
  psa_status_t status;
  size_t len = 0;
  if (secret == NULL || suite != HAWSER_SUITE_ID_P256) {
    return HAWSER_ERR_CRYPTO;
  }
  g_work.agreements++;
  status = mbedtls_psa_key_agreement_ecdh(&attributes, secret, SECRET_LEN, PSA_ALG_ECDH, peer, HAWSER_PUBLIC_MAX, out,
                                          32, &len);
  if (status == PSA_ERROR_INVALID_ARGUMENT) {
    return HAWSER_ERR_AUTH;
  }
  return status == PSA_SUCCESS && len == 32 ? HAWSER_OK : HAWSER_ERR_CRYPTO;
}

/* ---- the driver: mbedTLS keeps one byte of an opaque key, its slot ---- */

size_t mbedtls_test_opaque_size_function(psa_key_type_t type, size_t bits) {
  (void)type;
  (void)bits;
  return 1;
}

psa_status_t mbedtls_test_opaque_import_key(const psa_key_attributes_t *attributes, const uint8_t *data,
                                            size_t data_length, uint8_t *key, size_t key_size, size_t *key_length,
                                            size_t *bits) {
  uint8_t slot = data_length == SECRET_LEN && key_size >= 1 ? take_slot() : 0;
  (void)attributes;
  if (slot == 0) {
    return PSA_ERROR_INSUFFICIENT_STORAGE;
  }
  memcpy(g_slots[slot - 1].secret, data, SECRET_LEN);
  key[0] = slot;
  *key_length = 1;
  *bits = SECRET_LEN * 8;
  return PSA_SUCCESS;
}

psa_status_t mbedtls_test_opaque_generate_key(const psa_key_attributes_t *attributes, uint8_t *key, size_t key_size,
                                              size_t *key_length) {
  uint8_t public_key[HAWSER_PUBLIC_MAX];
  hawser_key slot = element_generate(public_key);
  (void)attributes;
  if (slot == 0 || key_size < 1) {
    return PSA_ERROR_INSUFFICIENT_STORAGE;
  }
  key[0] = (uint8_t)slot;
  *key_length = 1;
  return PSA_SUCCESS;
}

psa_status_t mbedtls_test_opaque_export_public_key(const psa_key_attributes_t *attributes, const uint8_t *key,
                                                   size_t key_size, uint8_t *data, size_t data_size,
                                                   size_t *data_length) {
  psa_key_attributes_t inside = p256();
  const uint8_t *secret = key_size == 1 ? secret_of(key[0]) : NULL;
  (void)attributes;
  return secret == NULL ? PSA_ERROR_COMMUNICATION_FAILURE
                        : mbedtls_psa_ecp_export_public_key(&inside, secret, SECRET_LEN, data, data_size, data_length);
}

psa_status_t mbedtls_test_opaque_mac_sign_setup(mbedtls_opaque_test_driver_mac_operation_t *operation,
                                                const psa_key_attributes_t *attributes, const uint8_t *key,
                                                size_t key_size, psa_algorithm_t alg) {
  const uint8_t *secret = key_size == 1 ? secret_of(key[0]) : NULL;
  if (secret == NULL) {
    return PSA_ERROR_COMMUNICATION_FAILURE;
  }
  g_work.macs++;
  return mbedtls_psa_mac_sign_setup(operation, attributes, secret, SECRET_LEN, alg);
}

psa_status_t mbedtls_test_opaque_mac_update(mbedtls_opaque_test_driver_mac_operation_t *operation, const uint8_t *input,
                                            size_t input_length) {
  return mbedtls_psa_mac_update(operation, input, input_length);
}

psa_status_t mbedtls_test_opaque_mac_sign_finish(mbedtls_opaque_test_driver_mac_operation_t *operation, uint8_t *mac,
                                                 size_t mac_size, size_t *mac_length) {
  return mbedtls_psa_mac_sign_finish(operation, mac, mac_size, mac_length);
}

psa_status_t mbedtls_test_opaque_mac_abort(mbedtls_opaque_test_driver_mac_operation_t *operation) {
  return mbedtls_psa_mac_abort(operation);
}
