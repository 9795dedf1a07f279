/** `hawser gateway` as a process with its store, an MQTT broker behind it, and emulated devices that are paired with it. */

import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { done, freePort, gatewayFolder, killChildren, Process, removeFolders, upstream } from '../cli/harness.js';
import {
  buildImage,
  builds,
  fetchSources,
  needTools,
  type BoardName,
  type BuildName,
} from '../../tools/firmware-build.mjs';
import { Line } from './line.js';
import { Machine, pages, until } from './machine.js';

export interface Handshake {
  kind: 'full' | 'resumption';
  continued: boolean;
  early?: number;
}

/** For a describe(): a world before its tests, and nothing left of it behind them. */
export function useWorld(): () => World {
  let world: World | undefined;
  before(async () => {
    needTools();
    fetchSources();
    world = await World.build();
  });
  after(async () => {
    await world?.close();
    killChildren();
    removeFolders();
  });
  return () => world!;
}

export class World {
  /** What the broker got on readings/NAME, in order. */
  readonly readings = new Map<string, number[]>();
  readonly #broker: Aedes;
  readonly #server: Server;
  readonly #path: string;
  readonly #config: string;
  readonly #serialPort: number;
  readonly #lines: Line[] = [];
  readonly #closers: (() => Promise<void> | void)[] = [];
  gateway!: Process;

  private constructor(broker: Aedes, server: Server, path: string, config: string, serialPort: number) {
    this.#broker = broker;
    this.#server = server;
    this.#path = path;
    this.#config = config;
    this.#serialPort = serialPort;
    broker.on('publish', ({ topic, payload }) => {
      const [, name] = /^readings\/(.+)$/.exec(topic) ?? [];
      if (name !== undefined) this.#of(name).push(Number(payload.toString()));
    });
  }

  static async build(): Promise<World> {
    const broker = await Aedes.createBroker();
    const { server, port } = await upstream((socket) => broker.handle(socket));
    const serialPort = await freePort();
    const { path, config } = await gatewayFolder({
      host: '"127.0.0.1"',
      port: String(await freePort()),
      serial_port: String(serialPort),
      mqtt: `"tcp://127.0.0.1:${port}"`,
    });
    const world = new World(broker, server, path, config, serialPort);
    await world.startGateway();
    return world;
  }

  async startGateway(): Promise<void> {
    this.gateway = new Process('gateway', '-c', this.#config, '--events', this.events);
    await this.gateway.says(/listening on/, 120_000);
  }

  /** The gateway's process is killed, and another one started on its store. */
  async crashGateway(): Promise<void> {
    await this.gateway.stop('SIGKILL');
    await this.startGateway();
    for (const line of this.#lines) await line.plug();
  }

  get events(): string {
    return join(this.#path, 'events');
  }

  #of(name: string): number[] {
    const list = this.readings.get(name) ?? [];
    this.readings.set(name, list);
    return list;
  }

  /** A new device with that image. */
  async device(board: BoardName, build: BuildName, variant = 'release'): Promise<Device> {
    const name = `${board}-${build}-${this.#closers.length}`;
    const folder = join(this.#path, name);
    mkdirSync(folder);
    const elf = join(folder, 'image.elf'); // its own, should the image be built again meanwhile
    copyFileSync(join(await buildImage(board, build, variant), 'image.elf'), elf);
    const file = join(folder, 'pairing.bin');
    const id = Buffer.from(name.padEnd(8)).subarray(-8).toString('hex');
    const options = ['--allow', 'mqtt', '--format', 'bin', '--record-max', '256', '--id', id];
    await done('pair', name, ...options, '-o', file, '-c', this.#config, ...builds[build].pair);
    const line = await Line.open(this.#serialPort);
    this.#lines.push(line);
    const machine = new Machine(board, elf, folder, line.port);
    machine.flash(pages.pairing, readFileSync(file));
    this.#closers.push(async () => {
      await machine.close();
      line.close();
    });
    return new Device(this, machine, line, id, this.#of(id));
  }

  /** Handshakes of a device, once the gateway has noted so many. */
  async handshakes(id: string, times: number): Promise<Handshake[]> {
    return until(`${times} handshakes`, () => {
      const noted = readFileSync(this.events, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"event":"handshake"') && line.includes(`"device":"${id}"`))
        .map((line) => JSON.parse(line) as Handshake);
      return noted.length >= times && noted;
    });
  }

  command(id: string, text: string): void {
    this.#broker.publish(
      { cmd: 'publish', topic: `commands/${id}`, payload: Buffer.from(text), qos: 0, retain: false, dup: false },
      () => undefined,
    );
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
    await this.gateway.stop('SIGKILL');
    await new Promise<void>((closed) => this.#broker.close(() => closed()));
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export class Device {
  constructor(
    readonly world: World,
    readonly machine: Machine,
    readonly line: Line,
    readonly id: string,
    /** What of it the broker has got. */
    readonly readings: number[],
  ) {}

  handshakes(times: number): Promise<Handshake[]> {
    return this.world.handshakes(this.id, times);
  }
  command(text: string): void {
    this.world.command(this.id, text);
  }
  /** Until the device has printed that line so many times. */
  async says(text: string, times = 1): Promise<void> {
    await until(`${times} x ${text}`, () => {
      this.machine.check();
      return count(this.machine.console, text) >= times;
    }).catch((error: Error) => {
      throw new Error(`${error.message}; it said:\n${this.machine.console}\nthe gateway: ${this.world.gateway.err}`);
    });
  }
  /** Links that it has had. */
  get links(): number {
    return this.lines.filter((line) => /^(full|resumption) \d$/.test(line)).length;
  }
  /** What it has printed, but for a line that is not whole yet. */
  get lines(): string[] {
    return this.machine.console.split('\n').slice(0, -1);
  }
  /** Readings that the device has printed this of. */
  numbers(what: 'begun' | 'delivered' | 'unknown'): number[] {
    return [...this.machine.console.matchAll(new RegExp(`^${what} (\\d+)$`, 'gm'))].map(([, n]) => Number(n));
  }
}

export function count(text: string, line: string): number {
  return text.split('\n').filter((each) => each === line).length;
}
