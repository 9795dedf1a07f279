/*
 * session.h - what device.c and gateway.c need of session.c.
 */
#ifndef HAWSER_SESSION_H
#define HAWSER_SESSION_H

#include "channel.h"
#include "record.h"

/* A session without a link. HAWSER_ERR_ARG: the pairing is not valid, or rx_cap is too small. */
HAWSER_INTERNAL int hawser_session_start(hawser_session *s, const hawser_pairing *pairing, hawser_stream *streams,
                                         uint16_t stream_count, uint8_t *rx, size_t rx_cap, int gateway);

HAWSER_INTERNAL int hawser_session_valid(const hawser_session *s);

/* link is up and confirmed (gateway) or answered (device). The caller then says continue or renew. */
HAWSER_INTERNAL void hawser_session_up(hawser_session *s, uint64_t now_ms);

/* The session has broken a rule or ended: no later link continues it. */
HAWSER_INTERNAL void hawser_session_forget(hawser_session *s, uint8_t code);

/* The session's record or control frames were exchanged: is an acknowledgement still awaited? */
HAWSER_INTERNAL void hawser_session_note(hawser_session *s, uint64_t now_ms);

/* What a caller may still read. */
HAWSER_INTERNAL int hawser_session_has_events(const hawser_session *s);

#endif
