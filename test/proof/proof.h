/*
 * proof.h - what the harnesses share. Each entry function of a harness is a claim about all inputs that its REQUIRE lines
 * allow; tools/prove.mjs has CBMC check it together with the machine's own rules (bounds, overflow, use before a value).
 */
#ifndef HAWSER_PROOF_H
#define HAWSER_PROOF_H

#include "hawser/device.h"
#include "noise.h"
#include "session.h"

#define REQUIRE(condition) __CPROVER_assume(condition)
#define PROVE(condition, what) __CPROVER_assert(condition, what)

/* Some input must get here, or the claims around it say nothing: tools/prove.mjs wants this one refuted. */
#define REACHES(condition, what) __CPROVER_assert(!(condition), "reaches: " what)

int nondet_int(void);
uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
size_t nondet_size(void);
hawser_pairing nondet_pairing(void);
hawser_link nondet_link(void);
hawser_stream nondet_stream(void);
hawser_device nondet_device(void);
hawser_symmetric nondet_symmetric(void);
hawser_key nondet_key(void);

static inline size_t up_to(size_t most) {
  size_t n = nondet_size();
  REQUIRE(n <= most);
  return n;
}

/* len bytes of any content, and no byte beyond them. */
void *any_bytes(size_t len);

/* A pairing that hawser_pairing_valid() takes. */
const hawser_pairing *any_valid_pairing(void);

/* Makes it a session that hawser_session_valid() takes, with STREAMS streams, without unread frames. */
void any_session(hawser_session *s);

/* A device that hawser_device_valid() takes, with such a session. */
hawser_device *any_device(void);

#endif
