// The symbol versions in the output of `objdump -T` that are above their limits, as in "GLIBC_2.32 (__libc_single_threaded)".
export function newerThan(text, limits) {
  const wanted = [...text.matchAll(/\*UND\*.*\(?\b([A-Z]+)_([0-9][0-9.]*)\)?\s+(\S+)$/gm)];
  return wanted
    .filter(([, family, version]) => !(family in limits) || compare(version, limits[family]) > 0)
    .map(([, family, version, symbol]) => `${family}_${version} (${symbol})`);
}

function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
