/** A device program: a DeviceCore, two flash slots, and its applications. */

import type {
  CorePairing,
  DeviceCore,
  Early,
  Engine,
  EngineOptions,
  HandshakeKind,
  Kind,
  SessionOptions,
  Transport,
  Verdict,
} from '../../lib/engine.js';
import { Verdict as VerdictCode } from '../../lib/engine.js';
import { SessionEnd, StreamEnd } from './ends.js';

/** Two slots of 64 bytes; `failWrites` and `tear` are what goes wrong with flash. */
export class Flash {
  slots: [Uint8Array | undefined, Uint8Array | undefined] = [undefined, undefined];
  current: 0 | 1 = 1;
  failWrites = false;
  /** Power goes at this step of the next store: before the write, in its middle, before the wipe. */
  tear: 'none' | 'before-write' | 'mid-write' | 'before-wipe' = 'none';
  writes = 0;

  /** Write to the other slot, read back, wipe the old one. False: it failed. Throws PowerCut where power is cut. */
  store(image: Uint8Array): boolean {
    if (this.failWrites) return false;
    const other = this.current === 0 ? 1 : 0;
    if (this.tear === 'before-write') throw new PowerCut();
    this.writes++;
    if (this.tear === 'mid-write') {
      this.slots[other] = Uint8Array.from(image, (byte, at) => (at < 30 ? byte : 0xff));
      throw new PowerCut();
    }
    this.slots[other] = image.slice();
    if (this.tear === 'before-wipe') throw new PowerCut();
    this.slots[this.current] = undefined;
    this.current = other;
    return true;
  }
}

export class PowerCut extends Error {
  constructor() {
    super('power cut');
  }
}

export class TestDevice extends SessionEnd<DeviceCore> {
  /** What was offered as early data, by stream: where writing goes on should it be TAKEN. */
  private readonly early = new Map<number, { end: StreamEnd; next: number; fin: boolean }>();

  constructor(
    readonly engine: Engine,
    readonly pairing: CorePairing,
    readonly flash = new Flash(),
    options?: SessionOptions & EngineOptions,
  ) {
    super(engine.device(pairing, options));
    this.onStore = (slot) => this.core.stored(this.flash.store(slot));
  }

  /** Power on. A slot that the core wants wiped is wiped before anything else. */
  boot(): this {
    const { wipe } = this.core.boot(this.flash.slots[0], this.flash.slots[1]);
    if (wipe !== undefined) this.flash.slots[wipe] = undefined;
    this.flash.current = this.flash.slots[0] === undefined ? 1 : 0;
    return this;
  }

  open(name: string, kind: Kind = 0): StreamEnd {
    const end = new StreamEnd(this.core.open(name, kind), name, kind);
    if (this.streams.has(end.id)) throw new Error(`open() gave id ${end.id}, which is in use`);
    this.streams.set(end.id, end);
    return end;
  }

  /** Offers what `end` has not sent yet as early data, where an end is given. */
  connect(
    transport: Transport,
    now: number,
    end?: StreamEnd,
    idempotent = false,
  ): { early: boolean; kind: HandshakeKind } {
    this.live = 'no';
    this.dropped = undefined;
    this.dead = false;
    const data = end?.written.subarray(end.acked);
    const early: Early | undefined = end && data ? { stream: end.id, data, fin: end.wantsFin, idempotent } : undefined;
    const result = this.core.connect(transport, now, early);
    if (end && data && result.early) this.early.set(end.id, { end, next: end.acked + data.length, fin: end.wantsFin });
    return result;
  }

  override handle(events: Parameters<SessionEnd['handle']>[0]): void {
    for (const event of events) {
      if (event.type === 'verdict') this.settle(event.stream, event.verdict);
      else super.handle([event]);
    }
  }

  /**
   * TAKEN: the early bytes are sent, writing goes on behind them; otherwise it starts over where they began. The stream
   * may have been reset meanwhile, so the verdict goes to the end that made the offer.
   */
  private settle(stream: number, verdict: Verdict): void {
    const early = this.early.get(stream);
    if (early === undefined) throw new Error('a verdict without early data');
    this.events.push('verdict');
    early.end.verdicts.push(verdict);
    if (verdict === VerdictCode.Taken) Object.assign(early.end, { next: early.next, finSent: early.fin });
  }
}
