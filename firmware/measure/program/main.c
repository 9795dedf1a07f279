/*
 * program.c - a device program that calls what a device needs of hawser, and little else: the report links it to see what of
 * core, port, mbedTLS and libc comes along. Its pairing is built in. It is measured, not run.
 */
#include "drivers/board.h"
#include "measure/keys.h"

static hawser_device device;
static hawser_stream streams[4];
static uint8_t rx[HAWSER_RX_LEN(256)], message1[HAWSER_MESSAGE1_LEN(64)], bytes[HAWSER_WRITE_LEN(256)];
static volatile uint8_t slots[2][HAWSER_SLOT_LEN]; /* play the flash */

static hawser_pairing pairing = {
    .mode = MEASURE_MODE,
    .suite = MEASURE_SUITE,
    .id_len = 8,
    .gateway_id_len = 8,
    .id = {1, 2, 3, 4, 5, 6, 7, 8},
    .gateway_id = {9, 10, 11, 12, 13, 14, 15, 16},
    .record_max = 256,
    .window_device = 1024,
    .window_gateway = 1024,
    .max_steps = 65536,
    .max_blocks = 65536,
    .peer = {4, 1},
};

static int write_reading(uint16_t id, size_t *len) {
#if HAWSER_STREAMS
  size_t taken;
  int fin;
  return hawser_write(hawser_device_session(&device), id, (const uint8_t *)"21.5", 4, 0, bytes, sizeof bytes, len,
                      &taken, &fin, board_now_ms());
#else
  return hawser_message(hawser_device_session(&device), id, (const uint8_t *)"21.5", 4, bytes, sizeof bytes, len,
                        board_now_ms());
#endif
}

static int take_event(const hawser_event *event) {
  switch (event->type) {
  case HAWSER_EV_STORE:
    for (size_t i = 0; i < event->len; i++) {
      slots[event->value][i] = event->data[i];
    }
    return hawser_stored(&device, HAWSER_STORED);
#if HAWSER_STREAMS
  case HAWSER_EV_DATA:
    return hawser_consume(hawser_device_session(&device), event->stream, event->len);
#endif
  case HAWSER_EV_CLOSED:
    return HAWSER_ERR_CLOSED;
  default:
    return HAWSER_OK;
  }
}

static int take_events(void) {
  hawser_event event;
  int err;
  do {
    err = hawser_device_next(&device, &event);
    err = err == HAWSER_OK ? take_event(&event) : err;
  } while (err == HAWSER_OK && event.type != HAWSER_EV_NONE);
  return err;
}

static int serve(uint16_t id) {
  size_t used, len = line_read(bytes, sizeof bytes);
  int err = hawser_device_receive(&device, bytes, len, &used, board_now_ms());
  err = err == HAWSER_OK ? take_events() : err;
  if (err == HAWSER_OK && board_now_ms() >= hawser_device_deadline(&device)) {
    err = hawser_device_timeout(&device, board_now_ms());
  }
  err = err == HAWSER_OK ? hawser_device_send(&device, bytes, sizeof bytes, &len, board_now_ms()) : err;
  err = err == HAWSER_OK && len == 0 ? write_reading(id, &len) : err;
  line_write(bytes, len);
  return err;
}

int main(void) {
  static const uint8_t secret[HAWSER_KEY_LEN] = {1};
  uint16_t id = 0;
  int wipe, early, err;
  err = measure_key(&pairing, secret);
  err |= hawser_device_init(&device, &pairing, streams, 4, rx, sizeof rx, message1, sizeof message1);
  err |= hawser_device_boot(&device, (const uint8_t *)slots[0], (const uint8_t *)slots[1], &wipe);
  err |= hawser_open(&device, "mqtt", HAWSER_STREAMS ? HAWSER_KIND_STREAM : HAWSER_KIND_MESSAGES, &id);
  while (err == HAWSER_OK) {
    err = hawser_connect(&device, HAWSER_STREAM, NULL, &early, board_now_ms());
    while (err == HAWSER_OK && serve(id) == HAWSER_OK) {
      board_idle();
    }
    hawser_disconnected(&device, board_now_ms());
  }
  return hawser_reset(hawser_device_session(&device), id, HAWSER_CANCELLED);
}
