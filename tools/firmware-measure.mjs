// What firmware costs: flash and static RAM of an image by component, from its map; instructions and stack of a device's calls,
// from the emulator; sizes of structs. tools/firmware-report.mjs holds all of it to budgets.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { boards, buildImage, compileParts, components, linkImage } from './firmware-build.mjs';

const BOARD = 'an386';
const OUT = 'build/firmware/measure';
const MEASURE = 'firmware/measure';
const c11 = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror'];
const { compiler, target, emulator } = boards[BOARD];
const tool = (name) => compiler.replace(/gcc$/, name);

export function compilerVersion() {
  return execFileSync(compiler, ['-dumpfullversion'], { encoding: 'utf8' }).trim();
}

// ---- Images -----------------------------------------------------------------------------------------------------------

/** Of a program that calls what a device calls, and little else: { flash, memory, lto }, see partsOf(). */
export function deviceSize(name, defines, lto, oneFile) {
  return linked(`program-${fileName(name)}`, measuredParts('program', oneFile), defines, lto);
}

/** The same of a TLS or DTLS client of mbedTLS. */
export function peerSize(name, defines, lto) {
  return linked(`peer-${fileName(name)}`, peerParts('tls'), withArena(defines), lto);
}

/** The same of an image of the firmware. */
export async function imageSize(build) {
  return partsOf(await buildImage(BOARD, build));
}

async function linked(name, parts, defines, lto) {
  const plain = join(OUT, name);
  await linkImage(BOARD, Object.values(await compileParts(BOARD, parts, defines)).flat(), plain);
  return { ...partsOf(plain), ...(lto ? { lto: await optimised(`${plain}-lto`, parts, defines) } : {}) };
}

/** Core, port, mbedTLS and program as one; libc, startup code and board stay as they are. */
async function optimised(folder, parts, defines) {
  const whole = (name, part) =>
    ['core', 'port', 'mbedtls', 'program'].includes(name) ? { ...part, flags: [...part.flags, '-flto'] } : part;
  const changed = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, whole(name, part)]));
  const objects = await compileParts(BOARD, changed, defines);
  await linkImage(BOARD, Object.values(objects).flat(), folder, ['-flto=1', '-Os']);
  return partsOf(folder).flash;
}

/** As those of a firmware, but for the program and the random source. oneFile: the core is compiled as one. */
function measuredParts(program, oneFile) {
  const { core: files, port, mbedtls, drivers, board } = components(BOARD, join(MEASURE, program));
  const core = oneFile ? { ...files, sources: files.oneFile } : files;
  const main = { sources: [join(MEASURE, program, 'main.c')], flags: c11 };
  const random = { sources: [join(MEASURE, 'random.c')], flags: c11 };
  return { core, port, mbedtls, program: main, drivers, random, board };
}

function peerParts(program) {
  const { mbedtls, drivers, board, ...parts } = measuredParts(program);
  const client = { sources: [...parts.program.sources, join(MEASURE, 'tls/client.c')], flags: c11 };
  const all = { mbedtls: withTls(mbedtls), program: client, drivers, random: parts.random };
  const config = ['-UMBEDTLS_CONFIG_FILE', '-DMBEDTLS_CONFIG_FILE="measure/tls/config.h"', '-DMEMORY_ARENA=16384'];
  for (const part of Object.values(all)) part.flags = [...part.flags, ...config];
  return { ...all, board };
}

/** Of drivers/memory.c, which is there for that suite. */
const withArena = (defines) => `${defines} FIRMWARE_25519=1`;

function withTls({ sources, flags }) {
  const folder = 'build/mbedtls/library';
  const tls = readdirSync(folder).filter((name) => /^(ssl_\w+|md|cipher\w*|platform)\.c$/.test(name));
  return { sources: [...sources, ...tls.map((name) => join(folder, name))], flags };
}

const fileName = (name) => name.replace(/[^\w+.]+/g, '-');

// ---- Maps -------------------------------------------------------------------------------------------------------------

/** Bytes by component: { flash, memory (static RAM, no stack), pieces (of flash, largest first) }. */
export function partsOf(folder) {
  const listed = execFileSync(tool('size'), ['-A', join(folder, 'image.elf')], { encoding: 'utf8' });
  const sizes = new Map([...listed.matchAll(/^(\.[\w.]+)\s+(\d+)/gm)].map(([, name, bytes]) => [name, Number(bytes)]));
  return countParts(readFileSync(join(folder, 'image.map'), 'utf8'), sizes);
}

/** @throws if the map does not account for each byte of the sections. */
export function countParts(map, sizes) {
  const counted = { flash: {}, memory: {}, pieces: [] };
  const seen = new Map();
  for (const { section, name, file, bytes } of inputSections(map)) {
    const places = { '.text': ['flash'], '.ARM.exidx': ['flash'], '.data': ['flash', 'memory'], '.bss': ['memory'] };
    if (!(section in places) || bytes === 0) continue;
    const part = componentOf(file);
    seen.set(section, (seen.get(section) ?? 0) + bytes);
    for (const place of places[section]) counted[place][part] = (counted[place][part] ?? 0) + bytes;
    if (places[section].includes('flash')) counted.pieces.push({ part, name, bytes });
  }
  for (const [section, bytes] of seen)
    if (bytes !== sizes.get(section)) throw new Error(`${section}: ${sizes.get(section)} bytes, its map has ${bytes}`);
  counted.pieces.sort((a, b) => b.bytes - a.bytes);
  return counted;
}

/** Each piece of an output section, fillings included. Where strings are shared the map gives more than is there: a piece ends at
 * the latest where the next begins. */
function inputSections(map) {
  const text = map.slice(map.indexOf('Linker script and memory map'));
  const pieces = [];
  let section = '';
  let sectionEnd = 0;
  for (const line of text.replace(/\n +(?=0x[0-9a-f]+ +0x)/g, ' ').split('\n')) {
    const [, output, start, length] = /^(\.[\w.]+) +0x([0-9a-f]+) +0x([0-9a-f]+)/.exec(line) ?? [];
    if (output) [section, sectionEnd] = [output, parseInt(start, 16) + parseInt(length, 16)];
    const [, name, at, size, file = ''] =
      /^ (\.\S+|COMMON|\*fill\*) +0x([0-9a-f]+) +0x([0-9a-f]+) ?(\S.*)?$/.exec(line) ?? [];
    if (name) pieces.push({ section, sectionEnd, name, file, at: parseInt(at, 16), size: parseInt(size, 16) });
  }
  return pieces.map((piece, i) => {
    const next = pieces[i + 1]?.section === piece.section ? pieces[i + 1].at : piece.sectionEnd;
    return { ...piece, bytes: Math.min(piece.at + piece.size, next) - piece.at };
  });
}

/** Of an object or an archive's member. */
function componentOf(file) {
  const [, folder, name] = /objects\/(\w+)-[0-9a-f]{12}\/(\S+)\.o$/.exec(file) ?? [];
  const apart = {
    random: 'random',
    flash: 'flash',
    flash_cells: 'flash',
    memory: 'arena',
    start: 'crt0',
    startup: 'crt0',
  };
  if (['core', 'port', 'mbedtls', 'program', 'app', 'gateway'].includes(folder)) return folder;
  if (folder) return apart[name] ?? 'board';
  if (file === '') return 'alignment';
  if (/ltrans|\.lto\./.test(file)) return 'optimised';
  if (/\.a\(/.test(file)) return 'libc';
  throw new Error(`whose is ${file}?`);
}

// ---- Instructions and stack -----------------------------------------------------------------------------------------------

/** { OPERATION: { instructions, stack } } of a device's calls, on a board with its gateway. */
export async function deviceCosts(name, defines, oneFile) {
  const folder = join(OUT, `loopback-${fileName(name)}`);
  const parts = measuredParts('loopback', oneFile);
  parts.program.sources.push(join(MEASURE, 'cost.c'));
  const { gateway, ...objects } = await compileParts(
    BOARD,
    { ...parts, gateway: gatewayPart(measuredParts('loopback'), defines) },
    defines,
  );
  await linkImage(BOARD, [...Object.values(objects).flat(), isolated(gateway, folder)], folder);
  return costsIn(await emulate(join(folder, 'image.elf'), 'null'));
}

/** Of a TLS client's calls, against `openssl s_server`: that also shows that the client is one. */
export async function peerCosts(name, defines, options) {
  const folder = join(OUT, `peer-cost-${fileName(name)}`);
  const parts = peerParts('tls-cost');
  parts.program.sources.push(join(MEASURE, 'cost.c'));
  const objects = await compileParts(BOARD, parts, withArena(defines));
  await linkImage(BOARD, Object.values(objects).flat(), folder);
  const server = spawn('openssl', [...serverArgs, ...options], { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    server.stdin.write(`${'x'.repeat(63)}\n`);
    return costsIn(await emulate(join(folder, 'image.elf'), `tcp:${await addressOf(server)}`));
  } finally {
    server.kill();
  }
}

const psk = ['-psk', `01${'00'.repeat(31)}`, '-psk_identity', 'device-1'];
const serverArgs = ['s_server', '-accept', '127.0.0.1:0', '-nocert', ...psk, '-tls1_3', '-num_tickets', '1'];

/** Where it listens: it says so, and ends if it cannot. What it says later is read, and dropped. */
function addressOf(server) {
  let said = '';
  return new Promise((resolve, reject) => {
    server.stdout.on('data', (piece) => {
      said += piece;
      const [, address] = /^ACCEPT (\S+)$/m.exec(said) ?? [];
      if (address) resolve(address);
    });
    server.on('error', reject);
    server.on('exit', () => reject(new Error(`openssl s_server has ended: ${said}`)));
  });
}

/** What a gateway has to have it has, whatever the device leaves out; one that knows tickets alone does not compile. */
function gatewayPart({ core, port }, defines) {
  const leftOut = [
    'STREAMS',
    'SERIAL_LINES',
    'SAVE',
    ...(defines.includes('HAWSER_MODE_TICKET=1') ? ['MODE_PSK'] : []),
  ];
  const own = defines.split(' ').filter((each) => !leftOut.some((name) => each === `HAWSER_${name}=0`));
  return {
    sources: [...core.sources, 'csrc/src/gateway.c', ...port.sources, join(MEASURE, 'loopback/gateway.c')],
    flags: [...c11, '-UHAWSER_CONFIG_FILE', '-DHAWSER_CONFIG_FILE="measure/gateway_config.h"'],
    defines: `${own.join(' ')} MEASURE_MESSAGES=${Number(defines.includes('HAWSER_STREAMS=0'))}`,
  };
}

/** One object, of whose names only the gateway's verbs are left: the device's core has the same names. */
function isolated(objects, folder) {
  mkdirSync(folder, { recursive: true });
  const object = join(folder, 'gateway.o');
  execFileSync(compiler, [...target, '-r', '-nostdlib', '-o', object, ...objects]);
  execFileSync(tool('objcopy'), ['--wildcard', '--keep-global-symbol=gateway_*', object]);
  return object;
}

/** With a clock that counts instructions, so that each run is the same. */
async function emulate(elf, line) {
  const machine = ['-M', 'mps2-an386', '-icount', 'shift=6', '-display', 'none', '-monitor', 'none', '-kernel', elf];
  const console = ['-semihosting-config', 'enable=on,target=native', '-serial', line, '-serial', 'stdio'];
  const { stdout } = await promisify(execFile)(emulator, [...machine, ...console], { timeout: 600_000 });
  return stdout;
}

export function costsIn(text) {
  if (!/^end 0$/m.test(text)) throw new Error(`the measured device failed: ${text}`);
  const costs = [...text.matchAll(/^cost (.+) (\d+)\nstack (\d+)$/gm)];
  return Object.fromEntries(
    costs.map(([, name, instructions, stack]) => [name, { instructions: Number(instructions), stack: Number(stack) }]),
  );
}

// ---- Structs ----------------------------------------------------------------------------------------------------------

/** Every public struct and union of a device with the firmware's configuration, by name: compiled, not asked. */
export function structSizes() {
  const headers = ['config', 'port', 'hawser', 'device'].map((name) => `csrc/include/hawser/${name}.h`);
  const text = headers.map((file) => readFileSync(file, 'utf8')).join('\n');
  const names = [...text.matchAll(/^(?:typedef )?(?:struct|union) (\w+) \{/gm)].map(([, name]) => name);
  const arrays = names.map((name) => `char ${name}_[sizeof(${name})];`);
  const object = join(OUT, 'structs.o');
  const source = ['#include "hawser/device.h"', ...arrays, ''].join('\n');
  mkdirSync(OUT, { recursive: true });
  const config = ['-Icsrc/include', '-Ifirmware', '-DHAWSER_CONFIG_FILE="hawser_config.h"'];
  execFileSync(compiler, [...target, ...config, '-xc', '-c', '-', '-o', object], { input: source });
  const symbols = execFileSync(tool('nm'), ['-S', object], { encoding: 'utf8' });
  const sizes = [...symbols.matchAll(/^\S+ (\S+) B (\w+)_$/gm)];
  return Object.fromEntries(sizes.map(([, bytes, name]) => [name, parseInt(bytes, 16)]));
}
