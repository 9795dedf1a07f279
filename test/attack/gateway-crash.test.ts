/**
 * Every cut at every boundary with the gateway as it is shipped over a real LMDB directory: killed in the middle of a store operation, or put back to its
 * last durable write, to an old directory, or to a backup with the operator's `restore`; a device that loses power, or whose flash is put back; links
 * that are lost. Behind each cut the gateway hears every message 1 of the past again. The JS engine shows every
 * seal; a native one its traffic keys, and runs one exchange and mode `keys`, or all with HAWSER_CRASH=all.
 */

import assert from 'node:assert/strict';
import { Mode, Suite, type Engine } from '../../lib/engine.js';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { hex } from '../suite/bytes.js';
import { engineNamed, engineRows } from '../suite/engines.js';
import { GatewayCrashWorld, Sink, type Faults, type Plan, type Point } from './gateway-crash-world.js';

const everything = process.env.HAWSER_CRASH === 'all';

interface Scenario {
  name: string;
  variant: { mode: Mode; suite: Suite };
  /** Without HAWSER_CRASH=all: each so-many-th point alone. */
  every?: number;
  /** Up to what is cut. */
  prepare: (world: GatewayCrashWorld) => Promise<void>;
  run: (world: GatewayCrashWorld) => Promise<void>;
}

const ticket = { mode: Mode.Ticket, suite: Suite.None };
const psk = { mode: Mode.Psk, suite: Suite.X25519 };
const keys = { mode: Mode.Keys, suite: Suite.X25519 };
const live = async (world: GatewayCrashWorld): Promise<void> => {
  world.datum();
  await world.connect();
};
const boots =
  (count: number) =>
  async (world: GatewayCrashWorld): Promise<void> => {
    for (let n = 0; n < count; n++) {
      await live(world);
      world.powerOff();
      world.powerOn();
    }
  };
const withEarly = (world: GatewayCrashWorld): Promise<void> => world.connect(world.datum());

const scenarios: readonly Scenario[] = [
  { name: 'ticket, boot, early data', variant: ticket, prepare: boots(2), run: withEarly },
  { name: 'ticket, warm, early data', variant: ticket, prepare: live, run: withEarly },
  { name: 'psk, first handshake', variant: psk, prepare: () => Promise.resolve(), run: live },
  { name: 'psk, boot, early data', variant: psk, prepare: boots(1), run: withEarly },
  { name: 'keys, first handshake', variant: keys, every: 3, prepare: () => Promise.resolve(), run: live },
];

interface Found {
  cases: number;
  refused: number;
  failures: string[];
}

/** Each seal of the JS engine is looked at; a native one shows its traffic keys alone. */
function watched(engine: Engine): { engine: Engine; twice: string[] } {
  const seen = new Map<string, string>();
  const twice: string[] = [];
  const trace = (key: Uint8Array, nonce: Uint8Array): void => {
    const both = `${hex(key)} ${hex(nonce)}`;
    if (seen.has(both)) twice.push(both);
    seen.set(both, '');
  };
  return { engine: engine.name === 'js' ? createJsEngine({}, { trace }) : engine, twice };
}

async function runPlan(
  engine: Engine,
  scenario: Scenario,
  plan: Plan,
  sink: Sink,
  found: Found,
  faults?: Faults,
): Promise<readonly Point[]> {
  const watch = watched(engine);
  const world = new GatewayCrashWorld(watch.engine, scenario.variant, sink, plan, faults);
  try {
    await world.start();
    await scenario.prepare(world);
    await world.arm();
    await world.attempt(() => scenario.run(world));
    if ((await world.settle()) === 'refused') found.refused++;
    assert.deepEqual(watch.twice, [], '(key, nonce) twice');
  } catch (error) {
    const where = plan.map(({ index, kind }) => `${kind} at ${world.points[index]?.name}`).join();
    found.failures.push(`${where || 'no cut'}: ${(error as Error).message}`);
  }
  await world.stop();
  found.cases++;
  return world.points;
}

/** No cut, and every cut; with something broken from the end, where more has happened, and up to the first that fails. */
async function explore(engine: Engine, scenario: Scenario, sink: Sink, faults?: Faults, only?: RegExp): Promise<Found> {
  const found: Found = { cases: 0, refused: 0, failures: [] };
  const points = await runPlan(engine, scenario, [], sink, found, faults);
  const every = everything ? 1 : (scenario.every ?? 1);
  const order = [...points.entries()].filter(([index]) => index % every === 0);
  for (const [index, { kinds }] of faults ? order.reverse() : order)
    for (const kind of kinds) {
      if (only && !only.test(kind)) continue;
      if (faults && found.failures.length > 0) return found;
      await runPlan(engine, scenario, [{ index, kind }], sink, found, faults);
    }
  return found;
}

describe('crash tests over the real gateway and LMDB', function () {
  this.timeout(600_000);
  let sink: Sink;
  const total = { cases: 0, refused: 0 };
  before(async () => (sink = await Sink.start()));
  after(() => {
    sink.stop();
    console.log(`    ${total.cases} cuts, ${total.refused} of them refused by design`);
  });

  const names = engineRows.map(({ name }) => name);
  const native = names.find((name) => name !== 'js');
  const wanted = (name: string, scenario: Scenario): boolean =>
    everything ||
    (scenario.variant === keys
      ? name === (native ?? 'js')
      : name === 'js' || (name === native && scenario === scenarios[0]));
  for (const name of names)
    for (const scenario of scenarios.filter((each) => wanted(name, each)))
      it(`${scenario.name} [${name}]`, async () => {
        const found = await explore(await engineNamed(name), scenario, sink);
        total.cases += found.cases;
        total.refused += found.refused;
        assert.deepEqual(found.failures.slice(0, 3), [], `${found.failures.length} of ${found.cases}`);
        assert.ok(found.cases > 40 / (scenario.every ?? 1), `${found.cases} cases`);
      });

  describe('goes red', () => {
    const red = async (name: string, faults: Faults, only: RegExp, message: RegExp): Promise<void> => {
      const scenario = scenarios.find((each) => each.name === name) ?? assert.fail(name);
      const { failures } = await explore(createJsEngine(), scenario, sink, faults, only);
      assert.match(failures[0] ?? 'it found nothing', message);
    };
    it('when a claim is not durable', () =>
      red('ticket, warm, early data', { claimsNotDurable: true }, /machine/, /handed over 2 times/));
    it('when flash is written behind the first record', () =>
      red('ticket, boot, early data', { flashLate: true }, /power/, /locked out/));
    it('when the operator does not raise J', async () => {
      const scenario = { name: '', variant: ticket, prepare: live, run: boots(4) };
      const { failures } = await explore(createJsEngine(), scenario, sink, { aheadNotRaised: true }, /backup/);
      assert.match(failures[0] ?? 'it found nothing', /backup at .*locked out/);
    });
  });
});
