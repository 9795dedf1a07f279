/** A number of random plans from one seed. */

import fc from 'fast-check';
import type { EnginePair } from '../suite/engines.js';
import { plan, Simulation } from './simulation.js';

/** HAWSER_SEED, or one drawn from the clock. Throws for what is not a number. */
export function seedFromEnvironment(): number {
  const given = process.env.HAWSER_SEED;
  if (given === undefined) return Date.now() & 0x7fffffff;
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`HAWSER_SEED: '${given}' is not a whole number`);
  return seed;
}

/** Throws with the seed, the path and the shortest plan that fails. */
export function campaign(pair: EnginePair, seed: number, runs: number): void {
  const property = fc.property(plan, (each) => new Simulation(pair, each).run());
  fc.assert(property, {
    seed,
    numRuns: runs,
    endOnFailure: false,
    interruptAfterTimeLimit: 300_000 + runs * 1000,
    markInterruptAsFailure: true,
  });
}
