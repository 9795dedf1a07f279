/** Random plans of the simulation, watched, with more of fate than the simulation has: what the models allow besides. */

import fc from 'fast-check';
import { Code, Mode, type Engine } from '../../lib/engine.js';
import { noFaults } from '../sim/link.js';
import { plan, Simulation, type Plan } from '../sim/simulation.js';
import { pattern, seeded } from '../suite/bytes.js';
import { PowerCut } from '../suite/device-double.js';
import { unlessClosed, type StreamEnd } from '../suite/ends.js';
import { variants, type EnginePair } from '../suite/engines.js';
import type { TestGateway } from '../suite/gateway-double.js';
import { watching, type Watch } from './replay.js';
import type { ModelName, Trace } from './traces.js';

export interface Broken {
  /** What every plan has: where the fault shows soonest. */
  plan?: Partial<Plan>;
  device?: (engine: Engine) => Engine;
  gateway?: (gateway: TestGateway) => void;
}

export type Traces = Record<ModelName, Trace[]>;

/** Blocks and steps are few, so that traces come to the ends of both. */
const limits = { maxSteps: 3 };

/** The traces of random plans. With a fault the application may well come to grief: what was traced until then counts. */
export function traced(pair: EnginePair, seed: number, runs: number, broken?: Broken): Traces {
  const traces: Traces = { chain: [], full: [] };
  for (const drawn of fc.sample(plan, { seed, numRuns: runs })) {
    const under = broken?.device ? { ...pair, device: broken.device(pair.device) } : pair;
    const watched = watching(under);
    const each = { ...drawn, ...broken?.plan };
    const ticket = variants[each.variant]?.mode === Mode.Ticket;
    const simulation = new Simulation(watched.pair, each, ticket ? limits : { ...limits, maxBlocks: 3 });
    broken?.gateway?.(simulation.world.gateway);
    const watch = watched.over(simulation.world);
    disturb(simulation, watch);
    if (broken?.device || broken?.gateway) attempt(simulation, watch);
    else simulation.run();
  }
  return traces;

  /** Nobody may ever get through with a fault: its beginning is enough. */
  function attempt(simulation: Simulation, watch: Watch): void {
    const { world } = simulation;
    const advance = world.advance.bind(world);
    world.advance = (ms) => {
      if (watch.traces.some(({ events }) => events.length > 80)) throw new Error('enough');
      advance(ms);
    };
    try {
      simulation.run();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }

  function disturb(simulation: Simulation, watch: Watch): void {
    for (const { model, events } of watch.traces) traces[model].push(events);
    const fate = new Fate(simulation, watch);
    fate.networkRepeats();
    fate.applicationOffers();
    fate.wipesFail();
    fate.gatewayDies();
  }
}

class Fate {
  private readonly random: () => number;
  private restored = false;
  private readonly withheld: (() => void)[] = [];

  constructor(
    private readonly simulation: Simulation,
    private readonly watch: Watch,
  ) {
    this.random = seeded(simulation.plan.seed + 1);
  }

  /** Until the simulation settles. */
  private chance(probability: number): boolean {
    return this.random() < probability && this.simulation.world.faults !== noFaults;
  }

  /** The network has kept everything, and brings some of it back now and then; stores fail over, backups are restored. */
  networkRepeats(): void {
    const { world } = this.simulation;
    const advance = world.advance.bind(world);
    world.advance = (ms) => {
      advance(ms);
      if (this.chance(0.02)) world.gateway.incarnation += "'";
      if (!this.restored && world.setup.mode === Mode.Ticket && this.chance(0.02)) this.restore();
      if (this.chance(0.02)) world.gateway.refuseEarly = !world.gateway.refuseEarly;
      if (this.random() < 0.2) this.repeat();
      if (this.random() < 0.2) this.release();
    };
  }

  /** All that the device said on a link, or its message 1 alone: then the rest comes later. */
  private repeat(): void {
    const { world } = this.simulation;
    const back = Math.floor(this.random() * this.random() * world.links.length);
    const link = world.links[world.links.length - 1 - back];
    if (!link || link === world.link) return;
    const [message, ...rest] = link.log.d2g;
    if (!message) return;
    const port = world.gateway.listen(world.transport);
    port.receive(message, world.now);
    this.withheld.push(() => {
      for (const bytes of rest) port.receive(bytes, world.now);
      port.close();
    });
    if (this.random() < 0.5) this.release();
  }

  private release(): void {
    this.withheld.splice(Math.floor(this.random() * this.withheld.length), 1)[0]?.();
  }

  /** More early data than the simulation has. */
  applicationOffers(): void {
    const { world } = this.simulation;
    const dial = world.dial.bind(world);
    let before: StreamEnd | undefined;
    world.dial = (early, idempotent) => {
      if (early || !this.chance(0.5) || world.device.streams.size > 4) return dial(early, idempotent);
      world.hang();
      const last = before;
      if (last && world.device.streams.get(last.id) === last)
        unlessClosed(() => world.device.core.reset(last.id, Code.Cancelled));
      before = world.device.open('more');
      before.write(pattern(40, 1));
      return dial(before, true);
    };
  }

  private restore(): void {
    this.restored = true;
    this.watch.restore(30);
    this.simulation.world.hang();
  }

  /** The next block is written, the one before stays. */
  wipesFail(): void {
    const { flash } = this.simulation.world.device;
    const store = flash.store.bind(flash);
    flash.store = (image) => {
      if (flash.failWrites || flash.tear !== 'none' || !this.chance(0.1)) return store(image);
      flash.slots[flash.current === 0 ? 1 : 0] = image.slice();
      return false;
    };
  }

  /** Behind a claim, before anything comes of it. */
  gatewayDies(): void {
    const { gateway } = this.simulation.world;
    const step = gateway.onStep;
    gateway.onStep = (name, of) => {
      step(name, of);
      if (name !== 'claimed' || !this.chance(0.1)) return;
      gateway.restart();
      throw new PowerCut();
    };
  }
}
