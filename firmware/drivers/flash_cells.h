/*
 * flash_cells.h - what a flash controller does: one page, one word. Nothing is checked here.
 */
#ifndef FIRMWARE_FLASH_CELLS_H
#define FIRMWARE_FLASH_CELLS_H

#include <stddef.h>
#include <stdint.h>

void cells_erase(unsigned page);
void cells_program(unsigned page, size_t offset, uint32_t word);

#endif
