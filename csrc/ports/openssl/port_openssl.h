/*
 * port_openssl.h - long-term keys for the OpenSSL port. A hawser_key is the address of a key object.
 */
#ifndef HAWSER_PORT_OPENSSL_H
#define HAWSER_PORT_OPENSSL_H

#include "hawser/port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Copies 32 bytes: a ticket, a PSK or a private key of either suite. 0 if they are all zero or memory is out.
 * A key may be used by several threads at once; free it after its last use. */
hawser_key hawser_openssl_key_import(const uint8_t raw[HAWSER_KEY_LEN]);

/* Wipes and frees. 0 is ignored. */
void hawser_openssl_key_free(hawser_key key);

/* For a thread that seals or opens many records in a row: from 1 on, the schedules of its last keys stay between calls, which spares two of
 * them for each record. With 0 they are wiped: call it before anybody else has a turn. */
void hawser_openssl_keep_keys(int keep);

#ifdef __cplusplus
}
#endif
#endif
