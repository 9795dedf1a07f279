/*
 * port_psa.h - long-term keys for the PSA port. A hawser_key is a psa_key_id_t.
 *
 * Firmware may make the keys itself (opaque, or in a secure element); each use needs these attributes:
 *   ticket  PSA_KEY_TYPE_HMAC, PSA_KEY_USAGE_SIGN_MESSAGE, PSA_ALG_HMAC(PSA_ALG_SHA_256)
 *   PSK     PSA_KEY_TYPE_DERIVE, PSA_KEY_USAGE_DERIVE, PSA_ALG_HKDF(PSA_ALG_SHA_256)
 *   private PSA_KEY_TYPE_ECC_KEY_PAIR(of the suite), PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH
 */
#ifndef HAWSER_PORT_PSA_H
#define HAWSER_PORT_PSA_H

#include "hawser/port.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hawser_psa_use {
  HAWSER_PSA_TICKET, /* hawser_port_hmac_key */
  HAWSER_PSA_PSK,    /* hawser_port_hkdf_key */
  HAWSER_PSA_25519,  /* hawser_port_dh_key, 25519 */
  HAWSER_PSA_P256    /* hawser_port_dh_key, P-256 */
} hawser_psa_use;

/* Imports 32 bytes as a volatile key. 0 if they are all zero, out of range, or PSA refuses them. */
hawser_key hawser_psa_key_import(hawser_psa_use use, const uint8_t raw[HAWSER_KEY_LEN]);

/* Destroys the key. 0 is ignored. */
void hawser_psa_key_free(hawser_key key);

#ifdef __cplusplus
}
#endif
#endif
