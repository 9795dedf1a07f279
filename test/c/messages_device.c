/*
 * messages_device.c - a device without streams, in a build without them, over the board of examples/: sends a message to a
 * udp:// upstream again and again until one comes back, prints that, and does it all once more on a second link.
 */
#include <stdlib.h>
#include <string.h>

#include "../../examples/posix.h"

#define AGAIN_MS 300

static hawser_device device;
static int answers;

static int take_events(void) {
  hawser_event e;
  int err = hawser_device_next(&device, &e);
  while (err == HAWSER_OK && e.type != HAWSER_EV_NONE) {
    if (e.type == HAWSER_EV_STORE) {
      err = hawser_stored(&device, flash_store((int)e.value, e.data));
    } else if (e.type == HAWSER_EV_MESSAGE) {
      output_write(e.data, e.len);
      answers++;
    } else if (e.type == HAWSER_EV_CLOSED) {
      exit(EXIT_FAILURE);
    }
    err = err != HAWSER_OK ? err : hawser_device_next(&device, &e);
  }
  return err;
}

static int send_all(int link, uint16_t channel, uint64_t *next_ms) {
  uint8_t record[HAWSER_SEND_MIN];
  size_t len;
  int err = hawser_device_send(&device, record, sizeof record, &len, now_ms());
  if (err == HAWSER_OK && len == 0 && now_ms() >= *next_ms) {
    err = hawser_message(hawser_device_session(&device), channel, (const uint8_t *)"ping\n", 5, record, sizeof record,
                         &len, now_ms());
    *next_ms = now_ms() + AGAIN_MS;
  }
  (void)link_send(link, record, len);
  return err;
}

/* One link, until it has brought an answer. */
static void serve(int link, uint16_t channel) {
  static input none;
  uint8_t bytes[2048];
  uint64_t next_ms = 0;
  size_t len, used;
  int early, before = answers;
  int err = hawser_connect(&device, HAWSER_STREAM, NULL, &early, now_ms());
  none.eof = 1;
  while (err == HAWSER_OK && answers == before && (err = send_all(link, channel, &next_ms)) == HAWSER_OK &&
         link_wait(link, &none, now_ms() + AGAIN_MS / 10, bytes, sizeof bytes, &len)) {
    err = hawser_device_timeout(&device, now_ms());
    for (size_t at = 0; err == HAWSER_OK && at < len; at += used) {
      err = hawser_device_receive(&device, bytes + at, len - at, &used, now_ms());
      err = err == HAWSER_OK ? take_events() : err;
    }
  }
  hawser_disconnected(&device, now_ms());
}

int main(int argc, char **argv) {
  static hawser_pairing pairing;
  static hawser_stream channels[1];
  static uint8_t rx[HAWSER_RX_LEN(HAWSER_RECORD_MAX)], message1[HAWSER_MESSAGE1_LEN(0)];
  uint16_t channel;
  if (argc != 5 || !pairing_load(argv[1], &pairing) ||
      hawser_device_init(&device, &pairing, channels, 1, rx, sizeof rx, message1, sizeof message1) != HAWSER_OK ||
      !flash_boot(argv[1], &device) || hawser_open(&device, argv[4], HAWSER_KIND_MESSAGES, &channel) != HAWSER_OK) {
    return usage(argv[0]);
  }
  while (answers < 2) {
    int link = link_dial(argv[2], argv[3]);
    if (link >= 0) {
      serve(link, channel);
    }
    link_close(link);
  }
  hawser_device_wipe(&device);
  return EXIT_SUCCESS;
}
