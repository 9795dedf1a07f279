/*
 * hawser/config.h - compile-time limits: one place, a range and a default for each.
 * Override with -DHAWSER_...=n or with -DHAWSER_CONFIG_FILE="\"my_config.h\"".
 */
#ifndef HAWSER_CONFIG_H
#define HAWSER_CONFIG_H

#ifdef HAWSER_CONFIG_FILE
#include HAWSER_CONFIG_FILE
#endif

/* HAWSER_CRYPTO is the crypto port, where a build compiles more than one of ports/ and the linker cannot tell:
 * HAWSER_CRYPTO_PSA, HAWSER_CRYPTO_OPENSSL, or HAWSER_CRYPTO_OWN for the functions of port.h in a file of your own. Undefined:
 * the build lists one port. */
#define HAWSER_CRYPTO_PSA 1
#define HAWSER_CRYPTO_OPENSSL 2
#define HAWSER_CRYPTO_OWN 3

/* HAWSER_RANDOM is the random source of the PSA port. There is no default but on an operating system, which has one of its own.
 *   HAWSER_RANDOM_PROVIDER  psa_generate_random(): you have seen to it that its provider has an entropy source
 *   HAWSER_RANDOM_BOARD     hawser_board_random() of port.h, which the board supplies */
#define HAWSER_RANDOM_PROVIDER 1
#define HAWSER_RANDOM_BOARD 2

/* Who agrees with the device's static private key under the PSA port.
 *   HAWSER_AGREE_PROVIDER  psa_raw_key_agreement() on a key of the provider, which may keep it out of reach
 *   HAWSER_AGREE_BOARD     hawser_board_agree() of port.h, for a secure element that the provider knows nothing of */
#define HAWSER_AGREE_PROVIDER 1
#define HAWSER_AGREE_BOARD 2
#ifndef HAWSER_AGREE
#define HAWSER_AGREE HAWSER_AGREE_PROVIDER
#endif

/* Tickets and PSKs of the PSA port are 32 bytes that the firmware keeps, not PSA keys: ports/psa/port_psa.h. 0 or 1. */
#ifndef HAWSER_PSA_RAW_SECRETS
#define HAWSER_PSA_RAW_SECRETS 0
#endif

/* Build the gateway's half (responder) as well. 0 or 1. A device build holds no code that answers. */
#ifndef HAWSER_GATEWAY
#define HAWSER_GATEWAY 0
#endif

/* Streams. 0: a device that exchanges messages alone (HAWSER_KIND_MESSAGES), each an unreliable datagram to or from a
 * udp:// upstream. It has no early data, and each of its links is a new session in which its channels open by themselves. */
#ifndef HAWSER_STREAMS
#define HAWSER_STREAMS 1
#endif

/* Serial lines (SPEC 3.4) besides TCP, and hawser_save() with hawser_restore(). 0 or 1 each. */
#ifndef HAWSER_SERIAL_LINES
#define HAWSER_SERIAL_LINES 1
#endif
#ifndef HAWSER_SAVE
#define HAWSER_SAVE HAWSER_STREAMS
#endif

/* Suites and modes compiled in. 0 or 1 each. Resumption is always there; HAWSER_MODE_TICKET is about pairings that have
 * nothing else. HAWSER_MODE_KEYS_PSK needs HAWSER_MODE_KEYS. */
#ifndef HAWSER_SUITE_25519
#define HAWSER_SUITE_25519 1
#endif
#ifndef HAWSER_SUITE_P256
#define HAWSER_SUITE_P256 1
#endif
#ifndef HAWSER_MODE_KEYS
#define HAWSER_MODE_KEYS 1
#endif
#ifndef HAWSER_MODE_KEYS_PSK
#define HAWSER_MODE_KEYS_PSK HAWSER_MODE_KEYS
#endif
#ifndef HAWSER_MODE_PSK
#define HAWSER_MODE_PSK 1
#endif
#ifndef HAWSER_MODE_TICKET
#define HAWSER_MODE_TICKET 1
#endif

/* A valid answer to a warm message 1 is awaited this long before the device jumps (SPEC 7.4).
 * Milliseconds, 1 000 .. 86 400 000. */
#ifndef HAWSER_WARM_PATIENCE_MS
#define HAWSER_WARM_PATIENCE_MS 300000u
#endif

/* One attempt (message 1 sent, no answer) ends after this. Milliseconds, 100 .. 600 000. */
#ifndef HAWSER_ATTEMPT_MS
#define HAWSER_ATTEMPT_MS 10000u
#endif

/* Bytes wait for an acknowledgement, or a ping for its answer, at most this long before the link
 * counts as dead; a third of it before a PING asks. Milliseconds, 1 000 .. 3 600 000. */
#ifndef HAWSER_DEAD_MS
#define HAWSER_DEAD_MS 15000u
#endif

/* Consumed bytes are acknowledged at the latest after this. Milliseconds, 0 .. 1 000. */
#ifndef HAWSER_ACK_DELAY_MS
#define HAWSER_ACK_DELAY_MS 25u
#endif

/* What a crypto port may keep of a key while several HMACs are made under it: two hash states of its provider. Bytes on the
 * stack, 128 .. 1 024, a multiple of 8; a port that needs more does not compile. The default is enough for mbedTLS 3.6 as it
 * comes, whose states are as large as SHA-512's; without that and SHA-3 it is 224. docs/PORTING.md says how to find it. */
#ifndef HAWSER_HMAC_LEN
#define HAWSER_HMAC_LEN 480
#endif

/* Bad answers to one message 1 that are looked at before the attempt ends. 1 .. 255. */
#ifndef HAWSER_BAD_ANSWERS
#define HAWSER_BAD_ANSWERS 8
#endif

/* hawser_link_keys(), for a key log. 0 or 1. Never on in firmware. */
#ifndef HAWSER_KEYLOG
#define HAWSER_KEYLOG HAWSER_GATEWAY
#endif

/* For tests: calls hawser_trace(), which the test supplies (src/wire.h), for every seal. 0 or 1. */
#ifndef HAWSER_TRACE
#define HAWSER_TRACE 0
#endif

#if (HAWSER_GATEWAY | HAWSER_STREAMS | HAWSER_SERIAL_LINES | HAWSER_SAVE | HAWSER_SUITE_25519 | HAWSER_SUITE_P256 |    \
     HAWSER_MODE_KEYS | HAWSER_MODE_KEYS_PSK | HAWSER_MODE_PSK | HAWSER_MODE_TICKET | HAWSER_PSA_RAW_SECRETS |         \
     HAWSER_KEYLOG | HAWSER_TRACE) &                                                                                   \
    ~1
#error "a switch of hawser/config.h is 0 or 1"
#endif
#if HAWSER_WARM_PATIENCE_MS < 1000 || HAWSER_WARM_PATIENCE_MS > 86400000
#error "HAWSER_WARM_PATIENCE_MS is 1000 .. 86400000"
#endif
#if HAWSER_ATTEMPT_MS < 100 || HAWSER_ATTEMPT_MS > 600000
#error "HAWSER_ATTEMPT_MS is 100 .. 600000"
#endif
#if HAWSER_DEAD_MS < 1000 || HAWSER_DEAD_MS > 3600000
#error "HAWSER_DEAD_MS is 1000 .. 3600000"
#endif
#if HAWSER_ACK_DELAY_MS < 0 || HAWSER_ACK_DELAY_MS > 1000
#error "HAWSER_ACK_DELAY_MS is 0 .. 1000"
#endif
#if HAWSER_HMAC_LEN < 128 || HAWSER_HMAC_LEN > 1024 || HAWSER_HMAC_LEN % 8 != 0
#error "HAWSER_HMAC_LEN is 128 .. 1024, a multiple of 8"
#endif
#if HAWSER_BAD_ANSWERS < 1 || HAWSER_BAD_ANSWERS > 255
#error "HAWSER_BAD_ANSWERS is 1 .. 255"
#endif
#if HAWSER_AGREE != HAWSER_AGREE_PROVIDER && HAWSER_AGREE != HAWSER_AGREE_BOARD
#error "HAWSER_AGREE is HAWSER_AGREE_PROVIDER or HAWSER_AGREE_BOARD"
#endif
#if HAWSER_MODE_KEYS_PSK && !HAWSER_MODE_KEYS
#error "HAWSER_MODE_KEYS_PSK needs HAWSER_MODE_KEYS"
#endif
#if HAWSER_GATEWAY && !(HAWSER_SERIAL_LINES && HAWSER_STREAMS)
#error "a gateway has serial lines and streams"
#endif
#if HAWSER_GATEWAY && !HAWSER_MODE_KEYS && !HAWSER_MODE_PSK
#error "a gateway needs a mode with a full handshake: HAWSER_MODE_KEYS or HAWSER_MODE_PSK"
#endif
#if HAWSER_SAVE && !HAWSER_STREAMS
#error "HAWSER_SAVE needs HAWSER_STREAMS: nothing else outlives a link"
#endif
#if HAWSER_MODE_KEYS || HAWSER_MODE_PSK
#define HAWSER_ECDH 1
#if !HAWSER_SUITE_25519 && !HAWSER_SUITE_P256
#error "a mode with ECDH needs HAWSER_SUITE_25519 or HAWSER_SUITE_P256"
#endif
#elif HAWSER_MODE_TICKET
#define HAWSER_ECDH 0
#else
#error "no mode is built in"
#endif

#endif
