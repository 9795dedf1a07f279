/*
 * start.h - what every board does before main().
 */
#ifndef FIRMWARE_START_H
#define FIRMWARE_START_H

/* Where the reset handler goes as soon as there is a stack. */
_Noreturn void start(void);

/* Where faults go. */
_Noreturn void fault(void);

#endif
