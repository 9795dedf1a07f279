/** SPEC 4: pairings, their forms, and what is refused. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Mode, Suite } from '../../lib/engine.js';
import type { Engine } from '../../lib/engine.js';
import { HawserError } from '../../lib/errors.js';
import {
  createPairing,
  decodePairing,
  deviceFingerprint,
  encodePairing,
  pairingFromJson,
  pairingToJson,
  readPairing,
  recordFingerprint,
} from '../../lib/pairing.js';
import type { NewPairing, PairOptions } from '../../lib/pairing.js';
import { secretFields } from '../../lib/pairing/terms.js';
import type { DevicePairing, GatewayIdentity } from '../../lib/types.js';
import { engineNamed, variants } from '../suite/engines.js';
import type { Variant } from '../suite/engines.js';

let engine: Engine;
let identity: GatewayIdentity;

before(async () => {
  engine = await engineNamed('js');
  identity = {
    id: Buffer.from('gateway1'),
    x25519: engine.generateKey(Suite.X25519),
    p256: engine.generateKey(Suite.P256),
    sealingKey: engine.random(32),
  };
});

const make = (variant: Pick<Variant, 'mode' | 'suite'>, over: Partial<PairOptions> = {}): NewPairing =>
  createPairing(engine, identity, {
    mode: variant.mode,
    suite: variant.suite,
    id: Buffer.from('device-1'),
    upstreams: ['mqtt', 'http'],
    addresses: [
      { host: 'gw.example', port: 7700 },
      { host: '2001:db8::1', port: 7701 },
    ],
    notBefore: Date.UTC(2030, 0, 1),
    expiry: Date.UTC(2031, 0, 1),
    ...over,
  });

const refused = (field: string, reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HawserError, String(error));
  assert.equal(error.code, 'ERR_HAWSER_FORMAT');
  assert.ok(error.message.startsWith(`${field}: `), error.message);
  assert.match(error.message, reason);
  return true;
};

/** Plain bytes, so that deepEqual does not tell Buffer from Uint8Array. */
function plain(pairing: DevicePairing): unknown {
  return JSON.parse(
    JSON.stringify(pairing, (_key, value: unknown) =>
      ArrayBuffer.isView(value) ? Buffer.from(value as Uint8Array).toString('hex') : value,
    ),
  );
}
// Buffer.toJSON runs before a replacer
const same = (a: DevicePairing, b: DevicePairing): void => {
  const bare = (p: DevicePairing): DevicePairing =>
    Object.fromEntries(
      Object.entries(p).map(([k, v]: [string, unknown]) => [k, v instanceof Uint8Array ? new Uint8Array(v) : v]),
    ) as unknown as DevicePairing;
  assert.deepEqual(plain(bare(a)), plain(bare(b)));
};

/** With a check that fits, so that the field itself has to be refused. */
function resealed(bytes: Buffer, change: (body: Buffer) => Buffer | void): Buffer {
  const body = Buffer.from(bytes.subarray(0, -8));
  const changed = change(body) ?? body;
  return Buffer.concat([changed, createHash('sha256').update(changed).digest().subarray(0, 8)]);
}

describe('pairing', () => {
  for (const variant of variants) {
    describe(variant.name, () => {
      it("gives each end what its mode needs, and the gateway no secret that is the device's alone", () => {
        const { device, gateway } = make(variant);
        for (const field of secretFields(variant.mode)) assert.ok(device[field], field);
        const kept = JSON.stringify(gateway, (_key, value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
        );
        for (const secret of [device.privateKey, device.ticket]) {
          if (secret) assert.ok(!kept.includes(Buffer.from(secret).toString('hex')));
        }
        if (!device.privateKey) return;
        const keys = variant.suite === Suite.P256 ? identity.p256 : identity.x25519;
        assert.deepEqual(engine.agree(variant.suite, keys.secret, gateway.record.publicKey!), device.ss);
        assert.deepEqual(gateway.record.gateD2g, device.gateD2g);
        assert.notDeepEqual(device.gateD2g, device.gateG2d);
      });

      it('comes back from JSON and from binary as it was', () => {
        const { device } = make(variant);
        same(pairingFromJson(pairingToJson(device)), device);
        same(readPairing(Buffer.from(pairingToJson(device))), device);
        const { upstreams: _, notBefore: __, expiry: ___, ...wire } = device;
        same(decodePairing(encodePairing(device)), { ...wire, addresses: [] });
        same(readPairing(encodePairing(device)), { ...wire, addresses: [] });
      });

      it('has the binary layout of SPEC 4.1', () => {
        const { device } = make(variant, { recordMax: 0x0102, windowDevice: 0x01020304, windowGateway: 0x05060708 });
        const bytes = encodePairing(device);
        const head = `48575052 01 0${variant.mode} 0${variant.suite} 00 08 6465766963652d31 08 6761746577617931 0102 01020304 05060708`;
        const limits = variant.mode === Mode.Ticket ? '00010000 fffffffe' : '00001000 00001000';
        const fixed = Buffer.from((head + limits).replaceAll(' ', ''), 'hex');
        assert.deepEqual(bytes.subarray(0, fixed.length), fixed);
        const secrets = Buffer.concat(secretFields(variant.mode).map((field) => device[field]!));
        assert.deepEqual(bytes.subarray(fixed.length, -8), secrets);
        const wanted = { 1: [160, 193], 2: [192, 225], 3: [32, 32], 4: [32, 32] }[variant.mode];
        assert.equal(secrets.length, wanted[variant.suite === Suite.P256 ? 1 : 0]);
      });

      it('refuses every truncation, every flipped bit and anything behind (SPEC 4.1/1)', () => {
        const bytes = encodePairing(make(variant).device);
        for (let length = 0; length < bytes.length; length++) {
          assert.throws(
            () => decodePairing(bytes.subarray(0, length)),
            { code: 'ERR_HAWSER_FORMAT' },
            `${length} bytes`,
          );
        }
        for (let bit = 0; bit < bytes.length * 8; bit++) {
          const flipped = Buffer.from(bytes);
          flipped[bit >> 3]! ^= 1 << (bit & 7);
          assert.throws(() => decodePairing(flipped), { code: 'ERR_HAWSER_FORMAT' }, `bit ${bit}`);
        }
        assert.throws(() => decodePairing(Buffer.concat([bytes, Buffer.of(0)])), refused('check', /1 bytes follow/));
      });

      it('refuses zero secrets in both forms', () => {
        const { device } = make(variant);
        for (const field of secretFields(variant.mode)) {
          const at = encodePairing(device).indexOf(device[field]!);
          const zeroed = resealed(encodePairing(device), (body) => void body.fill(0, at, at + device[field]!.length));
          assert.throws(() => decodePairing(zeroed), refused(field, /all bytes are zero/));
          const text = pairingToJson(device).replace(
            Buffer.from(device[field]!).toString('hex'),
            '00'.repeat(device[field]!.length),
          );
          assert.throws(() => pairingFromJson(text), refused(field, /all bytes are zero/));
        }
      });

      it('has one fingerprint at both ends, and another pairing another', () => {
        const one = make(variant);
        const other = make(variant);
        const text = deviceFingerprint(engine, one.device);
        assert.match(text, /^([2-9A-HJ-NP-Z]{4}-){4}[2-9A-HJ-NP-Z]{4}$/);
        assert.equal(recordFingerprint(identity, one.gateway.record, one.gateway.chain), text);
        assert.notEqual(deviceFingerprint(engine, other.device), text);
      });
    });
  }

  describe('fields of the binary form', () => {
    const cases: [string, RegExp, (body: Buffer) => Buffer | void][] = [
      ['version', /2; this program reads 1/, (b) => void b.writeUInt8(2, 4)],
      ['mode', /5 is not a mode/, (b) => void b.writeUInt8(5, 5)],
      ['suite', /none does not go with mode psk/, (b) => void b.writeUInt8(0, 6)],
      ['suite', /unknown \(3\)/, (b) => void b.writeUInt8(3, 6)],
      ['flags', /1 instead of 0/, (b) => void b.writeUInt8(1, 7)],
      ['device', /3 bytes; 4..32/, (b) => void b.writeUInt8(3, 8)],
      ['device', /33 bytes; 4..32/, (b) => void b.writeUInt8(33, 8)],
      ['gateway', /0 bytes; 4..32/, (b) => void b.writeUInt8(0, 17)],
      ['recordMax', /63 is not a whole number of 64..16383/, (b) => void b.writeUInt16BE(63, 26)],
      ['recordMax', /16384 is not/, (b) => void b.writeUInt16BE(16384, 26)],
      ['windowDevice', /63 is not/, (b) => void b.writeUInt32BE(63, 28)],
      ['windowDevice', /1073741825 is not/, (b) => void b.writeUInt32BE(2 ** 30 + 1, 28)],
      ['windowGateway', /0 is not/, (b) => void b.writeUInt32BE(0, 32)],
      ['maxSteps', /0 is not/, (b) => void b.writeUInt32BE(0, 36)],
      ['maxBlocks', /0 is not/, (b) => void b.writeUInt32BE(0, 40)],
    ];
    for (const [field, reason, change] of cases) {
      it(`${field}: ${reason.source}`, () => {
        const bytes = encodePairing(make({ mode: Mode.Psk, suite: Suite.X25519 }).device);
        assert.throws(() => decodePairing(resealed(bytes, change)), refused(field, reason));
      });
    }

    it('P-256: a point off the curve, a compressed one, a private key above the order', () => {
      const { device } = make({ mode: Mode.Keys, suite: Suite.P256 });
      const bytes = encodePairing(device);
      const [own, peer] = [bytes.indexOf(device.privateKey!), bytes.indexOf(device.gatewayPublicKey!)];
      const off = resealed(bytes, (body) => void (body[peer + 64]! ^= 1));
      assert.throws(() => decodePairing(off), refused('gatewayPublicKey', /not an uncompressed point/));
      const compressed = resealed(bytes, (body) => void body.writeUInt8(2, peer));
      assert.throws(() => decodePairing(compressed), refused('gatewayPublicKey', /not an uncompressed point/));
      const high = resealed(bytes, (body) => void body.fill(0xff, own, own + 32));
      assert.throws(() => decodePairing(high), refused('privateKey', /order of P-256/));
    });

    it("ticket: max_blocks is not the pairing's to choose", () => {
      const bytes = encodePairing(make({ mode: Mode.Ticket, suite: Suite.None }).device);
      assert.throws(
        () => decodePairing(resealed(bytes, (b) => void b.writeUInt32BE(4096, 40))),
        refused('maxBlocks', /4294967294/),
      );
    });
  });

  describe('fields of the JSON form', () => {
    const edit = (change: (file: Record<string, unknown>) => void): string => {
      const file = JSON.parse(pairingToJson(make({ mode: Mode.Psk, suite: Suite.X25519 }).device)) as Record<
        string,
        unknown
      >;
      change(file);
      return JSON.stringify(file);
    };
    const cases: [string, RegExp, (file: Record<string, unknown>) => void][] = [
      ['hawser', /missing/, (f) => void delete f['hawser']],
      ['hawser', /not "pairing"/, (f) => void (f['hawser'] = 'other')],
      ['version', /reads version 1/, (f) => void (f['version'] = 2)],
      ['mode', /not one of keys, keys\+psk, psk, ticket/, (f) => void (f['mode'] = 'PSK')],
      ['suite', /not one of/, (f) => void (f['suite'] = '448')],
      ['psk', /missing; mode psk needs it/, (f) => void delete f['psk']],
      ['psk', /hex digits/, (f) => void (f['psk'] = 'xyz')],
      ['psk', /31 bytes instead of 32/, (f) => void (f['psk'] = 'ab'.repeat(31))],
      ['ss', /does not belong to mode psk/, (f) => void (f['ss'] = 'ab'.repeat(32))],
      ['device', /2 bytes; 4..32/, (f) => void (f['device'] = 'abcd')],
      ['recordMax', /not a number/, (f) => void (f['recordMax'] = '100')],
      ['recordMax', /64.5 is not a whole number/, (f) => void (f['recordMax'] = 64.5)],
      ['windowDevice', /is not a whole number/, (f) => void (f['windowDevice'] = 2 ** 31)],
      ['addresses[1]', /"nowhere" is not host:port/, (f) => void (f['addresses'] = ['a:1', 'nowhere'])],
      ['upstreams[0]', /not a name of 1..32/, (f) => void (f['upstreams'] = ['MQTT'])],
      ['expiry', /not a time/, (f) => void (f['expiry'] = 'tomorrow')],
      ['windowDevise', /not a field of a pairing; did you mean "windowDevice"\?/, (f) => void (f['windowDevise'] = 1)],
      ['__proto__x', /not a field/, (f) => void (f['__proto__x'] = 1)],
      ['check', /missing/, (f) => void delete f['check']],
      ['check', /damaged/, (f) => void (f['psk'] = 'ab'.repeat(32))],
      ['check', /damaged/, (f) => void (f['maxSteps'] = 7)],
    ];
    for (const [field, reason, change] of cases) {
      it(`${field}: ${reason.source}`, () => {
        assert.throws(() => pairingFromJson(edit(change)), refused(field, reason));
      });
    }

    it('what is no JSON is not quoted: it may be a secret', () => {
      const text = edit(() => undefined).replace('"psk":"', '"psk":');
      const secret = /"psk":([0-9a-f]{16})/.exec(text)![1]!;
      assert.throws(
        () => pairingFromJson(text),
        (error: Error) => error.message === 'not valid JSON' && !String(error.stack).includes(secret),
      );
      assert.throws(() => pairingFromJson('[]'), refused('file', /not a JSON object/));
      assert.throws(() => readPairing(Buffer.of(0xff, 0xfe)), refused('file', /neither/));
    });
  });

  it('refuses options out of range, by name', () => {
    const bad: [RegExp, Partial<PairOptions>][] = [
      [/^device: 3 bytes/, { id: Buffer.from('abc') }],
      [/^recordMax: 63/, { recordMax: 63 }],
      [/^streams: 129/, { streams: 129 }],
      [/^upstreams: "no such name!"/, { upstreams: ['no such name!'] }],
      [/^expiry: not after not-before/, { notBefore: 2, expiry: 2 }],
      [/^suite: none does not go with mode keys/, { suite: Suite.None }],
    ];
    for (const [message, over] of bad) {
      assert.throws(() => make({ mode: Mode.Keys, suite: Suite.X25519 }, over), { code: 'ERR_HAWSER_ARG', message });
    }
  });
});
