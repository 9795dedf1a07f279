/**
 * A long campaign: npx tsx test/sim/run.ts [--runs N] [--seed N] [--device NAME] [--gateway NAME]
 * Exit status 1 and the shortest failing plan where one fails.
 */

import { parseArgs } from 'node:util';
import { engineNamed, engineRows } from '../suite/engines.js';
import { campaign, seedFromEnvironment } from './campaign.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    device: { type: 'string' },
    gateway: { type: 'string' },
  },
});
const seed = values.seed === undefined ? seedFromEnvironment() : Number(values.seed);
const runs = Number(values.runs);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(runs) || runs < 1) {
  console.error('--runs and --seed take whole numbers');
  process.exit(2);
}
console.log(`HAWSER_SEED=${seed}, ${runs} plans per pair`);
for (const device of engineRows)
  for (const gateway of engineRows) {
    if ((values.device ?? device.name) !== device.name || (values.gateway ?? gateway.name) !== gateway.name) continue;
    const started = performance.now();
    campaign(
      {
        name: `${device.name} > ${gateway.name}`,
        device: await engineNamed(device.name),
        gateway: await engineNamed(gateway.name),
      },
      seed,
      runs,
    );
    console.log(
      `${device.name} > ${gateway.name}: ${runs} plans in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
  }
