/**
 * A device and its gateway over an in-memory link with a virtual clock. Bytes may be split or merged at will, lost on
 * a serial line, and the link may be cut after any byte. Everything that crossed the link is recorded.
 */

import {
  Kind,
  Mode,
  Transport,
  type CorePairing,
  type EngineOptions,
  type HandshakeKind,
  type SessionOptions,
} from '../../lib/engine.js';
import { concat } from './bytes.js';
import { makeCredentials, makePairing, makeSetup, type Credentials, type Setup } from './credentials.js';
import { TestDevice, Flash } from './device-double.js';
import type { StreamEnd } from './ends.js';
import type { EnginePair } from './engines.js';
import { TestGateway, type StoreRow, type TestPort, type TestSession } from './gateway-double.js';

/** How the bytes of one direction are cut into calls of receive(). */
export type Chop = (bytes: Uint8Array) => Uint8Array[];
export const whole: Chop = (bytes) => [bytes];
export const byteByByte: Chop = (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte));
export function randomly(random: () => number): Chop {
  return (bytes) => {
    const out: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const size = 1 + Math.floor(random() * random() * 400);
      out.push(bytes.slice(at, at + size));
      at += size;
    }
    return out;
  };
}

export type Direction = 'd2g' | 'g2d';

export class Link {
  up = true;
  readonly log: Record<Direction, Uint8Array[]> = { d2g: [], g2d: [] };
  /** The link is cut once this many bytes of a direction were delivered. */
  readonly cutAfter: Record<Direction, number> = { d2g: Infinity, g2d: Infinity };
  /** What a line does to the bytes of a direction; it may return none, more, or others. */
  mangle: (direction: Direction, bytes: Uint8Array) => Uint8Array[] = (_direction, bytes) => [bytes];
  private readonly delivered: Record<Direction, number> = { d2g: 0, g2d: 0 };

  constructor(readonly port: TestPort) {}

  /** Everything one direction carried. */
  bytes(direction: Direction): Uint8Array {
    return concat(...this.log[direction]);
  }

  /** The part of bytes that arrives before the cut, and whether the link is cut behind it. */
  carry(direction: Direction, bytes: Uint8Array): { bytes: Uint8Array; cut: boolean } {
    const room = this.cutAfter[direction] - this.delivered[direction];
    const part = bytes.length < room ? bytes : bytes.subarray(0, Math.max(0, room));
    this.delivered[direction] += part.length;
    return { bytes: part, cut: part.length === room };
  }
}

export interface WorldOptions {
  over?: Partial<Setup>;
  transport?: Transport;
  deviceOver?: Partial<Setup>;
  gatewayOver?: Partial<Setup>;
  deviceSecrets?: (secrets: Credentials) => Partial<Credentials>;
  gatewaySecrets?: (secrets: Credentials) => Partial<Credentials>;
  options?: SessionOptions & EngineOptions;
}

const LONGEST_PUMP = 200_000;

export class World {
  now = 1_000_000;
  readonly setup: Setup;
  readonly transport: Transport;
  readonly secrets: Credentials;
  device: TestDevice;
  readonly gateway: TestGateway;
  readonly row: StoreRow;
  link: Link | undefined;
  readonly links: Link[] = [];
  chop: Chop = whole;
  private storeFailed = false;

  constructor(
    readonly pair: EnginePair,
    variant: { mode: Mode; suite: number },
    readonly how: WorldOptions = {},
  ) {
    this.setup = makeSetup(variant as { mode: Mode; suite: Setup['suite'] }, how.over);
    this.transport = how.transport ?? Transport.Stream;
    this.secrets = makeCredentials(pair.device, this.setup);
    const deviceSecrets = { ...this.secrets, ...how.deviceSecrets?.(this.secrets) };
    const gatewaySecrets = { ...this.secrets, ...how.gatewaySecrets?.(this.secrets) };
    const devicePairing = makePairing(pair.device, 'device', { ...this.setup, ...how.deviceOver }, deviceSecrets);
    const gatewayPairing = makePairing(pair.gateway, 'gateway', { ...this.setup, ...how.gatewayOver }, gatewaySecrets);
    this.device = this.start(devicePairing, new Flash());
    this.gateway = new TestGateway(pair.gateway, how.options);
    this.row = this.gateway.add(gatewayPairing, this.setup.mode === Mode.Ticket ? gatewaySecrets.b0 : undefined);
  }

  get session(): TestSession {
    const session = this.gateway.session(this.row);
    if (session === undefined) throw new Error('the gateway has no session');
    return session;
  }

  /** A link comes up and the device chooses its message 1; nothing is delivered yet. */
  dial(early?: StreamEnd, idempotent = false): { early: boolean; kind: HandshakeKind } {
    this.hang();
    this.device.core.disconnected(this.now); // a test may have driven the core without a link
    const result = this.device.connect(this.transport, this.now, early, idempotent);
    this.link = new Link(this.gateway.listen(this.transport));
    this.links.push(this.link);
    return result;
  }

  /** dial(), then everything that follows from it until nothing moves. */
  connect(early?: StreamEnd, idempotent = false): { early: boolean; kind: HandshakeKind } {
    const result = this.dial(early, idempotent);
    this.pump();
    return result;
  }

  /** The link is torn: both ends learn of it, bytes in flight are lost. */
  hang(): void {
    const link = this.link;
    if (link === undefined) return;
    this.link = undefined;
    link.up = false;
    link.port.close();
    this.device.core.disconnected(this.now);
    this.device.live = 'no';
  }

  /** Moves bytes until nothing moves any more. */
  pump(): void {
    for (let round = 0; round < LONGEST_PUMP; round++) if (!this.step()) return;
    throw new Error('the ends never stop talking');
  }

  /** One exchange: what the device has to say, then what the gateway has. False: silence. */
  step(): boolean {
    const link = this.link;
    if (link === undefined) return false;
    this.due();
    if (this.link !== link) return true;
    const up = this.device.output(this.now);
    this.deliver(link, 'd2g', up);
    if (this.link !== link) return true;
    const down = link.port.collect(this.now);
    this.deliver(link, 'g2d', down);
    return up.length > 0 || down.length > 0;
  }

  /** Deadlines that have come: of the device, and of the session behind this link. */
  protected due(): void {
    if (this.device.core.deadline() <= this.now) this.deviceHandles(this.device.core.timeout(this.now));
    const session = this.link?.port.session;
    if (session !== undefined && session.core.deadline() <= this.now) {
      session.handle(session.core.timeout(this.now));
      this.link?.port.react();
      if (this.link?.port.open === false) this.hang();
    }
  }

  /** Bytes cross the link; it may be cut on the way. */
  deliver(link: Link, direction: Direction, units: readonly Uint8Array[]): void {
    for (const unit of units) {
      link.log[direction].push(new Uint8Array(unit)); // a Buffer's slice() is no copy, and who receives it may decode it in place
      for (const mangled of link.mangle(direction, unit)) {
        const { bytes, cut } = link.carry(direction, mangled);
        for (const chunk of bytes.length > 0 ? this.chop(bytes) : [])
          if (this.link === link) this.arrive(direction, chunk);
        if (cut && this.link === link) this.hang();
        if (this.link !== link) return;
      }
    }
  }

  /** One call of receive() at either end. */
  arrive(direction: Direction, chunk: Uint8Array): void {
    const link = this.link;
    if (link === undefined) return;
    if (direction === 'g2d') return this.deviceHandles(this.device.core.receive(chunk.slice(), this.now));
    link.port.receive(chunk.slice(), this.now);
    if (!link.port.open) {
      this.deliver(link, 'g2d', link.port.collect(this.now));
      this.hang();
    }
  }

  private deviceHandles(events: ReturnType<TestDevice['core']['receive']>): void {
    this.device.handle(events);
    if (this.device.dropped !== undefined || this.device.dead || this.storeFailed) this.hang();
    this.storeFailed = false;
  }

  /** Time passes; every deadline on the way is kept. */
  advance(ms: number): void {
    const until = this.now + ms;
    this.pump();
    for (let guard = 0; guard < LONGEST_PUMP; guard++) {
      const next = this.nextDeadline();
      if (next > until) {
        this.now = until;
        return this.pump();
      }
      this.now = Math.max(this.now, next);
      this.pump();
      if (this.nextDeadline() <= this.now) throw new Error('a deadline does not pass');
    }
    throw new Error('time stands still');
  }

  protected nextDeadline(): number {
    const session = this.link?.port.session;
    const device = this.link === undefined ? Infinity : this.device.core.deadline();
    return Math.min(device, session?.core.deadline() ?? Infinity);
  }

  /** Runs until `done`, dialling again whenever the link is gone; throws when that does not help. */
  until(done: () => boolean, what: string, attempts = 60): void {
    for (let attempt = 0; attempt < attempts && !done(); attempt++) {
      if (this.link === undefined) this.connect();
      this.advance(500);
    }
    if (!done()) throw new Error(`never: ${what}`);
  }

  /** Dials once a minute until it is live, at most so often; the kinds of handshake that were tried. */
  climb(limit: number): HandshakeKind[] {
    const kinds: HandshakeKind[] = [];
    while (kinds.length < limit) {
      kinds.push(this.connect().kind);
      if (this.device.core.live) break;
      this.advance(30_000);
      this.now += 30_000;
    }
    return kinds;
  }

  /** The device loses power: RAM is gone, flash stays. Its applications are gone with it. */
  reboot(): void {
    this.hang();
    this.device = this.start(this.device.pairing, this.device.flash);
  }

  /** A device program from its first instruction. A slot that cannot be written ends the attempt. */
  private start(pairing: CorePairing, flash: Flash): TestDevice {
    const device = new TestDevice(this.pair.device, pairing, flash, this.how.options).boot();
    device.onStore = (slot) => {
      const ok = flash.store(slot);
      device.core.stored(ok);
      this.storeFailed ||= !ok;
    };
    return device;
  }

  /** A stream that is open at both ends, with nothing in flight. */
  openStream(name = 'echo', kind: Kind = Kind.Stream): { device: StreamEnd; gateway: StreamEnd } {
    const device = this.device.open(name, kind);
    this.advance(50);
    return { device, gateway: this.session.stream(device.id) };
  }
}

/** A world whose first handshake is done. */
export function connected(pair: EnginePair, variant: { mode: Mode; suite: number }, how?: WorldOptions): World {
  const world = new World(pair, variant, how);
  world.connect();
  return world;
}
