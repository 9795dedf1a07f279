/**
 * The debug hook: taps on a device's core, on the steps of a gateway and on its store. What they see goes to traces for the models as it
 * happens. Any world of the harness can be watched, whatever its engines.
 */

import { createHash } from 'node:crypto';
import {
  Mode,
  Transport,
  Verdict,
  type Chain,
  type CoreEvent,
  type DeviceCore,
  type Engine,
  type Position,
} from '../../lib/engine.js';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { RESUME1_LEN } from '../../lib/engine/js/wire.js';
import { hex, splitSerial, uncobs } from '../suite/bytes.js';
import type { EnginePair } from '../suite/engines.js';
import type { StoreRow } from '../suite/gateway-double.js';
import type { World } from '../suite/harness.js';
import { ChainTrace } from './chain-trace.js';
import { layered } from './faults.js';
import { FullTrace } from './full-trace.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export interface At extends Position {
  /** The chain's name. */
  chain: string;
}

export interface Slot {
  sequence: number;
  chain: string;
  f: number;
}

/** What a trace is told. Message 1s go by their SHA-256. */
export interface Listener {
  /** With what flash held, and which slot the device wants wiped. */
  booted(slots: readonly [Slot | undefined, Slot | undefined], wiped: 0 | 1 | undefined): void;
  /** A message 1 on the wire; `at` undefined: of a full handshake. */
  sent(h: string, at: At | undefined, early: boolean): void;
  /** An answer was taken; the device asks for a write, or is live with this verdict. */
  took(asks: Slot | undefined, verdict: Verdict | undefined): void;
  stored(ok: boolean): void;
  /** The first record of a link leaves the device, which has this verdict. */
  firstRecord(verdict: Verdict): void;
  /** Something of a record of the gateway reached the application, or a record may have come that has nothing for it. */
  heard(certain: boolean): void;
  /** The application is told what became of its early data. */
  verdict(verdict: Verdict): void;
  left(): void;
  /** A new answer's claim is written. */
  claimed(h: string, verdict: Verdict, durable: boolean): void;
  deliver(h: string): void;
  /** Message 2 goes out: of the claim, or of the cache. */
  answered(h: string): void;
  fullAnswered(h: string, anew: boolean): void;
  /** A message 1 that nobody answers. */
  silent(h: string): void;
  /** A first record was valid and the store written. */
  confirmed(h: string): void;
  stale(h: string): void;
  /** The store's incarnation changed. */
  lost(): void;
  restored(): void;
  crashed(): void;
}

/** Which position a ticket stands for: every chain that was ever born, walked as far as it takes. */
class Tickets {
  private readonly js = createJsEngine();
  private readonly known = new Map<string, At>();
  private readonly chains = new Map<string, Chain>();

  add(start: Chain): void {
    if (this.chains.has(hex(start.id))) return;
    this.chains.set(hex(start.id), start);
    this.walk(start, 4);
  }

  /** A chain that the device alone knows: its first record was lost, and then its power. */
  addSlot(image: Uint8Array): void {
    const slot = Buffer.from(image);
    const id = new Uint8Array(slot.subarray(12, 20));
    const known = this.chains.has(hex(id));
    const start = { ...this.js.chainStart(new Uint8Array(slot.subarray(24, 56))), id, b: slot.readUInt32BE(20) };
    if (!known) this.chains.set(`${hex(id)} in flash`, start);
  }

  private walk(start: Chain, blocks: number): void {
    let block = start;
    for (let b = start.b; b < start.b + blocks; b++) {
      let step = block;
      for (let i = 0; i < 2 * blocks; i++) {
        const [first] = this.js.chainTickets(step, 0);
        if (first) this.known.set(hex(first.ticket), { b, i, chain: hex(start.id) });
        step = this.js.chainMove(step, { b, i: i + 1 });
      }
      block = this.js.chainMove(block, { b: b + 1, i: 0 });
    }
  }

  at(ticket: Uint8Array): At {
    for (let blocks = 8; blocks <= 128 && !this.known.has(hex(ticket)); blocks *= 2)
      for (const start of this.chains.values()) this.walk(start, blocks);
    const found = this.known.get(hex(ticket));
    if (!found) throw new Error('message 1: a ticket of no position of any chain');
    return found;
  }
}

/** SPEC 7.4, "A slot": undefined for what is not valid. */
function slotOf(bytes: Uint8Array | undefined): Slot | undefined {
  if (bytes?.length !== 64 || Buffer.from(bytes.subarray(0, 4)).toString() !== 'HWSL') return undefined;
  const check = createHash('sha256').update(bytes.subarray(0, 56)).digest().subarray(0, 8);
  if (!check.equals(bytes.subarray(56))) return undefined;
  const buffer = Buffer.from(bytes);
  return { sequence: buffer.readUInt32BE(8), chain: hex(bytes.subarray(12, 20)), f: buffer.readUInt32BE(20) };
}

/** The valid slots of a world's flash, the newer one first. */
export function flashOf({ device }: World): Slot[] {
  const valid = device.flash.slots.map(slotOf).filter((slot) => slot !== undefined);
  return valid.sort((a, b) => b.sequence - a.sequence);
}

/** Events that only a record of the gateway brings. */
const fromRecords = new Set<CoreEvent['type']>(['data', 'fin', 'message', 'opened', 'acked', 'pong', 'close']);

/** What one device does. The core that is tapped may be a broken one. */
class DeviceTap {
  private connecting = false;
  private live = false;
  private recordSent = false;
  /** stored() has made it live; the event comes later, perhaps behind the end of that link. */
  private announced = false;

  constructor(
    private readonly watch: () => Watch | undefined,
    private readonly core: DeviceCore,
  ) {}

  get members(): Partial<DeviceCore> {
    const { core } = this;
    return {
      boot: (slot0, slot1) => {
        const verdict = core.boot(slot0, slot1);
        this.watch()?.tell((trace) => trace.booted([slotOf(slot0), slotOf(slot1)], verdict.wipe));
        return verdict;
      },
      connect: (...args) => {
        this.connecting = true;
        this.live = false;
        this.recordSent = false;
        this.announced = false; // of a link that went down before it could be told
        return core.connect(...args);
      },
      send: (now) => this.sent(core.send(now)),
      write: (...args) => {
        const result = core.write(...args);
        this.sent(result.out);
        return result;
      },
      receive: (chunk, now) => this.heard(core.receive(chunk, now)),
      timeout: (now) => this.heard(core.timeout(now)),
      stored: (ok) => {
        this.watch()?.tell((trace) => trace.stored(ok));
        core.stored(ok);
        if (ok) this.live = this.announced = true;
      },
      disconnected: (now) => {
        core.disconnected(now);
        this.live = false;
        this.watch()?.tell((trace) => trace.left());
      },
    };
  }

  private sent(bytes: Uint8Array | undefined): Uint8Array | undefined {
    if (bytes === undefined || bytes.length === 0) return bytes;
    if (this.connecting) this.watch()?.message1(bytes);
    else if (this.live && !this.recordSent) {
      this.recordSent = true;
      const verdict = this.core.handshake?.early ?? Verdict.None;
      this.watch()?.tell((trace) => trace.firstRecord(verdict));
    }
    this.connecting = false;
    return bytes;
  }

  private heard(events: CoreEvent[]): CoreEvent[] {
    const watch = this.watch();
    const asks = events.find((event) => event.type === 'store');
    const live = events.some(({ type }) => type === 'live');
    const verdict = events.find((event) => event.type === 'verdict');
    if (asks) watch?.tickets.addSlot(asks.slot);
    if (asks) watch?.tell((trace) => trace.took(slotOf(asks.slot), undefined));
    else if (live && !this.live && !this.announced)
      watch?.tell((trace) => trace.took(undefined, this.core.handshake?.early));
    else if (this.live && !events.some(({ type }) => type === 'drop'))
      watch?.tell((trace) => trace.heard(events.some(({ type }) => fromRecords.has(type))));
    if (live && !asks) {
      this.live ||= !this.announced;
      this.announced = false;
    }
    if (verdict && this.live) watch?.tell((trace) => trace.verdict(verdict.verdict));
    return events;
  }
}

export class Watch {
  readonly traces: (ChainTrace | FullTrace)[];
  readonly tickets = new Tickets();
  private readonly chains: StoreRow['chain'][] = [];
  private restoring = false;

  constructor(readonly world: World) {
    const { row, setup } = world;
    this.traces = setup.mode === Mode.Ticket ? [new ChainTrace(this)] : [new FullTrace(this)];
    this.chains.push(row.chain);
    if (row.chain) this.tickets.add(row.chain);
    this.tapGateway();
    this.tapStore();
  }

  tell(what: (listener: Listener) => void): void {
    for (const trace of this.traces) what(trace);
  }

  private tapGateway(): void {
    const { gateway } = this.world;
    const inner = gateway.onStep;
    gateway.onStep = (step, of) => {
      const { claim } = of;
      if (step === 'claimed' && claim) this.tell((trace) => trace.claimed(of.h, claim.verdict, claim.durable));
      if (step === 'deliver') this.tell((trace) => trace.deliver(of.h));
      if (step === 'answer') this.tell((trace) => trace.answered(of.h));
      if (step === 'confirmed' && of.row.chain) this.tickets.add(of.row.chain);
      if (step === 'confirmed') this.tell((trace) => trace.confirmed(of.h));
      if (step === 'stale') this.tell((trace) => trace.stale(of.h));
      inner(step, of);
    };
    const restart = gateway.restart.bind(gateway);
    gateway.restart = (lost) => {
      restart(lost);
      this.tell((trace) => trace.crashed());
    };
    const answer = gateway.answer.bind(gateway);
    gateway.answer = (accept, ...rest) => {
      const before = gateway.counters.answered;
      const result = answer(accept, ...rest);
      const h = hex(accept.digest1);
      const anew = gateway.counters.answered > before;
      if (result === undefined) this.tell((trace) => trace.silent(h));
      else if (result.at === undefined) this.tell((trace) => trace.fullAnswered(h, anew));
      return result;
    };
  }

  private tapStore(): void {
    const { gateway } = this.world;
    let { incarnation } = gateway;
    Object.defineProperty(gateway, 'incarnation', {
      get: () => incarnation,
      set: (value: string) => {
        incarnation = value;
        if (!this.restoring) this.tell((trace) => trace.lost());
      },
    });
  }

  /** The operator puts the first day's backup back, raises J, and starts the gateway. */
  restore(ahead: number): void {
    const { gateway, row } = this.world;
    this.restoring = true;
    [row.chain] = this.chains;
    row.early = { kind: 'none' };
    row.incarnation = 'incarnation 1';
    gateway.ahead = ahead;
    gateway.incarnation += "'";
    this.restoring = false;
    this.tell((trace) => trace.restored());
    gateway.restart();
  }

  /** Bytes of a message 1 as the device frames them. */
  message1(bytes: Uint8Array): void {
    const unit = this.world.transport === Transport.Serial ? uncobs(splitSerial(bytes)[0] ?? bytes) : bytes;
    const message = unit.slice(2, 2 + (((unit[0] ?? 0) << 8) | (unit[1] ?? 0)));
    const at = message[0] === 0x18 ? this.tickets.at(message.slice(1, 9)) : undefined;
    const early = at !== undefined && message.length > RESUME1_LEN;
    this.tell((trace) => trace.sent(sha256(message), at, early));
  }
}

/** Engines whose devices are watched, and the watch over the world that is made with them. */
export function watching(pair: EnginePair): { pair: EnginePair; over: (world: World) => Watch } {
  const held: { watch?: Watch } = {};
  const device: Engine = layered(pair.device, { device: (core) => new DeviceTap(() => held.watch, core).members });
  return {
    pair: { name: pair.name, device, gateway: pair.gateway },
    over: (world) => (held.watch = new Watch(world)),
  };
}
