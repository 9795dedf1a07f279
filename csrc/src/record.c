/*
 * record.c - see record.h.
 */
#include "record.h"

#include <string.h>

#include "cobs.h"

/* ---- frames ---- */

/* Length of what a header announces, header included; 0 for a header that nobody would send. */
static size_t announced(const uint8_t header[HAWSER_HEADER_LEN]) {
  size_t word = (size_t)header[0] << 8 | header[1];
  if (header[0] <= HAWSER_FIRST_MESSAGE) {
    return word == 0 ? 0 : HAWSER_HEADER_LEN + word;
  }
  if ((word & 0xc000) == HAWSER_FIRST_RECORD) {
    return HAWSER_RECORD_OVERHEAD + (word & 0x3fff);
  }
  return 0;
}

#if HAWSER_SERIAL_LINES

size_t hawser_frame_max(uint8_t transport, size_t cap) {
  if (!hawser_is_serial(transport)) {
    return cap;
  }
  return cap < 3 ? 0 : cap - 2 - (cap - 1) / 255; /* the most that HAWSER_COBS_LEN() allows */
}

size_t hawser_frame_front(uint8_t transport, size_t cap) {
  return hawser_is_serial(transport) ? HAWSER_COBS_FRONT(hawser_frame_max(transport, cap)) : 0;
}

size_t hawser_frame_finish(uint8_t transport, uint8_t *out, size_t cap, size_t len) {
  return hawser_is_serial(transport) ? hawser_cobs_encode(out, hawser_frame_front(transport, cap), len) : len;
}

size_t hawser_frame_len(uint8_t transport, const hawser_frame *frame) {
  return hawser_is_serial(transport) ? frame->len + 1 : frame->len;
}

int hawser_frame_decode(uint8_t transport, hawser_frame *frame) {
  if (hawser_is_serial(transport)) {
    frame->len = hawser_cobs_decode(frame->at, frame->len);
    /* SPEC 3.4: a frame whose header does not match its length is discarded */
    if (frame->len < HAWSER_HEADER_LEN || announced(frame->at) != frame->len) {
      return HAWSER_ERR_FORMAT;
    }
  }
  return HAWSER_OK;
}

#endif

int hawser_frame_message(uint8_t transport, const uint8_t *message, size_t message_len, uint8_t *out, size_t cap,
                         size_t *len) {
  uint8_t *at;
  if (message_len + HAWSER_HEADER_LEN > hawser_frame_max(transport, cap)) {
    return HAWSER_ERR_BUFFER;
  }
  at = out + hawser_frame_front(transport, cap);
  memmove(at + HAWSER_HEADER_LEN, message, message_len);
  at[0] = (uint8_t)(message_len >> 8);
  at[1] = (uint8_t)message_len;
  *len = hawser_frame_finish(transport, out, cap, message_len + HAWSER_HEADER_LEN);
  return HAWSER_OK;
}

/* Takes bytes into buffer until it holds `want`. */
static size_t take(uint8_t *buffer, size_t *held, const uint8_t *in, size_t in_len, size_t want) {
  size_t n = want - *held < in_len ? want - *held : in_len;
  if (n > 0) {
    memcpy(buffer + *held, in, n);
    *held += n;
  }
  return n;
}

/* SPEC 3.1: the first byte says already what it cannot become. */
static int first_fits(uint8_t first, int records) {
  return records ? first >= HAWSER_FIRST_RECORD >> 8 && first < 0x80 : first <= HAWSER_FIRST_MESSAGE;
}

/* in_place: a frame that lies whole in `in` stays there. */
static int collect_stream(uint8_t *buffer, size_t *held, size_t cap, const uint8_t *in, size_t in_len,
                          hawser_expect expect, int in_place, hawser_frame *f) {
  size_t before = *held;
  size_t used = before < HAWSER_HEADER_LEN ? take(buffer, held, in, in_len, HAWSER_HEADER_LEN) : 0;
  size_t len = *held < HAWSER_HEADER_LEN ? expect.least : announced(buffer);
  if (!first_fits(buffer[0], expect.records) || len < expect.least || len > expect.most || len > cap) {
    *held = before;
    return HAWSER_ERR_FORMAT;
  }
  if (in_place && before == 0 && in_len >= len) {
    *held = 0;
    f->len = len;
    f->used = len;
    return HAWSER_OK;
  }
  if (*held >= HAWSER_HEADER_LEN) {
    used += take(buffer, held, in + used, in_len - used, len);
    f->len = len;
  }
  if (*held == len) {
    f->at = buffer;
    *held = 0;
  }
  f->used = used;
  return HAWSER_OK;
}

/* A serial frame ends with a zero. One that is too long fills the buffer, and is skipped up to its zero. */
static int collect_serial(uint8_t *buffer, size_t *held, size_t cap, const uint8_t *in, size_t in_len, int in_place,
                          hawser_frame *f) {
  const uint8_t *zero = memchr(in, 0, in_len);
  size_t len = zero != NULL ? (size_t)(zero - in) : in_len;
  f->used = zero != NULL ? len + 1 : len;
  if (in_place && zero != NULL && *held == 0) {
    f->len = len;
    return HAWSER_OK;
  }
  if (len > cap - *held) {
    *held = cap; /* too long: it stays full until the zero */
  } else {
    (void)take(buffer, held, in, len, *held + len);
  }
  if (zero != NULL) {
    f->at = buffer;
    f->len = *held == cap ? 0 : *held;
    *held = 0;
  }
  return HAWSER_OK;
}

static int collect(uint8_t transport, uint8_t *buffer, size_t *held, size_t cap, const uint8_t *in, size_t in_len,
                   hawser_expect expect, int in_place, hawser_frame *frame) {
  memset(frame, 0, sizeof *frame);
  if (in_len == 0) {
    return HAWSER_OK;
  }
  return hawser_is_serial(transport) ? collect_serial(buffer, held, cap, in, in_len, in_place, frame)
                                     : collect_stream(buffer, held, cap, in, in_len, expect, in_place, frame);
}

int hawser_frame_collect(uint8_t transport, uint8_t *buffer, size_t *held, size_t cap, uint8_t *in, size_t in_len,
                         hawser_expect expect, hawser_frame *frame) {
  size_t before = *held;
  int err = collect(transport, buffer, held, cap, in, in_len, expect, 1, frame);
  /* taken, and not through the buffer: it lies in `in` */
  int whole = frame->used > 0 && frame->at == NULL && before == 0 && *held == 0;
  if (err == HAWSER_OK && whole) {
    frame->at = in;
  }
  return err;
}

#if HAWSER_GATEWAY
int hawser_frame_take(uint8_t transport, uint8_t *buffer, size_t *held, size_t cap, const uint8_t *in, size_t in_len,
                      hawser_expect expect, hawser_frame *frame) {
  return collect(transport, buffer, held, cap, in, in_len, expect, 0, frame);
}
#endif

#if HAWSER_GATEWAY
int hawser_frame_is_message(const hawser_frame *frame) {
  uint8_t head[HAWSER_HEADER_LEN];
  size_t len = hawser_cobs_peek(frame->at, frame->len, head);
  return len > HAWSER_HEADER_LEN && head[0] <= HAWSER_FIRST_MESSAGE && announced(head) == len;
}
#endif

/* ---- records ---- */

int hawser_link_valid(const hawser_link *link) {
  return link->live <= 1 && link->tx_counter <= HAWSER_COUNTER_END && link->rx_counter <= HAWSER_COUNTER_END &&
         (!link->live || hawser_transport_known(link->transport));
}

void hawser_link_up(hawser_link *link, uint8_t transport, const uint8_t tx[HAWSER_KEY_LEN],
                    const uint8_t rx[HAWSER_KEY_LEN]) {
  memcpy(link->tx_key, tx, HAWSER_KEY_LEN);
  memcpy(link->rx_key, rx, HAWSER_KEY_LEN);
  link->tx_counter = 0;
  link->rx_counter = 0;
  link->transport = transport;
  link->live = 1;
}

/* SPEC 3.6: j = c >> 20, next key by Noise's Rekey: the sealed zeros without their tag. */
static HAWSER_APART int rekey(uint8_t key[HAWSER_KEY_LEN]) {
  uint8_t next[HAWSER_KEY_LEN + HAWSER_TAG_LEN] = {0};
  int err = hawser_seal(key, UINT64_MAX, NULL, 0, next, HAWSER_KEY_LEN, next);
  if (err == HAWSER_OK) {
    memcpy(key, next, HAWSER_KEY_LEN);
  }
  hawser_port_wipe(next, sizeof next);
  return err;
}

static int begins_period(uint64_t counter) {
  return counter != 0 && ((uint32_t)counter & (((uint32_t)1 << HAWSER_REKEY_BITS) - 1)) == 0;
}

typedef int cipher(const uint8_t key[HAWSER_KEY_LEN], uint64_t counter, const uint8_t *ad, size_t ad_len,
                   const uint8_t *in, size_t len, uint8_t *out);

/* One record of a direction, in place. SPEC 3.6: the next key is derived aside, and key and counter are committed only
 * when all went well: at a receiver, after the tag was right. */
static int pass(cipher *apply, uint8_t link_key[HAWSER_KEY_LEN], uint64_t *counter, uint8_t *record, size_t len) {
  uint8_t *text = record + HAWSER_HEADER_LEN;
  uint8_t key[HAWSER_KEY_LEN];
  int err = HAWSER_OK;
  /* SPEC 3.6: c reaches at most 2^48 - 1; then the sender MUST stop and resume */
  if (*counter >= HAWSER_COUNTER_END) {
    return HAWSER_ERR_EXHAUSTED;
  }
  memcpy(key, link_key, sizeof key);
  if (begins_period(*counter)) {
    err = rekey(key);
  }
  if (err == HAWSER_OK) {
    err = apply(key, *counter, record, HAWSER_HEADER_LEN, text, len, text);
  }
  if (err == HAWSER_OK) {
    memcpy(link_key, key, sizeof key);
    (*counter)++;
  }
  hawser_port_wipe(key, sizeof key);
  return err;
}

int hawser_record_seal(hawser_link *link, uint8_t *record, size_t len) {
  record[0] = (uint8_t)(HAWSER_FIRST_RECORD >> 8 | len >> 8);
  record[1] = (uint8_t)len;
  return pass(hawser_seal, link->tx_key, &link->tx_counter, record, len);
}

int hawser_record_open(hawser_link *link, uint8_t *record, size_t record_len) {
  return pass(hawser_unseal, link->rx_key, &link->rx_counter, record, record_len - HAWSER_RECORD_OVERHEAD);
}
