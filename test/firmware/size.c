/*
 * size.c - a device program that uses what a device uses, and nothing else: tools/size.mjs links it to see what of the core
 * stays. It is measured, not run.
 */
#include "hawser/device.h"

static hawser_device device;
static hawser_pairing pairing;
static hawser_stream streams[4];
static uint8_t rx[HAWSER_RX_LEN(1024)], message1[HAWSER_MESSAGE1_LEN(64)], bytes[HAWSER_WRITE_LEN(1024)];
static uint8_t slots[2][HAWSER_SLOT_LEN];

static int talk(uint16_t *id) {
  size_t len = 0;
  int err;
#if HAWSER_STREAMS
  size_t taken;
  int fin;
  err = hawser_open(&device, "mqtt", HAWSER_KIND_STREAM, id);
  err |= hawser_write(&device.session, *id, bytes, 1, 1, bytes, sizeof bytes, &len, &taken, &fin, 0);
  err |= hawser_consume(&device.session, *id, 1);
#else
  err = hawser_open(&device, "coap", HAWSER_KIND_MESSAGES, id);
  err |= hawser_message(&device.session, *id, bytes, 1, bytes, sizeof bytes, &len, 0);
#endif
  return err | hawser_reset(&device.session, *id, HAWSER_CANCELLED);
}

#if HAWSER_SAVE
static int sleep_and_wake(void) {
  uint8_t blob[HAWSER_SAVE_MAX];
  size_t len = 0;
  int err = hawser_save(&device, HAWSER_SAVE_RETAINED, blob, &len);
  return err | hawser_restore(&device, blob, len);
}
#endif

int main(void) {
  hawser_event event;
  uint16_t id = 0;
  size_t len = 0, used;
  int wipe, early;
  int err = hawser_device_init(&device, &pairing, streams, 4, rx, sizeof rx, message1, sizeof message1);
  err |= hawser_device_boot(&device, slots[0], slots[1], &wipe);
  err |= hawser_connect(&device, HAWSER_STREAM, NULL, &early, 0);
  err |= hawser_device_send(&device, bytes, sizeof bytes, &len, 0);
  err |= hawser_device_receive(&device, bytes, len, &used, 0);
  err |= hawser_device_next(&device, &event);
  err |= hawser_stored(&device, 1);
  err |= hawser_device_timeout(&device, hawser_device_deadline(&device));
  err |= talk(&id);
  hawser_disconnected(&device, 0);
#if HAWSER_SAVE
  err |= sleep_and_wake();
#endif
  return err;
}
