/*
 * test_session.c - a device and its gateway talk: every mode and suite, both transports, resumption, streams both ways, cuts.
 */
#include "ends.h"

static ends e; /* large */
static uint8_t pattern[30000];

static void conversation(uint8_t mode, uint8_t suite, uint8_t transport) {
  uint16_t id = 9;
  size_t sent = 0;
  ends_init(&e, mode, suite, transport);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(ends_count(&e.device_log, HAWSER_EV_LIVE, 0xffff) == 1);
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 0);
  CHECK(ends_count(&e.device_log, HAWSER_EV_STORE, 0xffff) == 1);
  CHECK_BYTES(e.device.session.name, e.session.name, 8);
  CHECK(!check_is_zero(e.session.name, 8));

  CHECK(hawser_open(&e.device, "mqtt", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
  CHECK(id == 0);
  CHECK(ends_pump(&e) == HAWSER_OK);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_OPEN, 0) == 1);
  CHECK(e.gateway_log.data_len == 4 && memcmp(e.gateway_log.data, "mqtt", 4) == 0);
  CHECK(ends_count(&e.device_log, HAWSER_EV_OPENED, 0) == 1);
  CHECK(ends_write(&e, 1, id, pattern, sizeof pattern, 0, &sent) == HAWSER_OK);
  CHECK(sent == sizeof pattern);
  CHECK(ends_write(&e, 0, id, pattern, sizeof pattern, 0, &sent) == HAWSER_OK);
  CHECK(sent == sizeof pattern);
  e.now += 30;
  CHECK(ends_pump(&e) == HAWSER_OK);
  CHECK(e.gateway_log.lens[0] == sizeof pattern && memcmp(e.gateway_log.bytes[0], pattern, sizeof pattern) == 0);
  CHECK(e.device_log.lens[0] == sizeof pattern && memcmp(e.device_log.bytes[0], pattern, sizeof pattern) == 0);
  CHECK(ends_last(&e.device_log, HAWSER_EV_ACKED)->offset == sizeof pattern);
  CHECK(ends_last(&e.gateway_log, HAWSER_EV_ACKED)->offset == sizeof pattern);

  /* a cut, and a warm resumption that continues it */
  ends_clear(&e);
  ends_cut(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(e.device.kind == HAWSER_RESUMPTION);
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 1);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, 0xffff) == 0);

  /* half-close both ways */
  CHECK(ends_write(&e, 1, id, pattern, 100, 1, &sent) == HAWSER_OK);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_FIN, 0) == 1);
  CHECK(ends_write(&e, 0, id, pattern, 50, 1, &sent) == HAWSER_OK);
  CHECK(ends_count(&e.device_log, HAWSER_EV_FIN, 0) == 1);
  CHECK(ends_count(&e.device_log, HAWSER_EV_CLOSED, 0) == 1);
  CHECK(ends_last(&e.device_log, HAWSER_EV_CLOSED)->value == HAWSER_DONE);
  CHECK(ends_gateway_events(&e) == HAWSER_OK);
  CHECK(ends_count(&e.gateway_log, HAWSER_EV_CLOSED, 0) == 1);
  CHECK(e.gateway_log.lens[0] == sizeof pattern + 100);
  CHECK(e.device_log.lens[0] == sizeof pattern + 50);

  /* a boot: RAM is lost, the slot is not */
  ends_clear(&e);
  ends_boot(&e);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  CHECK(e.device.kind == HAWSER_RESUMPTION && e.device.i == 1 && e.device.b + 1 == e.device.f);
  CHECK(ends_last(&e.device_log, HAWSER_EV_LIVE)->value == 0);
  ends_free(&e);
}

static void predicates(void) {
  uint8_t m1[256], m2[256];
  size_t m1_len, m2_len;
  int taken;
  ends_init(&e, HAWSER_KEYS, HAWSER_SUITE_ID_25519, HAWSER_STREAM);
  CHECK(ends_connect(&e, NULL, NULL) == HAWSER_OK);
  NOTICES(hawser_device_valid, hawser_device, e.device, state, 9);
  NOTICES(hawser_device_valid, hawser_device, e.device, state, 1); /* live, and yet idle */
  NOTICES(hawser_device_valid, hawser_device, e.device, b, 7);
  NOTICES(hawser_device_valid, hawser_device, e.device, i, UINT32_MAX);
  NOTICES(hawser_device_valid, hawser_device, e.device, message1_len, SIZE_MAX);
  NOTICES(hawser_device_valid, hawser_device, e.device, verdict, 4);
  NOTICES(hawser_device_valid, hawser_device, e.device, early_stream, ENDS_STREAMS);
  NOTICES(hawser_device_valid, hawser_device, e.device, session.rx_len, SIZE_MAX);
  NOTICES(hawser_session_valid, hawser_session, e.session, link.tx_counter, UINT64_MAX);
  NOTICES(hawser_session_valid, hawser_session, e.session, link.transport, HAWSER_DATAGRAM);
  NOTICES(hawser_chain_valid, hawser_chain, e.chain, r[0], (memset(copy.r, 0, sizeof copy.r), 0));
  ends_cut(&e);
  CHECK(hawser_connect(&e.device, e.transport, NULL, &taken, e.now) == HAWSER_OK);
  CHECK(hawser_device_send(&e.device, m1, sizeof m1, &m1_len, e.now) == HAWSER_OK);
  CHECK(ends_answer(&e, m1, m1_len, m2, sizeof m2, &m2_len) == HAWSER_OK);
  NOTICES(hawser_accept_valid, hawser_accept, e.accept, state, 6);
  NOTICES(hawser_accept_valid, hawser_accept, e.accept, state, 1); /* asked, and yet a link */
  NOTICES(hawser_accept_valid, hawser_accept, e.accept, pairing, NULL);
  NOTICES(hawser_accept_valid, hawser_accept, e.accept, transport, 0);
  NOTICES(hawser_accept_valid, hawser_accept, e.accept, frame_len, SIZE_MAX);
  NOTICES(hawser_accept_valid, hawser_accept, e.accept, link.live, 0);
  ends_free(&e);
}

int main(void) {
  ends_fill(pattern, sizeof pattern, 3);
  for (size_t m = 0; m < ENDS_MODES; m++) {
    conversation(ends_modes[m][0], ends_modes[m][1], HAWSER_STREAM);
    conversation(ends_modes[m][0], ends_modes[m][1], HAWSER_SERIAL);
  }
  predicates();
  printf("sizeof: device %zu, session %zu, stream %zu, accept %zu\n", sizeof(hawser_device), sizeof(hawser_session),
         sizeof(hawser_stream), sizeof(hawser_accept));
  CHECK(sizeof(hawser_device) <= 512); /* 440 on a 32-bit target */
  return check_done();
}
