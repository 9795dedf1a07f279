/*
 * meter.h - what this device is for: it counts ticks of a meter, and has a lamp.
 */
#ifndef FIRMWARE_METER_H
#define FIRMWARE_METER_H

#include <stdint.h>

/* Ticks since the board was started. */
uint32_t meter_ticks(void);
void lamp_set(uint32_t brightness);

#endif
