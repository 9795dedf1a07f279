/*
 * main.c - a device and its gateway on one emulated Cortex-M: what the device's calls cost, in instructions and stack. The
 * gateway's calls are not counted.
 */
#include <stdint.h>

#include "measure/cost.h"
#include "measure/keys.h"
#include "measure/loopback/gateway.h"

#define NOW 1000u
#define PAYLOAD 64u

static hawser_pairing pairing;
static hawser_device device;
static hawser_stream streams[4];
static uint8_t secret[HAWSER_KEY_LEN], rx[HAWSER_RX_LEN(256)], message1[HAWSER_MESSAGE1_LEN(64)];
static uint8_t to_gateway[512], to_device[512], payload[PAYLOAD];
static size_t to_gateway_len, to_device_len;
static uint16_t stream;
static int lost; /* streams that ended with their session */

/* ---- calls of the device ---- */

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
      err = event.value == HAWSER_STATE_LOST ? HAWSER_OK : HAWSER_ERR_CLOSED;
      lost++;
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
    cost_fail(what, err);
  }
}

/* From the wish to connect to the first record, which makes the link good at both ends. */
static void handshake(const char *name, uint8_t kind) {
  cost c = {0, 0}, rest = {0, 0};
  hawser_handshake_info info;
  int err = gateway_link();
  if (err != HAWSER_OK) {
    cost_fail("gateway", err);
  }
  cost_measure(&c, name, ask);
  exchange("answer");
  cost_measure(&c, name, receive);
  cost_measure(&c, name, send);
  hawser_device_handshake(&device, &info);
  if (info.kind != kind || to_gateway_len == 0) {
    cost_fail("another kind of handshake", -info.kind);
  }
  cost_print(name, &c);
  do {
    exchange("first record");
    cost_measure(&rest, "after the handshake", receive);
    cost_measure(&rest, "after the handshake", send);
  } while (to_gateway_len > 0 || to_device_len > 0);
}

static void records(void) {
  cost sent = {0, 0}, received = {0, 0}, rest = {0, 0};
  int err;
  cost_measure(&sent, "write", write);
  if (to_gateway_len < PAYLOAD) {
    cost_fail("nothing was written", 0);
  }
  exchange("record");
  cost_measure(&rest, "acknowledgement", receive);
  err = gateway_write(payload, PAYLOAD, to_device, sizeof to_device, &to_device_len);
  if (err != HAWSER_OK || to_device_len < PAYLOAD) {
    cost_fail("nothing came", err);
  }
  cost_measure(&received, "receive", receive);
  cost_print("record sent", &sent);
  cost_print("record received", &received);
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
  int err = boot();
  if (err != HAWSER_OK) {
    cost_fail("boot", err);
  }
#if HAWSER_MODE_TICKET
  handshake("first connection", HAWSER_RESUMPTION);
#else
  handshake("full handshake", HAWSER_FULL);
#endif
  hawser_disconnected(&device, NOW);
  handshake("resumption", HAWSER_RESUMPTION);
  records();
  hawser_disconnected(&device, NOW);
  gateway_forget();
  handshake("resumption to a NEW session", HAWSER_RESUMPTION);
  if (lost != (HAWSER_STREAMS ? 1 : 0)) {
    cost_fail("streams that were lost", lost);
  }
  cost_end();
}
