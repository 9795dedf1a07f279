/*
 * store.c - see store.h.
 */
#include "app/store.h"

#include <string.h>

#include "drivers/flash.h"
#include "port_psa.h"

/* ---- pairing ---- */

static int import(hawser_pairing *pairing, const hawser_pairing_secrets *secrets) {
#if HAWSER_MODE_TICKET
  if (pairing->mode == HAWSER_TICKET) {
    pairing->ticket = hawser_psa_key_import(HAWSER_PSA_TICKET, secrets->ticket);
    return pairing->ticket != 0;
  }
#endif
#if HAWSER_MODE_PSK
  if (pairing->mode == HAWSER_PSK) {
    pairing->psk = hawser_psa_key_import(HAWSER_PSA_PSK, secrets->psk);
    return pairing->psk != 0;
  }
#endif
#if HAWSER_MODE_KEYS
  pairing->own =
      hawser_psa_key_import(pairing->suite == HAWSER_SUITE_ID_P256 ? HAWSER_PSA_P256 : HAWSER_PSA_25519, secrets->own);
#endif
  return pairing->own != 0;
}

/* Bytes of the form at the page's start: flash behind it is erased, and a form ends with a check, whose last byte may be
 * 0xff as well. So every length is tried; only one can have the right check. */
int store_pairing(hawser_pairing *pairing) {
  hawser_pairing_secrets secrets;
  const uint8_t *form = flash_at(FLASH_PAIRING);
  size_t len = HAWSER_PAIRING_FORM_MAX;
  int err = HAWSER_ERR_FORMAT;
  while (len > 0 && form[len - 1] == 0xff) {
    len--;
  }
  for (; err == HAWSER_ERR_FORMAT && len <= HAWSER_PAIRING_FORM_MAX; len++) {
    err = hawser_pairing_read(pairing, &secrets, form, len);
  }
  err = err == HAWSER_OK && import(pairing, &secrets) ? HAWSER_OK : HAWSER_ERR_FORMAT;
  hawser_port_wipe(&secrets, sizeof secrets);
  return err == HAWSER_OK;
}

/* ---- slots ---- */

#ifndef FIRMWARE_NO_WIPE
#define FIRMWARE_NO_WIPE 0 /* 1: a test's fault, the old slot stays */
#endif

static const unsigned slot_pages[2] = {FLASH_SLOT0, FLASH_SLOT1};

static int wipe_slot(unsigned slot) {
  return flash_blank(slot_pages[slot]) || flash_erase(slot_pages[slot]);
}

/* The image with its check, which a write or a wipe that was cut short does not have. */
static int slot_whole(unsigned slot) {
  uint8_t hash[HAWSER_HASH_LEN];
  const uint8_t *image = flash_at(slot_pages[slot]);
  hawser_bytes checked = {image, HAWSER_SLOT_LEN - 8};
  return hawser_port_sha256(hash, &checked, 1) == HAWSER_OK && memcmp(hash, image + HAWSER_SLOT_LEN - 8, 8) == 0;
}

int store_boot(hawser_device *device) {
  int wipe;
  for (unsigned slot = 0; slot < 2; slot++) {
    if (!slot_whole(slot) && !wipe_slot(slot)) {
      return 0;
    }
  }
  return hawser_device_boot(device, flash_at(FLASH_SLOT0), flash_at(FLASH_SLOT1), &wipe) == HAWSER_OK &&
         (wipe < 0 || wipe_slot((unsigned)wipe));
}

int store_slot(unsigned slot, const uint8_t image[HAWSER_SLOT_LEN]) {
  return wipe_slot(slot) && flash_program(slot_pages[slot], 0, image, HAWSER_SLOT_LEN) &&
         (FIRMWARE_NO_WIPE || wipe_slot(!slot));
}

/* ---- saved state: two words that say written and used, own bytes, length, blob ---- */

#define SAVED_MARK 0x5a5a5a5au
#define SAVED_OWN 8
#define SAVED_LENGTH 16
#define SAVED_BLOB 20

int store_save(const uint8_t *blob, size_t len, const uint8_t own[8]) {
  uint8_t bytes[HAWSER_SAVE_MAX + 3];
  uint32_t mark = SAVED_MARK, length = (uint32_t)len;
  int ok;
  memset(bytes, 0xff, sizeof bytes);
  memcpy(bytes, blob, len);
  ok = (flash_blank(FLASH_SAVED) || flash_erase(FLASH_SAVED)) && flash_program(FLASH_SAVED, SAVED_OWN, own, 8) &&
       flash_program(FLASH_SAVED, SAVED_LENGTH, &length, sizeof length) &&
       flash_program(FLASH_SAVED, SAVED_BLOB, bytes, (len + 3) & ~(size_t)3) &&
       flash_program(FLASH_SAVED, 0, &mark, sizeof mark);
  hawser_port_wipe(bytes, sizeof bytes);
  return ok;
}

size_t store_saved(uint8_t blob[HAWSER_SAVE_MAX], uint8_t own[8]) {
  const uint8_t *page = flash_at(FLASH_SAVED);
  uint32_t marks[2], length, used = SAVED_MARK;
  memcpy(marks, page, sizeof marks);
  memcpy(&length, page + SAVED_LENGTH, sizeof length);
  if (marks[0] != SAVED_MARK || marks[1] != 0xffffffffu || length > HAWSER_SAVE_MAX) {
    return 0;
  }
  memcpy(own, page + SAVED_OWN, 8);
  memcpy(blob, page + SAVED_BLOB, length);
  return flash_program(FLASH_SAVED, FLASH_WORD, &used, sizeof used) ? length : 0;
}
