/*
 * rig_keys.h - long-term keys by the same name for the port without cryptography and for OpenSSL's.
 */
#ifndef HAWSER_FUZZ_RIG_KEYS_H
#define HAWSER_FUZZ_RIG_KEYS_H

#if TEST_PORT_FUZZ

#include "port_fuzz.h"
#define RIG_IMPORT(use, raw) hawser_fuzz_key_import(raw)
#define RIG_FREE(key) hawser_fuzz_key_free(key)

static inline void rig_restart_random(void) {
  hawser_fuzz_seed = 0;
  hawser_fuzz_any_tag = 0;
}

static inline void rig_any_tag(int on) {
  hawser_fuzz_any_tag = on;
}

#else

#include "port_openssl.h"
#define RIG_IMPORT(use, raw) hawser_openssl_key_import(raw)
#define RIG_FREE(key) hawser_openssl_key_free(key)

static inline void rig_restart_random(void) {
}

/* A real tag is right or wrong. */
static inline void rig_any_tag(int on) {
  (void)on;
}

#endif

static inline hawser_key rig_import_private(uint8_t suite, const uint8_t raw[32]) {
  return suite == HAWSER_SUITE_ID_P256 ? RIG_IMPORT(P256, raw) : RIG_IMPORT(25519, raw);
}

#endif
