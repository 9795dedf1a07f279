/** The exchanges that are cut, and the search through all cuts of each. */

import { createJsEngine } from '../../lib/engine/js/index.js';
import { hex } from '../suite/bytes.js';
import { Transport } from '../../lib/engine.js';
import { variants, type EnginePair, type Variant } from '../suite/engines.js';
import { CrashWorld, type Plan, type Point } from './crash-world.js';

export interface Scenario {
  name: string;
  variant: Variant;
  /** Over a serial line instead of streams. */
  serial?: true;
  /** Without HAWSER_CRASH=all: each so-many-th point alone, and on one pair of engines. */
  every?: number;
  /** Everything before the exchange; nothing is cut here. */
  prepare: (world: CrashWorld) => void;
  /** The exchange. */
  run: (world: CrashWorld) => void;
}

const variant = (name: string): Variant => {
  const found = variants.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no variant is called ${name}`);
  return found;
};

const withEarly = (world: CrashWorld): void => {
  const { device } = world.datum();
  world.connect(device);
  world.advance(60);
};
const withoutEarly = (world: CrashWorld): void => {
  world.connect();
  world.advance(60);
};
const live = (world: CrashWorld): void => {
  world.connect();
  world.datum();
  world.advance(60);
};

const sampled = (name: string, every: number): Pick<Scenario, 'variant' | 'every'> => ({
  variant: variant(name),
  every,
});

export const scenarios: readonly Scenario[] = [
  { name: 'ticket, first contact, early data', variant: variant('ticket'), prepare: () => undefined, run: withEarly },
  {
    name: 'ticket, boot, early data',
    variant: variant('ticket'),
    prepare: (world) => {
      live(world);
      world.powerCut();
    },
    run: withEarly,
  },
  {
    name: 'ticket, warm, early data',
    variant: variant('ticket'),
    prepare: (world) => {
      live(world);
      world.hang();
    },
    run: withEarly,
  },
  { name: 'keys, first handshake', variant: variant('keys/25519'), prepare: () => undefined, run: withoutEarly },
  {
    name: 'keys, warm resumption, early data',
    variant: variant('keys/25519'),
    prepare: (world) => {
      live(world);
      world.hang();
    },
    run: withEarly,
  },
  {
    name: 'psk, a chain replaces another',
    variant: variant('psk/25519'),
    prepare: (world) => {
      live(world);
      world.device.flash.slots = [undefined, undefined];
      world.powerCut();
    },
    run: withoutEarly,
  },
  {
    name: 'psk, boot, early data',
    variant: variant('psk/25519'),
    prepare: (world) => {
      live(world);
      world.powerCut();
    },
    run: withEarly,
  },
  { ...sampled('keys/P256', 2), name: 'keys, P-256, first handshake', prepare: () => undefined, run: withoutEarly },
  {
    ...sampled('keys/P256', 2),
    name: 'keys, P-256, boot, early data',
    prepare: (world) => {
      live(world);
      world.powerCut();
    },
    run: withEarly,
  },
  { ...sampled('keys+psk/25519', 1), name: 'keys+psk, first handshake', prepare: () => undefined, run: withoutEarly },
  {
    ...sampled('keys+psk/P256', 2),
    name: 'keys+psk, P-256, a chain replaces another',
    prepare: (world) => {
      live(world);
      world.device.flash.slots = [undefined, undefined];
      world.powerCut();
    },
    run: withoutEarly,
  },
  {
    ...sampled('ticket', 1),
    name: 'ticket, serial line, boot, early data',
    serial: true,
    prepare: (world) => {
      live(world);
      world.powerCut();
    },
    run: withEarly,
  },
  {
    ...sampled('psk/25519', 1),
    name: 'psk, serial line, first handshake',
    serial: true,
    prepare: () => undefined,
    run: withoutEarly,
  },
];

export interface Found {
  cases: number;
  refused: number;
  failures: string[];
}

export interface Search {
  pairs?: boolean;
  hostile?: boolean;
  /** Stops at the first failure. */
  first?: boolean;
  /** Breaks something, to see that the search notices. */
  seed?: (world: CrashWorld) => void;
  /** Each so-many-th point alone. */
  every?: number;
}

/** One plan from its start to its end; the points that it came through. */
function runPlan(pair: EnginePair, scenario: Scenario, plan: Plan, search: Search, found: Found): readonly Point[] {
  const repeats = watchSeals();
  const world = new CrashWorld(
    repeats.pair(pair),
    scenario.variant,
    plan,
    scenario.serial ? Transport.Serial : Transport.Stream,
  );
  world.hostile = search.hostile ?? false;
  try {
    search.seed?.(world);
    scenario.prepare(world);
    world.arm();
    world.attempt(() => scenario.run(world));
    if (world.settle() === 'refused') found.refused++;
    if (repeats.twice.length > 0) throw new Error(`(key, nonce) twice: ${repeats.twice[0]}`);
  } catch (error) {
    const where = plan.map(({ index, kind }) => `${kind} at ${world.points[index]?.name}`).join(', then ');
    found.failures.push(`${scenario.name}: ${where || 'no cut'}: ${(error as Error).message}`);
  }
  found.cases++;
  return world.points;
}

/** No cut, every single cut, and every second cut behind each first one. */
export function explore(pair: EnginePair, scenario: Scenario, search: Search = {}): Found {
  const found: Found = { cases: 0, refused: 0, failures: [] };
  const stop = (): boolean => search.first === true && found.failures.length > 0;
  const visit = (plan: Plan, depth: number): void => {
    const points = runPlan(pair, scenario, plan, search, found);
    if (depth === 0) return;
    const from = (plan.at(-1)?.index ?? -1) + 1;
    for (const point of points.slice(from).filter(({ index }) => index % (search.every ?? 1) === 0))
      for (const kind of point.kinds) {
        if (stop()) return;
        // A second loss of durable writes is more than the store may lose: SPEC 14, J - 1 block advances.
        if (kind === 'failover' && plan.some((cut) => cut.kind === 'failover')) continue;
        visit([...plan, { index: point.index, kind }], depth - 1);
      }
  };
  visit([], search.pairs === true ? 2 : 1);
  return found;
}

/** JS engines with a trace of every seal in the place of plain ones; others as they are. */
function watchSeals(): { twice: string[]; pair: (pair: EnginePair) => EnginePair } {
  const seen = new Set<string>();
  const twice: string[] = [];
  const trace = (key: Uint8Array, nonce: Uint8Array): void => {
    const both = `${hex(key)} ${hex(nonce)}`;
    if (seen.has(both)) twice.push(both);
    seen.add(both);
  };
  const traced = createJsEngine({}, { trace });
  return {
    twice,
    pair: ({ name, device, gateway }) => ({
      name,
      device: device.name === 'js' ? traced : device,
      gateway: gateway.name === 'js' ? traced : gateway,
    }),
  };
}
