/*
 * cursor.c - the reader and the writer of wire.h, from any state that they may be in: each step keeps them inside their
 * buffer, so that any sequence of steps does.
 */
#include <string.h>

#include "proof.h"

typedef struct buffer {
  uint8_t *bytes;
  size_t len, at;
} buffer;

/* A cursor stands anywhere in a buffer of any length up to LEN. */
static buffer any_buffer(void) {
  buffer b;
  b.len = up_to(LEN);
  b.at = up_to(b.len);
  b.bytes = any_bytes(b.len);
  return b;
}

static void reader_moved(const hawser_reader *r, const buffer *b, int was_bad, size_t len) {
  int fits = !was_bad && len <= b->len - b->at;
  PROVE((r->bad != 0) == !fits, "bad exactly when it was, or when the bytes do not fit");
  PROVE(r->at == b->bytes + b->at + (fits ? len : 0), "moves by what it gave, and else stays");
  PROVE(r->left == b->len - b->at - (fits ? len : 0), "counts what is left");
}

void reads_integers(void) {
  buffer b = any_buffer();
  hawser_reader r = {b.bytes + b.at, b.len - b.at, nondet_int()};
  int was_bad = r.bad != 0;
  size_t n = up_to(8);
  uint64_t wanted = 0, value;
  value = hawser_get(&r, n);
  for (size_t i = 0; !r.bad && i < n; i++) {
    wanted = wanted << 8 | b.bytes[b.at + i];
  }
  PROVE(value == wanted, "big-endian; 0 when bad");
  reader_moved(&r, &b, was_bad, n);
  REACHES(!r.bad && n == 8, "an integer of 8 bytes");
  REACHES(r.bad && !was_bad, "the end");
}

void reads_bytes(void) {
  buffer b = any_buffer();
  hawser_reader r = {b.bytes + b.at, b.len - b.at, nondet_int()};
  int was_bad = r.bad != 0;
  size_t n = nondet_size();
  const uint8_t *bytes = hawser_get_bytes(&r, n);
  PROVE(r.bad ? bytes == NULL : bytes == b.bytes + b.at, "the bytes where the cursor stood; NULL when bad");
  PROVE(r.bad || n == 0 || __CPROVER_r_ok(bytes, n), "all of them may be read");
  PROVE(hawser_reader_done(&r) == (!r.bad && r.left == 0), "done when all was read");
  reader_moved(&r, &b, was_bad, n);
  REACHES(!r.bad && n == LEN, "a whole buffer");
}

static void writer_moved(const hawser_writer *w, const buffer *b, int was_bad, size_t len) {
  int fits = !was_bad && len <= b->len - b->at;
  PROVE((w->bad != 0) == !fits, "bad exactly when it was, or when the bytes do not fit");
  PROVE(w->at == b->bytes + b->at + (fits ? len : 0), "moves by what it wrote, and else stays");
  PROVE(w->left == b->len - b->at - (fits ? len : 0), "counts what is left");
}

void writes_integers(void) {
  buffer b = any_buffer();
  hawser_writer w = {b.bytes + b.at, b.len - b.at, nondet_int()};
  int was_bad = w.bad != 0;
  size_t n = up_to(8), elsewhere = nondet_size();
  uint64_t value = nondet_u64();
  uint8_t before;
  REQUIRE(elsewhere < b.len && (elsewhere < b.at || elsewhere - b.at >= n));
  before = b.bytes[elsewhere];
  hawser_put(&w, n, value);
  for (size_t i = 0; !w.bad && i < n; i++) {
    PROVE(b.bytes[b.at + n - 1 - i] == (value >> 8 * i & 0xff), "big-endian");
  }
  PROVE(b.bytes[elsewhere] == before, "and nothing else");
  writer_moved(&w, &b, was_bad, n);
  REACHES(!w.bad && n == 8, "an integer of 8 bytes");
}

void writes_bytes(void) {
  buffer b = any_buffer();
  hawser_writer w = {b.bytes + b.at, b.len - b.at, nondet_int()};
  int was_bad = w.bad != 0;
  size_t n = up_to(LEN), k = nondet_size();
  uint8_t *bytes = any_bytes(n);
  hawser_put_bytes(&w, bytes, n);
  REQUIRE(k < n);
  PROVE(w.bad || b.bytes[b.at + k] == bytes[k], "each byte");
  writer_moved(&w, &b, was_bad, n);
  REACHES(!w.bad, "bytes that fit");
}
