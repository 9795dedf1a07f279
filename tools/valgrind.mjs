// What valgrind's memcheck says of the core: `npm run valgrind`, or `node tools/valgrind.mjs --short` in npm test.
//
//   wire      the fuzz targets over their corpora: no error, and no uninitialised byte in anything sealed or sent
//   secrets   whole conversations with every secret marked as unknown, at -O2, -O3 and -Os: no branch, no index depends on one
//   faults    the same with tags compared by memcmp(): has to be found, or `secrets` would prove nothing
//   tests     (not --short) the C unit tests over OpenSSL: no error, no leak
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { short: { type: 'boolean', default: false } } });
const dir = 'build/valgrind';
const levels = ['-O2', '-O3', '-Os'];
const compilers = values.short ? ['gcc'] : ['gcc', 'clang'];
const flags =
  '-std=c99 -gdwarf-4 -Wall -Wextra -DHAWSER_GATEWAY=1 -DHAWSER_KEYLOG=1 -DTEST_PORT_FUZZ=1 -DHAWSER_TEST_VALGRIND=1 ' +
  '-Icsrc/include -Icsrc/src -Itest/fuzz -Itest/assurance';
const core = list('csrc/src', /\.c$/);
const rig = ['test/fuzz/port_fuzz.c', 'test/fuzz/rig.c'];
// a corpus of this many files is enough for a run of some seconds
const few = values.short ? 25 : Infinity;
let passed = 0;
let failed = 0;

mkdirSync(dir, { recursive: true });
wire();
for (const compiler of compilers) for (const level of levels) secrets(compiler, level);
if (!values.short) tests();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function wire() {
  const program = `${dir}/wire`;
  const sources = [...core, ...rig, ...list('test/fuzz', /^fuzz_.*\.c$/), 'test/fuzz/onefile.c'];
  if (!compiled('gcc', '-O1', '', sources, program)) return;
  // those of the JavaScript side have no C to look at
  for (const target of readdirSync('test/fuzz/corpus').filter((name) => !name.startsWith('js-'))) {
    const files = list(`test/fuzz/corpus/${target}`, /./);
    const step = Math.max(1, Math.floor(files.length / few));
    judge(`wire ${target}`, memcheck([program, target, ...files.filter((_, i) => i % step === 0)]), false);
  }
}

function secrets(compiler, level) {
  const wraps = '-Wl,--wrap=hawser_is_zero -Wl,--wrap=hawser_cobs_encode';
  const program = `${dir}/secrets-${compiler}${level}`;
  const sources = [...core, ...rig, 'test/assurance/secrets.c'];
  const options = `${level} -DHAWSER_TEST_SECRETS=1`;
  if (compiled(compiler, options, wraps, sources, program))
    judge(`secrets ${compiler} ${level}`, memcheck([program]), false);
  // the core alone gets the fault
  const objects = core.map((file) => file.replace(/.*\/(.*)\.c$/, `${dir}/leak-$1.o`));
  const built = core.every((file, i) =>
    compiled(compiler, `${options} -c -include leak.h`, '', [file], objects[i] ?? ''),
  );
  if (built && compiled(compiler, options, wraps, [...objects, ...rig, 'test/assurance/secrets.c'], `${program}-leak`))
    judge(`faults ${compiler} ${level}`, memcheck([`${program}-leak`]), true);
}

function tests() {
  const build = `${dir}/tests`;
  const options =
    '-DCMAKE_C_COMPILER=gcc -DCMAKE_C_FLAGS=-g -DHAWSER_PSA=OFF -DHAWSER_STRICT=OFF -DHAWSER_EXAMPLES=OFF';
  if (!ran(`cmake -G Ninja -S csrc -B ${build} ${options}`) || !ran(`cmake --build ${build}`)) return;
  for (const program of list(build, /^test-.*-openssl$/)) judge(program, memcheck([program]), false);
}

// Exit code 9 is valgrind's word; any other that is not 0 is the program's.
function memcheck(command) {
  return spawnSync(
    'valgrind',
    ['-q', '--error-exitcode=9', '--leak-check=full', '--errors-for-leak-kinds=definite', ...command],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
}

function judge(what, { status, stdout, stderr, error }, faulty) {
  const good = status === (faulty ? 9 : 0);
  if (good) passed++;
  else failed++;
  console.log(`${good ? 'ok    ' : 'FAILED'} ${what}${faulty ? ': the seeded fault is reported' : ''}`);
  if (!good) console.log(`${error?.message ?? ''}${stdout}${stderr}`.slice(0, 4000));
}

function compiled(compiler, options, link, sources, out) {
  return ran(`${compiler} ${flags} ${options} ${sources.join(' ')} ${link} -o ${out}`);
}

function ran(line) {
  const { status, stdout, stderr } = spawnSync(line, { shell: true, encoding: 'utf8' });
  if (status === 0) return true;
  failed++;
  console.log(`FAILED ${line}\n${stdout}${stderr}`);
  return false;
}

function list(folder, pattern) {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => `${folder}/${name}`);
}
