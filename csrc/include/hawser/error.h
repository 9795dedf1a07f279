/*
 * hawser/error.h - every return code, and what to do about it.
 * Codes keep their numbers within a major version.
 */
#ifndef HAWSER_ERROR_H
#define HAWSER_ERROR_H

enum hawser_error {
  HAWSER_OK = 0,
  HAWSER_ERR_CRYPTO = -1,  /* the port failed, or a key is zero: drop the link, try again, then report */
  HAWSER_ERR_RANDOM = -2,  /* no random bytes: nothing was sent; repair the source */
  HAWSER_ERR_AUTH = -3,    /* a tag, MAC or point was wrong: drop the link (stream), ignore (serial) */
  HAWSER_ERR_FORMAT = -4,  /* malformed bytes: as AUTH; for a pairing, slot or saved state: refuse it */
  HAWSER_ERR_STATE = -5,   /* not allowed now: a mistake of the caller */
  HAWSER_ERR_ARG = -6,     /* an argument is out of range: a mistake of the caller */
  HAWSER_ERR_BUFFER = -7,  /* the buffer is too small: give a larger one, nothing changed */
  HAWSER_ERR_LIMIT = -8,   /* no free stream, or a limit of the pairing */
  HAWSER_ERR_EXHAUSTED = -9, /* a counter or the chain is at its end: resume, or full handshake, or pair again */
  HAWSER_ERR_CLOSED = -10, /* there is no live link, or the stream has ended */
  HAWSER_ERR_PEER = -11,   /* an authenticated peer broke the protocol: drop the link; the session is forgotten */
  HAWSER_ERR_STORAGE = -12 /* the store failed: keep the link down, repair storage */
};

#endif
