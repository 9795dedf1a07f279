/* One resumption chain, SPEC 7.3 - 7.5, mode `ticket`: device, NODES gateway processes over one store, and a network that
   loses, delays, repeats and reorders every message 1, message 2 and first record for ever. README.md says what is
   bounded and left out. Each inline carries out one rule of the spec; each MUT_ macro breaks one of them.

   Asserted:
   A1  no datum is delivered twice, automatic re-sends included
   A2  the position the device would boot to is always one that the gateway looks up; and so is the position of every
       message 1 as long as the store lost nothing
   A3  at a first record (and at a message 1) flash can open nothing of the past
   A4  no session key is used twice
   A6  a live session is ended only by a session whose message 1 is younger
   A7  a message 1 is refused only for the sake of another one at the same position */

#include "positions.pml"
#include "trace.pml"

#ifndef NODES
#define NODES 1
#endif
#ifndef CUTS
#define CUTS 1 /* power cuts of the device */
#endif
#ifndef CRASHES
#define CRASHES 1 /* of gateway processes; with NODES 1 also of the machine below the embedded store */
#endif
#ifndef LOSSES
#define LOSSES 0 /* announced losses of the last writes of the store (a failover) */
#endif
#ifndef RESTORES
#define RESTORES 0 /* restores of the backup that was taken at first */
#endif
#ifndef FAILS
#define FAILS 0 /* flash writes and wipes that fail */
#endif
#ifndef SENDS
#define SENDS 3 /* distinct message 1s of the device */
#endif
#ifndef ANSWERS
#define ANSWERS 4 /* distinct message 2s */
#endif
#ifndef BLOCKS
#define BLOCKS 6 /* above all blocks that SENDS can reach */
#endif
#define NM (SENDS + 1)
#define NS (ANSWERS + 1)

#define NONE 255

/* early of the store's record: EMPTY, VOID, m (taken by message 1 number m), REFUSED + m */
#define EMPTY 0
#define VOID 254
#define REFUSED 100

/* verdicts */
#define NODATA 0
#define TAKEN 1
#define NOTTAKEN 2
#define UNKNOWN 3

/* phases of the device; SENT is also IDLE with a message 1 to repeat */
#define IDLE 1
#define SENT 2
#define STORE 3 /* answered at (f, 0): the next block must be written */
#define WIPE 4 /* written and read back, the old slot still valid */
#define LIVE 5

typedef Record { byte p; byte early; byte inc }
Record S;        /* what the gateway reads and writes */
Record D;        /* what of it is durable */
Record Back;     /* what an announced loss brings back */
#ifdef SPLIT
Record S1;       /* an old primary that goes on serving node 1 */
bit split;
byte inc1;
#endif
byte inc;        /* current incarnation of the store */
byte ahead = J;  /* the operator's J */
byte cuts, crashes, losses, restores, fails;
bit hole;        /* the store has lost something that the device may rely on */

/* device: RAM, then the two flash slots */
byte ph = IDLE, pos, f, dm, ds, verdict, pend;
byte cur = 0, old = NONE;
#ifdef MUT_OLD_LINK_KEPT
byte kept;
#endif
#ifdef SLEEP
byte nap = NONE; /* position in retained RAM */
#endif

/* what the network has recorded: message 1s (position, datum), answers with their candidates */
byte mpos[NM], mdat[NM], nm = 1;
byte sm[NS], snode[NS], sverdict[NS], sinc[NS], ns = 1;
#ifdef MUT_KEY_WITHOUT_NG
byte skey[NS];
#endif
bit candidate[NS]; /* the gateway holds it */
bit late[NS];      /* live, its confirmation is not yet written */
bit recsent[NS], resend[NS];
byte alive;        /* the answer whose session is live at the gateway */
bit delivered[NM];

#ifdef SPLIT
#define first_node_is_0 0
#else
#define first_node_is_0 1 /* nodes are alike */
#endif
#ifndef DOWN_WITH_STORE
#define DOWN_WITH_STORE (NODES == 1) /* a loss of the store takes the process along */
#endif
byte x, g, k, q, v; bit ok, current, again, fresh;

#ifdef REPLAY
/* What is compared with the code after each event; columns of a trace. */
#define STORE_P 4
#define STORE_EARLY 5
#define STORE_INC 6
#define INC 7
#define ALIVE 8
#define NEWER_SLOT 9
#define OLDER_SLOT 10
#define PHASE 11
#define MESSAGES 12
#define ANSWERED 13 /* how many answers there are */
#define POSITION 14 /* of the last message 1 */
#define DATUM 15    /* of the last message 1 */
#define VERDICT 16  /* of the last answer */
#define HEARD 17    /* the verdict that the device has */
#define SENT_AGAIN 18
#define DURABLE 19
#define DELIVERED 20 /* the datum of message 1 X */
#define KEPT 21 /* the answer whose candidate is there */
Record Dbefore;
#define came_of_it ( \
  SAME(STORE_P, S.p) && SAME(STORE_EARLY, S.early) && SAME(STORE_INC, S.inc) && SAME(INC, inc) && SAME(ALIVE, alive) && \
  SAME(NEWER_SLOT, cur) && SAME(OLDER_SLOT, old) && SAME(PHASE, ph) && SAME(MESSAGES, nm - 1) && SAME(ANSWERED, ns - 1) && \
  SAME(POSITION, mpos[nm - 1]) && SAME(DATUM, mdat[nm - 1]) && SAME(VERDICT, sverdict[ns - 1]) && \
  SAME(HEARD, verdict) && SAME(SENT_AGAIN, resend[ds]) && \
  (CELL(DURABLE) != 1 || (D.p == S.p && D.early == S.early && D.inc == S.inc)) && \
  (CELL(DURABLE) != 0 || (D.p == Dbefore.p && D.early == Dbefore.early && D.inc == Dbefore.inc)) && \
  (CELL(DELIVERED) == UNSEEN || CELL(DELIVERED) == delivered[mdat[CELL(X)]]) && \
  (CELL(KEPT) == UNSEEN || candidate[CELL(KEPT)]))
inline remember_before() { Dbefore.p = D.p; Dbefore.early = D.early; Dbefore.inc = D.inc }
#endif

#define end_of_step tidy(); x = 0; g = 0; k = 0; q = 0; v = 0; ok = 0; current = 0; again = 0; fresh = 0

/* Answers that can have no effect any more are forgotten, so that equal futures are one state. */
inline tidy() {
#if !defined(MUT_KEY_WITHOUT_NG) && !defined(REPLAY)
  k = 1;
  do
  :: k < ns ->
     if
     :: sm[k] == dm || alive == k
     :: else ->
        if :: late[k] && S.p > mpos[sm[k]] && LOSSES == 0 -> late[k] = 0 :: else fi;
        if :: !recsent[k] -> sverdict[k] = 0; sinc[k] = 0 :: else fi;
        if :: !candidate[k] && !late[k] -> sm[k] = 0; snode[k] = 0; sverdict[k] = 0; sinc[k] = 0; recsent[k] = 0; resend[k] = 0 :: else fi
     fi; k++
  :: else -> break
  od; k = 0;
#endif
  skip
}

/* ---- assertions ---------------------------------------------------------------------------------------- */

inline forget_link() { dm = 0; ds = 0; verdict = 0 }
inline deliver(d) { assert(!delivered[d]) /* A1 */; delivered[d] = 1 }
inline check_boot() { rule_7_5_1_indexed(P(cur, 0), S.p, ahead); assert(ok) /* A2 */; ok = 0 }
inline check_position() { rule_7_5_1_indexed(pos, S.p, ahead); assert((ok && pos >= S.p) || hole) /* A2 */; ok = 0 }
inline check_flash_opens_no_record() { assert(cur > BLOCK(pos) && (old == NONE || old > BLOCK(pos))) /* A3 */ }
inline check_flash_opens_no_past() { assert(cur >= BLOCK(pos) && (old == NONE || old >= BLOCK(pos))) /* A3 */ }
inline check_younger(a) { assert(!alive || sm[a] > sm[alive] || (NODES > 1 && hole)) /* A6 */ }

/* ---- device, SPEC 7.4 ---------------------------------------------------------------------------------- */

/* Rule 1: one message 1 per position and power cycle. */
inline rule_7_4_1_new_message() {
  check_position(); check_flash_opens_no_past();
  mpos[nm] = pos;
  if
  :: pend -> mdat[nm] = pend          /* known not to be taken: the library sends it again */
  :: else -> if :: mdat[nm] = nm
#ifdef BARE
                :: mdat[nm] = 0       /* no early data */
#endif
             fi
  fi;
  dm = nm; nm++; pend = 0; ph = SENT
}
/* Rule 1: (b, i) is left for (b, i+1) only after an answer; rule 7.3: not beyond max_steps. */
inline rule_7_4_1_next_step() {
  if
#ifndef MUT_NO_STEP_LIMIT
  :: STEP(pos) + 1 == STEPS -> pos = P(f, 0)
#endif
  :: else -> pos++
  fi
}
/* Rule 2: boot, lost RAM, silence: go to (f, 0), which burns nothing. */
inline rule_7_4_2_jump() {
  pos = P(f, 0); forget_link(); ph = IDLE
}

/* Slots: of two valid ones the older is wiped before anything else (SPEC 7.4, "A slot"). */
inline slots_at_boot() {
#ifndef MUT_BOOT_KEEPS_SLOT
  old = NONE;
#endif
  f = cur;
#ifdef MUT_BOOT_BURNS
  if :: cur + 1 < BLOCKS -> cur++ :: else fi;
#endif
  skip
}

inline wiped_nap() {
#ifndef MUT_NAP_TWICE
  nap = NONE;
#endif
  skip
}

/* Rule 3: the first answer to the current message 1 is taken. */
inline rule_7_4_3_take(a) {
  assert(!recsent[a]);                /* A4 */
  ds = a; verdict = sverdict[a];
  if :: pos == P(f, 0) -> ph = STORE :: else -> ph = LIVE fi
}

/* Rule 6: only NOT TAKEN is sent again by the library; a position left without a verdict is UNKNOWN. */
#ifdef MUT_UNKNOWN_RESENT
#define rule_7_4_6_resend_in_session (verdict == NOTTAKEN || verdict == UNKNOWN)
#else
#define rule_7_4_6_resend_in_session (verdict == NOTTAKEN)
#endif

/* Rule 4: write, read back, wipe, only then go on; on failure do neither. */
inline rule_7_4_4_write() {
  if
  :: old = f; cur = f + 1; ph = WIPE; check_boot()
  :: fails < FAILS -> fails++;
     if :: old = f; cur = f + 1 :: skip fi; check_boot();       /* written although it was reported as failed, or not */
#ifdef MUT_WRITE_FAILED_GOES_ON
     ph = LIVE
#else
     ph = SENT
#endif
  fi
}
/* A block that was written before and never relied on is erased by the next write. */
inline slot_erased() { cur = f; old = NONE }
inline rule_7_4_4_wipe() {
  if
#ifdef MUT_NO_WIPE
  :: f = cur; ph = LIVE
#else
  :: old = NONE; f = cur; ph = LIVE
#endif
  :: fails < FAILS -> fails++;
#ifdef MUT_WIPE_FAILED_GOES_ON
     f = cur; ph = LIVE
#else
     ph = SENT
#endif
  fi
}
inline first_record() {
  recsent[ds] = 1;
  resend[ds] = (mdat[dm] && rule_7_4_6_resend_in_session);
  check_flash_opens_no_record()
}

inline rule_7_4_6_left_without_verdict() {
#ifdef MUT_LEFT_IS_RESENT
  pend = mdat[dm];
#endif
  skip
}
inline rule_7_4_6_left_with_verdict() {
#ifdef MUT_OLD_LINK_KEPT
  if :: !recsent[ds] -> kept = ds; resend[ds] = (verdict == NOTTAKEN) :: else fi;
#endif
  if :: verdict == NOTTAKEN && !recsent[ds] -> pend = mdat[dm] :: else fi
}

/* ---- gateway, SPEC 7.5 --------------------------------------------------------------------------------- */

/* One gateway process runs on the machine of its store; more of them share a store that announces what it loses. */
inline durable() {
#if NODES == 1 && !defined(MUT_CLAIM_NOT_DURABLE)
  D.p = S.p; D.early = S.early; D.inc = S.inc;
#endif
  skip
}
inline remember_for_loss() {
#if LOSSES > 0
  Back.p = S.p; Back.early = S.early; Back.inc = S.inc;
#endif
  skip
}
inline remember_claim() {
#if LOSSES > 0
  if :: remember_for_loss() :: skip fi;
#endif
  skip
}
/* Under SPLIT node 1 works on the old primary's copy. */
inline swap() {
#ifdef SPLIT
  if
  :: split && g == 1 ->
     k = S.p; S.p = S1.p; S1.p = k; k = S.early; S.early = S1.early; S1.early = k; k = S.inc; S.inc = S1.inc; S1.inc = k;
     k = inc; inc = inc1; inc1 = k; k = 0
  :: else
  fi;
#endif
  skip
}

inline crash(n) {
  k = 1;
  do
  :: k < NS -> if :: snode[k] == n -> candidate[k] = 0; late[k] = 0; if :: alive == k -> alive = 0 :: else fi :: else fi; k++
  :: else -> break
  od; k = 0
}

/* Rule 2: an authentic message 1 moves p forward, durable where early data or a block start hangs on it. */
inline rule_7_5_2_advance() {
  if
#ifdef MUT_ANSWER_BEFORE_PERSIST
  :: 1 -> skip
#endif
  :: q > S.p ->
     if :: BLOCK(q) > BLOCK(S.p) -> remember_for_loss() :: else fi;
     S.p = q;
#ifdef MUT_EARLY_INHERITED
     skip
#else
     if :: current -> S.early = EMPTY :: else -> S.early = VOID fi
#endif
  :: else
  fi;
#ifdef MUT_RESTAMP
  S.inc = inc; /* the stamp of the record is renewed by any message 1 */
#endif
#ifndef MUT_ADVANCE_NOT_DURABLE
  if :: STEP(q) == 0 || mdat[x] -> durable() :: else fi
#endif
}

/* Rule 3: the claim comes before the delivery; whoever is not sure says UNKNOWN. */
#ifdef MUT_STALE_STORE_VOUCHES
#define rule_7_5_3_current 1
#else
#define rule_7_5_3_current current
#endif
#ifdef MUT_REFUSE_WHEN_UNSURE
#define UNSURE NOTTAKEN
#else
#define UNSURE UNKNOWN
#endif
inline rule_7_5_3_claim() {
  if
#if defined(SPLIT) && !defined(MUT_SPLIT_STORE_CLAIMS)
  :: 1 -> S.early = REFUSED + x; v = NOTTAKEN          /* not linearizable: no early data at all */
#else
  :: !rule_7_5_3_current -> S.early = VOID; durable(); v = UNSURE
  :: rule_7_5_3_current && S.early == EMPTY ->
     if
     :: remember_claim();
#ifdef MUT_DELIVER_BEFORE_CLAIM
        deliver(mdat[x]); v = TAKEN;
        if :: crashes < CRASHES -> crashes++; crash(g); goto answered :: skip fi;
        S.early = x; durable()
#else
        S.early = x; durable(); v = TAKEN;
        if :: crashes < CRASHES -> crashes++; crash(g); goto answered :: skip fi;
        deliver(mdat[x])
#endif
#ifdef POLICY
     ::                                                /* a gateway may refuse of its own will, but it claims that too */
#ifndef MUT_REFUSAL_NOT_CLAIMED
        S.early = REFUSED + x; durable();
#endif
        v = NOTTAKEN
#endif
     fi
  :: rule_7_5_3_current && S.early == x ->
#ifdef MUT_SAME_MESSAGE_REFUSED
     v = NOTTAKEN
#else
     v = UNSURE
#endif
  :: rule_7_5_3_current && S.early == VOID -> v = UNSURE
  :: rule_7_5_3_current && S.early != EMPTY && S.early != x && S.early != VOID ->
     assert(mpos[S.early % REFUSED] == S.p);           /* A7 */
#ifdef MUT_CLAIM_OVERWRITTEN
     deliver(mdat[x]); S.early = x; durable(); v = TAKEN
#else
     v = NOTTAKEN
#endif
#endif
  fi
}

/* Rule 4: one answer per message 1 and process; every answer has an n_g, hence keys, of its own. */
inline rule_7_5_4_cached() {
  again = 0; k = 1;
  do :: k < ns -> if :: sm[k] == x && snode[k] == g && candidate[k] -> again = 1 :: else fi; k++ :: else -> break od; k = 0
}
inline rule_7_5_4_answer() {
  sm[ns] = x; snode[ns] = g; sverdict[ns] = v; sinc[ns] = inc; candidate[ns] = 1;
#ifdef MUT_KEY_WITHOUT_NG
  skey[ns] = x; k = 1;                                 /* keys from R and message 1 alone: two contents under one key */
  do :: k < ns -> assert(skey[k] != skey[ns] || sverdict[k] == v) /* A4 */; k++ :: else -> break od; k = 0;
#endif
  ns++
}

/* Rule 5: the first record makes a session live, unless the store has moved beyond it, and ends all others. */
inline rule_7_5_5_live(a) {
  q = mpos[sm[a]];
#ifndef MUT_OLD_CANDIDATE_LIVES
  if :: S.p > q -> candidate[a] = 0
     :: else ->
#endif
       check_younger(a);
       k = 1; do :: k < NS -> if :: snode[k] == snode[a] -> candidate[k] = 0 :: else fi; k++ :: else -> break od;
       alive = a; late[a] = 1;
       if :: resend[a] -> deliver(mdat[sm[a]]) :: else fi
#ifndef MUT_OLD_CANDIDATE_LIVES
  fi
#endif
}
/* Rule 5, the write: at once, late or never; compare-and-set keeps p from falling. */
inline rule_7_5_5_confirm(a) {
  q = mpos[sm[a]]; fresh = (sinc[a] == inc); late[a] = 0;
#ifdef MUT_STAMP_BY_OLD_ANSWER
  fresh = 1;
#endif
  if
#ifdef MUT_P_FALLS
  :: 1 ->
#else
  :: S.p <= q ->
#endif
#ifdef MUT_NOT_ERASED
     S.p = q;
#else
     S.p = q + 1;
#endif
#ifdef MUT_EARLY_LEFT
     if :: fresh -> S.inc = inc :: else -> S.early = VOID fi;
#else
     if :: fresh -> S.early = EMPTY; S.inc = inc :: else -> S.early = VOID fi;
#endif
     if :: durable() :: skip fi                        /* this write need not be durable */
  :: else
  fi
}

/* ------------------------------------------------------------------------------------------------------- */

active proctype chain() {
  BEGIN
  do
  /* device */
  :: atomic { ON(NEW) ph == IDLE && nm < NM && BLOCK(pos) + 1 < BLOCKS -> rule_7_4_1_new_message() }
#ifdef SAME_RANDOM /* a random source that repeats: after a boot the very same message 1 */
  :: atomic { ON(AGAIN) ph == IDLE && nm > 1 -> ANY(X, k, 1, NM - 1); if :: k < nm && mpos[k] == pos -> dm = k; pend = 0; ph = SENT :: else fi; k = 0 }
#endif
#ifdef MUT_REBUILT_MESSAGE
  :: atomic { ON(NEW) ph == SENT && nm < NM -> mpos[nm] = pos; mdat[nm] = mdat[dm]; dm = nm; nm++ }
#endif
#ifdef MUT_OLD_LINK_KEPT
  :: atomic { ON(FIRST) ph == SENT && kept && !recsent[kept] -> recsent[kept] = 1; kept = 0 }
#endif
#ifdef MUT_LEFT_UNANSWERED
  :: atomic { BEFORE_MESSAGE ph == SENT && STEP(pos) > 0 && STEP(pos) + 1 < STEPS -> pos++; forget_link(); ph = IDLE }
#endif
#ifdef MUT_BACK
  :: atomic { BEFORE_MESSAGE ph == SENT && nm > 2 && mpos[nm - 2] < pos -> pos = mpos[nm - 2]; forget_link(); ph = IDLE }
#endif
  :: atomic { BEFORE_MESSAGE ph == SENT && pos != P(f, 0) -> rule_7_4_6_left_without_verdict(); rule_7_4_2_jump(); tidy() }
  :: atomic { ON(TAKE) ph == SENT && ns > 1 -> ANY(X, k, 1, NS - 1); if :: k < ns && sm[k] == dm -> rule_7_4_3_take(k) :: else fi; k = 0 }
#ifdef MUT_SECOND_ANSWER_TAKEN
  :: atomic { ON(TAKE) ph == LIVE -> ANY(X, k, 1, NS - 1); if :: k < ns && sm[k] == dm && !recsent[k] -> ds = k; verdict = sverdict[k] :: else fi; k = 0 }
#endif
  :: atomic { ON(WRITE) ph == STORE && f + 1 < BLOCKS -> rule_7_4_4_write() }
#ifdef MUT_RECORD_BEFORE_FLASH
  :: atomic { ON(FIRST) ph == STORE && !recsent[ds] -> recsent[ds] = 1 }
#endif
  :: atomic { ON(TORN) ph == STORE && cur != f -> slot_erased(); check_boot() }
  :: atomic { ON(WIPING) ph == WIPE -> rule_7_4_4_wipe() }
  :: atomic { ON(LOST) (ph == STORE || ph == WIPE) -> ds = 0; verdict = 0; ph = SENT } /* link lost: position and message 1 kept */
  :: atomic { ON(FIRST) ph == LIVE && !recsent[ds] -> first_record() }
  :: atomic { ON(LEAVE) ph == LIVE -> rule_7_4_6_left_with_verdict(); forget_link(); rule_7_4_1_next_step(); ph = IDLE; tidy() }
  :: atomic { ON(CUT) cuts < CUTS -> cuts++; pend = 0; slots_at_boot(); rule_7_4_2_jump(); tidy(); check_boot() }
#ifdef SLEEP /* SPEC 7.4, saved state kind 2, only where no message 1 was sent: waking goes on where it was, restoring wipes */
  :: atomic { ON(SLEEPS) ph == IDLE && pos != P(f, 0) && cuts < CUTS -> cuts++; pend = 0; slots_at_boot(); nap = pos; wiped_nap() }
  :: atomic { ON(WAKES) nap != NONE && cuts < CUTS -> cuts++; pend = 0; slots_at_boot(); rule_7_4_2_jump(); pos = nap; wiped_nap() }
#endif

  /* any recorded message 1 reaches any node */
  :: atomic { ON(ARRIVES) nm > 1 && ns < NS -> ANY(X, x, 1, NM - 1); ANY(Y, g, 0, NODES - 1);
       if
       :: x >= nm || (ns == 1 && g > 0 && first_node_is_0)
       :: else ->
          rule_7_5_4_cached();
          if
          :: again
          :: else ->
             swap();
             q = mpos[x]; current = (S.inc == inc); rule_7_5_1_indexed(q, S.p, ahead);
             if
             :: ok && q >= S.p ->                      /* below p: R_q is erased */
#ifdef MUT_ENDED_BY_MESSAGE_1
                if :: alive -> assert(x > sm[alive]) /* A6 */; alive = 0 :: else fi;
#endif
                rule_7_5_2_advance(); current = (S.inc == inc);
                if :: mdat[x] -> rule_7_5_3_claim() :: else -> v = NODATA fi;
                rule_7_5_4_answer();
#ifdef MUT_ERASED_AT_ANSWER
                S.p = q + 1; S.early = EMPTY; durable()
#endif
             :: else
             fi;
             answered: swap()
          fi
       fi;
       end_of_step; check_boot() }

  /* any recorded first record reaches its node; its confirmation is written now, later or never */
  :: atomic { ON(RECORD) ns > 1 -> ANY(X, k, 1, NS - 1); x = k;
       if :: x < ns && recsent[x] && candidate[x] -> rule_7_5_5_live(x) :: else fi; end_of_step; check_boot() }
  :: atomic { ON(CONFIRM) ns > 1 -> ANY(X, k, 1, NS - 1); x = k;
       if :: x < ns && late[x] -> g = snode[x]; swap(); rule_7_5_5_confirm(x); swap() :: else fi; end_of_step; check_boot() }

  /* a candidate expires */
  :: atomic { ON(EXPIRE) ns > 1 -> ANY(X, k, 1, NS - 1); if :: k < ns && candidate[k] -> candidate[k] = 0 :: else fi; k = 0 }

  /* gateway and store */
  :: atomic { ON(CRASH) crashes < CRASHES && ns > 1 -> crashes++; ANY(Y, g, 0, NODES - 1); crash(g);
       if
       :: NODES == 1 && (S.p != D.p || S.early != D.early || S.inc != D.inc) -> /* the machine went down as well */
          S.p = D.p; S.early = D.early; S.inc = D.inc; hole = 1
       :: skip
       fi; end_of_step; check_boot() }
  :: atomic { ON(LOSE) losses < LOSSES -> losses++; hole = 1;
       if :: S.p = Back.p; S.early = Back.early; S.inc = Back.inc :: skip fi; /* what is announced need not come */
       inc++; durable();
       if :: DOWN_WITH_STORE -> crash(0) :: else fi; end_of_step; check_boot() }
  /* the backup of the first day; the operator raises J, the restore changes the incarnation (SPEC 7.5-1) */
  :: atomic { ON(RESTORE) restores < RESTORES -> restores++; hole = 1; S.p = P(0, 0); S.early = EMPTY; S.inc = 0; Back.p = 0; Back.early = EMPTY; Back.inc = 0;
#ifndef MUT_RESTORED_IN_SILENCE
       inc++;
#endif
#ifndef MUT_J_NOT_RAISED
       ahead = BLOCKS;
#endif
       durable(); if :: DOWN_WITH_STORE -> crash(0) :: else fi; end_of_step; check_boot() }
#ifdef SPLIT
  :: atomic { ON(PARTS) !split && NODES > 1 -> split = 1; hole = 1; S1.p = S.p; S1.early = S.early; S1.inc = S.inc; inc1 = inc; inc++ }
#endif
#ifdef REPLAY
  :: atomic { ON(FORGET) pend = 0 } /* the application does not offer again what was NOT TAKEN */
#endif
  REST_OF_TRACE
  od
}
