/*
 * main.c - a device and its gateway on one emulated Cortex-M: what the device's calls cost, in instructions and stack. The
 * gateway's calls are not counted. Prints "cost NAME INSTRUCTIONS" and "stack BYTES" for each operation, at last "end".
 *
 * Instructions: the emulator's clock advances by 64 ns for each (qemu -icount shift=6), and a timer that ticks every 40 ns reads
 * it, so that no instruction goes uncounted.
 * Stack: what is free of it is painted before each call.
 */
#include <stdint.h>

#include "drivers/board.h"
#include "drivers/console.h"
#include "measure/keys.h"
#include "measure/loopback/gateway.h"

#define TIMER (*(volatile uint32_t *)0x40000004u) /* of the MPS2: counts down */
#define PAINT 0xdeadbeefu
#define NOT_PAINTED 24 /* words below paint()'s caller that paint() may be using */
#define NOW 1000u
#define PAYLOAD 64u

typedef struct cost {
  uint32_t instructions, stack;
} cost;

extern uint32_t __stack_limit[], __stack_top[];

static hawser_pairing pairing;
static hawser_device device;
static hawser_stream streams[4];
static uint8_t secret[HAWSER_KEY_LEN], rx[HAWSER_RX_LEN(256)], message1[HAWSER_MESSAGE1_LEN(64)];
static uint8_t to_gateway[512], to_device[512], payload[PAYLOAD];
static size_t to_gateway_len, to_device_len;
static uint16_t stream;
static uint32_t empty_call; /* instructions of measuring itself */

/* ---- measuring ---- */

static __attribute__((noinline)) void paint(void) {
  const uint32_t *end = (const uint32_t *)__builtin_frame_address(0) - NOT_PAINTED;
  for (volatile uint32_t *at = __stack_limit; at < end; at++) {
    *at = PAINT;
  }
}

static uint32_t *lowest_used(void) {
  uint32_t *at = __stack_limit;
  while (at < __stack_top && *at == PAINT) {
    at++;
  }
  return at;
}

static void fail(const char *what, int err) {
  console_line(what, (uint32_t)-err);
  board_sleep(0);
}

/* Adds a call's instructions to c, and its stack if it is the most so far. */
static __attribute__((noinline)) void measure(cost *c, const char *what, int (*call)(void)) {
  uint32_t *here, *low;
  uint32_t start, end;
  int err;
  __asm volatile("mov %0, sp" : "=r"(here));
  paint();
  start = TIMER;
  err = call();
  end = TIMER;
  low = lowest_used();
  if (err != HAWSER_OK) {
    fail(what, err);
  }
  c->instructions += ((start - end) * 5u + 4u) / 8u - empty_call; /* ticks of 40 ns, to the nearest 64 ns */
  if ((uint32_t)(here - low) * 4u > c->stack) {
    c->stack = (uint32_t)(here - low) * 4u;
  }
}

static void print(const char *name, const cost *c) {
  console_write("cost ");
  console_write(name);
  console_line("", c->instructions);
  console_line("stack", c->stack);
}

/* ---- calls of the device ---- */

static int nothing(void) {
  return HAWSER_OK;
}

static int take_events(void) {
  hawser_event event;
  int err = hawser_device_next(&device, &event);
  while (err == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_STORE) {
      err = hawser_stored(&device, HAWSER_STORED);
#if HAWSER_STREAMS
    } else if (event.type == HAWSER_EV_DATA) {
      err = hawser_consume(hawser_device_session(&device), event.stream, event.len);
#endif
    } else if (event.type == HAWSER_EV_CLOSED) {
      err = HAWSER_ERR_CLOSED;
    }
    err = err == HAWSER_OK ? hawser_device_next(&device, &event) : err;
  }
  return err;
}

static int ask(void) {
  int early, err = hawser_connect(&device, HAWSER_STREAM, NULL, &early, NOW);
  return err != HAWSER_OK ? err : hawser_device_send(&device, to_gateway, sizeof to_gateway, &to_gateway_len, NOW);
}

static int receive(void) {
  size_t used, at = 0;
  int err = HAWSER_OK;
  while (err == HAWSER_OK && at < to_device_len) {
    err = hawser_device_receive(&device, to_device + at, to_device_len - at, &used, NOW);
    at += used;
    err = err == HAWSER_OK ? take_events() : err;
  }
  return err;
}

static int send(void) {
  return hawser_device_send(&device, to_gateway, sizeof to_gateway, &to_gateway_len, NOW);
}

static int write(void) {
#if HAWSER_STREAMS
  size_t taken;
  int fin;
  return hawser_write(hawser_device_session(&device), stream, payload, PAYLOAD, 0, to_gateway, sizeof to_gateway,
                      &to_gateway_len, &taken, &fin, NOW);
#else
  return hawser_message(hawser_device_session(&device), stream, payload, PAYLOAD, to_gateway, sizeof to_gateway,
                        &to_gateway_len, NOW);
#endif
}

/* ---- operations ---- */

static void exchange(const char *what) {
  int err = gateway_exchange(to_gateway, to_gateway_len, to_device, sizeof to_device, &to_device_len);
  if (err != HAWSER_OK) {
    fail(what, err);
  }
}

/* From the wish to connect to the first record, which makes the link good at both ends. */
static void handshake(const char *name, uint8_t kind) {
  cost c = {0, 0}, rest = {0, 0};
  hawser_handshake_info info;
  int err = gateway_link();
  if (err != HAWSER_OK) {
    fail("gateway", err);
  }
  measure(&c, name, ask);
  exchange("answer");
  measure(&c, name, receive);
  measure(&c, name, send);
  hawser_device_handshake(&device, &info);
  if (info.kind != kind || to_gateway_len == 0) {
    fail("another kind of handshake", -info.kind);
  }
  print(name, &c);
  do {
    exchange("first record");
    measure(&rest, "after the handshake", receive);
    measure(&rest, "after the handshake", send);
  } while (to_gateway_len > 0 || to_device_len > 0);
}

static void records(void) {
  cost sent = {0, 0}, received = {0, 0}, rest = {0, 0};
  int err;
  measure(&sent, "write", write);
  if (to_gateway_len < PAYLOAD) {
    fail("nothing was written", 0);
  }
  exchange("record");
  measure(&rest, "acknowledgement", receive);
  err = gateway_write(payload, PAYLOAD, to_device, sizeof to_device, &to_device_len);
  if (err != HAWSER_OK || to_device_len < PAYLOAD) {
    fail("nothing came", err);
  }
  measure(&received, "receive", receive);
  print("record sent", &sent);
  print("record received", &received);
}

static int boot(void) {
  int wipe, err = gateway_pair(&pairing, secret);
  err = err == HAWSER_OK ? measure_key(&pairing, secret) : err;
  err = err == HAWSER_OK ? hawser_device_init(&device, &pairing, streams, 4, rx, sizeof rx, message1, sizeof message1)
                         : err;
  err = err == HAWSER_OK ? hawser_device_boot(&device, NULL, NULL, &wipe) : err;
  return err != HAWSER_OK
             ? err
             : hawser_open(&device, "mqtt", HAWSER_STREAMS ? HAWSER_KIND_STREAM : HAWSER_KIND_MESSAGES, &stream);
}

int main(void) {
  cost calibration = {0, 0};
  int err = boot();
  if (err != HAWSER_OK) {
    fail("boot", err);
  }
  measure(&calibration, "nothing", nothing);
  empty_call = calibration.instructions;
#if HAWSER_MODE_TICKET
  handshake("first connection", HAWSER_RESUMPTION);
#else
  handshake("full handshake", HAWSER_FULL);
#endif
  hawser_disconnected(&device, NOW);
  handshake("resumption", HAWSER_RESUMPTION);
  records();
  console_line("end", 0);
  board_sleep(0);
}
