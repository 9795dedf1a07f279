/*
 * cobs.h - Consistent Overhead Byte Stuffing (Cheshire and Baker 1999) for serial lines, SPEC 3.4. In place both ways.
 */
#ifndef HAWSER_COBS_H
#define HAWSER_COBS_H

#include <stddef.h>
#include <stdint.h>

#include "hawser/config.h"
#include "internal.h"

/* The code of a full block, one more than the bytes in it. A proof has smaller ones, so that its bytes fill them. */
#ifndef COBS_BLOCK
#define COBS_BLOCK 0xff
#endif

/* The plain bytes start this far behind where the encoded ones will. */
#define HAWSER_COBS_FRONT(len) ((len) / (COBS_BLOCK - 1) + 1)

/* Encodes len bytes at buffer + HAWSER_COBS_FRONT(len or more) = buffer + front to the start of buffer, and appends the
 * zero. Returns the length with the zero, at most HAWSER_COBS_LEN(len). */
HAWSER_INTERNAL size_t hawser_cobs_encode(uint8_t *buffer, size_t front, size_t len);

/* Decodes len bytes (without the final zero) in place. Returns the length; 0 if they are not COBS, or are empty. */
HAWSER_INTERNAL size_t hawser_cobs_decode(uint8_t *buffer, size_t len);

#if HAWSER_GATEWAY
/* The length that hawser_cobs_decode() would return, and the first two bytes; nothing is changed. */
HAWSER_INTERNAL size_t hawser_cobs_peek(const uint8_t *frame, size_t len, uint8_t head[2]);
#endif

#endif
