/*
 * record.h - frames of a transport (SPEC 3.3, 3.4) and the records in them (SPEC 3.6).
 */
#ifndef HAWSER_RECORD_H
#define HAWSER_RECORD_H

#include "wire.h"

#define HAWSER_REKEY_BITS 20
#define HAWSER_COUNTER_END ((uint64_t)1 << 48) /* a counter that has got here is used up */

/* ---- frames ---- */

/* A handshake message behind its length field. */
HAWSER_INTERNAL int hawser_frame_message(uint8_t transport, const uint8_t *message, size_t message_len, uint8_t *out,
                                         size_t cap, size_t *len);

/* What a look at the bytes so far says. */
typedef struct hawser_frame {
  uint8_t *at; /* whole: header and body; else NULL */
  size_t len;  /* whole: of header and body. 0: a serial frame to be skipped */
  size_t used; /* bytes of `in` that were taken */
} hawser_frame;

/* What may come now, and how long it may be: header and body. */
typedef struct hawser_expect {
  uint8_t records; /* else: handshake messages */
  size_t least, most;
} hawser_expect;

#if HAWSER_SERIAL_LINES

/* What lies in front of a message or record while it is built, and how long one may be in cap bytes. */
HAWSER_INTERNAL size_t hawser_frame_front(uint8_t transport, size_t cap);
HAWSER_INTERNAL size_t hawser_frame_max(uint8_t transport, size_t cap);

/* Makes len bytes (header included) at out + hawser_frame_front(transport, cap) ready to send from out on; returns the length. */
HAWSER_INTERNAL size_t hawser_frame_finish(uint8_t transport, uint8_t *out, size_t cap, size_t len);

/* Bytes that the frame had on the transport: before hawser_frame_decode(). */
HAWSER_INTERNAL size_t hawser_frame_len(uint8_t transport, const hawser_frame *frame);

/* Decodes a serial frame that hawser_frame_collect() gave, and checks its header. Stream frames pass.
 * HAWSER_ERR_FORMAT: skip it. */
HAWSER_INTERNAL int hawser_frame_decode(uint8_t transport, hawser_frame *frame);

#else

/* The same where streams alone carry records: a frame is what is in it. */
static inline size_t hawser_frame_front(uint8_t transport, size_t cap) {
  (void)transport;
  (void)cap;
  return 0;
}
static inline size_t hawser_frame_max(uint8_t transport, size_t cap) {
  (void)transport;
  return cap;
}
static inline size_t hawser_frame_finish(uint8_t transport, uint8_t *out, size_t cap, size_t len) {
  (void)transport;
  (void)out;
  (void)cap;
  return len;
}
static inline size_t hawser_frame_len(uint8_t transport, const hawser_frame *frame) {
  (void)transport;
  return frame->len;
}
static inline int hawser_frame_decode(uint8_t transport, hawser_frame *frame) {
  (void)transport;
  (void)frame;
  return HAWSER_OK;
}

#endif

/* Collects one frame: out of `in` alone if it lies there whole and none was begun, else in buffer. On a stream transport
 * HAWSER_ERR_FORMAT as soon as the bytes cannot become what is expected; a serial line looks at whole frames only, and
 * at their length in hawser_frame_decode(). *held is the number of bytes in buffer and is changed only where bytes were
 * taken. */
HAWSER_INTERNAL int hawser_frame_collect(uint8_t transport, uint8_t *buffer, size_t *held, size_t cap, uint8_t *in,
                                         size_t in_len, hawser_expect expect, hawser_frame *frame);

#if HAWSER_GATEWAY
/* The same for bytes that are not to be changed: the frame always goes through buffer. */
HAWSER_INTERNAL int hawser_frame_take(uint8_t transport, uint8_t *buffer, size_t *held, size_t cap, const uint8_t *in,
                                      size_t in_len, hawser_expect expect, hawser_frame *frame);
#endif

#if HAWSER_GATEWAY
/* A serial frame that holds a handshake message, as far as its encoding and header say. It stays as it came. */
HAWSER_INTERNAL int hawser_frame_is_message(const hawser_frame *frame);
#endif

/* ---- records ---- */

HAWSER_INTERNAL int hawser_link_valid(const hawser_link *link);

/* Both keys, counters from 0. */
HAWSER_INTERNAL void hawser_link_up(hawser_link *link, uint8_t transport, const uint8_t tx[HAWSER_KEY_LEN],
                                    const uint8_t rx[HAWSER_KEY_LEN]);

/* The plaintext of len bytes is at record + 2; there is room for 18 more than len. HAWSER_ERR_EXHAUSTED at the end of the
 * counter. */
HAWSER_INTERNAL int hawser_record_seal(hawser_link *link, uint8_t *record, size_t len);

/* record of record_len bytes, header included, is decrypted in place: plaintext at record + 2, record_len - 18 bytes.
 * An error changes nothing in the link. */
HAWSER_INTERNAL int hawser_record_open(hawser_link *link, uint8_t *record, size_t record_len);

#endif
