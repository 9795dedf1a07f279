#!/usr/bin/env bash
# The Debian packages that the tests use: installs what is missing as root, else names it. Quick when nothing is.
#
#   bash tools/machine.sh [PACKAGE...]      of the list below, for who needs only some; all of them without
set -uo pipefail

# package: a file or command that it brings
wanted=(
  gcc:cc libc6-dev:/usr/include/stdio.h cmake:cmake g++:g++ clang:clang clang-format:clang-format clang-tidy:run-clang-tidy cppcheck:cppcheck
  ninja-build:ninja mosquitto:mosquitto mosquitto-clients:mosquitto_pub libssl-dev:/usr/include/openssl/evp.h
  dpkg-dev:dpkg-source bzip2:bzip2 curl:curl spin:spin openssl:openssl
  valgrind:/usr/include/valgrind/memcheck.h make:make pkg-config:pkg-config
  python3-kconfiglib:/usr/lib/python3/dist-packages/kconfiglib.py
  clang-19:clang-19 llvm-19:llvm-cov-19
  gcc-arm-none-eabi:arm-none-eabi-gcc libnewlib-arm-none-eabi:/usr/include/newlib/string.h qemu-system-arm:qemu-system-arm
  gcc-riscv64-unknown-elf:riscv64-unknown-elf-gcc picolibc-riscv64-unknown-elf:/usr/lib/picolibc/riscv64-unknown-elf/picolibc.specs
  qemu-system-misc:qemu-system-riscv32
  qemu-user:qemu-s390x gcc-arm-linux-gnueabihf:arm-linux-gnueabihf-gcc gcc-s390x-linux-gnu:s390x-linux-gnu-gcc
  gcc-powerpc-linux-gnu:powerpc-linux-gnu-gcc libc6-dev-armhf-cross:/usr/arm-linux-gnueabihf/include/stdio.h
  libc6-dev-s390x-cross:/usr/s390x-linux-gnu/include/stdio.h libc6-dev-powerpc-cross:/usr/powerpc-linux-gnu/include/stdio.h
  gcc-m68k-linux-gnu:m68k-linux-gnu-gcc libc6-dev-m68k-cross:/usr/m68k-linux-gnu/include/stdio.h
  gcc-avr:avr-gcc avr-libc:/usr/lib/avr/include/string.h
)
PATH=$PATH:/usr/sbin # mosquitto
for name; do
  case " ${wanted[*]}" in
  *" $name:"*) ;;
  *) echo "machine.sh knows no package $name" >&2 && exit 2 ;;
  esac
done
missing=()
for pair in "${wanted[@]}"; do
  probe=${pair#*:}
  if [ $# -gt 0 ]; then
    case " $* " in *" ${pair%%:*} "*) ;; *) continue ;; esac
  fi
  [ -e "$probe" ] || command -v "$probe" >/dev/null || missing+=("${pair%%:*}")
done
# clang's sanitizers: only a try tells whether they are there
sanitizes() { echo 'int main(void) { return 0; }' | "$@" -x c -o /dev/null - 2>/dev/null; }
if [ $# -eq 0 ]; then
  sanitizes clang -fsanitize=address || missing+=(libclang-rt-dev)
  sanitizes clang-19 -fsanitize=memory || missing+=(libclang-rt-19-dev)
fi
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "missing Debian packages: ${missing[*]}" >&2
  exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}"; } \
  >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "could not install: ${missing[*]}" >&2
  exit 1
fi
