/** Projects of somebody else's, which link hawser in each way that csrc/ offers, built in clean folders and run against a gateway. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { done, folder, freePort, upstream } from '../cli/harness.js';
import { end, gateway, handshakes, keep, root, run, type World } from '../e2e/world.js';

const mbedtls = join(root, 'build', 'mbedtls');
const hostConfig = join(root, 'csrc/ports/psa/mbedtls_config_host.h');

/** CMake's words for a library that lies there: `name` is its target. */
const imported = (name: string, folder: string): string => `add_library(${name} STATIC IMPORTED GLOBAL)
set_target_properties(${name} PROPERTIES
  IMPORTED_LOCATION "${folder}/lib/libmbedcrypto.a"
  INTERFACE_INCLUDE_DIRECTORIES "${folder}/include"
  INTERFACE_COMPILE_DEFINITIONS "MBEDTLS_CONFIG_FILE=\\"${hostConfig}\\"")
`;

/** What its own installation would bring: tools/fetch-mbedtls.sh compiles the library alone. */
function installMbedtls(prefix: string): void {
  mkdirSync(join(prefix, 'lib/cmake/MbedTLS'), { recursive: true });
  mkdirSync(join(prefix, 'lib/pkgconfig'), { recursive: true });
  const config = imported('MbedTLS::mbedcrypto', mbedtls).replace(' GLOBAL', '');
  writeFileSync(join(prefix, 'lib/cmake/MbedTLS/MbedTLSConfig.cmake'), config);
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
    cmake(...installable(build));
    cmake('--build', build);
    cmake('--install', build, '--prefix', prefix);
    const { server, port } = await upstream((socket) => socket.pipe(socket));
    keep(server);
    world = await gateway(`tcp://127.0.0.1:${port}`);
  });
  after(end);

  /** A build of csrc/ alone that is to be installed where mbedTLS is. */
  function installable(build: string, ...options: string[]): string[] {
    const parts = ['-DHAWSER_GATEWAY=OFF', '-DHAWSER_TESTING=OFF', '-DCMAKE_INSTALL_LIBDIR=lib'];
    return [
      '-G',
      'Ninja',
      '-S',
      join(root, 'csrc'),
      '-B',
      build,
      ...parts,
      `-DCMAKE_PREFIX_PATH=${prefix}`,
      ...options,
    ];
  }

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

  it('installed: hawser::psa names the mbedTLS that it was compiled against', () => {
    const targets = readFileSync(join(prefix, 'lib/cmake/hawser/hawser-psa-targets.cmake'), 'utf8');
    assert.match(targets, /INTERFACE_LINK_LIBRARIES "MbedTLS::mbedcrypto"/);
    assert.doesNotMatch(targets, /hawser-mbedcrypto/);
  });

  it("installed: a library that was compiled against the tests' own mbedTLS is not", () => {
    const build = folder();
    cmake(...installable(build, `-DHAWSER_MBEDTLS_DIR=${mbedtls}`, '-DHAWSER_OPENSSL=OFF'));
    cmake('--build', build);
    const said = failing('cmake', ['--install', build, '--prefix', folder()], root);
    assert.match(said, /compiled against the tests' own mbedTLS/);
  });

  it('installed: one that was compiled against another target wants that again, and no other', () => {
    const [vendor, build, to] = [folder(), folder(), folder()];
    const target = join(vendor, 'vendor.cmake');
    writeFileSync(target, imported('Vendor::crypto', mbedtls));
    const options = ['-DHAWSER_PSA_TARGET=Vendor::crypto', '-DHAWSER_OPENSSL=OFF'];
    cmake(...installable(build, ...options, `-DCMAKE_PROJECT_hawser_INCLUDE=${target}`));
    cmake('--build', build);
    cmake('--install', build, '--prefix', to);
    const path = project('find-package');
    const args = ['-G', 'Ninja', '-S', path, '-B', join(path, 'build'), `-DCMAKE_PREFIX_PATH=${to};${prefix}`];
    assert.match(failing('cmake', args, path), /hawser::psa needs the target\s+Vendor::crypto/);
    cmake(...args, `-DCMAKE_PROJECT_meter_INCLUDE=${target}`);
    cmake('--build', join(path, 'build'));
    assert.match(readFileSync(join(to, 'lib/pkgconfig/hawser-psa.pc'), 'utf8'), /^Requires: ?$/m);
  });

  it('installed: a configuration that includes a header beside it is refused, for it would be alone', () => {
    const config = join(folder(), 'choices.h');
    writeFileSync(config, '#define HAWSER_SAVE 0\n#include "limits.h"\n');
    const args = installable(folder(), '-DHAWSER_PSA=OFF', `-DHAWSER_CONFIG_FILE=${config}`);
    assert.match(failing('cmake', args, root), /#include "limits.h": that header would not be\s+installed/);
    writeFileSync(config, '#define HAWSER_SAVE 0\n#include <limits.h>\n');
    cmake(...args);
  });

  for (const port of ['openssl', 'psa'])
    it(`pkg-config: the device on hawser-${port} completes a handshake`, async () => {
      const path = project('pkg-config');
      execFileSync('make', ['-C', path, `PORT=${port}`], { env: env(), stdio: 'pipe' });
      await talks(join(path, 'device'), await pair(`packed-${port}`, join(path, 'meter.bin'), '--format', 'bin'));
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

  const shown = join(root, 'test/consumer/porting');

  /** The program that docs/PORTING.md shows, file by file, with that board, built without a warning. */
  function porting(board: string, ...options: string[]): string {
    const path = folder();
    const page = readFileSync(join(root, 'docs/PORTING.md'), 'utf8');
    const files = [...page.matchAll(/^<!-- meter\/(\S+) -->\n```\w+\n([^]*?)^```$/gm)];
    assert.ok(files.length >= 10 && files.length === page.match(/^```\w+$/gm)!.length, 'every snippet is a file');
    for (const [, name, text] of files) writeFileSync(join(path, name!), text!);
    cpSync(join(shown, board), join(path, 'board.c'));
    const given = [`-DHAWSER=${root}`, `-DMBEDTLS=${mbedtls}`, `-DCMAKE_PROJECT_meter_INCLUDE=${shown}/warnings.cmake`];
    cmake('-G', 'Ninja', '-S', path, '-B', join(path, 'build'), ...given, ...options);
    cmake('--build', join(path, 'build'));
    return join(path, 'build/meter');
  }

  it('docs/PORTING.md: its project links for a Cortex-M4, without a heap', () => {
    const toolchain = `-DCMAKE_TOOLCHAIN_FILE=${shown}/cortex-m4.cmake`;
    const elf = porting('board_m4.c', toolchain, '-DCMAKE_BUILD_TYPE=MinSizeRel');
    const names = execFileSync('arm-none-eabi-nm', [elf], { encoding: 'utf8' }).matchAll(/^\S* +(\w) (\w+)$/gm);
    const symbols = new Map([...names].map(([, kind, name]) => [name!, kind!]));
    for (const name of ['main', 'sleep_wake', 'keys_provision', 'hawser_port_dh', 'p256_ecdh_shared_secret'])
      assert.equal(symbols.get(name), 'T', name);
    const heap = [...symbols.keys()].filter((name) => /^_*(malloc|calloc|realloc|free|sbrk)(_r)?$/.test(name));
    assert.deepEqual(heap, []);
  });

  let onThisMachine: string | undefined;

  /** A folder of the meter on this machine, with its program, paired with that gateway. */
  async function meter(name: string, config: string): Promise<string> {
    onThisMachine ??= porting('board.c', '-DCMAKE_C_FLAGS=-fsanitize=address,undefined -fno-sanitize-recover=all');
    const path = folder();
    cpSync(onThisMachine, join(path, 'meter'));
    const options = ['--format', 'bin', '--suite', 'p256', '--record-max', '512'];
    await done('pair', name, '--allow', 'mqtt', '-o', join(path, 'meter.bin'), '-c', config, ...options);
    return path;
  }

  const boots = (path: string, { listen }: World) =>
    run(['env', `METER_FOLDER=${path}`, `METER_PORT=${listen}`, join(path, 'meter')], new Uint8Array(0));

  it('docs/PORTING.md: its project completes a handshake, and boots from its flash into a resumption', async () => {
    const path = await meter('ported', world.config);
    const before = readFileSync(world.events, 'utf8').length;
    for (let boot = 0; boot < 2; boot++) assert.equal((await boots(path, world)).code, 0);
    assert.deepEqual(await handshakes(world.events, before, 2), ['full', 'resumption']);
    const pages = [0, 1].map((page) => readFileSync(join(path, `page${page}`), 'latin1').slice(0, 4));
    assert.deepEqual(pages.sort(), ['', 'HWSL'], 'one slot is valid, the other is wiped');
  });

  it('docs/PORTING.md: its project goes on trying, less often while nothing works, until its upstream has the reading', async () => {
    const place = await freePort();
    const other = await gateway(`tcp://127.0.0.1:${place}`);
    const path = await meter('patient', other.config);
    const before = readFileSync(other.events, 'utf8').length;
    const run = boots(path, other);
    const early = run.then(({ code }) => assert.fail(`it ended with ${code}`));
    const kinds = await Promise.race([handshakes(other.events, before, 2), early]);
    assert.deepEqual(kinds, ['full', 'resumption'], 'it came back');
    early.catch(() => undefined); // from here on it may
    const readings: string[] = [];
    const server = createServer((socket) => {
      socket.on('data', (piece) => {
        readings.push(piece.toString());
        if (readings.length <= 3) socket.resetAndDestroy();
      });
      socket.on('end', () => socket.end()).on('error', () => undefined);
    });
    keep(server).listen(place, '127.0.0.1');
    assert.equal((await run).code, 0);
    assert.deepEqual(
      readings,
      Array.from({ length: 4 }, () => '21.5\n'),
    );
    const waits = readFileSync(join(path, 'waits'), 'utf8').trim().split('\n').map(Number);
    assert.deepEqual(waits.slice(0, 2), [500, 1000], 'with nobody behind the gateway');
    assert.deepEqual(waits.slice(-3), [500, 500, 500], 'after each link that was of use');
  });

  /** -U__unix__: as a compiler for a board without an operating system. */
  function asPart(path: string, flags = ''): [string, string[]] {
    const build = join(path, 'build');
    cmake(
      ...['-G', 'Ninja', '-S', path, '-B', build, `-DFETCHCONTENT_SOURCE_DIR_HAWSER=${root}`],
      ...['-DFETCHCONTENT_FULLY_DISCONNECTED=ON', `-DCMAKE_C_FLAGS=${flags}`, `-DCMAKE_PREFIX_PATH=${prefix}`],
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

  for (const { name, before, after } of [
    { name: 'MbedTLS::mbedcrypto', before: '', after: '' },
    { name: 'Vendor::crypto', before: 'MbedTLS::mbedcrypto', after: 'set(HAWSER_PSA_TARGET Vendor::crypto)\n' },
  ])
    it(`FetchContent: ${name} of the project is taken, whatever else there is`, async () => {
      const path = project('subdirectory');
      await pair(`own-${name.slice(0, 3)}`, join(path, 'meter.pairing.h'), '--format', 'c', '--suite', 'p256');
      const own = join(path, 'own');
      cpSync(mbedtls, own, { recursive: true, filter: (from) => !from.includes('3rdparty') });
      const lists = join(path, 'CMakeLists.txt');
      const others = before === '' ? '' : imported(before, join(path, 'nowhere'));
      const targets = `${others}${imported(name, own)}${after}`;
      writeFileSync(lists, readFileSync(lists, 'utf8').replace(/^include\(FetchContent\)$/m, `${targets}$&`));
      const [program, args] = asPart(path);
      execFileSync(program, args, { stdio: 'pipe' });
      const commands = execFileSync('ninja', ['-C', join(path, 'build'), '-t', 'commands'], { encoding: 'utf8' });
      assert.ok(commands.includes(`${own}/include`) && commands.includes('own/lib/libmbedcrypto.a'));
      assert.ok(!commands.includes(mbedtls), 'that of the checkout');
      await talks(join(path, 'build/device'), join(path, 'nothing-to-read'));
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
