/*
 * onefile.c - runs files through a target with no fuzzer: fuzz-one TARGET FILE... (a target that finds something aborts).
 */
#include <errno.h>

#include "fuzz.h"

#define FILE_MAX 65536

static const struct {
  const char *name;
  void (*run)(const uint8_t *data, size_t size);
} targets[] = {
    {"accept", fuzz_accept}, {"cobs", fuzz_cobs},     {"collect", fuzz_collect},
    {"device", fuzz_device}, {"frames", fuzz_frames}, {"pairing", fuzz_pairing},
    {"saved", fuzz_saved},   {"slots", fuzz_slots},   {"verbs", fuzz_verbs},
};

static int run_file(void (*run)(const uint8_t *, size_t), const char *path) {
  static uint8_t bytes[FILE_MAX];
  FILE *file = fopen(path, "rb");
  uint8_t *exact;
  size_t len;
  if (file == NULL) {
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return 0;
  }
  len = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  exact = malloc(len > 0 ? len : 1); /* so that a read beyond the end is seen */
  FUZZ_ASSERT(exact != NULL);
  memcpy(exact, bytes, len);
  run(exact, len);
  free(exact);
  return 1;
}

int main(int argc, char **argv) {
  int passed = 0;
  for (size_t t = 0; argc > 2 && t < sizeof targets / sizeof targets[0]; t++) {
    if (strcmp(targets[t].name, argv[1]) == 0) {
      for (int i = 2; i < argc; i++) {
        passed += run_file(targets[t].run, argv[i]);
      }
      printf("%s: %d of %d files\n", argv[1], passed, argc - 2);
      return passed != argc - 2;
    }
  }
  fprintf(stderr, "usage: fuzz-one TARGET FILE...\n");
  return 2;
}
