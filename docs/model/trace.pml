/* A model is searched, or with REPLAY follows a trace of the code: then what happens next, and to what, is the trace's to say, and what came of
   it must be what the code did. Transitions, guards and rules are the same text in both. README.md, "Replay".

   ON(o)      the transition is what the trace calls o
   BEFORE_MESSAGE  a step that leaves no mark of its own: taken at will before a message 1 leaves
   ANY        one of several: any of them; what the trace names, if it names one */

#ifndef REPLAY
#define ON(o)
#define BEFORE_MESSAGE
#define ANY(column, v, from, to) select(v : from .. to)
#define BEGIN
#define REST_OF_TRACE
#else

c_decl {
  \#include "trace.h"
}

byte turn;     /* the trace's next event, or what came of it */
short at, which;
#define CELL(column) c_expr { trace_events[trace_starts[now.which] + now.at].cells[column] }
#define SAME(column, value) (CELL(column) == UNSEEN || CELL(column) == (value))

#define BEFORE_MESSAGE turn == 0 && (CELL(OP) == NEW || CELL(OP) == FULL_NEW || CELL(OP) == AGAIN) ->
#define ON(o) turn == 0 && CELL(OP) == o -> turn = 1; remember_before();
#define ANY(column, v, from, to) if :: CELL(column) != UNSEEN -> v = CELL(column) :: else -> select(v : from .. to) fi

/* Every trace of the file, each from the initial state. */
#define BEGIN atomic { c_code { read_traces(); }; do :: c_expr { now.which + 1 < trace_count } -> which++ :: break od }
#define REST_OF_TRACE \
  :: atomic { ON(LOOK) skip } \
  :: atomic { turn == 1 && came_of_it -> c_code { passed(now.which, now.at); }; at++; turn = 0 }

/* What the code promises holds on its traces too; those that are forbidden are refused by the rules alone. */
#define assert(a) (CELL(LENIENT) == 1 || (a))

/* Columns of an event. */
#define UNSEEN (-1)
#define OP 0
#define LENIENT 1
#define X 2
#define Y 3

/* Events. */
#define LOOK 1 /* nothing happens */
#define NEW 2
#define TAKE 3
#define WRITE 4
#define WIPING 5
#define LOST 6
#define FIRST 7
#define LEAVE 8
#define CUT 9
#define ARRIVES 10
#define RECORD 11
#define CONFIRM 12
#define EXPIRE 13
#define CRASH 14
#define LOSE 15
#define RESTORE 16
#define FORGET 17
#define FULL_NEW 18
#define HEAR 19
#define SLEEPS 20
#define WAKES 21
#define AGAIN 22
#define PARTS 23
#define TORN 24
#define MAYBE 25
#endif
