/*
 * test_tamper.c - every truncation and every single-bit flip of every message and of records, in every mode: refused, and
 * the receiver is bit for bit what it was. (ATTACKS.md classes 1, 9, 17, 19.)
 */
#include "ends.h"

#include "wire.h"

static ends e;
static uint8_t m1[4200], m2[256];
static size_t m1_len, m2_len;

static void begin(uint8_t mode, uint8_t suite) {
  int taken;
  ends_init(&e, mode, suite, HAWSER_STREAM);
  m1_len = m2_len = 0;
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &m1_len, e.now) == HAWSER_OK);
}

/* A bad message 1: no answer, and the store's chain stands. */
static void refuse1(const uint8_t *bytes, size_t len) {
  uint8_t out[256];
  size_t out_len = 0;
  hawser_chain chain = e.chain;
  CHECK(ends_answer(&e, bytes, len, out, sizeof out, &out_len) != HAWSER_OK);
  CHECK(out_len == 0);
  CHECK_BYTES(&chain, &e.chain, sizeof chain);
}

static void tamper1(void) {
  uint8_t bad[4200];
  for (size_t bit = 0; bit < 8 * m1_len; bit++) {
    memcpy(bad, m1, m1_len);
    bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    refuse1(bad, m1_len);
  }
  for (size_t len = 0; len < m1_len; len++) {
    memcpy(bad, m1, m1_len);
    refuse1(bad, len);
    if (len > HAWSER_HEADER_LEN) { /* cut, with a length that fits */
      bad[0] = (uint8_t)((len - 2) >> 8);
      bad[1] = (uint8_t)(len - 2);
      refuse1(bad, len);
    }
  }
}

/* What follows a message 1 of `len` bytes is not waited for: how many bytes of these a new connection takes before it is
 * refused, or 0. */
static size_t refused_after(const uint8_t *bytes, size_t len) {
  hawser_accept_event event;
  size_t used;
  CHECK(hawser_accept_init(&e.accept, HAWSER_STREAM, e.accept_buffer) == HAWSER_OK);
  for (size_t i = 0; i < len; i++) {
    int err = hawser_accept_receive(&e.accept, bytes + i, 1, &used, &event);
    if (err != HAWSER_OK) {
      CHECK(err == HAWSER_ERR_FORMAT && event.type == HAWSER_ACCEPT_NONE);
      return i + 1;
    }
  }
  return 0;
}

/* SPEC 3.3: refused at the first byte that no message 1 can have. */
static void strangers(void) {
  static const struct {
    uint8_t bytes[3];
    uint8_t after;
  } table[] = {
      {{'G', 'E', 'T'}, 1}, {{0x16, 3, 1}, 1},  {{0x40, 0, 0}, 1},       {{0xff, 0, 0}, 1},   {{0, 0, 0}, 2},
      {{0, 45, 0x18}, 2},   {{0, 46, 0x18}, 0}, {{0x0f, 0xff, 0x18}, 0}, {{0, 60, 0x11}, 3},  {{0, 61, 0x11}, 0},
      {{0, 89, 0x11}, 0},   {{0, 90, 0x11}, 3}, {{0, 93, 0x12}, 3},      {{0, 94, 0x12}, 0},  {{0, 122, 0x14}, 0},
      {{0, 123, 0x14}, 3},  {{0, 52, 0x15}, 3}, {{0, 53, 0x15}, 0},      {{0, 114, 0x16}, 0}, {{0, 115, 0x16}, 3},
      {{0, 57, 0x17}, 3},   {{0, 50, 0x1a}, 3}, {{0, 60, 0x10}, 3},      {{0, 60, 0x20}, 3},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    CHECK(refused_after(table[i].bytes, 3) == table[i].after);
  }
}

/* An offer that fails leaves the candidate as it was, so that the next record can be tried. */
static void wrong_device(void) {
  hawser_accept_event event;
  hawser_accept before;
  hawser_pairing other = e.gateway_pairing;
  hawser_chain chain = e.chain;
  hawser_position position = {7, 7};
  size_t used;
  int early = 9;
  chain.r[3] ^= 1;
  other.gate_d2g[0] ^= 1;
  other.id[0] ^= 1;
  CHECK(hawser_accept_init(&e.accept, e.transport, e.accept_buffer) == HAWSER_OK);
  CHECK(hawser_accept_receive(&e.accept, m1, m1_len, &used, &event) == HAWSER_OK && used == m1_len);
  before = e.accept;
  if (event.type == HAWSER_ACCEPT_ID) {
    CHECK(hawser_accept_offer_id(&e.accept, &other) == HAWSER_ERR_AUTH);
  } else {
    CHECK(hawser_accept_offer_ticket(&e.accept, &e.gateway_pairing, &chain, 2, &position, &early) == HAWSER_ERR_AUTH);
    CHECK(hawser_accept_offer_ticket(&e.accept, &other, &e.chain, 2, &position, &early) == HAWSER_ERR_AUTH);
    CHECK(position.b == 7 && early == 9);
  }
  CHECK_BYTES(&before, &e.accept, sizeof before);
}

/* SPEC 3.2: no connection id on a stream. Neither end lets one through. */
static void connection_id(void) {
  hawser_accept_event event;
  hawser_device before = e.device;
  hawser_position position;
  const uint8_t id[1] = {7};
  uint8_t out[256];
  size_t used, len = 0;
  int early;
  int full;
  CHECK(hawser_accept_init(&e.accept, e.transport, e.accept_buffer) == HAWSER_OK);
  CHECK(hawser_accept_receive(&e.accept, m1, m1_len, &used, &event) == HAWSER_OK);
  full = event.type == HAWSER_ACCEPT_ID;
  CHECK((full
             ? hawser_accept_offer_id(&e.accept, &e.gateway_pairing)
             : hawser_accept_offer_ticket(&e.accept, &e.gateway_pairing, &e.chain, 2, &position, &early)) == HAWSER_OK);
  for (int forged = 0; forged < 2; forged++) {
    int err;
    e.accept.transport = forged ? HAWSER_DATAGRAM : HAWSER_STREAM;
    err = full ? hawser_accept_answer_full(&e.accept, id, 1, out, sizeof out, &len)
               : hawser_accept_answer_ticket(&e.accept, &e.context, 0, 0, id, 1, out, sizeof out, &len);
    CHECK(err == (forged ? HAWSER_OK : HAWSER_ERR_ARG));
  }
  CHECK(hawser_device_receive(&e.device, out, len, &used, e.now) == HAWSER_ERR_FORMAT);
  CHECK_BYTES(&before, &e.device, sizeof before);
}

static void tamper2(void) {
  hawser_device before;
  uint8_t bad[256];
  size_t used;
  CHECK(ends_answer(&e, m1, m1_len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  CHECK(m2_len <= m1_len);
  before = e.device;
  for (size_t bit = 0; bit < 8 * m2_len; bit++) {
    int err;
    memcpy(bad, m2, m2_len);
    bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    err = hawser_device_receive(&e.device, bad, m2_len, &used, e.now);
    if (err == HAWSER_OK) { /* a longer length: the rest is awaited, and nothing else has happened */
      CHECK(bit < 16 && e.device.session.rx_len == m2_len);
      e.device.session.rx_len = 0;
    }
    CHECK_BYTES(&before, &e.device, sizeof before);
  }
  for (size_t len = 3; len < m2_len; len++) {
    memcpy(bad, m2, len);
    bad[0] = 0;
    bad[1] = (uint8_t)(len - 2);
    CHECK(hawser_device_receive(&e.device, bad, len, &used, e.now) != HAWSER_OK);
    CHECK_BYTES(&before, &e.device, sizeof before);
  }
  /* its own message sent back (ATTACKS.md class 16) */
  memcpy(bad, m1, m1_len < sizeof bad ? m1_len : sizeof bad);
  CHECK(hawser_device_receive(&e.device, bad, m1_len, &used, e.now) != HAWSER_OK);
  CHECK_BYTES(&before, &e.device, sizeof before);
}

static void establish(void) {
  uint8_t record[2048], bad[2048];
  size_t len = 0, used;
  hawser_accept_event event;
  CHECK(ends_to_device(&e, m2, m2_len) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, record, sizeof record, &len, e.now) == HAWSER_OK);
  /* a forged first record confirms nothing */
  for (size_t bit = 0; bit < 8 * len; bit++) {
    hawser_accept copy = e.accept;
    memcpy(bad, record, len);
    bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (hawser_accept_receive(&copy, bad, len, &used, &event) == HAWSER_OK) {
      CHECK(event.type == HAWSER_ACCEPT_NONE && bit < 16);
    }
    CHECK(copy.link.rx_counter == 0);
  }
  CHECK(ends_confirm(&e, record, len) == HAWSER_OK);
  CHECK(ends_pump(&e) == HAWSER_OK);
}

/* A record of one end, in every broken form, to the other. */
static void tamper_record(int from_device) {
  uint8_t record[256], bad[256];
  size_t len = 0, taken = 0, used;
  int fin;
  hawser_session *from = from_device ? &e.device.session : &e.session;
  hawser_session *to = from_device ? &e.session : &e.device.session;
  hawser_session before;
  CHECK(hawser_write(from, 0, (const uint8_t *)"nine byte", 9, 0, record, sizeof record, &len, &taken, &fin, e.now) ==
        HAWSER_OK);
  CHECK(len == 9 + HAWSER_FRAME_OVERHEAD + HAWSER_RECORD_OVERHEAD && taken == 9);
  before = *to;
  for (size_t bit = 0; bit < 8 * len; bit++) {
    hawser_event event;
    memcpy(bad, record, len);
    bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (hawser_receive(to, bad, len, &used, e.now + 1) == HAWSER_OK) {
      CHECK(bit < 16 && to->rx_len == len && hawser_next(to, &event) == HAWSER_OK && event.type == HAWSER_EV_NONE);
      to->rx_len = 0;
      to->now_ms = before.now_ms;
    }
    CHECK_BYTES(&before, to, sizeof before);
  }
  memcpy(bad, record, len);
  CHECK(hawser_receive(from, bad, len, &used, e.now) == HAWSER_ERR_AUTH); /* reflected */
  memcpy(bad, record, len);
  CHECK(hawser_receive(to, bad, len, &used, e.now) == HAWSER_OK && used == len);
  CHECK((from_device ? ends_gateway_events(&e) : ends_device_events(&e)) == HAWSER_OK);
  before = *to;
  CHECK(hawser_receive(to, record, len, &used, e.now) == HAWSER_ERR_AUTH); /* replayed */
  CHECK_BYTES(&before, to, sizeof before);
}

static void all(uint8_t mode, uint8_t suite) {
  uint16_t id;
  begin(mode, suite);
  tamper1();
  wrong_device();
  connection_id();
  tamper2();
  establish();
  CHECK(hawser_open(&e.device, "tcp", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  CHECK(ends_pump(&e) == HAWSER_OK);
  tamper_record(1);
  tamper_record(0);
  CHECK(e.gateway_log.lens[0] == 9 && e.device_log.lens[0] == 9);
  ends_free(&e);
}

/* Knock-out: each secret, id, role and byte of the identity header in turn makes the other end a stranger. */
static void knock_out(uint8_t mode, uint8_t suite) {
  for (int what = 0; what < 6; what++) {
    uint8_t raw[32];
    hawser_key other = 0;
    hawser_pairing *p = &e.gateway_pairing;
    int applies = 1;
    ends_init(&e, mode, suite, HAWSER_STREAM);
    ends_fill(raw, 32, 201);
    if (what == 0) {
      p->id[7] ^= 1;
    } else if (what == 1) {
      p->gateway_id[0] ^= 1;
    } else if (what == 2) {
      applies = mode != HAWSER_TICKET && mode != HAWSER_PSK;
      p->ss[31] ^= 1;
    } else if (what == 3) {
      applies = mode == HAWSER_PSK || mode == HAWSER_KEYS_PSK;
      p->psk = other = applies ? IMPORT(PSK, raw) : 0;
    } else if (what == 4) {
      applies = mode != HAWSER_TICKET && mode != HAWSER_PSK;
      if (applies) {
        p->own = other = ends_import_private(suite, raw);
      }
    } else {
      applies = mode == HAWSER_KEYS; /* the device takes it for the mode with a PSK */
      if (applies) {
        e.device_pairing.mode = HAWSER_KEYS_PSK;
        e.device_pairing.psk = other = IMPORT(PSK, raw);
      }
    }
    if (applies) {
      CHECK(ends_connect(&e, NULL, NULL) != HAWSER_OK);
      CHECK(!e.has_session && ends_count(&e.device_log, HAWSER_EV_LIVE, 0xffff) == 0);
    }
    ends_free(&e);
    if (other != 0) {
      FREE(other);
    }
  }
}

int main(void) {
  strangers();
  for (size_t m = 0; m < ENDS_MODES; m++) {
    all(ends_modes[m][0], ends_modes[m][1]);
    knock_out(ends_modes[m][0], ends_modes[m][1]);
  }
  return check_done();
}
