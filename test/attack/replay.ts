/**
 * The debug hook: taps on a device's core, on the steps of a gateway and on its store, told to the model as they happen. Any world of the
 * harness can be watched, whatever its engines.
 */

import { createHash } from 'node:crypto';
import { Mode, Transport, type Chain, type CoreEvent, type DeviceCore, type Engine } from '../../lib/engine.js';
import { createJsEngine } from '../../lib/engine/js/index.js';
import type { EarlyState } from '../../lib/types.js';
import { hex, splitSerial, uncobs } from '../suite/bytes.js';
import type { EnginePair } from '../suite/engines.js';
import type { StoreRow } from '../suite/gateway-double.js';
import type { World } from '../suite/harness.js';
import { ChainModel, NotAllowed, type At, type Record } from './chain-model.js';
import { layered } from './faults.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Which position a ticket stands for: every chain that was ever born, walked as far as it takes. */
class Tickets {
  private readonly js = createJsEngine();
  private readonly known = new Map<string, At & { chain: string }>();
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

  at(ticket: Uint8Array): At & { chain: string } {
    for (let blocks = 8; blocks <= 128 && !this.known.has(hex(ticket)); blocks *= 2)
      for (const start of this.chains.values()) this.walk(start, blocks);
    const found = this.known.get(hex(ticket));
    if (!found) throw new NotAllowed('message 1: a ticket of no position of any chain');
    return found;
  }
}

/** SPEC 7.4, "A slot": undefined for what is not valid. */
function slotOf(bytes: Uint8Array | undefined): { chain: string; f: number } | undefined {
  if (bytes?.length !== 64 || Buffer.from(bytes.subarray(0, 4)).toString() !== 'HWSL') return undefined;
  const check = createHash('sha256').update(bytes.subarray(0, 56)).digest().subarray(0, 8);
  if (!check.equals(bytes.subarray(56))) return undefined;
  return { chain: hex(bytes.subarray(12, 20)), f: Buffer.from(bytes).readUInt32BE(20) };
}

function earlyOf(early: EarlyState): string {
  if (early.kind === 'none' || early.kind === 'void') return early.kind === 'none' ? 'EMPTY' : 'VOID';
  return early.kind === 'taken' ? hex(early.h) : `REFUSED ${hex(early.h)}`;
}

const recordOf = ({ chain, early, incarnation }: StoreRow): Record => ({
  chain: chain ? hex(chain.id) : '',
  p: { b: chain?.b ?? 0, i: chain?.i ?? 0 },
  early: earlyOf(early),
  inc: incarnation,
});

/** Tells the model what one device does. The core that is tapped may be a broken one. */
class DeviceTap {
  private connecting = false;
  private live = false;
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
        this.watch()?.model.boot(
          [slotOf(slot0), slotOf(slot1)],
          verdict.wipe,
          this.watch()?.first ?? { chain: '', f: 0 },
        );
        return verdict;
      },
      connect: (...args) => {
        this.connecting = true;
        this.live = false;
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
        this.watch()?.model.stored(ok);
        core.stored(ok);
        if (ok) this.live = this.announced = true;
      },
      disconnected: (now) => {
        core.disconnected(now);
        this.live = false;
        this.watch()?.model.leave_link();
      },
    };
  }

  private sent(bytes: Uint8Array | undefined): Uint8Array | undefined {
    if (bytes === undefined || bytes.length === 0) return bytes;
    if (this.connecting) this.watch()?.message1(bytes);
    else if (this.live) this.watch()?.model.first_record();
    this.connecting = false;
    return bytes;
  }

  private heard(events: CoreEvent[]): CoreEvent[] {
    const model = this.watch()?.model;
    const asks = events.find((event) => event.type === 'store');
    const live = events.some(({ type }) => type === 'live');
    if (asks) this.watch()?.tickets.addSlot(asks.slot);
    if (asks) model?.rule_7_4_3_take(slotOf(asks.slot));
    else if (live && !this.live && !this.announced) model?.rule_7_4_3_take(undefined);
    else if (this.live && !events.some(({ type }) => type === 'drop')) model?.hear(events.length > 0);
    if (live && !asks) {
      this.live ||= !this.announced;
      this.announced = false;
    }
    return events;
  }
}

export class Watch {
  readonly model: ChainModel;
  readonly first: { chain: string; f: number };
  readonly tickets = new Tickets();

  constructor(
    readonly world: World,
    seen: Map<string, number>,
  ) {
    const { gateway, row, setup } = world;
    const start = recordOf(row);
    this.first = { chain: start.chain, f: 0 };
    const limits = { maxSteps: setup.maxSteps, maxBlocks: setup.maxBlocks, ahead: gateway.ahead };
    this.model = new ChainModel(setup.mode === Mode.Ticket, start, gateway.incarnation, limits);
    Object.assign(this.model, { walked: seen });
    if (row.chain) this.tickets.add(row.chain);
    this.tapGateway();
    this.model.boot([undefined, undefined], undefined, this.first);
  }

  private tapGateway(): void {
    const { gateway } = this.world;
    const inner = gateway.onStep;
    gateway.onStep = (step, of) => {
      const { model } = this;
      const now = recordOf(of.row);
      if (step === 'claimed' && of.claim && of.message) {
        const { hasEarly, refuse, q } = of.message;
        model.claimed(of.h, q, hasEarly, refuse, of.claim.verdict, of.claim.durable, now);
      }
      if (step === 'deliver') model.deliver(of.h);
      if (step === 'answer') model.answered(of.h, of.at);
      if (step === 'confirmed') this.confirmed(of.h, of.row, now);
      if (step === 'stale') model.stale(of.h);
      inner(step, of);
    };
    const restart = gateway.restart.bind(gateway);
    gateway.restart = (lost) => {
      restart(lost);
      this.model.crash(gateway.incarnation);
    };
  }

  private confirmed(h: string, row: StoreRow, now: Record): void {
    if (row.chain) this.tickets.add(row.chain);
    this.model.confirmed(h, now);
  }

  /** Bytes of a message 1 as the device frames them. */
  message1(bytes: Uint8Array): void {
    const unit = this.world.transport === Transport.Serial ? uncobs(splitSerial(bytes)[0] ?? bytes) : bytes;
    const message = unit.slice(2, 2 + (((unit[0] ?? 0) << 8) | (unit[1] ?? 0)));
    const resumption = message[0] === 0x18;
    this.model.message(sha256(message), resumption ? this.tickets.at(message.slice(1, 9)) : undefined);
  }
}

/** Engines whose devices are watched, and the watch over the world that is made with them. */
export function watching(
  pair: EnginePair,
  seen: Map<string, number>,
): { pair: EnginePair; over: (world: World) => void } {
  const held: { watch?: Watch } = {};
  const device: Engine = layered(pair.device, { device: (core) => new DeviceTap(() => held.watch, core).members });
  return {
    pair: { ...pair, name: pair.name, device, gateway: pair.gateway },
    over: (world) => {
      held.watch = new Watch(world, seen);
    },
  };
}
