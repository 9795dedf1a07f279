// Searches the models of docs/model with Spin: every base completely, every mutant until its assertion fails.
//
//   node tools/model.mjs [--short] [--only TEXT] [--jobs N]
//
//   --short   the smallest base of each model and all mutants; without it all bases, and the bounds of each mutant are
//             also searched without the mutation, so that it is the mutation that is refuted and not the bounds
//   --only    searches whose name contains TEXT
//   --jobs    searches at a time (1; with --short 2); each may use 4 GB of memory
//
// One line per search; the last line is "N passed, N failed". Logs and search programs are in build/model.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { models } from '../docs/model/searches.mjs';
import { buildSearch, flags, needSpin } from './spin.mjs';

const run = promisify(execFile);
const memoryMb = 4000;
const timeLimitMs = 3600_000;

const { values } = parseArgs({
  options: { short: { type: 'boolean' }, only: { type: 'string' }, jobs: { type: 'string' } },
});
try {
  needSpin();
} catch (error) {
  console.error(`model: ${error.message}`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}
const searches = models.flatMap(plan).filter(({ title }) => title.includes(values.only ?? ''));
const total = { passed: 0, failed: 0 };
const jobs = Number(values.jobs ?? (values.short ? 2 : 1));
const queue = searches.values();
await Promise.all(Array.from({ length: jobs }, worker));
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

/** Bases first; then mutants, each with the bounds it is refuted under. */
function plan(model) {
  const bases = model.bases.filter(({ short }) => short || !values.short);
  const known = new Set(bases.map(({ bounds }) => key(bounds)));
  const all = bases.map(({ name, bounds }) => search(model, `base, ${name}`, bounds));
  for (const [name, rule, assertion, bounds = {}] of model.mutants) {
    if (!values.short && !known.has(key(bounds)) && !isBound(model, name)) {
      known.add(key(bounds));
      all.push(search(model, `base of ${name}`, bounds));
    }
    all.push({ ...search(model, `mutant ${name}`, { ...bounds, [`MUT_${name}`]: true }), rule, assertion });
  }
  return all;
}

/** Its model has no such macro: the bounds alone are what is wrong (one block ahead is not enough for a store that loses). */
function isBound(model, name) {
  return name === 'ONE_BLOCK_AHEAD' && model.name === 'chain';
}

function search(model, name, bounds) {
  return { model, title: `${model.name}: ${name}`, bounds };
}

function key(bounds) {
  return Object.entries(bounds).map(String).sort().join();
}

async function worker() {
  for (const each of queue) {
    const started = performance.now();
    const { passed, text } = await judge(each).catch((error) => ({ passed: false, text: error.message }));
    total[passed ? 'passed' : 'failed'] += 1;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${passed ? 'ok    ' : 'FAILED'} ${each.title}: ${text}, ${seconds} s [${flags(each.bounds).join(' ')}]`,
    );
  }
}

async function judge(each) {
  const log = await pan(each);
  const errors = Number(/errors: (\d+)/.exec(log)?.[1]);
  const states = Number(/(\d+) states, stored/.exec(log)?.[1]);
  const violated = /assertion violated (.*) \(at depth (\d+)\)/.exec(log);
  const incomplete = /Search not completed|max search depth too small|out of memory|MEMLIM|aborted/.exec(log);
  if (each.assertion) {
    const name = violated && each.model.assertions.find(([, pattern]) => pattern.test(violated[1]))?.[0];
    const text = violated
      ? `${name} violated after ${states} states, depth ${violated[2]}`
      : `not refuted in ${states} states`;
    return { passed: errors > 0 && name === each.assertion, text: `rule ${each.rule}, ${text}` };
  }
  const text = `${states} states, ${errors} errors, ${incomplete ? `NOT complete (${incomplete[0]})` : 'complete'}`;
  return { passed: errors === 0 && states > 0 && !incomplete, text };
}

/** Builds and runs one search; its whole output. */
async function pan({ model, title, bounds, assertion }) {
  // A mutant falls soon: there the compiler takes longer than the search.
  const level = assertion ? '-O0' : '-O2';
  const options = [level, '-DSAFETY', '-DCOLLAPSE', '-DVECTORSZ=1024', `-DMEMLIM=${memoryMb}`];
  const program = await buildSearch(model.name, title, bounds, options);
  const dir = dirname(program);
  const { stdout } = await run(program, ['-E', '-m1000000'], {
    cwd: dir,
    timeout: timeLimitMs,
    maxBuffer: 1 << 26,
  });
  writeFileSync(join(dir, 'log'), stdout);
  return stdout;
}
