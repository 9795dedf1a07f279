// Every fuzz target in turn: those of the C core under libFuzzer (clang, AddressSanitizer, UBSan), those of the JavaScript side
// (js-...: the engine, the addon's boundary, files, the configuration) under test/fuzz/js, which goes by V8's block coverage.
//
//   npm run fuzz -- [--minutes 10] [--target verbs ...] [--merge]
//
// Prints executions, coverage (libFuzzer's edges and features; places of lib/ that were reached, each with how often) and findings,
// and exits non-zero on a finding. What it learns stays in build/fuzz/corpus; an input that shows a bug lies in build/fuzz/findings.
// --merge renews test/fuzz/corpus: the fewest inputs that reach what build/fuzz/corpus reaches.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';

// the longest input of each that still tells something new
const native = {
  accept: 600,
  cobs: 700,
  collect: 700,
  device: 400,
  frames: 500,
  pairing: 340,
  saved: 270,
  slots: 140,
  verbs: 300,
};
// as in test/fuzz/js/targets.ts
const scripted = [
  'js-accept',
  'js-addon',
  'js-config',
  'js-device',
  'js-frames',
  'js-inspect',
  'js-pairing',
  'js-state',
  'js-store',
];
const names = [...Object.keys(native), ...scripted];
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    target: { type: 'string', multiple: true, default: names },
    merge: { type: 'boolean', default: false },
  },
});
const unknown = values.target.find((name) => !names.includes(name));
if (unknown !== undefined) stop(`no target is called ${unknown}; there are ${names.join(', ')}`);
if (!(Number(values.minutes) > 0)) stop(`--minutes: not a number above 0: ${values.minutes}`);

if (values.target.some((name) => name in native)) build();
if (values.target.includes('js-addon')) shell('node tools/build-native.mjs');
mkdirSync('build/fuzz/findings', { recursive: true });
const seconds = Math.max(1, Math.floor((60 * Number(values.minutes)) / values.target.length));
let total = 0;
let findings = 0;
console.log(`${'target'.padEnd(14)}${'executions'.padStart(12)}${'per s'.padStart(8)}  coverage`);
for (const name of values.target) {
  const result = name in native ? runNative(name) : runScripted(name);
  total += result.executions;
  findings += result.found ? 1 : 0;
  console.log(
    `${name.padEnd(14)}${String(result.executions).padStart(12)}${String(Math.round(result.executions / seconds)).padStart(8)}` +
      `  ${result.coverage}${result.found ? '  FOUND SOMETHING' : ''}`,
  );
  if (result.found) console.log(result.tail);
  if (values.merge && name in native) merge(name);
  // of the addon's own code V8 sees nothing, so none of its inputs is fewer than another: they stay
  if (values.merge && !(name in native) && name !== 'js-addon')
    script(['merge', name, `test/fuzz/corpus/${name}`, `build/fuzz/corpus/${name}`]);
}
console.log(`${total} executions, ${findings} findings`);
process.exitCode = findings > 0 ? 1 : 0;

function build() {
  const options =
    '-G Ninja -DCMAKE_C_COMPILER=clang -DHAWSER_FUZZ=ON -DHAWSER_SANITIZE=ON -DHAWSER_PSA=OFF -DHAWSER_OPENSSL=OFF ' +
    '-DCMAKE_BUILD_TYPE=Release -DHAWSER_RUNNERS=OFF -DHAWSER_EXAMPLES=OFF';
  for (const line of [`cmake -S csrc -B build/fuzz ${options}`, 'cmake --build build/fuzz']) shell(line);
}

function shell(line) {
  const { status, stdout, stderr } = spawnSync(line, { shell: true, encoding: 'utf8' });
  if (status !== 0) stop(`${line}\n${stdout}${stderr}`);
}

function script(args) {
  const command = ['--import', 'tsx', 'test/fuzz/js/main.ts', ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', maxBuffer: 2 ** 30 });
}

// A process that died has left the input that it died of.
function runScripted(name) {
  const { status, signal, stdout, stderr } = script([
    'run',
    name,
    String(seconds),
    `build/fuzz/corpus/${name}`,
    `test/fuzz/corpus/${name}`,
  ]);
  const line = stdout.trim().split('\n').at(-1) ?? '';
  const died = status !== 0 || !line.startsWith('{');
  const report = died ? { executions: 0, finding: `ended with ${signal ?? status}\n${stderr}` } : JSON.parse(line);
  const coverage = `cov: ${report.coverage ?? 0} corp: ${report.corpus ?? 0}`;
  return {
    executions: report.executions,
    coverage,
    found: report.finding !== undefined || report.executions === 0,
    tail: String(report.finding).slice(-3000),
  };
}

function runNative(name) {
  const corpus = `build/fuzz/corpus/${name}`;
  mkdirSync(corpus, { recursive: true });
  const before = new Set(readdirSync('build/fuzz/findings'));
  const { status, stderr } = spawnSync(
    `build/fuzz/fuzz/fuzz-${name}`,
    [
      `-max_total_time=${seconds}`,
      `-max_len=${native[name]}`,
      '-len_control=0',
      '-timeout=10',
      '-print_final_stats=1',
      `-artifact_prefix=build/fuzz/findings/${name}-`,
      corpus,
      `test/fuzz/corpus/${name}`,
    ],
    { encoding: 'utf8', maxBuffer: 2 ** 30 },
  );
  const executions = Number(/number_of_executed_units: (\d+)/.exec(stderr)?.[1] ?? 0);
  const coverage = stderr.match(/cov: \d+ ft: \d+ corp: \d+/g)?.at(-1) ?? '';
  const found = status !== 0 || readdirSync('build/fuzz/findings').some((file) => !before.has(file));
  return { executions, coverage, found: found || executions === 0, tail: stderr.slice(-3000) };
}

function merge(name) {
  const target = `test/fuzz/corpus/${name}`;
  const fresh = `build/fuzz/merged-${name}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const { status, stderr } = spawnSync(
    `build/fuzz/fuzz/fuzz-${name}`,
    ['-merge=1', '-use_counters=0', `-max_len=${native[name]}`, fresh, target, `build/fuzz/corpus/${name}`],
    { encoding: 'utf8', maxBuffer: 2 ** 30 },
  );
  if (status !== 0) stop(stderr.slice(-3000));
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
}

function stop(message) {
  console.error(`fuzz: ${message}`);
  process.exit(2);
}
