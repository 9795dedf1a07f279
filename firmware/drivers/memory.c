/*
 * memory.c - there is no heap. mbedTLS's own X25519 works on big numbers that it asks memory for: an image with that suite
 * gives them a static arena, a stack of blocks in effect, because they are freed in nearly the order they came. Every other
 * image refuses.
 */
#include "drivers/memory.h"

#include <stdint.h>
#include <string.h>

#if FIRMWARE_25519

#define ALIGN 8u

typedef struct block {
  uint32_t size; /* of what follows, a multiple of ALIGN */
  uint32_t used;
} block;

static uint8_t arena[MEMORY_ARENA] __attribute__((aligned(ALIGN)));
static size_t top, peak; /* bytes in use at the low end, and the most there ever were */

static block *at(size_t offset) {
  return (block *)(void *)(arena + offset);
}

/* Freed blocks at the top are given back; one below others waits for them, or for a request of its size. */
static void shrink(void) {
  size_t offset = 0, last_used = 0;
  while (offset < top) {
    const block *b = at(offset);
    offset += sizeof *b + b->size;
    if (b->used) {
      last_used = offset;
    }
  }
  top = last_used;
}

static block *reuse(uint32_t size) {
  for (size_t offset = 0; offset < top; offset += sizeof(block) + at(offset)->size) {
    if (!at(offset)->used && at(offset)->size == size) {
      return at(offset);
    }
  }
  return NULL;
}

static block *extend(uint32_t size) {
  block *b = at(top);
  if (size > sizeof arena - top - sizeof *b) {
    return NULL;
  }
  b->size = size;
  top += sizeof *b + size;
  peak = top > peak ? top : peak;
  return b;
}

void *firmware_calloc(size_t count, size_t size) {
  uint32_t bytes;
  block *b;
  if (count == 0 || size == 0 || size > MEMORY_ARENA / count) {
    return NULL;
  }
  bytes = (uint32_t)(count * size + ALIGN - 1) & ~(ALIGN - 1);
  b = reuse(bytes);
  if (b == NULL && top + sizeof *b <= sizeof arena) {
    b = extend(bytes);
  }
  if (b == NULL) {
    return NULL;
  }
  b->used = 1;
  memset(b + 1, 0, bytes);
  return b + 1;
}

void firmware_free(void *ptr) {
  if (ptr != NULL) {
    ((block *)ptr - 1)->used = 0;
    shrink();
  }
}

size_t memory_peak(void) {
  return peak;
}

#else

void *firmware_calloc(size_t count, size_t size) {
  (void)count;
  (void)size;
  return NULL;
}

void firmware_free(void *ptr) {
  (void)ptr;
}

size_t memory_peak(void) {
  return 0;
}

#endif
