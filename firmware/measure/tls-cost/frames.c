/*
 * frames.c - see frames.h.
 */
#include "measure/tls-cost/frames.h"

#include "drivers/board.h"
#include "measure/cost.h"

static size_t left; /* of a frame that has begun */

static void read_all(uint8_t *data, size_t len) {
  for (size_t at = 0; at < len;) {
    at += line_read(data + at, len - at);
  }
}

static void drop(void) {
  uint8_t byte;
  for (; left > 0; left--) {
    read_all(&byte, 1);
  }
}

static void begin(void) {
  uint8_t head[2];
  read_all(head, sizeof head);
  left = (size_t)head[0] << 8 | head[1];
}

static size_t take_some(uint8_t *data, size_t len) {
  size_t some;
  if (left == 0) {
    begin();
  }
  some = len < left ? len : left;
  read_all(data, some);
  left -= some;
  return some;
}

static void write_frame(const uint8_t *data, size_t len) {
  const uint8_t head[2] = {(uint8_t)(len >> 8), (uint8_t)len};
  line_write(head, sizeof head);
  line_write(data, len);
}

int frames_give(void *context, const unsigned char *data, size_t len) {
  (void)context;
  cost_pause();
  write_frame(data, len);
  cost_resume();
  return (int)len;
}

int frames_take(void *context, unsigned char *data, size_t len) {
  size_t at;
  (void)context;
  cost_pause();
  at = take_some(data, len);
#if PEER_TLS13
  while (at < len) {
    at += take_some(data + at, len - at);
  }
#else
  drop();
#endif
  cost_resume();
  return (int)at;
}

void frames_renew(void) {
  write_frame(NULL, 0);
  do {
    drop();
    begin();
  } while (left > 0);
}
