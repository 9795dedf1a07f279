/*
 * wire.h - the bytes of SPEC 3: types, lengths, and cursors that read and write integers big-endian.
 * A cursor that runs over its end turns bad, stays so, and moves no further.
 */
#ifndef HAWSER_WIRE_H
#define HAWSER_WIRE_H

#include "hawser/hawser.h"
#include "internal.h"

/* SPEC 3.2: types of handshake messages. Those of a full message 1 are 0x11 .. 0x16: see hawser_type_full(). */
enum { HAWSER_TYPE_FULL_1 = 0x11, HAWSER_TYPE_FULL_1_LAST = 0x16, HAWSER_TYPE_FULL_2 = 0x17 };
enum { HAWSER_TYPE_RESUME_1 = 0x18, HAWSER_TYPE_RESUME_2 = 0x1a };

#define HAWSER_MAC_LEN 8
#define HAWSER_CHECK_LEN 8
#define HAWSER_HEADER_LEN 2              /* of a message or a record on a stream or serial transport */
#define HAWSER_FIRST_MESSAGE 0x0f        /* the highest first byte of a message's length */
#define HAWSER_FIRST_RECORD 0x4000       /* the first bytes of a record's header */
#define HAWSER_OFFSET_MAX 0xffffffffffff /* u48 */
#define HAWSER_NUMBER_MAX 0xfffffffeu    /* of max_steps and max_blocks; what mode ticket has for max_blocks */
#define HAWSER_IDENT_MAX (7 + 3 + 2 + 2 * HAWSER_ID_MAX)

/* What a build leaves out is answered here with a constant, so that the other half of each choice is gone from it. Of a pairing
 * that is valid: its mode and suite are built in. */
static inline int hawser_is_gateway(const hawser_session *s) {
  return HAWSER_GATEWAY && s->gateway;
}
static inline int hawser_is_serial(uint8_t transport) {
  return HAWSER_SERIAL_LINES && transport == HAWSER_SERIAL;
}
static inline int hawser_transport_known(uint8_t transport) {
  return transport == HAWSER_STREAM || hawser_is_serial(transport);
}
static inline int hawser_is_ticket(const hawser_pairing *p) {
  return HAWSER_MODE_TICKET && (!HAWSER_ECDH || p->mode == HAWSER_TICKET);
}
static inline int hawser_has_statics(const hawser_pairing *p) {
  const int others = HAWSER_MODE_PSK || HAWSER_MODE_TICKET;
  return HAWSER_MODE_KEYS && (!others || p->mode == HAWSER_KEYS || p->mode == HAWSER_KEYS_PSK);
}
static inline int hawser_has_psk(const hawser_pairing *p) {
  return (HAWSER_MODE_PSK && p->mode == HAWSER_PSK) || (HAWSER_MODE_KEYS_PSK && p->mode == HAWSER_KEYS_PSK);
}

/* Length of a public key of the suite. */
static inline size_t hawser_public_len(uint8_t suite) {
  return HAWSER_SUITE_P256 && (!HAWSER_SUITE_25519 || suite == HAWSER_SUITE_ID_P256) ? 65 : 32;
}

typedef struct hawser_reader {
  const uint8_t *at;
  size_t left;
  int bad;
} hawser_reader;

typedef struct hawser_writer {
  uint8_t *at;
  size_t left;
  int bad;
} hawser_writer;

/* Integers of n bytes, 1 .. 8. A bad reader gives 0. */
HAWSER_INTERNAL uint64_t hawser_get(hawser_reader *r, size_t n);
HAWSER_INTERNAL void hawser_put(hawser_writer *w, size_t n, uint64_t value);

/* A run of bytes inside the buffer; NULL once bad. */
HAWSER_INTERNAL const uint8_t *hawser_get_bytes(hawser_reader *r, size_t len);
HAWSER_INTERNAL void hawser_put_bytes(hawser_writer *w, const uint8_t *bytes, size_t len);

/* The whole buffer was read, and no more. */
HAWSER_INTERNAL int hawser_reader_done(const hawser_reader *r);

HAWSER_INTERNAL int hawser_is_zero(const uint8_t *bytes, size_t len);

/* SPEC 5: HAWSER_IDENT_MAX bytes at most. */
HAWSER_INTERNAL void hawser_ident(const hawser_pairing *pairing, hawser_writer *w);

/* Type of message 1 of a full handshake, SPEC 3.2. */
static inline uint8_t hawser_type_full(uint8_t mode, uint8_t suite) {
  return (uint8_t)(HAWSER_TYPE_FULL_1 + 2 * (mode - HAWSER_KEYS) + (suite - HAWSER_SUITE_ID_25519));
}

/* What a PRF is for: the label that says so is in wire.c. */
enum hawser_label {
  HAWSER_LABEL_TICKET,
  HAWSER_LABEL_CHAINID,
  HAWSER_LABEL_FIRST,
  HAWSER_LABEL_BLOCK,
  HAWSER_LABEL_NEXT,
  HAWSER_LABEL_NONCE,
  HAWSER_LABEL_M1,
  HAWSER_LABEL_M2,
  HAWSER_LABEL_D2G,
  HAWSER_LABEL_G2D,
  HAWSER_LABEL_NAME,
  HAWSER_LABEL_CHAIN,
  HAWSER_LABEL_EXPORT,
  HAWSER_LABEL_MAC,
  HAWSER_LABEL_GATE,
  HAWSER_LABEL_NG
};

/* SPEC 1: PRF(key, label, x), several under one key. The first error sticks: what comes after it does nothing, and the end
 * returns it. x is 32 bytes, or NULL: empty. */
typedef struct hawser_prf {
  hawser_hmac hmac;
  int err;
} hawser_prf;
HAWSER_INTERNAL void hawser_prf_start(hawser_prf *prf, const uint8_t key[HAWSER_KEY_LEN]);
HAWSER_INTERNAL void hawser_prf_next(hawser_prf *prf, enum hawser_label label, const uint8_t *x, uint8_t *out,
                                     size_t len);
HAWSER_INTERNAL int hawser_prf_end(hawser_prf *prf);

/* The same for x = SHA256(parts). */
HAWSER_INTERNAL void hawser_prf_hashed(hawser_prf *prf, enum hawser_label label, const hawser_bytes *parts,
                                       size_t count, uint8_t *out, size_t len);

/* A single one, of which the first len bytes are wanted; and one with x = SHA256(parts). */
HAWSER_INTERNAL int hawser_prf_once(const uint8_t key[HAWSER_KEY_LEN], enum hawser_label label, const uint8_t *x,
                                    uint8_t *out, size_t len);
HAWSER_INTERNAL int hawser_prf_of(const uint8_t key[HAWSER_KEY_LEN], enum hawser_label label, const hawser_bytes *parts,
                                  size_t count, uint8_t *out, size_t len);

/* One with an empty x under a secret that the port holds. */
HAWSER_INTERNAL int hawser_prf_key(hawser_key key, enum hawser_label label, uint8_t *out, size_t len);

/* Where that goes which both handshakes lead to: traffic keys, and the session's name should it be NEW. A device without streams
 * has no use for the name, and leaves it as it is. */
typedef struct hawser_keys {
  uint8_t *d2g, *g2d, *name;
} hawser_keys;

/* SHA256(bytes)[0..8], the check of what is stored. Matches: 1, 0, or an error: a provider that fails must not make good
 * bytes look bad. */
HAWSER_INTERNAL int hawser_check(const uint8_t *bytes, size_t len, uint8_t check[HAWSER_CHECK_LEN]);
HAWSER_INTERNAL int hawser_check_matches(const uint8_t *bytes, size_t len);

/* The port's seal and open under nonce 0^4 || counter, traced for tests. */
HAWSER_INTERNAL int hawser_seal(const uint8_t key[HAWSER_KEY_LEN], uint64_t counter, const uint8_t *ad, size_t ad_len,
                                const uint8_t *in, size_t len, uint8_t *out);
HAWSER_INTERNAL int hawser_unseal(const uint8_t key[HAWSER_KEY_LEN], uint64_t counter, const uint8_t *ad, size_t ad_len,
                                  const uint8_t *in, size_t len, uint8_t *out);

#if HAWSER_TRACE
/* Supplied by the test that asks for it: every key, nonce and input that anything is sealed with. */
void hawser_trace(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                  size_t ad_len, const uint8_t *in, size_t len);
#endif

#endif
