/*
 * hawser/error.h - every code that a hawser function may return.
 */
#ifndef HAWSER_ERROR_H
#define HAWSER_ERROR_H

enum {
  HAWSER_OK = 0,
  HAWSER_ERR_CRYPTO = -1, /* the crypto provider failed, or a key is unusable */
  HAWSER_ERR_RANDOM = -2, /* the random source failed */
  HAWSER_ERR_AUTH = -3    /* a tag, a MAC or a peer's public key is not genuine */
};

#endif
