// Code size of the core on a Cortex-M4 (-Os, unused functions dropped), for builds that leave out what they do not need, and
// the size of its structs there.
//
//   npm run size [-- --json] [-- --functions]
//
// The core alone, its constants and strings included: no crypto port, no libc; HAWSER_HMAC_LEN is that of firmware/. Fails where
// something is larger than its budget below. As root it installs the compiler where that is missing, else it names the package.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

const P256 = 'HAWSER_MODE_KEYS_PSK=0 HAWSER_MODE_PSK=0 HAWSER_MODE_TICKET=0 HAWSER_SUITE_25519=0';
const SMALL = 'HAWSER_SERIAL_LINES=0 HAWSER_SAVE=0';

/** name, what is left out, budget in bytes, the same for a build that optimises across files (-flto) */
const builds = [
  ['everything', '', 16030, 14180],
  ['streams, ticket', `${SMALL} HAWSER_MODE_KEYS=0 HAWSER_MODE_PSK=0`, 11380, 9900],
  ['streams, keys P-256', `${SMALL} ${P256}`, 13300, 11540],
  ['messages, ticket', `${SMALL} HAWSER_STREAMS=0 HAWSER_MODE_KEYS=0 HAWSER_MODE_PSK=0`, 8310, 7450],
  ['messages, keys P-256', `${SMALL} HAWSER_STREAMS=0 ${P256}`, 10150, 9050],
];

/** name, budget in bytes, of the build that has everything. A device holds its session; buffers and streams are the user's. */
const structs = [
  ['hawser_device', 456],
  ['hawser_session', 184],
  ['hawser_stream', 96],
  ['hawser_pairing', 328],
];

const { values } = parseArgs({ options: { json: { type: 'boolean' }, functions: { type: 'boolean' } } });
const target = ['-mcpu=cortex-m4', '-mthumb'];
const compile = ['-Os', '-std=c99', '-ffunction-sections', '-fdata-sections', '-Wall', '-Wextra', '-Werror'];
const include = ['-Icsrc/include', '-Icsrc/src'];
const out = 'build/size';

run('bash', ['tools/machine.sh', 'gcc-arm-none-eabi', 'libnewlib-arm-none-eabi']);
mkdirSync(out, { recursive: true });
const [, list] = /HAWSER_CORE_SOURCES\n([^)]*)\)/.exec(readFileSync('csrc/sources.cmake', 'utf8'));
const sources = [
  ...list
    .trim()
    .split(/\s+/)
    .map((name) => join('csrc', name)),
  'test/firmware/size.c',
];
const rows = builds.map(([name, leftOut, budget, ltoBudget]) => {
  const functions = functionsOf(link(leftOut));
  return { name, leftOut, bytes: sum(functions), budget, lto: flashOf(link(leftOut, '-flto')), ltoBudget, functions };
});
const sizes = structSizes().map((size) => ({ ...size, budget: new Map(structs).get(size.name) }));
if (values.json)
  console.log(JSON.stringify({ version: 2, target: target.join(' '), builds: rows, structs: sizes }, null, 2));
else print();
const over = [...rows, ...sizes].filter(({ bytes, budget, lto, ltoBudget }) => bytes > budget || lto > ltoBudget);
for (const { name } of over) console.error(`too large: ${name}`);
process.exitCode = over.length > 0 ? 1 : 0;

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

function sum(parts) {
  return parts.reduce((total, { bytes }) => total + bytes, 0);
}

/** A program of the core and test/firmware/size.c. What a port and libc would give stays unresolved, and is not counted. */
function link(leftOut, ...flags) {
  const defines = ['HAWSER_GATEWAY=0', 'HAWSER_HMAC_LEN=224', ...leftOut.split(' ').filter(Boolean)].map(
    (text) => `-D${text}`,
  );
  const objects = sources.map((source) => {
    const object = join(out, `${basename(source, '.c')}.o`);
    run('arm-none-eabi-gcc', [...target, ...compile, ...flags, ...defines, ...include, '-c', source, '-o', object]);
    return object;
  });
  const program = join(out, 'program.elf');
  const linking = ['-nostdlib', '-Wl,--gc-sections,--unresolved-symbols=ignore-all,-e,main', '-o', program];
  run('arm-none-eabi-gcc', [...target, ...compile, ...flags, ...linking, ...objects]);
  return program;
}

/** Code and constants of a program. */
function flashOf(program) {
  const sections = [...run('arm-none-eabi-size', ['-A', program]).matchAll(/^\.(?:text|rodata|data)\s+(\d+)/gm)];
  return sections.reduce((total, [, bytes]) => total + Number(bytes), 0);
}

/** Functions and constants of the core in a program that was linked without -flto, largest first, then its strings. */
function functionsOf(program) {
  const named = symbols(program, /^[tr]$/i);
  const own = new Set(symbols(join(out, 'size.o'), /^[tr]$/i).map(({ name }) => name));
  const strings = { name: 'strings, alignment', bytes: flashOf(program) - sum(named) };
  return [...named.filter(({ name }) => !own.has(name)), strings];
}

function symbols(file, kinds) {
  const lines = run('arm-none-eabi-nm', ['--print-size', '--size-sort', '--reverse-sort', file]).trim().split('\n');
  return lines.flatMap((line) => {
    const [, bytes, kind, name] = line.split(' ');
    return kinds.test(kind) ? [{ name, bytes: parseInt(bytes, 16) }] : [];
  });
}

/** Compiled, not asked: an array as long as each struct is. */
function structSizes() {
  const object = join(out, 'structs.o');
  const lines = structs.map(([name]) => `char ${name}_[sizeof(${name})];`);
  const text = ['#include "hawser/device.h"', ...lines, ''].join('\n');
  const options = [...target, '-DHAWSER_GATEWAY=0', ...include, '-xc', '-c', '-', '-o', object];
  const { status, stderr } = spawnSync('arm-none-eabi-gcc', options, { input: text, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return symbols(object, /^b$/i).map(({ name, bytes }) => ({ name: name.slice(0, -1), bytes }));
}

function print() {
  console.log(
    `Core on ${target.join(' ')} ${compile[0]}, in bytes, without crypto port and libc. With -flto: including the`,
  );
  console.log('few hundred bytes of the program that calls it, which cannot be told apart there.\n');
  for (const { name, bytes, budget, lto, ltoBudget, functions } of rows) {
    console.log(`${name.padEnd(24)}${show(bytes, budget)}   -flto${show(lto, ltoBudget)}`);
    if (values.functions)
      for (const each of functions) console.log(`  ${String(each.bytes).padStart(6)}  ${each.name}`);
  }
  console.log('');
  for (const { name, bytes, budget } of sizes) console.log(`sizeof ${name.padEnd(17)}${show(bytes, budget)}`);
}

function show(bytes, budget) {
  return `${String(bytes).padStart(7)}  budget ${budget}`;
}
