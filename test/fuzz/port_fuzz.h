/*
 * port_fuzz.h - a crypto port without cryptography, for fuzzing, valgrind and MemorySanitizer: a fast mixing function for
 * SHA-256 and HMAC, an AEAD whose ciphertext is its plaintext, an ECDH that is symmetric and nothing else. It runs no
 * branch and no index that depends on its inputs' bytes, so that whatever a tool finds lies in the core.
 */
#ifndef HAWSER_PORT_FUZZ_H
#define HAWSER_PORT_FUZZ_H

#include "hawser/port.h"

/* 0 where all slots are taken. Long-term secrets live in a table: a wrong hawser_key is found out. */
hawser_key hawser_fuzz_key_import(const uint8_t raw[HAWSER_KEY_LEN]);
void hawser_fuzz_key_free(hawser_key key);
void hawser_fuzz_keys_clear(void);

/* While on, hawser_port_open() takes any tag: bytes of a fuzzer count as authenticated, and reach what lies behind. */
extern int hawser_fuzz_any_tag;

/* What hawser_port_random() gives follows from this number; it counts on. */
extern uint64_t hawser_fuzz_seed;

#endif
