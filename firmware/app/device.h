/*
 * device.h - a meter: it counts, and tells an MQTT broker behind its gateway every reading, once. All that must outlive deep
 * sleep in retained RAM is one struct.
 */
#ifndef FIRMWARE_DEVICE_H
#define FIRMWARE_DEVICE_H

#include "app/journal.h"
#include "app/mqtt.h"
#include "hawser/device.h"

#define RECORD 256 /* longest record of the gateway's: `hawser pair --record-max` */
#define EARLY 192  /* most early data */
#define RING 512

/* A reading on its way. */
typedef struct reading {
  uint32_t number;
  uint64_t begin, end; /* where its packet stands in the stream; end 0: not written there yet */
} reading;

typedef struct device {
  hawser_device hawser;
  hawser_stream streams[1];
  uint8_t rx[HAWSER_RX_LEN(RECORD)], message1[HAWSER_MESSAGE1_LEN(EARLY)];
  uint64_t now_ms, retry_ms; /* the device's time goes on through deep sleep, as what the core was told must */
  uint32_t failures;         /* attempts in a row */
  uint16_t stream;
  uint8_t linked, open, connected, sleep; /* sleep: enum sleep, asked for */
  uint32_t sleep_ms;
  /* the stream's bytes until they are acknowledged: first is the offset of bytes[0] */
  uint8_t bytes[RING];
  uint64_t first, reached;   /* reached: bytes below it may have arrived */
  uint32_t len, sent, early; /* early: bytes in message 1 */
  mqtt_reader reader;
  reading readings[JOURNAL_OPEN_MAX];
  uint32_t taken; /* ticks of the meter in this power cycle that have become readings */
} device;

enum sleep { AWAKE = 0, RETAINED, FLASH };

/* In RAM that deep sleep leaves alone. Valid while the check is that of the struct, and for the image that made it: it holds pointers, so a
 * device that can be updated puts its version beside the check. */
typedef struct retained {
  uint32_t check;
  device device;
} retained;
extern retained g_retained;

#endif
