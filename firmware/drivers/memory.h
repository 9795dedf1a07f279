/*
 * memory.h - what mbedTLS is told to call in place of calloc and free. See memory.c.
 */
#ifndef FIRMWARE_MEMORY_H
#define FIRMWARE_MEMORY_H

#include <stddef.h>

#ifndef MEMORY_ARENA
#define MEMORY_ARENA 2048 /* bytes, in an image with mbedTLS's X25519 alone */
#endif

void *firmware_calloc(size_t count, size_t size);
void firmware_free(void *ptr);

/* The most bytes of the arena that were ever in use. */
size_t memory_peak(void);

#endif
