/** hawser in Node: connect() to createGateway() with its LMDB store, whose upstream is a function. */

import { mkdtemp, rm } from 'node:fs/promises';
import { connect as netConnect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';

// The package as it is installed, compiled: what tsx makes of the sources for itself is slower.
import {
  connect,
  createGateway,
  createPairing,
  lmdbStore,
  MemoryStorage,
  Mode,
  selectEngine,
  Suite,
  type ConnectOptions,
  type DevicePairing,
  type Session,
} from 'hawser';

import { parallel, type Client } from '../peer.js';
import { echo, serve, startEcho } from '../work.js';

export interface Address {
  port: number;
  /** For streams, and one for each loop of connections by mode. */
  pairing: DevicePairing;
  psk: DevicePairing[];
  keys: DevicePairing[];
  warm: DevicePairing[];
  boot: DevicePairing[];
}

const one = Buffer.from([0]);

export async function server(): Promise<Address> {
  const engine = selectEngine();
  const identity = {
    id: randomBytes(8),
    x25519: engine.generateKey(Suite.X25519),
    p256: engine.generateKey(Suite.P256),
    sealingKey: randomBytes(32),
  };
  const folder = await mkdtemp(join(tmpdir(), 'hawser-bench-'));
  process.on('disconnect', () => void rm(folder, { recursive: true, force: true }));
  const store = await lmdbStore({ path: folder, sealingKey: identity.sealingKey });
  const gateway = createGateway({ store, identity, upstreams: { bench: serve } });
  const { port } = (await gateway.listen({ port: 0, host: '127.0.0.1' })) as AddressInfo;
  const pair = async (mode: Mode): Promise<DevicePairing> => {
    const pairing = createPairing(engine, identity, { mode, suite: Suite.X25519, upstreams: ['bench'] });
    await store.add(pairing.gateway);
    return pairing.device;
  };
  const several = (mode: Mode): Promise<DevicePairing[]> =>
    Promise.all(Array.from({ length: parallel }, () => pair(mode)));
  return {
    port,
    pairing: await pair(Mode.Psk),
    psk: await several(Mode.Psk),
    keys: await several(Mode.Keys),
    warm: await several(Mode.Psk),
    boot: await several(Mode.Psk),
  };
}

export async function client({ port, pairing, psk, keys, warm, boot }: Address): Promise<Client> {
  const to = (own: DevicePairing, more: Partial<ConnectOptions> = {}): Promise<Session> =>
    connect({ pairing: own, host: '127.0.0.1', port, backoff: { min: 1, max: 20 }, ...more });
  const session = await to(pairing);
  const full =
    (pairings: DevicePairing[]) =>
    async (loop: number): Promise<void> => {
      const own = await to(pairings[loop] as DevicePairing);
      const stream = await own.open('bench');
      await roundTrip(stream);
      stream.on('error', () => undefined);
      await own.close({ timeout: 0 });
    };
  const running = new Map<number, Promise<WarmLoop>>();
  const resumed = async (loop: number): Promise<void> => {
    const ready = running.get(loop) ?? WarmLoop.start(warm[loop] as DevicePairing, port);
    running.set(loop, ready);
    await (await ready).turn();
  };
  return {
    open: () => session.open('bench'),
    connections: { full: full(psk), keys: full(keys), resumed, boot: booting(boot, to) },
  };
}

/** A device that was off: it boots from its storage each time, and writes there. */
function booting(
  pairings: DevicePairing[],
  to: (own: DevicePairing, more: Partial<ConnectOptions>) => Promise<Session>,
) {
  const storages = pairings.map(() => new MemoryStorage());
  return async (loop: number): Promise<void> => {
    const own = await to(pairings[loop] as DevicePairing, { storage: storages[loop] as MemoryStorage });
    const stream = await own.open('bench');
    await roundTrip(stream);
    stream.on('error', () => undefined);
    await own.close({ timeout: 0 });
  };
}

async function roundTrip(stream: Duplex): Promise<void> {
  startEcho(stream);
  await echo(stream, one);
}

/** A session whose connection is torn each time: it resumes, and its stream goes on. Who writes to it does not look for that. */
class WarmLoop {
  private constructor(
    private readonly session: Session,
    private readonly stream: Duplex,
    private readonly socket: () => Socket,
  ) {}

  static async start(pairing: DevicePairing, port: number): Promise<WarmLoop> {
    let socket: Socket | undefined;
    const pipe = async (): Promise<Socket> => {
      socket = netConnect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return socket;
    };
    const session = await connect({ pairing, pipe, backoff: { min: 1, max: 20 } });
    const stream = await session.open('bench');
    await roundTrip(stream);
    return new WarmLoop(session, stream, () => socket as Socket);
  }

  async turn(): Promise<void> {
    const resumed = once(this.session, 'resume') as Promise<[{ continued: boolean }]>;
    this.socket().resetAndDestroy();
    await echo(this.stream, one);
    const [{ continued }] = await resumed;
    if (!continued) throw new Error('the session was lost');
  }
}
