// Has CBMC prove the harnesses of test/proof, and find the fault that is seeded for each of them.
//
//   node tools/prove.mjs [--short] [--only TEXT] [--jobs N]
//
//   --short   small bounds; one harness at a time otherwise takes minutes
//   --only    proofs whose name contains TEXT
//   --jobs    proofs at a time (2)
//
// Two lines for each proof: what holds up to which bound, and by which property the seeded fault is found. The last line is
// "N passed, N failed". Programs and logs are in build/prove.
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { filled, proofs } from '../test/proof/proofs.mjs';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const harnesses = join(root, 'test/proof');
const timeLimitMs = 1200_000;
const checks = ['--unsigned-overflow-check', '--conversion-check', '--pointer-overflow-check', '--object-bits', '12'];

const { values } = parseArgs({
  options: { short: { type: 'boolean' }, only: { type: 'string' }, jobs: { type: 'string' } },
});
const tools = findTools();
const total = { passed: 0, failed: 0 };
const queue = proofs.filter(({ name }) => name.includes(values.only ?? '')).values();
await Promise.all(Array.from({ length: Number(values.jobs ?? 2) }, worker));
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

async function worker() {
  for (const proof of queue) {
    await report(proof, proof.name, proves);
    await report(proof, `${proof.name}, seeded`, findsSeed);
  }
}

async function report(proof, title, judge) {
  const started = performance.now();
  const { passed, text } = await judge(proof).catch((error) => ({ passed: false, text: error.message }));
  total[passed ? 'passed' : 'failed'] += 1;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${title}: ${text}, ${seconds} s`);
}

/** Every property holds, but for those that must not: what is to be reached, and what is meant to wrap. */
async function proves(proof) {
  const results = await check(proof, join(root, 'csrc/src'), 'proof');
  const wrong = results.filter((each) => isWrong(proof, each));
  const stale = proof.meant.filter((name) => !results.some((each) => isMeant(proof, each) === name));
  const shown = wrong.slice(0, 8).map(describe);
  if (stale.length > 0) shown.push(`nothing is dropped or wraps in ${stale.join(', ')}`);
  if (results.length === 0) shown.push('no property');
  const bounds = Object.entries(boundsOf(proof)).map(([name, value]) => `${name} ${value}`);
  const text = [`${results.length} properties`, ...bounds, ...shown].join(', ');
  return { passed: shown.length === 0, text };
}

/** A copy of the core with the fault in it must break a property. */
async function findsSeed(proof) {
  const [file, good, bad] = proof.seed;
  const dir = directory(proof, 'seeded');
  rmSync(dir, { recursive: true, force: true });
  cpSync(join(root, 'csrc/src'), join(dir, 'src'), { recursive: true });
  const path = join(dir, 'src', file);
  const text = readFileSync(path, 'utf8');
  if (text.split(good).length !== 2) {
    return { passed: false, text: `"${good}" is not there once in ${file}: seed another fault` };
  }
  writeFileSync(
    path,
    text.replace(good, () => bad),
  );
  const results = await check(proof, join(dir, 'src'), 'seeded');
  const found = results.filter((each) => each.status === 'FAILURE' && !isReach(each) && isWrong(proof, each));
  if (found.length === 0) return { passed: false, text: `"${bad}" for "${good}" is not found` };
  return { passed: true, text: `found by ${found.length} properties: ${describe(found[0])}` };
}

/** Compiles a harness with the core's sources out of `sources`, and gives CBMC's verdict on each property. */
async function check(proof, sources, kind) {
  const dir = directory(proof, kind);
  const [file, entry] = proof.entry;
  const defines = Object.entries({ HAWSER_GATEWAY: 1, LEN: 1, STREAMS: 1, ...proof.defines, ...boundsOf(proof) });
  const files = [
    ...[file, ...proof.support].map((name) => join(harnesses, name)),
    ...proof.sources.map((name) => join(sources, name)),
  ];
  const program = join(dir, 'program');
  const includes = [`-I${sources}`, `-I${join(root, 'csrc/include')}`, `-I${harnesses}`];
  await run(tools['goto-cc'], [...includes, ...defines.map(([k, v]) => `-D${k}=${v}`), '-o', program, ...files]);
  await run(tools['goto-instrument'], ['--uninitialized-check', program, program]);
  const loops = Object.entries(proof.loops).map(([loop, passes]) => `${loop}:${bound(passes)}`);
  const options = ['--function', entry, ...checks, '--unwind', String(proof.unwind), '--unwinding-assertions'];
  if (loops.length > 0) options.push('--unwindset', loops.join());
  const { stdout } = await run(
    tools.cbmc,
    [program, ...options, '--json-ui', '--slice-formula', '--drop-unused-functions'],
    {
      timeout: timeLimitMs,
      maxBuffer: 1 << 28,
    },
  ).catch((error) => (error.code === 10 ? error : Promise.reject(error))); // 10: some property fails
  writeFileSync(join(dir, 'log'), stdout);
  return JSON.parse(stdout).find((message) => message.result)?.result ?? [];
}

function boundsOf(proof) {
  return Object.fromEntries(Object.entries(proof.bounds).map(([name, both]) => [name, bound(both)]));
}

function bound(both) {
  return Array.isArray(both) ? both[values.short ? 0 : 1] : both;
}

function directory(proof, kind) {
  const dir = join(root, 'build/prove', proof.name.replaceAll(/\W+/g, '-'), kind);
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** What must hold does not, or what must be reached is not. */
function isWrong(proof, result) {
  if (isReach(result)) return result.status !== 'FAILURE';
  return result.status !== 'SUCCESS' && isMeant(proof, result) === undefined && !isFilled(result);
}

/** A local that is filled through a pointer: one of a harness, or one that is named. */
function isFilled({ description, sourceLocation }) {
  const [, local] = /^use of uninitialized local variable (.*)$/.exec(description) ?? [];
  return local !== undefined && (sourceLocation?.file?.startsWith(harnesses) || filled.includes(local));
}

function isReach({ description }) {
  return description.startsWith('reaches: ');
}

/** The function named as one that drops bits or wraps on purpose, if that is what this property is about. */
function isMeant({ meant }, { description, status, property }) {
  const about = /^arithmetic overflow on (unsigned [-+*]|(un)?signed to (un)?signed type conversion)/.test(description);
  return about && status === 'FAILURE' ? meant.find((name) => property.startsWith(`${name}.`)) : undefined;
}

function describe({ property, description, sourceLocation }) {
  return `${property} "${description}" at ${sourceLocation?.file?.split('/').at(-1)}:${sourceLocation?.line}`;
}

/** CBMC 6 as installed, else Debian's, in build/cbmc. */
function findTools() {
  const names = ['cbmc', 'goto-cc', 'goto-instrument'];
  const { stdout } = spawnSync('cbmc', ['--version'], { encoding: 'utf8' });
  if (Number(/^\d+/.exec(stdout ?? '')?.[0]) >= 6) return Object.fromEntries(names.map((name) => [name, name]));
  const { status } = spawnSync(join(root, 'tools/fetch-cbmc.sh'), { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) {
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
  return Object.fromEntries(names.map((name) => [name, join(root, 'build/cbmc/bin', name)]));
}
