// Cross-compiles the firmware: a table of boards and builds, one image for each pair of them. Objects stay apart by component,
// so that a map file can be read by component: build/firmware/objects/COMPONENT-HASH/FILE.o, the hash being that of how it
// was compiled; build/firmware/IMAGE/image.elf and image.map.
//
// Nothing that is up to date is compiled again.
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const mbedtls = 'build/mbedtls';

const arm = { compiler: 'arm-none-eabi-gcc', packages: ['gcc-arm-none-eabi', 'libnewlib-arm-none-eabi'] };
const riscv = {
  compiler: 'riscv64-unknown-elf-gcc',
  packages: ['gcc-riscv64-unknown-elf', 'picolibc-riscv64-unknown-elf'],
};
const uarts = ['-semihosting-config', 'enable=on,target=native', '-serial', 'chardev:line', '-serial', 'chardev:log'];
const uart = ['-semihosting-config', 'enable=on,target=native,chardev=log', '-serial', 'chardev:line'];

const mps2 = {
  ...arm,
  folder: 'firmware/boards/mps2',
  link: ['--specs=nano.specs', '-nostartfiles'],
  emulator: 'qemu-system-arm',
  emulatorPackage: 'qemu-system-arm',
  memory: 16,
  shared: 0,
};
const onMps2 = (name) => ['-M', `${name},memory-backend=shared`, ...uarts];

/**
 * What differs between boards. `machine`: of the emulator's arguments those that name the memory `shared` and the character devices
 * `line` and `log`. `shared`: where the file with flash and retained RAM begins in that memory, in MiB as the memory itself.
 */
export const boards = {
  an386: { ...mps2, cpu: 'Cortex-M4', target: ['-mcpu=cortex-m4', '-mthumb'], machine: onMps2('mps2-an386') },
  an385: { ...mps2, cpu: 'Cortex-M3', target: ['-mcpu=cortex-m3', '-mthumb'], machine: onMps2('mps2-an385') },
  virt: {
    ...riscv,
    cpu: 'RISC-V, rv32imac',
    target: ['-march=rv32imac', '-misa-spec=2.2', '-mabi=ilp32', '-mcmodel=medany', '--specs=picolibc.specs'],
    folder: 'firmware/boards/virt',
    link: ['-nostartfiles'],
    emulator: 'qemu-system-riscv32',
    emulatorPackage: 'qemu-system-misc',
    machine: ['-M', 'virt,memory-backend=shared', '-m', '32M', '-bios', 'none', ...uart],
    memory: 32,
    shared: 16,
  },
};

const ticket = 'HAWSER_MODE_KEYS=0 HAWSER_MODE_PSK=0 HAWSER_MODE_TICKET=1 FIRMWARE_TICKET=1';
const psk = 'HAWSER_MODE_KEYS=0 HAWSER_MODE_PSK=1 HAWSER_MODE_TICKET=0 FIRMWARE_PSK=1';
const keys = 'HAWSER_MODE_KEYS=1 HAWSER_MODE_PSK=0 HAWSER_MODE_TICKET=0';
const p256 = 'HAWSER_SUITE_P256=1 HAWSER_SUITE_25519=0 FIRMWARE_P256=1';
const x25519 = 'HAWSER_SUITE_P256=0 HAWSER_SUITE_25519=1 FIRMWARE_25519=1';

/** What is compiled in, and `hawser pair`'s options for a device of that kind. */
export const builds = {
  ticket: { defines: ticket, pair: ['--mode', 'ticket'] },
  'psk-p256': { defines: `${psk} ${p256}`, pair: ['--mode', 'psk', '--suite', 'p256'] },
  'keys-p256': { defines: `${keys} ${p256}`, pair: ['--mode', 'keys', '--suite', 'p256'] },
  'keys-25519': { defines: `${keys} ${x25519}`, pair: ['--mode', 'keys', '--suite', '25519'] },
};

/** Every image: `BOARD-BUILD`. */
export const images = Object.keys(boards).flatMap((board) =>
  Object.keys(builds).map((build) => ({ name: `${board}-${build}`, board, build })),
);

/**
 * Variants of an image: what is measured is what runs, but a test wants to see every key and nonce.
 * `app`: the folder of the program, in place of the device.
 */
export const variants = {
  release: {},
  trace: { defines: 'HAWSER_TRACE=1' },
  impatient: { defines: 'HAWSER_WARM_PATIENCE_MS=1000u HAWSER_ATTEMPT_MS=1500u' },
  // with a fault each, which a test must notice
  stuck: { defines: 'HAWSER_TRACE=1 FIRMWARE_STUCK_RANDOM=1' },
  unwiped: { defines: 'HAWSER_TRACE=1 FIRMWARE_NO_WIPE=1' },
};

const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror'];
const compile = ['-Os', '-g', '-ffunction-sections', '-fdata-sections', '-fno-common'];
const include = [
  '-Ifirmware',
  '-Icsrc/include',
  '-Icsrc/ports/psa',
  `-I${mbedtls}/include`,
  '-DMBEDTLS_CONFIG_FILE="mbedtls/config.h"',
  '-DHAWSER_CONFIG_FILE="hawser_config.h"',
];

/** The files of each component: what a report counts apart. */
export function components(board, app) {
  return {
    core: {
      sources: listOf('HAWSER_CORE_SOURCES'),
      oneFile: listOf('HAWSER_CORE_ONE_FILE'),
      flags: ['-std=c99', ...warnings],
    },
    port: { sources: listOf('HAWSER_PORT_PSA_SOURCES'), flags: ['-std=c99', ...warnings] },
    mbedtls: {
      sources: [...cFiles(`${mbedtls}/library`).filter(isCrypto), ...cFiles(`${mbedtls}/3rdparty/p256-m`)],
      flags: [
        '-std=c99',
        '-w',
        `-I${mbedtls}/library`,
        `-I${mbedtls}/3rdparty/p256-m/p256-m/include`,
        `-I${mbedtls}/3rdparty/p256-m/p256-m/include/p256-m`,
        `-I${mbedtls}/3rdparty/p256-m/p256-m`,
      ],
    },
    app: { sources: cFiles(app), flags: ['-std=c11', ...warnings] },
    drivers: { sources: cFiles('firmware/drivers'), flags: ['-std=c11', ...warnings] },
    emulator: {
      sources: cFiles('firmware/emulator'),
      flags: ['-std=gnu11', ...warnings],
    },
    board: {
      sources: [...cFiles('firmware/boards/common'), ...cFiles(boards[board].folder)],
      flags: ['-std=gnu11', ...warnings],
    },
  };
}

/** Of mbedTLS's library, what may be linked; most of it is not, but would be compiled. */
function isCrypto(file) {
  return /^(aes|block_cipher|bignum\w*|constant_time|ecp\w*|ecdh|gcm|platform_util|psa_\w+|sha256)\.c$/.test(
    basename(file),
  );
}

function listOf(name) {
  const [, list] = new RegExp(`${name}\\s([^)]*)\\)`).exec(readFileSync('csrc/sources.cmake', 'utf8'));
  return list
    .trim()
    .split(/\s+/)
    .map((file) => join('csrc', file));
}

function cFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .map((file) => join(folder, file))
    .filter((file) => /\.[cS]$/.test(file))
    .sort();
}

/** To fetch and compile mbedTLS, and for a TLS server to measure against. */
const always = ['gcc', 'libc6-dev', 'dpkg-dev', 'bzip2', 'curl', 'openssl'];

/** Compilers with their C libraries, emulators, and what else it takes: installed as root, else named. */
export function needTools(names = Object.keys(boards)) {
  const ofBoards = names
    .map((name) => boards[name])
    .flatMap(({ packages, emulatorPackage }) => [...packages, emulatorPackage]);
  const { status, stderr, error } = spawnSync('bash', ['tools/machine.sh', ...new Set([...always, ...ofBoards])], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(error?.message ?? stderr.trim());
}

/** @returns the folder with image.elf and image.map */
export async function buildImage(board, build, variant = 'release', extra = {}) {
  const { defines: own = '', app = 'firmware/app' } = { ...variants[variant], ...extra };
  const out = join('build/firmware', `${board}-${build}${variant === 'release' ? '' : `-${variant}`}`);
  const objects = await compileParts(board, components(board, app), `${builds[build].defines} ${own}`);
  await linkImage(board, Object.values(objects).flat(), out);
  return out;
}

/** @returns of each part its objects. A part's own `defines` take the place of those of the image. */
export async function compileParts(board, parts, defines) {
  const { compiler, target } = boards[board];
  const jobs = [];
  const objects = {};
  for (const [component, { sources, flags, defines: own = defines }] of Object.entries(parts)) {
    const all = own.trim().split(/\s+/);
    const ours = component === 'mbedtls' ? all.filter((each) => !each.startsWith('HAWSER_')) : all;
    const args = [...target, ...compile, ...include, ...flags, ...ours.map((each) => `-D${each}`)];
    objects[component] = sources.map((source) => {
      const line = [compiler, ...args, dirname(source)].join(' ');
      const hash = createHash('sha256').update(line).digest('hex').slice(0, 12);
      const object = join('build/firmware/objects', `${component}-${hash}`, basename(source).replace(/\.[cS]$/, '.o'));
      jobs.push(() => compileOne(compiler, args, source, object));
      return object;
    });
  }
  await inParallel(jobs);
  return objects;
}

async function compileOne(compiler, args, source, object) {
  const depends = object.replace(/\.o$/, '.d');
  if (isFresh(object, depends)) return;
  mkdirSync(dirname(object), { recursive: true });
  rmSync(object, { force: true });
  await run(compiler, [...args, '-MD', '-MF', depends, '-c', source, '-o', object]);
}

/** Newer than all that it was made of. */
function isFresh(object, depends) {
  if (!existsSync(object) || !existsSync(depends)) return false;
  const made = statSync(object).mtimeMs;
  const [, list] = readFileSync(depends, 'utf8').split(/:\s/, 2);
  return list.split(/[\s\\]+/).every((file) => file === '' || (existsSync(file) && statSync(file).mtimeMs < made));
}

export async function linkImage(board, objects, out, flags = []) {
  const { compiler, target, link, folder } = boards[board];
  const elf = join(out, 'image.elf');
  const args = [...target, ...link, `-T${folder}/link.ld`, '-Wl,--gc-sections', `-Wl,-Map,${join(out, 'image.map')}`];
  mkdirSync(out, { recursive: true });
  rmSync(elf, { force: true });
  await run(compiler, [...args, ...flags, '-o', elf, ...objects, '-lgcc']);
}

async function inParallel(jobs) {
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) await job();
  };
  await Promise.all(Array.from({ length: cpus().length }, worker));
}

/** mbedTLS's sources; quick when they are there. */
export function fetchSources() {
  const { status, stderr } = spawnSync('bash', ['tools/fetch-mbedtls.sh'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}
