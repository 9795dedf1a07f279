/** Device cores without the library around them, for what the library would not do: links that wait, bytes that come late or twice. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as netConnect, type Socket } from 'node:net';

import { deviceCredentials } from '../../lib/credentials.js';
import { Transport, type CoreEvent, type DeviceCore, type Early } from '../../lib/engine.js';
import type { NewPairing } from '../../lib/pairing.js';
import { delay, engine } from './world.js';

/** Sends bytes on a connection of their own; what came back, and whether the gateway ended it. */
export async function knock(port: number, bytes: Uint8Array, wait = 400): Promise<{ answer: Buffer; closed: boolean }> {
  const socket = netConnect({ port, host: '127.0.0.1' });
  const parts: Buffer[] = [];
  let closed = false;
  socket.on('data', (part) => parts.push(part));
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  await once(socket, 'connect');
  socket.write(bytes);
  const end = Date.now() + wait;
  while (!closed && parts.length === 0 && Date.now() < end) await delay(2);
  const result = { answer: Buffer.concat(parts), closed };
  socket.destroy();
  return result;
}

/** Booted, with room for 8 streams. */
export function bareDevice(pairing: NewPairing): DeviceCore {
  const core = engine.device(deviceCredentials(engine, pairing.device).pairing, { streams: 8 });
  core.boot();
  return core;
}

export function message1(core: DeviceCore, early?: Early): Uint8Array {
  core.connect(Transport.Stream, 0, early);
  const bytes = core.send(0);
  assert.ok(bytes);
  return Uint8Array.from(bytes);
}

/** One connection of a bare device. */
export class BareLink {
  readonly socket: Socket;
  readonly events: CoreEvent[] = [];
  closed = false;

  private constructor(
    readonly core: DeviceCore,
    port: number,
  ) {
    this.socket = netConnect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
  }

  /** Sends message 1 and takes its answer; the first record is not sent yet. */
  static async answered(port: number, core: DeviceCore, first = message1(core)): Promise<BareLink> {
    const link = new BareLink(core, port);
    link.socket.write(first);
    await Promise.race([
      once(link.socket, 'data').then(([bytes]) => link.#take(bytes as Buffer)),
      once(link.socket, 'close'),
    ]);
    assert.equal(link.closed, false, 'the gateway answers');
    link.socket.on('data', (bytes: Buffer) => link.#take(bytes));
    return link;
  }

  /** Live as seen from the device. */
  static async live(port: number, core: DeviceCore): Promise<BareLink> {
    const link = await BareLink.answered(port, core);
    link.flush();
    return link;
  }

  #take(bytes: Buffer): void {
    const events = this.core.receive(Uint8Array.from(bytes), 0);
    this.events.push(...events);
    if (!events.some(({ type }) => type === 'store')) return;
    this.core.stored(true);
    this.events.push(...this.core.timeout(0));
  }

  /** Whatever is due: the first record at first. */
  flush(): void {
    const bytes = this.core.send(0);
    if (bytes) this.socket.write(bytes);
  }

  hangUp(): void {
    this.socket.destroy();
    this.core.disconnected(0);
  }

  has<T extends CoreEvent['type']>(type: T): boolean {
    return this.events.some((event) => event.type === type);
  }
}
