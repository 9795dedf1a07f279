/*
 * fuzz_collect.c - frames out of a run of bytes: cut into any chunks they give the frames that they give when read one
 * byte at a time, whether a frame stays in place or goes through the buffer.
 */
#include "fuzz.h"
#include "record.h"

#define BUFFER 300
#define FRAMES 16

/* What one reading of the bytes gave: frames one after the other, and where it ended. */
typedef struct reading {
  size_t lens[FRAMES], count, total;
  int err;
  uint8_t bytes[FRAMES * (BUFFER + 2)];
} reading;

static reading whole, apart;

static void note(reading *out, uint8_t transport, hawser_frame *f) {
  if (hawser_frame_decode(transport, f) != HAWSER_OK) {
    f->len = 0;
  }
  FUZZ_ASSERT(f->len <= BUFFER + 2);
  out->lens[out->count++] = f->len;
  memcpy(out->bytes + out->total, f->at, f->len);
  out->total += f->len;
}

/* chunks: a pattern of lengths, used over and over; in_place: hawser_frame_collect(), else _take(). */
static void read_all(reading *out, uint8_t transport, hawser_expect expect, fuzz_input in, size_t chunk, int in_place) {
  uint8_t *buffer = malloc(BUFFER);
  size_t held = 0;
  FUZZ_ASSERT(buffer != NULL);
  memset(out, 0, offsetof(reading, bytes));
  while (in.left > 0 && out->count < FRAMES && out->err == HAWSER_OK) {
    size_t len, at = 0;
    uint8_t *bytes = fuzz_take(&in, chunk, &len);
    while (at < len && out->count < FRAMES && out->err == HAWSER_OK) {
      hawser_frame f;
      out->err = in_place ? hawser_frame_collect(transport, buffer, &held, BUFFER, bytes + at, len - at, expect, &f)
                          : hawser_frame_take(transport, buffer, &held, BUFFER, bytes + at, len - at, expect, &f);
      FUZZ_ASSERT(held <= BUFFER);
      if (out->err == HAWSER_OK) {
        FUZZ_ASSERT(f.used > 0 && f.used <= len - at);
        at += f.used;
        if (f.at != NULL) {
          note(out, transport, &f);
        }
      }
    }
    free(bytes);
  }
  free(buffer);
}

void fuzz_collect(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  uint8_t flags = fuzz_byte(&in);
  size_t chunk = 1u + fuzz_byte(&in);
  uint8_t transport = flags & 1 ? HAWSER_SERIAL : HAWSER_STREAM;
  hawser_expect expect = {(flags & 2) != 0, flags & 2 ? HAWSER_RECORD_OVERHEAD : HAWSER_HEADER_LEN + 34, BUFFER - 20};
  read_all(&apart, transport, expect, in, 1, 0);
  read_all(&whole, transport, expect, in, chunk, (flags & 4) != 0);
  FUZZ_ASSERT(whole.count == apart.count && whole.total == apart.total && whole.err == apart.err);
  FUZZ_ASSERT(memcmp(whole.lens, apart.lens, sizeof whole.lens) == 0);
  FUZZ_ASSERT(memcmp(whole.bytes, apart.bytes, whole.total) == 0);
}
