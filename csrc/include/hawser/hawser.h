/*
 * hawser - a secure tunnel between a device and its one gateway. Public API of the core.
 *
 * The core does no I/O, keeps no clock and allocates nothing. The caller moves bytes, supplies the time
 * and stores state. Four verbs and a reader of events:
 *
 *   hawser_receive   bytes in          hawser_send      bytes out
 *   hawser_deadline  next deadline     hawser_timeout   deadline passed
 *   hawser_next      what happened
 *
 * A device uses the same verbs with the prefix hawser_device_ (hawser/device.h holds its struct), a gateway adds
 * hawser/gateway.h. Functions return HAWSER_OK or an enum hawser_error (error.h) and must be checked. Except where
 * a comment says otherwise an error leaves the state as it was. Structs are plain: they may be sized, copied while
 * no link is live, and wiped; their fields are private. Pointers given to an init function must outlive the
 * struct. docs/SPEC.md is the protocol.
 */
#ifndef HAWSER_H
#define HAWSER_H

#include "hawser/config.h"
#include "hawser/error.h"
#include "hawser/port.h"

#if defined(__GNUC__)
#define HAWSER_MUST_USE __attribute__((warn_unused_result))
#else
#define HAWSER_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Sizes ------------------------------------------------------------------------------------------ */

#define HAWSER_ID_MIN 4
#define HAWSER_ID_MAX 32
#define HAWSER_NAME_LEN 8 /* of a session or a chain */
#define HAWSER_TICKET_LEN 8
#define HAWSER_UPSTREAM_MAX 32       /* name of an upstream */
#define HAWSER_RECORD_OVERHEAD 18    /* header and tag */
#define HAWSER_RECORD_MIN 64         /* smallest record_max of a pairing */
#define HAWSER_RECORD_MAX 16383      /* plaintext of a record */
#define HAWSER_FIRST_RECORD_MAX 4078 /* plaintext of a device's first record */
#define HAWSER_MESSAGE1_MAX 4095
#define HAWSER_MESSAGE1_MIN 46 /* resumption without early data */
#define HAWSER_MESSAGE2_MAX 98
#define HAWSER_CONNECTION_ID_MAX 8
#define HAWSER_SLOT_LEN 64
#define HAWSER_SAVE_MAX 256
#define HAWSER_FRAME_OVERHEAD 3 /* of DATA and MSG */
#define HAWSER_SEND_MIN 128     /* smallest `cap` of hawser_send; a full message 1 or any message 2 fits */

/* What COBS makes of len bytes at most, with the zero that ends the frame (serial lines). */
#define HAWSER_COBS_LEN(len) ((len) + (len) / 254 + 2)

/* The rx buffer of a session whose records have at most record_max bytes, on any transport. */
#define HAWSER_RX_LEN(record_max)                                                                                      \
  HAWSER_COBS_LEN(((record_max) < HAWSER_MESSAGE2_MAX ? HAWSER_MESSAGE2_MAX : (record_max)) + HAWSER_RECORD_OVERHEAD)

/* `cap` with which hawser_write takes len bytes in one record, on any transport. */
#define HAWSER_WRITE_LEN(len) HAWSER_COBS_LEN((len) + HAWSER_FRAME_OVERHEAD + HAWSER_RECORD_OVERHEAD)

/* The message1 buffer of a device whose early data is at most early bytes: an OPEN and a DATA frame around them. */
#define HAWSER_MESSAGE1_LEN(early) (HAWSER_MESSAGE1_MIN + 9 + HAWSER_UPSTREAM_MAX + HAWSER_FRAME_OVERHEAD + (early))

/* ---- Pairing ---------------------------------------------------------------------------------------- */

enum hawser_mode { HAWSER_KEYS = 1, HAWSER_KEYS_PSK = 2, HAWSER_PSK = 3, HAWSER_TICKET = 4 };
enum hawser_transport { HAWSER_STREAM = 1, HAWSER_DATAGRAM = 2, HAWSER_SERIAL = 3 };

/* What both ends know before they meet (SPEC 4). The same struct serves both ends: `own` is this end's
 * static private key, `peer` the other end's public key. Zero what a mode does not use. */
typedef struct hawser_pairing {
  uint8_t mode, suite;
  uint8_t id_len, gateway_id_len;
  uint8_t id[HAWSER_ID_MAX], gateway_id[HAWSER_ID_MAX];
  uint16_t record_max;
  uint32_t window_device, window_gateway;
  uint32_t max_steps, max_blocks;
  hawser_key own;    /* keys */
  hawser_key psk;    /* keys with PSK, psk */
  hawser_key ticket; /* ticket: B_0 (device only) */
  uint8_t peer[HAWSER_PUBLIC_MAX];
  uint8_t own_public[HAWSER_PUBLIC_MAX];
  uint8_t ss[32], gate_d2g[32], gate_g2d[32]; /* keys */
} hawser_pairing;

/* HAWSER_OK, or HAWSER_ERR_ARG: a field is out of range, a secret of the mode is missing or zero, the suite or
 * mode is not built in. A missing `ticket` is no error: a gateway keeps a chain in its store instead. */
int hawser_pairing_valid(const hawser_pairing *pairing) HAWSER_MUST_USE;

/* The secrets of a pairing in the raw: to be imported into the port, then wiped. Zero where the mode has none. */
typedef struct hawser_pairing_secrets {
  uint8_t own[HAWSER_KEY_LEN], psk[HAWSER_KEY_LEN], ticket[HAWSER_KEY_LEN];
} hawser_pairing_secrets;

#define HAWSER_PAIRING_FORM_MAX 325 /* bytes of the longest binary form */

/* Reads a device's pairing in the binary form of SPEC 4.1. The caller imports the secrets, sets own, psk and ticket, and
 * wipes *secrets. HAWSER_ERR_FORMAT: damaged, or a field out of range; HAWSER_ERR_ARG: of a mode or suite that is not
 * built in; HAWSER_ERR_CRYPTO: the port refuses the private key. After an error both are zero. */
int hawser_pairing_read(hawser_pairing *pairing, hawser_pairing_secrets *secrets, const uint8_t *form,
                        size_t len) HAWSER_MUST_USE;

/* Computes both gate keys from ss and both ids (SPEC 4). psk: 32 bytes, or NULL where the mode has none. */
int hawser_gate_keys(hawser_pairing *pairing, const uint8_t *psk) HAWSER_MUST_USE;

/* ---- Events ----------------------------------------------------------------------------------------- */

enum hawser_event_type {
  HAWSER_EV_NONE = 0,
  HAWSER_EV_STORE,   /* device: data = slot image (64 bytes): write it to slot `value` (0, 1), read back, wipe the
                          other slot, then hawser_stored(). Nothing is sent before. */
  HAWSER_EV_LIVE,    /* device: the session is up; value = 1 CONTINUED, 0 NEW */
  HAWSER_EV_VERDICT, /* device: on early data of stream; value = enum hawser_verdict */
  HAWSER_EV_OPEN,    /* gateway: stream, value = kind, data = name of the upstream */
  HAWSER_EV_OPENED,  /* device: the upstream is connected */
  HAWSER_EV_DATA,    /* stream, data: in order; hawser_consume() when accepted */
  HAWSER_EV_FIN,     /* stream: the peer sends no more */
  HAWSER_EV_ACKED,   /* stream, offset: bytes below it were accepted by the peer, forget them; value = 1: FIN too */
  HAWSER_EV_REWIND, /* stream, offset: hawser_write() goes on from here (may be higher or lower); value = 1: behind FIN */
  HAWSER_EV_CLOSED,    /* stream is gone, its id free; value = code of SPEC 9 (0: both directions ended) */
  HAWSER_EV_MESSAGE,   /* stream, data: an unreliable message */
  HAWSER_EV_PONG,      /* an answer to hawser_ping() */
  HAWSER_EV_HANDSHAKE, /* gateway, serial: data = a framed handshake message: feed it to a new hawser_accept */
  HAWSER_EV_CLOSE,     /* the peer ended the session for good; value = code */
  HAWSER_EV_DEAD       /* the link is dead: drop it, connect again */
};

enum hawser_verdict { HAWSER_NO_EARLY = 0, HAWSER_TAKEN = 1, HAWSER_NOT_TAKEN = 2, HAWSER_UNKNOWN = 3 };

/* Codes of RESET and CLOSE (SPEC 9). */
enum hawser_code {
  HAWSER_DONE = 0,
  HAWSER_NOT_ALLOWED = 1,
  HAWSER_UNREACHABLE = 2,
  HAWSER_UPSTREAM_RESET = 3,
  HAWSER_STREAM_LIMIT = 4,
  HAWSER_STATE_LOST = 5,
  HAWSER_VIOLATION = 6,
  HAWSER_CANCELLED = 7,
  HAWSER_TIMEOUT = 8,
  HAWSER_GOING_AWAY = 9,
  HAWSER_REVOKED = 10,
  HAWSER_EARLY_UNKNOWN = 11
};

typedef struct hawser_event {
  uint8_t type;
  uint16_t stream;
  uint32_t value;
  uint64_t offset;
  const uint8_t *data; /* valid until the next call that takes bytes */
  size_t len;
} hawser_event;

/* ---- Session: what both ends have once a link is up -------------------------------------------------- */

enum hawser_kind { HAWSER_KIND_STREAM = 0, HAWSER_KIND_MESSAGES = 1 };

/* A RESET that waits to be sent, for a serial that no stream has (any more). serial 0: none. */
typedef struct hawser_owed {
  uint32_t serial;
  uint16_t id;
  uint8_t code;
} hawser_owed;

/* Fields of the structs below that are often used come first: a short offset makes a short instruction. */

/* One stream. The caller supplies an array; its length is the number of streams at once, ids are indices.
 * A gateway wants 128 (SPEC 9), or what its documentation says. */
typedef struct hawser_stream {
  uint8_t kind, code;
  uint32_t flags, serial;
  const char *name; /* device: upstream */
  hawser_owed owed; /* of this id where there is room, else of any */
#if HAWSER_STREAMS
  uint64_t tx, tx_acked, tx_end;  /* next to send, acknowledged, final offset + 1 once FIN was sent (else 0) */
  uint64_t tx_high;               /* device: the highest tx of links before this one */
  uint64_t rx, rx_acked, rx_sent; /* received, accepted, last offset told to the peer */
  uint64_t rx_at;                 /* where the next DATA on this link goes */
  uint64_t rx_end;                /* final offset + 1 once FIN was received (else 0) */
#endif
} hawser_stream;

/* Both directions of a link's records (SPEC 3.6). */
typedef struct hawser_link {
  uint8_t transport, live;
  uint64_t tx_counter, rx_counter;
  uint8_t tx_key[HAWSER_KEY_LEN], rx_key[HAWSER_KEY_LEN];
} hawser_link;

typedef struct hawser_session {
  uint8_t gateway, code;
  uint16_t stream_count;
  uint32_t flags;
  hawser_link link;
  hawser_stream *streams;
  const hawser_pairing *pairing;
  const uint8_t *frames; /* of the record at hand, not yet read by hawser_next */
  size_t frames_len;
  uint8_t *rx; /* partial records and frames */
  size_t rx_len, rx_cap;
  uint32_t serial, ping, pong;
  uint64_t now_ms;
  uint64_t quiet_ms; /* the last valid record, or the begin of a wait, if that was later */
  uint64_t ping_ms, ack_ms;
  uint8_t name[HAWSER_NAME_LEN], next[HAWSER_NAME_LEN]; /* next: should the session be NEW */
} hawser_session;

/* Bytes in. Takes as much of in as makes one record (or all, of a partial one); *used says how much. in is
 * decrypted in place. Then read hawser_next() until it says NONE, and call again with the rest (also when *used
 * is in_len: nothing is done for 0 bytes). HAWSER_ERR_STATE: no link, or unread events.
 * HAWSER_ERR_AUTH, _FORMAT: drop the link, hawser_link_down(); on a serial line a gateway skips bad frames. */
int hawser_receive(hawser_session *s, uint8_t *in, size_t in_len, size_t *used, uint64_t now_ms) HAWSER_MUST_USE;

/* The next event; type NONE when there is none. HAWSER_ERR_PEER: the session is gone and the link with it; the
 * streams' CLOSED events still follow. */
int hawser_next(hawser_session *s, hawser_event *event) HAWSER_MUST_USE;

/* Bytes out: one record of control frames that are due, *len = 0 when there are none: call until it says so.
 * cap at least HAWSER_SEND_MIN. HAWSER_ERR_EXHAUSTED: drop the link and connect again. */
int hawser_send(hawser_session *s, uint8_t *out, size_t cap, size_t *len, uint64_t now_ms) HAWSER_MUST_USE;

/* When hawser_timeout() wants to be called, in the caller's milliseconds; UINT64_MAX: never. After it read
 * hawser_next() and call hawser_send(). */
uint64_t hawser_deadline(const hawser_session *s);
int hawser_timeout(hawser_session *s, uint64_t now_ms) HAWSER_MUST_USE;

/* The link is gone (or never was): wipes keys, keeps streams. May make events. */
void hawser_link_down(hawser_session *s);
int hawser_is_live(const hawser_session *s);

/* Streams. The caller keeps what it wrote until EV_ACKED and writes it again after EV_REWIND.
 * hawser_write makes one record. *taken = 0 and *out_len = 0: the window is shut, there is no link, or control frames
 * (hawser_send) go first. fin applies when all of data was taken and room was left for it: *fin_taken. */
int hawser_write(hawser_session *s, uint16_t stream, const uint8_t *data, size_t data_len, int fin, uint8_t *out,
                 size_t cap, size_t *out_len, size_t *taken, int *fin_taken, uint64_t now_ms) HAWSER_MUST_USE;

/* Bytes that hawser_write would take, over as many records as they need, once hawser_send has nothing to say. */
uint32_t hawser_window(const hawser_session *s, uint16_t stream);

/* The application (or the upstream's socket) has accepted bytes. 0 at a gateway: the upstream is connected. */
int hawser_consume(hawser_session *s, uint16_t stream, size_t bytes) HAWSER_MUST_USE;
int hawser_reset(hawser_session *s, uint16_t stream, uint8_t code) HAWSER_MUST_USE;

/* One unreliable message, one record; *out_len = 0: there is no link, or hawser_send goes first. HAWSER_ERR_LIMIT: longer
 * than the peer's record. */
int hawser_message(hawser_session *s, uint16_t stream, const uint8_t *data, size_t data_len, uint8_t *out, size_t cap,
                   size_t *out_len, uint64_t now_ms) HAWSER_MUST_USE;
int hawser_ping(hawser_session *s, uint64_t now_ms) HAWSER_MUST_USE;

/* Ends the session for good: hawser_send() says so to the peer, then the caller drops the link. Streams end with code. */
int hawser_close(hawser_session *s, uint8_t code) HAWSER_MUST_USE;

void hawser_session_wipe(hawser_session *s);

#if HAWSER_KEYLOG
/* The keys of a live link as they are now. HAWSER_ERR_STATE: no link. */
int hawser_link_keys(const hawser_session *s, uint8_t d2g[HAWSER_KEY_LEN], uint8_t g2d[HAWSER_KEY_LEN]) HAWSER_MUST_USE;
#endif

/* ---- Device ------------------------------------------------------------------------------------------ */

typedef struct hawser_device hawser_device; /* defined in hawser/device.h */

/* rx holds HAWSER_RX_LEN(pairing->record_max) bytes; message1 holds HAWSER_MESSAGE1_LEN(longest early data). */
int hawser_device_init(hawser_device *d, const hawser_pairing *pairing, hawser_stream *streams, uint16_t stream_count,
                       uint8_t *rx, size_t rx_cap, uint8_t *message1, size_t message1_cap) HAWSER_MUST_USE;

/* Boot from both flash slots (NULL: unreadable or empty). *wipe: -1, or the slot (0, 1) to wipe before going on. */
int hawser_device_boot(hawser_device *d, const uint8_t *slot0, const uint8_t *slot1, int *wipe) HAWSER_MUST_USE;

/* A link is up: chooses message 1 by the ladder; hawser_device_send() then gives its bytes. Early data of one
 * stream may ride along (early may be NULL) if a resumption's message 1 is built anew: *early_taken says whether it
 * does. Keep its bytes until EV_VERDICT says TAKEN; else EV_REWIND tells where to go on, or EV_CLOSED that the
 * stream could not survive. */
typedef struct hawser_early {
  uint16_t stream;
  const uint8_t *data;
  size_t len;
  uint8_t fin, idempotent;
} hawser_early;
int hawser_connect(hawser_device *d, uint8_t transport, const hawser_early *early, int *early_taken,
                   uint64_t now_ms) HAWSER_MUST_USE;

/* The verbs of the device: those of its session, plus the handshake. On HAWSER_ERR_AUTH, _FORMAT or _PEER drop the link, then
 * hawser_disconnected(). A record that fails ends a serial link too: the device resumes (SPEC 3.4). */
int hawser_device_receive(hawser_device *d, uint8_t *in, size_t in_len, size_t *used, uint64_t now_ms) HAWSER_MUST_USE;
int hawser_device_next(hawser_device *d, hawser_event *event) HAWSER_MUST_USE;
int hawser_device_send(hawser_device *d, uint8_t *out, size_t cap, size_t *len, uint64_t now_ms) HAWSER_MUST_USE;
uint64_t hawser_device_deadline(const hawser_device *d);
int hawser_device_timeout(hawser_device *d, uint64_t now_ms) HAWSER_MUST_USE;

/* What became of EV_STORE's image: one call for each, before the next hawser_connect(), also if the link was lost meanwhile; a
 * later one may be HAWSER_ERR_STATE. If not all was done: HAWSER_ERR_STORAGE, drop the link. */
enum hawser_store_result {
  HAWSER_NOT_STORED = 0, /* or it does not read back */
  HAWSER_STORED = 1,     /* and the other slot is wiped */
  HAWSER_NOT_WIPED = 2   /* it reads back; the other slot, still there or half wiped, is the next to be written */
};
int hawser_stored(hawser_device *d, int result) HAWSER_MUST_USE;

/* The link is gone. */
void hawser_disconnected(hawser_device *d, uint64_t now_ms);

/* The session inside, for hawser_write, _consume, _reset, _message, _ping, _close, _window. */
hawser_session *hawser_device_session(hawser_device *d);

/* A new stream. name must outlive it. HAWSER_ERR_LIMIT: no free id. */
int hawser_open(hawser_device *d, const char *name, uint8_t kind, uint16_t *stream) HAWSER_MUST_USE;

/* Exact figures of the last handshake, frames and length fields included. */
enum hawser_handshake_kind { HAWSER_FULL = 1, HAWSER_RESUMPTION = 2 };
typedef struct hawser_handshake_info {
  uint8_t kind;    /* 0: none yet */
  uint8_t ecdh;    /* agreements computed by this end */
  uint8_t verdict; /* on early data */
  uint16_t sent, received;
} hawser_handshake_info;
void hawser_device_handshake(const hawser_device *d, hawser_handshake_info *info);

/* Saving, off-link (SPEC 7.4): HAWSER_SAVE_FLASH keeps stream state alone; HAWSER_SAVE_RETAINED also the step
 * secret, for RAM that survives sleep (HAWSER_ERR_STATE if a message 1 was sent under it, or no
 * record has come since a full handshake). Traffic keys are never saved. HAWSER_ERR_LIMIT: more streams than fit.
 * Restore after hawser_device_boot(); it wipes a RETAINED blob, and any blob that it refuses (all errors but
 * HAWSER_ERR_STATE). Mark a FLASH blob used, in flash, before the first hawser_connect(). Then give each stream its
 * name again. */
enum hawser_save_kind { HAWSER_SAVE_FLASH = 1, HAWSER_SAVE_RETAINED = 2 };
int hawser_save(const hawser_device *d, uint8_t kind, uint8_t blob[HAWSER_SAVE_MAX], size_t *len) HAWSER_MUST_USE;
int hawser_restore(hawser_device *d, uint8_t *blob, size_t len) HAWSER_MUST_USE;
int hawser_name(hawser_device *d, uint16_t stream, const char *name) HAWSER_MUST_USE;

void hawser_device_wipe(hawser_device *d);

#ifdef __cplusplus
}
#endif
#endif
