/*
 * hawser/device.h - the device's struct, so that it can be placed in static memory. Its fields are private.
 */
#ifndef HAWSER_DEVICE_H
#define HAWSER_DEVICE_H

#include "hawser/hawser.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hawser_device {
  uint8_t state, kind, status, verdict, bad;
  uint16_t early_stream, sent, received;
  uint32_t flags;
  uint32_t b, i;                     /* the position */
  uint32_t f, sequence;              /* of the flash slot */
  uint8_t *message1;                 /* of the position, for as long as the device stands there */
  size_t message1_len, message1_cap; /* length 0: none was made yet */
  hawser_session session;
  uint64_t first_ms;              /* when the position's message 1 was first sent (SPEC 7.4 rule 2) */
  uint64_t attempt_ms;            /* when this attempt ends */
  uint64_t early_tx;              /* where the early data's stream stands if it is TAKEN */
  uint8_t chain[HAWSER_NAME_LEN]; /* of slot and position */
  uint8_t block[HAWSER_KEY_LEN];  /* B_f; unused while `root`: the pairing's ticket is B_0 */
  uint8_t step[HAWSER_KEY_LEN];   /* R_{b,i} */
  uint8_t h1[HAWSER_HASH_LEN];    /* of message1 */
  union {
    struct hawser_asked { /* a full handshake waits for its answer */
      uint8_t e[HAWSER_KEY_LEN], ck[HAWSER_HASH_LEN], h[HAWSER_HASH_LEN];
    } full;
    struct hawser_answer { /* to a resumption, while it is looked at */
      uint8_t k2[HAWSER_KEY_LEN], h2[HAWSER_HASH_LEN], step[HAWSER_KEY_LEN];
    } answer;
    struct hawser_store { /* the next block waits to be stored, and the step secret for the device to go live */
      uint8_t slot[HAWSER_SLOT_LEN], step[HAWSER_KEY_LEN]; /* step: where the answer had it */
    } store;
  } u;
};

/* For asserts and tests: 1 if every field is within its range and the fields agree with each other. */
int hawser_device_valid(const hawser_device *d) HAWSER_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
