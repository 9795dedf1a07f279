/*
 * console.c - see console.h. One write for a line, so that a power cut leaves whole lines or none more often than not.
 */
#include "drivers/console.h"

#include "drivers/board.h"

void console_line(const char *text, uint32_t number) {
  char digits[12];
  char *at = digits + sizeof digits;
  *--at = '\0';
  *--at = '\n';
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  console_write(text);
  console_write(" ");
  console_write(at);
}
