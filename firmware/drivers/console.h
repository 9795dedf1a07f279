/*
 * console.h - one line of text and a number, for whoever watches.
 */
#ifndef FIRMWARE_CONSOLE_H
#define FIRMWARE_CONSOLE_H

#include <stdint.h>

void console_line(const char *text, uint32_t number);

#endif
