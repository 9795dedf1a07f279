/**
 * Writes the section "Worked examples" of docs/SPEC.md: fixed keys and randomness, every intermediate value in hex,
 * from the reference of test/suite (node:crypto and the text of the spec), and checked on the way against the JS
 * engine given the same randomness.
 *
 *   npm run spec:examples            rewrites the section
 *   npm run spec:examples -- --check exits with 1 where it would change
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Mode, Suite, Transport, type DeviceCore, type Engine } from '../lib/engine.js';
import { createJsEngine } from '../lib/engine/js/index.js';
import { concat, hex, utf8 } from '../test/suite/bytes.js';
import { makePairing, makeSetup, type Credentials, type Setup } from '../test/suite/credentials.js';
import * as ref from '../test/suite/reference.js';

const file = join(dirname(fileURLToPath(import.meta.url)), '../docs/SPEC.md');
const BEGIN = '<!-- examples:begin -->';
const END = '<!-- examples:end -->';

/** 32 bytes n, n + 1, n + 2, ...: recognisable, and valid as keys of either suite. */
const bytes = (from: number, length = 32): Uint8Array => Uint8Array.from({ length }, (_, at) => (from + at) & 255);

/** Lines `name = hex`, long values wrapped. */
class Table {
  private readonly lines: string[] = [];

  readonly log = (name: string, value: Uint8Array): void => {
    const digits = value.length === 0 ? '(empty)' : hex(value);
    const [first = '', ...rest] = digits.match(/.{1,96}/g) ?? [];
    this.lines.push(`${name.padEnd(18)} ${first}`, ...rest.map((more) => ' '.repeat(19) + more));
  };

  text(): string {
    return ['```', ...this.lines, '```'].join('\n');
  }
}

function secretsOf(suite: Suite): Credentials {
  const none = new Uint8Array(0);
  const [device, gateway] = [bytes(0x10), bytes(0x30)];
  const keyed = suite !== Suite.None;
  return {
    devicePrivate: device,
    gatewayPrivate: gateway,
    psk: bytes(0x50),
    b0: bytes(0x70),
    devicePublic: keyed ? ref.publicOf(suite, device) : none,
    gatewayPublic: keyed ? ref.publicOf(suite, gateway) : none,
  };
}

const setupOf = (mode: Mode, suite: Suite): Setup =>
  makeSetup({ mode, suite }, { id: utf8('meter-07'), gatewayId: utf8('gateway-1') });

/** An engine whose random source gives these runs of bytes, one a call, and fails behind the last. */
function engineWith(...draws: Uint8Array[]): Engine {
  const left = [...draws];
  const random = (length: number): Uint8Array => {
    const next = left.shift();
    if (next?.length !== length) throw new Error(`the example has no ${length} random bytes here`);
    return next;
  };
  return createJsEngine({ keylog: true }, { random });
}

function same(what: string, engine: Uint8Array | undefined, reference: Uint8Array): void {
  if (engine === undefined || hex(engine) !== hex(reference))
    throw new Error(`${what}: the engine has ${engine && hex(engine)}, the reference ${hex(reference)}`);
}

/** A device that sends message 1, takes message 2, stores, and sends its first record. */
function deviceRun(engine: Engine, setup: Setup, secrets: Credentials, open?: { upstream: string; early: Uint8Array }) {
  const core = engine.device(makePairing(engine, 'device', setup, secrets));
  core.boot();
  const stream = open && core.open(open.upstream, 0);
  core.connect(
    Transport.Stream,
    0,
    stream === undefined || open === undefined
      ? undefined
      : { stream, data: open.early, fin: false, idempotent: false },
  );
  return { core, message1: core.send(0) };
}

function firstRecord(core: DeviceCore, message2: Uint8Array): Uint8Array | undefined {
  const events = core.receive(message2, 0);
  if (events[0]?.type !== 'store') throw new Error(`message 2 was not taken: ${events.map(({ type }) => type).join()}`);
  core.stored(true);
  core.timeout(0);
  return core.send(0);
}

function full(title: string, mode: Mode, suite: Suite): string {
  const setup = setupOf(mode, suite);
  const secrets = secretsOf(suite);
  const keyed = mode !== Mode.Psk;
  const [e, re] = [bytes(0x90), bytes(0xb0)];
  const table = new Table();
  const { log } = table;
  log('id_device', setup.id);
  log('id_gateway', setup.gatewayId);
  const gates = keyed ? pairingValues(setup, secrets, log) : undefined;
  if (!keyed) log('psk', secrets.psk);
  log('e, device', e);
  log('e, gateway', re);
  const prologue = concat(ref.ident(setup), Uint8Array.of(ref.fullType(setup)));
  const keysOf = (own: Uint8Array, peer: Uint8Array, ephemeral: Uint8Array): ref.NoiseKeys => ({
    ephemeral,
    ...(keyed ? { own, peer } : { psk: secrets.psk }),
  });
  const device = new ref.Noise(setup, keysOf(secrets.devicePrivate, secrets.gatewayPublic, e), true, prologue, log);
  const gateway = new ref.Noise(setup, keysOf(secrets.gatewayPrivate, secrets.devicePublic, re), false, prologue);
  const m1 = ref.full1(setup, device, gates?.d2g);
  log('message 1', m1);
  gateway.read(1, m1.slice(1 + setup.id.length, keyed ? -8 : undefined));
  const body = concat(Uint8Array.of(0x17), gateway.write(2, ref.NONE));
  const m2 = gates ? concat(body, ref.gateMac(gates.g2d, body)) : body;
  log('message 2', m2);
  device.read(2, m2.slice(1, keyed ? -8 : undefined));
  const keys = device.finish();
  const state = concat(Uint8Array.of(0x01), new Uint8Array(8));
  const record = ref.record(keys.d2g, 0, state);
  log('plaintext', state);
  log('first record', record);
  const status = ref.record(keys.g2d, 0, Uint8Array.of(0x02, 0));
  log('STATUS 0, record', status);
  const run = deviceRun(engineWith(e), setup, secrets);
  same('message 1', run.message1, ref.framed(m1));
  same('first record', firstRecord(run.core, ref.framed(m2)), record);
  return `### ${title}\n\n${table.text()}`;
}

function pairingValues(setup: Setup, secrets: Credentials, log: ref.Log): { d2g: Uint8Array; g2d: Uint8Array } {
  log('device private', secrets.devicePrivate);
  log('device public', secrets.devicePublic);
  log('gateway private', secrets.gatewayPrivate);
  log('gateway public', secrets.gatewayPublic);
  const ss = ref.agree(setup.suite, secrets.devicePrivate, secrets.gatewayPublic);
  log('ss', ss);
  const gates = { d2g: ref.gateKey(1, ss, undefined, setup), g2d: ref.gateKey(2, ss, undefined, setup) };
  log('gate(1)', gates.d2g);
  log('gate(2)', gates.g2d);
  return gates;
}

function resumption(): string {
  const setup = setupOf(Mode.Ticket, Suite.None);
  const secrets = secretsOf(Suite.None);
  const [rnd, ng] = [bytes(0xd0, 16), bytes(0xe0, 16)];
  const early = utf8('21.5 C');
  const table = new Table();
  const { log } = table;
  log('B_0', secrets.b0);
  const chain = ref.chainId(secrets.b0);
  log('chain', chain);
  const { r, ticket } = ref.position(secrets.b0, 0, 0, log);
  ref.position(secrets.b0, 0, 1, (name, value) => (name.startsWith('R_{0,0}') ? undefined : log(name, value)));
  log('B_1', ref.prf(secrets.b0, 'block'));
  log('ident', ref.ident(setup));
  const h0 = ref.h0(setup, chain, 0, 0);
  log('h0', h0);
  log('rnd', rnd);
  const open = concat(Uint8Array.of(0x03, 0, 0), ref.uint(1, 4), Uint8Array.of(0, 4), utf8('mqtt'));
  const data = concat(Uint8Array.of(0x06, 0, 0), early);
  log('OPEN', open);
  log('DATA', data);
  const pay1 = concat(Uint8Array.of(1), new Uint8Array(8), open, data);
  const { m1, h1 } = ref.resume1({ h0, r, ticket, rnd, pay1 }, log);
  const answer = ref.resume2(r, h1, Transport.Stream, ng, Uint8Array.of(1), log);
  const first = ref.record(answer.d2g, 0, ref.NONE);
  log('first record', first);
  const ack = ref.record(answer.g2d, 0, concat(Uint8Array.of(0x08, 0, 0), ref.uint(early.length, 6)));
  log('ACK 6, record', ack);
  const run = deviceRun(engineWith(rnd), setup, secrets, { upstream: 'mqtt', early });
  same('message 1', run.message1, ref.framed(m1));
  same('first record', firstRecord(run.core, ref.framed(answer.m2)), first);
  const acked = run.core.receive(ack, 0).some((event) => event.type === 'acked' && event.offset === early.length);
  if (!acked) throw new Error('the engine does not read the ACK of the example');
  return `### Resumption at (0, 0) in mode ticket, stream transport, with early data, verdict TAKEN\n\n${table.text()}`;
}

function rekey(): string {
  const table = new Table();
  table.log('k_0', bytes(0x01));
  table.log('k_1', ref.recordKey(bytes(0x01), 1));
  table.log('k_2', ref.recordKey(bytes(0x01), 2));
  table.log('record 2^20 - 1', ref.record(bytes(0x01), 2 ** 20 - 1, utf8('a')));
  table.log('record 2^20', ref.record(bytes(0x01), 2 ** 20, utf8('a')));
  return `### Records around a change of key\n\n${table.text()}`;
}

/** The section between its markers. */
export function examples(): string {
  return [
    'Messages are shown without the length field of the stream transport, records with their header. Private keys and random bytes count up from their first byte.',
    full('Full handshake, mode keys, 25519', Mode.Keys, Suite.X25519),
    full('Full handshake, mode psk, P256', Mode.Psk, Suite.P256),
    resumption(),
    rekey(),
  ].join('\n\n');
}

/** docs/SPEC.md with the section as it is now, and as it has to be. */
export function specTexts(): { now: string; wanted: string } {
  const now = readFileSync(file, 'utf8');
  const [begin, end] = [now.indexOf(BEGIN), now.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('docs/SPEC.md has no markers for the examples');
  return { now, wanted: `${now.slice(0, begin + BEGIN.length)}\n\n${examples()}\n\n${now.slice(end)}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { now, wanted } = specTexts();
  if (process.argv.includes('--check')) process.exitCode = now === wanted ? 0 : 1;
  else if (now !== wanted) writeFileSync(file, wanted);
}
