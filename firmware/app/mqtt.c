/*
 * mqtt.c - see mqtt.h. Packets are shorter than 128 bytes outwards, so that their length is one byte.
 */
#include "app/mqtt.h"

#include <string.h>

enum { CONNECT = 0x10, CONNACK = 0x20, PUBLISH0 = 0x30, PUBLISH1 = 0x32, PUBACK = 0x40, SUBSCRIBE = 0x82 };

#define KEEP_ALIVE_S 0 /* the gateway and its timeouts watch over the line */

/* ---- out ---- */

static uint8_t *put_text(uint8_t *at, const char *first, const char *second) {
  size_t a = strlen(first), b = strlen(second);
  *at++ = 0;
  *at++ = (uint8_t)(a + b);
  memcpy(at, first, a);
  memcpy(at + a, second, b);
  return at + a + b;
}

static uint8_t *put_id(uint8_t *at, uint16_t id) {
  at[0] = (uint8_t)(id >> 8);
  at[1] = (uint8_t)id;
  return at + 2;
}

/* Type and length in front of what was put behind them. */
static uint8_t *finish(uint8_t *start, uint8_t type, uint8_t *end) {
  start[0] = type;
  start[1] = (uint8_t)(end - start - 2);
  return end;
}

size_t mqtt_open(uint8_t out[MQTT_OPEN_MAX], const char *name) {
  static const uint8_t level_and_flags[] = {4, 2, 0, KEEP_ALIVE_S}; /* 3.1.1, clean session */
  uint8_t *at = put_text(out + 2, "MQTT", "");
  uint8_t *start;
  memcpy(at, level_and_flags, sizeof level_and_flags);
  start = finish(out, CONNECT, put_text(at + sizeof level_and_flags, name, ""));
  at = put_text(put_id(start + 2, 0xffff), "commands/", name);
  *at++ = 0; /* QoS */
  return (size_t)(finish(start, SUBSCRIBE, at) - out);
}

size_t mqtt_publish(uint8_t out[MQTT_PUBLISH_MAX], const char *name, uint16_t id, uint32_t number) {
  uint8_t digits[10];
  size_t count = 0;
  uint8_t *at = put_id(put_text(out + 2, "readings/", name), id);
  do {
    digits[count++] = (uint8_t)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  while (count > 0) {
    *at++ = digits[--count];
  }
  return (size_t)(finish(out, PUBLISH1, at) - out);
}

/* ---- in ---- */

#define HEADER_MAX 5
#define BODY 0xff

/* Type, then a length of 7 bits a byte, least significant first. 1: the header is whole. */
static int take_header(mqtt_reader *r, uint8_t byte) {
  if (r->header == 0) {
    r->bytes[0] = byte;
    r->len = 1;
    r->left = 0;
  } else {
    r->left |= (uint32_t)(byte & 0x7f) << (7 * (r->header - 1));
  }
  r->header++;
  return r->header > 1 && (byte & 0x80) == 0;
}

static enum mqtt_type command(mqtt_reader *r, const char **text) {
  size_t topic = r->len >= 3 ? (size_t)r->bytes[1] << 8 | r->bytes[2] : sizeof r->bytes;
  if (3 + topic > r->len || r->len >= sizeof r->bytes) {
    return MQTT_OTHER; /* longer than any command */
  }
  r->bytes[r->len] = 0;
  *text = (const char *)r->bytes + 3 + topic;
  return MQTT_COMMAND;
}

static enum mqtt_type packet(mqtt_reader *r, uint16_t *id, const char **text) {
  switch (r->bytes[0]) {
  case CONNACK:
    return r->len >= 3 && r->bytes[2] == 0 ? MQTT_CONNECTED : MQTT_BROKEN;
  case PUBACK:
    *id = (uint16_t)(r->bytes[1] << 8 | r->bytes[2]);
    return r->len >= 3 ? MQTT_ACKED : MQTT_BROKEN;
  case PUBLISH0:
    return command(r, text);
  default:
    return MQTT_OTHER;
  }
}

enum mqtt_type mqtt_take(mqtt_reader *r, uint8_t byte, uint16_t *id, const char **text) {
  if (r->header != BODY) {
    if (r->header == HEADER_MAX) {
      return MQTT_BROKEN;
    }
    if (!take_header(r, byte)) {
      return MQTT_NOTHING;
    }
    r->header = BODY;
  } else {
    if (r->len < sizeof r->bytes) {
      r->bytes[r->len++] = byte;
    }
    r->left--;
  }
  if (r->left > 0) {
    return MQTT_NOTHING;
  }
  r->header = 0;
  return packet(r, id, text);
}
