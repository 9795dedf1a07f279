/*
 * channel.h - streams, messages and acknowledgement by offset inside records: the frames of SPEC 9. session.c owns the
 * link, this file what is said over it.
 */
#ifndef HAWSER_CHANNEL_H
#define HAWSER_CHANNEL_H

#include "frames.h"

#define HAWSER_BIT(n) ((uint32_t)1 << (n)) /* an enumerator would be an int, which may have 16 bits */

/* Flags that are asked for together lie together: such a mask fits into one instruction.
 *
 * Of a stream. What is due goes out with the next hawser_send(), events come out of hawser_next(). */
#define HAWSER_ST_USED HAWSER_BIT(0)
#define HAWSER_ST_RESET                                                                                                \
  HAWSER_BIT(1) /* with DONE: by the gateway's RESET; device: it has sent one and waits for the answer */
#define HAWSER_ST_EV_CLOSED HAWSER_BIT(2)
#define HAWSER_ST_DOUBT HAWSER_BIT(3) /* device: early data without a verdict, not idempotent */
#define HAWSER_ST_HELD                                                                                                 \
  HAWSER_BIT(4) /* device: what was in flight is unknown: the gateway's STREAM says where to go on */
#define HAWSER_ST_OPEN_DUE HAWSER_BIT(5)
#define HAWSER_ST_STREAM_DUE HAWSER_BIT(6)
#define HAWSER_ST_RESET_DUE HAWSER_BIT(7)
#define HAWSER_ST_ACK_DUE HAWSER_BIT(8)
#define HAWSER_ST_SENT HAWSER_BIT(9)    /* device: OPEN was sent under the session's name */
#define HAWSER_ST_KNOWN HAWSER_BIT(10)  /* device: the gateway is known to have the stream */
#define HAWSER_ST_OPENED HAWSER_BIT(11) /* the upstream is connected */
#define HAWSER_ST_NAMED HAWSER_BIT(12)  /* the peer has named it on this link */
#define HAWSER_ST_ASKED HAWSER_BIT(13)  /* device: named in this resynchronisation, so the gateway must name it too */
#define HAWSER_ST_EV_OPENED HAWSER_BIT(14)
#define HAWSER_ST_EV_ACKED HAWSER_BIT(15)
#define HAWSER_ST_EV_REWIND HAWSER_BIT(16)
#define HAWSER_ST_EV_FIN HAWSER_BIT(17)
#define HAWSER_ST_DONE HAWSER_BIT(18)     /* gateway: ended, but remembered until a higher serial comes */
#define HAWSER_ST_ANSWERED HAWSER_BIT(19) /* with DONE: by the device's RESET, which was answered */
#define HAWSER_ST_TOLD HAWSER_BIT(20)     /* gateway: an ACK has said that the upstream is connected */
#define HAWSER_ST_OPEN (HAWSER_ST_USED | HAWSER_ST_RESET | HAWSER_ST_EV_CLOSED) /* of these USED alone: it is open */
#define HAWSER_ST_DUE (HAWSER_ST_OPEN_DUE | HAWSER_ST_STREAM_DUE | HAWSER_ST_ACK_DUE | HAWSER_ST_RESET_DUE)
#define HAWSER_ST_EVENTS                                                                                               \
  (HAWSER_ST_EV_OPENED | HAWSER_ST_EV_ACKED | HAWSER_ST_EV_REWIND | HAWSER_ST_EV_FIN | HAWSER_ST_EV_CLOSED)

/* Of a session. */
#define HAWSER_SF_STATE_DUE HAWSER_BIT(0)  /* device: STATE opens its first record */
#define HAWSER_SF_STATUS_DUE HAWSER_BIT(1) /* gateway: STATUS opens its first record */
#define HAWSER_SF_FIRST_DUE HAWSER_BIT(2)  /* device: a first record is owed, be it empty */
#define HAWSER_SF_PING_DUE HAWSER_BIT(3)
#define HAWSER_SF_PONG_DUE HAWSER_BIT(4)
#define HAWSER_SF_CLOSE_DUE HAWSER_BIT(5)
#define HAWSER_SF_SYNC_DUE HAWSER_BIT(6) /* SYNCED follows the streams */
#define HAWSER_SF_HOLD HAWSER_BIT(7)     /* device: says nothing of streams before STATUS */
#define HAWSER_SF_CLOSED HAWSER_BIT(8)
#define HAWSER_SF_STATUS_WAIT HAWSER_BIT(9) /* device: STATUS must come first */
#define HAWSER_SF_PING_OUT HAWSER_BIT(10)   /* sent, not answered */
#define HAWSER_SF_SYNC_WAIT HAWSER_BIT(11)  /* the peer's SYNCED is awaited */
#define HAWSER_SF_PING_APP HAWSER_BIT(12)   /* the application wants to hear of the answer */
#define HAWSER_SF_WAITING HAWSER_BIT(13)    /* an acknowledgement or a PONG is awaited: quiet_ms says since when */
#define HAWSER_SF_DEAD HAWSER_BIT(14)       /* EV_DEAD was said */
#define HAWSER_SF_CONTINUED HAWSER_BIT(15)
#define HAWSER_SF_EVENTS HAWSER_BIT(16) /* some stream has an event */
#define HAWSER_SF_EV_LIVE HAWSER_BIT(17)
#define HAWSER_SF_EV_PONG HAWSER_BIT(18)
#define HAWSER_SF_EV_CLOSE HAWSER_BIT(19)
#define HAWSER_SF_EV_DEAD HAWSER_BIT(20)
#define HAWSER_SF_EV_HANDSHAKE HAWSER_BIT(21) /* frames hold a handshake message of a serial line */
#define HAWSER_SF_LINK                                                                                                 \
  (HAWSER_SF_STATE_DUE | HAWSER_SF_STATUS_DUE | HAWSER_SF_FIRST_DUE | HAWSER_SF_STATUS_WAIT | HAWSER_SF_HOLD |         \
   HAWSER_SF_SYNC_DUE | HAWSER_SF_SYNC_WAIT | HAWSER_SF_PING_DUE | HAWSER_SF_PING_OUT | HAWSER_SF_PING_APP |           \
   HAWSER_SF_PONG_DUE | HAWSER_SF_CLOSE_DUE | HAWSER_SF_WAITING | HAWSER_SF_DEAD)
#define HAWSER_SF_EVENT_MASK                                                                                           \
  (HAWSER_SF_EVENTS | HAWSER_SF_EV_LIVE | HAWSER_SF_EV_PONG | HAWSER_SF_EV_CLOSE | HAWSER_SF_EV_DEAD |                 \
   HAWSER_SF_EV_HANDSHAKE)

#define HAWSER_NOWHERE UINT64_MAX /* rx_at: the peer has not said on this link where it goes on */
#define HAWSER_NEVER UINT64_MAX

/* control.c: frames of the session itself that are due. */
HAWSER_INTERNAL void hawser_control_write(hawser_session *s, hawser_writer *w);

/* The session ends for good: no later link continues it, and its streams end with code. */
HAWSER_INTERNAL void hawser_control_end(hawser_session *s, uint8_t code);

/* One frame of s->frames is taken; it may fill *event, or set flags. HAWSER_ERR_PEER: a violation. */
HAWSER_INTERNAL int hawser_control_frame(hawser_session *s, hawser_event *event);

/* The rest is done by channel.c, or by messages.c in a build without streams, which has no more of it than it needs. */

/* No frame of another kind has to go first, and the link is up. */
HAWSER_INTERNAL int hawser_channel_ready(const hawser_session *s);

/* A frame that is not the session's own: as hawser_control_frame(). */
HAWSER_INTERNAL int hawser_channel_take(hawser_session *s, const hawser_fields *f, hawser_event *event);

#if HAWSER_GATEWAY
/* The frame ends a stream, which has to be told before it is taken. */
HAWSER_INTERNAL int hawser_channel_replaces(hawser_session *s, const hawser_fields *f);
#endif

/* The next pending event of a stream. */
HAWSER_INTERNAL void hawser_channel_event(hawser_session *s, hawser_event *event);

/* The link is up, and frames of streams may be said on it now. */
HAWSER_INTERNAL int hawser_channel_speaks(const hawser_session *s);

/* Some stream has a frame to send; an acknowledgement when its time has come. */
HAWSER_INTERNAL int hawser_channel_due(const hawser_session *s, uint64_t now_ms);

/* Device: a new stream in a free slot. */
HAWSER_INTERNAL void hawser_channel_open(hawser_session *s, hawser_stream *st, const char *name, uint8_t kind);

/* This end resets a stream. */
HAWSER_INTERNAL void hawser_channel_reset(hawser_session *s, hawser_stream *st, uint8_t code);

/* Control frames that are due, as far as there is room. */
HAWSER_INTERNAL void hawser_channel_write(hawser_session *s, hawser_writer *w);

/* A link is up, and the session CONTINUED on it or is NEW. */
#if HAWSER_STREAMS
HAWSER_INTERNAL void hawser_channel_continue(hawser_session *s);
#else
static inline void hawser_channel_continue(hawser_session *s) {
  (void)s; /* never called: such a device continues nothing */
}
#endif
HAWSER_INTERNAL void hawser_channel_renew(hawser_session *s);

/* The link went down. */
HAWSER_INTERNAL void hawser_channel_down(hawser_session *s);

/* All streams end with code. */
HAWSER_INTERNAL void hawser_channel_end(hawser_session *s, uint8_t code);

/* Some stream waits for its peer's acknowledgement. */
HAWSER_INTERNAL int hawser_channel_waits(const hawser_session *s);

#if HAWSER_STREAMS

/* What may be sent into a stream now; the sender MUST NOT go beyond acked + window. */
HAWSER_INTERNAL uint32_t hawser_channel_window(const hawser_session *s, const hawser_stream *st);

/* Device: OPEN or STREAM of a stream, as early data begins with it. 1 if there was room. */
HAWSER_INTERNAL int hawser_channel_name(const hawser_session *s, const hawser_stream *st, hawser_writer *w);

/* Device: early data of a stream was TAKEN, and it stands at tx; or not, and it starts over where it was. */
HAWSER_INTERNAL void hawser_channel_early(hawser_session *s, hawser_stream *st, int taken, uint64_t tx, int fin);

/* Device: early data, which ends at tx, may have been taken: where to go on, only the gateway knows. */
HAWSER_INTERNAL void hawser_channel_unsure(hawser_stream *st, uint64_t tx, int fin);

/* Bytes were accepted: what is to be acknowledged, and when. */
HAWSER_INTERNAL void hawser_channel_accepted(hawser_session *s, hawser_stream *st);

#endif

#endif
