/*
 * chains.c - the positions of a chain, as a store may hold them (gateway.c): which one a ticket stands for, and where a move leads.
 */
#include "hawser/gateway.h"
#include "proof.h"

hawser_chain nondet_chain(void);

/* Position k of a chain's window: never behind where it stands, and no number wraps. */
void tickets(void) {
  hawser_chain chain = nondet_chain(), moved = chain;
  hawser_position at = {0, 0};
  uint32_t k = nondet_u32();
  uint8_t ticket[HAWSER_TICKET_LEN];
  int err;
  REQUIRE(k <= LEN + 1);
  err = hawser_chain_ticket(&chain, k, &at, ticket);
  PROVE(err == HAWSER_OK || err == HAWSER_ERR_LIMIT || err == HAWSER_ERR_CRYPTO, "a ticket, or none");
  if (err != HAWSER_OK) {
    return;
  }
  PROVE(k != 0 || (at.b == chain.b && at.i == chain.i), "0: where it stands");
  PROVE(k != 1 || (at.b == chain.b && at.i > chain.i && at.i - chain.i == 1), "1: the next step");
  PROVE(k < 2 || (at.b > chain.b && at.b - chain.b == k - 1 && at.i == 0), "else a later block");
  err = hawser_chain_move(&moved, at);
  PROVE(err == HAWSER_OK ? moved.b == at.b && moved.i == at.i : moved.b == chain.b && moved.i == chain.i,
        "where a chain moves to");
  REACHES(err == HAWSER_OK && k == LEN + 1, "the farthest");
  REACHES(k == 1 && at.i == UINT32_MAX, "the last step of all");
}
