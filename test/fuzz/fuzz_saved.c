/*
 * fuzz_saved.c - any blob restored, with its check set right where the input asks for it. What is taken saves to the same
 * blob again, and the device connects with it; what is refused changes nothing.
 */
#include "rig.h"

static void set_check(uint8_t *blob, size_t len) {
  uint8_t digest[HAWSER_HASH_LEN];
  hawser_bytes part = {blob, len - 8};
  FUZZ_ASSERT(hawser_port_sha256(digest, &part, 1) == HAWSER_OK);
  memcpy(blob + len - 8, digest, 8);
}

/* The id of the device's chain, and its step secret, where a retained blob has them: no fuzzer guesses those. */
static void set_position(uint8_t *blob, size_t len) {
  if (len >= 20 + 8 + 8 + 32 + 8 && blob[5] == HAWSER_SAVE_RETAINED) {
    memcpy(blob + 20, r.device.chain, 8);
  }
}

static void refused(const hawser_device *device, const hawser_stream *streams) {
  FUZZ_ASSERT(memcmp(device, &r.device, sizeof *device) == 0);
  FUZZ_ASSERT(memcmp(streams, r.device_streams, sizeof r.device_streams) == 0);
}

static void restored(uint8_t kind, const uint8_t *blob, size_t len) {
  uint8_t again[HAWSER_SAVE_MAX];
  size_t again_len = 0, streams = 0;
  for (uint16_t id = 0; id < RIG_STREAMS; id++) {
    streams += (r.device_streams[id].flags & 1) != 0;
  }
  FUZZ_ASSERT(hawser_save(&r.device, kind, again, &again_len) == HAWSER_OK);
  /* ids in another order or twice come out sorted and once */
  FUZZ_ASSERT(again_len <= len);
  if (streams <= 1 && again_len == len) {
    FUZZ_ASSERT(memcmp(again, blob, len) == 0);
  }
  rig_check_device();
  FUZZ_ASSERT(rig_message1(NULL) == HAWSER_OK);
  hawser_disconnected(&r.device, r.now);
  FUZZ_ASSERT(rig_device_events() == HAWSER_OK);
}

void fuzz_saved(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  uint8_t flags = fuzz_byte(&in);
  uint8_t before[HAWSER_SAVE_MAX];
  hawser_device device;
  hawser_stream streams[RIG_STREAMS];
  size_t len;
  uint8_t *blob;
  int err;
  rig_init(flags >> 2, HAWSER_STREAM);
  rig_session();
  if (flags & 1) { /* it was paired and connected before */
    rig_connect(0);
    rig_boot();
  }
  blob = fuzz_take(&in, HAWSER_SAVE_MAX + 1, &len);
  if ((flags & 2) != 0 && len >= 28) {
    set_position(blob, len);
    set_check(blob, len);
  }
  memcpy(before, blob, len < sizeof before ? len : sizeof before);
  device = r.device;
  memcpy(streams, r.device_streams, sizeof streams);
  err = hawser_restore(&r.device, blob, len);
  if (err == HAWSER_OK) {
    FUZZ_ASSERT(before[5] == HAWSER_SAVE_FLASH || blob[0] == 0); /* wiped by restoring it */
    restored(before[5], before, len);
  } else {
    refused(&device, streams);
  }
  free(blob);
}
