/**
 * npm run vectors -- FILE...
 *
 * Runs Noise vectors in cacophony's JSON format on every engine in both roles. Ends with counts per protocol name.
 * Exit status: 0 all passed, 1 some failed, 2 a file or an engine cannot be used.
 */

import { readFileSync } from 'node:fs';
import { parseVectors, runVector, type Vector } from '../test/vectors/cacophony.js';
import { noiseRunners, type NoiseRunner } from '../test/vectors/noise.js';

interface Count {
  vectors: number;
  passed: number;
  failed: number;
  unused: number;
}

function load(files: readonly string[]): Vector[] {
  if (files.length === 0) throw new Error('usage: npm run vectors -- FILE...');
  return files.flatMap((file) => {
    try {
      return parseVectors(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  });
}

async function runAll(runners: readonly NoiseRunner[], vectors: readonly Vector[]): Promise<Map<string, Count>> {
  const counts = new Map<string, Count>();
  for (const vector of vectors) {
    const count = counts.get(vector.protocol_name) ?? { vectors: 0, passed: 0, failed: 0, unused: 0 };
    counts.set(vector.protocol_name, count);
    count.vectors++;
    const outcomes = await Promise.all(
      runners.map(async (runner) => ({ runner, outcome: await runVector(runner, vector) })),
    );
    if (outcomes.every(({ outcome }) => outcome.result === 'not-used')) count.unused++;
    for (const { runner, outcome } of outcomes) {
      if (outcome.result === 'passed') count.passed++;
      if (outcome.result !== 'failed') continue;
      count.failed++;
      console.log(`FAILED ${vector.protocol_name} on ${runner.name}: ${outcome.why}`);
    }
  }
  return counts;
}

function report(counts: Map<string, Count>, runners: readonly NoiseRunner[]): number {
  console.log(`engines: ${runners.map((runner) => runner.name).join('; ')}; each vector in both roles`);
  const total: Count = { vectors: 0, passed: 0, failed: 0, unused: 0 };
  for (const [name, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const verdict =
      count.unused === count.vectors ? 'not used by hawser' : `${count.passed} runs passed, ${count.failed} failed`;
    console.log(`${name.padEnd(36)} ${String(count.vectors).padStart(4)} vectors  ${verdict}`);
    for (const field of ['vectors', 'passed', 'failed', 'unused'] as const) total[field] += count[field];
  }
  console.log(
    `${total.vectors} vectors: ${total.unused} of protocols not used by hawser; ${total.passed} runs passed, ${total.failed} failed`,
  );
  return total.failed;
}

async function main(files: readonly string[]): Promise<number> {
  const vectors = load(files);
  const runners = await Promise.all(noiseRunners.map(({ open }) => open()));
  const failed = report(await runAll(runners, vectors), runners);
  await Promise.all(runners.map((runner) => runner.close()));
  return failed > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
