/*
 * faults_port.h - what a test tells the functions of faults_port.c to do.
 */
#ifndef HAWSER_TEST_FAULTS_PORT_H
#define HAWSER_TEST_FAULTS_PORT_H

#include "hawser/port.h"

extern unsigned long faults_calls, faults_at;
extern int faults_for_ever, faults_random_fixed, faults_random_broken;
extern int faults_dh_fails; /* each ECDH, at both ends */

/* Not 0: random gives the sequence that begins with this number, which moves on. */
extern uint64_t faults_random_sequence;

/* Faults of a core, seeded below it. */
enum faults_seed {
  SEED_NONE,
  SEED_COUNTER_32_BITS,  /* class 2: records' counters are cut */
  SEED_CONSTANT_N_G,     /* class 3: answers have no nonce of their own */
  SEED_N_D_FROM_RANDOM,  /* class 5: n_d does not depend on the message */
  SEED_FAILED_DH_COUNTS, /* class 6: as zeros */
  SEED_TAG_IGNORED       /* class 14: a record that fails moves key and counter on */
};
extern int faults_seed;

/* Every seal as it is done. */
extern void (*faults_on_seal)(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len,
                              const uint8_t *in, size_t len);

int faults_sha256(uint8_t out[32], const hawser_bytes *parts, size_t count);
int faults_hmac(uint8_t out[32], const uint8_t *key, size_t key_len, const hawser_bytes *parts, size_t count);
int faults_hmac_start(hawser_hmac *state, const uint8_t key[32]);
int faults_hmac_next(hawser_hmac *state, uint8_t out[32], const hawser_bytes *parts, size_t count);
int faults_hmac_key(uint8_t out[32], hawser_key key, const hawser_bytes *parts, size_t count);
int faults_hkdf_key(uint8_t out[96], const uint8_t salt[32], hawser_key key);
int faults_seal(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len, const uint8_t *in,
                size_t len, uint8_t *out);
int faults_open(const uint8_t key[32], const uint8_t nonce[12], const uint8_t *ad, size_t ad_len, const uint8_t *in,
                size_t len, uint8_t *out);
int faults_keygen(uint8_t suite, uint8_t secret[32], uint8_t public_key[65]);
int faults_public(uint8_t suite, const uint8_t secret[32], uint8_t public_key[65]);
int faults_dh(uint8_t suite, const uint8_t secret[32], const uint8_t *peer, uint8_t out[32]);
int faults_dh_key(uint8_t suite, hawser_key key, const uint8_t *peer, uint8_t out[32]);
int faults_random(uint8_t *out, size_t len);

#endif
