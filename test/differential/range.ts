/** Sessions of a range of seeds, and what they have seen. */

import { Difference } from './lockstep.js';
import { runSession, type Options } from './script.js';

export interface RangeReport {
  sessions: number;
  counts: Record<string, number>;
  differences: { seed: number; text: string }[];
}

/** How many use the JS engine's own primitives: they cost ten times as much. */
const OWN = 64;

export function addCounts(into: Record<string, number>, counts: Record<string, number>): void {
  for (const [what, count] of Object.entries(counts)) into[what] = (into[what] ?? 0) + count;
}

export function runRange(from: number, sessions: number, tamper?: Options['tamper']): RangeReport {
  const report: RangeReport = { sessions: 0, counts: {}, differences: [] };
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // errors are what most wrong calls give, and their traces most of the time
  for (let seed = from; seed < from + sessions; seed++) {
    const primitives = seed % OWN === 0 ? 'own' : 'node';
    try {
      const { counts } = runSession({ seed, primitives, ...(tamper ? { tamper } : {}) });
      addCounts(report.counts, Object.fromEntries(counts));
    } catch (error) {
      const text = error instanceof Difference ? error.message : String((error as Error).stack);
      report.differences.push({ seed, text });
    }
    report.sessions++;
  }
  Error.stackTraceLimit = stackTraceLimit;
  return report;
}
