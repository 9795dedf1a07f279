/** The gateway's end over real connections: createGateway(), what it listens on, whom it serves, and how it is put down. */

import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Duplex } from 'node:stream';

import { Counters, type Reason } from './counters.js';
import { GatewayKeys } from './credentials.js';
import { SafeEmitter } from './emitter.js';
import { Code, Transport, type Engine } from './engine.js';
import { selectEngine } from './engine/select.js';
import { HawserError } from './errors.js';
import { Candidates } from './gateway/candidates.js';
import { Connection } from './gateway/connection.js';
import { idKey, type Context, type Settings } from './gateway/context.js';
import { Door } from './gateway/door.js';
import { Ends } from './gateway/ends.js';
import { HalfOpen } from './gateway/half-open.js';
import { Keyring } from './gateway/keyring.js';
import { PassedTickets } from './gateway/passed-tickets.js';
import { Refusals, type RefusalCounts } from './gateway/refusals.js';
import type { DeviceSession } from './gateway/session.js';
import { Shares } from './gateway/shares.js';
import { monotonic } from './mux.js';
import type {
  DropReport,
  Framing,
  GatewayEvents,
  GatewayOptions,
  ListenOptions,
  SessionReport,
  Store,
} from './types.js';
import { parseUpstreams, type Upstream } from './upstream.js';

/** ERR_HAWSER_CONFIG: an upstream or the identity is not valid; ERR_HAWSER_ENGINE: no such engine. */
export function createGateway(options: GatewayOptions): Gateway {
  return new Gateway(options);
}

const defaults = {
  maxHalfOpen: 1024,
  maxHalfOpenPerAddress: 256,
  handshakeTimeout: 10_000,
  linger: 600_000,
  connectTimeout: 10_000,
  policyInterval: 1_000,
  drain: 5_000,
};

export class Gateway extends SafeEmitter<GatewayEvents> implements AsyncDisposable {
  /** What was refused and what failed, by reason. */
  readonly counters = new Counters();
  readonly #engine: Engine;
  readonly #store: Store;
  readonly #keys: GatewayKeys;
  readonly #context: Context;
  readonly #door: Door;
  readonly #settings: Settings;
  readonly #upstreams: ReadonlyMap<string, Upstream>;
  readonly #sessions = new Map<string, DeviceSession>();
  readonly #connections = new Set<Connection>();
  /** By the device whose first record they wait for. */
  readonly #waiting = new Shares<Connection>();
  readonly #halfOpen: HalfOpen<Connection>;
  readonly #refusals = new Refusals();
  readonly #servers = new Set<Server>();
  readonly #keyring: Keyring;
  readonly #policyTimer: NodeJS.Timeout;
  #revision: number | undefined;
  #checking = false;
  #draining = false;
  #closing: Promise<void> | undefined;

  /** Use createGateway(). */
  constructor(options: GatewayOptions) {
    super();
    const { store, identity, upstreams } = options;
    if (identity.id.length < 4 || identity.id.length > 32)
      throw new HawserError('ERR_HAWSER_CONFIG', 'identity: id: must have 4..32 bytes');
    this.#engine = options.engine ?? selectEngine();
    this.#store = store;
    this.#upstreams = parseUpstreams(upstreams);
    this.#keys = new GatewayKeys(this.#engine, identity);
    this.#keyring = new Keyring(
      (record) => this.#keys.credentials(record),
      (id) => this.#sessions.has(idKey(id)),
    );
    this.#settings = settingsOf(options);
    this.#halfOpen = new HalfOpen(this.#settings.maxHalfOpen, this.#settings.maxHalfOpenPerAddress);
    this.#context = this.#makeContext();
    this.#door = new Door(this.#context);
    this.#policyTimer = setInterval(() => void this.#checkPolicy(), this.#settings.policyInterval);
    this.#policyTimer.unref();
  }

  #makeContext(): Context {
    const isDraining = (): boolean => this.#draining;
    return {
      engine: this.#engine,
      store: this.#store,
      settings: this.#settings,
      counters: this.counters,
      upstreams: this.#upstreams,
      candidates: new Candidates(4 * this.#settings.maxHalfOpen),
      passed: new PassedTickets(),
      ends: new Ends(),
      refusals: this.#refusals,
      sessions: this.#sessions,
      get draining() {
        return isDraining();
      },
      credentials: (record) => this.#keyring.of(record),
      tell: (event, ...args) => this.tell(event, ...args),
      drop: (reason, about) => this.#drop(reason, about),
      threw: (error) => this.listenerThrew('internal', error),
    };
  }

  protected override listenerThrew(event: string, thrown: unknown): void {
    this.counters.add('callback');
    super.listenerThrew(event, thrown);
  }

  // ---- Listening ------------------------------------------------------------------------------------------------------

  /** May be called several times. Resolves with where it listens; rejects with what the system says. */
  async listen(options: ListenOptions): Promise<AddressInfo | string> {
    if (this.#closing) throw new HawserError('ERR_HAWSER_CLOSED', 'the gateway is closed');
    const framing = options.framing ?? 'stream';
    const server = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: false }, (socket) =>
      this.#serve(socket, framing, false),
    );
    await listening(server, options);
    this.#servers.add(server);
    server.on('error', (error) => this.tell('error', error));
    const address = server.address() ?? '';
    this.tell('listening', address);
    return address;
  }

  /** Serves a device over a byte pipe of the caller's: a serial port, a test's stream. */
  accept(pipe: Duplex, framing: Framing = 'stream'): void {
    this.#serve(pipe, framing, true);
  }

  #serve(pipe: Duplex, framing: Framing, given: boolean): void {
    const transport = framing === 'serial' ? Transport.Serial : Transport.Stream;
    const { remoteAddress } = pipe as { remoteAddress?: string };
    if (this.#draining) {
      this.#drop('halfOpenLimit', { remote: remoteAddress });
      pipe.on('error', () => undefined).destroy();
      return;
    }
    // A serial line has no connections that could be half-open.
    const counts = transport !== Transport.Serial;
    if (counts) this.#makeRoom(remoteAddress);
    const connection = new Connection(this.#context, this.#door, pipe, transport, given, {
      waits: (device) => this.#waits(connection, device),
      waitsNoMore: (device) => this.#waiting.remove(device, connection),
      confirmed: (device) => this.#confirmed(connection, device),
      closed: () => this.#forget(connection),
    });
    this.#connections.add(connection);
    if (counts) this.#halfOpen.add(connection);
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#halfOpen.remove(connection);
  }

  #makeRoom(remote: string | undefined): void {
    const victim = this.#halfOpen.victim(remote);
    if (!victim) return;
    this.#drop('halfOpenLimit', { remote: victim.remote });
    victim.close();
  }

  /** One recorded message 1, sent over many connections, must not hold them all. */
  #waits(connection: Connection, device: string): void {
    this.#waiting.add(device, connection);
    for (const surplus of this.#halfOpen.surplus(this.#waiting.of(device), connection.remote)) {
      this.#drop('halfOpenLimit', { remote: surplus.remote });
      surplus.close();
    }
  }

  #confirmed(winner: Connection, device: string): void {
    this.#halfOpen.remove(winner);
    this.#supersede(device);
  }

  /** The winner does not wait any more. */
  #supersede(device: string): void {
    for (const connection of [...this.#waiting.of(device)]) connection.supersede();
  }

  // ---- Devices --------------------------------------------------------------------------------------------------------

  /** Devices that have a session now. */
  get sessions(): (SessionReport & { live: boolean; streams: number })[] {
    return [...this.#sessions.values()].map((session) => ({
      ...session.report,
      live: session.live,
      streams: session.streams,
    }));
  }
  /** Streams that this device was refused, by reason; of the 10 000 devices that were refused something most recently. */
  refused(id: Uint8Array): RefusalCounts {
    return this.#refusals.of(idKey(id));
  }
  /** Connections that are not live. */
  get halfOpen(): number {
    return this.#halfOpen.size;
  }

  /** For good, and at once: its session ends, and nothing it sends is answered again. False: no such device. */
  async revoke(id: Uint8Array): Promise<boolean> {
    const known = await this.#store.revoke(id);
    if (known) await this.#recheck(id);
    return known;
  }

  async #recheck(id: Uint8Array): Promise<void> {
    const device = idKey(id);
    const entry = await this.#store.get(id);
    this.#context.candidates.endDevice(device);
    this.#supersede(device);
    this.#sessions.get(device)?.revise(entry?.record, Date.now());
  }

  /** Expiry, and whatever the operator changed through any process. */
  async #checkPolicy(): Promise<void> {
    if (this.#checking || this.#closing) return;
    this.#checking = true;
    try {
      this.#context.candidates.expire(monotonic());
      const revision = await this.#store.revision();
      const changed = revision !== this.#revision;
      this.#revision = revision;
      for (const session of [...this.#sessions.values()]) {
        const expired = session.record.expiry !== undefined && Date.now() >= session.record.expiry;
        if (changed || expired) session.revise((await this.#store.get(session.record.id))?.record, Date.now());
      }
    } catch (error) {
      this.counters.add('store');
      this.tell('error', error as Error);
    } finally {
      this.#checking = false;
    }
  }

  #drop(reason: Reason, about: Omit<DropReport, 'reason'>): void {
    this.counters.add(reason);
    this.tell('drop', { reason, ...about });
    const device = about.device ? ` device ${Buffer.from(about.device).toString('hex')}` : '';
    this.tell(
      'debug',
      `${about.remote ?? 'pipe'}${device}: ${Counters.describe(reason)}${about.error ? ` (${about.error.message})` : ''}`,
    );
  }

  // ---- The end --------------------------------------------------------------------------------------------------------

  /**
   * Stops accepting, lets open streams finish for up to `drain` milliseconds (default 5000), then puts down every link. Devices resume when
   * a gateway is there again. The store stays open: it is the caller's.
   */
  close(options: { drain?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drain ?? defaults.drain);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drain: number): Promise<void> {
    this.#draining = true;
    clearInterval(this.#policyTimer);
    const stopped = [...this.#servers].map((server) => new Promise((resolve) => server.close(resolve)));
    for (const connection of [...this.#connections]) if (!connection.live) connection.close();
    const until = performance.now() + drain;
    while (this.#inFlight() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const session of [...this.#sessions.values()]) session.end(Code.GoingAway);
    this.#context.candidates.clear();
    for (const connection of [...this.#connections]) connection.close();
    await Promise.all(stopped);
    this.#keyring.release();
    this.#keys.release();
  }

  /** Streams of devices that are there; those of absent ones would only be waited for. */
  #inFlight(): boolean {
    return [...this.#sessions.values()].some((session) => session.live && session.streams > 0);
  }
}

function settingsOf(options: GatewayOptions): Settings {
  const all = { ...defaults, ...defined(options) };
  const { maxHalfOpen, maxHalfOpenPerAddress, handshakeTimeout, linger, connectTimeout, policyInterval } = all;
  const numbers = { maxHalfOpen, maxHalfOpenPerAddress, handshakeTimeout, linger, connectTimeout, policyInterval };
  for (const [field, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < 1 || value > 0x7fffffff)
      throw new HawserError('ERR_HAWSER_CONFIG', `${field}: ${value} is not in 1..2147483647`);
  }
  return {
    ...numbers,
    keylog: options.keylog ?? false,
    node: options.node ?? randomBytes(8).toString('hex'),
    refuseEarly: options.refuseEarly ?? (() => false),
  };
}

function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function listening(server: Server, { port, host, path }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const where = path === undefined ? { port: port ?? 0, ...(host === undefined ? {} : { host }) } : { path };
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
