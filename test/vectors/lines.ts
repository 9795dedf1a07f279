/** The C programs of test/c that speak the line protocol of lines.h: built once per run, then driven one line at a time. */

import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hex, unhex } from '../suite/bytes.js';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** tools/portability.mjs has built them for another machine, on the portable port, and says how they run here. */
const { HAWSER_EMULATOR: emulator, HAWSER_RUNNERS: builtElsewhere } = process.env;
const folder = builtElsewhere ?? join(root, 'build/runners');
export type Port = 'openssl' | 'psa';
export const ports: readonly Port[] = emulator ? ['psa'] : ['openssl', 'psa'];

/** For the vectors of one port. An emulated machine takes what it takes. */
export const VECTORS_TIMEOUT_MS = emulator ? 3_600_000 : 120_000;

let built: Promise<void> | undefined;

/** Configures and builds all programs; what is up to date is left alone. */
export function buildRunners(): Promise<void> {
  built ??= (async () => {
    if (builtElsewhere) return;
    const run = promisify(execFile);
    const configure = ['-G', 'Ninja', '-S', join(root, 'csrc'), '-B', folder];
    await run('cmake', [...configure, '-DHAWSER_GATEWAY=ON', '-DHAWSER_TESTING=OFF', '-DHAWSER_RUNNERS=ON', '-DHAWSER_SANITIZE=ON']);
    await run('cmake', ['--build', folder], { maxBuffer: 1 << 26 });
  })();
  return built;
}

/** A refusal of the core, with its number. */
export class Refused extends Error {
  constructor(readonly number: number, text: string) {
    super(text);
  }
}

export class LineProgram {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: Interface;
  private readonly waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  private log = '';
  private ended = false;

  constructor(program: string, port: Port) {
    const path = join(folder, `${program}-${port}`);
    this.child = emulator ? spawn(emulator, [path]) : spawn(path);
    this.child.stderr.on('data', (text: Buffer) => (this.log += text.toString()));
    this.child.on('error', (error) => this.fail(error));
    this.child.on('close', (status, signal) => this.fail(new Error(`${program} ended with ${status ?? signal}: ${this.log}`)));
    this.lines = createInterface({ input: this.child.stdout });
    this.lines.on('line', (line) => this.waiting.shift()?.resolve(line));
  }

  private fail(error: Error): void {
    this.ended = true;
    for (const each of this.waiting.splice(0)) each.reject(error);
  }

  /** One request; rejects with Refused where the core refuses it, with another error where the program dies. */
  async ask(command: string, ...words: readonly (string | Uint8Array)[]): Promise<Uint8Array> {
    if (this.ended) throw new Error(`the program has ended: ${this.log}`);
    const line = await new Promise<string>((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.child.stdin.write([command, ...words.map(word)].join(' ') + '\n');
    });
    const refused = /^error (-?\d+)(.*)$/.exec(line);
    if (refused) throw new Refused(Number(refused[1]), `the core refused ${command}: ${line}`);
    return line === '-' ? new Uint8Array(0) : unhex(line);
  }

  /** Ends the program; rejects if it, or a sanitizer in it, has something to complain about. */
  async close(): Promise<void> {
    if (this.ended) throw new Error(`the program ended early: ${this.log}`);
    const status = await new Promise<number | null>((resolve) => {
      this.child.on('close', resolve);
      this.child.stdin.end();
    });
    if (status !== 0) throw new Error(`the program ended with ${status}: ${this.log}`);
  }
}

function word(value: string | Uint8Array): string {
  if (typeof value === 'string') return value;
  return value.length === 0 ? '-' : hex(value);
}
