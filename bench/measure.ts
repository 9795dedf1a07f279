/** Rounds in turns: machines are noisy, so that all contenders of a row are measured A B C, A B C ..., and the medians are compared. */

export interface Contender {
  name: string;
  /** One round; answers units per second. */
  round: () => Promise<number> | number;
}

export interface Row {
  section: string;
  what: string;
  unit: string;
  /** The contender that the others are compared with. */
  peer: string;
  results: { name: string; median: number; least: number; most: number; ratio: number }[];
  /** hawser's ratio to the peer is at least this, if all is well. */
  goal?: { name: string; ratio: number; met: boolean };
}

export interface RowOptions {
  section: string;
  what: string;
  unit: string;
  peer: string;
  goal?: { name: string; ratio: number };
}

/** So many rounds of each contender; those that warm up come first and do not count. */
export interface Rounds {
  rounds: number;
  warmups: number;
}

export async function measure(
  options: RowOptions,
  contenders: readonly Contender[],
  { rounds, warmups }: Rounds,
): Promise<Row> {
  const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -warmups; round < rounds; round += 1) {
    for (const { name, round: run } of contenders) {
      const figure = await run();
      if (round >= 0) figures.get(name)?.push(figure);
    }
  }
  const { goal, ...rest } = options;
  const base = median(figures.get(options.peer) ?? []);
  const results = [...figures].map(([name, all]) => {
    const middle = median(all);
    return { name, median: middle, least: Math.min(...all), most: Math.max(...all), ratio: middle / base };
  });
  if (!goal) return { ...rest, results };
  const reached = results.find(({ name }) => name === goal.name)?.ratio ?? 0;
  return { ...rest, results, goal: { ...goal, met: reached >= goal.ratio } };
}

export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

/** Calls `once` for about so many milliseconds; calls per second. */
export function rate(once: () => void, ms: number): number {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  for (let batch = 1; elapsed < ms;) {
    for (let n = 0; n < batch; n += 1) once();
    calls += batch;
    const before = elapsed;
    elapsed = performance.now() - start;
    if (elapsed - before < ms / 50) batch *= 2;
  }
  return (calls * 1000) / elapsed;
}
