/**
 * npm run bench -- [--json] [--write] [--quick] [--only engines|sockets|tunnel]
 *
 * Everything in one run and side by side; each figure is the median of rounds that took turns with those of its peers.
 * --json prints one document; --write also puts the tables into bench/RESULTS.md; --quick shows only that all of it works.
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import type { Engine } from '../lib/engine.js';
import { createJsEngine } from '../lib/engine/js/index.js';
import { createNativeEngine } from '../lib/engine/native.js';
import { efforts, type Effort } from './effort.js';
import { handshakes, modes, nodeCrypto, records, resumptions, suiteNames } from './engines.js';
import { measure, type Contender, type Row } from './measure.js';
import { endAll } from './processes.js';
import { sockets } from './sockets.js';
import { headline, table, title } from './tables.js';
import { tunnel } from './tunnel.js';

const sections = ['engines', 'sockets', 'tunnel'] as const;
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
  },
});
const wanted: readonly string[] = values.only ?? sections;
const unknown = wanted.find((name) => !sections.some((section) => section === name));
if (unknown !== undefined) throw new Error(`--only ${unknown}: there are ${sections.join(', ')}`);

const machine = {
  cpu: cpus()[0]?.model ?? '',
  cores: cpus().length,
  os: `${platform()} ${arch()}`,
  node: process.version,
};
const missing: string[] = [];
const rows: Row[] = [];

function tell(row: Row): void {
  if (!values.json) {
    if (rows.at(-1)?.section !== row.section) console.log(`\n${title(row)}`);
    console.log(headline(row));
  }
  rows.push(row);
}

function availableEngines(): Engine[] {
  const makers = {
    'native-openssl': () => createNativeEngine('openssl'),
    'native-mbedtls': () => createNativeEngine('mbedtls'),
  };
  const engines: Engine[] = [];
  for (const [name, make] of Object.entries(makers)) {
    try {
      engines.push(make());
    } catch {
      missing.push(name);
    }
  }
  return [...engines, createJsEngine()];
}

async function benchEngines(effort: Effort): Promise<void> {
  const engines = availableEngines();
  const peer = engines[0]?.name ?? 'js';
  const each = (make: (engine: Engine) => () => number): Contender[] =>
    engines.map((engine) => ({ name: engine.name, round: make(engine) }));
  for (const [name, mode, suite] of modes) {
    if (name === 'ticket') continue;
    const row = {
      section: 'full handshakes, both ends in one thread',
      what: `${name}, ${suiteNames[suite]}`,
      unit: '/s',
      peer,
    };
    tell(
      await measure(
        row,
        each((engine) => handshakes(engine, mode, suite, effort.ms / 4)),
        effort,
      ),
    );
  }
  for (const [name, mode, suite] of modes) {
    const row = {
      section: 'resumptions, both ends in one thread',
      what: `${name}, ${suiteNames[suite]}`,
      unit: '/s',
      peer,
    };
    tell(
      await measure(
        row,
        each((engine) => resumptions(engine, mode, suite, effort.ms / 4)),
        effort,
      ),
    );
  }
  for (const [name, bytes] of [
    ['64 B', 64],
    ['1 KiB', 1024],
    ['16 KiB', 16383],
  ] as const) {
    const contenders = each((engine) => records(engine, bytes, effort.ms / 4));
    contenders.push({ name: 'node:crypto', round: nodeCrypto(bytes, effort.ms / 4) });
    const options = {
      section: 'records, sealed and opened in one thread',
      what: name,
      unit: '/s',
      peer: 'node:crypto',
    };
    const row = await measure(options, contenders, effort);
    tell(row);
    const scaled = row.results.map((result) => ({ ...result, ...inGigabytes(result, bytes) }));
    tell({ ...row, what: `${name}, as volume`, unit: 'GB/s', results: scaled });
  }
}

function inGigabytes(
  result: { median: number; least: number; most: number },
  bytes: number,
): { median: number; least: number; most: number } {
  const scale = bytes / 1e9;
  return { median: result.median * scale, least: result.least * scale, most: result.most * scale };
}

/** The package as it is now, and the processes that use it as a package. */
function compile(): void {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  for (const project of ['../tsconfig.json', 'tsconfig.json']) {
    const file = fileURLToPath(new URL(project, import.meta.url));
    execFileSync(process.execPath, [tsc, '-p', file], { stdio: ['ignore', 'inherit', 'inherit'] });
  }
}

try {
  compile();
  const effort = efforts[values.quick ? 'quick' : 'normal'];
  if (wanted.includes('engines')) await benchEngines(effort);
  if (wanted.includes('sockets')) await sockets(effort, tell);
  if (wanted.includes('tunnel')) missing.push(...(await tunnel(effort, tell)));
  const goals = rows.filter(({ goal }) => goal !== undefined);
  if (values.json) console.log(JSON.stringify({ version: 1, machine, missing, rows }, null, 2));
  else {
    console.log(`\nnot installed, so not measured: ${missing.join(', ') || 'nothing'}`);
    console.log(`goals: ${goals.filter(({ goal }) => goal?.met).length} of ${goals.length} met`);
  }
  if (values.write) writeFileSync(new URL('RESULTS.md', import.meta.url), table(rows, machine, missing));
} finally {
  endAll();
}
setTimeout(() => process.exit(), 500).unref();
