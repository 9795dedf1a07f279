/** A gateway, upstreams and devices on loopback, for end-to-end tests: real sockets, nothing stood in for. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as netConnect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { connect, type Session } from '../../lib/device.js';
import type { Engine, Mode, Suite } from '../../lib/engine.js';
import { selectEngine } from '../../lib/engine/select.js';
import { createGateway, type Gateway } from '../../lib/gateway.js';
import { createPairing, type NewPairing, type PairOptions } from '../../lib/pairing.js';
import { MemoryStorage } from '../../lib/storage.js';
import { memoryStore } from '../../lib/store/memory.js';
import type { ConnectOptions, GatewayIdentity, GatewayOptions, Store } from '../../lib/types.js';

/** HAWSER_ENGINE runs all of this on another one. */
export const engine: Engine = selectEngine({ engine: process.env.HAWSER_ENGINE ?? 'js' });

export function newIdentity(): GatewayIdentity {
  return {
    id: randomBytes(8),
    x25519: engine.generateKey(1),
    p256: engine.generateKey(2),
    sealingKey: randomBytes(32),
  };
}

/** Cuts what goes through it: a TCP relay between device and gateway. */
export class Relay {
  readonly server: Server;
  readonly pairs = new Set<[Socket, Socket]>();
  down = false;
  /** Bytes towards the gateway, as they pass. */
  tap: ((bytes: Buffer, towards: 'gateway' | 'device') => void) | undefined;

  constructor(private target: () => number) {
    this.server = createServer({ noDelay: true }, (client) => this.#relay(client));
  }

  #relay(client: Socket): void {
    if (this.down) return void client.destroy();
    const onward = netConnect({ port: this.target(), host: '127.0.0.1', noDelay: true });
    const pair: [Socket, Socket] = [client, onward];
    this.pairs.add(pair);
    client.on('data', (bytes) => this.tap?.(bytes, 'gateway'));
    onward.on('data', (bytes) => this.tap?.(bytes, 'device'));
    client.pipe(onward).pipe(client);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  }

  /** Sockets torn, not closed politely. */
  cut(): void {
    for (const pair of this.pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
}

export class World {
  readonly identity = newIdentity();
  readonly cleanups: (() => unknown)[] = [];
  readonly errors: Error[] = [];
  store!: Store;
  gateway!: Gateway;
  port = 0;

  static async start(options: Partial<GatewayOptions> = {}): Promise<World> {
    const world = new World();
    world.store = options.store ?? (await memoryStore({ sealingKey: world.identity.sealingKey }));
    await world.openGateway(options);
    return world;
  }

  async openGateway(options: Partial<GatewayOptions> = {}): Promise<void> {
    this.gateway = createGateway({ store: this.store, identity: this.identity, upstreams: {}, engine, ...options });
    this.gateway.on('error', (error) => this.errors.push(error));
    const address = (await this.gateway.listen({ port: this.port, host: '127.0.0.1' })) as AddressInfo;
    this.port = address.port;
  }

  async pair(options: Partial<PairOptions> & { mode: Mode; suite?: Suite }): Promise<NewPairing> {
    const pairing = createPairing(engine, this.identity, { upstreams: ['echo'], ...options });
    await this.store.add(pairing.gateway);
    return pairing;
  }

  async relay(): Promise<Relay> {
    const relay = new Relay(() => this.port);
    relay.server.listen(0, '127.0.0.1');
    await once(relay.server, 'listening');
    this.cleanups.push(() => {
      relay.cut();
      relay.server.close();
    });
    return relay;
  }

  async connect(pairing: NewPairing, options: Partial<ConnectOptions> = {}): Promise<Session> {
    const session = await connect({
      pairing: pairing.device,
      storage: new MemoryStorage(),
      host: '127.0.0.1',
      port: this.port,
      engine,
      backoff: { min: 5, max: 50 },
      ...options,
    });
    this.cleanups.push(() => session.close({ timeout: 0 }));
    return session;
  }

  async stop(): Promise<void> {
    for (const cleanup of this.cleanups.reverse()) await cleanup();
    await this.gateway.close({ drain: 0 });
    await this.store.close();
  }
}

/** A TCP service; every connection is given to `serve`. Answers its port. */
export async function service(
  serve: (socket: Socket) => void,
): Promise<{ server: Server; url: string; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

export const echo = (): Promise<{ server: Server; url: string; sockets: Set<Socket> }> =>
  service((socket) => socket.pipe(socket));

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until it is so; the test's timeout says if it never is. */
export async function until(what: () => boolean | Promise<boolean>, text = 'condition', ms = 8000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await what())) {
    if (Date.now() > end) throw new Error(`${text}: not within ${ms} ms`);
    await delay(3);
  }
}
