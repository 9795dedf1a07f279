/**
 * Tunnels, each of two processes between a client and a server that know nothing of them: `hawser connect` and `hawser gateway`, stunnel with a PSK, spiped.
 */

import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Effort } from './effort.js';
import { measure, type Row } from './measure.js';
import { startClient, startServer, track, type Asked } from './processes.js';

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const section = 'tunnel: client - tunnel - tunnel - server';

interface Tunnel {
  name: string;
  /** What has to be installed. */
  program: string;
  /** Starts both ends between `near` and the server's port `far`. */
  start: (folder: string, near: number, far: number) => Promise<void>;
}

const tunnels: Tunnel[] = [
  { name: 'hawser', program: process.execPath, start: startHawser },
  { name: 'stunnel', program: 'stunnel', start: startStunnel },
  { name: 'spiped', program: 'spiped', start: startSpiped },
];

/** Answers the names of those that are not installed. */
export async function tunnel(effort: Effort, tell: (row: Row) => void): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hawser-tunnels-'));
  try {
    const { port: far } = (await startServer('net')) as { port: number };
    const present = tunnels.filter(({ program }) => isInstalled(program));
    const clients = new Map<string, Asked>([['without a tunnel', await startClient('net', { port: far })]]);
    for (const { name, start } of present) {
      const near = await freePort();
      await start(folder, near, far);
      await reached(near);
      clients.set(name, await startClient('net', { port: near }));
    }
    await rows(clients, effort, tell);
    return tunnels.filter((each) => !present.includes(each)).map(({ name }) => name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rows(clients: ReadonlyMap<string, Asked>, effort: Effort, tell: (row: Row) => void): Promise<void> {
  const peer = clients.has('stunnel') ? 'stunnel' : 'without a tunnel';
  const goal = peer === 'stunnel' ? { goal: { name: 'hawser', ratio: 1 } } : {};
  const order = { upload: 'bulk, device to gateway', download: 'bulk, gateway to device' } as const;
  for (const job of ['upload', 'download'] as const) {
    const contenders = [...clients].map(([name, client]) => ({
      name,
      round: () => client.ask({ job, megabytes: effort.megabytes }),
    }));
    tell(await measure({ section, what: order[job], unit: 'MB/s', peer, ...goal }, contenders, effort));
  }
  const contenders = [...clients].map(([name, client]) => ({
    name,
    round: () => client.ask({ job: 'rounds', count: effort.count / 10 }),
  }));
  tell(await measure({ section, what: '64 bytes there and back', unit: '/s', peer }, contenders, effort));
}

function isInstalled(program: string): boolean {
  return (
    spawnSync(program, [program === 'stunnel' ? '-version' : '--version'], { stdio: 'ignore' }).error === undefined
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until something listens there. */
async function reached(port: number): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (there) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}

function launch(program: string, args: string[]): ChildProcess {
  return track(spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] }));
}

async function startHawser(folder: string, near: number, far: number): Promise<void> {
  const path = join(folder, 'hawser');
  const run = (...args: string[]): Buffer =>
    execFileSync(process.execPath, ['--no-warnings', cli, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  run('init', path);
  const config = join(path, 'gateway.toml');
  const port = await freePort();
  const options: Record<string, string> = { mqtt: `"tcp://127.0.0.1:${far}"`, port: String(port), host: '"127.0.0.1"' };
  writeFileSync(config, withOptions(readFileSync(config, 'utf8'), options));
  const pairing = join(path, 'device.pairing.json');
  const windows = ['--window-device', String(1 << 20), '--window-gateway', String(1 << 20)];
  run(
    'pair',
    'bench',
    '--config',
    config,
    '--allow',
    'mqtt',
    '--mode',
    'psk',
    ...windows,
    '--address',
    `127.0.0.1:${port}`,
    '-o',
    pairing,
  );
  launch(process.execPath, ['--no-warnings', cli, 'gateway', '--config', config]);
  await reached(port);
  const state = join(path, 'state');
  launch(process.execPath, [
    '--no-warnings',
    cli,
    'connect',
    '--pairing',
    pairing,
    '--state',
    state,
    '--forward',
    `${near}=mqtt`,
  ]);
}

/** Options stand as comments in what `hawser init` writes. */
function withOptions(text: string, options: Record<string, string>): string {
  return Object.entries(options).reduce((all, [key, value]) => {
    const line = new RegExp(`^# ${key} = .*$`, 'm');
    if (!line.test(all)) throw new Error(`gateway.toml has no option ${key}`);
    return all.replace(line, `${key} = ${value}`);
  }, text);
}

async function startStunnel(folder: string, near: number, far: number): Promise<void> {
  const secrets = join(folder, 'stunnel.psk');
  writeFileSync(secrets, `bench:${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const middle = await freePort();
  const common = `foreground = yes\npid =\nsyslog = no\ndebug = 3\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n`;
  const ends = {
    server: `${common}[bench]\naccept = 127.0.0.1:${middle}\nconnect = 127.0.0.1:${far}\nciphers = PSK\nPSKsecrets = ${secrets}\n`,
    client: `${common}[bench]\nclient = yes\naccept = 127.0.0.1:${near}\nconnect = 127.0.0.1:${middle}\nciphers = PSK\nPSKsecrets = ${secrets}\n`,
  };
  for (const [end, text] of Object.entries(ends)) {
    const file = join(folder, `stunnel-${end}.conf`);
    writeFileSync(file, text);
    launch('stunnel', [file]);
  }
}

async function startSpiped(folder: string, near: number, far: number): Promise<void> {
  const key = join(folder, 'spiped.key');
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  const middle = await freePort();
  const local = (port: number): string => `[127.0.0.1]:${port}`;
  launch('spiped', ['-d', '-F', '-s', local(middle), '-t', local(far), '-k', key]);
  launch('spiped', ['-e', '-F', '-s', local(near), '-t', local(middle), '-k', key]);
}
