/*
 * machine.h - what the emulated boards have besides their own peripherals: 16 MiB of memory that the host keeps in a file, so
 * that it outlives the emulator, however that ends. Part of it plays the flash, part the RAM that is retained in deep sleep,
 * and part is read and written by the host: test/firmware/machine.ts has the same layout. An own board has no such file.
 */
#ifndef FIRMWARE_MACHINE_H
#define FIRMWARE_MACHINE_H

#include <stdint.h>

#define MACHINE_PAGES 8
#define MACHINE_TRACES 4096

/* From the start of the shared memory, which the linker script calls __shared_start. */
#define MACHINE_FLASH 0x000000u
#define MACHINE_RETAINED 0x100000u
#define MACHINE_HOST 0x200000u

enum machine_state { MACHINE_RUNS = 1, MACHINE_SLEEPS = 2, MACHINE_CUT = 3, MACHINE_FAULT = 4 };

typedef struct machine_host {
  /* written by the host before each start */
  uint32_t seeded;     /* 1: seed is there; the firmware takes it away */
  uint8_t seed[32];    /* of the emulated random source */
  uint32_t cut_after;  /* so many steps of the flash, then the power is gone; 0: never */
  uint32_t worn;       /* a bit for each page of the flash that can no longer be erased */
  uint32_t reading_ms; /* the meter ticks this often; 0: never */
  uint32_t readings;   /* at most so many in this power cycle */
  uint32_t torn;       /* which bits of a word are done when a cut comes between: another number, other bits */
  /* written by the firmware */
  uint32_t state;                                          /* enum machine_state */
  uint32_t sleep_ms;                                       /* how long it wants to sleep */
  uint32_t lamp;                                           /* set by a command */
  uint32_t erases[MACHINE_PAGES], programs[MACHINE_PAGES]; /* of each page, ever: erasures, words programmed */
  uint32_t flash_steps;                                    /* of this power cycle */
  uint32_t traces;                                         /* since the host set it to 0 */
  uint8_t trace[MACHINE_TRACES][44]; /* key and nonce of each seal, in an image with HAWSER_TRACE */
} machine_host;

extern uint8_t __shared_start[];

static inline volatile machine_host *machine(void) {
  return (volatile machine_host *)(void *)(__shared_start + MACHINE_HOST);
}

#endif
