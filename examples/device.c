/*
 * A device in C: sends its standard input to an upstream through its gateway, prints what comes back, resumes by itself.
 * `device PAIRING.bin HOST PORT UPSTREAM`; posix.c is the board: files as flash, a socket, standard input and output.
 */
#include <stdlib.h>

#include "posix.h"

static hawser_device device;
static input in; /* what was read, until the upstream has it */
static int ended;

/* Everything that may be sent now: what the core has to send, then input as far as the window allows. */
static int send_all(int link, uint16_t stream) {
  uint8_t record[HAWSER_WRITE_LEN(4096)];
  size_t len, taken;
  int err, fin;
  do {
    err = hawser_device_send(&device, record, sizeof record, &len, now_ms());
    if (err == HAWSER_OK && len == 0 && !ended) {
      err = hawser_write(hawser_device_session(&device), stream, input_at(&in), input_left(&in), in.eof, record,
                         sizeof record, &len, &taken, &fin, now_ms());
      in.sent += taken;
    }
  } while (err == HAWSER_OK && len > 0 && link_send(link, record, len));
  return err;
}

/* What the core has to say: an image for the flash, bytes for us, how far ours have got. */
static int take_events(void) {
  hawser_event e;
  int err = hawser_device_next(&device, &e);
  for (; err == HAWSER_OK && e.type != HAWSER_EV_NONE; err = err != HAWSER_OK ? err : hawser_device_next(&device, &e)) {
    if (e.type == HAWSER_EV_STORE) {
      err = hawser_stored(&device, flash_store((int)e.value, e.data));
    } else if (e.type == HAWSER_EV_DATA) {
      output_write(e.data, e.len);
      err = hawser_consume(hawser_device_session(&device), e.stream, e.len);
    } else if (e.type == HAWSER_EV_ACKED) {
      input_forget(&in, e.offset);
    } else if (e.type == HAWSER_EV_REWIND) {
      input_rewind(&in, e.offset);
    } else if (e.type == HAWSER_EV_CLOSED) {
      ended = e.value == HAWSER_DONE ? 1 : -1;
    } else if (e.type == HAWSER_EV_DEAD || e.type == HAWSER_EV_CLOSE) {
      err = HAWSER_ERR_CLOSED; /* the link is of no more use */
    }
  }
  return err;
}

/* One link, from message 1 to its end. */
static int serve(int link, uint16_t stream) {
  uint8_t bytes[4096];
  size_t len = 0, at = 0, used;
  int early, err = hawser_connect(&device, HAWSER_STREAM, NULL, &early, now_ms());
  while (err == HAWSER_OK && (err = send_all(link, stream)) == HAWSER_OK && !ended &&
         link_wait(link, &in, hawser_device_deadline(&device), bytes, sizeof bytes, &len)) {
    err = hawser_device_timeout(&device, now_ms());
    for (at = 0; err == HAWSER_OK && at < len; at += used) {
      err = hawser_device_receive(&device, bytes + at, len - at, &used, now_ms());
      err = err == HAWSER_OK ? take_events() : err;
    }
    err = err == HAWSER_OK ? take_events() : err;
  }
  hawser_disconnected(&device, now_ms());
  return take_events();
}

int main(int argc, char **argv) {
  static hawser_pairing pairing;
  static hawser_stream streams[1];
  static uint8_t rx[HAWSER_RX_LEN(HAWSER_RECORD_MAX)], message1[HAWSER_MESSAGE1_LEN(0)];
  uint16_t stream;
  if (argc != 5 || !pairing_load(argv[1], &pairing) ||
      hawser_device_init(&device, &pairing, streams, 1, rx, sizeof rx, message1, sizeof message1) != HAWSER_OK ||
      !flash_boot(argv[1], &device) || hawser_open(&device, argv[4], HAWSER_KIND_STREAM, &stream) != HAWSER_OK) {
    return usage(argv[0]);
  }
  while (!ended) {
    int link = link_dial(argv[2], argv[3]);
    if (link < 0 || serve(link, stream) != HAWSER_OK || !ended) {
      link_pause(); /* and again, for as long as it takes */
    }
    link_close(link);
  }
  hawser_device_wipe(&device);
  return ended > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
