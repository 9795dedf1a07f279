/*
 * gateway.h - the other end of the measured link, on the same board. It is linked with a core of its own, of whose names none
 * but these are left (tools/firmware-report.mjs), so that the measured core is that of a device and of nothing else.
 */
#ifndef FIRMWARE_MEASURE_GATEWAY_H
#define FIRMWARE_MEASURE_GATEWAY_H

#include "hawser/hawser.h"

/* Makes both halves of a pairing; secret is what the device imports. Each of these returns a hawser_error. */
int gateway_pair(hawser_pairing *device, uint8_t secret[HAWSER_KEY_LEN]);

/* The line is there anew. */
int gateway_link(void);

/* The session is lost: the next resumption is answered NEW. */
void gateway_forget(void);

/* Bytes in; out come an answer and whatever else is due, *out_len bytes. */
int gateway_exchange(uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *out_len);

/* Data of the upstream to the device: one record. */
int gateway_write(const uint8_t *data, size_t len, uint8_t *out, size_t cap, size_t *out_len);

#endif
