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

  const header = read('include/hawser/config.h');
  const choices = [...header.matchAll(/^#ifndef (HAWSER_\w+)\n#define \1 /gm)].map(([, name]) => name!);
  /** Without a default, in `#ifdef` or in port_psa.c. */
  const given = ['HAWSER_CONFIG_FILE', 'HAWSER_CRYPTO', 'HAWSER_RANDOM'];

  it('config.h lists every choice that the code asks for', () => {
    const files = readdirSync(csrc, { recursive: true, encoding: 'utf8' }).filter((name) => /\.[ch]$/.test(name));
    const asked = files
      .filter((name) => !name.startsWith('sdk/') && name !== 'include/hawser/config.h')
      .flatMap((name) => [...read(name).matchAll(/^#\s*(?:el)?if(?:n?def)?\s.*$/gm)])
      .flatMap(([line]) => [...line.matchAll(/\bHAWSER_\w+/g)].map(([name]) => name));
    // what a header makes of them, guards of headers, and hawser.c's own
    const derived = /^HAWSER_(ECDH|INTERNAL|H|\w+_H|AGREE_\w+|CRYPTO_\w+|RANDOM_\w+)$/;
    const names = new Set(asked.filter((name) => !derived.test(name)));
    assert.ok(names.has('HAWSER_PSA_RAW_SECRETS') && names.has('HAWSER_STREAMS'));
    for (const name of names) assert.ok([...choices, ...given].includes(name), name);
    for (const name of given) assert.match(header, new RegExp(`\\b${name}\\b`), name);
  });

  it('Kconfig has every choice of config.h but those of the SDK and those for tests, and hands each on', () => {
    const asked = [...read('Kconfig').matchAll(/^config (\w+)$/gm)].map(([, name]) => name!);
    const kconfig = read('sdk/hawser_kconfig.h');
    const handed = [...kconfig.matchAll(/\bCONFIG_(\w+)/g)].map(([, name]) => name!);
    assert.deepEqual([...new Set(handed)].sort(), [...asked].sort());
    const elsewhere = ['HAWSER_KEYLOG', 'HAWSER_TRACE'];
    const expected = choices.filter((name) => !elsewhere.includes(name));
    assert.deepEqual(
      asked.map((name) => (name === 'HAWSER_AGREE_BOARD' ? 'HAWSER_AGREE' : name)).sort(),
      expected.sort(),
    );
    const defined = [...kconfig.matchAll(/^#define (HAWSER_(?!KCONFIG_H)\w+) /gm)].map(([, name]) => name!);
    assert.deepEqual([...new Set(defined)].sort(), [...expected, 'HAWSER_CRYPTO', 'HAWSER_RANDOM'].sort());
  });

  it('numbers have the same ranges and defaults in Kconfig and in config.h', () => {
    const numbers = [...read('Kconfig').matchAll(/^config (\w+)\n\tint .*\n\trange (\d+) (\d+)\n\tdefault (\d+)$/gm)];
    assert.equal(numbers.length, 6);
    for (const [, name, low, high, byDefault] of numbers) {
      assert.match(header, new RegExp(`^#define ${name} ${byDefault}u?$`, 'm'));
      assert.match(header, new RegExp(`^#error "${name} is ${low} \\.\\. ${high}\\b`, 'm'));
      const step = name === 'HAWSER_HMAC_LEN' ? 8 : 1;
      for (const inside of [low, high]) assert.equal(compiled([`-D${name}=${inside}`]), '');
      for (const outside of [Number(low) - step, Number(high) + step])
        assert.match(compiled([`-D${name}=${outside}`]), new RegExp(`#error "${name} is ${low} \\.\\. ${high}`));
    }
    assert.match(compiled(['-DHAWSER_HMAC_LEN=228']), /a multiple of 8/);
  });

  /** What the compiler says of config.h. */
  const compiled = (flags: string[], input = '#include "hawser/config.h"\n'): string =>
    spawnSync('gcc', ['-E', '-o', '/dev/null', '-Iinclude', '-Isdk', ...flags, '-xc', '-'], {
      cwd: csrc,
      input,
      encoding: 'utf8',
    }).stderr;

  it('config.h refuses choices that do not go together', () => {
    const none = ['-DHAWSER_MODE_KEYS=0', '-DHAWSER_MODE_PSK=0'];
    assert.equal(compiled([...none, '-DHAWSER_GATEWAY=0']), '');
    assert.match(compiled([...none, '-DHAWSER_GATEWAY=1']), /#error "a gateway needs a mode with a full handshake/);
    for (const mode of ['KEYS', 'PSK'])
      assert.equal(compiled([...none, '-DHAWSER_GATEWAY=1', `-UHAWSER_MODE_${mode}`]), '');
    for (const name of choices.filter((each) => !/_(MS|LEN|ANSWERS|AGREE)$/.test(each)))
      assert.match(compiled([`-D${name}=2`]), /#error "a switch of hawser\/config.h is 0 or 1"/, name);
  });

  it('whatever is switched on and off in Kconfig, config.h takes it', function () {
    this.timeout(120_000);
    const out = folder();
    execFileSync('/usr/bin/python3', ['choices.py', 'Kconfig.zephyr', out, 'HAWSER=y'], {
      cwd: join(root, 'test/consumer/sdk'),
      env: { ...process.env, CSRC: csrc },
      stdio: 'pipe',
    });
    const headers = readdirSync(out);
    assert.ok(headers.length > 500, `${headers.length} different ones`);
    const names = [...choices, ...given, 'HAWSER_ECDH', 'HAWSER_CONFIG_H', 'HAWSER_KCONFIG_H'];
    const forget = names.filter((name) => name !== 'HAWSER_CONFIG_FILE').map((name) => `#undef ${name}\n`);
    const pieces = headers.map((name) => {
      const text = readFileSync(join(out, name), 'utf8');
      const config = [...text.matchAll(/^#define (\w+)/gm)].map(([, each]) => `#undef ${each}\n`);
      return [text, '#include "hawser/config.h"\n', ...forget, ...config].join('');
    });
    assert.equal(compiled(['-DHAWSER_CONFIG_FILE="hawser_kconfig.h"'], pieces.join('')), '');
    const broken = pieces[0]!.replace('#include', '#define CONFIG_HAWSER_GATEWAY 1\n#include');
    assert.match(
      compiled(['-DHAWSER_CONFIG_FILE="hawser_kconfig.h"'], broken),
      /#error/,
      'and is not taken in by this',
    );
  });

  const strict = [
    '-std=c99',
    '-Wall',
    '-Wextra',
    '-Wconversion',
    '-Werror',
    '-Iinclude',
    `-I${root}/build/mbedtls/include`,
  ];
  for (const [compiler, ...target] of [
    ['gcc'],
    ['arm-none-eabi-gcc', '-mcpu=cortex-m4', '-mthumb', '-DHAWSER_RANDOM=HAWSER_RANDOM_PROVIDER'],
  ] as const)
    it(`the PSA port compiles with ${compiler} against mbedTLS as it comes, and says which number is too small`, () => {
      const build = (...flags: string[]) => {
        const args = [...target, ...strict, ...flags, '-c', '-o', '/dev/null', 'ports/psa/port_psa.c'];
        return spawnSync(compiler, args, { cwd: csrc, encoding: 'utf8' }).stderr;
      };
      assert.equal(build(), '');
      assert.match(build('-DHAWSER_HMAC_LEN=456'), /HAWSER_HMAC_LEN_is_too_small_for_two_hash_states/);
    });
});
