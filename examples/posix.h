/*
 * posix.h - the board that device.c runs on: two files as flash, a TCP socket as the link, standard input and output.
 */
#ifndef HAWSER_EXAMPLE_POSIX_H
#define HAWSER_EXAMPLE_POSIX_H

#include "hawser/device.h"

uint64_t now_ms(void); /* monotonic */
int usage(const char *program);

/* Reads a binary pairing (SPEC 4.1), a file or EXAMPLE_PAIRING, and gives its secrets to the crypto port. 0: a message was
 * printed. */
int pairing_load(const char *path, hawser_pairing *pairing);

/* The two slots are PATH.slot0 and PATH.slot1. 0: a message was printed, or the device refuses. */
int flash_boot(const char *path, hawser_device *device);

/* Writes the image to a slot, reads it back, wipes the other one (SPEC 7.4 rule 4): an enum hawser_store_result. */
int flash_store(int slot, const uint8_t image[HAWSER_SLOT_LEN]);

/* Bytes of standard input that the peer has not acknowledged yet. */
typedef struct input {
  uint8_t bytes[65536];
  uint64_t first; /* the stream's offset of bytes[0] */
  size_t len, sent;
  int eof;
} input;
const uint8_t *input_at(const input *in); /* the next bytes to send, and how many there are */
size_t input_left(const input *in);
void input_forget(input *in, uint64_t offset);
void input_rewind(input *in, uint64_t offset);
void output_write(const uint8_t *bytes, size_t len);

/* A socket, or -1. */
int link_dial(const char *host, const char *port);
int link_send(int link, const uint8_t *bytes, size_t len);

/* Until bytes came (*len of them), input came (into in), or the time has come. 0: the link is gone. */
int link_wait(int link, input *in, uint64_t deadline_ms, uint8_t *bytes, size_t cap, size_t *len);
void link_pause(void);
void link_close(int link);

#endif
