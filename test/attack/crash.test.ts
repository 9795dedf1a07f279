/**
 * Every cut at every boundary of a handshake or resumption, at either side, alone and in pairs: it ends in a working session, or, for a
 * device in mode ticket whose flash was put back, in silence that the operator hears of. No (key, nonce) twice, early data at most once,
 * every verdict true; one engine with itself also hears everything of the past again behind each cut. HAWSER_CRASH=all runs the pairs of cuts of every scenario on every pair of engines.
 */

import assert from 'node:assert/strict';
import { Verdict } from '../../lib/engine.js';
import { AnswerNonces } from '../../lib/engine/js/gateway.js';
import { engineNamed, engineRows, type EnginePair } from '../suite/engines.js';
import { explore, scenarios, type Found, type Scenario, type Search } from './crash-plans.js';
import { patched } from './faults.js';

const everything = process.env.HAWSER_CRASH === 'all';
const named = (name: string): Scenario => {
  const found = scenarios.find((each) => each.name === name);
  assert.ok(found, name);
  return found;
};

/** js and the first native engine there is, each with itself and both mixed; or all of them. */
function pairs(): [string, string][] {
  const names = engineRows.map(({ name }) => name);
  const native = names.find((name) => name !== 'js');
  const chosen = everything ? names : names.filter((name) => name === 'js' || name === native);
  return chosen.flatMap((device) => chosen.map((gateway): [string, string] => [device, gateway]));
}

async function load([device, gateway]: [string, string]): Promise<EnginePair> {
  return {
    name: `${device} > ${gateway}`,
    device: await engineNamed(device),
    gateway: await engineNamed(gateway),
  };
}

const total = { cases: 0, refused: 0 };
function report(what: string, found: Found): void {
  total.cases += found.cases;
  total.refused += found.refused;
  assert.deepEqual(found.failures.slice(0, 3), [], `${found.failures.length} of ${found.cases}, ${what}`);
}

describe('crash tests', function () {
  this.timeout(everything ? 3_600_000 : 240_000);
  after(() => console.log(`    ${total.cases} cuts and pairs of cuts, ${total.refused} of them refused by design`));

  for (const [at, names] of pairs().entries())
    for (const scenario of scenarios.filter(({ every }) => everything || every === undefined || at === 0))
      it(`${scenario.name}: every single cut [${names.join(' > ')}]`, async () => {
        const found = explore(await load(names), scenario, {
          hostile: everything || names[0] === names[1],
          pairs: everything,
          every: everything ? 1 : (scenario.every ?? 1),
        });
        assert.ok(found.cases > 60 / (scenario.every ?? 1), `${found.cases} cases`);
        report(scenario.name, found);
      });

  for (const name of ['ticket, first contact, early data'])
    it(`${name}: every pair of cuts`, async () => {
      const engine = engineRows.find((row) => row.name !== 'js')?.name ?? 'js';
      const found = explore(await load([engine, engine]), named(name), { pairs: true });
      assert.ok(found.cases > 2000, `${found.cases} cases`);
      report(name, found);
    });

  describe('goes red', () => {
    const js = (): Promise<EnginePair> => load(['js', 'js']);
    const red = async (name: string, search: Search, message: RegExp): Promise<void> => {
      const { failures } = explore(await js(), named(name), { first: true, ...search });
      assert.match(failures[0] ?? 'it found nothing', message);
    };

    it('when a claim is not durable', () =>
      red(
        'ticket, warm, early data',
        {
          hostile: true,
          seed: ({ gateway }) => {
            const { claim } = gateway.rules;
            gateway.rules.claim = (...args) => {
              const result = claim(...args);
              return result && { ...result, durable: false };
            };
          },
        },
        /machine at .*(handed over)/,
      ));

    it('when a gateway that is not sure says NOT TAKEN', () =>
      red(
        'ticket, boot, early data',
        {
          seed: ({ gateway }) => {
            const { claim } = gateway.rules;
            gateway.rules.claim = (...args) => {
              const result = claim(...args);
              return result?.verdict === Verdict.Unknown ? { ...result, verdict: Verdict.NotTaken } : result;
            };
          },
        },
        /NOT TAKEN, and handed over|handed over 2 times/,
      ));

    it('when flash is written behind the first record', () =>
      red(
        'ticket, first contact, early data',
        { seed: (world) => (world.lazyFlash = true) },
        /power at .*: locked out/,
      ));

    it('when an answer has no n_g of its own', async () => {
      const pair = await js();
      patched(
        AnswerNonces.prototype,
        'next',
        () => () => new Uint8Array(16).fill(1),
        () => {
          const { failures } = explore(pair, named('ticket, warm, early data'), { first: true, hostile: true });
          assert.match(failures[0] ?? 'it found nothing', /\(key, nonce\) twice|one nonce, two messages|come back/);
        },
      );
    });
  });
});
