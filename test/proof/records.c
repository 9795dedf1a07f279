/*
 * records.c - hawser_record_seal() and _open() of record.h, one step from any state of a link: which key and nonce the port is
 * given, and what is left of a step that failed. As every step takes the next counter, no pair of key and nonce comes twice.
 */
#include <string.h>

#include "proof.h"
#include "record.h"

static hawser_link before; /* the link that a step began with */
static size_t calls;       /* of the port, in this step */
static uint8_t rekeyed[HAWSER_KEY_LEN + HAWSER_TAG_LEN];
static const uint8_t *record_at;
static size_t record_len;
static int failed;

static int is_rekey(uint64_t counter) {
  return counter != 0 && counter % 1048576 == 0;
}

static int fails(int err) {
  failed = failed || err != HAWSER_OK;
  return err;
}

/* The key of this step: the link's own, or what the link's own was last asked for. */
static void is_step_key(const uint8_t *key, const uint8_t *own, uint64_t counter) {
  size_t k = up_to(HAWSER_KEY_LEN - 1);
  PROVE(__CPROVER_r_ok(key, HAWSER_KEY_LEN), "a key");
  PROVE(calls == (is_rekey(counter) ? 1 : 0), "a new key exactly every 2^20 records");
  PROVE(key[k] == (is_rekey(counter) ? rekeyed[k] : own[k]), "the key of the counter");
}

static uint64_t counter_of(const uint8_t *nonce) {
  uint64_t counter = 0;
  PROVE(__CPROVER_r_ok(nonce, HAWSER_NONCE_LEN), "a nonce");
  PROVE((nonce[0] | nonce[1] | nonce[2] | nonce[3]) == 0, "a nonce opens with 0^4");
  for (int i = 4; i < 12; i++) {
    counter = counter << 8 | nonce[i];
  }
  return counter;
}

/* SPEC 3.6, Noise's Rekey: 32 zeros under the counter that no record has. */
static void rekeys(const uint8_t *key, const uint8_t *own, size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  size_t k = up_to(HAWSER_KEY_LEN - 1);
  PROVE(calls == 0, "once");
  PROVE(key[k] == own[k] && ad_len == 0 && len == HAWSER_KEY_LEN && in[k] == 0, "Rekey of the key so far");
  PROVE(__CPROVER_w_ok(out, len + HAWSER_TAG_LEN), "room for it");
  __CPROVER_havoc_slice(rekeyed, sizeof rekeyed);
  memcpy(out, rekeyed, sizeof rekeyed);
}

static void is_record(const uint8_t *ad, size_t ad_len, const uint8_t *in, size_t len, const uint8_t *out) {
  PROVE(ad == record_at && ad_len == HAWSER_HEADER_LEN, "the header is authenticated");
  PROVE(in == record_at + HAWSER_HEADER_LEN && out == in && len == record_len - HAWSER_RECORD_OVERHEAD, "in place");
}

int hawser_port_seal(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  uint64_t counter = counter_of(nonce);
  int receives = before.live > 1; /* set so by opens() */
  if (counter == UINT64_MAX) {
    uint64_t at = receives ? before.rx_counter : before.tx_counter;
    PROVE(is_rekey(at), "when its turn has come");
    rekeys(key, receives ? before.rx_key : before.tx_key, ad_len, in, len, out);
  } else {
    PROVE(!receives && counter == before.tx_counter, "the next counter");
    is_step_key(key, before.tx_key, before.tx_counter);
    is_record(ad, ad_len, in, len, out);
    __CPROVER_havoc_slice(out, len + HAWSER_TAG_LEN);
  }
  calls++;
  return fails(nondet_int() ? HAWSER_ERR_CRYPTO : HAWSER_OK);
}

int hawser_port_open(const uint8_t key[HAWSER_KEY_LEN], const uint8_t nonce[HAWSER_NONCE_LEN], const uint8_t *ad,
                     size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
  PROVE(counter_of(nonce) == before.rx_counter, "the next counter");
  is_step_key(key, before.rx_key, before.rx_counter);
  is_record(ad, ad_len, in, len, out);
  if (len > 0) {
    __CPROVER_havoc_slice(out, len);
  }
  calls++;
  return fails(nondet_int() ? HAWSER_ERR_AUTH : HAWSER_OK);
}

void hawser_port_wipe(void *ptr, size_t len) {
  memset(ptr, 0, len);
}

/* The other direction, and whatever else a step must leave alone. */
static void keeps(const hawser_link *link, int sends, int all) {
  size_t k = up_to(HAWSER_KEY_LEN - 1);
  PROVE(link->transport == before.transport && link->live == 1, "the link stays");
  PROVE(!(all || !sends) || (link->tx_counter == before.tx_counter && link->tx_key[k] == before.tx_key[k]),
        "what was sent stays");
  PROVE(!(all || sends) || (link->rx_counter == before.rx_counter && link->rx_key[k] == before.rx_key[k]),
        "what was received stays");
}

static hawser_link any_live_link(void) {
  hawser_link link = nondet_link();
  REQUIRE(hawser_link_valid(&link) && link.live);
  before = link;
  return link;
}

void seals(void) {
  hawser_link link = any_live_link();
  size_t len = up_to(LEN), k = up_to(HAWSER_KEY_LEN - 1);
  uint8_t *record = any_bytes(len + HAWSER_RECORD_OVERHEAD);
  int err;
  record_at = record;
  record_len = len + HAWSER_RECORD_OVERHEAD;
  err = hawser_record_seal(&link, record, len);
  PROVE((err == HAWSER_OK) == (before.tx_counter < (uint64_t)1 << 48 && !failed),
        "refused at the limit, or by the port");
  PROVE(before.tx_counter < (uint64_t)1 << 48 || (err == HAWSER_ERR_EXHAUSTED && calls == 0), "nothing at the limit");
  keeps(&link, 1, err != HAWSER_OK);
  PROVE(err != HAWSER_OK || link.tx_counter == before.tx_counter + 1, "the counter goes up by one");
  PROVE(err != HAWSER_OK || link.tx_key[k] == (is_rekey(before.tx_counter) ? rekeyed[k] : before.tx_key[k]), "its key");
  PROVE(err != HAWSER_OK || (record[0] == (0x40 | len >> 8) && record[1] == (len & 0xff)), "its header");
  PROVE(hawser_link_valid(&link), "a valid link");
  REACHES(err == HAWSER_OK && is_rekey(before.tx_counter) && len == LEN, "a record under a new key");
  REACHES(err == HAWSER_ERR_EXHAUSTED, "the limit");
}

void opens(void) {
  hawser_link link = any_live_link();
  size_t len = up_to(LEN), k = up_to(HAWSER_KEY_LEN - 1);
  uint8_t *record = any_bytes(len + HAWSER_RECORD_OVERHEAD);
  int err;
  before.live = 2;
  record_at = record;
  record_len = len + HAWSER_RECORD_OVERHEAD;
  err = hawser_record_open(&link, record, record_len);
  PROVE((err == HAWSER_OK) == (before.rx_counter < (uint64_t)1 << 48 && !failed),
        "refused at the limit, or by the port");
  keeps(&link, 0, err != HAWSER_OK);
  PROVE(err != HAWSER_OK || link.rx_counter == before.rx_counter + 1, "the counter goes up by one");
  PROVE(err != HAWSER_OK || link.rx_key[k] == (is_rekey(before.rx_counter) ? rekeyed[k] : before.rx_key[k]), "its key");
  PROVE(hawser_link_valid(&link), "a valid link");
  REACHES(err == HAWSER_OK && is_rekey(before.rx_counter), "a record under a new key");
  REACHES(err == HAWSER_ERR_AUTH && is_rekey(before.rx_counter), "a forged record under a new key");
}
