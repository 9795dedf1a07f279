// Builds a search program from a model of docs/model.
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const models = join(root, 'docs/model');

/** In build/model/<name>, with these macros; gcc's `options` say how it searches. The path of the program. */
export async function buildSearch(model, name, macros, options) {
  const dir = join(root, 'build/model', name.replaceAll(/\W+/g, '_'));
  mkdirSync(dir, { recursive: true });
  await run('spin', ['-a', ...flags(macros), join(models, `${model}.pml`)], { cwd: dir });
  await run('gcc', ['-w', `-I${models}`, ...options, '-o', 'pan', 'pan.c'], { cwd: dir });
  return join(dir, 'pan');
}

export function flags(macros) {
  return Object.entries(macros).map(([name, value]) => (value === true ? `-D${name}` : `-D${name}=${value}`));
}

/** Installs what is missing as root, else throws with its name. */
export function needSpin() {
  for (const tool of ['spin', 'gcc']) {
    if (found(tool)) continue;
    if (process.getuid?.() === 0) spawnSync('apt-get', ['install', '-y', tool], { stdio: 'ignore' });
    if (!found(tool)) throw new Error(`${tool} is missing: install Debian's package ${tool}`);
  }
}

function found(tool) {
  return !spawnSync(tool, ['--version'], { stdio: 'ignore' }).error;
}
