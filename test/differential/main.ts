/**
 * npm run differential -- [--sessions 1000000] [--from 1] [--jobs CORES]
 *
 * So many random sessions on the C core and the JS engine at once (script.ts), from the seed --from on, in one process per job.
 * A session follows from its seed alone, so that a run may go on where another one ended, and a difference is seen again with
 * --from SEED --sessions 1. One session of 64 uses the JS engine's own primitives, the others those of Node, which are faster.
 *
 * Prints progress, at the end what the sessions have seen, and every difference; exits non-zero on one.
 */

import { fork } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { addCounts, runRange, type RangeReport } from './range.js';

const BATCH = 250;

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(cpus().length) },
    worker: { type: 'boolean', default: false },
  },
});

function number(name: 'sessions' | 'from' | 'jobs'): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`differential: --${name} is not a number above 0: ${values[name]}`);
  process.exit(2);
}

if (values.worker) work();
else await lead(number('sessions'), number('from'), number('jobs'));

/** A process of its own: runs the ranges that it is given. */
function work(): void {
  process.on('message', ({ from, sessions }: { from: number; sessions: number }) => {
    process.send?.(runRange(from, sessions));
  });
}

async function lead(sessions: number, from: number, jobs: number): Promise<void> {
  const total: RangeReport = { sessions: 0, counts: {}, differences: [] };
  const started = performance.now();
  let next = from;
  const take = (): { from: number; sessions: number } | undefined => {
    if (next >= from + sessions || total.differences.length >= 20) return undefined;
    const range = { from: next, sessions: Math.min(BATCH, from + sessions - next) };
    next += range.sessions;
    return range;
  };
  const report = (done: RangeReport): void => {
    const before = total.sessions;
    total.sessions += done.sessions;
    total.differences.push(...done.differences);
    addCounts(total.counts, done.counts);
    for (const { seed, text } of done.differences) console.log(`--from ${seed} --sessions 1: ${text}\n`);
    if (Math.floor(before / 2_000) === Math.floor(total.sessions / 2_000)) return;
    const rate = total.sessions / ((performance.now() - started) / 1000);
    console.log(`${total.sessions} sessions, ${Math.round(rate)}/s, ${total.differences.length} differences`);
  };
  await Promise.all(Array.from({ length: jobs }, () => drive(take, report)));
  for (const [what, count] of Object.entries(total.counts).sort()) console.log(`${String(count).padStart(12)} ${what}`);
  console.log(
    `${total.sessions} sessions from seed ${from}: ${total.counts.calls ?? 0} calls, ${total.differences.length} differences`,
  );
  process.exitCode = total.differences.length > 0 || total.sessions < sessions ? 1 : 0;
}

/** One worker process; one that dies has found something too. */
async function drive(
  take: () => { from: number; sessions: number } | undefined,
  report: (done: RangeReport) => void,
): Promise<void> {
  const child = fork(process.argv[1] as string, ['--worker'], { execArgv: process.execArgv });
  for (let range = take(); range; range = take()) {
    const { from, sessions } = range;
    child.send(range);
    const done = await new Promise<RangeReport>((resolve) => {
      child.once('message', (message) => resolve(message as RangeReport));
      child.once('exit', (code, signal) =>
        resolve({
          sessions: 0,
          counts: {},
          differences: [
            { seed: from, text: `a worker ended (${code ?? signal}) in the ${sessions} sessions from here` },
          ],
        }),
      );
    });
    child.removeAllListeners('exit');
    child.removeAllListeners('message');
    report(done);
    if (child.exitCode !== null || child.signalCode !== null) return;
  }
  child.disconnect();
}
