/** A stranger's project: empty, with the packed tarball installed, where no compiler is to be found and no install script runs. */

import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAMS = fileURLToPath(new URL('programs/', import.meta.url));

/** Everything that a project may call. npm and npx are programs for node; sh is what npm starts commands with. */
const ALLOWED = ['node', 'npm', 'npx', 'sh'];
/** What would build an addon or its build system. */
export const BUILDERS = ['cc', 'c++', 'gcc', 'g++', 'clang', 'cmake', 'make', 'ninja', 'python', 'python3', 'node-gyp'];

const folders: string[] = [];

export function folder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'hawser-package-')));
  folders.push(made);
  return made;
}

export function removeFolders(): void {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
}

/** Runs a command that has to work. */
export function run(command: string, args: readonly string[], cwd: string, env = process.env): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`);
  return stdout;
}

/** The prebuilt addon of this machine is made anew; dist/ is what `tsc` made last. */
export function pack(): string {
  const into = folder();
  run(process.execPath, [join(root, 'tools', 'prebuild.mjs')], root);
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', into], root);
  const [tarball] = readdirSync(into);
  assert.ok(tarball !== undefined && tarball.endsWith('.tgz'));
  return join(into, tarball);
}

export class Project {
  readonly path = folder();
  readonly installed = join(this.path, 'node_modules', 'hawser');
  readonly #bin = join(this.path, '.bin');

  constructor(tarball: string) {
    mkdirSync(this.#bin);
    for (const name of ALLOWED) symlinkSync(where(name), join(this.#bin, name));
    writeFileSync(join(this.path, 'package.json'), '{ "private": true }\n');
    this.install(tarball);
    for (const name of readdirSync(PROGRAMS)) cpSync(join(PROGRAMS, name), join(this.path, name));
  }

  install(what: string): void {
    this.run('npm', 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', what);
  }

  /** Starts what is on this project's PATH, and says how it ended. */
  start(env: NodeJS.ProcessEnv, command: string, ...args: string[]): SpawnSyncReturns<string> {
    const file = join(this.#bin, command);
    return spawnSync(file, args, { cwd: this.path, encoding: 'utf8', env: { ...this.#env(), ...env } });
  }

  /** As start(), for what has to work. */
  run(command: string, ...args: string[]): string {
    return run(join(this.#bin, command), args, this.path, this.#env());
  }

  /** Of the environment of these tests only where npm finds its registry and its cache. */
  #env(): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(([name]) =>
      /^(HOME|TMPDIR|LANG|npm_config_(registry|cache|userconfig|globalconfig))$/i.test(name),
    );
    return { ...Object.fromEntries(kept), PATH: this.#bin };
  }
}

/** What a command's name stands for here. */
function where(name: string): string {
  if (name === 'node') return process.execPath;
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      return realpathSync(file);
    } catch {
      // not in this one
    }
  }
  throw new Error(`${name} is missing`);
}
