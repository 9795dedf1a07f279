/**
 * Whether sessions leave anything behind.
 *
 *   npm run leaks [-- --sessions 100000] [--engine native ...] [--way cores ...]
 *
 * Each pair of an engine and a way runs in a process of its own (programs/leak.ts). Flat means: between the middle and the end of the
 * run neither resident memory nor what JavaScript holds grew by more than noise, whatever they did while the process warmed up; and no object
 * of the addon is left. JS and sockets take a part of the sessions.
 */

import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { runProgram } from './child.js';

export interface Sample {
  sessions: number;
  /** Objects of the addon that were not finalised. */
  live: number;
  rss: number;
  heapUsed: number;
  external: number;
}

export interface Verdict {
  /** Growth of resident memory, bytes per session, in the first and the second half of the run. */
  first: number;
  second: number;
  /** Bytes that the second half grew by. */
  grown: number;
  /** The same of V8's heap and what hangs on it. Resident memory may have room for that from before, and so hide a small leak. */
  heap: number;
  /** Objects of the addon that came and stayed. */
  live: number;
  flat: boolean;
}

export const ways = ['cores', 'sockets'] as const;
export const engines = ['native', 'native-mbedtls', 'js'] as const;
type Way = (typeof ways)[number];

const SAMPLES = 24;
/** What resident memory differs by between two quiet moments: pages that the collector and malloc keep for later. */
const NOISE = 3 << 20;
/** Over sockets V8's young generation grows for thousands of sessions, by more than a small leak: there it has one size from the start. */
const STEADY = ['--min-semi-space-size=1', '--max-semi-space-size=1'];

export function measure(engine: string, way: Way, sessions: number, fault = ''): Sample[] {
  const child = runProgram('leak', [engine, way, String(sessions), String(SAMPLES), fault], {
    flags: ['--expose-gc', '--no-warnings', ...(way === 'sockets' ? STEADY : [])],
    timeout: 0,
  });
  if (child.status !== 0) throw new Error(`${engine} ${way}: ${child.signal ?? child.status}: ${child.stderr}`);
  return child.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Sample);
}

/** `heapNoise`: what JavaScript holds after a collection is told to some hundred bytes a session, once V8 has compiled all of it. */
export function judge(samples: readonly Sample[], heapNoise = NOISE): Verdict {
  const [warm, last] = [samples[0], samples[samples.length - 1]];
  const running = samples.slice(0, -1); // the last one was taken when all had ended
  const half = running.length >> 1;
  if (warm === undefined || last === undefined || running.length < 8) throw new Error('too few samples');
  const resident = ({ rss }: Sample): number => rss;
  const [first, second] = [slope(running.slice(0, half), resident), slope(running.slice(half), resident)];
  const grown = second * (last.sessions / 2);
  const heap = slope(running.slice(half), ({ heapUsed, external }) => heapUsed + external) * (last.sessions / 2);
  const live = last.live - warm.live; // a gateway has a few for each pairing, however many sessions there are
  return { first, second, grown, heap, live, flat: grown < NOISE && heap < heapNoise && live <= 0 };
}

/**
 * Of memory over sessions: the mean of the steps between samples without the largest and the smallest, since a process
 * takes a piece of memory once in a while and goes on with that. What leaks is in every step.
 */
function slope(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const steps = samples.slice(1).map((one, at) => {
    const before = samples[at] as Sample;
    return (of(one) - of(before)) / (one.sessions - before.sessions);
  });
  const usual = steps.sort((a, b) => a - b).slice(1, -1);
  return usual.reduce((sum, step) => sum + step, 0) / usual.length;
}

/** What JS and sockets can do in the time that the native cores take for all; of JS enough that V8 has compiled it, and grown by that, in the first third. */
function share(engine: string, way: Way, sessions: number): number {
  const least = engine === 'js' ? 1500 : 240;
  return Math.max(least, Math.round(sessions / ((engine === 'js' ? 20 : 1) * (way === 'sockets' ? 10 : 1))));
}

const kib = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`.padStart(11);

function main(): void {
  const { values } = parseArgs({
    options: {
      sessions: { type: 'string', default: '100000' },
      engine: { type: 'string', multiple: true, default: [...engines] },
      way: { type: 'string', multiple: true, default: [...ways] },
    },
  });
  console.log('engine          way       sessions   B/session: 1st half  2nd half   grew       heap    objects left');
  for (const way of ways.filter((one) => values.way.includes(one)))
    for (const engine of values.engine) {
      const sessions = share(engine, way, Number(values.sessions));
      const { first, second, grown, heap, live, flat } = judge(measure(engine, way, sessions));
      console.log(
        `${engine.padEnd(16)}${way.padEnd(10)}${String(sessions).padStart(8)}${first.toFixed(0).padStart(22)}` +
          `${second.toFixed(0).padStart(10)}${kib(grown)}${kib(heap)}${String(live).padStart(10)}` +
          `  ${flat ? 'flat' : 'LEAKS'}`,
      );
      if (!flat) process.exitCode = 1;
    }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
