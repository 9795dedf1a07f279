/*
 * mbedtls_config_host.h - what the PSA port needs of mbedTLS 3.6, on a host. Firmware brings its own.
 */
#ifndef HAWSER_MBEDTLS_CONFIG_HOST_H
#define HAWSER_MBEDTLS_CONFIG_HOST_H

/* platform */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD

/* PSA and its random generator, seeded from the operating system */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_KEY_STORE_DYNAMIC /* a gateway holds a key per pairing in use; a fixed store has 32 */
#define MBEDTLS_ENTROPY_C
#define MBEDTLS_CTR_DRBG_C

/* AES-256-GCM */
#define MBEDTLS_AES_C
#define MBEDTLS_AESNI_C
#define MBEDTLS_AESCE_C
#define MBEDTLS_CIPHER_C
#define MBEDTLS_GCM_C
#define MBEDTLS_GCM_LARGE_TABLE

/* SHA-256, HMAC, HKDF */
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_HKDF_C

/* X25519 and P-256 */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM

#endif
