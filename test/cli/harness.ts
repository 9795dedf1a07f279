/** Runs the CLI: in this process for what it says, as a process for how it ends. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import type { Io } from '../../lib/cli/io.js';
import { run } from '../../lib/cli/run.js';

const MAIN = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));

export interface Outcome {
  status: number;
  out: string;
  err: string;
}

export function cli(...argv: string[]): Promise<Outcome> {
  return cliWith({}, ...argv);
}

/** With an environment of the test's own. */
export async function cliWith(env: NodeJS.ProcessEnv, ...argv: string[]): Promise<Outcome> {
  const outcome = { status: -1, out: '', err: '' };
  const io: Io = {
    out: (data) => void (outcome.out += typeof data === 'string' ? data : Buffer.from(data).toString('latin1')),
    note: (text) => void (outcome.err += `${text}\n`),
    env,
    colors: pc.createColors(false),
  };
  outcome.status = await run(argv, io);
  return outcome;
}

/** As cli(), for what has to work. */
export async function done(...argv: string[]): Promise<Outcome> {
  const outcome = await cli(...argv);
  assert.equal(outcome.status, 0, outcome.err);
  return outcome;
}

/** A mistake of the user: status 2, one line that says what, nothing on stdout. */
export async function mistake(message: RegExp, ...argv: string[]): Promise<void> {
  const { status, out, err } = await cli(...argv);
  assert.match(err, message);
  assert.equal(status, 2, err);
  assert.equal(out, '');
  assert.match(err, /^hawser: [^\n]+\n$/);
}

const folders: string[] = [];
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hawser-cli-'));
  folders.push(path);
  return path;
}
export function removeFolders(): void {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** Makes `# key = ...` of a written gateway.toml `key = value`. */
export function configure(file: string, options: Record<string, string>): void {
  let text = readFileSync(file, 'utf8');
  for (const [key, value] of Object.entries(options)) {
    assert.match(text, new RegExp(`^# ${key} = `, 'm'), key);
    text = text.replace(new RegExp(`^# ${key} = .*$`, 'm'), `${key} = ${value}`);
  }
  writeFileSync(file, text);
}

/** A configured gateway in a new folder. */
export async function gatewayFolder(options: Record<string, string> = {}): Promise<{ path: string; config: string }> {
  const path = folder();
  await done('init', path);
  const config = join(path, 'gateway.toml');
  configure(config, { mqtt: '"tcp://127.0.0.1:1883"', http: '"tcp://127.0.0.1:8080"', ...options });
  return { path, config };
}

export const chmod = chmodSync;

const children = new Set<ChildProcess>();
export function killChildren(): void {
  for (const child of children) child.kill('SIGKILL');
}

/** A `hawser` process whose text on both outputs is kept. */
export class Process {
  readonly child: ChildProcess;
  out = '';
  err = '';

  constructor(...argv: string[]) {
    this.child = spawn(process.execPath, ['--import=tsx', MAIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(this.child);
    this.child.on('exit', () => children.delete(this.child));
    this.child.stdout!.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr!.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
  }

  /** Until its stderr says so. */
  async says(pattern: RegExp, ms = 20_000): Promise<RegExpExecArray> {
    const end = Date.now() + ms;
    while (Date.now() < end) {
      const match = pattern.exec(this.err);
      if (match) return match;
      if (this.child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`did not say ${pattern}: ${this.err}`);
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.ended();
  }
}

/** A TCP upstream for one test. */
export async function upstream(serve: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

export async function freePort(): Promise<number> {
  const { server, port } = await upstream(() => undefined);
  server.close();
  await once(server, 'close');
  return port;
}
