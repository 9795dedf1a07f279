/*
 * resume.h - the two-level ratchet and its handshake, SPEC 7.1 and 7.2. Symmetric only.
 */
#ifndef HAWSER_RESUME_H
#define HAWSER_RESUME_H

#include "hawser/device.h"
#include "wire.h"

#define HAWSER_RANDOM_LEN 16
#define HAWSER_RESUME_HEAD (1 + HAWSER_TICKET_LEN + HAWSER_NONCE_LEN) /* hdr1 || n_d */
#define HAWSER_PAY1_MIN (1 + HAWSER_NAME_LEN)
#define HAWSER_RESUME2_HEAD (1 + 16) /* hdr2 */
#define HAWSER_RESUME2_LEN (HAWSER_RESUME2_HEAD + 1 + HAWSER_TAG_LEN)

enum { HAWSER_PAY1_EARLY = 0x01 };
enum { HAWSER_STATUS_VERDICT = 0x03, HAWSER_STATUS_CONTINUED = 0x04 };

/* Where a resumption stands, at either end. */
typedef struct hawser_step {
  const hawser_pairing *pairing;
  const uint8_t *chain; /* 8 bytes */
  uint32_t b, i;
  const uint8_t *r; /* R_{b,i} */
} hawser_step;

/* T of a step secret. */
HAWSER_INTERNAL int hawser_ticket_of(const uint8_t r[HAWSER_KEY_LEN], uint8_t ticket[HAWSER_TICKET_LEN]);

/* Where a chain begins: its id, R_{0,0} and B_1. */
HAWSER_INTERNAL int hawser_chain_of(const uint8_t b0[HAWSER_KEY_LEN], uint8_t chain[HAWSER_NAME_LEN],
                                    uint8_t first[HAWSER_KEY_LEN], uint8_t block[HAWSER_KEY_LEN]);

/* Message 1 in place, and its h1: the caller has put pay1 at m + HAWSER_RESUME_HEAD, and room for 16 bytes behind it. */
HAWSER_INTERNAL int hawser_resume_write1(const hawser_step *at, uint8_t *m, size_t pay1_len,
                                         uint8_t h1[HAWSER_HASH_LEN]);

/* Verifies a message 2, and derives what follows from it: keys, of which the name only if the session is NEW, and a->step, which
 * is R_{b,i+1}. The caller wipes all of it after an error, and in any case the rest of a. */
HAWSER_INTERNAL int hawser_resume_read2(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN],
                                        uint8_t transport, const uint8_t *m, size_t len, const hawser_keys *keys,
                                        struct hawser_answer *a, uint8_t *status);

#if HAWSER_GATEWAY
/* Verifies a message 1: pay1 gets len - HAWSER_RESUME_HEAD - 16 bytes. Does not compare the ticket. */
HAWSER_INTERNAL int hawser_resume_read1(const hawser_step *at, const uint8_t *m, size_t len, uint8_t *pay1,
                                        uint8_t h1[HAWSER_HASH_LEN]);

/* Writes message 2. */
HAWSER_INTERNAL int hawser_resume_write2(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN],
                                         uint8_t transport, const uint8_t n_g[16], uint8_t status,
                                         const uint8_t *connection_id, size_t id_len, uint8_t *m, size_t *len);

/* What follows from it. The chain is moved later. */
HAWSER_INTERNAL int hawser_resume_keys(const uint8_t r[HAWSER_KEY_LEN], const uint8_t h1[HAWSER_HASH_LEN],
                                       uint8_t transport, const uint8_t *m, size_t len, const hawser_keys *keys);
#endif

#endif
