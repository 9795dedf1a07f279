// Data flows downward only: a file imports packages, files of its own unit, and units of the rows above its own.
// A unit is a file, or a folder with the file of the same name. A file of no unit is an error, so that a new file is
// put into its place when it is made.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const trees = [
  {
    dir: 'csrc',
    files: /^(include|src)\/.*\.[ch]$/,
    imports: /^#include "([^"]+)"/gm,
    resolve: (from, name) => (name.startsWith('hawser/') ? join('include', name) : join(dirname(from), name)),
    layers: [
      ['include/hawser/error', 'include/hawser/config'],
      ['include/hawser/port'],
      ['include/hawser/hawser'],
      ['include/hawser/device', 'include/hawser/gateway'],
      ['src/internal'],
      ['src/wire', 'src/cobs'],
      ['src/pairing', 'src/noise'],
      ['src/handshake'],
      ['src/resume'],
      ['src/record', 'src/frames'],
      ['src/channel'],
      ['src/control', 'src/messages'],
      ['src/session'],
      ['src/device', 'src/gateway'],
    ],
  },
  {
    dir: 'lib',
    files: /\.ts$/,
    imports: /(?:\bfrom|^import|\bimport\()\s*'(\.[^']+)'/gm,
    resolve: (from, name) => join(dirname(from), name).replace(/\.js$/, '.ts'),
    layers: [
      ['errors', 'nearest', 'counters', 'copies', 'emitter', 'ending', 'lookup', 'output', 'reads', 'secret-file'],
      ['backoff', 'engine'],
      ['types'],
      ['engine/js/wire', 'engine/js/cobs', 'engine/js/flags', 'engine/js/libraries'],
      ['engine/js/crypto', 'engine/js/frames'],
      ['engine/js/noise', 'engine/js/pairing', 'engine/js/saved', 'engine/js/stream'],
      ['engine/js/handshake'],
      ['engine/js/resume'],
      ['engine/js/record', 'engine/js/control'],
      ['engine/js/channel'],
      ['engine/js/session'],
      ['engine/js/device', 'engine/js/gateway'],
      ['engine/js/index', 'engine/native'],
      ['engine/select', 'saved'],
      ['address', 'rules', 'credentials', 'keylog', 'storage', 'mux'],
      ['stream'],
      ['upstream'],
      ['pairing'],
      ['policy', 'config', 'store'],
      ['device', 'gateway'],
      ['index'],
      ['cli'],
    ],
  },
];

let failed = 0;
let passed = 0;
for (const tree of trees) for (const file of list(tree)) check(tree, file);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function check(tree, file) {
  const problems = [];
  const own = unitOf(tree, file);
  if (own === undefined) problems.push('is in no row of tools/check-imports.mjs');
  for (const [, name] of readFileSync(join(tree.dir, file), 'utf8').matchAll(tree.imports)) {
    const target = unitOf(tree, normalize(tree.resolve(file, name)));
    const fits = own !== undefined && target !== undefined && (target.row < own.row || target.name === own.name);
    if (!fits) problems.push(`imports ${name}, which is not in a row above it`);
  }
  for (const problem of problems) console.error(`${join(tree.dir, file)}: ${problem}`);
  if (problems.length > 0) failed++;
  else passed++;
}

// The longest name that fits.
function unitOf(tree, file) {
  const stem = file.replace(/\.(c|h|ts)$/, '');
  const units = tree.layers.flatMap((names, row) => names.map((name) => ({ name, row })));
  const fitting = units.filter(({ name }) => stem === name || stem.startsWith(`${name}/`));
  return fitting.sort((a, b) => b.name.length - a.name.length)[0];
}

function list({ dir, files }) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .filter((file) => files.test(file));
}
