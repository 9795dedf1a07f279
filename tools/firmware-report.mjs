// npm run firmware:report: what hawser costs a Cortex-M4, beside the smallest clients of mbedTLS that do the same, held to the
// budgets of firmware/measure/budgets.json.
//
//   npm run firmware:report [-- --json] [-- --write] [-- --short] [-- --tighten]
//
// --write: also writes bench/FIRMWARE.md. --short: what `npm test` has time for, the builds that have a goal, without peers.
// --tighten: lowers budgets to what was reached, and adds those that are missing. Fails where a figure is above its budget or has none.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { overBudget, tighten } from './firmware-budgets.mjs';
import { builds, fetchSources, needTools } from './firmware-build.mjs';
import {
  compilerVersion,
  deviceCosts,
  deviceSize,
  imageSize,
  peerCosts,
  peerSize,
  structSizes,
} from './firmware-measure.mjs';

const BUDGETS = 'firmware/measure/budgets.json';
const SMALL = 'HAWSER_SERIAL_LINES=0 HAWSER_SAVE=0';
const MESSAGES = `${SMALL} HAWSER_STREAMS=0`;
const TICKET = 'HAWSER_MODE_KEYS=0 HAWSER_MODE_PSK=0 HAWSER_MODE_TICKET=1';
const RAW = 'HAWSER_PSA_RAW_SECRETS=1';
const P256 = 'HAWSER_SUITE_P256=1 HAWSER_SUITE_25519=0 FIRMWARE_P256=1';
const KEYS = 'HAWSER_MODE_KEYS=1 HAWSER_MODE_PSK=0 HAWSER_MODE_TICKET=0';
const PSK = 'HAWSER_MODE_KEYS=0 HAWSER_MODE_PSK=1 HAWSER_MODE_TICKET=0';

const TLS = 'TLS 1.3, PSK';
const TLS_P256 = 'TLS 1.3, PSK + ECDHE P-256';
const TLS_25519 = 'TLS 1.3, PSK + ECDHE X25519';
const DTLS = 'DTLS 1.2, CID, PSK';

/**
 * peers: the first is the one that is like it; where that agrees on no keys and the device does, another for its full handshake.
 * quick: in the short form as well. structs: those are measured too. oneFile: the core is compiled from csrc/hawser.c.
 */
const devices = [
  { name: 'ticket, messages', defines: `${TICKET} ${RAW} ${MESSAGES}`, peers: [DTLS], quick: true },
  {
    name: 'keys P-256, messages',
    defines: `${KEYS} ${P256} ${MESSAGES}`,
    peers: [DTLS, TLS_P256],
    quick: true,
    structs: true,
  },
  { name: 'ticket, streams', defines: `${TICKET} ${RAW} ${SMALL}`, peers: [TLS], quick: true },
  { name: 'keys P-256, streams', defines: `${KEYS} ${P256} ${SMALL}`, peers: [TLS_P256], quick: true, structs: true },
  { name: 'psk P-256, streams', defines: `${PSK} ${RAW} ${P256} ${SMALL}`, peers: [TLS_P256] },
  { name: 'ticket in PSA, streams', defines: `${TICKET} FIRMWARE_TICKET=1 ${SMALL}`, peers: [TLS] },
  {
    name: 'ticket, streams, larger SHA-256',
    defines: `${TICKET} ${RAW} ${SMALL} FIRMWARE_LARGER_SHA256=1`,
    peers: [TLS],
  },
  {
    name: 'keys P-256, messages, one file',
    defines: `${KEYS} ${P256} ${MESSAGES}`,
    peers: [DTLS, TLS_P256],
    oneFile: true,
  },
  { name: 'keys P-256, streams, one file', defines: `${KEYS} ${P256} ${SMALL}`, peers: [TLS_P256], oneFile: true },
  {
    name: 'keys 25519, streams',
    defines: `${KEYS} HAWSER_SUITE_P256=0 HAWSER_SUITE_25519=1 FIRMWARE_25519=1 ${SMALL}`,
    peers: [TLS_25519],
  },
];
/** The arena: what a run needs, and a twentieth or so. */
const peers = [
  { name: TLS, defines: 'PEER_TLS13=1 PEER_ECDHE=0 MEMORY_ARENA=2752' },
  { name: TLS_P256, defines: 'PEER_TLS13=1 PEER_ECDHE=256 MEMORY_ARENA=2880' },
  { name: TLS_25519, defines: 'PEER_TLS13=1 PEER_ECDHE=25519 MEMORY_ARENA=4864' },
  { name: DTLS, defines: 'PEER_TLS13=0 PEER_ECDHE=0 MEMORY_ARENA=2368' },
];
/** What a peer does in place of a device's operation, where the names differ. */
const alike = { 'first connection': 'full handshake', 'resumption to a NEW session': 'resumption' };
/** What counts: all that a device cannot do without, wherever it runs. */
const counted = ['core', 'port', 'mbedtls', 'arena', 'libc', 'crt0', 'alignment', 'optimised'];
const costHead = ['device', 'operation', 'instructions', 'peak stack'];
const order = [...counted.slice(0, -1), 'program', 'app', 'random', 'flash', 'board'];

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    write: { type: 'boolean' },
    short: { type: 'boolean' },
    tighten: { type: 'boolean' },
  },
});
if (values.short && (values.tighten || values.write)) throw new Error('--short measures too little for that');
needTools(['an386']);
fetchSources();
const report = await measureAll();
const figures = figuresOf(report);
const stored = JSON.parse(readFileSync(BUDGETS, 'utf8'));
const budgets = values.tighten ? tighten(stored, figures) : stored;
if (values.tighten) writeFileSync(BUDGETS, JSON.stringify(budgets, null, 2) + '\n');
const failures = overBudget(figures, budgets, !values.short);
if (values.json) console.log(JSON.stringify({ version: 2, ...report, figures: withBudgets() }, shortPieces, 2));
else console.log(text());
if (values.write) writeFileSync('bench/FIRMWARE.md', page());
for (const failure of failures) console.error(failure);
if (values.short && !values.json)
  console.log(`${Object.keys(figures).length - failures.length} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;

// ---- Measuring --------------------------------------------------------------------------------------------------------

async function measureAll() {
  const all = { devices: [], peers: [], images: [], structs: structSizes(devices.filter(({ structs }) => structs)) };
  for (const { name, defines, peers: own, oneFile } of devices.filter(({ quick }) => quick || !values.short)) {
    const size = await deviceSize(name, defines, !values.short, oneFile);
    all.devices.push({ name, peers: own, defines, ...size, costs: await deviceCosts(name, defines, oneFile) });
  }
  if (values.short) return all;
  for (const { name, defines } of peers) {
    const costs = await peerCosts(name, defines);
    all.peers.push({ name, defines, ...(await peerSize(name, defines, true)), costs });
  }
  for (const name of Object.keys(builds)) all.images.push({ name, ...(await imageSize(name)) });
  return all;
}

function sumOf(parts) {
  return counted.reduce((sum, part) => sum + (parts[part] ?? 0), 0);
}

/** All that has a budget, by name. */
function figuresOf({ devices, structs }) {
  const all = {};
  for (const { name, flash, memory, lto, costs } of devices) {
    all[`flash: ${name}`] = sumOf(flash);
    all[`flash of the core: ${name}`] = flash.core;
    if (lto) all[`flash with -flto: ${name}`] = sumOf(lto);
    all[`static RAM of port, mbedTLS and arena: ${name}`] = ['core', 'port', 'mbedtls', 'arena', 'libc'].reduce(
      (sum, part) => sum + (memory[part] ?? 0),
      0,
    );
    for (const [operation, { instructions, stack }] of Object.entries(costs)) {
      all[`instructions of a ${operation}: ${name}`] = instructions;
      all[`stack of a ${operation}: ${name}`] = stack;
    }
  }
  for (const [name, sizes] of Object.entries(structs))
    for (const [build, bytes] of Object.entries(sizes)) all[`sizeof ${name}: ${build}`] = bytes;
  return all;
}

// ---- Budgets ----------------------------------------------------------------------------------------------------------

/** Of the pieces of an image the largest will do. */
function shortPieces(key, value) {
  return key === 'pieces' ? value.slice(0, 24) : value;
}

function withBudgets() {
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, { figure, ...budgets[name] }]));
}

// ---- Text -------------------------------------------------------------------------------------------------------------

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/** 12 345 678 */
function number(n) {
  return n === undefined ? '' : String(n).replace(/\B(?=(\d{3})+$)/g, ' ');
}

function flashTable(rows) {
  const used = order.filter((part) => rows.some(({ flash }) => flash[part]));
  const head = ['bytes of flash', 'counted', ...(rows[0].lto ? ['counted, -flto'] : []), ...used];
  return table(
    head,
    rows.map(({ name, flash, lto }) => [
      name,
      number(sumOf(flash)),
      ...(lto ? [number(sumOf(lto))] : []),
      ...used.map((part) => number(flash[part])),
    ]),
  );
}

function memoryTable(rows) {
  const used = order.filter((part) => rows.some(({ memory }) => memory[part]));
  return table(
    ['bytes of static RAM', ...used],
    rows.map(({ name, memory }) => [name, ...used.map((part) => number(memory[part]))]),
  );
}

function peerTable() {
  const ratio = (a, b) => (sumOf(a) / sumOf(b)).toFixed(2);
  const rows = report.devices.flatMap(({ name, peers: own, flash, lto }) =>
    own
      .map(peerOf)
      .map((peer) => [
        name,
        number(sumOf(flash)),
        peer.name,
        number(sumOf(peer.flash)),
        ratio(flash, peer.flash),
        ratio(lto, peer.lto),
      ]),
  );
  return table(['device', 'bytes', 'peer', 'bytes', 'ratio', 'ratio, -flto'], rows);
}

function peerOf(name) {
  return report.peers.find((each) => each.name === name);
}

function costRow(name, operation, { instructions, stack }) {
  return [name, operation, number(instructions), number(stack)];
}

/** Each operation of a device beside that of its peer, if those were measured. */
function costTable() {
  const rows = report.devices.flatMap(({ name, peers: own, costs }) =>
    Object.entries(costs).map(([operation, cost]) => {
      const row = costRow(name, operation, cost);
      if (values.short) return row;
      const peer = operation === 'full handshake' ? own.at(-1) : own[0];
      const other = alike[operation] ?? operation;
      const its = peerOf(peer).costs[other];
      const ratio = (what) => (cost[what] / its[what]).toFixed(2);
      return [...row, `${peer}: ${other}`, ratio('instructions'), ratio('stack')];
    }),
  );
  return table([...costHead, ...(values.short ? [] : ['peer', 'instructions', 'peak stack'])], rows);
}

function peerCostTable() {
  const rows = report.peers.flatMap(({ name, costs }) =>
    Object.entries(costs).map(([operation, cost]) => costRow(name, operation, cost)),
  );
  return table(costHead, rows);
}

function goalTable() {
  const rows = Object.entries(figures)
    .filter(([name]) => budgets[name]?.goal !== undefined)
    .map(([name, figure]) => {
      const { goal, budget } = budgets[name];
      return [name, number(goal), number(figure), number(budget), figure <= goal ? 'reached' : 'missed'];
    });
  return table(['what', 'goal', 'reached', 'budget', ''], rows);
}

function structTable() {
  const used = [...new Set(Object.values(report.structs).flatMap(Object.keys))];
  const rows = Object.entries(report.structs).map(([name, sizes]) => [
    name,
    ...used.map((build) => number(sizes[build])),
  ]);
  return table(['struct', ...used], rows);
}

function pieceTable({ pieces }) {
  const rows = pieces
    .filter(({ part }) => counted.includes(part))
    .slice(0, 24)
    .map(({ part, name, bytes }) => [name.replace(/^\.(text|rodata|data)\./, ''), part, number(bytes)]);
  return table(['function or table', 'of', 'bytes'], rows);
}

function sections() {
  const parts = [
    ['Goals and budgets', goalTable()],
    ['Flash by component', flashTable(report.devices)],
  ];
  if (!values.short) {
    parts.push(['Flash of the peers', flashTable(report.peers)], ['Ratios of flash', peerTable()]);
    parts.push(['Images of the firmware, with all that they do', flashTable(report.images)]);
  }
  parts.push(['Static RAM, without the stack', memoryTable([...report.devices, ...report.peers])]);
  parts.push([`Instructions and stack${values.short ? '' : ', and their ratios to those of a peer'}`, costTable()]);
  if (!values.short) parts.push(['Instructions and stack of the peers', peerCostTable()]);
  parts.push(['Public structs', structTable()]);
  const largest = report.devices.find(({ name }) => name === 'keys P-256, streams');
  parts.push([`Where the bytes are: the largest pieces of "${largest.name}"`, pieceTable(largest)]);
  return parts;
}

function text() {
  return sections()
    .map(([title, body]) => `## ${title}\n\n${body}\n`)
    .join('\n');
}

function page() {
  return `# Firmware

Written by \`npm run firmware:report -- --write\`: arm-none-eabi-gcc ${compilerVersion()}, \`-Os\`, Cortex-M4, mbedTLS 3.6.6; instructions and stack are counted by
qemu on an emulated board, and a device's are the same in each run. [README.md](README.md) says what is counted, and where the bytes of a missed goal are.

${text()}`;
}
