/**
 * Finds the addon's file and loads it: what was built in this checkout, else prebuilds/<platform>-<arch>/, named as
 * prebuildify names it (tools/prebuild.mjs). Nothing is built or downloaded here, and no environment variable leads elsewhere.
 */

import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Port } from './addon.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The openssl port takes its functions from the OpenSSL inside Node, which exports them for addons. OpenSSL keeps functions and
 * types as they are within a major version and only adds to them, so one that was built with the oldest 3.0 (Node 20) fits every
 * later 3.x (Node 22 to 26 have 3.5).
 */
const OPENSSL_MAJOR = '3';

/** Throws where there is no file, or none that fits this process. */
export function loadFile(port: Port): unknown {
  if (port === 'openssl') checkOpenssl(process.versions.openssl);
  const file = find(port);
  const addon = { exports: {} };
  // Not require(): it binds lazily, and a function that is missing in this Node would end the process at its first call.
  process.dlopen(addon, file, constants.dlopen.RTLD_NOW);
  return addon.exports;
}

function find(port: Port): string {
  const { platform, arch } = process;
  const libc = platform === 'linux' ? linuxLibc() : undefined;
  const name = [`hawser-${port}`, libc, 'node'].filter(Boolean).join('.');
  const files = [
    join(root, 'build', 'native', `hawser-${port}.node`),
    join(root, 'prebuilds', `${platform}-${arch}`, name),
  ];
  const found = files.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`there is no prebuilt addon for ${platform}-${arch} (${name})`);
  return found;
}

/** By what is mapped into this process: an addon made for the other libc may load and crash later. */
function linuxLibc(): 'glibc' | 'musl' {
  return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'glibc';
}

function checkOpenssl(version: string | undefined): void {
  if (version?.split('.')[0] === OPENSSL_MAJOR) return;
  throw new Error(`it needs the OpenSSL ${OPENSSL_MAJOR}.x of Node, and this one has ${version ?? 'none'}`);
}
