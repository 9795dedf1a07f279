/*
 * test_record.c - COBS and frames, records at the ends of their counters, the key schedule of SPEC 3.6.
 */
#include "check.h"

#include "cobs.h"
#include "record.h"

static void cobs_round(const uint8_t *plain, size_t len) {
  uint8_t buffer[HAWSER_COBS_LEN(1200) + 8];
  size_t front = HAWSER_COBS_FRONT(1200);
  size_t encoded;
  memcpy(buffer + front, plain, len);
  encoded = hawser_cobs_encode(buffer, front, len);
  CHECK(encoded <= (size_t)HAWSER_COBS_LEN(len));
  CHECK(memchr(buffer, 0, encoded) == buffer + encoded - 1);
  CHECK(hawser_cobs_decode(buffer, encoded - 1) == len);
  CHECK_BYTES(buffer, plain, len);
}

static void cobs(void) {
  static const uint8_t known[] = {0x03, 0x11, 0x22, 0x02, 0x33, 0x00};
  static const uint8_t bad[][4] = {{0x03, 0x11}, {0x05, 0x11, 0x22, 0x33}, {0x02, 0x00}, {0x00, 0x01}};
  uint8_t plain[1200], head[2], buffer[16] = {0, 0, 0x11, 0x22, 0x00, 0x33};
  CHECK(hawser_cobs_encode(buffer, 2, 4) == sizeof known);
  CHECK_BYTES(buffer, known, sizeof known);
  for (size_t len = 1; len <= sizeof plain; len += len < 520 ? 1 : 37) {
    memset(plain, 0xff, len);
    cobs_round(plain, len);
    memset(plain, 0, len);
    cobs_round(plain, len);
    for (size_t i = 0; i < len; i++) {
      plain[i] = (uint8_t)(i % 255);
    }
    cobs_round(plain, len);
    plain[len - 1] = 0;
    cobs_round(plain, len);
  }
  CHECK(hawser_cobs_decode(buffer, 0) == 0);
  for (size_t i = 0; i < 4; i++) {
    memcpy(buffer, bad[i], 4);
    CHECK(hawser_cobs_peek(buffer, i == 0 ? 2 : i == 2 ? 2 : 4, head) == 0);
    CHECK(hawser_cobs_decode(buffer, i == 0 ? 2 : i == 2 ? 2 : 4) == 0);
  }
  CHECK(hawser_cobs_peek(known, sizeof known - 1, head) == 4 && head[0] == 0x11 && head[1] == 0x22);
}

/* Any cutting of the same bytes gives the same frames. */
static void frames(uint8_t transport) {
  const hawser_expect any = {0, 3, 32};
  uint8_t wire[64], in[64], held[64], out[3][16];
  size_t total = 0;
  for (uint8_t k = 0; k < 3; k++) {
    uint8_t message[4] = {k, 0, 0, k};
    size_t len;
    CHECK(hawser_frame_message(transport, message, 4, wire + total, 16, &len) == HAWSER_OK);
    total += len;
  }
  for (size_t step = 1; step <= total; step++) {
    size_t count = 0, hold = 0, at = 0;
    memcpy(in, wire, total);
    while (at < total) {
      hawser_frame f;
      size_t n = step < total - at ? step : total - at;
      CHECK(hawser_frame_collect(transport, held, &hold, sizeof held, in + at, n, any, &f) == HAWSER_OK);
      CHECK(f.used > 0 && f.used <= n);
      at += f.used;
      if (f.at != NULL && count < 3) {
        CHECK(hawser_frame_decode(transport, &f) == HAWSER_OK && f.len == 6);
        memcpy(out[count++], f.at, f.len);
      }
    }
    CHECK(count == 3 && hold == 0);
    for (uint8_t k = 0; k < 3; k++) {
      uint8_t expected[6] = {0, 4, k, 0, 0, k};
      CHECK_BYTES(out[k], expected, 6);
    }
  }
}

/* The length that HAWSER_COBS_LEN() gives room for is the length that fits: HAWSER_WRITE_LEN() counts on it. */
static void room(void) {
  for (size_t cap = 3; cap < 1100; cap++) {
    size_t most = hawser_frame_max(HAWSER_SERIAL, cap);
    CHECK((size_t)HAWSER_COBS_LEN(most) <= cap && (size_t)HAWSER_COBS_LEN(most + 1) > cap);
    CHECK(hawser_frame_front(HAWSER_SERIAL, cap) + most <= cap);
  }
}

static void too_long(void) {
  const hawser_expect any = {1, HAWSER_RECORD_OVERHEAD, 32};
  uint8_t in[200], held[32];
  size_t hold = 0;
  hawser_frame f;
  memset(in, 7, sizeof in);
  in[150] = 0;
  CHECK(hawser_frame_collect(HAWSER_SERIAL, held, &hold, sizeof held, in, 100, any, &f) == HAWSER_OK && f.at == NULL);
  CHECK(hawser_frame_collect(HAWSER_SERIAL, held, &hold, sizeof held, in + 100, 100, any, &f) == HAWSER_OK);
  CHECK(f.used == 51 && hold == 0 && hawser_frame_decode(HAWSER_SERIAL, &f) == HAWSER_ERR_FORMAT);
  for (unsigned first = 0x10; first < 0x100; first++) { /* SPEC 3.1: no stream frame begins with these, or says 0 */
    in[0] = (uint8_t)first;
    in[1] = 1;
    hold = 0;
    if (first < 0x40 || first > 0x7f) {
      CHECK(hawser_frame_collect(HAWSER_STREAM, held, &hold, sizeof held, in, 2, any, &f) == HAWSER_ERR_FORMAT);
      CHECK(hawser_frame_collect(HAWSER_STREAM, held, &hold, sizeof held, in, 1, any, &f) == HAWSER_ERR_FORMAT);
      CHECK(hold == 0);
    }
  }
  in[0] = in[1] = 0;
  CHECK(hawser_frame_collect(HAWSER_STREAM, held, &hold, sizeof held, in, 2, any, &f) == HAWSER_ERR_FORMAT);
  CHECK(hawser_frame_collect(HAWSER_STREAM, held, &hold, sizeof held, in, 1, any, &f) == HAWSER_ERR_FORMAT);
  in[0] = 0x40;
  in[1] = 15; /* 33 bytes in all */
  CHECK(hawser_frame_collect(HAWSER_STREAM, held, &hold, sizeof held, in, 2, any, &f) == HAWSER_ERR_FORMAT);
}

static void start(hawser_link *a, hawser_link *b, uint64_t counter) {
  uint8_t k1[32], k2[32];
  memset(k1, 1, 32);
  memset(k2, 2, 32);
  memset(a, 0, sizeof *a); /* padding too: links are compared whole */
  memset(b, 0, sizeof *b);
  hawser_link_up(a, HAWSER_STREAM, k1, k2);
  hawser_link_up(b, HAWSER_STREAM, k2, k1);
  a->tx_counter = b->rx_counter = counter;
}

/* One record across; 1 if it arrived. */
static int cross(hawser_link *a, hawser_link *b, uint8_t mark) {
  uint8_t record[32] = {0, 0, mark, 2, 3};
  if (hawser_record_seal(a, record, 3) != HAWSER_OK) {
    return 0;
  }
  return hawser_record_open(b, record, 21) == HAWSER_OK && record[2] == mark;
}

static void counters(void) {
  static const uint64_t at[] = {((uint64_t)1 << 20) - 2, ((uint64_t)1 << 32) - 2, ((uint64_t)1 << 47) - 2};
  hawser_link a, b;
  for (size_t i = 0; i < 3; i++) {
    uint8_t before[32];
    start(&a, &b, at[i]);
    memcpy(before, a.tx_key, 32);
    for (uint8_t k = 0; k < 5; k++) {
      CHECK(cross(&a, &b, k));
      CHECK((memcmp(before, a.tx_key, 32) == 0) == (k < 2)); /* the key changes with record 2^20 n */
    }
    CHECK(a.tx_counter == at[i] + 5 && b.rx_counter == a.tx_counter);
    CHECK_BYTES(a.tx_key, b.rx_key, 32);
  }
}

/* SPEC 3.6: k_{j+1} = first 32 bytes of GCM(k_j, 0^4 || 0xff^8, empty, 0^32) */
static void rekey_formula(void) {
  static const uint8_t zeros[32];
  uint8_t nonce[12] = {0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255}, expected[48];
  hawser_link a, b;
  start(&a, &b, (uint64_t)1 << 20);
  CHECK(hawser_port_seal(a.tx_key, nonce, NULL, 0, zeros, 32, expected) == HAWSER_OK);
  CHECK(cross(&a, &b, 9));
  CHECK_BYTES(a.tx_key, expected, 32);
}

/* A forged record at the boundary moves neither key nor counter (ATTACKS.md class 14). */
static void forged_at_boundary(void) {
  uint8_t record[32] = {0}, bad[32];
  hawser_link a, b, before;
  start(&a, &b, (uint64_t)1 << 20);
  CHECK(hawser_record_seal(&a, record, 3) == HAWSER_OK);
  memcpy(&before, &b, sizeof b);
  for (size_t bit = 0; bit < 8 * 21; bit++) {
    memcpy(bad, record, sizeof bad);
    bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK(hawser_record_open(&b, bad, 21) == HAWSER_ERR_AUTH);
    CHECK_ZERO(bad + 2, 3); /* no plaintext before the tag was right */
    CHECK_BYTES(&before, &b, sizeof b);
  }
  CHECK(hawser_record_open(&b, record, 21) == HAWSER_OK);
}

static void the_end(void) {
  uint8_t record[32] = {0};
  hawser_link a, b, before;
  start(&a, &b, ((uint64_t)1 << 48) - 2);
  CHECK(cross(&a, &b, 1));
  CHECK(cross(&a, &b, 2));
  memcpy(&before, &a, sizeof a);
  CHECK(hawser_record_seal(&a, record, 3) == HAWSER_ERR_EXHAUSTED);
  CHECK_BYTES(&before, &a, sizeof a);
  CHECK(hawser_record_open(&b, record, 21) == HAWSER_ERR_EXHAUSTED);
  CHECK(hawser_link_valid(&a) && hawser_link_valid(&b));
}

static void cursors(void) {
  uint8_t bytes[4] = {1, 2, 3, 4};
  hawser_reader r = {bytes, 4, 0};
  hawser_writer w = {bytes, 4, 0};
  CHECK(hawser_get(&r, 3) == 0x010203 && r.left == 1);
  CHECK(hawser_get(&r, 2) == 0 && r.bad && r.left == 1);
  CHECK(hawser_get(&r, 1) == 0); /* bad for good */
  CHECK(!hawser_reader_done(&r));
  hawser_put(&w, 3, 0xa0b0c0d0);
  CHECK(bytes[0] == 0xb0 && bytes[2] == 0xd0);
  hawser_put(&w, 2, 1);
  CHECK(w.bad && bytes[3] == 4);
}

int main(void) {
  cursors();
  cobs();
  frames(HAWSER_STREAM);
  frames(HAWSER_SERIAL);
  room();
  too_long();
  counters();
  rekey_formula();
  forged_at_boundary();
  the_end();
  return check_done();
}
