// Every check of the project, in order. The last line is the sum: "N passed, N failed".
//
//   node tools/test.mjs [--only ctest] [--only mocha] ...
//
// A part that cannot run (a tool is missing, nothing was found to test) has failed: nothing is skipped.
// Each part's whole output is in build/test/<part>.log.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

// A part is a list of commands. A command counts as one check unless a counter reads its output.
const parts = {
  machine: [command('bash tools/machine.sh')],
  eslint: [command('eslint --max-warnings 0 .')],
  prettier: [command('prettier --check .')],
  'clang-format': [command('node tools/format-c.mjs')],
  musts: [command('node tools/spec-musts.mjs')],
  imports: [command('node tools/check-imports.mjs', plainCount)],
  // and once more as where size_t and int have 16 bits
  cppcheck: ['native', 'avr8'].map((platform) =>
    command(
      `cppcheck --platform=${platform} --std=c99 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --quiet ` +
        '--suppress=missingInclude --suppress=missingIncludeSystem -Icsrc/include -Icsrc/src -DHAWSER_GATEWAY=1 -D__unix__ csrc/src csrc/ports',
    ),
  ),
  mbedtls: [command('tools/fetch-mbedtls.sh')],
  ctest: matrix().flatMap(({ name, compiler, options }) => [
    command(`cmake -G Ninja -S csrc -B build/${name} ${options}`, undefined, { CC: compiler }),
    command(`cmake --build build/${name}`),
    command(`ctest --test-dir build/${name} --output-on-failure --no-tests=error -j ${cpus().length}`, ctestCount),
  ]),
  // A million power cuts; the ctest part made the program, and runs it with fewer.
  power: [command('build/c-gcc/test-power-openssl 1000000')],
  valgrind: [command('node tools/valgrind.mjs --short', plainCount)],
  msan: [command('node tools/msan.mjs', plainCount)],
  coverage: [command('node tools/coverage.mjs', plainCount)],
  fanalyzer: [command('bash tools/fanalyzer.sh')],
  tidy: [command('run-clang-tidy -quiet -p build/c-clang "/csrc/(src|ports)/"')],
  model: [command('node tools/model.mjs --short', plainCount)],
  prove: [command('node tools/prove.mjs --short', plainCount)],
  tsc: [command('tsc -p tsconfig.json')],
  'tsc-all': [command('tsc -p tsconfig.lint.json')],
  addons: [
    command('node tools/build-native.mjs --port openssl'),
    command('node tools/build-native.mjs --port mbedtls'),
  ],
  mocha: [command('mocha --forbid-only "test/**/*.test.ts"', mochaCount)],
  'secure-element': [
    command('cmake -G Ninja -S test/secure-element -B build/secure-element'),
    command('cmake --build build/secure-element'),
    command('ctest --test-dir build/secure-element --output-on-failure --no-tests=error', ctestCount),
  ],
  'firmware-report': [command('node tools/firmware-report.mjs --short', plainCount)],
  portability: [command('node tools/portability.mjs --short', plainCount)],
  types: [command('tsd --files "test/types/*.test-d.ts"')],
  exports: [command('publint --strict'), command('node tools/check-exports.mjs', plainCount)],
};
const groups = { lint: ['eslint', 'prettier', 'clang-format', 'imports'] };

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
const wanted = (values.only ?? Object.keys(parts)).flatMap((name) => groups[name] ?? [name]);
const unknown = wanted.find((name) => !(name in parts));
if (unknown !== undefined) {
  console.error(
    `no part is called ${unknown}; there are ${[...Object.keys(groups), ...Object.keys(parts)].join(', ')}`,
  );
  process.exit(2);
}
mkdirSync('build/test', { recursive: true });
process.env.PATH = `node_modules/.bin:${process.env.PATH}`;
const total = { passed: 0, failed: 0 };
for (const name of wanted) add(total, runPart(name));
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

// gcc and clang, device and gateway or the device alone, plain and under AddressSanitizer and UBSan.
function matrix() {
  const all = [];
  for (const compiler of ['gcc', 'clang'])
    for (const [gateway, suffix] of Object.entries({ ON: '', OFF: '-device' }))
      for (const [sanitize, prefix] of Object.entries({ OFF: 'c', ON: 'asan' }))
        all.push({
          name: `${prefix}-${compiler}${suffix}`,
          compiler,
          options: `-DHAWSER_GATEWAY=${gateway} -DHAWSER_SANITIZE=${sanitize} -DCMAKE_EXPORT_COMPILE_COMMANDS=ON`,
        });
  return all;
}

function command(line, count = exitCount, env = {}) {
  return { line, count, env };
}

function runPart(name) {
  const started = performance.now();
  const sum = { passed: 0, failed: 0 };
  rmSync(`build/test/${name}.log`, { force: true });
  for (const { line, count, env } of parts[name]) {
    const { status, stdout, stderr } = spawnSync(line, {
      shell: true,
      encoding: 'utf8',
      env: { ...process.env, ...env },
      maxBuffer: 2 ** 30,
    });
    const output = `$ ${line}\n${stdout}${stderr}\n`;
    appendFileSync(`build/test/${name}.log`, output);
    const counted = count(stdout, status);
    // a runner that fails without naming a failure, or that found nothing, is a failure of its own
    if (counted.failed === 0 && (status !== 0 || counted.passed === 0)) counted.failed = 1;
    if (counted.failed > 0) console.log(tail(output, 80));
    add(sum, counted);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${sum.failed === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(14)} ${sum.passed}/${sum.passed + sum.failed} in ${seconds} s`,
  );
  return sum;
}

function add(sum, { passed, failed }) {
  sum.passed += passed;
  sum.failed += failed;
}

function tail(text, lines) {
  return text.split('\n').slice(-lines).join('\n');
}

function exitCount(_output, status) {
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function plainCount(output) {
  const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  return { passed: Number(passed), failed: Number(failed) };
}

function ctestCount(output) {
  const [, failed = 0, total = 0] = /(\d+) tests? failed out of (\d+)/.exec(output) ?? [];
  return { passed: total - failed, failed: Number(failed) };
}

// A pending test is one that did not run.
function mochaCount(output) {
  const number = (word) => Number(new RegExp(`^ +(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0);
  return { passed: number('passing'), failed: number('failing') + number('pending') };
}
