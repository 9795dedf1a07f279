/* What random_esp_idf.c uses of ESP-IDF. */
#include <stddef.h>

void esp_fill_random(void *out, size_t len);
