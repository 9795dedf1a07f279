/*
 * test_driver.h - what mbedTLS 3.6 calls at PSA_CRYPTO_DRIVER_TEST, its hook for a driver with keys of its own (a key
 * location, 0x7fffff). The functions that element.c has are a secure element's; everything else is answered with
 * "not supported" where it is called, so that mbedTLS goes on with its own code, or refuses.
 */
#ifndef PSA_CRYPTO_TEST_DRIVER_H
#define PSA_CRYPTO_TEST_DRIVER_H

#include <psa/crypto.h>

#define PSA_CRYPTO_ACCELERATOR_DRIVER_PRESENT
#define PSA_CRYPTO_TEST_DRIVER_LOCATION ((psa_key_location_t)0x7fffff)

size_t mbedtls_test_opaque_size_function(psa_key_type_t type, size_t bits);
psa_status_t mbedtls_test_opaque_import_key(const psa_key_attributes_t *attributes, const uint8_t *data,
                                            size_t data_length, uint8_t *key, size_t key_size, size_t *key_length,
                                            size_t *bits);
psa_status_t mbedtls_test_opaque_generate_key(const psa_key_attributes_t *attributes, uint8_t *key, size_t key_size,
                                              size_t *key_length);
psa_status_t mbedtls_test_opaque_export_public_key(const psa_key_attributes_t *attributes, const uint8_t *key,
                                                   size_t key_size, uint8_t *data, size_t data_size,
                                                   size_t *data_length);
psa_status_t mbedtls_test_opaque_mac_sign_setup(mbedtls_opaque_test_driver_mac_operation_t *operation,
                                                const psa_key_attributes_t *attributes, const uint8_t *key,
                                                size_t key_size, psa_algorithm_t alg);
psa_status_t mbedtls_test_opaque_mac_update(mbedtls_opaque_test_driver_mac_operation_t *operation, const uint8_t *input,
                                            size_t input_length);
psa_status_t mbedtls_test_opaque_mac_sign_finish(mbedtls_opaque_test_driver_mac_operation_t *operation, uint8_t *mac,
                                                 size_t mac_size, size_t *mac_length);
psa_status_t mbedtls_test_opaque_mac_abort(mbedtls_opaque_test_driver_mac_operation_t *operation);

#define mbedtls_test_opaque_init() PSA_SUCCESS
#define mbedtls_test_transparent_init() PSA_SUCCESS
#define mbedtls_test_opaque_free() (void)0
#define mbedtls_test_transparent_free() (void)0
#define mbedtls_test_opaque_asymmetric_decrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_asymmetric_encrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_cipher_abort(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_cipher_decrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_cipher_decrypt_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_cipher_encrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_cipher_encrypt_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_cipher_finish(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_cipher_set_iv(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_cipher_update(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_copy_key(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_export_key(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_get_builtin_key(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_key_agreement(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_mac_compute(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_mac_verify_finish(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_mac_verify_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_signature_sign_hash(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_signature_sign_message(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_signature_verify_hash(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_opaque_signature_verify_message(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_abort(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_decrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_decrypt_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_encrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_encrypt_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_finish(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_set_lengths(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_set_nonce(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_update(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_update_ad(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_aead_verify(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_asymmetric_decrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_asymmetric_encrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_cipher_abort(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_cipher_decrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_cipher_decrypt_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_cipher_encrypt(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_cipher_encrypt_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_cipher_finish(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_cipher_set_iv(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_cipher_update(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_export_public_key(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_generate_key(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_hash_abort(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_hash_clone(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_hash_compute(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_hash_finish(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_hash_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_hash_update(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_import_key(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_key_agreement(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_mac_abort(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_mac_compute(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_mac_sign_finish(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_mac_sign_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_mac_update(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_mac_verify_finish(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_mac_verify_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_pake_abort(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_pake_get_implicit_key(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_pake_input(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_pake_output(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_pake_setup(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_signature_sign_hash(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_signature_sign_message(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_signature_verify_hash(...) PSA_ERROR_NOT_SUPPORTED
#define mbedtls_test_transparent_signature_verify_message(...) PSA_ERROR_NOT_SUPPORTED

#endif
