/*
 * frames.c - the frames of record.h.
 */
#include "cobs.h"
#include "proof.h"
#include "record.h"

static uint8_t any_transport(void) {
  uint8_t transport = nondet_u8();
  REQUIRE(hawser_transport_known(transport));
  return transport;
}

/* On a stream transport what is held is less than its header announces. */
static int is_part(uint8_t transport, const uint8_t *buffer, size_t held) {
  size_t word = held < 2 ? 0 : (size_t)buffer[0] << 8 | buffer[1];
  return hawser_is_serial(transport) || held < 2 || held < (word < 0x1000 ? 2 + word : 18 + (word & 0x3fff));
}

/* What may be said of any collection, in place or not. */
static void collected(uint8_t transport, int err, const hawser_frame *f, size_t held, size_t cap, size_t in_len) {
  PROVE(err == HAWSER_OK || (err == HAWSER_ERR_FORMAT && transport == HAWSER_STREAM),
        "a serial line skips what is bad");
  PROVE(held <= cap, "the buffer holds what it can");
  PROVE(f->used <= in_len, "no more was taken than came");
  PROVE(f->at == NULL || held == 0, "a frame that is whole is not held any more");
  PROVE(f->at == NULL || f->len == 0 || __CPROVER_w_ok(f->at, f->len), "a frame may be decrypted in place");
  PROVE(err != HAWSER_OK || in_len == 0 || f->used > 0, "goes on");
}

void collects(void) {
  uint8_t transport = any_transport();
  size_t cap = up_to(LEN), held = up_to(cap), in_len = up_to(LEN), before = held;
  uint8_t *buffer = any_bytes(cap), *in = any_bytes(in_len);
  hawser_expect expect = {nondet_int() != 0, nondet_size(), up_to(LEN)};
  hawser_frame f = {0};
  int err;
  REQUIRE(cap >= HAWSER_HEADER_LEN && expect.least > HAWSER_HEADER_LEN && is_part(transport, buffer, held));
  err = hawser_frame_collect(transport, buffer, &held, cap, in, in_len, expect, &f);
  collected(transport, err, &f, held, cap, in_len);
  PROVE(err == HAWSER_OK || held == before, "an error changes nothing");
  PROVE(is_part(transport, buffer, held), "a part of a frame");
  PROVE(hawser_is_serial(transport) || f.at == NULL || (f.len >= expect.least && f.len <= expect.most), "as expected");
  PROVE(!hawser_is_serial(transport) || f.at == NULL || __CPROVER_w_ok(f.at, f.len + 1), "with room for its zero");
  REACHES(f.at == in && f.len > 2, "a frame that lies in place");
  REACHES(f.at == buffer && f.len > 2, "a frame that was put together");
}

void takes(void) {
  uint8_t transport = any_transport();
  size_t cap = up_to(LEN), held = up_to(cap), in_len = up_to(LEN), k = nondet_size();
  uint8_t *buffer = any_bytes(cap), *in = any_bytes(in_len), byte;
  hawser_expect expect = {nondet_int() != 0, nondet_size(), up_to(LEN)};
  hawser_frame f = {0};
  int err;
  REQUIRE(cap >= HAWSER_HEADER_LEN && expect.least > HAWSER_HEADER_LEN && is_part(transport, buffer, held));
  REQUIRE(k < in_len);
  byte = in[k];
  err = hawser_frame_take(transport, buffer, &held, cap, in, in_len, expect, &f);
  collected(transport, err, &f, held, cap, in_len);
  PROVE(is_part(transport, buffer, held), "a part of a frame");
  PROVE(in[k] == byte, "what came stays as it is");
  PROVE(f.at == NULL || f.at == buffer, "in the buffer");
  REACHES(f.at != NULL && f.len > 2, "a frame");
}

void decodes_frames(void) {
  uint8_t transport = any_transport();
  size_t len = up_to(LEN);
  hawser_frame f = {any_bytes(len), len, 0};
  int err = hawser_frame_decode(transport, &f);
  PROVE(f.len <= len, "no longer than it was");
  PROVE(err != HAWSER_OK || !hawser_is_serial(transport) || f.len > HAWSER_HEADER_LEN, "a header and a body");
  PROVE(hawser_is_serial(transport) || (err == HAWSER_OK && f.len == len), "a stream's frames pass");
  REACHES(err == HAWSER_OK && hawser_is_serial(transport), "a serial frame");
}

/* A message into a buffer of any length. */
void frames_messages(void) {
  uint8_t transport = any_transport();
  size_t cap = up_to(LEN), message_len = up_to(HAWSER_MESSAGE1_MAX), len = 0;
  uint8_t *out = any_bytes(cap), *message = any_bytes(message_len);
  int err = hawser_frame_message(transport, message, message_len, out, cap, &len);
  PROVE(err == HAWSER_OK || (err == HAWSER_ERR_BUFFER && len == 0), "or the buffer is too small");
  PROVE(len <= cap, "inside the buffer");
  PROVE(err == HAWSER_OK || cap < HAWSER_COBS_LEN(message_len + 2), "which one of this length never is");
  REACHES(err == HAWSER_OK && hawser_is_serial(transport) && len == cap, "a buffer that just fits");
}
