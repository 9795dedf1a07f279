/**
 * npm run wire: the exact bytes that hawser puts on a stream transport, measured by running an engine (HAWSER_ENGINE, else
 * the best that loads), beside the published figures of others.
 */

import { pathToFileURL } from 'node:url';
import { Kind, Mode, Suite, Transport, Verdict } from '../lib/engine.js';
import type { AcceptCore, Chain, CorePairing, DeviceCore, Engine, GatewayCore } from '../lib/engine.js';
import { selectEngine } from '../lib/engine/select.js';
import { createPairing } from '../lib/pairing.js';
import type { GatewayIdentity } from '../lib/types.js';

export interface WireRow {
  what: string;
  /** Bytes on the wire with length fields. `there`: device to gateway. */
  there?: number;
  back?: number;
  total: number;
  /** What it must not exceed. */
  goal?: number;
  /** Best known elsewhere (docs/DESIGN.md, "Numbers to beat"). */
  others?: string;
}

const DEVICE_ID = Buffer.from('device-1'); // 8 bytes
const NOTHING = new Uint8Array(0);

/** Both ends of one pairing as an engine wants them. */
interface Ends {
  device: CorePairing;
  gateway: CorePairing;
  /** Mode `ticket`: where resumption starts. */
  chain: Chain | undefined;
}

function identityOf(engine: Engine): GatewayIdentity {
  const [x25519, p256] = [engine.generateKey(Suite.X25519), engine.generateKey(Suite.P256)];
  return { id: Buffer.from('gateway1'), x25519, p256, sealingKey: engine.random(32) };
}

function pairingOf(engine: Engine, mode: Mode, suite: Suite): Ends {
  const identity = identityOf(engine);
  const { device, gateway } = createPairing(engine, identity, { mode, suite, id: DEVICE_ID, upstreams: ['mqtt'] });
  const { recordMax, windowDevice, windowGateway, maxSteps, maxBlocks, ss, gateD2g, gateG2d } = device;
  const terms = {
    mode,
    suite,
    id: device.id,
    gatewayId: device.gatewayId,
    recordMax,
    windowDevice,
    windowGateway,
    maxSteps,
    maxBlocks,
  };
  const shared = {
    ...(ss && { ss, gateD2g: gateD2g!, gateG2d: gateG2d! }),
    ...(device.psk && { psk: engine.importSecret(device.psk) }),
  };
  const keys = suite === Suite.P256 ? identity.p256 : identity.x25519;
  const ownKeys = device.privateKey && {
    own: engine.importSecret(device.privateKey),
    ownPublic: gateway.record.publicKey!,
    peer: device.gatewayPublicKey!,
  };
  const gatewayKeys = device.privateKey && {
    own: engine.importSecret(keys.secret),
    ownPublic: keys.public,
    peer: gateway.record.publicKey!,
  };
  return {
    device: { ...terms, ...shared, ...ownKeys, ...(device.ticket && { ticket: engine.importSecret(device.ticket) }) },
    gateway: { ...terms, ...shared, ...gatewayKeys },
    chain: gateway.chain,
  };
}

/** Two ends with a live link between them, and what their handshake took. */
interface Met {
  device: DeviceCore;
  gateway: GatewayCore;
  chain: Chain;
  there: number;
  back: number;
}

function must<T>(value: T | undefined | false, what: string): T {
  if (value === undefined || value === false) throw new Error(`the engine refused ${what}`);
  return value;
}

/** A copy: engines decrypt in place. */
const sent = (core: DeviceCore, what: string): Uint8Array => Uint8Array.from(must(core.send(0), what));

function answer(accept: AcceptCore, ends: Ends, chain: Chain | undefined): Uint8Array {
  if (!chain) {
    must(accept.offerId(ends.gateway), 'message 1');
    return Uint8Array.from(must(accept.answerFull(NOTHING), 'message 1'));
  }
  must(accept.offerTicket(ends.gateway, chain, 2), 'the ticket');
  return Uint8Array.from(accept.answerTicket(Verdict.None, false, NOTHING));
}

/** `chain`: a resumption. */
function meet(engine: Engine, ends: Ends, device: DeviceCore, chain?: Chain): Met {
  device.connect(Transport.Stream, 0);
  const message1 = sent(device, 'message 1');
  const accept = engine.accept(Transport.Stream);
  must(accept.receive(message1.slice(), 0).event, 'message 1');
  const message2 = answer(accept, ends, chain);
  const next = chain ? engine.chainMove(chain, { b: chain.b, i: chain.i + 1 }) : must(accept.chain, 'a chain');
  const events = device.receive(message2.slice(), 0);
  if (events.some(({ type }) => type === 'store')) device.stored(true);
  const first = sent(device, 'the first record');
  const { event } = accept.receive(first.slice(), 0);
  if (event?.type !== 'confirm') throw new Error('the first record did not confirm');
  const gateway = engine.gateway(ends.gateway);
  gateway.attach(accept, false, 0);
  const status = gateway.send(0); // the device resumes only once it has heard the gateway
  if (status) device.receive(Uint8Array.from(status), 0);
  return { device, gateway, chain: next, there: message1.length, back: message2.length };
}

function fullHandshake(engine: Engine, mode: Mode, suite: Suite): Met {
  const ends = pairingOf(engine, mode, suite);
  const device = engine.device(ends.device);
  device.boot();
  return meet(engine, ends, device, ends.chain);
}

function resumption(engine: Engine): Met {
  const ends = pairingOf(engine, Mode.Keys, Suite.X25519);
  const device = engine.device(ends.device);
  device.boot();
  const first = meet(engine, ends, device);
  device.disconnected(0);
  return meet(engine, ends, device, first.chain);
}

/** What a record adds to `length` bytes of plaintext. A DATA frame of `data` bytes has 3 + data. */
function recordOverhead(engine: Engine): { record: number; data: number } {
  const { device } = resumption(engine);
  const stream = device.open('mqtt', Kind.Stream);
  while (device.send(0) !== undefined); // OPEN goes first, so that the record below carries DATA alone
  const length = 1000;
  const { out, taken } = device.write(stream, new Uint8Array(length), false, 0);
  if (taken !== length || !out) throw new Error('the window took less than a record');
  const plaintext = (((out[0]! << 8) | out[1]!) & 0x3fff) >>> 0;
  return { record: out.length - plaintext, data: plaintext - length };
}

const SUITES: [Suite, string][] = [
  [Suite.X25519, '25519'],
  [Suite.P256, 'P256'],
];
const MODES: [Mode, string, string][] = [
  [Mode.Keys, 'keys', 'Noise KK'],
  [Mode.KeysPsk, 'keys with PSK', 'Noise KKpsk0'],
  [Mode.Psk, 'psk', 'Noise NNpsk0'],
];

/** Every row is measured now. */
export function wireTable(engine: Engine): WireRow[] {
  const overhead = recordOverhead(engine);
  const resumed = resumption(engine);
  const rows: WireRow[] = [
    { what: 'record overhead', total: overhead.record, goal: 18, others: 'TLS 1.3: 22' },
    { what: 'DATA frame overhead', total: overhead.data, goal: 3 },
    {
      what: 'resumption, no ECDH, forward secret',
      there: resumed.there,
      back: resumed.back,
      total: resumed.there + resumed.back,
      goal: 84,
      others: 'cTLS PSK 136; TLS 1.3 PSK 296 (not forward secret)',
    },
  ];
  for (const [suite, suiteName] of SUITES) {
    for (const [mode, modeName, pattern] of MODES) {
      const { there, back } = fullHandshake(engine, mode, suite);
      const known =
        suite === Suite.X25519
          ? { goal: 128, others: 'Tailscale 152; WireGuard 240; TLS 1.3 PSK+ECDHE 386; bare Noise KK 96' }
          : {};
      rows.push({
        what: `full handshake, ${modeName} (${pattern}), ${suiteName}`,
        there,
        back,
        total: there + back,
        ...known,
      });
    }
  }
  const ticket = fullHandshake(engine, Mode.Ticket, Suite.None);
  rows.push({
    what: 'first contact, ticket (no ECDH)',
    there: ticket.there,
    back: ticket.back,
    total: ticket.there + ticket.back,
    goal: 84,
  });
  return rows;
}

function print(rows: WireRow[], engine: Engine): void {
  const heading = ['bytes on a stream transport', '->', '<-', 'total', 'goal', 'others'];
  const cells = rows.map((row) => [
    row.what,
    ...[row.there, row.back, row.total, row.goal].map((n) => String(n ?? '-')),
    row.others ?? '-',
  ]);
  const widths = heading.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  for (const row of [heading, ...cells])
    console.log(
      row
        .map((cell, i) => (i > 0 && i < 5 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    );
  console.log(
    `\nengine ${engine.name}; length fields included; device id and gateway id of 8 bytes; no certificates anywhere`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const engine = selectEngine();
  const rows = wireTable(engine);
  print(rows, engine);
  process.exitCode = rows.every(({ total, goal }) => goal === undefined || total <= goal) ? 0 : 1;
}
