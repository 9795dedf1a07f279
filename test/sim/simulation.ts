/** Commands of applications and of fate, carried out on a SimWorld and held to the model after each. */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Code, Transport } from '../../lib/engine.js';
import { pattern, seeded } from '../suite/bytes.js';
import { PowerCut } from '../suite/device-double.js';
import { unlessClosed } from '../suite/ends.js';
import { variants, type EnginePair } from '../suite/engines.js';
import { noFaults, SimWorld, type Faults } from './link.js';
import { StreamModel } from './model.js';

export type Command =
  | { do: 'open'; early: boolean; idempotent: boolean; bytes: number }
  | { do: 'write'; stream: number; bytes: number; fin: boolean; from: 'device' | 'gateway' }
  | { do: 'reset'; stream: number; from: 'device' | 'gateway' }
  | { do: 'hold'; stream: number; from: 'device' | 'gateway'; hold: boolean }
  | { do: 'wait'; ms: number }
  | { do: 'cut' }
  | { do: 'reboot'; tear: 'none' | 'before-write' | 'mid-write' | 'before-wipe' }
  | { do: 'restart'; lost: boolean }
  | { do: 'flash'; fails: boolean };

export interface Plan {
  variant: number;
  serial: boolean;
  seed: number;
  faults: Faults;
  window: number;
  commands: Command[];
}

const side = fc.constantFrom('device' as const, 'gateway' as const);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      early: fc.boolean(),
      idempotent: fc.boolean(),
      bytes: fc.integer({ min: 0, max: 300 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      stream: fc.nat(7),
      bytes: fc.integer({ min: 0, max: 3000 }),
      fin: fc.boolean(),
      from: side,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), stream: fc.nat(7), from: side }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('hold' as const), stream: fc.nat(7), from: side, hold: fc.boolean() }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 20_000, max: 90_000 }) }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'cut' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('reboot' as const),
      tear: fc.constantFrom('none', 'before-write', 'mid-write', 'before-wipe'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), lost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flash' as const), fails: fc.boolean() }) },
);

const chance = fc.constantFrom(0, 0, 0.02, 0.1);
const faults: fc.Arbitrary<Faults> = fc.record({
  loss: chance,
  double: chance,
  late: chance,
  short: chance,
  flip: chance,
  cut: chance,
  delay: fc.constantFrom(1, 10, 200),
});

export const plan: fc.Arbitrary<Plan> = fc.record({
  variant: fc.nat(variants.length - 1),
  serial: fc.boolean(),
  seed: fc.nat(),
  faults,
  window: fc.constantFrom(64, 500, 4096),
  commands: fc.array(command, { minLength: 5, maxLength: 60, size: 'max' }),
});

/** How long the world is left alone at the end: enough for patience, ladder and every timer. */
const SETTLE_MS = 45 * 60_000;

export class Simulation {
  readonly world: SimWorld;
  readonly models: StreamModel[] = [];
  private readonly byName = new Map<string, StreamModel>();
  private redialAt = 0;
  private early: StreamModel | undefined;

  constructor(
    pair: EnginePair,
    readonly plan: Plan,
    limits: { maxSteps?: number; maxBlocks?: number } = {},
  ) {
    const variant = variants[plan.variant] ?? variants[0];
    const windows = { windowDevice: plan.window, windowGateway: plan.window };
    const over = { ...windows, ...limits, recordMax: 64 + (plan.seed % 1000) };
    this.world = new SimWorld(pair, variant, { over, transport: plan.serial ? Transport.Serial : Transport.Stream });
    this.world.random = seeded(plan.seed);
    this.world.faults = plan.faults;
    this.world.gateway.prepare = (session) => {
      session.onOpen = (end) => {
        this.byName.get(end.name)?.upstreams.push(end);
        session.core.consume(end.id, 0);
      };
    };
  }

  run(): void {
    for (const each of this.plan.commands) {
      this.execute(each);
      this.pass(1);
      for (const model of this.models) model.check();
    }
    this.settle();
  }

  private execute(command: Command): void {
    switch (command.do) {
      case 'open':
        return this.open(command);
      case 'write':
        return this.write(command);
      case 'reset':
        return this.reset(command.stream, command.from);
      case 'hold':
        return this.hold(command.stream, command.from, command.hold);
      case 'wait':
        return this.pass(command.ms);
      case 'cut':
        return this.world.hang();
      case 'reboot':
        return this.reboot(command.tear);
      case 'restart':
        return this.restart(command.lost);
      case 'flash':
        this.world.device.flash.failWrites = command.fails;
    }
  }

  private open({ early, idempotent, bytes }: Extract<Command, { do: 'open' }>): void {
    if (this.world.device.streams.size >= 8) return;
    const end = this.world.device.open(`s-${this.models.length}`);
    const model = new StreamModel(end);
    this.models.push(model);
    this.byName.set(end.name, model);
    end.write(pattern(bytes, this.models.length));
    if (!early || this.world.link !== undefined) return;
    model.idempotent = idempotent;
    this.early = model;
  }

  private write({ stream, bytes, fin, from }: Extract<Command, { do: 'write' }>): void {
    const end = this.end(stream, from);
    if (end !== undefined && !end.wantsFin) end.write(pattern(bytes, end.written.length + bytes), fin);
  }

  /** An open end of the stream-th open stream, at either side. */
  private end(stream: number, from: 'device' | 'gateway') {
    const open = [...this.world.device.streams.values()];
    const device = open[stream % Math.max(1, open.length)];
    if (from === 'device' || device === undefined) return device;
    const upstream = this.byName.get(device.name)?.upstreams.at(-1);
    return upstream?.code === undefined ? upstream : undefined;
  }

  private reset(stream: number, from: 'device' | 'gateway'): void {
    const end = this.end(stream, from);
    const session = this.world.gateway.session(this.world.row);
    if (end === undefined) return;
    if (from === 'device') unlessClosed(() => this.world.device.core.reset(end.id, Code.Cancelled));
    else if (session?.streams.get(end.id) === end) unlessClosed(() => session.core.reset(end.id, Code.UpstreamReset));
  }

  private hold(stream: number, from: 'device' | 'gateway', hold: boolean): void {
    const end = this.end(stream, from);
    if (end !== undefined) end.hold = hold;
    this.consume();
  }

  private consume(): void {
    this.world.device.consumeAll();
    this.world.gateway.session(this.world.row)?.consumeAll();
  }

  private reboot(tear: 'none' | 'before-write' | 'mid-write' | 'before-wipe'): void {
    this.world.device.flash.tear = tear;
    if (tear === 'none') this.powerCut();
  }

  private powerCut(): void {
    for (const model of this.models) model.orphaned = true;
    this.early = undefined;
    this.world.device.flash.tear = 'none';
    this.world.reboot();
  }

  private restart(lost: boolean): void {
    this.world.gateway.restart(lost);
    this.world.hang();
  }

  /** Time passes; the device dials whenever it has no link. */
  private pass(ms: number): void {
    const until = this.world.now + ms;
    while (this.world.now < until) {
      try {
        if (this.world.link === undefined && this.world.now >= this.redialAt) this.dial();
        const had = this.world.link !== undefined;
        const next = had ? until : Math.max(this.redialAt, this.world.now + 1);
        this.world.advance(Math.min(next, until) - this.world.now);
        if (had && this.world.link === undefined) this.redialAt = this.world.now + this.backoff();
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        this.powerCut();
      }
    }
  }

  private backoff(): number {
    return 50 + Math.floor(this.world.random() * 2000);
  }

  private dial(): void {
    const offer = this.early?.device;
    const model =
      offer?.code === undefined && offer !== undefined && offer.acked <= offer.written.length ? this.early : undefined;
    // a stream may be over before its 'closed' was told: then there is nothing to offer
    const result = unlessClosed(() => this.world.dial(model?.device, model?.idempotent ?? false));
    if (result === undefined) this.world.dial();
    if (result?.early !== false) this.early = undefined;
  }

  /** Faults end, slow readers read on, flash works: everybody is reached and everything is delivered or told. */
  private settle(): void {
    this.world.faults = noFaults;
    this.world.device.flash.failWrites = false;
    this.world.device.flash.tear = 'none';
    const releaseAll = (): void => {
      for (const model of this.models) for (const end of [model.device, ...model.upstreams]) end.hold = false;
      this.consume();
    };
    const end = this.world.now + SETTLE_MS;
    while (this.world.now < end) {
      releaseAll();
      this.pass(this.world.device.core.live ? 2000 : 20_000);
      if (this.world.device.core.live && this.quiet()) break;
    }
    assert.ok(this.world.device.core.live, 'locked out');
    for (const model of this.models) model.checkSettled();
  }

  private quiet(): boolean {
    return this.models.every((model) => {
      try {
        model.checkSettled();
        return true;
      } catch {
        return false;
      }
    });
  }
}
