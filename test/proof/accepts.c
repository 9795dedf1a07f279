/*
 * accepts.c - what a gateway reads before it knows a device: any message 1, that of a resumption, early data, STATE (gateway.c).
 */
#include "gateway.c"

#include "proof.h"

static hawser_accept accept;

/* A frame has come: its message lies in the buffer. */
void reads_message1(void) {
  size_t len = up_to(FRAME_LEN - HAWSER_HEADER_LEN);
  hawser_accept_event event = {0};
  int err;
  REQUIRE(len > 0);
  accept.buffer = any_bytes(FRAME_LEN);
  err = on_message1(&accept, len, &event);
  PROVE(err == HAWSER_OK || (accept.state == FIRST && event.type == HAWSER_ACCEPT_NONE), "an error changes nothing");
  if (err != HAWSER_OK) {
    return;
  }
  PROVE(accept.state == LOOKUP && accept.message_len == len, "to be looked up");
  PROVE(len <= HAWSER_MESSAGE1_MAX, "no longer than it may be");
  PROVE(event.id == accept.buffer + HAWSER_HEADER_LEN + 1 && event.id_len < len, "by what lies in the message");
  PROVE(event.type != HAWSER_ACCEPT_ID || (event.id_len >= HAWSER_ID_MIN && event.id_len <= HAWSER_ID_MAX), "an id");
  PROVE(event.type != HAWSER_ACCEPT_ID || (event.mode >= HAWSER_KEYS && event.mode <= HAWSER_PSK), "of a mode");
  REACHES(event.type == HAWSER_ACCEPT_ID && event.id_len == HAWSER_ID_MAX, "a full handshake");
  REACHES(event.type == HAWSER_ACCEPT_TICKET, "a resumption");
}

void reads_pay1(void) {
  size_t len = up_to(LEN);
  const uint8_t *pay1 = any_bytes(len), *early;
  int valid;
  REQUIRE(len >= HAWSER_PAY1_MIN); /* which a message 1 is long enough for */
  early = pay1 + HAWSER_PAY1_MIN;
  valid = pay1_valid(pay1, len);
  PROVE(!valid || pay1[0] != 0 || len == HAWSER_PAY1_MIN, "nothing behind a pay1 without early data");
  PROVE(!valid || pay1[0] == 0 || len >= HAWSER_PAY1_MIN + 9, "a frame behind one with it");
  PROVE(!valid || pay1[0] == 0 || early[0] == HAWSER_FRAME_OPEN || early[0] == HAWSER_FRAME_STREAM, "of a stream");
  REACHES(valid && pay1[0] == 0, "no early data");
  REACHES(valid && pay1[0] != 0 && early[0] == HAWSER_FRAME_OPEN && len > HAWSER_PAY1_MIN + 50, "OPEN with data");
  REACHES(valid && pay1[0] != 0 && early[0] == HAWSER_FRAME_STREAM && len > HAWSER_PAY1_MIN + 40, "STREAM with data");
}

void checks_resumption(void) {
  size_t len = up_to(LEN), most = HAWSER_RESUME_HEAD + HAWSER_TAG_LEN;
  const uint8_t *message = any_bytes(len);
  uint8_t *pay1 = any_bytes(len > most ? len - most : 0), h1[HAWSER_HASH_LEN];
  hawser_pairing pairing = nondet_pairing();
  hawser_step at = {&pairing, any_bytes(HAWSER_NAME_LEN), nondet_u32(), nondet_u32(), any_bytes(HAWSER_KEY_LEN)};
  int err;
  REQUIRE(len > 0 && pairing.id_len <= HAWSER_ID_MAX && pairing.gateway_id_len <= HAWSER_ID_MAX);
  err = hawser_resume_read1(&at, message, len, pay1, h1);
  PROVE(err != HAWSER_OK || len >= HAWSER_MESSAGE1_MIN, "long enough");
  REACHES(err == HAWSER_OK && len == LEN, "a message 1");
  REACHES(err == HAWSER_ERR_AUTH, "a forged one");
}

/* A first record was opened: its plaintext lies in the buffer. */
void reads_state(void) {
  size_t end;
  int err;
  accept.buffer = any_bytes(FRAME_LEN);
  accept.type = nondet_u8();
  accept.first_at = up_to(FRAME_LEN);
  accept.first_len = up_to(FRAME_LEN - accept.first_at);
  end = accept.first_at + accept.first_len;
  err = read_state(&accept);
  PROVE(err == HAWSER_OK || err == HAWSER_ERR_PEER, "no other error");
  PROVE(accept.first_len <= FRAME_LEN && accept.first_at + accept.first_len == end, "what is left is the end of it");
  REACHES(err == HAWSER_OK && is_full(accept.type) && accept.first_len == 0, "a STATE alone");
}

/* What on_message1() leaves behind. */
static void looked_up(void) {
  accept.transport = nondet_int() ? HAWSER_STREAM : HAWSER_SERIAL;
  accept.buffer = any_bytes(HAWSER_ACCEPT_LEN);
  accept.type = message_of(&accept)[0];
  accept.message_len = up_to(HAWSER_MESSAGE1_MAX);
  REQUIRE(type_fits(accept.type, accept.message_len));
  accept.received = nondet_u16();
  REQUIRE(accept.received > 0);
  accept.state = LOOKUP;
  REQUIRE(hawser_accept_valid(&accept));
}

/* Message 1 of a full handshake, offered to any pairing, and answered. */
void answers_full(void) {
  size_t cap = up_to(HAWSER_SEND_MIN), len = 0;
  uint8_t *out = any_bytes(cap);
  const hawser_pairing *pairing = any_valid_pairing();
  int err;
  looked_up();
  err = hawser_accept_offer_id(&accept, pairing);
  PROVE(hawser_accept_valid(&accept), "a valid link");
  PROVE((err == HAWSER_OK) == (accept.state == CHECKED), "checked, or as it was");
  if (err != HAWSER_OK) {
    REACHES(err == HAWSER_ERR_AUTH && accept.type == HAWSER_TYPE_FULL_1, "a forged one");
    return;
  }
  PROVE(accept.message_len == hawser_full_len(pairing->mode, pairing->suite) + pairing->id_len, "of its length");
  PROVE(accept.type == hawser_type_full(pairing->mode, pairing->suite), "of its type");
  err = hawser_accept_answer_full(&accept, NULL, 0, out, cap, &len);
  PROVE(hawser_accept_valid(&accept), "still a valid link");
  PROVE(err == HAWSER_OK ? accept.state == CANDIDATE && len > 0 : len == 0 && accept.state == CHECKED,
        "a candidate, or nothing");
  PROVE(len <= cap && len <= HAWSER_HEADER_LEN + HAWSER_COBS_LEN(HAWSER_MESSAGE2_MAX), "as long as it may be");
  REACHES(err == HAWSER_OK && pairing->mode == HAWSER_KEYS_PSK && pairing->suite == HAWSER_SUITE_ID_P256, "with keys");
  REACHES(err == HAWSER_OK && pairing->mode == HAWSER_PSK, "with a psk");
}
