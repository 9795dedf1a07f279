/* Shared by chain.pml and full.pml: what a position is, and which ones a gateway looks up.
   A position (block b, step i) is coded b * 4 + i, so that positions are ordered as SPEC 7.1 orders them. */

#define P(b, i) ((b) * 4 + (i))
#define BLOCK(q) ((q) / 4)
#define STEP(q) ((q) % 4)

#ifndef STEPS
#define STEPS 2 /* max_steps of SPEC 7.3 */
#endif
#ifndef J
#define J 2 /* block tickets indexed ahead */
#endif

/* SPEC 7.5-1: which tickets the gateway knows when its record stands at `at`. */
inline rule_7_5_1_indexed(q, at, ahead) {
  ok = STEP(q) < STEPS && (q == at ||
#ifndef MUT_NEXT_NOT_INDEXED
       (q == at + 1 && BLOCK(q) == BLOCK(at)) ||
#endif
       (STEP(q) == 0 && BLOCK(q) > BLOCK(at) && BLOCK(q) <= BLOCK(at) + ahead))
}
