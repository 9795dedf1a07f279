// What firmware costs: flash and static RAM of an image by component, from its map; instructions and stack of a device's calls,
// from the emulator; sizes of structs. tools/firmware-report.mjs holds all of it to budgets.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { boards, buildImage, compileParts, components, linkImage } from './firmware-build.mjs';
import { withDtlsServer, withTlsServer } from './firmware-servers.mjs';

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
  const config = ['-UMBEDTLS_CONFIG_FILE', '-DMBEDTLS_CONFIG_FILE="measure/tls/config.h"'];
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

/** Of a TLS or DTLS client's calls, against a server that is not ours: that also shows that the client is one. */
export async function peerCosts(name, defines) {
  const folder = join(OUT, `peer-cost-${fileName(name)}`);
  const parts = peerParts('tls-cost');
  parts.program.sources.push(join(MEASURE, 'cost.c'), join(MEASURE, 'tls-cost/frames.c'));
  const objects = await compileParts(BOARD, parts, withArena(defines));
  await linkImage(BOARD, Object.values(objects).flat(), folder);
  const withServer = defines.includes('PEER_TLS13=1') ? withTlsServer : withDtlsServer;
  return costsIn(await withServer((address) => emulate(join(folder, 'image.elf'), `tcp:${address}`)));
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

const HEADERS = 'csrc/include/hawser';

/**
 * Every public struct and union by name: { NAME: { BUILD: bytes } }. They are compiled, not asked. devices: of each build its defines;
 * beside them there is the core as it comes, with the gateway's half, which no device has.
 */
export function structSizes(devices) {
  const all = readdirSync(HEADERS);
  const own = all.filter((name) => name !== 'gateway.h');
  const measured = ['-Ifirmware', '-DHAWSER_CONFIG_FILE="hawser_config.h"'];
  const builds = devices.map(({ name, defines }) => [
    name,
    own,
    [...measured, ...defines.split(' ').map((each) => `-D${each}`)],
  ]);
  const sizes = {};
  for (const [build, headers, flags] of [...builds, ['default configuration', all, ['-DHAWSER_GATEWAY=1']]])
    for (const [name, bytes] of Object.entries(sizesIn(headers, flags)))
      sizes[name] = { ...sizes[name], [build]: bytes };
  return sizes;
}

function sizesIn(headers, flags) {
  const types = headers.flatMap((name) => publicTypes(readFileSync(join(HEADERS, name), 'utf8')));
  const include = headers.map((name) => `#include "hawser/${name}"`);
  const arrays = types.map(({ name, type }) => `char ${name}_[sizeof(${type})];`);
  const object = join(OUT, 'structs.o');
  mkdirSync(OUT, { recursive: true });
  const args = [...target, '-Icsrc/include', ...flags, '-xc', '-c', '-', '-o', object];
  execFileSync(compiler, args, { input: [...include, ...arrays, ''].join('\n') });
  const symbols = execFileSync(tool('nm'), ['-S', object], { encoding: 'utf8' });
  const sizes = [...symbols.matchAll(/^\S+ (\S+) B (\w+)_$/gm)].map(([, bytes, name]) => [name, parseInt(bytes, 16)]);
  if (sizes.length !== types.length) throw new Error(`${types.length} structs, ${sizes.length} sizes`);
  return Object.fromEntries(sizes);
}

/**
 * The structs and unions that a header defines, but for those within others: { name, type }, the type as C calls it.
 * @throws for one that nobody could name
 */
export function publicTypes(header) {
  const code = header.replace(/\/\*[^]*?\*\/|\/\/.*|^ *#(?:.*\\\n)*.*|extern "C" \{/gm, '');
  const types = [];
  let depth = 0;
  let open;
  for (const match of code.matchAll(/\b(struct|union)\s*(\w*)\s*\{|[{}]/g)) {
    const [text, kind, tag] = match;
    if (kind && depth === 0) open = { kind, tag };
    depth = Math.max(0, depth + (text === '}' ? -1 : 1)); // that of extern "C" is one too many
    if (depth > 0 || !open) continue;
    const [, after] = /^\s*(\w*)/.exec(code.slice(match.index + 1));
    if (!open.tag && !after) throw new Error(`a ${open.kind} without a name`);
    types.push({ name: open.tag || after, type: open.tag ? `${open.kind} ${open.tag}` : after });
    open = undefined;
  }
  return types;
}
