/*
 * main.c - a program with a heap, and with all that a C library wants for one: only the linker script may refuse it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static uint8_t memory[256];
static size_t used;

void *_sbrk(ptrdiff_t more);
void *sbrk(ptrdiff_t more);

/* newlib's name for it */
void *_sbrk(ptrdiff_t more) {
  void *at = memory + used;
  if (more < 0 || (size_t)more > sizeof memory - used) {
    return (void *)-1; // NOLINT(performance-no-int-to-ptr)
  }
  used += (size_t)more;
  return at;
}

/* picolibc's */
void *sbrk(ptrdiff_t more) {
  return _sbrk(more);
}

int main(void) {
  return malloc(16) == NULL;
}
