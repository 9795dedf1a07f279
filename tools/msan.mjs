// The C unit tests and the fuzz targets over their corpora under MemorySanitizer: no use of an uninitialised byte, in the
// core, in the PSA port or in anything that is sealed or sent. mbedTLS is compiled with it too: MemorySanitizer believes
// only what it has seen written.
//
//   npm run msan
//
// One more program reads a byte that was never written: it has to be found, or the rest would prove nothing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';

const compiler = 'clang-19';
const flags = '-fsanitize=memory -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1';
const dir = 'build/msan';
const cores = availableParallelism();
let passed = 0;
let failed = 0;

run('tools/fetch-mbedtls.sh');
compileMbedtls();
run(
  `cmake -G Ninja -S csrc -B ${dir} -DCMAKE_C_COMPILER=${compiler} -DCMAKE_C_FLAGS="${flags}" -DHAWSER_OPENSSL=OFF ` +
    `-DHAWSER_STRICT=OFF -DHAWSER_EXAMPLES=OFF -DHAWSER_RUNNERS=OFF -DHAWSER_MBEDTLS_DIR=${resolve(dir, 'mbedtls')} ` +
    `-DHAWSER_MBEDTLS_CONFIG=${resolve(dir, 'mbedtls/config.h')}`,
);
run(`cmake --build ${dir}`);
tests();
seeded();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function compileMbedtls() {
  const out = `${dir}/mbedtls`;
  mkdirSync(`${out}/lib`, { recursive: true });
  mkdirSync(`${out}/objects`, { recursive: true });
  run(`cp -r build/mbedtls/include ${out}/`);
  // assembly is invisible to the sanitizer; AES goes through intrinsics instead
  writeFileSync(
    `${out}/config.h`,
    `#include "${resolve('csrc/ports/psa/mbedtls_config_host.h')}"\n#undef MBEDTLS_HAVE_ASM\n`,
  );
  const [include, library, config] = ['build/mbedtls/include', 'build/mbedtls/library', `${out}/config.h`].map((path) =>
    resolve(path),
  );
  const options = `${flags} -maes -mpclmul -I${include} -I${library} -DMBEDTLS_CONFIG_FILE='"${config}"'`;
  run(`cd ${out}/objects && printf '%s\\0' ${library}/*.c | xargs -0 -P ${cores} -n 8 ${compiler} -c ${options}`);
  run(`ar rcs ${out}/lib/libmbedcrypto.a ${out}/objects/*.o`);
}

function tests() {
  const { stdout, stderr, status } = shell(`ctest --test-dir ${dir} --output-on-failure --no-tests=error -j ${cores}`);
  const [, bad = 0, all = 0] = /(\d+) tests? failed out of (\d+)/.exec(stdout) ?? [];
  passed += all - bad;
  failed += Number(bad);
  if (status !== 0) {
    if (Number(bad) === 0) failed++;
    console.log(`${stdout}${stderr}`.split('\n').slice(-120).join('\n'));
  }
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${all - bad} of ${all} tests under MemorySanitizer`);
}

function seeded() {
  const sources = ['csrc/src/wire.c', 'test/fuzz/port_fuzz.c', 'test/assurance/unwritten.c'];
  const options = `${flags} -DHAWSER_GATEWAY=1 -DTEST_PORT_FUZZ=1 -Icsrc/include -Icsrc/src -Itest/fuzz`;
  run(`${compiler} ${options} ${sources.join(' ')} -o ${dir}/unwritten`);
  const { stderr } = shell(`${dir}/unwritten`);
  const found = stderr.includes('use-of-uninitialized-value');
  if (found) passed++;
  else failed++;
  console.log(`${found ? 'ok    ' : 'FAILED'} the seeded read of a byte that was never written is reported`);
}

function run(line) {
  const { status, stdout, stderr } = shell(line);
  if (status === 0) return;
  console.error(`${line}\n${stdout}${stderr}`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

function shell(line) {
  return spawnSync(line, { shell: true, encoding: 'utf8', maxBuffer: 2 ** 28 });
}
