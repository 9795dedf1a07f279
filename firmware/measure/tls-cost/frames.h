/*
 * frames.h - what the board's line carries to and from a peer's server: frames, each two bytes of length, the high one first, and
 * as many bytes: a datagram, or some of a TCP connection's. With an empty one the device gives its connection up, and is
 * answered with one when the server is ready for the next. Nothing of it is counted.
 */
#ifndef FIRMWARE_MEASURE_FRAMES_H
#define FIRMWARE_MEASURE_FRAMES_H

#include <stddef.h>

/* mbedTLS's callbacks. frames_take waits; of a stream it takes all that is asked for, so that it is asked as often in each run. */
int frames_give(void *context, const unsigned char *data, size_t len);
int frames_take(void *context, unsigned char *data, size_t len);

/* Gives the connection up, and waits. */
void frames_renew(void);

#endif
