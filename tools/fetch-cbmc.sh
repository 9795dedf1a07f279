#!/usr/bin/env bash
# Puts the bounded model checker CBMC, as Debian trixie has it, into build/cbmc/bin, with the C library that it wants beside
# it: an older system stays as it is. apt checks the archive's signature. Where a cbmc of version 6 is installed,
# tools/prove.mjs does not ask for this.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/build/cbmc
source "$root/tools/private-apt.sh"

[ -f "$out/stamp" ] && exit 0
mkdir -p "$root/build"
exec 9>"$root/build/cbmc.lock"
flock 9 # another run in this checkout may be at it
[ -f "$out/stamp" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

from_debian() {
  private_apt "$work" deb trixie &&
    (cd "$work" && apt-get "${apt_options[@]}" download cbmc minisat zlib1g libc6 libgcc-s1 libstdc++6)
}

if ! from_debian >"$work/log" 2>&1; then
  echo "fetch-cbmc: no Debian package of CBMC to be had here: install cbmc 6 or later" >&2
  tail -n 5 "$work/log" >&2
  exit 1
fi

rm -rf "$out"
mkdir -p "$out/bin"
for package in "$work"/*.deb; do
  dpkg-deb -x "$package" "$out/root"
done
# Where the packages put a thing, relative to build/cbmc.
found() { (cd "$out" && find root "$@" | sort -u | head -n 1); }
loader=$(found -type f -name 'ld-linux*.so.*')
libraries=$(cd "$out" && find root -type f -name 'lib*.so*' ! -name '*.py' -printf '$here/%h\n' | sort -u | paste -sd :)
for tool in cbmc goto-cc goto-instrument; do
  cat >"$out/bin/$tool" <<WRAPPER
#!/bin/sh
here=\$(cd "\$(dirname "\$0")/.." && pwd)
exec "\$here/$loader" --library-path "$libraries" "\$here/$(found -name "$tool" ! -type d -path '*/bin/*')" "\$@"
WRAPPER
  chmod +x "$out/bin/$tool"
done
version=$("$out/bin/cbmc" --version)
echo "$version" >"$out/stamp"
echo "CBMC $version"
