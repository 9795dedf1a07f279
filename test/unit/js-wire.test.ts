import assert from 'node:assert/strict';
import { Mode, Suite } from '../../lib/engine.js';
import { cobsDecode, cobsEncode, cobsMax } from '../../lib/engine/js/cobs.js';
import { isEarlyData, openFrame, readOpen, readStream, streamFrame, dataHead } from '../../lib/engine/js/frames.js';
import {
  concat,
  fullLength,
  fullType,
  ident,
  parseFullType,
  Reader,
  U48_MAX,
  Writer,
} from '../../lib/engine/js/wire.js';
import { cobs, hex, pattern, seeded, uncobs, unhex, utf8 } from '../suite/bytes.js';

describe('js wire', () => {
  it('writes and reads every width at its limits', () => {
    const bytes = new Writer(1).u8(255).u16(65535).u32(0xffffffff).u48(U48_MAX).sized(utf8('abc')).done();
    assert.equal(hex(bytes), 'ff'.repeat(13) + '03616263');
    const reader = new Reader(bytes);
    assert.deepEqual([reader.u8(), reader.u16(), reader.u32(), reader.u48()], [255, 65535, 0xffffffff, U48_MAX]);
    assert.equal(hex(reader.take(reader.u8())), '616263');
    assert.ok(reader.ok);
  });

  it('stays failed once it was read past the end, and yields zeros', () => {
    const reader = new Reader(unhex('0102'));
    assert.equal(reader.u32(), 0);
    assert.equal(reader.ok, false);
    assert.equal(reader.u8(), 1);
    assert.equal(reader.ok, false);
  });

  it('has the types and lengths of SPEC 3.2', () => {
    const table = [
      [0x11, Mode.Keys, Suite.X25519, 57],
      [0x12, Mode.Keys, Suite.P256, 90],
      [0x13, Mode.KeysPsk, Suite.X25519, 57],
      [0x14, Mode.KeysPsk, Suite.P256, 90],
      [0x15, Mode.Psk, Suite.X25519, 49],
      [0x16, Mode.Psk, Suite.P256, 82],
    ] as const;
    for (const [type, mode, suite, length] of table) {
      assert.equal(fullType(mode, suite), type);
      assert.deepEqual(parseFullType(type), { mode, suite });
      assert.equal(fullLength(mode, suite), length);
    }
    for (const type of [0x10, 0x17, 0x18, 0x00, 0xff]) assert.equal(parseFullType(type), undefined);
  });

  it('writes ident as SPEC 5 lays it out', () => {
    const bytes = ident(Mode.Psk, Suite.P256, utf8('dev1'), utf8('gate'));
    assert.equal(hex(bytes), hex(utf8('hawser1')) + '020301' + '04' + hex(utf8('dev1')) + '04' + hex(utf8('gate')));
  });

  it('refuses OPEN and STREAM frames that are cut short or out of range', () => {
    const open = openFrame({ id: 7, serial: 9, kind: 0, name: 'mqtt' });
    assert.deepEqual(readOpen(new Reader(open.subarray(1))), { id: 7, serial: 9, kind: 0, name: 'mqtt' });
    const stream = streamFrame({ id: 1, serial: 2, tx: U48_MAX, rx: 5, ack: 4 });
    assert.deepEqual(readStream(new Reader(stream.subarray(1))), { id: 1, serial: 2, tx: U48_MAX, rx: 5, ack: 4 });
    for (let length = 0; length < open.length - 1; length++) {
      assert.throws(() => readOpen(new Reader(open.subarray(1, 1 + length))), { code: 'ERR_HAWSER_PEER' });
    }
    const beyond = streamFrame({ id: 1, serial: 2, tx: 0, rx: 3, ack: 4 });
    assert.throws(() => readStream(new Reader(beyond.subarray(1))), { code: 'ERR_HAWSER_PEER' });
  });

  it('takes as early data one stream and nothing else', () => {
    const open = openFrame({ id: 7, serial: 9, kind: 0, name: 'mqtt' });
    assert.ok(isEarlyData(open));
    assert.ok(isEarlyData(concat(open, dataHead(6, 7), utf8('x'))));
    assert.ok(isEarlyData(concat(streamFrame({ id: 7, serial: 9, tx: 0, rx: 0, ack: 0 }), dataHead(7, 7))));
    assert.ok(!isEarlyData(concat(open, dataHead(6, 8), utf8('x'))), 'another stream');
    assert.ok(!isEarlyData(concat(open, open)), 'two OPENs');
    assert.ok(!isEarlyData(dataHead(6, 7)), 'no OPEN');
    assert.ok(!isEarlyData(new Uint8Array(0)), 'nothing');
    assert.ok(!isEarlyData(open.subarray(0, 5)), 'cut short');
  });
});

describe('js cobs', () => {
  it('agrees with the examples of the paper', () => {
    assert.equal(hex(cobsEncode(unhex(''))), '0100');
    assert.equal(hex(cobsEncode(unhex('00'))), '010100');
    assert.equal(hex(cobsEncode(unhex('11220033'))), '031122023300');
    const run = pattern(254).map((byte) => byte || 1);
    assert.equal(hex(cobsEncode(run)), 'ff' + hex(run) + '00');
  });

  it('agrees with an independent encoder at every length around its blocks, and decodes what it wrote', () => {
    const random = seeded(5);
    for (const length of [0, 1, 2, 253, 254, 255, 256, 507, 508, 509, 510, 4097, 16401]) {
      for (const density of [0, 0.01, 0.5, 1]) {
        const bytes = Uint8Array.from({ length }, () => (random() < density ? 0 : 1 + Math.floor(random() * 255)));
        const frame = cobsEncode(bytes);
        assert.ok(frame.length - 1 <= cobsMax(length));
        assert.equal(frame.indexOf(0), frame.length - 1);
        assert.equal(hex(uncobs(frame)), hex(bytes), `length ${length}, zeros ${density}`);
        assert.equal(hex(cobsDecode(frame.subarray(0, -1)) ?? unhex('')), hex(bytes));
        assert.equal(hex(cobsDecode(cobs(bytes).subarray(0, -1)) ?? unhex('')), hex(bytes));
      }
    }
  });

  it('refuses a block that is longer than its frame, and a zero inside', () => {
    assert.equal(cobsDecode(unhex('05112233')), undefined);
    assert.equal(cobsDecode(unhex('0311')), undefined);
    assert.equal(cobsDecode(unhex('03110002')), undefined);
    assert.equal(cobsDecode(unhex('00')), undefined);
  });
});
