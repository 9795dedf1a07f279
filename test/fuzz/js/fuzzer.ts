/**
 * A small fuzzer with V8's coverage for its guide: inputs are changed at random, and those that reach something new are kept to be
 * changed further. Coverage is read once for a batch, since reading it costs more than running an input.
 */

import { createHash } from 'node:crypto';
import { Dice } from '../../differential/dice.js';
import { Coverage } from './coverage.js';
import type { Target } from './target.js';

const BATCH = 400;

export interface Outcome {
  executions: number;
  coverage: number;
  corpus: Uint8Array[];
  finding: { input: Uint8Array; error: unknown } | undefined;
}

export const nameOf = (input: Uint8Array): string => createHash('sha1').update(input).digest('hex');

/** `before` is told of every input, so that one that ends the process is known. */
export function fuzz(
  target: Target,
  start: readonly Uint8Array[],
  until: () => boolean,
  seed: number,
  before: (input: Uint8Array) => void = () => undefined,
): Outcome {
  const dice = new Dice(seed);
  const coverage = new Coverage();
  const corpus = start.length > 0 ? [...start] : [new Uint8Array(0)];
  const outcome: Outcome = { executions: 0, coverage: 0, corpus, finding: undefined };
  const run = (input: Uint8Array): boolean => {
    outcome.executions++;
    before(input);
    try {
      target.run(Uint8Array.from(input));
      return true;
    } catch (error) {
      outcome.finding = { input, error };
      return false;
    }
  };
  if (!corpus.every(run)) return outcome;
  coverage.take();
  while (!until()) {
    const batch = Array.from({ length: BATCH }, () => changed(corpus, target, dice));
    if (!batch.every(run)) break;
    // Which of them it was.
    if (coverage.take() > 0) corpus.push(...kept(batch, run, coverage));
  }
  outcome.coverage = coverage.reached.size;
  return outcome;
}

/** Those of a batch that reach something that the ones before do not. */
function kept(batch: readonly Uint8Array[], run: (input: Uint8Array) => boolean, coverage: Coverage): Uint8Array[] {
  const all = new Set(coverage.reached);
  coverage.reached.clear();
  const news = batch.filter((input) => run(input) && coverage.take() > 0);
  for (const place of all) coverage.reached.add(place);
  return news.slice(0, 4);
}

/** The fewest inputs, short ones first, that reach what all of them reach. */
export function fewest(target: Target, inputs: readonly Uint8Array[]): Uint8Array[] {
  const coverage = new Coverage();
  coverage.take();
  coverage.reached.clear();
  return [...inputs]
    .sort((a, b) => a.length - b.length)
    .filter((input) => {
      target.run(Uint8Array.from(input));
      return coverage.take() > 0;
    });
}

/** One input after a few changes. */
function changed(corpus: readonly Uint8Array[], target: Target, dice: Dice): Uint8Array {
  let input = Uint8Array.from(dice.pick(corpus));
  for (let left = 1 + dice.below(5); left > 0; left--) input = change(input, corpus, target, dice);
  return input.subarray(0, target.most);
}

function change(
  input: Uint8Array,
  corpus: readonly Uint8Array[],
  { words = [] }: Target,
  dice: Dice,
): Uint8Array<ArrayBuffer> {
  const at = dice.below(input.length + 1);
  const end = at + dice.below(Math.min(32, input.length - at) + 1);
  const put = (bytes: Uint8Array, over: number): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(Buffer.concat([input.subarray(0, at), bytes, input.subarray(Math.min(input.length, at + over))]));
  switch (dice.below(words.length > 0 ? 9 : 8)) {
    case 0:
      return put(Uint8Array.of((input[at] ?? 0) ^ (1 << dice.below(8))), 1);
    case 1:
      return put(dice.bytes(1), 1);
    case 2:
      return put(dice.bytes(1 + dice.below(8)), 0);
    case 3:
      return put(new Uint8Array(0), end - at);
    case 4:
      return put(input.subarray(at, end), 0);
    case 5:
      return put(Uint8Array.of(dice.pick([0, 1, 2, 16, 32, 64, 127, 128, 254, 255])), 1);
    case 6:
      return put(Uint8Array.of((input[at] ?? 0) + dice.below(7) - 3), 1);
    case 7: {
      const other = dice.pick(corpus);
      const from = dice.below(other.length + 1);
      return put(other.subarray(from, from + dice.below(64)), dice.below(3) * 16);
    }
    default:
      return put(Buffer.from(dice.pick(words)), dice.below(2) * 4);
  }
}
