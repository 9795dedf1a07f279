/*
 * counters.c - the counter of a direction, SPEC 3.6, over two steps from any state of a link, with a port that fails whenever it
 * likes: no counter that a record went out or came in under is given to the port again, the key is that of the period
 * counter >> 20, and the end is the end. Keys are marked with their period here: Rekey leads from one to the next. As both
 * steps start from any state, this holds of any number of them.
 */
#include <string.h>

#include "proof.h"

#define END ((uint64_t)1 << 48)
#define PERIOD 20

static uint64_t nonce_counter; /* of the last record given to the port */
static size_t records;

static uint32_t period_of(const uint8_t *key) {
  return (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
}

static uint64_t counter_of(const uint8_t *nonce) {
  uint64_t counter = 0;
  for (int i = 4; i < HAWSER_NONCE_LEN; i++) {
    counter = counter << 8 | nonce[i];
  }
  return counter;
}

static void is_given(const uint8_t *key, uint64_t counter) {
  PROVE(counter < END, "a counter of a record");
  PROVE(period_of(key) == counter >> PERIOD, "under the key of its period");
  nonce_counter = counter;
  records++;
}

int hawser_port_seal(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  uint64_t counter = counter_of(nonce);
  if (counter == UINT64_MAX) { /* Rekey */
    uint32_t next = period_of(key) + 1;
    out[0] = (uint8_t)(next >> 24);
    out[1] = (uint8_t)(next >> 16 & 0xff);
    out[2] = (uint8_t)(next >> 8 & 0xff);
    out[3] = (uint8_t)(next & 0xff);
  } else {
    is_given(key, counter);
  }
  return nondet_int() ? HAWSER_ERR_CRYPTO : HAWSER_OK;
}

int hawser_port_open(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  is_given(key, counter_of(nonce));
  return nondet_int() ? HAWSER_ERR_AUTH : HAWSER_OK;
}

void hawser_port_wipe(void *ptr, size_t len) {
  memset(ptr, 0, len);
}

/* The key at hand is that of the last record that went well. */
static int in_step(const uint8_t *key, uint64_t counter) {
  return period_of(key) == (counter == 0 ? 0 : (counter - 1) >> PERIOD);
}

static int both_in_step(const hawser_link *link) {
  return hawser_link_valid(link) && in_step(link->tx_key, link->tx_counter) && in_step(link->rx_key, link->rx_counter);
}

/* One record of a direction: what it was given to the port under, if it went well. */
static int step(hawser_link *link, int sends, uint8_t *record) {
  uint64_t counter = sends ? link->tx_counter : link->rx_counter, other = sends ? link->rx_counter : link->tx_counter;
  int err;
  records = 0;
  err = sends ? hawser_record_seal(link, record, LEN) : hawser_record_open(link, record, LEN + HAWSER_RECORD_OVERHEAD);
  PROVE(records <= 1 && (records == 0 || nonce_counter == counter), "the next counter, once");
  PROVE(records == 1 || err != HAWSER_OK, "for every record");
  PROVE((err == HAWSER_ERR_EXHAUSTED) == (counter == END) && (counter < END || records == 0),
        "refused at the end alone");
  PROVE((sends ? link->tx_counter : link->rx_counter) == counter + (err == HAWSER_OK), "counts what went well");
  PROVE((sends ? link->rx_counter : link->tx_counter) == other, "in its direction");
  PROVE(both_in_step(link), "and keeps to the key of its period");
  return err == HAWSER_OK;
}

void counts(void) {
  hawser_link link = nondet_link();
  uint8_t record[LEN + HAWSER_RECORD_OVERHEAD];
  int sends = nondet_int() != 0, first, second;
  uint64_t given;
  REQUIRE(both_in_step(&link));
  first = step(&link, sends, record);
  given = nonce_counter;
  (void)step(&link, !sends, record); /* what the other direction does is nothing to this one */
  second = step(&link, sends, record);
  PROVE(!first || !second || nonce_counter == given + 1, "never a counter again");
  REACHES(first && second && given >> PERIOD != nonce_counter >> PERIOD, "two records in two periods");
  REACHES(first && !second && link.tx_counter == END, "the last record");
}

/* Where it begins. */
void begins(void) {
  hawser_link link = nondet_link();
  uint8_t tx[HAWSER_KEY_LEN] = {0}, rx[HAWSER_KEY_LEN] = {0};
  hawser_link_up(&link, HAWSER_STREAM, tx, rx);
  PROVE(both_in_step(&link) && link.tx_counter == 0 && link.rx_counter == 0, "counters from 0, keys of period 0");
  REACHES(link.live, "a link");
}
