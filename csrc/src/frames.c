/*
 * frames.c - see frames.h.
 */
#include "frames.h"

#include <stddef.h>
#include <string.h>

/* What a frame may have, in this order: integers, then bytes. */
enum part {
  ID = 1 << 0,
  NUMBER = 1 << 1,
  BYTE = 1 << 2,
  TX = 1 << 3,
  RX = 1 << 4,
  ACK = 1 << 5,
  TEXT = 1 << 6, /* a length, and as many bytes */
  REST = 1 << 7  /* bytes to the end of the record */
};

static const uint8_t layouts[] = {
    [HAWSER_FRAME_STATUS] = BYTE,
    [HAWSER_FRAME_OPEN] = ID | NUMBER | BYTE | TEXT,
    [HAWSER_FRAME_STREAM] = ID | NUMBER | TX | RX | ACK,
    [HAWSER_FRAME_SYNCED] = 0,
    [HAWSER_FRAME_DATA] = ID | REST,
    [HAWSER_FRAME_FIN] = ID | REST,
    [HAWSER_FRAME_ACK] = ID | ACK,
    [HAWSER_FRAME_RESET] = ID | NUMBER | BYTE,
    [HAWSER_FRAME_MSG] = ID | REST,
    [HAWSER_FRAME_PING] = NUMBER,
    [HAWSER_FRAME_PONG] = NUMBER,
    [HAWSER_FRAME_CLOSE] = BYTE,
};

#define INTEGERS 6
static const struct {
  uint8_t at, width;
} integers[INTEGERS] = {
    {offsetof(hawser_fields, id), 2}, {offsetof(hawser_fields, number), 4}, {offsetof(hawser_fields, byte), 1},
    {offsetof(hawser_fields, tx), 6}, {offsetof(hawser_fields, rx), 6},     {offsetof(hawser_fields, ack), 6},
};

int hawser_fields_read(hawser_reader *r, hawser_fields *f) {
  unsigned layout;
  memset(f, 0, sizeof *f);
  f->code = (uint8_t)hawser_get(r, 1);
  if (f->code < HAWSER_FRAME_STATUS || f->code > HAWSER_FRAME_CLOSE) {
    return HAWSER_ERR_PEER;
  }
  layout = layouts[f->code];
  for (unsigned i = 0; i < INTEGERS; i++) {
    if ((layout >> i & 1) != 0) {
      *(uint64_t *)((char *)f + integers[i].at) = hawser_get(r, integers[i].width);
    }
  }
  if ((layout & (ID | NUMBER)) == (ID | NUMBER) && f->number == 0) {
    return HAWSER_ERR_PEER;
  }
  if ((layout & (TEXT | REST)) != 0) {
    f->len = (layout & TEXT) != 0 ? (size_t)hawser_get(r, 1) : r->left;
    f->bytes = hawser_get_bytes(r, f->len);
  }
  return r->bad ? HAWSER_ERR_PEER : HAWSER_OK;
}

int hawser_fields_write(hawser_writer *w, const hawser_fields *f) {
  const unsigned layout = layouts[f->code];
  hawser_writer trial = *w;
  hawser_put(&trial, 1, f->code);
  for (unsigned i = 0; i < INTEGERS; i++) {
    if ((layout >> i & 1) != 0) {
      hawser_put(&trial, integers[i].width, *(const uint64_t *)((const char *)f + integers[i].at));
    }
  }
  if ((layout & TEXT) != 0) {
    hawser_put(&trial, 1, f->len);
  }
  if ((layout & (TEXT | REST)) != 0) {
    hawser_put_bytes(&trial, f->bytes, f->len);
  }
  if (trial.bad) {
    return 0;
  }
  *w = trial;
  return 1;
}
