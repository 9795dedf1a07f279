// Makes the prebuilt addon of this machine's platform, in the layout of prebuildify:
//
//   npm run prebuilds          ->  prebuilds/linux-x64/hawser-openssl.glibc.node
//
// `npm pack` runs it first. A release gathers the files of all platforms in prebuilds/ and then packs. It is built with the headers
// beside the running Node; for a release that is the oldest one supported (Node 20, OpenSSL 3.0), since OpenSSL only ever adds
// functions. prebuildify itself is not used: it drives node-gyp, and the addon is built by CMake.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newerThan } from './symbol-versions.mjs';

// What the oldest Node for Linux needs itself: the addon may not need more.
const LIMITS = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '8.0.0' };

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { platform, arch, versions } = process;
const built = join(root, 'build', 'native', 'hawser-openssl.node');
const target = join(root, 'prebuilds', `${platform}-${arch}`, `hawser-openssl.${libc()}node`);

try {
  run(process.execPath, [join(root, 'tools', 'build-native.mjs'), '--port', 'openssl']);
  mkdirSync(dirname(target), { recursive: true });
  // under another name until it is as it should be
  const fresh = `${target}.tmp`;
  copyFileSync(built, fresh);
  if (platform !== 'win32') run('strip', platform === 'darwin' ? ['-x', fresh] : ['--strip-unneeded', fresh]);
  if (platform === 'linux') checkVersions(fresh);
  run(process.execPath, ['-e', 'process.dlopen({ exports: {} }, process.argv[1], 2)', fresh]);
  renameSync(fresh, target);
  // not on stdout: `npm pack --json` writes there
  console.error(`${relative(root, target)}: ${statSync(target).size} bytes, OpenSSL ${versions.openssl} of Node`);
  if (!versions.openssl.startsWith('3.0.'))
    console.error('for a release build with Node 20: one of a later OpenSSL may need what Node 20 lacks');
} catch (error) {
  console.error(`hawser: no prebuilt addon: ${error.message}`);
  process.exitCode = 1;
}

function libc() {
  if (platform !== 'linux') return '';
  return existsSync('/etc/alpine-release') ? 'musl.' : 'glibc.';
}

function checkVersions(file) {
  const newer = newerThan(run('objdump', ['-T', file]), LIMITS);
  if (newer.length > 0) throw new Error(`it needs ${newer.join(', ')}, newer than Node itself does`);
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(error?.message ?? `${command} failed: ${stderr.trim()}`);
  return stdout;
}
