// clang-format over every C and C++ file of the project: --write to change them, otherwise a check.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const dirs = [
  'csrc',
  'binding',
  'test/c',
  'test/fuzz',
  'test/assurance',
  'test/proof',
  'test/firmware',
  'test/consumer',
  'test/portability',
  'test/secure-element',
  'firmware',
  'examples',
];
const files = dirs.flatMap((dir) => list(dir)).filter((file) => /\.(c|h|cc)$/.test(file));
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
const { status, error } = spawnSync('clang-format', [...mode, ...files], { stdio: 'inherit' });
if (error) console.error(`format-c: ${error.message}`);
process.exitCode = status ?? 1;

function list(dir) {
  try {
    return readdirSync(dir, { recursive: true }).map((name) => join(dir, name));
  } catch (error) {
    if (error.code === 'ENOENT') return []; // a part that this checkout does not have
    throw error;
  }
}
