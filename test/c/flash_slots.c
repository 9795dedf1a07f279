/*
 * flash_slots.c - see flash_slots.h.
 */
#include "flash_slots.h"

#include <string.h>

/* An erased page is left alone: erasing is what wears it. Erased is what reads so afterwards. */
int flash_slots_wipe(flash_sim *f, uint32_t slot) {
  if (f->off || flash_blank(f, slot)) {
    return !f->off;
  }
  return flash_erase(f, slot) == FLASH_OK && flash_sync(f) == FLASH_OK && flash_blank(f, slot);
}

int flash_slots_write(flash_sim *f, uint32_t slot, const uint8_t image[HAWSER_SLOT_LEN]) {
  return flash_slots_wipe(f, slot) && flash_program(f, slot, 0, image, HAWSER_SLOT_LEN) == FLASH_OK &&
         flash_sync(f) == FLASH_OK;
}

int flash_slots_holds(const flash_sim *f, uint32_t slot, const uint8_t image[HAWSER_SLOT_LEN]) {
  uint8_t back[HAWSER_SLOT_LEN];
  int same = flash_read(f, slot, 0, back, sizeof back) == FLASH_OK && memcmp(back, image, sizeof back) == 0;
  hawser_port_wipe(back, sizeof back);
  return same;
}

int flash_slots_store(flash_sim *f, uint32_t slot, const uint8_t image[HAWSER_SLOT_LEN]) {
  if (!flash_slots_write(f, slot, image) || !flash_slots_holds(f, slot, image)) {
    return HAWSER_NOT_STORED;
  }
  return flash_slots_wipe(f, !slot) ? HAWSER_STORED : HAWSER_NOT_WIPED;
}

int flash_slots_boot(flash_sim *f, hawser_device *d) {
  uint8_t slots[2][HAWSER_SLOT_LEN];
  int wipe = -1;
  int ok = flash_read(f, 0, 0, slots[0], HAWSER_SLOT_LEN) == FLASH_OK &&
           flash_read(f, 1, 0, slots[1], HAWSER_SLOT_LEN) == FLASH_OK &&
           hawser_device_boot(d, slots[0], slots[1], &wipe) == HAWSER_OK &&
           (wipe < 0 || flash_slots_wipe(f, (uint32_t)wipe));
  hawser_port_wipe(slots, sizeof slots);
  return ok;
}
