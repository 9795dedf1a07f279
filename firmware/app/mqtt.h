/*
 * mqtt.h - as much of MQTT 3.1.1 as a meter needs: connect, subscribe to its commands, publish readings (QoS 1), take
 * commands (QoS 0). No I/O: packets are built in the caller's memory, and read byte by byte.
 */
#ifndef FIRMWARE_MQTT_H
#define FIRMWARE_MQTT_H

#include <stddef.h>
#include <stdint.h>

#define MQTT_NAME_MAX 24  /* of a client, without the zero */
#define MQTT_OPEN_MAX 128 /* bytes of mqtt_open() at most */
#define MQTT_PUBLISH_MAX 64
#define MQTT_COMMAND_MAX 32

/* CONNECT and SUBSCRIBE to commands/NAME. Length written. */
size_t mqtt_open(uint8_t out[MQTT_OPEN_MAX], const char *name);

/* PUBLISH of the number to readings/NAME. id is not 0. */
size_t mqtt_publish(uint8_t out[MQTT_PUBLISH_MAX], const char *name, uint16_t id, uint32_t number);

enum mqtt_type { MQTT_NOTHING = 0, MQTT_CONNECTED, MQTT_ACKED, MQTT_COMMAND, MQTT_OTHER, MQTT_BROKEN };

typedef struct mqtt_reader {
  uint8_t bytes[2 + 2 + MQTT_NAME_MAX + 9 + MQTT_COMMAND_MAX + 2]; /* what of a packet fits; the rest is skipped */
  uint32_t len, left;                                              /* bytes had, bytes that the body still lacks */
  uint8_t header;                                                  /* bytes of the fixed header had */
} mqtt_reader;

/* One byte in. What it completed; id of the publication that was acknowledged, or text of the command, ended by a zero. */
enum mqtt_type mqtt_take(mqtt_reader *r, uint8_t byte, uint16_t *id, const char **text);

#endif
