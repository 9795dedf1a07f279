/*
 * store.h - what the device keeps in flash for hawser: its pairing, the two slots (SPEC 7.4), and saved state.
 */
#ifndef FIRMWARE_STORE_H
#define FIRMWARE_STORE_H

#include "hawser/device.h"

/* The pairing that production has written; its secrets go to the crypto port. 0: there is none that this build can use. */
int store_pairing(hawser_pairing *pairing);

/* Boots the device from the slots, and finishes what a power cut interrupted: afterwards one slot is valid at most, and what is
 * no slot is blank. 0: the flash does not work, or the device refuses. */
int store_boot(hawser_device *device);

/* SPEC 7.4 rule 4: writes the image to that slot, reads it back, wipes the other one and verifies that. 0: not all of it. */
int store_slot(unsigned slot, const uint8_t image[HAWSER_SLOT_LEN]);

/* A blob of hawser_save() and 8 bytes of the application's own. 0: the flash does not work. */
int store_save(const uint8_t *blob, size_t len, const uint8_t own[8]);

/* The blob that was saved and not used yet: its length, or 0. Marks it used; what cannot be marked is not given. */
size_t store_saved(uint8_t blob[HAWSER_SAVE_MAX], uint8_t own[8]);

#endif
