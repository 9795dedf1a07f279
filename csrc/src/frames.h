/*
 * frames.h - the frames inside a record, SPEC 9: one table says what each has after its code, for reading and for writing.
 */
#ifndef HAWSER_FRAMES_H
#define HAWSER_FRAMES_H

#include "wire.h"

enum hawser_frame_code {
  HAWSER_FRAME_STATE = 0x01,
  HAWSER_FRAME_STATUS,
  HAWSER_FRAME_OPEN,
  HAWSER_FRAME_STREAM,
  HAWSER_FRAME_SYNCED,
  HAWSER_FRAME_DATA,
  HAWSER_FRAME_FIN,
  HAWSER_FRAME_ACK,
  HAWSER_FRAME_RESET,
  HAWSER_FRAME_MSG,
  HAWSER_FRAME_PING,
  HAWSER_FRAME_PONG,
  HAWSER_FRAME_CLOSE
};

/* A frame. Reading leaves zero what it does not have, writing ignores it. */
typedef struct hawser_fields {
  uint8_t code;
  uint64_t id;
  uint64_t number;      /* serial of a stream, never 0. PING, PONG: theirs */
  uint64_t byte;        /* OPEN: kind. RESET, CLOSE: code. STATUS */
  uint64_t tx, rx, ack; /* offsets */
  const uint8_t *bytes; /* STATE, OPEN: name. DATA, FIN, MSG: what they carry */
  size_t len;
} hawser_fields;

/* HAWSER_ERR_PEER: no such code, cut short, or a serial of 0. */
HAWSER_INTERNAL int hawser_fields_read(hawser_reader *r, hawser_fields *f);

/* 1 if there was room; else nothing is written. */
HAWSER_INTERNAL int hawser_fields_write(hawser_writer *w, const hawser_fields *f);

#endif
