/*
 * port_psa.h - long-term keys for the PSA port. A hawser_key is a psa_key_id_t.
 *
 * Firmware may make the keys itself (opaque, or in a secure element); each use needs these attributes:
 *   ticket  PSA_KEY_TYPE_HMAC, PSA_KEY_USAGE_SIGN_MESSAGE, PSA_ALG_HMAC(PSA_ALG_SHA_256)
 *   PSK     PSA_KEY_TYPE_DERIVE, PSA_KEY_USAGE_DERIVE, PSA_ALG_HKDF(PSA_ALG_SHA_256)
 *   private PSA_KEY_TYPE_ECC_KEY_PAIR(of the suite), PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH
 *
 * HAWSER_PSA_RAW_SECRETS=1: tickets and PSKs are no PSA keys but 32 bytes that the firmware keeps where it likes (beside the
 * code, say), and their hawser_key is what hawser_psa_raw_key() makes of the address. They are then used with hashes alone:
 * a build links neither PSA's MACs nor its key derivation, some kilobytes less. For devices whose flash has no better place for
 * a secret than where the program can read it.
 */
#ifndef HAWSER_PORT_PSA_H
#define HAWSER_PORT_PSA_H

#include "hawser/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#if HAWSER_PSA_RAW_SECRETS
/* The bytes must outlive every use of the key. All zero: every use of it fails. */
static inline hawser_key hawser_psa_raw_key(const uint8_t raw[HAWSER_KEY_LEN]) {
  return (hawser_key)raw;
}
#endif

typedef enum hawser_psa_use {
  HAWSER_PSA_TICKET, /* hawser_port_hmac_key */
  HAWSER_PSA_PSK,    /* hawser_port_hkdf_key */
  HAWSER_PSA_25519,  /* hawser_port_dh_key, 25519 */
  HAWSER_PSA_P256    /* hawser_port_dh_key, P-256 */
} hawser_psa_use;

/* Imports 32 bytes as a volatile key. 0 if they are all zero, out of range, or PSA refuses them; with raw secrets also for
 * tickets and PSKs. */
hawser_key hawser_psa_key_import(hawser_psa_use use, const uint8_t raw[HAWSER_KEY_LEN]);

/* Destroys the key. 0 is ignored. */
void hawser_psa_key_free(hawser_key key);

#ifdef __cplusplus
}
#endif
#endif
