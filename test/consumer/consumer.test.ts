/** Projects of somebody else's, which link hawser in each way that csrc/ offers, built in clean folders and run against a gateway. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { done, folder, upstream } from '../cli/harness.js';
import { end, gateway, handshakes, keep, root, run, type World } from '../e2e/world.js';

const mbedtls = join(root, 'build', 'mbedtls');
const hostConfig = join(root, 'csrc/ports/psa/mbedtls_config_host.h');

/** What its own installation would bring: tools/fetch-mbedtls.sh compiles the library alone. */
function installMbedtls(prefix: string): void {
  mkdirSync(join(prefix, 'lib/cmake/MbedTLS'), { recursive: true });
  mkdirSync(join(prefix, 'lib/pkgconfig'), { recursive: true });
  writeFileSync(
    join(prefix, 'lib/cmake/MbedTLS/MbedTLSConfig.cmake'),
    `add_library(MbedTLS::mbedcrypto STATIC IMPORTED)
set_target_properties(MbedTLS::mbedcrypto PROPERTIES
  IMPORTED_LOCATION "${mbedtls}/lib/libmbedcrypto.a"
  INTERFACE_INCLUDE_DIRECTORIES "${mbedtls}/include"
  INTERFACE_COMPILE_DEFINITIONS "MBEDTLS_CONFIG_FILE=\\"${hostConfig}\\"")
`,
  );
  writeFileSync(
    join(prefix, 'lib/cmake/MbedTLS/MbedTLSConfigVersion.cmake'),
    'set(PACKAGE_VERSION 3.6.6)\nset(PACKAGE_VERSION_COMPATIBLE TRUE)\n',
  );
  writeFileSync(
    join(prefix, 'lib/pkgconfig/mbedcrypto.pc'),
    `Name: mbedcrypto\nDescription: mbedTLS\nVersion: 3.6.6\nLibs: -L${mbedtls}/lib -lmbedcrypto\nCflags: -I${mbedtls}/include\n`,
  );
}

function cmake(...args: string[]): void {
  execFileSync('cmake', args, { stdio: 'pipe' });
}

/** What a build that must not succeed says. */
function failing(program: string, args: string[], cwd: string, env = process.env): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  assert.notEqual(status, 0, 'it should not build');
  return stdout + stderr;
}

/** A copy of the project with the example's two files in a folder of its own. */
function project(name: string): string {
  const path = folder();
  cpSync(join(root, 'test/consumer', name), path, { recursive: true });
  for (const file of ['device.c', 'posix.c', 'posix.h']) cpSync(join(root, 'examples', file), join(path, file));
  return path;
}

describe('a project that links hawser', function () {
  this.timeout(300_000);
  let world: World;
  let prefix: string;
  const env = () => ({ ...process.env, PKG_CONFIG_PATH: join(prefix, 'lib/pkgconfig') });

  before(async () => {
    prefix = folder();
    installMbedtls(prefix);
    const build = folder();
    const parts = ['-DHAWSER_GATEWAY=OFF', '-DHAWSER_TESTING=OFF', '-DCMAKE_INSTALL_LIBDIR=lib'];
    cmake('-G', 'Ninja', '-S', join(root, 'csrc'), '-B', build, ...parts);
    cmake('--build', build);
    cmake('--install', build, '--prefix', prefix);
    const { server, port } = await upstream((socket) => socket.pipe(socket));
    keep(server);
    world = await gateway(`tcp://127.0.0.1:${port}`);
  });
  after(end);

  /** The device does a full handshake, then boots from its flash and resumes. */
  async function talks(program: string, pairing: string): Promise<void> {
    const before = readFileSync(world.events, 'utf8').length;
    for (const line of ['first\n', 'second\n']) {
      const argv: [string, ...string[]] = [program, pairing, '127.0.0.1', String(world.listen), 'mqtt'];
      const { out, code } = await run(argv, Buffer.from(line));
      assert.deepEqual([code, out.toString()], [0, line]);
    }
    assert.deepEqual(await handshakes(world.events, before, 2), ['full', 'resumption']);
  }

  async function pair(name: string, file: string, ...options: string[]): Promise<string> {
    await done('pair', name, '--allow', 'mqtt', '-o', file, '-c', world.config, ...options);
    return file;
  }

  it('find_package: the device on mbedTLS completes a handshake', async () => {
    const path = project('find-package');
    cmake('-G', 'Ninja', '-S', path, '-B', join(path, 'build'), `-DCMAKE_PREFIX_PATH=${prefix}`);
    cmake('--build', join(path, 'build'));
    await talks(join(path, 'build/device'), await pair('found', join(path, 'meter.bin'), '--format', 'bin'));
  });

  const sdks = [
    { sdk: 'zephyr', kconfig: 'Kconfig.zephyr', chosen: ['HAWSER=y', 'HAWSER_MODE_TICKET=n', 'HAWSER_SAVE=n'] },
    { sdk: 'esp-idf', kconfig: 'Kconfig.esp-idf', chosen: ['HAWSER_MODE_TICKET=n', 'HAWSER_SAVE=n'] },
  ];
  for (const { sdk, kconfig, chosen } of sdks)
    it(`${sdk}, with stand-ins for its build functions: the device completes a handshake`, async () => {
      const path = project('sdk');
      const csrc = join(root, 'csrc');
      // Debian's, which has kconfiglib
      execFileSync('/usr/bin/python3', ['kconfig.py', kconfig, 'config.h', ...chosen], {
        cwd: path,
        env: { ...process.env, CSRC: csrc },
        stdio: 'pipe',
      });
      const [, moduleCmake] = /^ {2}cmake: (\S+)$/m.exec(readFileSync(join(csrc, 'zephyr/module.yml'), 'utf8'))!;
      const given = {
        SDK: sdk,
        CSRC: csrc,
        MBEDTLS: mbedtls,
        MODULE_CMAKE: moduleCmake,
        CONFIG_HAWSER: 'y',
        CONFIG_MBEDTLS: 'y',
      };
      const options = Object.entries(given).map(([key, value]) => `-D${key}=${value}`);
      cmake('-G', 'Ninja', '-S', path, '-B', join(path, 'build'), ...options);
      cmake('--build', join(path, 'build'));
      await talks(join(path, 'build/device'), await pair(sdk, join(path, 'meter.bin'), '--format', 'bin'));
      const symbols = execFileSync('nm', [join(path, 'build/device')], { encoding: 'utf8' });
      assert.match(symbols, / T hawser_board_random/);
      assert.doesNotMatch(symbols, /hawser_(save|accept)/, 'what Kconfig leaves out');
    });

  it('find_package: says which part is missing', () => {
    const path = project('find-package');
    const lists = join(path, 'CMakeLists.txt');
    writeFileSync(lists, readFileSync(lists, 'utf8').replace('COMPONENTS psa', 'COMPONENTS tpm'));
    const said = failing('cmake', ['-S', '.', '-B', 'build', `-DCMAKE_PREFIX_PATH=${prefix}`], path);
    assert.match(said, /installed with psa;openssl;core, not with tpm/);
  });

  it('pkg-config: the device on OpenSSL completes a handshake', async () => {
    const path = project('pkg-config');
    execFileSync('make', ['-C', path], { env: env(), stdio: 'pipe' });
    await talks(join(path, 'device'), await pair('packed', join(path, 'meter.bin'), '--format', 'bin'));
  });

  it('pkg-config: hawser is the first port, and every file names what it needs', () => {
    const ask = (...args: string[]) => execFileSync('pkg-config', args, { env: env(), encoding: 'utf8' }).trim();
    assert.match(ask('--libs', 'hawser'), /-lhawser-psa .*-lmbedcrypto/);
    assert.match(ask('--libs', 'hawser-openssl'), /-lhawser-openssl .*-lcrypto/);
    assert.match(ask('--libs', 'hawser-core'), /-lhawser-core$/);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    assert.equal(ask('--modversion', 'hawser'), version);
  });

  it('an installed library does not take choices that come too late', () => {
    const path = project('pkg-config');
    const said = failing('make', [], path, { ...env(), CFLAGS: String.raw`-DHAWSER_CONFIG_FILE=\"x.h\"` });
    assert.match(said, /comes too late/);
  });

  /** The project that docs/PORTING.md shows, file by file. */
  function porting(): string {
    const path = folder();
    const page = readFileSync(join(root, 'docs/PORTING.md'), 'utf8');
    const files = [...page.matchAll(/^<!-- meter\/(\S+) -->\n```\w+\n([^]*?)^```$/gm)];
    assert.ok(files.length >= 9 && files.length === page.match(/^```\w+$/gm)!.length, 'every snippet is a file');
    for (const [, name, text] of files) writeFileSync(join(path, name!), text!);
    cpSync(join(root, 'test/consumer/porting/board.c'), join(path, 'board.c'));
    return path;
  }

  it('docs/PORTING.md: its project compiles for a Cortex-M4', () => {
    const path = porting();
    const includes = ['-I.', ...['include', 'ports/psa'].map((name) => `-I${join(root, 'csrc', name)}`)];
    const flags = [
      '-mcpu=cortex-m4',
      '-mthumb',
      '-Os',
      '-std=c99',
      '-Wall',
      '-Wextra',
      '-Wconversion',
      '-Werror',
      '-c',
    ];
    const choices = ['-DHAWSER_CONFIG_FILE="hawser_config.h"', `-DMBEDTLS_CONFIG_FILE="${hostConfig}"`];
    for (const file of readdirSync(path).filter((name) => name.endsWith('.c') && name !== 'board.c'))
      execFileSync('arm-none-eabi-gcc', [...flags, ...choices, ...includes, `-I${mbedtls}/include`, file], {
        cwd: path,
        stdio: 'pipe',
      });
  });

  it('docs/PORTING.md: its project completes a handshake, and boots from its flash into a resumption', async () => {
    const path = porting();
    cmake('-G', 'Ninja', '-S', path, '-B', join(path, 'build'), `-DHAWSER=${root}`);
    cmake('--build', join(path, 'build'));
    await pair('ported', join(path, 'meter.bin'), '--format', 'bin', '--suite', 'p256', '--record-max', '512');
    const before = readFileSync(world.events, 'utf8').length;
    const board = [`METER_FOLDER=${path}`, `METER_PORT=${world.listen}`, join(path, 'build/meter')];
    for (let boot = 0; boot < 2; boot++) assert.equal((await run(['env', ...board], new Uint8Array(0))).code, 0);
    assert.deepEqual(await handshakes(world.events, before, 2), ['full', 'resumption']);
    const pages = [0, 1].map((page) => readFileSync(join(path, `page${page}`), 'latin1').slice(0, 4));
    assert.deepEqual(pages.sort(), ['', 'HWSL'], 'one slot is valid, the other is wiped');
  });

  /** -U__unix__: as a compiler for a board without an operating system. */
  function asPart(path: string, flags = ''): [string, string[]] {
    const build = join(path, 'build');
    cmake(
      ...['-G', 'Ninja', '-S', path, '-B', build, `-DFETCHCONTENT_SOURCE_DIR_HAWSER=${root}`],
      ...['-DFETCHCONTENT_FULLY_DISCONNECTED=ON', `-DCMAKE_C_FLAGS=${flags}`],
    );
    return ['cmake', ['--build', build]];
  }

  it('FetchContent: with a configuration, a random source and a pairing of its own, it completes a handshake', async () => {
    const path = project('subdirectory');
    await pair('built-in', join(path, 'meter.pairing.h'), '--format', 'c', '--suite', 'p256');
    const [program, args] = asPart(path);
    execFileSync(program, args, { stdio: 'pipe' });
    await talks(join(path, 'build/device'), join(path, 'nothing-to-read'));
    assert.ok(!existsSync(join(path, 'nothing-to-read')));
    const symbols = execFileSync('nm', [join(path, 'build/device')], { encoding: 'utf8' });
    assert.match(symbols, / T hawser_board_random/);
    assert.doesNotMatch(symbols, /hawser_(save|restore|accept)/, 'left out, or the half of the gateway');
  });

  it('FetchContent: without a random source it does not compile, and the compiler says what to do', () => {
    const path = project('subdirectory');
    const config = join(path, 'hawser_config.h');
    writeFileSync(join(path, 'meter.pairing.h'), 'static const unsigned char hawser_pairing_form[1];\n');
    writeFileSync(config, readFileSync(config, 'utf8').replace(/^#define HAWSER_RANDOM .*\n/m, ''));
    const [program, args] = asPart(path, '-U__unix__');
    assert.match(failing(program, args, path), /no entropy source is known here: define HAWSER_RANDOM/);
  });
});
