/** Finds the line of a key in a TOML text: smol-toml gives none for values that parse. */

const unquote = (part: string): string => part.trim().replace(/^(["'])(.*)\1$/, '$2');

/** `a."b.c".d` as its parts. */
const parts = (key: string): string[] => (key.match(/"[^"]*"|'[^']*'|[^.]+/g) ?? []).map(unquote);

/** 1-based; undefined: not found (inside an inline table's middle, say). A table counts as its own line. */
export function lineOf(text: string, path: readonly string[]): number | undefined {
  const wanted = path.join('\n');
  let table: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[{1,2}([^[\]]+)\]{1,2}\s*(?:#.*)?$/.exec(line);
    if (header) table = parts(header[1]!);
    const key = header ? undefined : /^\s*((?:"[^"]*"|'[^']*'|[\w.-]|\s)+?)\s*=/.exec(line);
    const here = header ? table : key ? [...table, ...parts(key[1]!)] : [];
    if (here.length > 0 && here.join('\n') === wanted) return index + 1;
  }
  return path.length > 1 ? lineOf(text, path.slice(0, -1)) : undefined;
}
