/** Starts the demo's processes and ends every one of them with it. Each one's text goes to a log of its own. */

import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
/** By its place, since the processes work elsewhere. */
const TSX = [`--import=${import.meta.resolve('tsx')}`];
const CLI = join(REPOSITORY, 'lib/cli/main.ts');

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));

function track(child: ChildProcess): ChildProcess {
  running.add(child);
  child.on('exit', () => running.delete(child));
  child.on('error', () => running.delete(child));
  return child;
}

function withLog<T>(folder: string, name: string, start: (fd: number) => T): T {
  const fd = openSync(join(folder, `${name}.log`), 'a', 0o600);
  try {
    return start(fd);
  } finally {
    closeSync(fd);
  }
}

/** A program of the machine. */
export function startProgram(folder: string, name: string, file: string, args: string[]): ChildProcess {
  return withLog(folder, name, (fd) => track(spawn(file, args, { cwd: folder, stdio: ['ignore', fd, fd] })));
}

/** `hawser ...`, left running. */
export function startHawser(folder: string, name: string, args: string[]): ChildProcess {
  const start = (fd: number): ChildProcess =>
    spawn(process.execPath, [...TSX, CLI, ...args], { cwd: folder, stdio: ['ignore', fd, fd] });
  return withLog(folder, name, (fd) => track(start(fd)));
}

/** `hawser ...` to its end; stdout. Throws with its stderr when it fails. */
export async function hawser(folder: string, args: string[]): Promise<string> {
  const child = track(spawn(process.execPath, [...TSX, CLI, ...args], { cwd: folder }));
  const [out, err] = ['', ''].map((text) => ({ text }));
  child.stdout!.on('data', (chunk: Buffer) => (out!.text += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (err!.text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`hawser ${args[0]} failed with ${code}: ${err!.text}`);
  return out!.text;
}

/** One of the demo's own processes; it talks through messages. */
export function startHelper(folder: string, name: string, file: string, args: string[]): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return withLog(folder, name, (fd) =>
    track(fork(path, args, { cwd: REPOSITORY, execArgv: TSX, stdio: ['ignore', fd, fd, 'ipc'] })),
  );
}

/** Torn from the outside: no handler runs. */
export async function killHard(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Asked to end; its exit status. */
export async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = (await exit) as [number | null];
  return code;
}

/** Ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Until something accepts connections there. */
export async function reachable(port: number, what: string, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await sleep(50);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`${what} does not answer on port ${port}`);
}
