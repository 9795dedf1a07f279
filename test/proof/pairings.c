/*
 * pairings.c - the binary form of a pairing, SPEC 4.1, out of any bytes: its terms, then the secrets of its mode.
 */
#include "pairing.c"

#include "proof.h"

void reads_terms(void) {
  size_t len = up_to(LEN);
  hawser_reader r = {any_bytes(len), len, 0};
  hawser_pairing p = nondet_pairing();
  if (!read_terms(&r, &p)) {
    return;
  }
  PROVE(!r.bad && r.left < len, "terms that were there");
  PROVE(p.id_len >= HAWSER_ID_MIN && p.id_len <= HAWSER_ID_MAX, "an id");
  PROVE(p.gateway_id_len >= HAWSER_ID_MIN && p.gateway_id_len <= HAWSER_ID_MAX, "a gateway's id");
  PROVE(p.record_max >= HAWSER_RECORD_MIN && p.record_max <= HAWSER_RECORD_MAX, "a record's length");
  PROVE(p.max_steps >= 1 && p.max_steps != UINT32_MAX && p.max_blocks >= 1 && p.max_blocks != UINT32_MAX, "numbers");
  REACHES(p.id_len == HAWSER_ID_MAX && p.gateway_id_len == HAWSER_ID_MAX, "the longest ids");
}

void reads_secrets(void) {
  size_t len = up_to(LEN);
  hawser_reader r = {any_bytes(len), len, 0};
  hawser_pairing p = nondet_pairing();
  hawser_pairing_secrets secrets;
  REQUIRE(mode_known(p.mode, p.suite) && mode_built_in(p.mode, p.suite));
  if (!read_secrets(&r, &p, &secrets)) {
    return;
  }
  PROVE(!r.bad && r.left == 0, "all of it");
  PROVE(p.mode != HAWSER_TICKET || len == HAWSER_KEY_LEN, "a ticket alone");
  PROVE(p.mode == HAWSER_TICKET || p.mode == HAWSER_PSK || len >= 5 * HAWSER_KEY_LEN, "all keys");
  REACHES(p.mode == HAWSER_KEYS_PSK && p.suite == HAWSER_SUITE_ID_P256, "the most secrets");
  REACHES(p.mode == HAWSER_TICKET, "a ticket");
}
