/** The files by which package systems know csrc/, held against the one list of sources and against each other. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, removeFolders } from '../cli/harness.js';
import { root } from '../e2e/world.js';

const csrc = join(root, 'csrc');
const read = (name: string): string => readFileSync(join(csrc, name), 'utf8');

interface Library {
  version: string;
  headers: string[];
  build: { srcDir: string; includeDir: string; srcFilter: string[]; flags: string[] };
}
const library = JSON.parse(read('library.json')) as Library;

/** What sources.cmake says, asked of CMake. */
function sources(): string[] {
  const script = join(folder(), 'list.cmake');
  const lists = '${HAWSER_CORE_SOURCES} ${HAWSER_GATEWAY_SOURCES} ${HAWSER_PORT_PSA_SOURCES}';
  writeFileSync(script, `include(${csrc}/sources.cmake)\nmessage("${lists}")\n`);
  return spawnSync('cmake', ['-P', script], { encoding: 'utf8' }).stderr.trim().split(/[ ;]/).sort();
}

/** Of `+<folder/*.c>`, the only form that is used. */
function selected(filter: string): string[] {
  const [, dir] = /^\+<(.+)\/\*\.c>$/.exec(filter)!;
  return readdirSync(join(csrc, dir!))
    .filter((name) => name.endsWith('.c'))
    .map((name) => `${dir}/${name}`);
}

describe('the packages of csrc/', () => {
  after(removeFolders);

  it('all have the version of package.json', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const [, cmake] = /^project\(hawser VERSION (\S+)/m.exec(read('CMakeLists.txt'))!;
    const [, idf] = /^version: '([^']+)'$/m.exec(read('idf_component.yml'))!;
    assert.deepEqual(
      { cmake, idf, platformio: library.version },
      { cmake: version, idf: version, platformio: version },
    );
  });

  it('csrc/ is a package by itself: it builds where nothing else of the repository is', function () {
    this.timeout(120_000);
    const path = folder();
    cpSync(csrc, join(path, 'csrc'), { recursive: true });
    const built = (...args: string[]) => execFileSync('cmake', args, { cwd: path, stdio: 'pipe' });
    built('-G', 'Ninja', '-S', 'csrc', '-B', 'build', '-DHAWSER_PSA=OFF');
    built('--build', 'build');
    assert.ok(existsSync(join(path, 'build/libhawser-openssl.a')));
  });

  it('library.json selects the files of sources.cmake, and they compile with its flags', () => {
    const { srcDir, includeDir, srcFilter, flags } = library.build;
    assert.equal(srcDir, '.');
    assert.equal(srcFilter[0], '-<*>');
    const files = srcFilter.slice(1).flatMap((filter) => selected(filter));
    assert.deepEqual(files.sort(), sources());
    const out = folder();
    const given = [
      ...flags,
      `-I${includeDir}`,
      `-I${root}/build/mbedtls/include`,
      '-DMBEDTLS_CONFIG_FILE="mbedtls_config_host.h"',
    ];
    for (const file of files)
      execFileSync('gcc', ['-c', '-o', join(out, 'object.o'), ...given, file], { cwd: csrc, stdio: 'pipe' });
    for (const header of library.headers)
      assert.ok(
        [includeDir, 'ports/psa'].some((dir) => existsSync(join(csrc, dir, header))),
        header,
      );
  });

  it('Kconfig and the header that hands it on know the same choices', () => {
    const asked = [...read('Kconfig').matchAll(/^config (\w+)$/gm)].map(([, name]) => name!);
    const header = read('sdk/hawser_kconfig.h');
    const handed = [...header.matchAll(/\bCONFIG_(\w+)/g)].map(([, name]) => name!);
    assert.deepEqual([...new Set(handed)].sort(), asked.sort());
    for (const name of asked) assert.match(read('include/hawser/config.h'), new RegExp(`^#define ${name} `, 'm'), name);
  });
});
