/**
 * Traces of the code, replayed against the model of docs/model: random plans of the simulation, with everything that was ever recorded coming
 * back at random, on every engine. A step that no transition of the model allows fails the run, whatever came of it.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Verdict, type DeviceCore, type Engine } from '../../lib/engine.js';
import { seedFromEnvironment } from '../sim/campaign.js';
import { plan, Simulation, type Plan } from '../sim/simulation.js';
import { seeded } from '../suite/bytes.js';
import { forEachPair, engineNamed, type EnginePair } from '../suite/engines.js';
import type { TestGateway } from '../suite/gateway-double.js';
import { ChainModel } from './chain-model.js';
import { layered } from './faults.js';
import { watching } from './replay.js';

const RUNS = Number(process.env.HAWSER_RUNS ?? 10);
const seed = seedFromEnvironment();

interface Broken {
  /** What every plan has: where the fault shows soonest. */
  plan?: Partial<Plan>;
  device?: (engine: Engine) => Engine;
  gateway?: (gateway: TestGateway) => void;
}

/** Random plans, watched; throws at the first step that the model does not allow. */
function replay(pair: EnginePair, start: number, runs: number, seen: Map<string, number>, broken: Broken = {}): void {
  for (const drawn of fc.sample(plan, { seed: start, numRuns: runs })) {
    const each = { ...drawn, ...broken.plan };
    const under = broken.device ? { ...pair, device: broken.device(pair.device) } : pair;
    const watched = watching(under, seen);
    const simulation = new Simulation(watched.pair, each);
    broken.gateway?.(simulation.world.gateway);
    watched.over(simulation.world);
    disturb(simulation);
    simulation.run();
  }
}

/** The network has kept everything, and brings some of it back now and then. */
function disturb({ world, plan: { seed } }: Simulation): void {
  const random = seeded(seed + 1);
  const advance = world.advance.bind(world);
  world.advance = (ms) => {
    advance(ms);
    if (random() > 0.1) return;
    const link = world.links[Math.floor(random() * world.links.length)];
    if (!link || link === world.link) return;
    const port = world.gateway.listen(world.transport);
    port.receive(link.bytes('d2g'), world.now);
    port.close();
  };
}

/** Names of the inlines that carry out a rule. */
function inlines(file: string): string[] {
  const source = readFileSync(new URL(`../../docs/model/${file}`, import.meta.url), 'utf8');
  return [
    ...source.matchAll(/^(?:inline |#define )(rule_\w+|slots_at_boot|store_failed|stand_at_new_position)\b/gm),
  ].map(([, name]) => name ?? '');
}

/** Decided by the device's program, which the simulation carries out itself, or a constant of another rule. */
const elsewhere = new Set([
  'rule_7_4_6_resend_in_session',
  'rule_7_4_6_left_without_verdict',
  'rule_7_4_6_left_with_verdict',
  'rule_7_5_3_current',
]);

describe('replay against the model', function () {
  this.timeout(240_000);
  const seen = new Map<string, number>();
  before(() => console.log(`    HAWSER_SEED=${seed}`));

  it('every rule of the model has its method, of the same name', () => {
    const rules = new Set(['positions.pml', 'chain.pml', 'full.pml'].flatMap(inlines));
    assert.ok(rules.size > 15, `${rules.size} rules`);
    const methods = new Set(Object.getOwnPropertyNames(ChainModel.prototype));
    const missing = [...rules].filter((rule) => !methods.has(rule) && !elsewhere.has(rule));
    assert.deepEqual(missing, []);
  });

  forEachPair('traces', (pair) => {
    it(`${RUNS} plans: every step is one that the model allows`, () => replay(pair, seed, RUNS, seen));
  });

  describe('goes red when', () => {
    const mutants: Record<string, Broken & { message: RegExp }> = {
      'a claim stamps the record anew (H1)': {
        gateway: ({ rules }) => {
          const { claim } = rules;
          rules.claim = (record, message, incarnation) => {
            const result = claim(record, message, incarnation);
            return result && { ...result, record: { ...result.record, incarnation } };
          };
        },
        message: /rule_7_5_3_claim: wrote/,
      },
      'whoever is not sure refuses (C2)': {
        gateway: ({ rules }) => {
          const { claim } = rules;
          rules.claim = (...args) => {
            const result = claim(...args);
            return result?.verdict === Verdict.Unknown ? { ...result, verdict: Verdict.NotTaken } : result;
          };
        },
        message: /rule_7_5_3_claim: verdict/,
      },
      'a confirmation leaves early as it was (second review, 4)': {
        gateway: ({ rules }) => {
          const { confirm } = rules;
          rules.confirm = (record, ...rest) => {
            const result = confirm(record, ...rest);
            return result && { ...result, early: record.early };
          };
        },
        message: /rule_7_5_5_confirm: wrote/,
      },
      'a confirmation erases nothing': {
        gateway: ({ rules }) => {
          const { confirm } = rules;
          rules.confirm = (record, q, ...rest) => {
            const result = confirm(record, q, ...rest);
            return result && { ...result, p: q };
          };
        },
        message: /rule_7_5_5_confirm: wrote/,
      },
      'a claim is not durable': {
        gateway: ({ rules }) => {
          const { claim } = rules;
          rules.claim = (...args) => {
            const result = claim(...args);
            return result && { ...result, durable: false };
          };
        },
        message: /durable/,
      },
      'a device goes on although flash failed (second review, 2)': {
        device: (engine) => brokenDevice(engine, (core) => ({ stored: () => core.stored(true) })),
        message: /first_record|message 1|rule_7_4/,
      },
      'a boot takes the older slot': {
        device: (engine) => brokenDevice(engine, (core) => ({ boot: () => core.boot(undefined, undefined) })),
        message: /rule_7_4|message 1/,
      },
    };
    for (const [name, { message, ...broken }] of Object.entries(mutants))
      it(name, async () => {
        const engine = await engineNamed('js');
        const pair = { name: 'js', device: engine, gateway: engine };
        assert.throws(
          () => {
            for (let start = 1; start < 40; start++)
              replay(pair, start, 8, new Map(), { plan: { variant: 6, serial: false }, ...broken });
          },
          (error: Error) => message.test(error.message) || assert.fail(error.stack),
        );
      });
  });

  describe('coverage', () => {
    it('the traces came through every rule', async () => {
      const rules = Object.getOwnPropertyNames(ChainModel.prototype).filter((name) => name.startsWith('rule_'));
      const engine = await engineNamed('js');
      const missing = (): string[] => rules.filter((rule) => !seen.has(rule));
      // ten random plans may well hold no early data: fixed ones bring what is missing
      for (let start = 1; start < 40 && missing().length > 0; start++)
        replay({ name: 'js', device: engine, gateway: engine }, start, 8, seen);
      console.log(`      ${[...seen].map(([rule, times]) => `${rule} ${times}`).join(', ')}`);
      assert.deepEqual(missing(), []);
    });
  });
});

const brokenDevice = (engine: Engine, members: (core: DeviceCore) => Partial<DeviceCore>): Engine =>
  layered(engine, { device: members });
