// Data flows downward only: a file may import itself, a package, and files of the rows above its own.
// Within a folder that one row names as a whole ("cli/*"), files may import each other.
// A file that no row names is an error, so that a new file is put into its place when it is made.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const trees = [
  {
    dir: 'csrc',
    files: /^(include|src)\/.*\.[ch]$/,
    imports: /^#include "([^"]+)"/gm,
    resolve: (from, name) => (name.startsWith('hawser/') ? join('include', name) : join(dirname(from), name)),
    stem: (file) => file.replace(/\.[ch]$/, ''),
    layers: [
      ['include/hawser/error', 'include/hawser/config'],
      ['include/hawser/port'],
      ['include/hawser/hawser'],
      ['src/wire'],
      ['src/noise'],
      ['src/handshake'],
      ['src/resume'],
      ['src/window'],
      ['src/record'],
      ['src/channel'],
      ['src/session'],
      ['src/device', 'src/gateway'],
    ],
  },
  {
    dir: 'lib',
    files: /\.ts$/,
    imports: /^(?:import|export)\s(?:[^'";]*?\sfrom\s)?'(\.[^']+)'/gm,
    resolve: (from, name) => join(dirname(from), name).replace(/\.js$/, '.ts'),
    stem: (file) => file.replace(/\.ts$/, ''),
    layers: [
      ['errors', 'nearest'],
      ['engine'],
      ['types'],
      ['engine/js/wire'],
      ['engine/js/crypto'],
      ['engine/js/noise'],
      ['engine/js/handshake'],
      ['engine/js/resume'],
      ['engine/js/window'],
      ['engine/js/record'],
      ['engine/js/channel'],
      ['engine/js/session'],
      ['engine/js/device', 'engine/js/gateway'],
      ['engine/js/index', 'engine/native'],
      ['engine/index'],
      ['policy', 'metrics', 'pairing/*'],
      ['pairing'],
      ['store/*'],
      ['mailbox'],
      ['device', 'gateway'],
      ['index'],
      ['cli/*'],
      ['cli/main'],
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
  const row = rowOf(tree, file);
  if (row === undefined) problems.push('is in no row of tools/check-imports.mjs');
  for (const [, name] of readFileSync(join(tree.dir, file), 'utf8').matchAll(tree.imports)) {
    const target = normalize(tree.resolve(file, name));
    const targetRow = rowOf(tree, target);
    const own = tree.stem(target) === tree.stem(file);
    const sameFolder = targetRow === row && folderRow(tree, file) === row;
    if (!own && !sameFolder && !(targetRow < row)) problems.push(`imports ${name}, which is not in a row above it`);
  }
  for (const problem of problems) console.error(`${join(tree.dir, file)}: ${problem}`);
  if (problems.length > 0) failed++;
  else passed++;
}

// An exact name goes before a folder's "name/*".
function rowOf(tree, file) {
  const stem = tree.stem(file);
  const row = tree.layers.findIndex((layer) => layer.includes(stem));
  return row >= 0 ? row : folderRow(tree, file);
}

function folderRow(tree, file) {
  const within = (entry) => entry.endsWith('/*') && file.startsWith(entry.slice(0, -1));
  const row = tree.layers.findIndex((layer) => layer.some(within));
  return row < 0 ? undefined : row;
}

function list({ dir, files }) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .filter((file) => files.test(file));
}
