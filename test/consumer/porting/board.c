/* The board of docs/PORTING.md on a host: files as flash, a socket as the link. METER_FOLDER and METER_PORT say where. */
#define _POSIX_C_SOURCE 200809L
#include "board.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAGE_LEN 64

static int line = -1;

uint64_t board_now_ms(void) {
  struct timespec t = {0, 0};
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void board_watchdog(void) {
}

static FILE *file_at(const char *name, const char *mode) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/%s", getenv("METER_FOLDER"), name);
  return fopen(path, mode);
}

/* Notes each wait, for the test. */
void board_wait_ms(uint32_t ms) {
  FILE *waits = file_at("waits", "a");
  if (waits != NULL) {
    (void)fprintf(waits, "%u\n", (unsigned)ms);
    (void)fclose(waits);
  }
  (void)poll(NULL, 0, (int)ms);
}

static size_t read_bytes(FILE *file, uint8_t *out, size_t cap) {
  size_t len = file == NULL ? 0 : fread(out, 1, cap, file);
  if (file != NULL) {
    (void)fclose(file);
  }
  return len;
}

int board_trng(uint8_t *out, size_t len) {
  return read_bytes(fopen("/dev/urandom", "rb"), out, len) == len;
}

size_t board_pairing(uint8_t *form, size_t cap) {
  return read_bytes(file_at("meter.bin", "rb"), form, cap);
}

static FILE *page_at(int page, const char *mode) {
  return file_at(page == 0 ? "page0" : "page1", mode);
}

/* A page that was never written is erased. */
int board_flash_read(int page, uint8_t *bytes, size_t len) {
  memset(bytes, 0xff, len);
  (void)read_bytes(page_at(page, "rb"), bytes, len);
  return 1;
}

/* As NOR flash: bits go from one to zero. */
int board_flash_write(int page, const uint8_t *bytes, size_t len) {
  uint8_t cells[PAGE_LEN];
  FILE *file;
  int ok;
  (void)board_flash_read(page, cells, sizeof cells);
  for (size_t i = 0; i < len; i++) {
    cells[i] &= bytes[i];
  }
  file = page_at(page, "wb");
  ok = file != NULL && fwrite(cells, 1, sizeof cells, file) == sizeof cells;
  return file != NULL && fclose(file) == 0 && ok;
}

int board_flash_erase(int page) {
  FILE *file = page_at(page, "wb");
  return file != NULL && fclose(file) == 0;
}

int board_link_open(void) {
  struct sockaddr_in gateway;
  memset(&gateway, 0, sizeof gateway);
  gateway.sin_family = AF_INET;
  gateway.sin_port = htons((uint16_t)atoi(getenv("METER_PORT")));
  gateway.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  line = socket(AF_INET, SOCK_STREAM, 0);
  return line >= 0 && connect(line, (const struct sockaddr *)&gateway, sizeof gateway) == 0;
}

int board_link_write(const uint8_t *bytes, size_t len) {
  return send(line, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

int board_link_read(uint8_t *bytes, size_t cap, uint64_t until_ms) {
  struct pollfd wait = {line, POLLIN, 0};
  uint64_t now = board_now_ms();
  uint64_t left = until_ms > now ? until_ms - now : 0;
  ssize_t n;
  if (poll(&wait, 1, left > 1000 ? 1000 : (int)left) <= 0) {
    return 0;
  }
  n = recv(line, bytes, cap, 0);
  return n > 0 ? (int)n : -1;
}

void board_link_close(void) {
  (void)close(line);
}
