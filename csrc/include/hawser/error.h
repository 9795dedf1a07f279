/*
 * hawser/error.h - every code that a hawser function may return. The numbers never change.
 */
#ifndef HAWSER_ERROR_H
#define HAWSER_ERROR_H

enum hawser_error {
  HAWSER_OK = 0,
  HAWSER_ERR_CRYPTO = -1,    /* the crypto provider failed, or a key is unusable */
  HAWSER_ERR_RANDOM = -2,    /* the random source failed */
  HAWSER_ERR_AUTH = -3,      /* a tag, a MAC or a peer's public key is not genuine: drop the link in silence */
  HAWSER_ERR_FORMAT = -4,    /* bytes that no peer would send, or a blob that is no blob: drop, or refuse */
  HAWSER_ERR_STATE = -5,     /* the call does not fit the state; nothing has changed */
  HAWSER_ERR_ARG = -6,       /* an argument is out of range; nothing has changed */
  HAWSER_ERR_BUFFER = -7,    /* a buffer is too small; nothing has changed */
  HAWSER_ERR_LIMIT = -8,     /* too many streams, or too much to save */
  HAWSER_ERR_EXHAUSTED = -9, /* the link's record counter is used up: drop the link and resume */
  HAWSER_ERR_CLOSED = -10,   /* the stream or the session has ended */
  HAWSER_ERR_PEER = -11,     /* the peer, though genuine, broke a rule of SPEC 9: drop the link; the session is gone */
  HAWSER_ERR_STORAGE = -12   /* the slot could not be stored: the position and its message 1 are kept */
};

#endif
