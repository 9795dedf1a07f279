#!/usr/bin/env bash
# Puts a static, position-independent libmbedcrypto (mbedTLS 3.6), its headers and its sources (library/, 3rdparty/; for builds with
# other flags, configurations or compilers) into build/mbedtls/.
# The source is Debian trixie's, over the package sources that this machine already uses, or, where there are
# none, the upstream release archive at HAWSER_MBEDTLS_URL. Either way it must have the hash below.
set -euo pipefail

version=3.6.6
sha256=8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a

root=$(cd "$(dirname "$0")/.." && pwd)
source "$root/tools/private-apt.sh"
out=$root/build/mbedtls
config=$root/csrc/ports/psa/mbedtls_config_host.h
stamp=$out/stamp
wanted="$version $sha256 with all sources $(sha256sum <"$config")"

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  exit 0
fi
mkdir -p "$root/build"
exec 9>"$root/build/mbedtls.lock"
flock 9 # another build in this checkout may be at it
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

from_debian() {
  private_apt "$work" deb-src trixie &&
    (cd "$work" && apt-get "${apt_options[@]}" source --download-only mbedtls) &&
    mv "$work"/mbedtls_*.orig.tar.* "$work/archive"
}

from_url() {
  [ -n "${HAWSER_MBEDTLS_URL:-}" ] && curl -fsSL "$HAWSER_MBEDTLS_URL" -o "$work/archive"
}

if ! from_debian >"$work/log" 2>&1 && ! from_url; then
  echo "fetch-mbedtls: no Debian source package to be had here, and HAWSER_MBEDTLS_URL gives no archive" >&2
  tail -n 5 "$work/log" >&2
  exit 1
fi
if ! echo "$sha256  $work/archive" | sha256sum --check --status; then
  echo "fetch-mbedtls: the archive is not mbedTLS $version as pinned" >&2
  exit 1
fi

rm -rf "$out"
mkdir -p "$out/lib"
tar -xf "$work/archive" -C "$work"
source=$(echo "$work"/mbedtls-*/)
cp -r "$source/include" "$source/library" "$source/3rdparty" "$out/"
cp "$source/LICENSE" "$out/"
mkdir "$work/obj"
(
  cd "$work/obj"
  printf '%s\0' "$source"library/*.c |
    xargs -0 -P "$(nproc)" -n 8 "${CC:-cc}" -c -O2 -fPIC -I"$source/include" -I"$source/library" \
      -DMBEDTLS_CONFIG_FILE="\"$config\""
  ar rcs "$out/lib/libmbedcrypto.a" ./*.o
)
echo "$wanted" >"$stamp"
echo "mbedTLS $version built"
