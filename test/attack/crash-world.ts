/**
 * A device and a gateway that can be stopped at every boundary of their exchange: each persist, send and receive of either side is a
 * point with a number, and a plan says at which points what is cut. After a cut life goes on, and the same promises are held to it.
 */

import assert from 'node:assert/strict';
import { Mode, Transport, Verdict, type Chain } from '../../lib/engine.js';
import { cobsDecode } from '../../lib/engine/js/cobs.js';
import type { EarlyState } from '../../lib/types.js';
import { StreamModel } from '../sim/model.js';
import { hex, pattern, splitSerial, splitStream } from '../suite/bytes.js';
import type { EnginePair, Variant } from '../suite/engines.js';
import { World, type Direction, type Link } from '../suite/harness.js';

export type CutKind =
  | 'power' // of the device; flash stays as it stands
  | 'old flash' // the same, and flash is put back to what it was before the scenario
  | 'link'
  | 'process' // of the gateway; its store keeps every write
  | 'machine' // of the gateway: writes behind the last durable one are gone, and nobody says so
  | 'announced' // the same, and the store says so by a new incarnation
  | 'failover'; // the last durable write is gone as well, which the store announces

const DEVICE: readonly CutKind[] = ['power', 'old flash'];
const GATEWAY: readonly CutKind[] = ['process', 'machine', 'announced', 'failover'];
const EVERYTHING: readonly CutKind[] = [...DEVICE, 'link', ...GATEWAY];
/** Bytes of a slot that a torn write got to. */
const TEARS = [1, 31, 63];

export interface Point {
  index: number;
  name: string;
  kinds: readonly CutKind[];
}
export type Plan = readonly { index: number; kind: CutKind }[];

class Cut extends Error {
  constructor(readonly kind: CutKind) {
    super(kind);
  }
}

interface StoreImage {
  chain: Chain | undefined;
  early: EarlyState;
  incarnation: string;
}
type Slots = [Uint8Array | undefined, Uint8Array | undefined];

/** Enough for patience and every turn of the ladder; behind the third in silence nothing new is cut. */
const ATTEMPTS = 14;
const ATTEMPTS_CUT = 3;

export class CrashWorld extends World {
  readonly points: Point[] = [];
  readonly models: StreamModel[] = [];
  /** The gateway hears every message of the past again, right behind each cut. */
  hostile = false;
  private armed = false;
  private old: Slots = [undefined, undefined];
  private durable: StoreImage;
  private before: StoreImage;
  private readonly judged = new Map<StreamModel, number>();
  rolledBack = false;
  /** A seeded fault: stored() is told at once, and the image is written with the next one. */
  lazyFlash = false;
  private unwritten: Uint8Array | undefined;

  constructor(
    pair: EnginePair,
    readonly variant: Variant,
    private readonly plan: Plan = [],
    transport: Transport = Transport.Stream,
  ) {
    super(pair, variant, { transport, options: { keylog: true } });
    this.durable = this.before = this.storeImage();
    this.gateway.prepare = (session) => {
      session.onOpen = (end) => {
        this.models.find(({ device }) => device.name === end.name)?.upstreams.push(end);
        session.core.consume(end.id, 0);
      };
    };
    this.gateway.onStep = (step, { at, claim }) => {
      if (step === 'claimed' && claim?.durable === true) this.persist();
      if (step === 'confirmed' && at === undefined) this.persist();
      this.point(`gateway: ${step}`, GATEWAY);
    };
    this.equip();
  }

  /** From here on points count. */
  arm(): void {
    this.armed = true;
    this.old = [...this.device.flash.slots];
  }

  /** A new stream of the device's program, written to; counted at the gateway by its name. */
  datum(): StreamModel {
    const end = this.device.open(`d-${this.models.length}`);
    end.write(pattern(20, this.models.length));
    const model = new StreamModel(end);
    this.models.push(model);
    return model;
  }

  // ---- Boundaries ---------------------------------------------------------------------------------------------------

  private point(name: string, kinds: readonly CutKind[], onCut: () => void = () => undefined): void {
    if (!this.armed) return;
    const index = this.points.length;
    this.points.push({ index, name, kinds });
    const cut = this.plan.find((each) => each.index === index);
    if (cut === undefined) return;
    onCut();
    throw new Cut(cut.kind);
  }

  override deliver(link: Link, direction: Direction, units: readonly Uint8Array[]): void {
    for (const unit of units) {
      this.point(`${direction}: sent`, EVERYTHING);
      super.deliver(link, direction, [unit]);
      this.judge();
      this.point(`${direction}: arrived`, EVERYTHING);
    }
  }

  /** The device's flash, one step at a time. */
  private equip(): void {
    const { device } = this;
    this.unwritten = undefined;
    device.onStore = (image) => {
      if (!this.lazyFlash) this.store(image);
      else if (this.unwritten) this.store(this.unwritten);
      this.unwritten = image;
      device.core.stored(true);
      this.point('device: may send its first record', DEVICE);
    };
  }

  private store(image: Uint8Array): void {
    const { flash } = this.device;
    const next = flash.current === 0 ? 1 : 0;
    const kinds: readonly CutKind[] = [...DEVICE, 'link'];
    this.point('flash: before the write', kinds);
    for (const tear of TEARS)
      this.point(`flash: torn at ${tear}`, DEVICE, () => {
        flash.slots[next] = Uint8Array.from(image, (byte, at) => (at < tear ? byte : 0xff));
      });
    flash.slots[next] = image.slice();
    this.point('flash: written', kinds);
    assert.equal(hex(flash.slots[next]), hex(image), 'flash reads back');
    this.point('flash: read back', kinds);
    this.point('flash: wipe torn', DEVICE, () => {
      flash.slots[flash.current] = flash.slots[flash.current]?.map((byte, at) => (at < 32 ? 0 : byte));
    });
    flash.slots[flash.current] = undefined;
    flash.current = next;
    this.point('flash: wiped', kinds);
  }

  private storeImage(): StoreImage {
    const { chain, early, incarnation } = this.row;
    return { chain, early, incarnation };
  }

  private persist(): void {
    this.before = this.durable;
    this.durable = this.storeImage();
  }

  // ---- Cuts ---------------------------------------------------------------------------------------------------------

  /** Runs until it returns or is cut; what was cut is then down and up again. */
  attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      this.carryOut(error.kind);
      if (this.hostile) this.replayEverything();
    }
  }

  private carryOut(kind: CutKind): void {
    if (kind === 'power' || kind === 'old flash') return this.powerCut(kind === 'old flash');
    if (kind !== 'link') this.gateway.restart(kind === 'announced' || kind === 'failover');
    if (kind === 'machine' || kind === 'announced') Object.assign(this.row, this.durable);
    if (kind === 'failover') Object.assign(this.row, this.before);
    if (kind === 'failover') this.durable = this.before;
    this.hang();
  }

  powerCut(rollBack = false): void {
    for (const model of this.models) model.orphaned = true;
    if (rollBack) {
      this.device.flash.slots = [...this.old];
      this.rolledBack = true;
    }
    this.reboot();
    this.equip();
  }

  /** Everything that devices ever sent, on connections of its own. */
  replayEverything(): void {
    const armed = this.armed;
    this.armed = false;
    for (const link of this.links) {
      const port = this.gateway.listen(this.transport);
      port.receive(link.bytes('d2g'), this.now);
      port.close();
    }
    this.armed = armed;
  }

  // ---- Promises -----------------------------------------------------------------------------------------------------

  /** The moment a verdict is known it must be true. */
  private judge(): void {
    for (const model of this.models) {
      const { verdicts } = model.device;
      for (let at = this.judged.get(model) ?? 0; at < verdicts.length; at++) this.judgeOne(model, verdicts[at]);
      this.judged.set(model, verdicts.length);
    }
  }

  private judgeOne({ device, upstreams }: StreamModel, verdict: Verdict | undefined): void {
    const handed = upstreams.length;
    if (verdict === Verdict.Taken) assert.equal(handed, 1, `${device.name}: TAKEN, and handed over ${handed} times`);
    if (verdict === Verdict.NotTaken) assert.equal(handed, 0, `${device.name}: NOT TAKEN, and handed over`);
  }

  /** Tries until it is live. False: locked out. */
  private climbUp(): boolean {
    for (let tries = 0; tries < ATTEMPTS; tries++) {
      if (tries === ATTEMPTS_CUT) this.armed = false;
      this.attempt(() => {
        if (!this.device.core.live) this.connect();
        if (!this.device.core.live) this.advance(11_000);
      });
      if (this.device.core.live && this.link !== undefined) return true;
      this.now += 61_000;
    }
    return false;
  }

  /** Life goes on behind the scenario: it ends in a working session or in the one refusal that is meant. */
  settle(): 'works' | 'refused' {
    for (let tries = 0; tries < 4; tries++) {
      if (!this.climbUp()) return this.checkRefused();
      // The exchange is over: what follows only shows that it works.
      this.armed = false;
      let last: StreamModel | undefined;
      this.attempt(() => {
        last = this.datum();
        this.advance(200);
      });
      if (this.link === undefined || last === undefined || last.orphaned) continue;
      this.checkAll();
      assert.equal(last.upstreams.length, 1, 'a session that is live works');
      assert.equal(last.upstreams[0]?.received.length, 20);
      this.replayEverything();
      this.checkAll();
      return 'works';
    }
    throw new Error('cut more often than planned');
  }

  checkAll(): void {
    this.judge();
    for (const model of this.models) model.check();
    this.checkWire();
  }

  /** SPEC 14: a device in mode ticket whose flash was rolled back is met with silence, and the gateway counts it. */
  private checkRefused(): 'refused' {
    assert.ok(this.rolledBack && this.variant.mode === Mode.Ticket, 'locked out');
    const { silent } = this.gateway.counters;
    this.powerCut();
    this.connect();
    assert.equal(this.link?.bytes('g2d').length ?? this.links.at(-1)?.bytes('g2d').length, 0, 'not a byte in answer');
    assert.ok(this.gateway.counters.silent > silent, 'the operator hears of it');
    this.checkAll();
    return 'refused';
  }

  /** What an observer of the wire and a log of keys can see of repeats, whatever the engine. */
  private checkWire(): void {
    const nonces = new Map<string, string>();
    for (const direction of ['d2g', 'g2d'] as const)
      for (const link of this.links) {
        const [first] = whole(link.bytes(direction), this.transport);
        if (first === undefined || (first[2] !== 0x18 && first[2] !== 0x1a)) continue;
        const nonce = hex(first.slice(2, first[2] === 0x18 ? 23 : 19));
        const seen = nonces.get(nonce);
        assert.ok(seen === undefined || seen === hex(first), `${direction}: one nonce, two messages`);
        nonces.set(nonce, hex(first));
      }
  }

  /** Bytes of the first unit each way are what both ends made of it: kept for traffic keys too. */
  private readonly traffic = new Map<string, Link>();
  override arrive(direction: Direction, chunk: Uint8Array): void {
    super.arrive(direction, chunk);
    const { link } = this;
    if (link === undefined || !this.device.core.live) return;
    const keys = this.device.core.keys();
    assert.ok(keys, 'keylog is on');
    const key = hex(keys.d2g);
    const owner = this.traffic.get(key);
    assert.ok(owner === undefined || owner === link, 'traffic keys come back on another link');
    this.traffic.set(key, link);
  }
}

/** Whole units alone: a link that was cut may end inside of one. */
function whole(bytes: Uint8Array, transport: Transport): Uint8Array[] {
  if (transport === Transport.Serial) {
    const frames = splitSerial(bytes).filter((frame) => frame.length > 1 && frame.at(-1) === 0);
    return frames.map((frame) => cobsDecode(frame.slice(0, -1)) ?? assert.fail('a frame that is no COBS'));
  }
  if (bytes.length < 2) return [];
  const word = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const length = 2 + word;
  return (word & 0x4000) === 0 && bytes.length >= length ? splitStream(bytes.slice(0, length)) : [];
}
