// Builds the native addon: build/native/hawser-<port>.node.
//
//   node tools/build-native.mjs [--port openssl|mbedtls] [--optional] [--seeded]
//
// --seeded makes build/native/hawser-seeded.node, whose random bytes follow from a seed: for test/differential alone.
// --optional is npm's install step: where the addon cannot be built, one line says why, and the JS engine serves.
//
// cmake-js downloads Node's headers unless package.json names "binary.napi_versions"; with that it takes node_api.h
// from the package node-api-headers and downloads nothing. OpenSSL's headers are taken from beside the running
// Node and from nowhere else: the addon uses the libcrypto inside Node, and headers of another build may not fit it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: 'openssl' },
    optional: { type: 'boolean', default: false },
    seeded: { type: 'boolean', default: false },
  },
});

try {
  build(values.port);
} catch (error) {
  const effect = values.optional ? ' - using the JS engine' : '';
  console.error(`hawser: native addon (${values.port}) not built: ${error.message}${effect}`);
  process.exitCode = values.optional ? 0 : 1;
}

function build(port) {
  if (port !== 'openssl' && port !== 'mbedtls') throw new Error('--port is openssl or mbedtls');
  needs('cmake', 'CMake');
  needs(process.env.CXX ?? 'c++', 'a C++ compiler');
  const include = nodeInclude();
  if (port === 'openssl') checkOpenssl(include);
  if (port === 'mbedtls') run(join(root, 'tools', 'fetch-mbedtls.sh'), [], 'mbedtls-source');
  const cmakeJs = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  const name = values.seeded ? 'addon-seeded' : `addon-${port}`;
  const definitions = {
    HAWSER_PORT: port,
    HAWSER_SEEDED: values.seeded ? 'ON' : 'OFF',
    HAWSER_NODE_INCLUDE: include ?? '',
    HAWSER_ADDON_API_INCLUDE: require('node-addon-api').include_dir,
  };
  const flags = Object.entries(definitions).map(([name, value]) => `--CD${name}=${value}`);
  const out = join(root, 'build', name);
  const cmake = (command, log) =>
    run(process.execPath, [cmakeJs, command, '--directory', root, '--out', out, ...flags], log);
  configure(() => cmake('configure', `${name}-configure`), out);
  cmake('build', name);
}

// Each time, since the Node whose headers it found may be another one by now. What a failed try left behind (it goes by the compiler it found
// first) would make every later one fail too.
function configure(step, out) {
  try {
    step();
  } catch (error) {
    rmSync(out, { recursive: true, force: true });
    throw error;
  }
}

function needs(command, name) {
  if (spawnSync(command, ['--version'], { stdio: 'ignore' }).status !== 0) throw new Error(`${name} is missing`);
}

// Where the headers of the running Node are, or undefined.
function nodeInclude() {
  const prefixes = [join(dirname(process.execPath), '..'), process.env.npm_config_nodedir].filter(Boolean);
  return prefixes.map((prefix) => join(prefix, 'include', 'node')).find((dir) => existsSync(join(dir, 'node_api.h')));
}

function checkOpenssl(include) {
  if (!include || !existsSync(join(include, 'openssl', 'opensslv.h')))
    throw new Error("Node's OpenSSL headers are missing");
  const header = readFileSync(join(include, 'node_version.h'), 'utf8');
  const major = /define NODE_MAJOR_VERSION (\d+)/.exec(header)?.[1];
  if (major !== process.versions.node.split('.')[0])
    throw new Error(`the headers beside Node are not those of version ${process.versions.node}`);
}

// Quiet unless it fails; then the log has the whole story.
function run(command, args, name) {
  const log = join(root, 'build', `${name}.log`);
  mkdirSync(dirname(log), { recursive: true });
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  writeFileSync(log, `${stdout ?? ''}${stderr ?? ''}${error ?? ''}`);
  if (status !== 0) throw new Error(`${name} failed, see build/${name}.log`);
}
