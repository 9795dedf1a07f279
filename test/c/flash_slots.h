/*
 * flash_slots.h - the two slots of SPEC 7.4 on two pages of flash: what a board does with hawser_device_boot() and HAWSER_EV_STORE.
 */
#ifndef FLASH_SLOTS_H
#define FLASH_SLOTS_H

#include "flash_sim.h"
#include "hawser/hawser.h"

/* Boots the device from both pages, and wipes the one that it names. 0: the device must not go on; boot it again. */
int flash_slots_boot(flash_sim *f, hawser_device *d);

/* What HAWSER_EV_STORE asks for; an enum hawser_store_result. */
int flash_slots_store(flash_sim *f, uint32_t slot, const uint8_t image[HAWSER_SLOT_LEN]);

/* Their parts. */
int flash_slots_write(flash_sim *f, uint32_t slot, const uint8_t image[HAWSER_SLOT_LEN]);
int flash_slots_holds(const flash_sim *f, uint32_t slot, const uint8_t image[HAWSER_SLOT_LEN]);
int flash_slots_wipe(flash_sim *f, uint32_t slot);

#endif
