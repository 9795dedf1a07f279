/** Everything around the devices: folder, file, upstreams, gateway, proxy, pairings. */

import type { ChildProcess } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { DemoDevice } from './device.js';
import type { ChaosCommand, ChaosReport } from './chaos.js';
import { EventReader } from './events.js';
import { freePorts, hawser, killHard, reachable, startHawser, startHelper, startProgram, stop } from './processes.js';
import type { SubscriberReport } from './subscriber.js';

export const MODES = ['keys', 'psk', 'ticket'] as const;

/** A message as the subscriber at the broker saw it. */
export interface Arrival {
  n: number;
  dup: boolean;
}

export interface World {
  folder: string;
  broker: string;
  sha256: string;
  devices: DemoDevice[];
  gatewayEvents: EventReader;
  arrivals: Map<string, Arrival[]>;
  cuts: ChaosReport[];
  chaos(command: ChaosCommand): void;
  startGateway(): Promise<void>;
  killGateway(): Promise<void>;
  stopGateway(): Promise<number | null>;
}

/** Random content that the seed brings back: AES-CTR over zeros. Its SHA-256. */
async function writeFileOf(path: string, bytes: number, seed: string): Promise<string> {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(`${seed}/file`).digest(), Buffer.alloc(16));
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  for (let left = bytes; left > 0; left -= 2 ** 20) {
    const chunk = cipher.update(Buffer.alloc(Math.min(left, 2 ** 20)));
    hash.update(chunk);
    await file.write(chunk);
  }
  await file.close();
  return hash.digest('hex');
}

function findMosquitto(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'mosquitto')).find((file) => existsSync(file));
}

async function startBroker(folder: string, port: number): Promise<string> {
  const mosquitto = findMosquitto();
  if (mosquitto === undefined) {
    startHelper(folder, 'broker', './aedes-broker.ts', [String(port)]);
  } else {
    const config = join(folder, 'mosquitto.conf');
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence false',
      'max_queued_messages 0',
      'log_dest stderr',
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    startProgram(folder, 'broker', mosquitto, ['-c', config]);
  }
  await reachable(port, 'the MQTT broker');
  return mosquitto === undefined ? 'aedes' : 'mosquitto';
}

/** As an operator would with an editor. */
async function configure(file: string, options: Record<string, string>): Promise<void> {
  let text = await readFile(file, 'utf8');
  for (const [key, value] of Object.entries(options)) {
    const line = new RegExp(`^# ${key} = .*$`, 'm');
    if (!line.test(text)) throw new Error(`gateway.toml has no option ${key}`);
    text = text.replace(line, `${key} = ${value}`);
  }
  await writeFile(file, text);
}

async function subscribe(folder: string, port: number, arrivals: World['arrivals']): Promise<void> {
  const subscriber = startHelper(folder, 'subscriber', './subscriber.ts', [String(port)]);
  await new Promise<void>((resolve, reject) => {
    subscriber.on('exit', () => reject(new Error('the subscriber ended')));
    subscriber.on('message', (report: SubscriberReport) => {
      if (report.type === 'ready') resolve();
      else arrivals.get(report.device)?.push({ n: report.n, dup: report.dup });
    });
  });
}

export async function buildWorld(seed: string, fileBytes: number, bytesPerSecond: number): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'hawser-demo-'));
  const [gatewayPort, brokerPort, httpPort, ...rest] = await freePorts(3 + MODES.length * 3);
  const sha256 = await writeFileOf(join(folder, 'file'), fileBytes, seed);
  const broker = await startBroker(folder, brokerPort!);
  startHelper(folder, 'http', './http-server.ts', [String(httpPort), join(folder, 'file'), String(bytesPerSecond)]);
  await reachable(httpPort!, 'the HTTP server');
  const arrivals = new Map<string, Arrival[]>(MODES.map((mode) => [mode, []]));
  await subscribe(folder, brokerPort!, arrivals);

  const config = (await hawser(folder, ['init', 'gateway'])).trim();
  await configure(join(folder, config), {
    mqtt: `"tcp://127.0.0.1:${brokerPort}"`,
    http: `"tcp://127.0.0.1:${httpPort}"`,
    host: '"127.0.0.1"',
    port: String(gatewayPort),
  });
  const devices = MODES.map((mode, i) => {
    const [chaos, mqtt, http] = rest.slice(i * 3, i * 3 + 3);
    return new DemoDevice(mode, i, folder, { chaos: chaos!, mqtt: mqtt!, http: http! });
  });
  for (const device of devices) await device.pair(config);

  const cuts: ChaosReport[] = [];
  const chaos = startHelper(folder, 'chaos', './chaos.ts', [
    seed,
    String(gatewayPort),
    ...devices.map((d) => String(d.chaosPort)),
  ]);
  chaos.on('message', (report: ChaosReport) => cuts.push(report));

  const gatewayEvents = new EventReader(join(folder, 'gateway.events'));
  let gateway: ChildProcess;
  const startGateway = async (): Promise<void> => {
    gateway = startHawser(folder, 'gateway', ['gateway', '-c', config, '--events', gatewayEvents.file]);
    await reachable(gatewayPort!, 'the gateway');
  };
  return {
    folder,
    broker,
    sha256,
    devices,
    gatewayEvents,
    arrivals,
    cuts,
    chaos: (command) => void chaos.send(command),
    startGateway,
    killGateway: () => killHard(gateway),
    stopGateway: () => stop(gateway),
  };
}
