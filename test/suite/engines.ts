/**
 * The table of engines and transports. A new one joins by one line here and is then run in both roles against every
 * other. An engine that cannot be loaded is a failure that says so; HAWSER_TEST_ENGINES=js,native-openssl runs a
 * subset, and the run says that it did.
 */

import { Mode, Suite, Transport, type Engine } from '../../lib/engine.js';

/** P-256 in JS, thousands of times, on a busy machine. */
const TIMEOUT_MS = 120_000;

interface EngineRow {
  readonly name: string;
  readonly load: () => Promise<Engine>;
}

const table: readonly EngineRow[] = [
  { name: 'native-openssl', load: () => native('openssl') },
  { name: 'native-mbedtls', load: () => native('mbedtls') },
  { name: 'js', load: async () => (await import('../../lib/engine/js/index.js')).createJsEngine() },
];

export const transports = [
  { name: 'stream', code: Transport.Stream },
  { name: 'serial', code: Transport.Serial },
] as const;

/** Every mode with every suite it has. */
export const variants = [
  { name: 'keys/25519', mode: Mode.Keys, suite: Suite.X25519 },
  { name: 'keys/P256', mode: Mode.Keys, suite: Suite.P256 },
  { name: 'keys+psk/25519', mode: Mode.KeysPsk, suite: Suite.X25519 },
  { name: 'keys+psk/P256', mode: Mode.KeysPsk, suite: Suite.P256 },
  { name: 'psk/25519', mode: Mode.Psk, suite: Suite.X25519 },
  { name: 'psk/P256', mode: Mode.Psk, suite: Suite.P256 },
  { name: 'ticket', mode: Mode.Ticket, suite: Suite.None },
] as const;
export type Variant = (typeof variants)[number];
export const fullVariants = variants.filter((variant) => variant.mode !== Mode.Ticket);

/** Resolved late, so that a test that needs no native engine runs where there is none. */
async function native(port: 'openssl' | 'mbedtls'): Promise<Engine> {
  const module = await import('../../lib/engine/native.js');
  return module.createNativeEngine(port);
}

function chosen(): readonly EngineRow[] {
  const names = process.env.HAWSER_TEST_ENGINES?.split(',').filter((name) => name !== '');
  if (names === undefined || names.length === 0) return table;
  const unknown = names.filter((name) => !table.some((row) => row.name === name));
  if (unknown.length > 0) throw new Error(`HAWSER_TEST_ENGINES names no such engine: ${unknown.join(', ')}`);
  return table.filter((row) => names.includes(row.name));
}

export const engineRows = chosen();

if (engineRows.length < table.length)
  console.log(`HAWSER_TEST_ENGINES: only ${engineRows.map((row) => row.name).join(', ')} of ${table.length} engines`);

const loaded = new Map<string, Promise<Engine>>();

/** The engine of that name; rejects with what is missing and how to go on without it. */
export function engineNamed(name: string): Promise<Engine> {
  const row = table.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`no engine is called ${name}`);
  let engine = loaded.get(name);
  if (engine === undefined) {
    engine = loadRow(row);
    loaded.set(name, engine);
  }
  return engine;
}

export async function loadRow(row: EngineRow): Promise<Engine> {
  let engine: Engine;
  try {
    engine = await row.load();
  } catch (cause) {
    const others = table.filter((other) => other.name !== row.name).map((other) => other.name);
    const advice = `build it, or run a subset with HAWSER_TEST_ENGINES=${others.join(',')}`;
    throw new Error(`engine ${row.name} cannot be loaded (${String(cause)}): ${advice}`, { cause });
  }
  if (engine.name !== row.name) throw new Error(`engine ${row.name} calls itself ${engine.name}`);
  return engine;
}

/** Both ends of a test: which engine is the device, which the gateway. */
export interface EnginePair {
  readonly name: string;
  readonly device: Engine;
  readonly gateway: Engine;
}

/** Runs `body` once per engine; the engine is there when tests and hooks run, not while they are declared. */
export function forEachEngine(title: string, body: (engine: () => Engine, name: string) => void): void {
  for (const row of engineRows) {
    describe(`${title} [${row.name}]`, function () {
      this.timeout(TIMEOUT_MS);
      let engine: Engine | undefined;
      before(async () => {
        engine = await engineNamed(row.name);
      });
      body(() => need(engine), row.name);
    });
  }
}

/** Runs `body` once per ordered pair of engines, so that each is on either side of each. */
export function forEachPair(title: string, body: (pair: EnginePair) => void): void {
  for (const device of engineRows)
    for (const gateway of engineRows) {
      const name = `${device.name} > ${gateway.name}`;
      describe(`${title} [${name}]`, function () {
        this.timeout(TIMEOUT_MS);
        const held: { device?: Engine; gateway?: Engine } = {};
        before(async () => {
          held.device = await engineNamed(device.name);
          held.gateway = await engineNamed(gateway.name);
        });
        body({
          name,
          get device() {
            return need(held.device);
          },
          get gateway() {
            return need(held.gateway);
          },
        });
      });
    }
}

function need(engine: Engine | undefined): Engine {
  if (engine === undefined) throw new Error('the engine is used before its hook has run');
  return engine;
}
