/*
 * lines.h - a line protocol on stdin and stdout for programs that tests in another language drive: words separated
 * by one space, byte strings in hex, "-" for an empty one. One answer line per request line.
 */
#ifndef HAWSER_TEST_LINES_H
#define HAWSER_TEST_LINES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_BYTES_MAX 70000
#define LINES_WORDS_MAX 12
#define LINES_LINE_MAX (2 * LINES_BYTES_MAX + 64)

typedef struct lines_bytes {
  uint8_t *ptr;
  size_t len;
} lines_bytes;

/* The next request as words; 0 words at the end of input. */
static inline size_t lines_next(char line[LINES_LINE_MAX], char *words[LINES_WORDS_MAX]) {
  size_t count = 0;
  if (fgets(line, LINES_LINE_MAX, stdin) == NULL) {
    return 0;
  }
  for (char *word = strtok(line, " \n"); word != NULL && count < LINES_WORDS_MAX; word = strtok(NULL, " \n")) {
    words[count++] = word;
  }
  return count;
}

static inline int lines_nibble(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of their own allocation, exactly as long as they are, so that a sanitizer sees one byte too far.
 * A request that is not hex ends the program: it is the test that is wrong. */
static inline lines_bytes lines_unhex(const char *word) {
  lines_bytes out = {NULL, strcmp(word, "-") == 0 ? 0 : strlen(word) / 2};
  out.ptr = malloc(out.len + (out.len == 0));
  if (out.ptr == NULL) {
    exit(2);
  }
  for (size_t i = 0; i < out.len; i++) {
    int high = lines_nibble(word[2 * i]);
    int low = lines_nibble(word[2 * i + 1]);
    if (high < 0 || low < 0) {
      fprintf(stderr, "not hex: %s\n", word);
      exit(2);
    }
    out.ptr[i] = (uint8_t)(high * 16 + low);
  }
  return out;
}

static inline void lines_put(const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    printf("%02x", bytes[i]);
  }
  printf(len == 0 ? "-\n" : "\n");
  fflush(stdout);
}

/* A request that the core refused, with its number (error.h). */
static inline void lines_put_error(int code) {
  printf("error %d\n", code);
  fflush(stdout);
}

#endif
