/** `hawser gateway` as a process, device programs that reach an upstream through it, and what the gateway noted of them. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, gatewayFolder, removeFolders } from '../cli/harness.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(file, 'utf8');

const children: ChildProcess[] = [];
const servers: { close(): unknown }[] = [];

export function start(program: string, ...argv: string[]): ChildProcess {
  const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

/** Closes the server or socket with everything else, also when a test failed. */
export function keep<T extends { close(): unknown }>(server: T): T {
  servers.push(server);
  return server;
}

/** For `after`: ends every process and server, removes every folder. */
export function end(): void {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of servers.splice(0)) server.close();
  removeFolders();
}

async function gathered(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** A run of a device: what it printed, and how it ended. */
export async function run(
  argv: readonly [program: string, ...string[]],
  input: Uint8Array,
): Promise<{ out: Buffer; code: number | null }> {
  const device = start(...argv);
  device.stdin?.on('error', () => undefined).end(input); // it may end without reading all
  const [out, [code]] = await Promise.all([
    gathered(device.stdout as NodeJS.ReadableStream),
    once(device, 'exit') as Promise<[number | null]>,
  ]);
  return { out, code };
}

/** The kinds of the first handshakes that the gateway has noted behind `from`; it may do so a moment later. */
export async function handshakes(events: string, from: number, count: number): Promise<string[]> {
  for (;;) {
    const kinds = [
      ...read(events)
        .slice(from)
        .matchAll(/"event":"handshake","kind":"(\w+)"/g),
    ].map(([, kind]) => kind!);
    if (kinds.length >= count) return kinds;
    await sleep(20);
  }
}

export interface World {
  config: string;
  path: string;
  events: string;
  listen: number;
}

/** A gateway that runs, with one upstream called mqtt. */
export async function gateway(upstream: string): Promise<World> {
  const listen = await freePort();
  const { path, config } = await gatewayFolder({
    host: '"127.0.0.1"',
    port: String(listen),
    mqtt: `"${upstream}"`,
  });
  const events = join(path, 'events');
  const running = start(process.execPath, join(root, 'dist/cli/main.js'), 'gateway', '-c', config, '--events', events);
  let said = '';
  running.stderr?.on('data', (piece: Buffer) => (said += piece.toString()));
  while (!said.includes('listening on')) {
    if (running.exitCode !== null) throw new Error(`the gateway did not start: ${said}`);
    await sleep(20);
  }
  return { config, path, events, listen };
}
