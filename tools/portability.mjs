// The core where words are shorter or bytes lie the other way round: its unit tests, the vectors, and a device against the
// gateway of this machine, cross-compiled and run by qemu. And, compiled only, where size_t and int have 16 bits.
//
//   node tools/portability.mjs [--short] [TARGET...]
//
// --short: what `npm test` has time for, one target of each kind, the quick tests, and the vectors of whole handshakes.
// Undefined behaviour and misaligned access trap. The last line is the sum: "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

// traits: what test/portability/traits.c must print, so that a target is what its row says: bits of a size_t, byte order,
// alignment of a 64-bit integer
const targets = {
  armhf: { tools: 'arm-linux-gnueabihf', emulator: 'qemu-arm', cpu: 'arm', traits: '32 little 8', short: true },
  powerpc: { tools: 'powerpc-linux-gnu', emulator: 'qemu-ppc', cpu: 'powerpc', traits: '32 big 8', short: false },
  m68k: { tools: 'm68k-linux-gnu', emulator: 'qemu-m68k', cpu: 'm68k', traits: '32 big 2', short: false },
  s390x: { tools: 's390x-linux-gnu', emulator: 'qemu-s390x', cpu: 's390x', traits: '64 big 8', short: true },
};
const traps = ['-fsanitize=undefined,alignment', '-fsanitize-undefined-trap-on-error'];
// those that do not repeat a handshake thousands of times
const quick = ['port', 'pairing', 'session', 'device', 'record', 'channel', 'messages'];
const programs = ['example-device-psa', 'noise_vectors-psa', 'port_vectors-psa'];
const mbedtls = resolve('build/mbedtls');

const { values, positionals } = parseArgs({ options: { short: { type: 'boolean' } }, allowPositionals: true });
const unknown = positionals.find((name) => name !== 'avr' && !(name in targets));
if (unknown !== undefined) {
  console.error(`no target is called ${unknown}; there are ${[...Object.keys(targets), 'avr'].join(', ')}`);
  process.exit(2);
}
const wanted = (name, short) => (positionals.length > 0 ? positionals.includes(name) : !values.short || short);

let passed = 0;
let failed = 0;
const fetched = run('fetch-mbedtls', 'tools/fetch-mbedtls.sh', []).status === 0;
if (wanted('avr', true)) sixteenBits();
if (fetched)
  for (const [name, target] of Object.entries(targets)) if (wanted(name, target.short)) emulate(name, target);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function emulate(name, target) {
  const started = performance.now();
  const before = { passed, failed };
  const out = resolve('build/portability', name);
  mkdirSync(out, { recursive: true });
  if (traits(name, target, out) && library(name, target, out) && core(name, target, out)) {
    const env = { ...process.env, HAWSER_RUNNERS: join(out, 'core'), HAWSER_EMULATOR: target.emulator };
    unitTests(name, out);
    const vectors = ['cacophony', ...(values.short ? [] : ['crypto'])];
    for (const file of vectors) mocha(`${name}: ${file}`, env, `test/vectors/${file}.test.ts`, '--grep', 'C, psa');
    mocha(`${name}: a device against the gateway`, env, 'test/portability/interop.ts');
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${name}: ${passed - before.passed} passed, ${failed - before.failed} failed in ${seconds} s`);
}

/** The machine is what it should be, and a fault of each kind that the flags are for ends a program. */
function traits(name, { tools, emulator, traits }, out) {
  const program = join(out, 'traits');
  const flags = ['-std=c99', '-O1', '-static', '-Wno-aggressive-loop-optimizations', ...traps];
  if (run(`${name}: compiler`, `${tools}-gcc`, [...flags, '-o', program, 'test/portability/traits.c']).status !== 0)
    return false;
  const { stdout } = run(`${name}: emulator`, emulator, [program]);
  check(`${name} is ${traits}`, stdout.trim() === traits, stdout);
  for (const fault of ['misaligned', 'overflow']) {
    const { signal, status } = spawnSync(emulator, [program, fault]);
    check(`${name}: ${fault} traps`, signal !== null || status > 128, `status ${status}`);
  }
  return true;
}

/** libmbedcrypto for the target, compiled again when its sources or its configuration change. */
function library(name, { tools }, out) {
  const config = resolve('csrc/ports/psa/mbedtls_config_host.h');
  const stamp = `${readFileSync(join(mbedtls, 'stamp'), 'utf8')}${tools}`;
  const at = join(out, 'mbedtls');
  if (existsSync(join(at, 'stamp')) && readFileSync(join(at, 'stamp'), 'utf8') === stamp) return true;
  rmSync(at, { recursive: true, force: true });
  for (const folder of ['lib', 'objects']) mkdirSync(join(at, folder), { recursive: true });
  symlinkSync(join(mbedtls, 'include'), join(at, 'include'));
  const flags = `-O2 -I${mbedtls}/include -I${mbedtls}/library -DMBEDTLS_CONFIG_FILE='"${config}"'`;
  const compile = `printf '%s\\0' ${mbedtls}/library/*.c | xargs -0 -P ${cpus().length} -n 8 ${tools}-gcc -c ${flags}`;
  const { status } = run(`${name}: mbedTLS`, 'sh', ['-c', `${compile} && ${tools}-ar rcs ../lib/libmbedcrypto.a *.o`], {
    cwd: join(at, 'objects'),
  });
  if (status === 0) writeFileSync(join(at, 'stamp'), stamp);
  return status === 0;
}

function core(name, { tools, emulator, cpu }, out) {
  const build = join(out, 'core');
  const options = {
    CMAKE_SYSTEM_NAME: 'Linux',
    CMAKE_SYSTEM_PROCESSOR: cpu,
    CMAKE_C_COMPILER: `${tools}-gcc`,
    CMAKE_CROSSCOMPILING_EMULATOR: emulator,
    CMAKE_C_FLAGS: ['-O1', ...traps].join(' '),
    CMAKE_EXE_LINKER_FLAGS: '-static',
    HAWSER_OPENSSL: 'OFF',
    HAWSER_MBEDTLS_DIR: join(out, 'mbedtls'),
  };
  const defines = Object.entries(options).map(([key, value]) => `-D${key}=${value}`);
  const configured = run(`${name}: configure`, 'cmake', ['-G', 'Ninja', '-S', 'csrc', '-B', build, ...defines]);
  const some = values.short ? ['--target', ...quick.map((test) => `test-${test}-psa`), ...programs] : [];
  return configured.status === 0 && run(`${name}: build`, 'cmake', ['--build', build, ...some]).status === 0;
}

function unitTests(name, out) {
  // faults: every n-th call of the port fails, for every n, which has nothing to do with the machine and takes an hour on it
  const some = values.short ? ['-R', `^(${quick.join('|')})-psa$`] : ['-E', '^faults-'];
  const args = ['--test-dir', join(out, 'core'), '--output-on-failure', '--no-tests=error', '-j', `${cpus().length}`];
  const { stdout } = spawnSync('ctest', [...args, ...some], { encoding: 'utf8' });
  const [, bad = 1, all = 1] = /(\d+) tests? failed out of (\d+)/.exec(stdout ?? '') ?? [];
  count(`${name}: unit tests`, all - bad, Number(bad), stdout);
}

function mocha(what, env, ...args) {
  const { stdout, stderr, status } = spawnSync('node_modules/.bin/mocha', args, { env, encoding: 'utf8' });
  const number = (word) => Number(new RegExp(`^ +(\\d+) ${word}`, 'm').exec(stdout ?? '')?.[1] ?? 0);
  const bad = number('failing') + number('pending');
  count(what, number('passing'), bad || Number(status !== 0 || number('passing') === 0), `${stdout}${stderr}`);
}

/** avr-gcc with its own C library: every conversion that loses bits is a warning, and warnings are errors. Nothing is run. */
function sixteenBits() {
  const flags = ['-mmcu=atmega2560', '-std=c99', '-Os', '-c', '-o', '/dev/null', '-Icsrc/include', '-Werror', '-Wall'];
  // an enumerator is an int: beside an unsigned word every one of them would be a change of sign
  const warnings = ['-Wextra', '-Wpedantic', '-Wconversion', '-Wno-sign-conversion', '-Wshadow'];
  const fault = spawnSync('avr-gcc', [...flags, ...warnings, '-xc', '-'], {
    input: '#include <stdint.h>\nuint16_t f(uint32_t window);\nuint16_t f(uint32_t window) { return window; }\n',
  });
  check('avr: a lossy conversion is seen', fault.status === 1, fault.stderr);
  for (const build of ['-DHAWSER_GATEWAY=1', '-DHAWSER_GATEWAY=0', '-DHAWSER_STREAMS=0'])
    for (const file of readdirSync('csrc/src').filter((name) => name.endsWith('.c')))
      run(`avr: ${file} ${build}`, 'avr-gcc', [...flags, ...warnings, build, join('csrc/src', file)]);
  sixteenBitPsa([...flags, ...warnings]);
}

/** A pointer is too short for the id of a PSA key there, but not for the address of a ticket. */
function sixteenBitPsa(flags) {
  const psa = [
    ...flags,
    `-isystem${mbedtls}/include`,
    '-DHAWSER_RANDOM=HAWSER_RANDOM_BOARD',
    'csrc/ports/psa/port_psa.c',
  ];
  const raw = ['-DHAWSER_PSA_RAW_SECRETS=1', '-DHAWSER_MODE_KEYS=0', '-DHAWSER_MODE_PSK=0'];
  run('avr: the PSA port with raw tickets', 'avr-gcc', [...psa, ...raw]);
  const { status, stderr } = spawnSync('avr-gcc', psa, { encoding: 'utf8' });
  const why = 'hawser_key_is_too_short_for_a_psa_key_id_t';
  check('avr: the PSA port with keys is refused', status === 1 && stderr.includes(why), stderr);
}

/** A command that must succeed. */
function run(what, program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28, ...options });
  const said = result.error ? `${program}: ${result.error.message}` : `${result.stdout}${result.stderr}`;
  check(what, result.status === 0, said.split('\n').slice(-40).join('\n'));
  return result;
}

function check(what, ok, said) {
  count(what, ok ? 1 : 0, ok ? 0 : 1, said);
}

function count(what, good, bad, said) {
  passed += good;
  failed += bad;
  if (bad > 0) console.error(`FAILED ${what}\n${said ?? ''}`);
}
