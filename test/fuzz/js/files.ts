/** Everything that is read from a file or a store: pairings, device state, store records, the configuration, captures. */

import { HawserError } from '../../../lib/errors.js';
import { configTemplate, parseConfig } from '../../../lib/config.js';
import { createJsEngine } from '../../../lib/engine/js/index.js';
import { isBlob, isStateFile, reportBlob, reportStateFile } from '../../../lib/cli/inspect/blob.js';
import { isCapture } from '../../../lib/cli/inspect/capture.js';
import { reportCapture } from '../../../lib/cli/inspect/links.js';
import { createPairing, encodePairing, pairingFromJson, pairingToJson, readPairing } from '../../../lib/pairing.js';
import { parseState, slotFault, slotSequence } from '../../../lib/storage.js';
import { decodeState, encodeState, Seal } from '../../../lib/store/codec.js';
import type { DevicePairing, GatewayIdentity } from '../../../lib/types.js';
import { Mode, Suite } from '../../../lib/engine.js';
import { checked, must, orRefused, utf8, type Target } from './target.js';

let drawn = 0;
const engine = createJsEngine({}, { random: (length) => Uint8Array.from({ length }, () => ++drawn & 255) });

function identity(): GatewayIdentity {
  const [x25519, p256] = [engine.generateKey(Suite.X25519), engine.generateKey(Suite.P256)];
  return { id: utf8('gateway-1'), x25519, p256, sealingKey: new Uint8Array(32).fill(4) };
}

function pairings(): DevicePairing[] {
  const own = identity();
  const variants = [[Mode.Keys, Suite.X25519], [Mode.KeysPsk, Suite.P256], [Mode.Psk, Suite.X25519], [Mode.Ticket, Suite.None]] as const; // prettier-ignore
  const terms = { upstreams: ['mqtt'], addresses: [{ host: 'example.org', port: 7400 }], name: 'meter' };
  return variants.map(([mode, suite]) => createPairing(engine, own, { mode, suite, ...terms }).device);
}

/** A pairing that was read is written the same again. */
export const pairing: Target = {
  most: 900,
  words: ['"mode"', '"suite"', '"psk"', '"ticket"', 'keys+psk', 'p256', '25519', '"version"', 'null', '1e99', 'HWPR'],
  seeds: () => pairings().flatMap((one) => [encodePairing(one), utf8(pairingToJson(one))]),
  run(input) {
    for (const bytes of [input, checked(input)]) {
      const read = orRefused(['ERR_HAWSER_CONFIG', 'ERR_HAWSER_FORMAT', 'ERR_HAWSER_ARG'], () => readPairing(bytes));
      if (!read) continue;
      const again = pairingFromJson(pairingToJson(read));
      must(pairingToJson(again) === pairingToJson(read), 'a pairing changes when it is written and read');
      must(encodePairing(again).equals(encodePairing(read)), 'its binary form changes when it is written and read');
    }
  },
};

const SLOT = Buffer.from('4857534c01000000000000018e3eddd8c6861e4c00000001', 'hex');

/** A device's folder: the slots, and the file of a saved state. */
export const state: Target = {
  most: 700,
  words: ['"version"', '"blob"', '"names"', '48575356', 'null', '[[0,"mqtt"]]', '1e9'],
  seeds: () => [
    checked(Buffer.concat([SLOT, Buffer.alloc(32, 7)])),
    utf8(`{"version":1,"blob":"${Buffer.from(checked(Buffer.from('485753560101000000000000000000000000000000', 'hex').subarray(0, 20))).toString('hex')}","names":[]}`), // prettier-ignore
    utf8('{"version":1,"blob":"4857","names":[[0,"mqtt"]]}'),
  ],
  run(input) {
    for (const bytes of [input, checked(input)]) {
      const fault = slotFault(bytes);
      must(fault === undefined || slotSequence(bytes) === undefined, 'a faulty slot has a sequence number');
      const read = orRefused(['ERR_HAWSER_CONFIG'], () => parseState('state', bytes));
      must(!read || read.blob.length <= 256, 'a saved state is longer than SPEC 7.4 allows');
      stateOf(bytes);
    }
  },
};

/** The same blob, well formed and with its check, in a file that is well formed. */
function stateOf(bytes: Uint8Array): void {
  const text = JSON.stringify({ version: 1, blob: Buffer.from(bytes).toString('hex'), names: [[0, 'a'], [1, 'b']] }); // prettier-ignore
  orRefused(['ERR_HAWSER_CONFIG'], () => parseState('state', utf8(text)));
}

/** What the sealing key vouches for, and what it does not. */
export const store: Target = {
  most: 400,
  seeds: () => {
    const chain = engine.chainStart(new Uint8Array(32).fill(3));
    const base = { ahead: 2, incarnation: 'a1', owner: 'node' };
    const tickets = engine.chainTickets(chain, 2).map(({ ticket }) => ticket);
    return [
      encodeState({ ...base, early: { kind: 'none' }, chain }, tickets),
      encodeState({ ...base, early: { kind: 'taken', h: new Uint8Array(32).fill(1) } }, []),
    ];
  },
  run(input) {
    const seal = new Seal(new Uint8Array(32).fill(5));
    must(seal.open(utf8('id'), utf8('ad'), input) === undefined, 'bytes that nobody sealed open');
    const sealed = seal.seal(utf8('id'), utf8('ad'), input);
    must(seal.open(utf8('id'), utf8('ad'), sealed)?.equals(input) === true, 'what was sealed does not open');
    const read = orRefused(['ERR_HAWSER_STORAGE'], () => decodeState(Buffer.from(input)));
    if (!read) return;
    // An incarnation that is not UTF-8 was never written.
    const again = orRefused(['ERR_HAWSER_ARG'], () => encodeState(read.state, read.tickets));
    if (again) must(encodeState(decodeState(again).state, read.tickets).equals(again), 'a state changes when it is written and read'); // prettier-ignore
  },
};

/** Every refusal names the file and what is wrong in it: a line, or a key that is missing. */
export const config: Target = {
  most: 700,
  words: ['[upstreams]', '[listen]', '[limits]', '[files]', 'id = "', 'tcp://127.0.0.1:1883', 'udp://', 'unix:/', '"""', "'''", '[[', '0x1f', '1979-05-27T07:32:00Z', '__proto__', 'constructor', 'inf', 'true'], // prettier-ignore
  seeds: () => [
    utf8(configTemplate(utf8('gateway-1')).replaceAll(/^# (?=[a-z_]+ = )/gm, '')),
    utf8('id = "01020304"\n[upstreams]\nmqtt = "tcp://127.0.0.1:1883"\n'),
    utf8('id = "01020304"\n[listen]\nport = 1\n'),
  ],
  run(input) {
    try {
      parseConfig(Buffer.from(input).toString('utf8'), 'gateway.toml');
    } catch (error) {
      const named = error instanceof HawserError && error.code === 'ERR_HAWSER_CONFIG';
      if (!named) throw error;
      must(/^gateway\.toml(:\d+)?: [^\s]/.test(error.message), `an error that names no place: ${error.message}`);
    }
  },
};

/** `hawser inspect`, whatever the file is. */
export const inspect: Target = {
  most: 1200,
  seeds: () => [...pcaps(), ...state.seeds(), ...pairing.seeds()],
  run(input) {
    const bytes = Buffer.from(input);
    orRefused(['ERR_HAWSER_CONFIG', 'ERR_HAWSER_FORMAT', 'ERR_HAWSER_ARG'], () => {
      const report = isCapture(bytes)
        ? reportCapture(bytes)
        : isBlob(bytes)
          ? reportBlob(bytes, true)
          : isStateFile(bytes)
            ? reportStateFile(bytes, true)
            : undefined;
      must(report === undefined || JSON.stringify(report.data).length > 0, 'a report without data');
    });
  },
};

/** One TCP connection with a message 1 and an answer, in pcap and, as a simple packet block each, in pcapng. */
function pcaps(): Uint8Array[] {
  const packets = [
    tcp(40000, 7400, 1, 0x02, NOTHING),
    tcp(7400, 40000, 1, 0x12, NOTHING),
    tcp(40000, 7400, 2, 0x18, Buffer.from(`002e18${'ab'.repeat(45)}`, 'hex')),
    tcp(7400, 40000, 2, 0x18, Buffer.from(`00221a${'cd'.repeat(33)}`, 'hex')),
    tcp(40000, 7400, 50, 0x18, Buffer.from(`4000${'ef'.repeat(16)}`, 'hex')),
    tcp(40000, 7400, 68, 0x11, NOTHING),
  ];
  const head = Buffer.from('d4c3b2a1020004000000000000000000ffff000065000000', 'hex');
  const records = packets.flatMap((packet) => [word(1), word(0), word(packet.length), word(packet.length), packet]);
  const section = Buffer.concat([word(0x0a0d0d0a), word(28), word(0x1a2b3c4d), Buffer.from([1, 0, 0, 0]), Buffer.alloc(8, 255), word(28)]); // prettier-ignore
  const face = Buffer.concat([word(1), word(20), Buffer.from([101, 0, 0, 0]), word(0), word(20)]);
  const blocks = packets.map((packet) => {
    const padded = Buffer.concat([packet, Buffer.alloc((4 - (packet.length % 4)) % 4)]);
    const length = word(padded.length + 32);
    return Buffer.concat([word(6), length, word(0), word(0), word(1), word(packet.length), word(packet.length), padded, length]); // prettier-ignore
  });
  return [Buffer.concat([head, ...records]), Buffer.concat([section, face, ...blocks])];
}

const NOTHING = Buffer.alloc(0);

function word(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

/** IPv4 without checksums. */
function tcp(from: number, to: number, sequence: number, flags: number, data: Buffer): Buffer {
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(40 + data.length, 2);
  ip[8] = 64;
  ip[9] = 6;
  ip.set(from > to ? [10, 0, 0, 1, 10, 0, 0, 2] : [10, 0, 0, 2, 10, 0, 0, 1], 12);
  const head = Buffer.alloc(20);
  head.writeUInt16BE(from, 0);
  head.writeUInt16BE(to, 2);
  head.writeUInt32BE(sequence, 4);
  head[12] = 0x50;
  head[13] = flags;
  return Buffer.concat([ip, head, data]);
}
