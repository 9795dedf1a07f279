/*
 * saved.c - saved state, SPEC 7.4, out of any bytes. One stream is checked and restored from the bytes themselves. The whole
 * blob is read through a cursor that is taken at its word (cursor.c proves it): any integers of their width; those of a stream
 * that are read again have passed the check, as the first proof shows for each.
 */
#include "wire.h"

#ifdef WHOLE
uint64_t given_integer(hawser_reader *r, size_t n);
const uint8_t *given_bytes(hawser_reader *r, size_t len);
#define hawser_get given_integer
#define hawser_get_bytes given_bytes
#endif
#include "device.c"

#include "proof.h"

#ifdef WHOLE
static const uint8_t *furthest; /* what was read so far ends here */
static size_t taken;            /* bytes that were read again */

const uint8_t *given_bytes(hawser_reader *r, size_t len) {
  const uint8_t *bytes = r->at;
  if (r->bad || len > r->left) {
    r->bad = 1;
    return NULL;
  }
  PROVE(__CPROVER_r_ok(bytes, len), "bytes of the blob");
  r->at += len;
  r->left -= len;
  if (furthest == NULL || r->at > furthest) {
    furthest = r->at;
  } else {
    taken += len;
  }
  return bytes;
}

uint64_t given_integer(hawser_reader *r, size_t n) {
  size_t before = taken;
  uint64_t value = nondet_u64();
  if (given_bytes(r, n) == NULL) {
    return 0;
  }
  REQUIRE(value >> 8 * n == 0);
  REQUIRE(taken == before || n != 2 || value < STREAMS);
  REQUIRE(taken == before || n != 4 || value >= 1);
  return value;
}

void restores(void) {
  size_t len = up_to(LEN), k = up_to(HAWSER_KEY_LEN - 1), id = up_to(STREAMS - 1);
  uint8_t *blob = any_bytes(len);
  hawser_device *d = any_device(), before = *d;
  const hawser_stream *st = &d->session.streams[id];
  hawser_stream stream = *st;
  int moved, err;
  furthest = NULL;
  taken = 0;
  err = hawser_restore(d, blob, len);
  moved = d->b != before.b || d->i != before.i || d->step[k] != before.step[k];
  PROVE(hawser_device_valid(d), "a valid device");
  PROVE(d->state == before.state && d->flags == before.flags && d->f == before.f, "which stands where it stood");
  PROVE(err != HAWSER_OK || (before.state == IDLE && before.message1_len == 0), "and may be restored");
  PROVE(err == HAWSER_OK || !moved, "an error moves nothing");
  PROVE(err == HAWSER_OK || d->session.serial == before.session.serial, "changes no session");
  PROVE(err == HAWSER_OK || (st->serial == stream.serial && st->flags == stream.flags), "and no stream");
  PROVE(err != HAWSER_OK || furthest == blob + len - HAWSER_CHECK_LEN, "all of it was read");
  REACHES(err == HAWSER_OK && d->i > before.i && taken == 0, "a position alone");
  REACHES(err == HAWSER_OK && taken >= 40, "streams");
}
#endif

void restores_stream(void) {
  uint8_t *bytes = any_bytes(20);
  hawser_reader check = {bytes, 20, 0}, r = {bytes, 20, 0};
  hawser_device *d = any_device();
  hawser_session *s = &d->session;
  hawser_stream *st;
  int valid = saved_stream_valid(s, &check, s->serial);
  uint16_t id = (uint16_t)(bytes[0] << 8 | bytes[1]);
  if (!valid) {
    return;
  }
  PROVE(hawser_reader_done(&check), "all of its bytes");
  PROVE(id < STREAMS, "of the session");
  restore_stream(s, &r);
  st = &s->streams[id];
  PROVE(hawser_reader_done(&r), "as many as were checked");
  PROVE(st->serial >= 1 && st->serial <= s->serial, "no serial that is still to come");
  PROVE(st->kind <= HAWSER_KIND_MESSAGES, "a kind");
  PROVE(hawser_session_valid(s), "a valid session");
  REACHES(st->tx_end > 1 && st->rx_end == 0 && id == STREAMS - 1, "a stream with its own end");
}
