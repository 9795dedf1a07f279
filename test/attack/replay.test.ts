/**
 * Traces of the code, replayed against the models of docs/model: random plans of the simulation, with everything that was ever recorded
 * coming back at random, on every engine. A step that no transition of the model allows fails the run, whatever came of it. And the other
 * way round: a model with a broken rule no longer follows the code, or follows what the code does not do.
 */

import assert from 'node:assert/strict';
import { models } from '../../docs/model/searches.mjs';
import { Verdict, type DeviceCore, type Engine } from '../../lib/engine.js';
import { seedFromEnvironment } from '../sim/campaign.js';
import { engineNamed, engineRows, forEachPair, type EnginePair } from '../suite/engines.js';
import type { TestGateway } from '../suite/gateway-double.js';
import { traced, type Broken, type Traces } from './disturbed.js';
import { layered } from './faults.js';
import { forbidden } from './forbidden.js';
import { Follower, modelNames, Programs, told, type ModelName, type Trace } from './traces.js';

const RUNS = Number(process.env.HAWSER_RUNS ?? 10);
const seed = seedFromEnvironment();
const ticket = { variant: 6, serial: false };
const psk = { variant: 4, serial: false };

/** Which engine it is does not matter where the fault is seeded: the first, which is the fastest. */
async function onePair(): Promise<EnginePair> {
  const name = engineRows[0]?.name ?? 'js';
  const engine = await engineNamed(name);
  return { name, device: engine, gateway: engine };
}

describe('replay against the model', function () {
  this.timeout(240_000);
  const followers = {} as Record<ModelName, Follower>;
  before(async () => {
    console.log(`    HAWSER_SEED=${seed}`);
    for (const model of modelNames) followers[model] = await Follower.build(model);
  });

  /** The event that the first of them was refused at, if one was. */
  async function refused(traces: Traces): Promise<string | undefined> {
    for (const model of modelNames) {
      const [first] = traces[model].length > 0 ? await followers[model].refused(traces[model]) : [];
      if (first) return told(traces[model][first.trace] ?? [], first);
    }
    return undefined;
  }

  forEachPair('traces', (pair) => {
    it(`${RUNS} plans: the model follows every step`, async () => {
      assert.equal(await refused(traced(pair, seed, RUNS)), undefined);
    });
  });

  describe('goes red when', () => {
    const faults: Record<string, Broken & { event: RegExp }> = {
      'a claim stamps the record anew (H1)': {
        gateway: ({ rules }) => {
          const { claim } = rules;
          rules.claim = (record, message, incarnation) => {
            const result = claim(record, message, incarnation);
            return result && { ...result, record: { ...result.record, incarnation } };
          };
        },
        event: /refused: ARRIVES/,
      },
      'whoever is not sure refuses (C2)': {
        gateway: ({ rules }) => {
          const { claim } = rules;
          rules.claim = (...args) => {
            const result = claim(...args);
            return result?.verdict === Verdict.Unknown ? { ...result, verdict: Verdict.NotTaken } : result;
          };
        },
        event: /refused: ARRIVES .*VERDICT 2/,
      },
      'a confirmation leaves early as it was (second review, 4)': {
        gateway: ({ rules }) => {
          const { confirm } = rules;
          rules.confirm = (record, ...rest) => {
            const result = confirm(record, ...rest);
            return result && { ...result, early: record.early };
          };
        },
        event: /refused: CONFIRM/,
      },
      'a confirmation erases nothing': {
        gateway: erasesNothing,
        event: /refused: CONFIRM/,
      },
      'a claim is not durable': {
        gateway: ({ rules }) => {
          const { claim } = rules;
          rules.claim = (...args) => {
            const result = claim(...args);
            return result && { ...result, durable: false };
          };
        },
        event: /refused: ARRIVES .*DURABLE 0/,
      },
      'a confirmation erases nothing, with ECDH': {
        plan: psk,
        gateway: erasesNothing,
        event: /refused: CONFIRM/,
      },
      'a device goes on although flash failed, with ECDH': {
        plan: psk,
        device: (engine) => brokenDevice(engine, (core) => ({ stored: () => core.stored(true) })),
        event: /refused: /,
      },
      'a device goes on although flash failed (second review, 2)': {
        device: (engine) => brokenDevice(engine, (core) => ({ stored: () => core.stored(true) })),
        event: /refused: /,
      },
      'a boot takes no slot': {
        device: (engine) => brokenDevice(engine, (core) => ({ boot: () => core.boot(undefined, undefined) })),
        event: /refused: (NEW|CUT)/,
      },
      'a boot leaves the older slot': {
        device: (engine) =>
          brokenDevice(engine, (core) => ({
            boot: (...slots) => ({ ...core.boot(...slots), wipe: undefined as never }),
          })),
        event: /refused: CUT/,
      },
    };
    for (const [name, { event, ...broken }] of Object.entries(faults))
      it(name, async () => {
        const pair = await onePair();
        for (let start = 1; start < 40; start++) {
          const found = await refused(traced(pair, start, 8, { plan: ticket, ...broken }));
          if (found === undefined) continue;
          assert.match(found, event);
          return;
        }
        assert.fail('the model followed all of it');
      });
  });

  describe('a broken rule of the model', () => {
    const corpus = {} as Traces;
    const programs = new Programs();
    before(() => programs.build());
    before(async () => {
      const pair = await onePair();
      corpus.chain = traced(pair, 1, 120, { plan: ticket }).chain;
      corpus.full = traced(pair, 1, 90, { plan: psk }).full;
      assert.equal(await refused(corpus), undefined);
    });
    for (const { name: model, mutants } of models)
      if (model !== 'streams')
        for (const [name] of mutants) {
          if (name === 'ONE_BLOCK_AHEAD') continue; // no rule but a bound: its traces need a store that loses
          const over = forbidden[model][name];
          const mutant = programs.add(model, { ...over?.macros, [`MUT_${name}`]: true });
          const rule = over?.macros ? programs.add(model, over.macros) : () => Promise.resolve(followers[model]);
          if (over)
            it(`${model}: ${name} lets the code do more`, async () =>
              permits(await rule(), await mutant(), over.trace));
          else it(`${model}: ${name} is not what the code does`, async () => refuses(await mutant(), corpus[model]));
        }
  });

  async function refuses(mutant: Follower, traces: readonly Trace[]): Promise<void> {
    const most = 20;
    for (let from = 0; from < traces.length; from += most)
      if ((await mutant.refused(traces.slice(from, from + most))).length > 0) return;
    assert.fail('follows all traces of the code');
  }

  async function permits(rule: Follower, mutant: Follower, trace: Trace): Promise<void> {
    const [end] = await rule.refused([trace]);
    assert.equal(end?.at, trace.length - 1, 'the model does not refuse the last event');
    const [refusal] = await mutant.refused([trace]);
    assert.ok(refusal === undefined, refusal && told(trace, refusal));
  }
});

const brokenDevice = (engine: Engine, members: (core: DeviceCore) => Partial<DeviceCore>): Engine =>
  layered(engine, { device: members });

function erasesNothing({ rules }: TestGateway): void {
  const { confirm } = rules;
  rules.confirm = (record, q, ...rest) => {
    const result = confirm(record, q, ...rest);
    return result && { ...result, p: q };
  };
}
