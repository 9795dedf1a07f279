/*
 * test_cuts.c - a stream each way over a link that is torn at random points, handshakes included: every byte arrives once and
 * in order. The seed is printed; `test-cuts SEED` replays one.
 */
#include "ends.h"

#define TOTAL 60000u
#define CHUNK 900

typedef struct side {
  size_t next, acked, got; /* where to write on, acknowledged, received */
  int fin_got, fin_said, closed;
} side;

typedef struct pipe_bytes {
  uint8_t bytes[1 << 16];
  size_t len;
} pipe_bytes;

static ends e;
static side sides[2];       /* 0 gateway, 1 device */
static pipe_bytes pipes[2]; /* to gateway, to device */
static uint64_t g_random;
static int wrong;

static uint32_t roll(uint32_t n) {
  g_random = g_random * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(g_random >> 33) % n;
}

static uint8_t byte_at(size_t offset, int from_device) {
  return (uint8_t)(offset * 7 + (offset >> 8) * 13 + (from_device ? 5 : 0));
}

static void note(side *to, int from_device, const hawser_event *event, side *own, hawser_session *s) {
  switch (event->type) {
  case HAWSER_EV_OPEN:
    wrong += hawser_consume(s, event->stream, 0) != HAWSER_OK;
    break;
  case HAWSER_EV_DATA:
    for (size_t i = 0; i < event->len; i++) {
      wrong += event->data[i] != byte_at(to->got++, from_device);
    }
    wrong += hawser_consume(s, event->stream, event->len) != HAWSER_OK;
    break;
  case HAWSER_EV_FIN:
    to->fin_got++;
    wrong += to->got != TOTAL;
    break;
  case HAWSER_EV_ACKED:
    wrong += event->offset < own->acked || event->offset > TOTAL;
    own->acked = (size_t)event->offset;
    break;
  case HAWSER_EV_REWIND:
    wrong += event->offset < own->acked || event->offset > TOTAL;
    own->next = (size_t)event->offset;
    own->fin_said = 0;
    break;
  case HAWSER_EV_CLOSED:
    wrong += event->value != HAWSER_DONE;
    own->closed++;
    break;
  default:
    break;
  }
}

static int device_events(void) {
  hawser_event event;
  int err;
  while ((err = hawser_device_next(&e.device, &event)) == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_STORE) {
      ends_store(&e, &event);
      wrong += hawser_stored(&e.device, 1) != HAWSER_OK;
    }
    note(&sides[1], 0, &event, &sides[1], &e.device.session);
  }
  return err;
}

static int gateway_events(void) {
  hawser_event event;
  int err;
  while ((err = hawser_next(&e.session, &event)) == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    note(&sides[0], 1, &event, &sides[0], &e.session);
  }
  return err;
}

/* Some bytes of a pipe arrive. */
static void deliver(int to_device, size_t n) {
  pipe_bytes *p = &pipes[to_device];
  uint8_t bytes[1 << 16];
  size_t done = 0;
  n = n < p->len ? n : p->len;
  memcpy(bytes, p->bytes, n);
  p->len -= n;
  memmove(p->bytes, p->bytes + n, p->len);
  while (done < n) {
    size_t used = 0;
    int err = to_device ? hawser_device_receive(&e.device, bytes + done, n - done, &used, e.now)
                        : hawser_receive(&e.session, bytes + done, n - done, &used, e.now);
    done += used;
    err = err == HAWSER_OK ? (to_device ? device_events() : gateway_events()) : err;
    if (err != HAWSER_OK) {
      wrong++;
      return;
    }
  }
}

static void push(int to_device, const uint8_t *bytes, size_t len) {
  pipe_bytes *p = &pipes[to_device];
  memcpy(p->bytes + p->len, bytes, len);
  p->len += len;
}

static void say(int from_device) {
  hawser_session *s = from_device ? &e.device.session : &e.session;
  side *own = &sides[from_device];
  uint8_t out[2048], data[CHUNK];
  size_t len = 0, taken = 0, n;
  int fin_taken = 0, err;
  if (pipes[!from_device].len > 40000) {
    return;
  }
  err = from_device ? hawser_device_send(&e.device, out, 200 + roll(1800), &len, e.now)
                    : hawser_send(s, out, 200 + roll(1800), &len, e.now);
  wrong += err != HAWSER_OK;
  push(!from_device, out, len);
  if (len > 0 || !hawser_is_live(s) || own->closed || s->streams[0].serial == 0) {
    return;
  }
  n = 1 + roll(CHUNK);
  n = n < TOTAL - own->next ? n : TOTAL - own->next;
  for (size_t i = 0; i < n; i++) {
    data[i] = byte_at(own->next + i, from_device);
  }
  err = hawser_write(s, 0, data, n, own->next + n == TOTAL, out, sizeof out, &len, &taken, &fin_taken, e.now);
  wrong += err != HAWSER_OK && err != HAWSER_ERR_CLOSED;
  own->next += taken;
  own->fin_said |= fin_taken;
  push(!from_device, out, len);
}

/* Both links die; what was under way is lost. A handshake may fail at any of its steps. */
static void tear_and_resume(void) {
  uint8_t m1[4200], m2[256], record[2048];
  int taken = 0;
  for (;;) {
    size_t m1_len = 0, m2_len = 0, len = 0;
    hawser_disconnected(&e.device, e.now);
    if (e.has_session) {
      hawser_link_down(&e.session);
      wrong += gateway_events() != HAWSER_OK;
    }
    wrong += device_events() != HAWSER_OK;
    pipes[0].len = pipes[1].len = 0;
    e.early = 0;
    wrong += hawser_connect(&e.device, e.transport, NULL, &taken, e.now) != HAWSER_OK;
    wrong += hawser_device_send(&e.device, m1, sizeof m1, &m1_len, e.now) != HAWSER_OK;
    if (roll(4) == 0) {
      continue;
    }
    wrong += ends_answer(&e, m1, m1_len, m2, sizeof m2, &m2_len) != HAWSER_OK;
    if (roll(4) == 0) {
      continue;
    }
    push(1, m2, m2_len);
    deliver(1, m2_len);
    wrong += hawser_device_send(&e.device, record, sizeof record, &len, e.now) != HAWSER_OK;
    /* lost after the first confirmed session only: before it there is nothing to continue, and streams would end */
    if (e.has_session && roll(4) == 0) {
      continue;
    }
    wrong += ends_attach(&e, record, len) != HAWSER_OK || gateway_events() != HAWSER_OK;
    return;
  }
}

static int all_done(void) {
  return sides[0].closed && sides[1].closed;
}

static void run(uint64_t seed, uint8_t mode, uint8_t transport) {
  uint16_t id = 9;
  int steps = 0, before = wrong;
  g_random = seed;
  memset(sides, 0, sizeof sides);
  memset(pipes, 0, sizeof pipes);
  ends_init(&e, mode, mode == HAWSER_TICKET ? HAWSER_SUITE_NONE : HAWSER_SUITE_ID_25519, transport);
  tear_and_resume();
  CHECK(hawser_open(&e.device, "file", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  while (!all_done() && steps++ < 200000 && wrong == before) {
    e.now += roll(8);
    say((int)roll(2));
    deliver((int)roll(2), roll(3000));
    if (roll(150) == 0) {
      tear_and_resume();
    }
  }
  CHECK(wrong == before);
  CHECK(all_done());
  CHECK(sides[0].got == TOTAL && sides[1].got == TOTAL);
  CHECK(sides[0].fin_got == 1 && sides[1].fin_got == 1);
  if (wrong != before || !all_done()) {
    fprintf(stderr, "seed %llu mode %d transport %d\n", (unsigned long long)seed, mode, transport);
  }
  ends_free(&e);
}

int main(int argc, char **argv) {
  uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
  uint64_t last = argc > 1 ? first : 60;
  for (uint64_t seed = first; seed <= last && check_failed == 0; seed++) {
    run(seed, seed % 2 ? HAWSER_TICKET : HAWSER_KEYS, seed % 3 == 0 ? HAWSER_SERIAL : HAWSER_STREAM);
  }
  return check_done();
}
