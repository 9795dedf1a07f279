import assert from 'node:assert/strict';
import { Transport } from '../../lib/engine.js';
import { Port, StateHash, type JsEngineHooks } from '../../lib/engine/js/crypto.js';
import { Deframer, frameMessage, Link } from '../../lib/engine/js/record.js';
import { concat, RECORD_MAX, U48_MAX } from '../../lib/engine/js/wire.js';
import { flipped, hex, pattern, utf8 } from '../suite/bytes.js';

const D2G = pattern(32, 1);
const G2D = pattern(32, 2);

function links(hooks: JsEngineHooks = {}): { device: Link; gateway: Link } {
  const port = new Port(hooks);
  const keys = () => ({ d2g: D2G.slice(), g2d: G2D.slice() });
  return {
    device: new Link(port, Transport.Stream, true, keys()),
    gateway: new Link(port, Transport.Stream, false, keys()),
  };
}

function state(link: Link): string {
  const into = new StateHash();
  link.hash(into);
  return hex(into.digest());
}

const opened = (link: Link, record: Uint8Array): string | undefined => {
  const plaintext = link.open(record);
  return plaintext && Buffer.from(plaintext).toString();
};

describe('js records', () => {
  it('cost 18 bytes and carry plaintext of any length both ways', () => {
    const { device, gateway } = links();
    for (const length of [0, 1, 17, 4078, RECORD_MAX]) {
      const up = device.seal(pattern(length));
      assert.equal(up.length, length + 18);
      assert.equal(hex(gateway.open(up) ?? utf8('none')), hex(pattern(length)));
      assert.equal(hex(device.open(gateway.seal(pattern(length, 3))) ?? utf8('none')), hex(pattern(length, 3)));
    }
  });

  it('that fail change nothing, whatever bit was flipped; the genuine one is taken afterwards', () => {
    const { device, gateway } = links();
    const record = device.seal(utf8('open the valve'));
    const before = state(gateway);
    for (let bit = 0; bit < record.length * 8; bit++) assert.equal(gateway.open(flipped(record, bit)), undefined);
    assert.equal(device.open(record), undefined, 'reflected');
    assert.equal(state(gateway), before);
    assert.equal(opened(gateway, record), 'open the valve');
    assert.equal(gateway.open(record), undefined, 'repeated');
  });

  it('change keys every 2^20 records as Noise does, without a reset of the counter', () => {
    const seen: [string, string][] = [];
    const counters = { d2g: 2 ** 20 - 2, g2d: 0 };
    const trace = (key: Uint8Array, nonce: Uint8Array): number => seen.push([hex(key), hex(nonce)]);
    const { device, gateway } = links({ counters, trace });
    for (let i = 0; i < 4; i++) assert.equal(opened(gateway, device.seal(utf8(`${i}`))), `${i}`);
    const records = seen.filter(([, nonce]) => !nonce.endsWith('ff'.repeat(8)));
    assert.deepEqual(
      records.map(([, nonce]) => nonce),
      ['0ffffe', '0fffff', '100000', '100001'].map((word) => '0'.repeat(24 - 6) + word),
    );
    assert.equal(records[1]?.[0], hex(D2G));
    const next = new Port().seal(
      D2G,
      Uint8Array.from([0, 0, 0, 0, ...Array<number>(8).fill(255)]),
      utf8(''),
      new Uint8Array(32),
    );
    assert.equal(records[2]?.[0], hex(next.subarray(0, 32)));
    assert.equal(records[3]?.[0], records[2]?.[0]);
  });

  it('that fail at the start of a key period commit no key', () => {
    const { device, gateway } = links({ counters: { d2g: 2 ** 20 - 1, g2d: 0 } });
    gateway.open(device.seal(utf8('last')));
    const record = device.seal(utf8('first of the next key'));
    const before = state(gateway);
    assert.equal(gateway.open(flipped(record, 77)), undefined);
    assert.equal(state(gateway), before);
    assert.equal(opened(gateway, record), 'first of the next key');
  });

  for (const counter of [2 ** 32 - 1, 2 ** 32, 2 ** 47])
    it(`count past ${counter} without a repeat`, () => {
      const nonces = new Set<string>();
      const hooks = {
        counters: { d2g: counter, g2d: 0 },
        trace: (key: Uint8Array, nonce: Uint8Array) => {
          const pair = `${hex(key)} ${hex(nonce)}`;
          // both ends derive the next key by the same seal: that one is no record
          if (!nonce.subarray(4).every((byte) => byte === 255)) assert.ok(!nonces.has(pair));
          nonces.add(pair);
        },
      };
      const { device, gateway } = links(hooks);
      for (let i = 0; i < 3; i++) assert.equal(opened(gateway, device.seal(utf8(`${i}`))), `${i}`);
    });

  it('end with the counter: the last one goes out, then nothing', () => {
    const { device, gateway } = links({ counters: { d2g: U48_MAX, g2d: 0 } });
    assert.equal(opened(gateway, device.seal(utf8('last'))), 'last');
    assert.ok(device.exhausted);
    assert.throws(() => device.seal(utf8('more')), { code: 'ERR_HAWSER_EXHAUSTED' });
  });
});

describe('js framing', () => {
  const expect = { message: true, record: true, recordMax: 1000 };

  function units(transport: Transport, chunks: Uint8Array[]): string[] {
    const deframer = new Deframer(transport, expect);
    const out: string[] = [];
    for (const chunk of chunks) {
      for (let at = 0; ;) {
        const { unit, next } = deframer.take(chunk, at);
        at = next;
        if (!unit) break;
        out.push(`${unit.kind} ${hex(unit.bytes)}`);
      }
    }
    return out;
  }

  for (const transport of [Transport.Stream, Transport.Serial] as const)
    it(`finds the same units however they are split (transport ${transport})`, () => {
      const link = new Link(new Port(), transport, true, { d2g: D2G.slice(), g2d: G2D.slice() });
      const all = concat(frameMessage(transport, pattern(60)), link.seal(pattern(900)), link.seal(pattern(0)));
      const whole = units(transport, [all]);
      assert.equal(whole.length, 3);
      for (const size of [1, 2, 3, 7, 61, 62, 63, 500]) {
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < all.length; at += size) chunks.push(all.subarray(at, at + size));
        assert.deepEqual(units(transport, chunks), whole, `pieces of ${size}`);
      }
    });

  it('refuses on a stream what is reserved, too long or of length zero, from the first byte that shows it', () => {
    for (const head of [[0x10], [0x3f], [0x80], [0xff], [0x00, 0x00], [0x10, 0x00], [0x40 | (1001 >> 8), 1001 & 255]]) {
      assert.deepEqual(units(Transport.Stream, [Uint8Array.from(head)]), ['bad '], String(head));
      assert.deepEqual(
        units(
          Transport.Stream,
          head.map((byte) => Uint8Array.of(byte)),
        ).slice(0, 1),
        ['bad '],
      );
    }
  });

  it('skips on a serial line what is empty, too long, wrongly encoded or of a wrong length', () => {
    const good = frameMessage(Transport.Serial, pattern(60));
    const long = new Uint8Array(20_000).fill(1);
    const noise = [[0], [0, 0], [5, 1, 0], [3, 0x40, 9, 0], [...long, 0], [...long.subarray(0, 5), 0]];
    for (const bytes of noise) {
      const chunk = concat(Uint8Array.from(bytes), good);
      assert.equal(units(Transport.Serial, [chunk]).length, 1);
      assert.equal(
        units(
          Transport.Serial,
          Array.from(chunk, (byte) => Uint8Array.of(byte)),
        ).length,
        1,
      );
    }
  });
});
