#!/usr/bin/env bash
# gcc's static analyser over the core and its ports: no finding. (clang's runs as a part of clang-tidy.)
set -euo pipefail

analyse() {
  gcc -std=c99 -O2 -fanalyzer -Wall -Wextra -Werror -DHAWSER_GATEWAY=1 -Icsrc/include -Icsrc/src "$@" -c -o /dev/null
}

# it can find: memory that is freed twice
if analyse -x c - 2>/dev/null <<<'#include <stdlib.h>
void twice(void *p); void twice(void *p) { free(p); free(p); }'; then
  echo "gcc -fanalyzer does not find the seeded fault" >&2
  exit 1
fi
config="-DMBEDTLS_CONFIG_FILE=\"$PWD/csrc/ports/psa/mbedtls_config_host.h\""
for file in csrc/src/*.c csrc/ports/openssl/*.c csrc/ports/psa/*.c; do
  analyse -Icsrc/ports/openssl -Icsrc/ports/psa -Ibuild/mbedtls/include "$config" "$file"
done
