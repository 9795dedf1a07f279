/*
 * fuzz_slots.c - a boot from any two slots; with their checks set right where the input asks for it. A device that has booted
 * makes a message 1, and what a boot takes is what is in the slot with the higher sequence.
 */
#include "rig.h"
#include "rig_keys.h"

static uint32_t u32_at(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void set_check(uint8_t *image) {
  uint8_t digest[HAWSER_HASH_LEN];
  hawser_bytes part = {image, HAWSER_SLOT_LEN - 8};
  FUZZ_ASSERT(hawser_port_sha256(digest, &part, 1) == HAWSER_OK);
  memcpy(image + HAWSER_SLOT_LEN - 8, digest, 8);
}

/* An exact copy of the next 64 bytes; NULL: an empty slot. */
static uint8_t *take_slot(fuzz_input *in, int present, int checked) {
  size_t len;
  uint8_t *image = fuzz_take(in, HAWSER_SLOT_LEN, &len);
  if (!present || len < HAWSER_SLOT_LEN) {
    free(image);
    return NULL;
  }
  if (checked) {
    set_check(image);
  }
  return image;
}

static void booted(const uint8_t *slots[2], int wipe) {
  const hawser_device *d = &r.device;
  FUZZ_ASSERT(wipe >= -1 && wipe <= 1);
  if (wipe >= 0) { /* both are slots: the other one counts */
    const uint8_t *taken = slots[1 - wipe];
    FUZZ_ASSERT(taken != NULL && slots[wipe] != NULL);
    FUZZ_ASSERT(u32_at(taken + 8) >= u32_at(slots[wipe] + 8));
    FUZZ_ASSERT(d->sequence == u32_at(taken + 8) && d->f == u32_at(taken + 20));
    FUZZ_ASSERT(memcmp(d->block, taken + 24, HAWSER_KEY_LEN) == 0 && memcmp(d->chain, taken + 12, 8) == 0);
  }
}

void fuzz_slots(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  uint8_t which = fuzz_byte(&in);
  uint8_t flags = fuzz_byte(&in);
  uint8_t *slots[2];
  int wipe = -2, err;
  rig_init(which, flags & 16 ? HAWSER_SERIAL : HAWSER_STREAM);
  slots[0] = take_slot(&in, flags & 1, flags & 4);
  slots[1] = take_slot(&in, flags & 2, flags & 8);
  hawser_device_wipe(&r.device);
  rig_init(which, r.transport);
  r.device.state = 0; /* as before its boot */
  r.device.flags = 0;
  err = hawser_device_boot(&r.device, slots[0], slots[1], &wipe);
  FUZZ_ASSERT(err == HAWSER_OK);
  booted((const uint8_t **)slots, wipe);
  if (rig_message1(NULL) == HAWSER_OK) {
    FUZZ_ASSERT(r.out_len >= HAWSER_MESSAGE1_MIN);
    hawser_disconnected(&r.device, r.now);
  }
  FUZZ_ASSERT(r.device.f == UINT32_MAX || r.device.b == r.device.f);
  free(slots[0]);
  free(slots[1]);
}
