// Coverage of csrc/src by the C unit tests and the fuzz corpora: lines, branches, MC/DC.
//
//   npm run coverage [-- --json]
//
// Fails on a branch that is never taken and not excused, and on an excuse that is no longer needed. Excuses stand in
// test/assurance/uncovered.json by their reasons: file, source text of the condition, the side that is never seen.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const dir = 'build/coverage';
const raw = resolve(dir, 'raw');
const excuses = JSON.parse(readFileSync('test/assurance/uncovered.json', 'utf8')).flatMap(({ sides }) => sides);

build();
const programs = measure();
const { data } = JSON.parse(cover('export', programs));
const files = data[0].files.filter(({ filename }) => filename.includes('/csrc/src/'));
const missed = files.flatMap(missedOf).sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
const unexcused = missed.filter((miss) => !excuses.some((excuse) => same(excuse, miss)));
const idle = excuses.filter((excuse) => !missed.some((miss) => same(excuse, miss)));
if (values.json) console.log(JSON.stringify({ version: 1, total: total(), missed, unexcused, idle }, null, 2));
else print();
process.exitCode = unexcused.length + idle.length > 0 ? 1 : 0;

function build() {
  const flags = '-O1 -g -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc';
  run(
    `cmake -G Ninja -S csrc -B ${dir} -DCMAKE_C_COMPILER=clang-19 -DCMAKE_C_FLAGS="${flags}" -DHAWSER_PSA=OFF ` +
      '-DHAWSER_STRICT=OFF -DHAWSER_EXAMPLES=OFF -DHAWSER_RUNNERS=OFF',
  );
  run(`cmake --build ${dir}`);
}

/** Runs what there is; the programs that hold the core as it is shipped, with streams and both halves. */
function measure() {
  rmSync(raw, { recursive: true, force: true });
  mkdirSync(raw, { recursive: true });
  run(`ctest --test-dir ${dir} --output-on-failure --no-tests=error -j ${availableParallelism()}`, {
    LLVM_PROFILE_FILE: `${raw}/%p-%m.profraw`,
  });
  run(`llvm-profdata-19 merge -sparse -o ${dir}/all.profdata ${raw}/*.profraw`);
  const tests = readdirSync(dir).filter((name) => /^test-.*-openssl$/.test(name) && name !== 'test-messages-openssl');
  return [...tests.map((name) => `${dir}/${name}`), `${dir}/fuzz/fuzz-one-fuzz`];
}

function cover(verb, [first, ...others]) {
  const objects = others.map((name) => `-object ${name}`).join(' ');
  return run(`llvm-cov-19 ${verb} ${first} ${objects} -instr-profile=${dir}/all.profdata csrc/src`);
}

/** The sides of conditions of a file that no run has seen. */
function missedOf({ filename, branches }) {
  const source = readFileSync(filename, 'utf8').split('\n');
  const seen = new Map(); // a condition is there once for each program
  for (const [line, column, lastLine, lastColumn, yes, no] of branches) {
    const key = `${line}:${column}`;
    const at = seen.get(key) ?? { line, text: text(source, line, column, lastLine, lastColumn), yes: 0, no: 0 };
    seen.set(key, { ...at, yes: at.yes + yes, no: at.no + no });
  }
  return [...seen.values()].flatMap(({ line, text: code, yes, no }) => [
    ...(yes === 0 ? [{ file: basename(filename), line, code, side: 'true' }] : []),
    ...(no === 0 ? [{ file: basename(filename), line, code, side: 'false' }] : []),
  ]);
}

function text(source, line, column, lastLine, lastColumn) {
  const lines = source.slice(line - 1, lastLine);
  lines[lines.length - 1] = lines.at(-1).slice(0, lastColumn - 1);
  lines[0] = lines[0].slice(column - 1);
  return lines.map((part) => part.trim()).join(' ');
}

function same(a, b) {
  return a.file === b.file && a.code === b.code && a.side === b.side;
}

function total() {
  const { lines, branches, mcdc } = data[0].totals;
  return Object.fromEntries(
    Object.entries({ lines, branches, mcdc }).map(([name, { count, covered, percent }]) => [
      name,
      { count, covered, percent },
    ]),
  );
}

function print() {
  const cell = ({ covered, count }) => `${covered}/${count}`.padStart(12);
  console.log(`${'file'.padEnd(14)}${['lines', 'branches', 'MC/DC'].map((name) => name.padStart(12)).join('')}`);
  const row = (name, { lines, branches, mcdc }) =>
    console.log(`${name.padEnd(14)}${cell(lines)}${cell(branches)}${cell(mcdc)}`);
  for (const { filename, summary } of files) row(basename(filename), summary);
  row('all', data[0].totals);
  const percent = Object.entries(total()).map(([name, { percent }]) => `${name} ${percent.toFixed(2)} %`);
  console.log(`${percent.join(', ')}; ${missed.length} sides never seen, ${missed.length - unexcused.length} excused`);
  for (const { file, line, code, side } of unexcused) console.log(`FAILED ${file}:${line} never ${side}: ${code}`);
  for (const { file, code, side } of idle) console.log(`FAILED excused, but seen or gone: ${file} ${side}: ${code}`);
  console.log(`${files.length} passed, ${unexcused.length + idle.length} failed`);
}

function run(line, env = {}) {
  const { status, stdout, stderr } = spawnSync(line, {
    shell: true,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    env: { ...process.env, ...env },
  });
  if (status === 0) return stdout;
  console.error(`${line}\n${stdout}${stderr}`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}
