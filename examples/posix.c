/*
 * posix.c - see posix.h.
 */
#define _POSIX_C_SOURCE 200809L
#include "posix.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if EXAMPLE_PORT_OPENSSL
#include "port_openssl.h"
#define IMPORT(use, raw) hawser_openssl_key_import(raw)
#else
#include "port_psa.h"
#define IMPORT(use, raw) hawser_psa_key_import(HAWSER_PSA_##use, raw)
#endif

#define PAUSE_MS 200

uint64_t now_ms(void) {
  struct timespec t = {0, 0};
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int usage(const char *program) {
  (void)fprintf(stderr, "usage: %s PAIRING.bin HOST PORT UPSTREAM\n", program);
  return 2;
}

/* ---- files ---- */

/* The bytes of a file, at most cap; 0 if it cannot be read. */
static size_t read_file(const char *path, uint8_t *bytes, size_t cap) {
  int fd = open(path, O_RDONLY);
  ssize_t len = fd < 0 ? -1 : read(fd, bytes, cap);
  if (fd >= 0) {
    (void)close(fd);
  }
  return len < 0 ? 0 : (size_t)len;
}

static int write_file(const char *path, const uint8_t *bytes, size_t len) {
  int fd = open(path, O_WRONLY | O_CREAT, 0600);
  int ok = fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fsync(fd) == 0;
  if (fd >= 0) {
    ok = close(fd) == 0 && ok;
  }
  return ok;
}

/* ---- pairing ---- */

static int import(hawser_pairing *pairing, const hawser_pairing_secrets *secrets) {
  switch (pairing->mode) {
  case HAWSER_TICKET:
    pairing->ticket = IMPORT(TICKET, secrets->ticket);
    return pairing->ticket != 0;
  case HAWSER_PSK:
    pairing->psk = IMPORT(PSK, secrets->psk);
    return pairing->psk != 0;
  case HAWSER_KEYS_PSK:
    pairing->psk = IMPORT(PSK, secrets->psk);
    break;
  default:
    break;
  }
  pairing->own = pairing->suite == HAWSER_SUITE_ID_P256 ? IMPORT(P256, secrets->own) : IMPORT(25519, secrets->own);
  return pairing->own != 0;
}

#ifdef EXAMPLE_PAIRING
#include EXAMPLE_PAIRING /* what `hawser pair --format c` wrote: a program for one device, which needs no file */
static size_t read_form(const char *path, uint8_t form[HAWSER_PAIRING_FORM_MAX + 1]) {
  (void)path;
  memcpy(form, hawser_pairing_form, sizeof hawser_pairing_form);
  return sizeof hawser_pairing_form;
}
#else
static size_t read_form(const char *path, uint8_t form[HAWSER_PAIRING_FORM_MAX + 1]) {
  return read_file(path, form, HAWSER_PAIRING_FORM_MAX + 1);
}
#endif

int pairing_load(const char *path, hawser_pairing *pairing) {
  uint8_t form[HAWSER_PAIRING_FORM_MAX + 1];
  hawser_pairing_secrets secrets;
  size_t len = read_form(path, form);
  int ok = hawser_pairing_read(pairing, &secrets, form, len) == HAWSER_OK && import(pairing, &secrets);
  hawser_port_wipe(form, sizeof form);
  hawser_port_wipe(&secrets, sizeof secrets);
  if (!ok) {
    (void)fprintf(stderr, "%s: not a binary pairing that this build can use\n", path);
  }
  return ok;
}

/* ---- flash ---- */

static char slot_paths[2][4096];

/* A real flash page is erased; a file is overwritten. */
static int wipe_slot(int which) {
  static const uint8_t erased[HAWSER_SLOT_LEN];
  return access(slot_paths[which], F_OK) != 0 || write_file(slot_paths[which], erased, sizeof erased);
}

int flash_boot(const char *path, hawser_device *device) {
  uint8_t slots[2][HAWSER_SLOT_LEN] = {{0}};
  int found[2], wipe = -1;
  for (int i = 0; i < 2; i++) {
    if (snprintf(slot_paths[i], sizeof slot_paths[i], "%s.slot%d", path, i) >= (int)sizeof slot_paths[i]) {
      return 0;
    }
    found[i] = read_file(slot_paths[i], slots[i], sizeof slots[i]) == HAWSER_SLOT_LEN;
  }
  if (hawser_device_boot(device, found[0] ? slots[0] : NULL, found[1] ? slots[1] : NULL, &wipe) != HAWSER_OK) {
    return 0;
  }
  hawser_port_wipe(slots, sizeof slots);
  return wipe < 0 || wipe_slot(wipe);
}

int flash_store(int slot, const uint8_t image[HAWSER_SLOT_LEN]) {
  uint8_t back[HAWSER_SLOT_LEN];
  int written = write_file(slot_paths[slot], image, HAWSER_SLOT_LEN) &&
                read_file(slot_paths[slot], back, sizeof back) == HAWSER_SLOT_LEN &&
                memcmp(back, image, sizeof back) == 0;
  hawser_port_wipe(back, sizeof back);
  if (!written) {
    return HAWSER_NOT_STORED;
  }
  return wipe_slot(!slot) ? HAWSER_STORED : HAWSER_NOT_WIPED;
}

/* ---- standard input and output ---- */

const uint8_t *input_at(const input *in) {
  return in->bytes + in->sent;
}

size_t input_left(const input *in) {
  return in->len - in->sent;
}

void input_forget(input *in, uint64_t offset) {
  size_t gone = (size_t)(offset - in->first);
  memmove(in->bytes, in->bytes + gone, in->len - gone);
  in->first = offset;
  in->len -= gone;
  in->sent -= gone;
}

void input_rewind(input *in, uint64_t offset) {
  in->sent = (size_t)(offset - in->first);
}

static int input_room(const input *in) {
  return !in->eof && in->len < sizeof in->bytes;
}

static void input_fill(input *in) {
  ssize_t n = read(STDIN_FILENO, in->bytes + in->len, sizeof in->bytes - in->len);
  in->eof = n <= 0;
  in->len += n > 0 ? (size_t)n : 0;
}

void output_write(const uint8_t *bytes, size_t len) {
  (void)fwrite(bytes, 1, len, stdout);
  (void)fflush(stdout);
}

/* ---- link ---- */

int link_dial(const char *host, const char *port) {
  struct addrinfo hints, *found = NULL;
  int link = -1;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host, port, &hints, &found) != 0) {
    return -1;
  }
  for (struct addrinfo *at = found; at != NULL && link < 0; at = at->ai_next) {
    link = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (link >= 0 && connect(link, at->ai_addr, at->ai_addrlen) != 0) {
      (void)close(link);
      link = -1;
    }
  }
  freeaddrinfo(found);
  return link;
}

int link_send(int link, const uint8_t *bytes, size_t len) {
  while (len > 0) {
    ssize_t n = send(link, bytes, len, MSG_NOSIGNAL);
    if (n <= 0) {
      return 0; /* link_wait() will say so too */
    }
    bytes += n;
    len -= (size_t)n;
  }
  return 1;
}

static int poll_ms(uint64_t deadline_ms) {
  uint64_t now = now_ms();
  if (deadline_ms <= now) {
    return 0;
  }
  return deadline_ms - now > 60000 ? 60000 : (int)(deadline_ms - now);
}

int link_wait(int link, input *in, uint64_t deadline_ms, uint8_t *bytes, size_t cap, size_t *len) {
  struct pollfd fds[2] = {{link, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  ssize_t n;
  *len = 0;
  if (poll(fds, input_room(in) ? 2 : 1, poll_ms(deadline_ms)) < 0) {
    return 0;
  }
  if (fds[1].revents != 0) {
    input_fill(in);
  }
  if (fds[0].revents == 0) {
    return 1;
  }
  n = recv(link, bytes, cap, 0);
  *len = n > 0 ? (size_t)n : 0;
  return n > 0;
}

void link_pause(void) {
  (void)poll(NULL, 0, PAUSE_MS);
}

void link_close(int link) {
  if (link >= 0) {
    (void)close(link);
  }
}
