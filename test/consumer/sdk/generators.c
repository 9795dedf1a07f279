/* The random generators of both SDKs, here the operating system's. */
#include <esp_random.h>
#include <stdio.h>
#include <zephyr/random/random.h>

int sys_csrand_get(void *out, size_t len) {
  FILE *source = fopen("/dev/urandom", "rb");
  size_t got = source == NULL ? 0 : fread(out, 1, len, source);
  if (source != NULL) {
    (void)fclose(source);
  }
  return got == len ? 0 : -1;
}

void esp_fill_random(void *out, size_t len) {
  (void)sys_csrand_get(out, len);
}
