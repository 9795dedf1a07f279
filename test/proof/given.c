/*
 * given.c - inputs of the harnesses that several of them start from.
 */
#include <stdlib.h>

#include "proof.h"

void *any_bytes(size_t len) {
  void *bytes = malloc(len); /* its content is any */
  REQUIRE(bytes != NULL);
  return bytes;
}

const hawser_pairing *any_valid_pairing(void) {
  static hawser_pairing pairing;
  pairing = nondet_pairing();
  REQUIRE(hawser_pairing_valid(&pairing) == HAWSER_OK);
  return &pairing;
}

void any_session(hawser_session *s) {
  static hawser_stream streams[STREAMS];
  for (uint16_t id = 0; id < STREAMS; id++) {
    streams[id] = nondet_stream();
  }
  s->stream_count = STREAMS;
  s->streams = streams;
  s->pairing = any_valid_pairing();
  s->rx_cap = HAWSER_RX_LEN(s->gateway ? HAWSER_RECORD_MAX : s->pairing->record_max);
  s->rx = any_bytes(s->rx_cap);
  s->frames = NULL;
  s->frames_len = 0;
  REQUIRE(s->now_ms <= INT64_MAX && s->quiet_ms <= INT64_MAX && s->ping_ms <= INT64_MAX); /* no clock gets there */
  REQUIRE(hawser_session_valid(s));
}

hawser_device *any_device(void) {
  static hawser_device device;
  device = nondet_device();
  device.session.gateway = 0;
  any_session(&device.session);
  device.message1 = any_bytes(HAWSER_MESSAGE1_MAX);
  REQUIRE(hawser_device_valid(&device));
  return &device;
}
