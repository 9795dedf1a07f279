/** What is in the tarball: what an installed package runs, its types, what a person reads, and nothing else. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newerThan } from '../../tools/symbol-versions.mjs';
import { folder, pack, removeFolders, root, run } from './project.js';

const EXPECTED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^dist\/[a-z0-9/-]+\.js$/,
  /^dist\/[a-z0-9/-]+\.d\.ts$/,
  /^prebuilds\/(linux|darwin|win32)-(x64|arm64|arm)\/hawser-openssl\.((glibc|musl)\.)?node$/,
];

interface Listing {
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

/** Paths that have no business in the package, and those that stem from a source file which is gone. */
function foreign(paths: readonly string[]): string[] {
  const known = (path: string): boolean => EXPECTED.some((pattern) => pattern.test(path));
  const source = (path: string): string => path.replace(/^dist/, 'lib').replace(/\.(d\.ts|js)$/, '.ts');
  return paths.filter((path) => !known(path) || (path.startsWith('dist/') && !existsSync(join(root, source(path)))));
}

function listing(tarball: string): Listing {
  const said = JSON.parse(run('npm', ['pack', '--dry-run', '--json', tarball], root)) as Listing[] | object;
  const [first] = Object.values(said) as Listing[];
  assert.ok(first);
  return first;
}

describe('package: contents', function () {
  this.timeout(240_000);
  let tarball: string;
  let packed: Listing;

  before(() => {
    tarball = pack();
    packed = listing(tarball);
  });
  after(removeFolders);

  it('every file is of a kind that belongs there, and has its source', () => {
    const paths = packed.files.map(({ path }) => path);
    assert.deepEqual(foreign(paths), []);
    for (const pattern of EXPECTED) assert.ok(paths.some((path) => pattern.test(path)), String(pattern)); // prettier-ignore
    const sizes = [packed.size, packed.unpackedSize].map((size) => `${Math.round(size / 1024)} KiB`);
    console.log(`      ${paths.length} files, ${sizes[0]} packed, ${sizes[1]} unpacked`);
  });

  it('a file that does not belong there is told', () => {
    const wrong = ['lib/index.ts', 'dist/index.js.map', 'dist/gone.js', 'build/native/hawser-openssl.node', 'csrc/x.c'];
    assert.deepEqual(foreign(['dist/index.js', ...wrong]), wrong);
  });

  it('no file of code names a map that is not there', () => {
    const there = new Set(packed.files.map(({ path }) => path));
    const into = folder();
    run('tar', ['-xzf', tarball, '-C', into], root);
    for (const path of there)
      if (/\.(js|ts)$/.test(path))
        assert.ok(!readFileSync(join(into, 'package', path), 'utf8').includes('sourceMappingURL='), path);
  });

  it('publint finds nothing', () => {
    const said = run(join(root, 'node_modules', '.bin', 'publint'), ['run', tarball, '--strict'], root);
    assert.match(said, /All good!/);
  });

  it('nothing runs at its installation, and nothing of the build comes with it', () => {
    const into = folder();
    run('tar', ['-xzf', tarball, '-C', into, 'package/package.json'], root);
    const manifest = JSON.parse(readFileSync(join(into, 'package', 'package.json'), 'utf8')) as Record<string, object>;
    for (const script of ['preinstall', 'install', 'postinstall']) assert.ok(!(script in (manifest.scripts ?? {})), script); // prettier-ignore
    const bricks = Object.keys(manifest.dependencies ?? {}).filter((name) =>
      /cmake|node-addon|node-api|gyp/.test(name),
    );
    assert.deepEqual(bricks, []);
  });

  it('publint tells a path that does not exist', () => {
    const wrong = folder();
    writeFileSync(join(wrong, 'package.json'), '{ "name": "x", "version": "1.0.0", "main": "./gone.js" }');
    const publint = join(root, 'node_modules', '.bin', 'publint');
    assert.throws(() => execFileSync(publint, ['run', wrong, '--strict', '--pack', 'false'], { stdio: 'pipe' }));
  });
});

describe('package: the prebuilt addon', function () {
  this.timeout(240_000);
  after(removeFolders);

  it('needs no newer C library than Node does', () => {
    const line = (version: string, name: string): string =>
      `0000000000000000      DF *UND*\t0000000000000000 (${version}) ${name}\n`;
    const limits = { GLIBC: '2.28' };
    assert.deepEqual(newerThan(line('GLIBC_2.14', 'memcpy') + line('GLIBC_2.28', 'fcntl64'), limits), []);
    assert.deepEqual(newerThan(line('GLIBC_2.32', '__libc_single_threaded'), limits), [
      'GLIBC_2.32 (__libc_single_threaded)',
    ]);
    assert.deepEqual(newerThan(line('OPENSSL_3.0.0', 'EVP_MD_fetch'), limits), ['OPENSSL_3.0.0 (EVP_MD_fetch)']);
    // a program of this machine, whose C library is newer than that
    assert.notDeepEqual(newerThan(run('objdump', ['-T', '/usr/bin/env'], root), { GLIBC: '2.2' }), []);
  });

  it('lies where loaders of the layout of prebuildify look for it', () => {
    pack();
    const script = "console.log(require('node-gyp-build').path(process.argv[1]))";
    const found = (env: NodeJS.ProcessEnv): string =>
      run(process.execPath, ['-e', script, root], root, { ...process.env, ...env }).trim();
    assert.equal(
      found({}),
      join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'hawser-openssl.glibc.node'),
    );
    assert.throws(() => found({ LIBC: 'musl' }), /No native build was found/);
    assert.throws(() => found({ npm_config_arch: 'riscv64' }), /No native build was found/);
  });
});
