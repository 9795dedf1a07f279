/*
 * port_keys.h - import and free of long-term keys, by the same name for every port. Uses: TICKET, PSK, 25519, P256.
 */
#ifndef HAWSER_TEST_PORT_KEYS_H
#define HAWSER_TEST_PORT_KEYS_H

#if TEST_PORT_OPENSSL
#include "port_openssl.h"
#define IMPORT(use, raw) hawser_openssl_key_import(raw)
#define FREE(key) hawser_openssl_key_free(key)
#else
#include "port_psa.h"
#define IMPORT(use, raw) hawser_psa_key_import(HAWSER_PSA_##use, raw)
#define FREE(key) hawser_psa_key_free(key)
#endif

#endif
