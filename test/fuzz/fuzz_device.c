/*
 * fuzz_device.c - bytes of a stranger to a device: awaiting an answer (full or resumed, with or without early data), storing,
 * live as a new session or a continued one. With `any tag` what is authentic is up to the fuzzer as well.
 */
#include "rig.h"
#include "rig_keys.h"

enum flag { SERIAL = 1, ANY_TAG = 2, LIVED = 4, EARLY = 8, LIVE = 16, CONTINUED = 32, STORE_FAILS = 64, OPENED = 128 };

/* What a bad answer must not touch. */
typedef struct position {
  uint32_t sequence, f, b, i;
  uint8_t chain[8], block[32], step[32], name[8];
  size_t message1_len;
  uint8_t message1[64];
} position;

static position position_now(void) {
  const hawser_device *d = &r.device;
  position p;
  memset(&p, 0, sizeof p);
  p.sequence = d->sequence;
  p.f = d->f;
  p.b = d->b;
  p.i = d->i;
  memcpy(p.chain, d->chain, 8);
  memcpy(p.block, d->block, 32);
  memcpy(p.step, d->step, 32);
  memcpy(p.name, d->session.name, 8);
  p.message1_len = d->message1_len;
  memcpy(p.message1, d->message1, d->message1_len < 64 ? d->message1_len : 64);
  return p;
}

/* All events; returns what was the matter. */
static int events(int store_fails) {
  hawser_event event;
  int err = hawser_device_next(&r.device, &event);
  while (err == HAWSER_OK && event.type != HAWSER_EV_NONE) {
    if (event.type == HAWSER_EV_STORE) {
      FUZZ_ASSERT(event.len == HAWSER_SLOT_LEN);
      err = hawser_stored(&r.device, !store_fails);
      FUZZ_ASSERT(err == (store_fails ? HAWSER_ERR_STORAGE : HAWSER_OK));
    } else if (event.type == HAWSER_EV_DATA) {
      FUZZ_ASSERT(event.stream < RIG_STREAMS && event.len > 0 && event.len <= RIG_RECORD);
      FUZZ_ASSERT(hawser_consume(&r.device.session, event.stream, event.len) == HAWSER_OK);
    }
    if (err == HAWSER_OK) {
      err = hawser_device_next(&r.device, &event);
    }
  }
  return err;
}

static void prepare(uint8_t which, uint8_t flags) {
  uint16_t id = 0;
  rig_init(which, flags & SERIAL ? HAWSER_SERIAL : HAWSER_STREAM);
  rig_session();
  if (flags & OPENED) {
    FUZZ_ASSERT(hawser_open(&r.device, "mqtt", HAWSER_KIND_STREAM, &id) == HAWSER_OK);
    FUZZ_ASSERT(hawser_open(&r.device, "coap", HAWSER_KIND_MESSAGES, &id) == HAWSER_OK);
  }
  if (flags & (LIVED | LIVE)) {
    rig_connect(0);
  }
  if ((flags & LIVE) != 0 && (flags & CONTINUED) == 0) {
    return;
  }
  if (flags & (LIVED | LIVE)) {
    hawser_disconnected(&r.device, r.now);
    FUZZ_ASSERT(rig_device_events() == HAWSER_OK);
  }
  if (flags & LIVE) {
    rig_connect(1);
    return;
  }
  if (flags & EARLY) {
    hawser_early early = {0, (const uint8_t *)"early bird", 10, 0, 0};
    FUZZ_ASSERT(rig_message1(&early) == HAWSER_OK);
  } else {
    FUZZ_ASSERT(rig_message1(NULL) == HAWSER_OK);
  }
}

static void check_refused(int err, const position *before) {
  position after = position_now();
  FUZZ_ASSERT(err == HAWSER_ERR_FORMAT || err == HAWSER_ERR_AUTH || err == HAWSER_ERR_PEER ||
              err == HAWSER_ERR_STORAGE || err == HAWSER_ERR_CRYPTO);
  if (err != HAWSER_ERR_PEER && err != HAWSER_ERR_STORAGE) {
    FUZZ_ASSERT(memcmp(before, &after, sizeof after) == 0);
  }
}

static int feed(fuzz_input *in, size_t chunk, uint8_t flags) {
  position before = position_now();
  size_t len, used = 0;
  uint8_t *bytes = fuzz_take(in, chunk, &len);
  int err = hawser_device_receive(&r.device, bytes, len, &used, r.now);
  FUZZ_ASSERT(used <= len);
  if (err == HAWSER_OK) {
    FUZZ_ASSERT(used > 0);
    in->at -= len - used;
    in->left += len - used;
    err = events((flags & STORE_FAILS) != 0);
  }
  rig_check_device();
  if (err == HAWSER_OK) {
    err = rig_device_send();
    FUZZ_ASSERT(err == HAWSER_OK);
  } else {
    check_refused(err, &before);
  }
  free(bytes);
  r.now += 7;
  return err == HAWSER_OK;
}

void fuzz_device(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  uint8_t which = fuzz_byte(&in);
  uint8_t flags = fuzz_byte(&in);
  size_t chunk = 1u + fuzz_byte(&in);
  prepare(which, flags);
  rig_any_tag((flags & ANY_TAG) != 0);
  while (in.left > 0 && feed(&in, chunk, flags)) {
  }
  rig_any_tag(0);
  /* whatever came, the device goes on */
  hawser_disconnected(&r.device, r.now);
  FUZZ_ASSERT(events(0) == HAWSER_OK);
  rig_check_device();
  FUZZ_ASSERT(rig_message1(NULL) == HAWSER_OK && r.out_len > HAWSER_MESSAGE1_MIN);
}
