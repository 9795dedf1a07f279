/**
 * Random plans on every pair of engines. A failure prints its seed and the shortest plan that shows it:
 * HAWSER_SEED=n replays a run, HAWSER_RUNS=n (or `npx tsx test/sim/run.ts --runs n`) makes it a campaign.
 */

import { forEachPair } from '../suite/engines.js';
import { campaign, seedFromEnvironment } from './campaign.js';

const RUNS = Number(process.env.HAWSER_RUNS ?? 60);
const seed = seedFromEnvironment();

before(() => console.log(`    HAWSER_SEED=${seed}`));

forEachPair('simulation', (pair) => {
  it(`${RUNS} plans: every byte once and in order or an error, early data at most once, nobody locked out`, function () {
    this.timeout(Math.max(60_000, RUNS * 2_000));
    campaign(pair, seed, RUNS);
  });
});
