/*
 * handshake.h - the full handshakes of SPEC 6: Noise_KK, Noise_KKpsk0 and Noise_NNpsk0 as token tables, and what is
 * derived from them.
 */
#ifndef HAWSER_HANDSHAKE_H
#define HAWSER_HANDSHAKE_H

#include "hawser/device.h"
#include "noise.h"

/* One handshake on the stack. Between its messages a device keeps e, ck and h only. */
typedef struct hawser_noise {
  hawser_symmetric s;
  uint8_t e[HAWSER_KEY_LEN]; /* own ephemeral private key */
  const uint8_t *re;         /* the peer's ephemeral public key, inside its message: that outlives the handshake */
  uint8_t responder;
  uint8_t fixed_e; /* test vectors: e was set by the caller */
} hawser_noise;

#if HAWSER_ECDH

/* Initialize: protocol name, prologue, and in KK both static public keys. */
HAWSER_INTERNAL int hawser_noise_start(hawser_noise *n, const hawser_pairing *pairing, int responder,
                                       const uint8_t *prologue, size_t len);

/* Message 1 or 2 of the pattern, with a payload of len bytes: public key || sealed payload. *out_len is set. */
HAWSER_INTERNAL int hawser_noise_write(hawser_noise *n, const hawser_pairing *pairing, int number,
                                       const uint8_t *payload, size_t len, uint8_t *out, size_t *out_len);

/* payload gets in_len - public key - 16 bytes. */
HAWSER_INTERNAL int hawser_noise_read(hawser_noise *n, const hawser_pairing *pairing, int number, const uint8_t *in,
                                      size_t in_len, uint8_t *payload);

/* SPEC 6: what follows from both messages. keys->d2g may be ck, and b0 may be h. */
HAWSER_INTERNAL int hawser_noise_finish(const uint8_t ck[HAWSER_HASH_LEN], const uint8_t h[HAWSER_HASH_LEN],
                                        const hawser_keys *keys, uint8_t b0[HAWSER_KEY_LEN]);

/* Lengths of a message without id, connection id and transport framing. */
HAWSER_INTERNAL size_t hawser_full_len(uint8_t mode, uint8_t suite);

/* Whole messages of SPEC 6, with type, id and mac. A device writes the first, keeps what it asked with, and reads the second: keys
 * and B_0 follow from it, which the caller wipes after an error. */
HAWSER_INTERNAL int hawser_full_write1(hawser_noise *n, const hawser_pairing *pairing, uint8_t *out, size_t cap,
                                       size_t *len);
HAWSER_INTERNAL int hawser_full_read2(const struct hawser_asked *asked, const hawser_pairing *pairing,
                                      const uint8_t *in, size_t len, const hawser_keys *keys,
                                      uint8_t b0[HAWSER_KEY_LEN]);

#if HAWSER_GATEWAY
/* What needs no ECDH (keys: the mac; psk: all of it), then the rest. */
HAWSER_INTERNAL int hawser_full_check1(hawser_noise *n, const hawser_pairing *pairing, const uint8_t *in, size_t len);
HAWSER_INTERNAL int hawser_full_read1(hawser_noise *n, const hawser_pairing *pairing, const uint8_t *in, size_t len);
HAWSER_INTERNAL int hawser_full_write2(hawser_noise *n, const hawser_pairing *pairing, const uint8_t *connection_id,
                                       size_t id_len, uint8_t *out, size_t *len);
#endif

#endif

#endif
