/*
 * main.c - a program with a heap: it must not link.
 */
#include <stdlib.h>

int main(void) {
  return malloc(16) == NULL;
}
