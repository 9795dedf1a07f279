/*
 * test_port.c - every function of hawser/port.h, against known answers and against misuse.
 * Built once per port. Answers: FIPS 180-4, RFC 4231, the GCM specification's test case 16, RFC 7748, RFC 5903.
 */
#include "check.h"

#include "hawser/error.h"
#include "hawser/port.h"

#if TEST_PORT_OPENSSL
#include "port_openssl.h"
#define IMPORT(use, raw) hawser_openssl_key_import(raw)
#define FREE(key) hawser_openssl_key_free(key)
#else
#include "port_psa.h"
#define IMPORT(use, raw) hawser_psa_key_import(HAWSER_PSA_##use, raw)
#define FREE(key) hawser_psa_key_free(key)
#endif

static const uint8_t k_sha_abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                    0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                    0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
static const uint8_t k_sha_empty[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                      0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                      0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
static const uint8_t k_hmac_1[] = {0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf,
                                   0xce, 0xaf, 0x0b, 0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83,
                                   0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7};
static const uint8_t k_hmac_2[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                   0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                   0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
static const uint8_t k_hmac_ticket[] = {0x00, 0xb9, 0x4e, 0x8d, 0x14, 0xc8, 0x59, 0xbc, 0x4a, 0x34, 0x05,
                                        0x40, 0x43, 0x1f, 0xb5, 0xe3, 0xa3, 0xf4, 0xc7, 0x5e, 0xc6, 0x27,
                                        0x7d, 0x35, 0xd4, 0xec, 0xe1, 0xb9, 0x89, 0xdd, 0x6a, 0xbd};
static const uint8_t k_hkdf[] = {0x60, 0xcc, 0xf7, 0x94, 0x5f, 0x3b, 0xb7, 0xeb, 0x53, 0xea, 0x14, 0x97, 0x8e, 0xa5,
                                 0x09, 0x4d, 0x19, 0x69, 0x07, 0xd9, 0x7e, 0x9a, 0xb1, 0x67, 0x80, 0x98, 0xb2, 0x30,
                                 0x43, 0xe7, 0x9f, 0xcb, 0xf3, 0x06, 0xaf, 0x7c, 0xcd, 0x5a, 0xba, 0xad, 0x2f, 0x1a,
                                 0xd5, 0xcc, 0x98, 0x3b, 0x3e, 0xbe, 0x63, 0x7f, 0x00, 0xc8, 0xbb, 0x68, 0x56, 0xc6,
                                 0xcf, 0x42, 0x5a, 0x62, 0x9d, 0xbf, 0x64, 0xd0, 0x91, 0xbb, 0xc0, 0x12, 0xce, 0x8f,
                                 0x05, 0xa7, 0x48, 0x57, 0xc8, 0xc1, 0x4e, 0x77, 0xac, 0x73, 0x79, 0x75, 0x04, 0x22,
                                 0x2b, 0x6f, 0xe3, 0x7b, 0xdf, 0xa9, 0x51, 0x03, 0x5d, 0xb2, 0x2c, 0x95};
static const uint8_t k_gcm_key[] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                    0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                    0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
static const uint8_t k_gcm_nonce[] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
static const uint8_t k_gcm_ad[] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                   0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
static const uint8_t k_gcm_plain[] = {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5,
                                      0xaf, 0xf5, 0x26, 0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda,
                                      0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95,
                                      0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6, 0xb5, 0x25,
                                      0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};
static const uint8_t k_gcm_sealed[] = {
    0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a, 0x8c,
    0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d,
    0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38, 0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc,
    0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};
static const uint8_t k_x_secret[] = {0xa5, 0x46, 0xe3, 0x6b, 0xf0, 0x52, 0x7c, 0x9d, 0x3b, 0x16, 0x15,
                                     0x4b, 0x82, 0x46, 0x5e, 0xdd, 0x62, 0x14, 0x4c, 0x0a, 0xc1, 0xfc,
                                     0x5a, 0x18, 0x50, 0x6a, 0x22, 0x44, 0xba, 0x44, 0x9a, 0xc4};
static const uint8_t k_x_peer[] = {0xe6, 0xdb, 0x68, 0x67, 0x58, 0x30, 0x30, 0xdb, 0x35, 0x94, 0xc1,
                                   0xa4, 0x24, 0xb1, 0x5f, 0x7c, 0x72, 0x66, 0x24, 0xec, 0x26, 0xb3,
                                   0x35, 0x3b, 0x10, 0xa9, 0x03, 0xa6, 0xd0, 0xab, 0x1c, 0x4c};
static const uint8_t k_x_shared[] = {0xc3, 0xda, 0x55, 0x37, 0x9d, 0xe9, 0xc6, 0x90, 0x8e, 0x94, 0xea,
                                     0x4d, 0xf2, 0x8d, 0x08, 0x4f, 0x32, 0xec, 0xcf, 0x03, 0x49, 0x1c,
                                     0x71, 0xf7, 0x54, 0xb4, 0x07, 0x55, 0x77, 0xa2, 0x85, 0x52};
static const uint8_t k_x_bob[] = {0x5d, 0xab, 0x08, 0x7e, 0x62, 0x4a, 0x8a, 0x4b, 0x79, 0xe1, 0x7f,
                                  0x8b, 0x83, 0x80, 0x0e, 0xe6, 0x6f, 0x3b, 0xb1, 0x29, 0x26, 0x18,
                                  0xb6, 0xfd, 0x1c, 0x2f, 0x8b, 0x27, 0xff, 0x88, 0xe0, 0xeb};
static const uint8_t k_x_bob_public[] = {0xde, 0x9e, 0xdb, 0x7d, 0x7b, 0x7d, 0xc1, 0xb4, 0xd3, 0x5b, 0x61,
                                         0xc2, 0xec, 0xe4, 0x35, 0x37, 0x3f, 0x83, 0x43, 0xc8, 0x5b, 0x78,
                                         0x67, 0x4d, 0xad, 0xfc, 0x7e, 0x14, 0x6f, 0x88, 0x2b, 0x4f};
static const uint8_t k_p_secret[] = {0xc8, 0x8f, 0x01, 0xf5, 0x10, 0xd9, 0xac, 0x3f, 0x70, 0xa2, 0x92,
                                     0xda, 0xa2, 0x31, 0x6d, 0xe5, 0x44, 0xe9, 0xaa, 0xb8, 0xaf, 0xe8,
                                     0x40, 0x49, 0xc6, 0x2a, 0x9c, 0x57, 0x86, 0x2d, 0x14, 0x33};
static const uint8_t k_p_public[] = {0x04, 0xda, 0xd0, 0xb6, 0x53, 0x94, 0x22, 0x1c, 0xf9, 0xb0, 0x51, 0xe1, 0xfe,
                                     0xca, 0x57, 0x87, 0xd0, 0x98, 0xdf, 0xe6, 0x37, 0xfc, 0x90, 0xb9, 0xef, 0x94,
                                     0x5d, 0x0c, 0x37, 0x72, 0x58, 0x11, 0x80, 0x52, 0x71, 0xa0, 0x46, 0x1c, 0xdb,
                                     0x82, 0x52, 0xd6, 0x1f, 0x1c, 0x45, 0x6f, 0xa3, 0xe5, 0x9a, 0xb1, 0xf4, 0x5b,
                                     0x33, 0xac, 0xcf, 0x5f, 0x58, 0x38, 0x9e, 0x05, 0x77, 0xb8, 0x99, 0x0b, 0xb3};
static const uint8_t k_p_peer[] = {0x04, 0xd1, 0x2d, 0xfb, 0x52, 0x89, 0xc8, 0xd4, 0xf8, 0x12, 0x08, 0xb7, 0x02,
                                   0x70, 0x39, 0x8c, 0x34, 0x22, 0x96, 0x97, 0x0a, 0x0b, 0xcc, 0xb7, 0x4c, 0x73,
                                   0x6f, 0xc7, 0x55, 0x44, 0x94, 0xbf, 0x63, 0x56, 0xfb, 0xf3, 0xca, 0x36, 0x6c,
                                   0xc2, 0x3e, 0x81, 0x57, 0x85, 0x4c, 0x13, 0xc5, 0x8d, 0x6a, 0xac, 0x23, 0xf0,
                                   0x46, 0xad, 0xa3, 0x0f, 0x83, 0x53, 0xe7, 0x4f, 0x33, 0x03, 0x98, 0x72, 0xab};
static const uint8_t k_p_shared[] = {0xd6, 0x84, 0x0f, 0x6b, 0x42, 0xf6, 0xed, 0xaf, 0xd1, 0x31, 0x16,
                                     0xe0, 0xe1, 0x25, 0x65, 0x20, 0x2f, 0xef, 0x8e, 0x9e, 0xce, 0x7d,
                                     0xce, 0x03, 0x81, 0x24, 0x64, 0xd0, 0x4b, 0x94, 0x42, 0xde};
static const uint8_t k_p_order[] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                    0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t k_low_order[7][32] = {
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
    {0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

static const uint8_t k_zero[128];

static void ticket_secret(uint8_t secret[32]) {
  for (uint8_t i = 0; i < 32; i++) {
    secret[i] = (uint8_t)(i + 1);
  }
}

static hawser_bytes text(const char *string) {
  hawser_bytes bytes = {(const uint8_t *)string, strlen(string)};
  return bytes;
}

static void test_sha256(void) {
  uint8_t out[32];
  hawser_bytes whole = text("abc");
  hawser_bytes split[3] = {text("a"), text(""), text("bc")};
  hawser_bytes none = {NULL, 0};
  CHECK(hawser_port_sha256(out, &whole, 1) == HAWSER_OK);
  CHECK_BYTES(out, k_sha_abc, 32);
  CHECK(hawser_port_sha256(out, split, 3) == HAWSER_OK);
  CHECK_BYTES(out, k_sha_abc, 32);
  CHECK(hawser_port_sha256(out, NULL, 0) == HAWSER_OK);
  CHECK_BYTES(out, k_sha_empty, 32);
  CHECK(hawser_port_sha256(out, &none, 1) == HAWSER_OK);
  CHECK_BYTES(out, k_sha_empty, 32);
}

static void test_sha256_in_place(void) {
  uint8_t state[32];
  uint8_t expected[32];
  uint8_t copy[32];
  hawser_bytes part = {state, 32};
  hawser_bytes copied = {copy, 32};
  ticket_secret(state);
  ticket_secret(copy);
  CHECK(hawser_port_sha256(expected, &copied, 1) == HAWSER_OK);
  CHECK(hawser_port_sha256(state, &part, 1) == HAWSER_OK);
  CHECK_BYTES(state, expected, 32);
}

static void test_hmac(void) {
  uint8_t out[32];
  uint8_t key[64];
  hawser_bytes one = text("Hi There");
  hawser_bytes two[2] = {text("what do ya want "), text("for nothing?")};
  memset(key, 0x0b, sizeof key);
  CHECK(hawser_port_hmac(out, key, 20, &one, 1) == HAWSER_OK);
  CHECK_BYTES(out, k_hmac_1, 32);
  CHECK(hawser_port_hmac(out, (const uint8_t *)"Jefe", 4, two, 2) == HAWSER_OK);
  CHECK_BYTES(out, k_hmac_2, 32);
  CHECK(hawser_port_hmac(out, key, 64, &one, 1) == HAWSER_OK);
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_hmac(out, key, 0, &one, 1) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(out, 32);
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_hmac(out, key, 65, &one, 1) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(out, 32);
}

/* Several under one key are what each alone would be, in whatever order; one may be written over what it reads. */
static void test_hmac_several(void) {
  hawser_hmac state;
  uint8_t key[32], out[32], expected[32];
  hawser_bytes two[2] = {text("what do ya want "), text("for nothing?")};
  hawser_bytes self = {out, sizeof out};
  ticket_secret(key);
  CHECK(hawser_port_hmac_start(&state, key) == HAWSER_OK);
  for (int k = 0; k < 2; k++) {
    hawser_bytes one = text("hawser");
    CHECK(hawser_port_hmac_next(&state, out, &one, 1) == HAWSER_OK);
    CHECK_BYTES(out, k_hmac_ticket, 32);
    CHECK(hawser_port_hmac(expected, key, 32, two, 2) == HAWSER_OK);
    CHECK(hawser_port_hmac_next(&state, out, two, 2) == HAWSER_OK);
    CHECK_BYTES(out, expected, 32);
    CHECK(hawser_port_hmac(expected, key, 32, &self, 1) == HAWSER_OK);
    CHECK(hawser_port_hmac_next(&state, out, &self, 1) == HAWSER_OK);
    CHECK_BYTES(out, expected, 32);
  }
  hawser_port_hmac_end(&state);
  CHECK_ZERO(state.bytes, sizeof state.bytes);
}

/* A ratchet step writes over its own key, and over what it reads. */
static void test_hmac_in_place(void) {
  uint8_t key[32];
  hawser_bytes part = text("hawser");
  hawser_bytes self = {key, 32};
  uint8_t expected[32];
  uint8_t copy[32];
  hawser_bytes copied = {copy, 32};
  ticket_secret(key);
  CHECK(hawser_port_hmac(key, key, 32, &part, 1) == HAWSER_OK);
  CHECK_BYTES(key, k_hmac_ticket, 32);
  memcpy(copy, key, 32);
  CHECK(hawser_port_hmac(expected, copy, 32, &copied, 1) == HAWSER_OK);
  CHECK(hawser_port_hmac(key, key, 32, &self, 1) == HAWSER_OK);
  CHECK_BYTES(key, expected, 32);
}

static void test_hmac_key(void) {
  uint8_t secret[32];
  uint8_t out[32];
  hawser_bytes parts[2] = {text("haw"), text("ser")};
  hawser_key key;
  ticket_secret(secret);
  key = IMPORT(TICKET, secret);
  CHECK(key != 0);
  CHECK(hawser_port_hmac_key(out, key, parts, 2) == HAWSER_OK);
  CHECK_BYTES(out, k_hmac_ticket, 32);
  parts[0].ptr = out;
  memcpy(out, "haw", 3);
  CHECK(hawser_port_hmac_key(out, key, parts, 2) == HAWSER_OK);
  CHECK_BYTES(out, k_hmac_ticket, 32);
  FREE(key);
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_hmac_key(out, 0, &parts[1], 1) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(out, 32);
}

static void test_hkdf_key(void) {
  uint8_t salt[32];
  uint8_t secret[32];
  uint8_t out[96];
  hawser_key key;
  memset(salt, 0xa5, sizeof salt);
  ticket_secret(secret);
  key = IMPORT(PSK, salt);
  CHECK(key != 0);
  CHECK(hawser_port_hkdf_key(out, secret, key) == HAWSER_OK);
  FREE(key);
  CHECK(memcmp(out, k_hkdf, 32) != 0); /* salt and secret are not exchangeable */
  key = IMPORT(PSK, secret);
  CHECK(hawser_port_hkdf_key(out, salt, key) == HAWSER_OK);
  CHECK_BYTES(out, k_hkdf, 96);
  FREE(key);
  CHECK(hawser_port_hkdf_key(out, salt, 0) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(out, 96);
}

static void test_zero_long_term_keys(void) {
  CHECK(IMPORT(TICKET, k_zero) == 0);
  CHECK(IMPORT(PSK, k_zero) == 0);
  CHECK(IMPORT(25519, k_zero) == 0);
  CHECK(IMPORT(P256, k_zero) == 0);
  FREE(0);
}

static void test_seal_and_open(void) {
  uint8_t buffer[sizeof k_gcm_sealed];
  const size_t len = sizeof k_gcm_plain;
  CHECK(hawser_port_seal(k_gcm_key, k_gcm_nonce, k_gcm_ad, sizeof k_gcm_ad, k_gcm_plain, len, buffer) == HAWSER_OK);
  CHECK_BYTES(buffer, k_gcm_sealed, sizeof k_gcm_sealed);
  CHECK(hawser_port_open(k_gcm_key, k_gcm_nonce, k_gcm_ad, sizeof k_gcm_ad, k_gcm_sealed, len, buffer) == HAWSER_OK);
  CHECK_BYTES(buffer, k_gcm_plain, len);
  /* in place */
  CHECK(hawser_port_seal(k_gcm_key, k_gcm_nonce, k_gcm_ad, sizeof k_gcm_ad, buffer, len, buffer) == HAWSER_OK);
  CHECK_BYTES(buffer, k_gcm_sealed, sizeof k_gcm_sealed);
  CHECK(hawser_port_open(k_gcm_key, k_gcm_nonce, k_gcm_ad, sizeof k_gcm_ad, buffer, len, buffer) == HAWSER_OK);
  CHECK_BYTES(buffer, k_gcm_plain, len);
}

/* Nothing to encrypt, nothing to authenticate, or neither. */
static void test_seal_empty(void) {
  uint8_t sealed[1 + HAWSER_TAG_LEN];
  uint8_t opened[1] = {0};
  for (size_t ad_len = 0; ad_len <= 1; ad_len++) {
    for (size_t len = 0; len <= 1; len++) {
      const uint8_t *ad = ad_len > 0 ? k_gcm_ad : NULL;
      const uint8_t *in = len > 0 ? k_gcm_plain : NULL;
      CHECK(hawser_port_seal(k_gcm_key, k_gcm_nonce, ad, ad_len, in, len, sealed) == HAWSER_OK);
      CHECK(hawser_port_open(k_gcm_key, k_gcm_nonce, ad, ad_len, sealed, len, opened) == HAWSER_OK);
      CHECK(len == 0 || opened[0] == k_gcm_plain[0]);
      sealed[len] ^= 1;
      CHECK(hawser_port_open(k_gcm_key, k_gcm_nonce, ad, ad_len, sealed, len, opened) == HAWSER_ERR_AUTH);
    }
  }
}

static void test_open_tampered(void) {
  uint8_t sealed[sizeof k_gcm_sealed];
  uint8_t out[sizeof k_gcm_plain];
  uint8_t ad[sizeof k_gcm_ad];
  const size_t len = sizeof k_gcm_plain;
  for (size_t i = 0; i < sizeof sealed; i++) {
    memcpy(sealed, k_gcm_sealed, sizeof sealed);
    sealed[i] ^= 0x80;
    memset(out, 0xff, sizeof out);
    CHECK(hawser_port_open(k_gcm_key, k_gcm_nonce, k_gcm_ad, sizeof k_gcm_ad, sealed, len, out) == HAWSER_ERR_AUTH);
    CHECK_ZERO(out, sizeof out);
  }
  for (size_t i = 0; i < sizeof ad; i++) {
    memcpy(ad, k_gcm_ad, sizeof ad);
    ad[i] ^= 0x01;
    CHECK(hawser_port_open(k_gcm_key, k_gcm_nonce, ad, sizeof ad, k_gcm_sealed, len, out) == HAWSER_ERR_AUTH);
    CHECK_ZERO(out, sizeof out);
  }
  /* the good one still opens: no state is left from the bad ones */
  CHECK(hawser_port_open(k_gcm_key, k_gcm_nonce, k_gcm_ad, sizeof k_gcm_ad, k_gcm_sealed, len, out) == HAWSER_OK);
  CHECK_BYTES(out, k_gcm_plain, len);
  /* in place, the ciphertext is gone */
  memcpy(sealed, k_gcm_sealed, sizeof sealed);
  sealed[0] ^= 1;
  CHECK(hawser_port_open(k_gcm_key, k_gcm_nonce, k_gcm_ad, sizeof k_gcm_ad, sealed, len, sealed) == HAWSER_ERR_AUTH);
  CHECK_ZERO(sealed, len);
}

static void test_aead_zero_key(void) {
  uint8_t out[8 + HAWSER_TAG_LEN];
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_seal(k_zero, k_gcm_nonce, NULL, 0, k_gcm_plain, 8, out) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(out, sizeof out);
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_open(k_zero, k_gcm_nonce, NULL, 0, k_gcm_sealed, 8, out) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(out, 8);
}

#if TEST_PORT_OPENSSL
/* The same answers while schedules stay, after failures, under one key and another, and when they are gone again. */
static void test_keys_kept(void) {
  uint8_t other[HAWSER_KEY_LEN], first[8 + HAWSER_TAG_LEN], sealed[8 + HAWSER_TAG_LEN];
  memcpy(other, k_gcm_key, sizeof other);
  other[31] ^= 1;
  CHECK(hawser_port_seal(other, k_gcm_nonce, NULL, 0, k_gcm_plain, 8, first) == HAWSER_OK);
  hawser_openssl_keep_keys(1);
  for (int round = 0; round < 2; round++) {
    test_seal_and_open();
    CHECK(hawser_port_seal(other, k_gcm_nonce, NULL, 0, k_gcm_plain, 8, sealed) == HAWSER_OK);
    CHECK_BYTES(sealed, first, sizeof first);
    test_seal_empty();
    test_open_tampered();
    test_aead_zero_key();
    CHECK(hawser_port_open(other, k_gcm_nonce, NULL, 0, first, 8, sealed) == HAWSER_OK);
    CHECK_BYTES(sealed, k_gcm_plain, 8);
  }
  hawser_openssl_keep_keys(0);
  test_seal_and_open();
  test_open_tampered();
}
#endif

static void test_25519(void) {
  uint8_t out[HAWSER_PUBLIC_MAX];
  hawser_key key = IMPORT(25519, k_x_secret);
  CHECK(hawser_port_public(HAWSER_SUITE_ID_25519, k_x_bob, out) == HAWSER_OK);
  CHECK_BYTES(out, k_x_bob_public, 32);
  CHECK(hawser_port_dh(HAWSER_SUITE_ID_25519, k_x_secret, k_x_peer, out) == HAWSER_OK);
  CHECK_BYTES(out, k_x_shared, 32);
  CHECK(hawser_port_dh_key(HAWSER_SUITE_ID_25519, key, k_x_peer, out) == HAWSER_OK);
  CHECK_BYTES(out, k_x_shared, 32);
  for (size_t i = 0; i < sizeof k_low_order / sizeof k_low_order[0]; i++) {
    memset(out, 0xff, sizeof out);
    CHECK(hawser_port_dh(HAWSER_SUITE_ID_25519, k_x_secret, k_low_order[i], out) == HAWSER_ERR_AUTH);
    CHECK_ZERO(out, 32);
    memset(out, 0xff, sizeof out);
    CHECK(hawser_port_dh_key(HAWSER_SUITE_ID_25519, key, k_low_order[i], out) == HAWSER_ERR_AUTH);
    CHECK_ZERO(out, 32);
  }
  FREE(key);
}

static void test_p256(void) {
  uint8_t out[HAWSER_PUBLIC_MAX];
  hawser_key key = IMPORT(P256, k_p_secret);
  CHECK(hawser_port_public(HAWSER_SUITE_ID_P256, k_p_secret, out) == HAWSER_OK);
  CHECK_BYTES(out, k_p_public, 65);
  CHECK(hawser_port_dh(HAWSER_SUITE_ID_P256, k_p_secret, k_p_peer, out) == HAWSER_OK);
  CHECK_BYTES(out, k_p_shared, 32);
  CHECK(hawser_port_dh_key(HAWSER_SUITE_ID_P256, key, k_p_peer, out) == HAWSER_OK);
  CHECK_BYTES(out, k_p_shared, 32);
  FREE(key);
}

static void refuse_point(hawser_key key, const uint8_t point[65]) {
  uint8_t out[32];
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_dh(HAWSER_SUITE_ID_P256, k_p_secret, point, out) == HAWSER_ERR_AUTH);
  CHECK_ZERO(out, 32);
  memset(out, 0xff, sizeof out);
  CHECK(hawser_port_dh_key(HAWSER_SUITE_ID_P256, key, point, out) == HAWSER_ERR_AUTH);
  CHECK_ZERO(out, 32);
}

static void test_p256_invalid_points(void) {
  static const uint8_t forms[] = {0x00, 0x02, 0x03, 0x05, 0x06, 0x07, 0xff};
  uint8_t point[65];
  hawser_key key = IMPORT(P256, k_p_secret);
  for (size_t i = 0; i < sizeof forms; i++) {
    memcpy(point, k_p_peer, 65);
    point[0] = forms[i];
    refuse_point(key, point);
  }
  for (size_t i = 1; i < 65; i++) { /* off the curve */
    memcpy(point, k_p_peer, 65);
    point[i] ^= 0x10;
    refuse_point(key, point);
  }
  memset(point + 1, 0, 64); /* (0, 0), where some keep the point at infinity */
  point[0] = 0x04;
  refuse_point(key, point);
  memset(point + 1, 0xff, 64); /* coordinates above the prime */
  refuse_point(key, point);
  FREE(key);
}

static void test_invalid_secrets(void) {
  uint8_t out[HAWSER_PUBLIC_MAX];
  uint8_t secret[32];
  for (uint8_t suite = HAWSER_SUITE_ID_25519; suite <= HAWSER_SUITE_ID_P256; suite++) {
    const uint8_t *peer = suite == HAWSER_SUITE_ID_P256 ? k_p_peer : k_x_peer;
    memset(out, 0xff, sizeof out);
    CHECK(hawser_port_public(suite, k_zero, out) == HAWSER_ERR_CRYPTO);
    CHECK_ZERO(out, suite == HAWSER_SUITE_ID_P256 ? 65 : 32);
    CHECK(hawser_port_dh(suite, k_zero, peer, out) == HAWSER_ERR_CRYPTO);
    CHECK_ZERO(out, 32);
    CHECK(hawser_port_dh_key(suite, 0, peer, out) == HAWSER_ERR_CRYPTO);
  }
  CHECK(hawser_port_public(HAWSER_SUITE_ID_P256, k_p_order, out) == HAWSER_ERR_CRYPTO);
  CHECK(hawser_port_dh(HAWSER_SUITE_ID_P256, k_p_order, k_p_peer, out) == HAWSER_ERR_CRYPTO);
  memset(secret, 0xff, sizeof secret);
  CHECK(hawser_port_dh(HAWSER_SUITE_ID_P256, secret, k_p_peer, out) == HAWSER_ERR_CRYPTO);
  memcpy(secret, k_p_order, sizeof secret); /* n - 1 is the largest; its public key is -G */
  secret[31]--;
  CHECK(hawser_port_public(HAWSER_SUITE_ID_P256, secret, out) == HAWSER_OK);
  CHECK(hawser_port_dh(HAWSER_SUITE_ID_P256, secret, k_p_peer, out) == HAWSER_OK);
  CHECK_BYTES(out, k_p_peer + 1, 32);
}

static void test_unknown_suite(void) {
  uint8_t secret[32];
  uint8_t out[HAWSER_PUBLIC_MAX];
  CHECK(hawser_port_keygen(HAWSER_SUITE_NONE, secret, out) == HAWSER_ERR_CRYPTO);
  CHECK_ZERO(secret, 32);
  CHECK(hawser_port_public(3, k_x_secret, out) == HAWSER_ERR_CRYPTO);
  CHECK(hawser_port_dh(3, k_x_secret, k_x_peer, out) == HAWSER_ERR_CRYPTO);
}

static void test_keygen(void) {
  for (uint8_t suite = HAWSER_SUITE_ID_25519; suite <= HAWSER_SUITE_ID_P256; suite++) {
    uint8_t secret_a[32], public_a[HAWSER_PUBLIC_MAX], secret_b[32], public_b[HAWSER_PUBLIC_MAX];
    uint8_t ab[32], ba[32], again[HAWSER_PUBLIC_MAX];
    CHECK(hawser_port_keygen(suite, secret_a, public_a) == HAWSER_OK);
    CHECK(hawser_port_keygen(suite, secret_b, public_b) == HAWSER_OK);
    CHECK(memcmp(secret_a, secret_b, 32) != 0);
    CHECK(hawser_port_public(suite, secret_a, again) == HAWSER_OK);
    CHECK_BYTES(again, public_a, suite == HAWSER_SUITE_ID_P256 ? 65 : 32);
    CHECK(hawser_port_dh(suite, secret_a, public_b, ab) == HAWSER_OK);
    CHECK(hawser_port_dh(suite, secret_b, public_a, ba) == HAWSER_OK);
    CHECK_BYTES(ab, ba, 32);
  }
}

static void test_random_wipe_equal(void) {
  uint8_t a[64] = {0};
  uint8_t b[64] = {0};
  CHECK(hawser_port_random(a, 32) == HAWSER_OK);
  CHECK(hawser_port_random(b, 32) == HAWSER_OK);
  CHECK(memcmp(a, b, 32) != 0);
  CHECK_ZERO(a + 32, 32);
  CHECK(hawser_port_random(a, 0) == HAWSER_OK);
  memcpy(b, a, 64);
  CHECK(hawser_port_equal(a, b, 64) == 1);
  b[63] ^= 1;
  CHECK(hawser_port_equal(a, b, 64) == 0);
  CHECK(hawser_port_equal(a, b, 63) == 1);
  CHECK(hawser_port_equal(a, b, 0) == 1);
  b[0] ^= 0x80;
  CHECK(hawser_port_equal(a, b, 1) == 0);
  memset(a, 0xff, sizeof a);
  hawser_port_wipe(a, 31);
  CHECK_ZERO(a, 31);
  CHECK(a[31] == 0xff);
  hawser_port_wipe(a, 0);
}

int main(void) {
  test_sha256();
  test_sha256_in_place();
  test_hmac();
  test_hmac_several();
  test_hmac_in_place();
  test_hmac_key();
  test_hkdf_key();
  test_zero_long_term_keys();
  test_seal_and_open();
  test_seal_empty();
  test_open_tampered();
  test_aead_zero_key();
#if TEST_PORT_OPENSSL
  test_keys_kept();
#endif
  test_25519();
  test_p256();
  test_p256_invalid_points();
  test_invalid_secrets();
  test_unknown_suite();
  test_keygen();
  test_random_wipe_equal();
  return check_done();
}
