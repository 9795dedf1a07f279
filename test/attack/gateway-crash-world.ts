/**
 * The gateway as it is shipped (Gateway, Door, Connection, LmdbStore over a directory) and a device over an in-memory pipe, with a number
 * on every boundary: each store operation, each portion that either side sends, each step of the device's flash. A plan says at which one what is
 * cut. A gateway that is cut gets nothing done any more; another is started on what its directory then holds.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

import { deviceCredentials } from '../../lib/credentials.js';
import { Mode, Transport, Verdict, type Engine, type Suite } from '../../lib/engine.js';
import { createGateway, type Gateway } from '../../lib/gateway.js';
import { createPairing, type NewPairing } from '../../lib/pairing.js';
import { lmdbStore } from '../../lib/store/lmdb.js';
import type { Store } from '../../lib/types.js';
import { service, until } from '../lib/world.js';
import { hex } from '../suite/bytes.js';
import { TestDevice } from '../suite/device-double.js';
import type { StreamEnd } from '../suite/ends.js';

export type CutKind =
  | 'power' // of the device
  | 'old flash' // the same, and its flash is put back to what it was before the scenario
  | 'link'
  | 'process' // of the gateway: its directory is as it stands
  | 'machine' // of the gateway: its directory is what the last durable write left
  | 'old directory' // of the gateway: its directory is that of before the scenario, and nobody says so
  | 'backup'; // the same, and the operator does what `hawser restore` does

const DEVICE: readonly CutKind[] = ['power', 'old flash', 'link'];
const GATEWAY: readonly CutKind[] = ['process', 'machine', 'old directory', 'backup'];

export interface Point {
  name: string;
  kinds: readonly CutKind[];
}
export type Plan = readonly { index: number; kind: CutKind }[];

/** How the gateway or its operator is broken. */
export interface Faults {
  claimsNotDurable?: boolean;
  aheadNotRaised?: boolean;
  flashLate?: boolean;
}

class Cut extends Error {
  constructor(readonly kind: CutKind) {
    super(kind);
  }
}

const ATTEMPTS = 14;
const AHEAD = 64;
const never = new Promise<never>(() => undefined);

/** What reached the upstream, all worlds together: each datum has a name of its own. */
export class Sink {
  text = '';
  private constructor(private readonly open: Awaited<ReturnType<typeof service>>) {}

  static async start(): Promise<Sink> {
    let sink: Sink | undefined = undefined as Sink | undefined;
    const open = await service((socket) => socket.on('data', (part) => sink && (sink.text += String(part))));
    return (sink = new Sink(open));
  }
  get url(): string {
    return this.open.url;
  }
  count(datum: string): number {
    return this.text.split(datum).length - 1;
  }
  stop(): void {
    this.open.server.close();
    for (const socket of this.open.sockets) socket.destroy();
  }
}

/** The gateway's end of a connection. */
class Pipe extends Duplex {
  readonly remoteAddress = '192.0.2.1';
  constructor(private readonly onBytes: (bytes: Uint8Array) => void) {
    super();
    this.on('error', () => undefined);
  }
  override _read(): void {
    // push() is called when the device has sent something.
  }
  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    this.onBytes(Uint8Array.from(bytes));
    done();
  }
}

export class GatewayCrashWorld {
  readonly points: Point[] = [];
  readonly data: { name: string; end: StreamEnd; verdicts: number; gone: boolean }[] = [];
  rolledBack = false;
  restored = false;
  private readonly folder = mkdtempSync(join(tmpdir(), 'hawser-crash-'));
  private readonly identity;
  private readonly run = randomBytes(4).toString('hex');
  private armed = false;
  private now = 1_000_000;
  private device!: TestDevice;
  private pairing!: NewPairing;
  private gateway!: Gateway;
  private store!: Store;
  /** Of this gateway: when it is cut nothing of it goes on. */
  private life = { dead: false, busy: 0 };
  private cut: CutKind | undefined;
  private pipe: Pipe | undefined;
  private inbox: Uint8Array[] = [];
  private oldSlots: [Uint8Array | undefined, Uint8Array | undefined] = [undefined, undefined];
  private lateImage: Uint8Array | undefined;
  private readonly firsts: Uint8Array[] = [];
  private readonly keys = new Map<string, Pipe>();
  /** Devices that a gateway named with a ticket of the past. */
  private readonly alarms = new Set<string>();

  constructor(
    private readonly engine: Engine,
    private readonly variant: { mode: Mode; suite: Suite },
    private readonly sink: Sink,
    private readonly plan: Plan,
    private readonly faults: Faults = {},
  ) {
    this.identity = {
      id: randomBytes(8),
      x25519: engine.generateKey(1),
      p256: engine.generateKey(2),
      sealingKey: randomBytes(32),
    };
  }

  private get path(): string {
    return join(this.folder, 'store');
  }

  async start(): Promise<void> {
    await this.openGateway();
    const { mode, suite } = this.variant;
    this.pairing = createPairing(this.engine, this.identity, { mode, suite, upstreams: ['sink'] });
    await this.store.add(this.pairing.gateway);
    this.powerOn();
  }

  async stop(): Promise<void> {
    this.life.dead = true;
    this.hang();
    await this.gateway.close({ drain: 0 });
    await this.store.close();
    rmSync(this.folder, { recursive: true });
  }

  /**
   * What the scenario begins with is kept: as a backup, and as an old flash. From here on points count. The directory was opened again since the
   * backup: one that was not counts as many openings as its log, and nothing shows that it is old (docs/SECURITY.md).
   */
  async arm(): Promise<void> {
    this.hang();
    cpSync(this.path, `${this.path}.backup`, { recursive: true });
    if (this.possible('old directory')) await this.restartGateway('process');
    cpSync(this.path, `${this.path}.durable`, { recursive: true });
    this.oldSlots = [...this.device.flash.slots];
    this.armed = true;
  }

  // ---- Boundaries ---------------------------------------------------------------------------------------------------

  private isCutAt(name: string, kinds: readonly CutKind[]): CutKind | undefined {
    if (!this.armed) return undefined;
    const index = this.points.length;
    this.points.push({ name, kinds: kinds.filter((kind) => this.possible(kind)) });
    return this.plan.find((each) => each.index === index)?.kind;
  }

  /** A directory put back in silence: in mode ticket a device that is beyond it is the operator's `restore` to find. */
  private possible(kind: CutKind): boolean {
    return kind !== 'old directory' || this.variant.mode !== Mode.Ticket;
  }

  private point(name: string, kinds: readonly CutKind[]): void {
    const kind = this.isCutAt(name, kinds);
    if (kind) throw new Cut(kind);
  }

  /** In the gateway: whoever waits for it waits for ever. */
  private async gatewayPoint(life: { dead: boolean }, name: string): Promise<void> {
    if (life.dead) return never;
    const kind = this.isCutAt(`gateway: ${name}`, GATEWAY);
    if (!kind) return;
    this.cut = kind;
    life.dead = true;
    await never;
  }

  // ---- The gateway --------------------------------------------------------------------------------------------------

  private async openGateway(): Promise<void> {
    const life = { dead: false, busy: 0 };
    this.life = life;
    this.store = await lmdbStore({ path: this.path, sealingKey: this.identity.sealingKey });
    this.gateway = createGateway({
      store: this.watched(this.store, life),
      identity: this.identity,
      upstreams: { sink: this.sink.url },
      engine: this.engine,
      policyInterval: 0x7fffffff,
    });
    this.gateway.on('error', (error) => assert.fail(error));
    this.gateway.on('drop', ({ reason, device }) => reason === 'passedTicket' && this.alarms.add(hex(device!)));
  }

  /** The same store, each operation between two points. */
  private watched(store: Store, life: { dead: boolean; busy: number }): Store {
    const around = async <T>(name: string, action: () => Promise<T>): Promise<T> => {
      life.busy++;
      try {
        await this.gatewayPoint(life, `before ${name}`);
        const result = await action();
        await this.gatewayPoint(life, `after ${name}`);
        return result;
      } finally {
        life.busy--;
      }
    };
    // A cut at a read is one between the message before it and the write behind it.
    const busy = async <T>(action: () => Promise<T>): Promise<T> => {
      life.busy++;
      const result = await action().finally(() => life.busy--);
      return life.dead ? never : result;
    };
    const over: Partial<Store> = {
      get: (id) => busy(() => store.get(id)),
      byTicket: (ticket) => busy(() => store.byTicket(ticket)),
      compareAndSet: (id, version, state, tickets, durable) =>
        around('compareAndSet', async () => {
          const lasts = durable && !this.faults.claimsNotDurable;
          const done = await store.compareAndSet(id, version, state, tickets, lasts);
          if (done && lasts && this.armed) this.keepDirectory();
          return done;
        }),
    };
    return new Proxy(store, {
      get: (target, key) => {
        if (key in over) return over[key as keyof Store];
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
  }

  private keepDirectory(): void {
    rmSync(`${this.path}.durable`, { recursive: true });
    cpSync(this.path, `${this.path}.durable`, { recursive: true });
  }

  private async restartGateway(kind: CutKind): Promise<void> {
    this.life.dead = true;
    // What a process that is killed leaves: closing it, which has to be done here, would tidy up.
    cpSync(this.path, `${this.path}.killed`, { recursive: true });
    await this.gateway.close({ drain: 0 });
    await this.store.close();
    rmSync(this.path, { recursive: true });
    cpSync(`${this.path}.${this.left(kind)}`, this.path, { recursive: true });
    rmSync(`${this.path}.killed`, { recursive: true });
    await this.openGateway();
    if (kind === 'backup') await this.restore();
    if (this.armed) this.keepDirectory();
  }

  private left(kind: CutKind): string {
    return kind === 'process' ? 'killed' : kind === 'machine' ? 'durable' : 'backup';
  }

  /** What the command of that name does. */
  private async restore(): Promise<void> {
    this.restored = true;
    await this.store.restore(this.faults.aheadNotRaised ? 2 : AHEAD, ({ chain, ahead }) =>
      chain ? this.engine.chainTickets(chain, ahead).map(({ ticket }) => ticket) : [],
    );
  }

  // ---- The device ---------------------------------------------------------------------------------------------------

  powerOn(): void {
    const { pairing } = deviceCredentials(this.engine, this.pairing.device);
    this.device = new TestDevice(this.engine, pairing, this.device?.flash, { keylog: true, streams: 8 }).boot();
    this.device.onStore = (image) => this.storeImage(image);
    this.lateImage = undefined;
  }

  powerOff(): void {
    this.hang();
    for (const datum of this.data) datum.gone = true;
  }

  private storeImage(image: Uint8Array): void {
    const { flash, core } = this.device;
    const next = flash.current === 0 ? 1 : 0;
    const late = this.faults.flashLate ? this.lateImage : image;
    this.lateImage = image;
    this.point('flash: before the write', DEVICE);
    if (late) {
      flash.slots[next] = late;
      this.point('flash: written', DEVICE);
      flash.slots[flash.current] = undefined;
      flash.current = next;
    }
    this.point('flash: wiped', DEVICE);
    core.stored(true);
  }

  /** Something to send, under a name that nothing else has. */
  datum(): StreamEnd {
    const name = `${this.run}-${this.data.length};`;
    const end = this.device.open('sink');
    end.write(Buffer.from(name));
    this.data.push({ name, end, verdicts: 0, gone: false });
    return end;
  }

  hang(): void {
    this.pipe?.destroy();
    this.pipe = undefined;
    this.inbox = [];
    this.device.core.disconnected(this.now);
  }

  /** One link, until neither side has anything to say. Throws where it is cut. */
  async connect(early?: StreamEnd): Promise<void> {
    this.hang();
    this.device.connect(Transport.Stream, this.now, early);
    const life = this.life;
    const pipe = new Pipe((bytes) => !life.dead && this.pipe === pipe && this.inbox.push(bytes));
    this.pipe = pipe;
    this.gateway.accept(pipe);
    await this.talk();
  }

  async talk(): Promise<void> {
    for (;;) {
      const sent = await this.sendAll();
      const got = await this.receiveAll();
      if (!sent && !got) return;
    }
  }

  private async sendAll(): Promise<boolean> {
    const { device, pipe } = this;
    if (device.core.deadline() <= this.now) this.handle(device.core.timeout(this.now));
    const units = pipe ? device.output(this.now) : [];
    for (const unit of units) {
      if (unit[0] !== undefined && unit[0] < 0x10) this.firsts.push(unit);
      this.point('device: before it sends', [...DEVICE, ...GATEWAY]);
      pipe?.push(Buffer.from(unit));
      await this.settled();
      this.point('device: sent', [...DEVICE, ...GATEWAY]);
    }
    return units.length > 0;
  }

  private async receiveAll(): Promise<boolean> {
    await this.settled();
    const units = this.inbox.splice(0);
    for (const unit of units) {
      this.point('gateway: its bytes are under way', [...DEVICE, ...GATEWAY]);
      this.handle(this.device.core.receive(unit, this.now));
      this.checkKeys();
      this.point('device: received', [...DEVICE, ...GATEWAY]);
    }
    return units.length > 0;
  }

  private handle(events: Parameters<TestDevice['handle']>[0]): void {
    this.device.handle(events);
    if (this.device.dropped !== undefined || this.device.dead) this.hang();
  }

  /** The gateway has done what it can do with what it got. Throws if it was cut meanwhile. */
  private async settled(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet = this.life.busy > 0 ? 0 : quiet + 1) {
      await turn();
      if (this.cut !== undefined) {
        const kind = this.cut;
        this.cut = undefined;
        throw new Cut(kind);
      }
    }
    if (this.pipe?.destroyed) this.hang();
  }

  // ---- Cuts, and life behind them -----------------------------------------------------------------------------------

  /** Runs until it is over or cut; what was cut is then down and up again, and hears its past. */
  async attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      await this.carryOut(error.kind);
      // Message 1s of the blocks between would lead the gateway there one by one.
      if (!this.faults.aheadNotRaised) await this.replay();
    }
  }

  private async carryOut(kind: CutKind): Promise<void> {
    if (kind === 'link') return this.hang();
    if (GATEWAY.includes(kind)) {
      this.hang();
      return this.restartGateway(kind);
    }
    this.powerOff();
    if (kind === 'old flash') {
      this.device.flash.slots = [...this.oldSlots];
      this.rolledBack = true;
    }
    this.powerOn();
  }

  /** Every message 1 of the past, on connections of its own. */
  async replay(): Promise<void> {
    const armed = this.armed;
    this.armed = false;
    for (const first of this.firsts) {
      const pipe = new Pipe(() => undefined);
      this.gateway.accept(pipe);
      pipe.push(Buffer.from(first));
      await this.settled();
      pipe.destroy();
    }
    this.armed = armed;
  }

  /** It ends in a working session, or in the one silence that is meant. */
  async settle(): Promise<'works' | 'refused'> {
    for (let tries = 0; tries < ATTEMPTS && !this.device.core.live; tries++) {
      this.now += 61_000;
      await this.attempt(() => this.connect());
    }
    this.armed = false;
    if (!this.device.core.live) return this.checkRefused();
    const last = this.datum();
    const { name } = this.data.at(-1) ?? assert.fail();
    await this.talk();
    await until(() => this.sink.count(name) > 0, 'a session that is live works');
    await this.replay();
    this.check();
    assert.equal(last.code, undefined, 'its stream is open');
    return 'works';
  }

  private checkRefused(): 'refused' {
    assert.ok(this.rolledBack && this.variant.mode === Mode.Ticket, 'locked out');
    assert.ok(this.alarms.has(hex(this.pairing.device.id)), 'the operator hears of it, and of which device');
    this.check();
    return 'refused';
  }

  private check(): void {
    for (const { name, end, gone } of this.data) {
      const handed = this.sink.count(name);
      assert.ok(handed <= 1, `handed over ${handed} times`);
      if (!gone && end.verdict === Verdict.NotTaken && end.acked === 0 && end.next === 0)
        assert.equal(handed, 0, 'NOT TAKEN, and handed over');
    }
  }

  private checkKeys(): void {
    const { pipe, device } = this;
    if (!pipe || !device.core.live) return;
    const key = hex(device.core.keys()?.d2g ?? assert.fail('keylog is on'));
    assert.ok((this.keys.get(key) ?? pipe) === pipe, 'traffic keys come back on another link');
    this.keys.set(key, pipe);
  }
}
