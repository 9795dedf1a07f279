/* Chains that full handshakes replace, SPEC 7.3 - 7.5, modes with ECDH. A chain is named by what it is derived from: here by
   the number of the answer that gave birth to it. Early data is left to chain.pml, streams to streams.pml.

   Asserted:
   A2  the boot position is looked up by the gateway, or the device's ladder leads to a full handshake; flash is never at an
       older chain than the gateway; and a message 1 of a resumption, a boot apart, is one that the gateway looks up as long
       as the store lost nothing
   A3  at a first record (and at a message 1) flash can open nothing of the past
   A4  no session key is used twice
   A6  a live session is ended only by a session whose message 1 is younger */

#include "positions.pml"
#include "trace.pml"

#ifndef NODES
#define NODES 1
#endif
#ifndef CUTS
#define CUTS 1
#endif
#ifndef CRASHES
#define CRASHES 1 /* of gateway processes */
#endif
#ifndef LOSSES
#define LOSSES 0 /* of the last change of chain or block in the store */
#endif
#ifndef FAILS
#define FAILS 0 /* flash writes and wipes that fail */
#endif
#ifndef SENDS
#define SENDS 3
#endif
#ifndef ANSWERS
#define ANSWERS 4
#endif
#ifndef MAXBLOCKS
#define MAXBLOCKS 3 /* max_blocks of SPEC 7.3 */
#endif
#define NM (SENDS + 1)
#define NS (ANSWERS + 1)
#define NONE 255
#define NOCHAIN 0
#define FULL 0 /* in place of a chain: message 1 of a full handshake */

#define IDLE 1
#define SENT 2
#define STORE 3
#define WIPE 4
#define LIVE 5

typedef Record { byte chain; byte p }
Record S, Back;
byte cuts, crashes, losses, fails;
bit hole; /* the store has lost something */

/* device: RAM, then the newer and the older valid slot of its flash */
byte ph = IDLE, chain, pos, f, dm, ds;
byte kept;     /* the message 1 of (f, 0) while a full handshake is tried */
bit heard = 1; /* a valid record has come since the last full handshake */
bit booted;    /* RAM holds no more than flash: heard is a guess */
byte nchain, nblock, ochain = NONE, oblock;

byte mch[NM], mpos[NM], nm = 1;
byte sm[NS], snode[NS], sbase[NS], ns = 1;
bit candidate[NS], late[NS], recsent[NS];
byte alive;

#ifdef MUT_EPOCH_COUNTER
byte depoch, gepoch, mepoch[NM];
#define same_name(e) (e == gepoch)
#else
#define same_name(e) 1
#endif

byte x, g, k, q; bit ok, again;

inline tidy() {
#ifndef REPLAY
  k = 1;
  do
  :: k < ns ->
     if
     :: sm[k] == dm || (kept && sm[k] == kept) || alive == k
     :: else ->
#ifndef MUT_CONFIRM_BRINGS_CHAIN_BACK
        if :: late[k] && (S.chain != mch[sm[k]] || S.p > mpos[sm[k]]) && LOSSES == 0 -> late[k] = 0 :: else fi;
#endif
        if :: !recsent[k] -> sbase[k] = 0 :: else fi;
        if :: !candidate[k] && !late[k] -> sm[k] = 0; snode[k] = 0; sbase[k] = 0; recsent[k] = 0 :: else fi
     fi; k++
  :: else -> break
  od; k = 0;
#endif
  skip
}
#ifdef REPLAY
/* What is compared with the code after each event; columns of a trace. */
#define STORE_CHAIN 4
#define STORE_P 5
#define ALIVE 6
#define SLOT_CHAIN 7 /* of the newer slot */
#define SLOT_BLOCK 8
#define OLDER_SLOT 9 /* its chain */
#define PHASE 10
#define MESSAGES 11
#define ANSWERED 12
#define CHAIN 13    /* of the last message 1 */
#define POSITION 14 /* of the last message 1 */
#define KEPT 15     /* the answer whose candidate is there */
#define came_of_it ( \
  SAME(STORE_CHAIN, S.chain) && SAME(STORE_P, S.p) && SAME(ALIVE, alive) && SAME(SLOT_CHAIN, nchain) && SAME(SLOT_BLOCK, nblock) && \
  SAME(OLDER_SLOT, ochain) && SAME(PHASE, ph) && SAME(MESSAGES, nm - 1) && SAME(ANSWERED, ns - 1) && \
  SAME(CHAIN, mch[nm - 1]) && SAME(POSITION, mpos[nm - 1]) && (CELL(KEPT) == UNSEEN || candidate[CELL(KEPT)]))
inline remember_before() { skip }
#endif

#define end_of_step tidy(); x = 0; g = 0; q = 0; ok = 0; again = 0

/* ---- assertions ---------------------------------------------------------------------------------------- */

#ifdef MUT_CHAIN_BARS_FULL
#define rule_7_4_5_full(c, at, fl, h) (c == NOCHAIN)
#else
#define rule_7_4_5_full(c, at, fl, h) (c == NOCHAIN || !h || at == P(fl, 0))
#endif

/* Rule 7.5-1 for a chain, and 7.3: a gateway of such a mode answers no b >= max_blocks. */
inline rule_7_5_1_looked_up(c, at) {
  rule_7_5_1_indexed(at, S.p, J);
  ok = ok && c != NOCHAIN && c == S.chain && at >= S.p && BLOCK(at) < MAXBLOCKS
}
inline check_boot() {
  rule_7_5_1_looked_up(nchain, P(nblock, 0));
  assert(ok || rule_7_4_5_full(nchain, P(nblock, 0), nblock, 1));            /* A2 */
  assert(S.chain <= nchain); ok = 0                                  /* A2 */
}
inline check_position() {
  rule_7_5_1_looked_up(chain, pos);
  assert((ok && same_name(depoch)) || booted || hole); ok = 0        /* A2 */
}
inline check_flash_opens_no_past() {
  assert(nchain >= chain && (nchain != chain || nblock >= BLOCK(pos)));  /* A3 */
  assert(ochain == NONE || (ochain == chain && oblock >= BLOCK(pos)))    /* A3 */
}
inline check_flash_opens_no_record() {
  assert(ochain == NONE && nchain == chain && nblock > BLOCK(pos))       /* A3 */
}
inline check_younger(a) { assert(!alive || sm[a] > sm[alive] || (NODES > 1 && hole)) /* A6 */ }

/* ---- device, SPEC 7.4 ---------------------------------------------------------------------------------- */

inline new_message(c) {
  mch[nm] = c; mpos[nm] = pos; if :: c == FULL -> mpos[nm] = 0 :: else fi;
#ifdef MUT_EPOCH_COUNTER
  mepoch[nm] = depoch;
#endif
  dm = nm; nm++; ph = SENT
}
/* Rule 5: a chain is resumed only where a valid record shows that the gateway knows it; 7.3: below max_blocks. */
#ifdef MUT_RESUMED_UNHEARD
#define rule_7_4_5_heard 1
#else
#define rule_7_4_5_heard heard
#endif
#ifdef MUT_NO_BLOCK_LIMIT
#define rule_7_3_resume (chain != NOCHAIN)
#else
#define rule_7_3_resume (chain != NOCHAIN && BLOCK(pos) < MAXBLOCKS)
#endif
inline rule_7_4_2_jump() { pos = P(f, 0); dm = 0; ds = 0; ph = IDLE }
/* Rule 1: one message 1 per position and power cycle; the ladder's other turn does not cost its bytes. */
inline rule_7_4_1_keep() {
  if
  :: mch[dm] != FULL && pos == P(f, 0) -> kept = dm
  :: mch[dm] != FULL && pos != P(f, 0) -> kept = 0
  :: else
  fi
}
inline rule_7_4_1_again() { dm = kept; kept = 0; ph = SENT }
inline slots_at_boot() {
#ifndef MUT_BOOT_KEEPS_SLOT
  ochain = NONE; oblock = 0;
#endif
  chain = nchain; f = nblock; heard = 1; booted = 1; kept = 0
}
inline rule_7_4_3_take(a) {
  assert(!recsent[a]);                                               /* A4 */
  ds = a;
  if :: mch[dm] == FULL || pos == P(f, 0) -> ph = STORE :: else -> ph = LIVE fi
}
/* Rule 4: after a full handshake B_1 of the new chain, f = 1; else B_{b+1}. */
inline write_next_block() {
  ochain = chain; oblock = f; if :: chain == NOCHAIN -> ochain = NONE; oblock = 0 :: else fi;
  if :: mch[dm] == FULL -> nchain = ds; nblock = 1 :: else -> nchain = chain; nblock = f + 1 fi
}
inline rule_7_4_4_write() {
  if
  :: write_next_block(); ph = WIPE
  :: fails < FAILS -> fails++;
     if :: write_next_block() :: skip fi;
#ifdef MUT_WRITE_FAILED_GOES_ON
     stand_at_new_position()
#else
     store_failed()
#endif
  fi;
  check_boot()
}
/* A block that was written before and never relied on is erased by the next write. */
inline slot_erased() { nchain = chain; nblock = f; ochain = NONE; oblock = 0 }
inline rule_7_4_4_wipe() {
  if
#ifdef MUT_NO_WIPE
  :: stand_at_new_position()
#else
  :: ochain = NONE; oblock = 0; stand_at_new_position()
#endif
  :: fails < FAILS -> fails++;
#ifdef MUT_WIPE_FAILED_GOES_ON
     stand_at_new_position()
#else
     store_failed()
#endif
  fi
}
/* On failure, or when the link is lost meanwhile: RAM stands where it stood. */
inline store_failed() {
  ds = 0; if :: mch[dm] == FULL -> dm = 0; ph = IDLE :: else -> ph = SENT fi
}
inline stand_at_new_position() {
  kept = 0;
  if
  :: mch[dm] == FULL -> chain = ds; f = 1; pos = P(0, 0); heard = 0; booted = 0;
#ifdef MUT_EPOCH_COUNTER
     depoch++;
#endif
     skip
  :: else -> f = f + 1; booted = 0
  fi;
  ph = LIVE
}
inline first_record() {
  recsent[ds] = 1; check_flash_opens_no_record()
}
inline leave_link() {
  if
  :: mch[dm] == FULL                                                  /* RAM stands at (0, 0) already */
  :: else -> if :: STEP(pos) + 1 == STEPS -> pos = P(f, 0) :: else -> pos++ fi
  fi;
  dm = 0; ds = 0; ph = IDLE
}

/* ---- gateway, SPEC 7.5 --------------------------------------------------------------------------------- */

inline remember_for_loss() {
#if LOSSES > 0
  Back.chain = S.chain; Back.p = S.p;
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
inline rule_7_5_4_cached() {
  again = 0; k = 1;
  do :: k < ns -> if :: sm[k] == x && snode[k] == g && candidate[k] -> again = 1 :: else fi; k++ :: else -> break od; k = 0
}
inline rule_7_5_4_answer() {
  sm[ns] = x; snode[ns] = g; sbase[ns] = S.chain; candidate[ns] = 1;
#ifdef MUT_CHAIN_REPLACED_BY_MESSAGE_1
  if :: mch[x] == FULL -> S.chain = ns; S.p = 0 :: else fi;
#endif
  ns++
}
inline becomes_live(a) {
  check_younger(a);
  k = 1; do :: k < NS -> if :: snode[k] == snode[a] -> candidate[k] = 0 :: else fi; k++ :: else -> break od; k = 0;
  alive = a
}
/* Rule 5, with its clause on replaced chains. */
inline rule_7_5_5_live(a) {
  q = mpos[sm[a]];
  if
#ifdef MUT_OLD_CHAIN_LIVES
  :: S.chain != mch[sm[a]] || S.p <= q -> becomes_live(a); late[a] = 1
#else
  :: S.chain == mch[sm[a]] && S.p <= q -> becomes_live(a); late[a] = 1
#endif
  :: else -> candidate[a] = 0
  fi
}
inline rule_7_5_5_confirm(a) {
  q = mpos[sm[a]]; late[a] = 0;
  if
#ifdef MUT_CONFIRM_BRINGS_CHAIN_BACK
  :: S.chain != mch[sm[a]] || S.p <= q -> S.chain = mch[sm[a]]; S.p = q + 1
#else
  :: S.chain == mch[sm[a]] && S.p <= q -> S.p = q + 1
#endif
  :: else
  fi
}
/* Rule 6: the first record replaces the chain that stood when the answer was given, before any record goes back. */
inline rule_7_5_6_replace(a) {
  if
#ifdef MUT_WITHHELD_FULL_REPLACES
  :: 1 ->
#else
  :: S.chain == sbase[a] ->
#endif
     becomes_live(a); remember_for_loss();
#ifdef MUT_CHAIN_WRITTEN_LATE
     if :: skip :: S.chain = a; S.p = P(0, 0) fi
#else
     S.chain = a; S.p = P(0, 0)
#endif
#ifdef MUT_EPOCH_COUNTER
     ; gepoch++
#endif
#ifndef MUT_WITHHELD_FULL_REPLACES
  :: else -> candidate[a] = 0
#endif
  fi
}

/* ------------------------------------------------------------------------------------------------------- */

active proctype chains() {
  BEGIN
  do
  /* device */
  :: atomic { ON(FULL_NEW) ph == IDLE && nm < NM && rule_7_4_5_full(chain, pos, f, heard) -> new_message(FULL) }
  :: atomic { ON(NEW) ph == IDLE && !kept && nm < NM && rule_7_3_resume && rule_7_4_5_heard ->
       check_position(); check_flash_opens_no_past(); new_message(chain) }
  :: atomic { ON(AGAIN) ph == IDLE && kept && rule_7_3_resume && rule_7_4_5_heard -> check_position(); check_flash_opens_no_past(); rule_7_4_1_again() }
  :: atomic { BEFORE_MESSAGE ph == SENT -> rule_7_4_1_keep(); rule_7_4_2_jump(); tidy() }              /* silence: jump, or the ladder's next turn */
  :: atomic { ON(TAKE) ph == SENT && ns > 1 -> ANY(X, k, 1, NS - 1); if :: k < ns && sm[k] == dm -> rule_7_4_3_take(k) :: else fi; k = 0 }
  :: atomic { ON(WRITE) ph == STORE -> rule_7_4_4_write() }
#ifdef MUT_RECORD_BEFORE_FLASH
  :: atomic { ON(FIRST) ph == STORE && !recsent[ds] -> recsent[ds] = 1 }
#endif
  :: atomic { ON(TORN) ph == STORE && (nchain != chain || nblock != f) -> slot_erased(); check_boot() }
  :: atomic { ON(WIPING) ph == WIPE -> rule_7_4_4_wipe() }
  :: atomic { ON(LOST) (ph == STORE || ph == WIPE) -> store_failed(); tidy() }
  :: atomic { ON(FIRST) ph == LIVE && !recsent[ds] -> first_record() }
  :: atomic { ON(HEAR) ph == LIVE && alive == ds && !heard -> heard = 1 }     /* a record of the gateway arrives */
  :: atomic { ON(LEAVE) ph == LIVE -> leave_link(); tidy() }
  :: atomic { ON(CUT) cuts < CUTS -> cuts++; slots_at_boot(); rule_7_4_2_jump(); tidy(); check_boot() }

  /* any recorded message 1 reaches any node */
  :: atomic { ON(ARRIVES) nm > 1 && ns < NS -> ANY(X, x, 1, NM - 1); ANY(Y, g, 0, NODES - 1);
       if
       :: x >= nm || (ns == 1 && g > 0)                              /* nodes are alike */
       :: else ->
          rule_7_5_4_cached();
          if
          :: again
          :: !again && mch[x] == FULL -> rule_7_5_4_answer()
          :: !again && mch[x] != FULL ->
             rule_7_5_1_looked_up(mch[x], mpos[x]);
             if
             :: ok && same_name(mepoch[x]) ->
                if :: BLOCK(mpos[x]) > BLOCK(S.p) -> remember_for_loss() :: else fi;
                S.p = mpos[x]; rule_7_5_4_answer()                   /* rule 7.5-2 */
             :: else
             fi
          fi
       fi;
       end_of_step; check_boot() }

  /* any recorded first record reaches its node */
  :: atomic { ON(RECORD) ns > 1 -> ANY(X, k, 1, NS - 1); x = k;
       if
       :: x < ns && recsent[x] && candidate[x] ->
          if :: mch[sm[x]] == FULL -> rule_7_5_6_replace(x) :: else -> rule_7_5_5_live(x) fi
       :: else
       fi; end_of_step; check_boot() }
  :: atomic { ON(CONFIRM) ns > 1 -> ANY(X, k, 1, NS - 1); x = k;
       if :: x < ns && late[x] -> rule_7_5_5_confirm(x) :: else fi; end_of_step; check_boot() }
  :: atomic { ON(EXPIRE) ns > 1 -> ANY(X, k, 1, NS - 1); if :: k < ns && candidate[k] -> candidate[k] = 0 :: else fi; end_of_step }

  :: atomic { ON(CRASH) crashes < CRASHES && ns > 1 -> crashes++; ANY(Y, g, 0, NODES - 1); crash(g); end_of_step }
  :: atomic { ON(LOSE) losses < LOSSES -> losses++; hole = 1; S.chain = Back.chain; S.p = Back.p;
       if :: NODES == 1 -> crash(0) :: else fi; end_of_step; check_boot() }
#ifdef REPLAY
  /* a record may have come that has nothing for the application */
  :: atomic { ON(MAYBE) if :: ph == LIVE && alive == ds -> heard = 1 :: skip fi }
  :: atomic { ON(HEAR) heard } /* that was such a record */
#endif
  REST_OF_TRACE
  od
}
