/* What streams are continued on, SPEC 7.5-3, 7.5-7, section 9 and "Saved state": session names, CONTINUED and NEW, early data
   that names a session, blobs in flash. One gateway process; positions are left to chain.pml and full.pml: a message 1 is
   served unless a younger one's first record has been seen, and its early data is claimed once.

   A byte of a stream is modelled by the life of the device that made it: after each loss of RAM the application makes other
   bytes. So two ends that disagree about one offset of one session have spliced streams.

   Asserted:
   A5  whatever a gateway adds to a session's stream was meant for that session, and what it discards as a repeat is what it
       has already. */

#ifndef CUTS
#define CUTS 2 /* power cuts of the device */
#endif
#ifndef SAVES
#define SAVES 1 /* blobs written to flash */
#endif
#ifndef SENDS
#define SENDS 4
#endif
#ifndef ANSWERS
#define ANSWERS 5
#endif
#define NM (SENDS + 1)
#define NS (ANSWERS + 1)
#ifndef BYTES
#define BYTES 2 /* of a stream */
#endif
#define NOBODY 0 /* no name */

#define NODATA 0
#define TAKEN 1
#define NOTTAKEN 2
#define UNKNOWN 3

#define IDLE 1
#define SENT 2
#define WAIT 3 /* full handshake: first record sent or not, STATUS not yet here */
#define LIVE 4

typedef Stream { byte name; byte size; byte b[BYTES] }

/* device: its session with the bytes the caller keeps; acked; a blob in flash */
Stream dev; byte acked, ph = IDLE, dm, ds, life = 1;
Stream blob; byte backed; bit used = 1;
byte cuts, saves;

/* gateway: the confirmed session, and the link that is live */
Stream gw; byte alive, served;

/* message 1s: the session they name and early data from offset mfrom to mearly.size; answers and their candidates */
byte mfrom[NM], nm = 1; bit mfull[NM], mclaimed[NM], mrefused[NM];
Stream mearly[NM];
byte sm[NS], sverdict[NS], ns = 1;
bit scont[NS], candidate[NS], recsent[NS];
byte snamed[NS];   /* full handshake: the name in the first record's STATE */
Stream cand[NS];   /* name 0: the new session, which dies with its candidate */

byte x, k, i; bit again, cont;

inline copy(to, from) { to.name = from.name; to.size = from.size; i = 0; do :: i < BYTES -> to.b[i] = from.b[i]; i++ :: else -> break od; i = 0 }
inline clear(s) { s.name = NOBODY; s.size = 0; i = 0; do :: i < BYTES -> s.b[i] = 0; i++ :: else -> break od; i = 0 }
#define end_of_step x = 0; k = 0; i = 0; again = 0; cont = 0

/* Section 9: frames of session `from`, bytes from offset `at`, reach the stream `to` of the gateway. */
inline receive(to, from, at) {
  assert(to.name == from.name && at <= to.size);                      /* A5 */
  i = at;
  do
  :: i < from.size && i < to.size -> assert(to.b[i] == from.b[i]); i++ /* A5 */
  :: i < from.size && i >= to.size -> to.b[i] = from.b[i]; to.size = i + 1; i++
  :: else -> break
  od; i = 0
}

inline forget_candidate(a) { candidate[a] = 0; clear(cand[a]) }
inline drop_candidates() { k = 1; do :: k < ns -> forget_candidate(k); k++ :: else -> break od; k = 0 }

/* Answers that can have no effect any more are forgotten, so that equal futures are one state. */
inline tidy() {
  if :: alive != ds -> alive = 0 :: else fi;
  k = 1;
  do
  :: k < ns ->
     if
     :: sm[k] != dm && !candidate[k] && alive != k -> sm[k] = 0; sverdict[k] = 0; scont[k] = 0; recsent[k] = 0; snamed[k] = 0
     :: else
     fi; k++
  :: else -> break
  od; k = 0;
  k = 1;
  do
  :: k < nm -> if :: k < served && k != dm -> mfrom[k] = 0; mclaimed[k] = 0; mrefused[k] = 0; clear(mearly[k]) :: else fi; k++
  :: else -> break
  od; k = 0
}

/* ---- device -------------------------------------------------------------------------------------------- */

/* The application makes a byte: what it makes depends on its life. */
inline make_byte() { dev.b[dev.size] = life; dev.size++ }

/* Saved state: a blob in flash is marked used before anything is sent under its name, be it after restoring or because the
   device goes on awake. */
inline mark_used() { if :: !used && blob.name == dev.name -> used = 1; clear(blob); backed = 0 :: else fi }
inline marked_before_message() {
#ifndef MUT_BLOB_NOT_MARKED
  mark_used();
#endif
  skip
}
inline marked_before_record() {
#ifndef MUT_BLOB_NOT_MARKED_AWAKE
  mark_used();
#endif
  skip
}
inline save() { copy(blob, dev); backed = acked; used = 0; saves++ }
/* Restoring sets tx to what was acknowledged; the bytes behind that are the caller's to keep. */
inline restore() {
  copy(dev, blob); acked = backed;
#ifdef MUT_UNACKED_BYTES_LOST
  dev.size = acked;
#endif
  skip
}
inline new_message(is_full, with_early) {
  marked_before_message();
  mfull[nm] = is_full;
  if
  :: with_early -> copy(mearly[nm], dev); mfrom[nm] = acked
  :: else -> mearly[nm].name = (is_full -> NOBODY : dev.name)
  fi;
  dm = nm; nm++; ph = SENT
}
#define has_early(m) (mearly[m].size > mfrom[m])

/* Streams of the old session end with an error; the application starts over. */
inline streams_end(name_now) { clear(dev); dev.name = name_now; acked = 0 }

/* Section 9, "After NEW": streams opened under the old name end; those never sent, or TAKEN, go on under the new one. */
inline new_session(a) {
  if
#ifdef MUT_NEW_IGNORED
  :: 1 -> dev.name = a
#endif
  :: dev.name == NOBODY && sverdict[a] != UNKNOWN -> dev.name = a
  :: else -> streams_end(a)
  fi
}
inline take(a) {
  ds = a; recsent[a] = 1;                                            /* the network may withhold it for ever */
  if
  :: mfull[dm] -> ph = WAIT; snamed[a] = dev.name
  :: !mfull[dm] -> ph = LIVE; if :: scont[a] :: else -> new_session(a) fi
  fi
}
/* Rule 7.4-6: left without a verdict. The bytes keep their offsets, or their stream ends. */
inline left_without_verdict() {
#ifdef MUT_OFFSETS_USED_AGAIN
  if :: has_early(dm) -> dev.size = mfrom[dm]; life++ :: else fi
#else
  if :: has_early(dm) && dev.name == NOBODY -> streams_end(NOBODY) :: else fi
#endif
}

/* ---- gateway ------------------------------------------------------------------------------------------- */

/* Rule 7.5-7: CONTINUED only where a confirmed session of that name is held. */
#ifdef MUT_CONTINUED_UNSEEN
#define rule_7_5_7_continued(n) (n != NOBODY && gw.name != NOBODY)
#else
#define rule_7_5_7_continued(n) (n != NOBODY && gw.name == n)
#endif

/* Rule 7.5-3, with its clause on early data that names a session which is not continued. */
inline rule_7_5_3_claim() {
  if
  :: mrefused[x] -> sverdict[ns] = NOTTAKEN
  :: mclaimed[x] -> sverdict[ns] = UNKNOWN
#ifndef MUT_TAKEN_AND_NEW
  :: !mrefused[x] && !mclaimed[x] && mearly[x].name != NOBODY && !cont -> mrefused[x] = 1; sverdict[ns] = NOTTAKEN
#endif
  :: else ->
     mclaimed[x] = 1; sverdict[ns] = TAKEN;
     if
     :: cont -> receive(gw, mearly[x], mfrom[x])
     :: else -> receive(cand[ns], mearly[x], mfrom[x])
     fi
  fi
}
inline answer() {
  cont = rule_7_5_7_continued(mearly[x].name) && !mfull[x];
  if :: has_early(x) -> rule_7_5_3_claim() :: else -> sverdict[ns] = NODATA fi;
  sm[ns] = x; scont[ns] = cont; candidate[ns] = 1; if :: cont -> snamed[ns] = mearly[x].name :: else fi; ns++
}
/* Rule 7.5-5: live with the first record; NEW ends the old session, CONTINUED goes on with it. */
inline first_record_arrives(a) {
  if :: mfull[sm[a]] -> scont[a] = rule_7_5_7_continued(snamed[a]) :: else fi;
  assert(!scont[a] || gw.name == snamed[a]);                         /* A5 */
  if
  :: scont[a]
  :: else -> copy(gw, cand[a]); gw.name = a
  fi;
  alive = a; served = sm[a] + 1; drop_candidates()
}
/* The session ends (crash, time limit): candidates that were told CONTINUED end with it. */
inline session_ends() {
  clear(gw); alive = 0; k = 1;
  do
#ifdef MUT_CANDIDATES_OUTLIVE_SESSION
  :: 1 -> break
#endif
  :: k < ns -> if :: scont[k] -> forget_candidate(k) :: else fi; k++
  :: k >= ns -> break
  od; k = 0
}

/* ------------------------------------------------------------------------------------------------------- */

active proctype streams() {
  do
  /* device */
  :: atomic { (ph == IDLE || ph == LIVE) && dev.size < BYTES -> make_byte() }
  :: atomic { ph == IDLE && nm < NM && acked == dev.size -> new_message(0, 0); end_of_step }
  :: atomic { ph == IDLE && nm < NM && acked < dev.size -> new_message(0, 1); end_of_step }
#ifdef WITH_FULL
  :: atomic { ph == IDLE && nm < NM -> new_message(1, 0); end_of_step }
#endif
  :: atomic { ph == SENT -> left_without_verdict(); dm = 0; ph = IDLE; tidy(); end_of_step }
  :: atomic { ph == SENT && ns > 1 -> select(k : 1 .. NS - 1); if :: k < ns && sm[k] == dm -> x = k; take(x) :: else fi; end_of_step }
  :: atomic { ph == WAIT && alive == ds ->                           /* STATUS */
       ph = LIVE; if :: scont[ds] :: else -> x = ds; new_session(x) fi; end_of_step }
#ifdef MUT_STATUS_NOT_AWAITED
  :: atomic { ph == WAIT && alive == ds -> receive(gw, dev, acked) }
#endif
  :: atomic { (ph == LIVE || ph == WAIT) -> dm = 0; ds = 0; ph = IDLE; tidy(); end_of_step }
  :: atomic { ph == LIVE && alive == ds && acked < dev.size -> marked_before_record(); receive(gw, dev, acked) }
  :: atomic { ph == LIVE && alive == ds && acked < gw.size -> acked = gw.size }
  :: atomic { (ph == LIVE || ph == IDLE) && saves < SAVES && dev.name != NOBODY -> save(); end_of_step }
  :: atomic { cuts < CUTS -> cuts++; dm = 0; ds = 0; ph = IDLE; life++; streams_end(NOBODY);
       if :: !used -> restore() :: skip fi; tidy(); end_of_step }

  /* any recorded message 1, any recorded first record */
  :: atomic { nm > 1 && ns < NS -> select(x : 1 .. NM - 1);
       again = 0; k = 1; do :: k < ns -> if :: sm[k] == x && candidate[k] -> again = 1 :: else fi; k++ :: else -> break od;
       if :: x < nm && x >= served && !again -> answer() :: else fi; tidy(); end_of_step }
  :: atomic { ns > 1 -> select(k : 1 .. NS - 1); x = k;
       if :: x < ns && recsent[x] && candidate[x] -> first_record_arrives(x) :: else fi; tidy(); end_of_step }
  :: atomic { ns > 1 -> select(k : 1 .. NS - 1); x = k; if :: x < ns && candidate[x] -> forget_candidate(x) :: else fi; tidy(); end_of_step }

#ifndef STEADY /* the gateway neither crashes nor gives a session up */
  :: atomic { gw.name != NOBODY -> session_ends(); tidy(); end_of_step }
#endif
  od
}
