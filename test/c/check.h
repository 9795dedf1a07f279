/*
 * check.h - the whole of a unit test's harness: count, say where, exit non-zero.
 */
#ifndef HAWSER_TEST_CHECK_H
#define HAWSER_TEST_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int check_passed, check_failed;

#define CHECK(condition) check_count((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define CHECK_BYTES(actual, expected, len) CHECK(memcmp((actual), (expected), (len)) == 0)
#define CHECK_ZERO(actual, len) CHECK(check_is_zero((actual), (len)))

/* A predicate that cannot fail checks nothing: it holds of a copy of `value`, and not once one field of `copy` is wrong. */
#define NOTICES(valid, type, value, field, wrong)                                                                      \
  do {                                                                                                                 \
    type copy;                                                                                                         \
    memcpy(&copy, &(value), sizeof copy);                                                                              \
    CHECK(valid(&copy));                                                                                               \
    copy.field = (wrong);                                                                                              \
    CHECK(!valid(&copy));                                                                                              \
  } while (0)

static inline void check_count(int ok, const char *text, const char *file, int line) {
  if (ok) {
    check_passed++;
  } else {
    check_failed++;
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, text);
  }
}

static inline int check_is_zero(const uint8_t *bytes, size_t len) {
  size_t i = 0;
  while (i < len && bytes[i] == 0) {
    i++;
  }
  return i == len;
}

/* The last statement of main. A test that checked nothing has failed. */
static inline int check_done(void) {
  printf("%d passed, %d failed\n", check_passed, check_failed);
  return check_failed != 0 || check_passed == 0;
}

#endif
