// Code size of the core on a Cortex-M4 (-Os, unused functions dropped), for builds that leave out what they do not need.
//
//   npm run size [-- --json] [-- --functions]
//
// The core alone: no crypto port, no libc. Fails where a build is larger than its budget below. As root it installs the
// compiler where that is missing, else it names the package.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

const P256 = 'HAWSER_MODE_KEYS_PSK=0 HAWSER_MODE_PSK=0 HAWSER_MODE_TICKET=0 HAWSER_SUITE_25519=0';
const SMALL = 'HAWSER_SERIAL_LINES=0 HAWSER_SAVE=0';

/** name, what is left out, budget in bytes */
const builds = [
  ['everything', '', 17500],
  ['streams, ticket', `${SMALL} HAWSER_MODE_KEYS=0 HAWSER_MODE_PSK=0`, 12500],
  ['streams, keys P-256', `${SMALL} ${P256}`, 14300],
  ['messages, ticket', `${SMALL} HAWSER_STREAMS=0 HAWSER_MODE_KEYS=0 HAWSER_MODE_PSK=0`, 9300],
  ['messages, keys P-256', `${SMALL} HAWSER_STREAMS=0 ${P256}`, 11200],
];

const { values } = parseArgs({ options: { json: { type: 'boolean' }, functions: { type: 'boolean' } } });
const target = ['-mcpu=cortex-m4', '-mthumb'];
const compile = ['-Os', '-std=c99', '-ffunction-sections', '-fdata-sections', '-Wall', '-Wextra', '-Werror'];
const out = 'build/size';

needCompiler();
mkdirSync(out, { recursive: true });
const [, list] = /HAWSER_CORE_SOURCES\n([^)]*)\)/.exec(readFileSync('csrc/sources.cmake', 'utf8'));
const sources = [
  ...list
    .trim()
    .split(/\s+/)
    .map((name) => join('csrc', name)),
  'test/firmware/size.c',
];
const rows = builds.map(([name, leftOut, budget]) => ({ name, leftOut, budget, functions: measure(leftOut) }));
for (const row of rows) row.bytes = row.functions.reduce((sum, { bytes }) => sum + bytes, 0);
if (values.json) console.log(JSON.stringify({ version: 1, target: target.join(' '), builds: rows }, null, 2));
else print();
process.exitCode = rows.some(({ bytes, budget }) => bytes > budget) ? 1 : 0;

function needCompiler() {
  if (spawnSync('arm-none-eabi-gcc', ['--version']).status === 0) return;
  const packages = ['gcc-arm-none-eabi', 'libnewlib-arm-none-eabi'];
  if (process.getuid?.() === 0) run('apt-get', ['install', '-y', '-q', ...packages]);
  else throw new Error(`arm-none-eabi-gcc is missing: install ${packages.join(' and ')}`);
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** Functions and constants of the core that stay in a program, largest first. */
function measure(leftOut) {
  const defines = ['HAWSER_GATEWAY=0', ...leftOut.split(' ').filter(Boolean)].map((text) => `-D${text}`);
  const objects = sources.map((source) => {
    const object = join(out, `${basename(source, '.c')}.o`);
    run('arm-none-eabi-gcc', [
      ...target,
      ...compile,
      ...defines,
      '-Icsrc/include',
      '-Icsrc/src',
      '-c',
      source,
      '-o',
      object,
    ]);
    return object;
  });
  const program = join(out, 'program.elf');
  // what a port and libc would give stays unresolved, and is not counted
  const link = ['-nostdlib', '-Wl,--gc-sections,--unresolved-symbols=ignore-all,-e,main', '-o', program];
  run('arm-none-eabi-gcc', [...target, ...link, ...objects]);
  const own = new Set(symbols(join(out, 'size.o')).map(({ name }) => name));
  return symbols(program).filter(({ name }) => !own.has(name));
}

function symbols(file) {
  const lines = run('arm-none-eabi-nm', ['--print-size', '--size-sort', '--reverse-sort', file]).trim().split('\n');
  return lines.flatMap((line) => {
    const [, bytes, kind, name] = line.split(' ');
    return /^[tr]$/i.test(kind) ? [{ name, bytes: parseInt(bytes, 16) }] : [];
  });
}

function print() {
  console.log(`Core on ${target.join(' ')} ${compile[0]}, in bytes, without crypto port and libc:\n`);
  for (const { name, bytes, budget, functions } of rows) {
    console.log(
      `${name.padEnd(24)}${String(bytes).padStart(7)}  budget ${budget}${bytes > budget ? '  TOO LARGE' : ''}`,
    );
    if (values.functions)
      for (const { name, bytes } of functions) console.log(`  ${String(bytes).padStart(6)}  ${name}`);
  }
}
