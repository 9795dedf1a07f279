/** hawser inspect on captures, slots and saved states. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { done, folder, mistake, removeFolders } from './harness.js';

const FLAG = { fin: 1, syn: 2, rst: 4, ack: 16 };
const DEVICE = { ip: [10, 0, 0, 2], port: 40000 };
const GATEWAY = { ip: [10, 0, 0, 1], port: 7700 };

interface Frame {
  from: typeof DEVICE;
  to: typeof DEVICE;
  seq: number;
  flags: number;
  data?: Buffer;
}

function ethernet({ from, to, seq, flags, data = Buffer.alloc(0) }: Frame): Buffer {
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(from.port, 0);
  tcp.writeUInt16BE(to.port, 2);
  tcp.writeUInt32BE(seq >>> 0, 4);
  tcp.writeUInt8(5 << 4, 12);
  tcp.writeUInt8(flags, 13);
  const ip = Buffer.alloc(20);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(40 + data.length, 2);
  ip.writeUInt8(6, 9);
  ip.set(from.ip, 12);
  ip.set(to.ip, 16);
  const link = Buffer.alloc(14);
  link.writeUInt16BE(0x0800, 12);
  const padding = Buffer.alloc(Math.max(0, 60 - 54 - data.length)); // Ethernet's least length
  return Buffer.concat([link, ip, tcp, data, padding]);
}

function pcap(frames: Buffer[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt32LE(1, 20);
  const packets = frames.map((frame, i) => {
    const packet = Buffer.alloc(16);
    packet.writeUInt32LE(1_700_000_000, 0);
    packet.writeUInt32LE(i * 1000, 4);
    packet.writeUInt32LE(frame.length, 8);
    packet.writeUInt32LE(frame.length, 12);
    return Buffer.concat([packet, frame]);
  });
  return Buffer.concat([head, ...packets]);
}

/** Big-endian, nanoseconds, with a block of a kind that nobody knows in between. */
function pcapng(frames: Buffer[]): Buffer {
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(type, 0);
    head.writeUInt32BE(padded.length + 12, 4);
    return Buffer.concat([head, padded, head.subarray(4)]);
  };
  const section = Buffer.from('1a2b3c4d00010000ffffffffffffffff', 'hex');
  const nanoseconds = Buffer.from('0001000000000000' + '0009000109000000' + '00000000', 'hex');
  const packets = frames.map((frame, i) => {
    const head = Buffer.alloc(20);
    const ticks = 1_700_000_000_000_000_000n + BigInt(i) * 1_000_000n;
    head.writeBigUInt64BE(ticks, 4);
    head.writeUInt32BE(frame.length, 12);
    head.writeUInt32BE(frame.length, 16);
    return block(6, Buffer.concat([head, frame]));
  });
  return Buffer.concat([
    block(0x0a0d0d0a, section),
    block(1, nanoseconds),
    block(0x0bad, Buffer.from('what?')),
    ...packets,
  ]);
}

const message = (type: number, length: number): Buffer => {
  const bytes = Buffer.alloc(2 + length, 0x55);
  bytes.writeUInt16BE(length, 0);
  bytes.writeUInt8(type, 2);
  return bytes;
};
const record = (plaintext: number): Buffer => {
  const bytes = Buffer.alloc(2 + plaintext + 16, 0xaa);
  bytes.writeUInt16BE(0x4000 | plaintext, 0);
  return bytes;
};

/** A whole link: out of order, with a retransmission, across the wrap of sequence numbers, torn in the middle of a record. */
function resumedLink(): Frame[] {
  const out = Buffer.concat([message(0x18, 46 + 7), record(100), record(0), record(16383)]);
  const back = Buffer.concat([message(0x1a, 34), record(5), record(300).subarray(0, 50)]);
  const [d, g] = [0xffffffc0, 1000];
  const up = (from: number, to: number): Frame => ({
    from: DEVICE,
    to: GATEWAY,
    seq: d + 1 + from,
    flags: FLAG.ack,
    data: out.subarray(from, to),
  });
  const down = (from: number, to: number): Frame => ({
    from: GATEWAY,
    to: DEVICE,
    seq: g + 1 + from,
    flags: FLAG.ack,
    data: back.subarray(from, to),
  });
  return [
    { from: DEVICE, to: GATEWAY, seq: d, flags: FLAG.syn },
    { from: GATEWAY, to: DEVICE, seq: g, flags: FLAG.syn | FLAG.ack },
    up(0, 1),
    up(1, 60),
    down(0, 36),
    up(1400, 2800),
    up(60, 1400),
    up(1, 60),
    up(1380, 2900), // overlaps what came before
    ...Array.from({ length: 10 }, (_, i) => up(2900 + i * 1460, Math.min(2900 + (i + 1) * 1460, out.length))),
    down(36, back.length),
    { from: GATEWAY, to: DEVICE, seq: g + 1 + back.length, flags: FLAG.rst },
  ];
}

interface Reported {
  links: Record<string, unknown>[];
  otherConversations: number;
}

async function inspected(bytes: Buffer): Promise<Reported> {
  const file = join(folder(), 'file');
  writeFileSync(file, bytes);
  const { out } = await done('inspect', file, '--json');
  const report = JSON.parse(out) as { version: number; reports: (Reported & { kind: string })[] };
  assert.equal(report.version, 1);
  assert.equal(report.reports[0]!.kind, 'capture');
  return report.reports[0]!;
}

async function refusedFile(bytes: Buffer, why: RegExp): Promise<void> {
  const file = join(folder(), 'file');
  writeFileSync(file, bytes);
  await mistake(why, 'inspect', file);
}

describe('hawser inspect: captures', () => {
  after(removeFolders);

  for (const [name, form] of [
    ['pcap', pcap],
    ['pcapng', pcapng],
  ] as const) {
    it(`${name}: a resumed link, torn`, async () => {
      const { links, otherConversations } = await inspected(form(resumedLink().map(ethernet)));
      assert.equal(otherConversations, 0);
      assert.deepEqual(links, [
        {
          device: '10.0.0.2:40000',
          gateway: '10.0.0.1:7700',
          start: '2023-11-14T22:13:20.000Z',
          end: 'rst',
          answerMs: 1,
          deviceToGateway: {
            message: {
              type: 0x18,
              name: 'message 1, resumption',
              length: 53,
              ticket: '5555555555555555',
              earlyDataBytes: 7,
            },
            records: {
              count: 3,
              bytes: 118 + 18 + 16401,
              plaintextBytes: 16483,
              smallest: 0,
              largest: 16383,
              empty: 1,
            },
            partialBytes: 0,
          },
          gatewayToDevice: {
            message: { type: 0x1a, name: 'message 2, resumption', length: 34, connectionIdBytes: 0 },
            records: { count: 1, bytes: 23, plaintextBytes: 5, smallest: 5, largest: 5, empty: 0 },
            partialBytes: 50,
          },
        },
      ]);
    });
  }

  it('every message 1 is told apart, with the id in clear where there is one', async () => {
    const types: [number, number, string, string | undefined][] = [
      [0x11, 57, 'keys', '25519'],
      [0x12, 90, 'keys', 'p256'],
      [0x13, 57, 'keys+psk', '25519'],
      [0x14, 90, 'keys+psk', 'p256'],
      [0x15, 49, 'psk', '25519'],
      [0x16, 82, 'psk', 'p256'],
    ];
    const frames = types.flatMap(([type, fixed], i) => {
      const from = { ...DEVICE, port: 50000 + i };
      const first = message(type, fixed + 8);
      first.write('device-1', 3);
      return [
        { from, to: GATEWAY, seq: 9, flags: FLAG.syn },
        { from, to: GATEWAY, seq: 10, flags: FLAG.ack, data: first },
        { from: GATEWAY, to: from, seq: 1, flags: FLAG.ack, data: message(0x17, fixed) },
        { from, to: GATEWAY, seq: 10 + first.length, flags: FLAG.fin | FLAG.ack },
      ];
    });
    const { links } = await inspected(pcap(frames.map(ethernet)));
    const seen = links.map(({ deviceToGateway, gatewayToDevice, end }) => {
      const { message: m } = deviceToGateway as { message: Record<string, unknown> };
      const { message: answer } = gatewayToDevice as { message: Record<string, unknown> };
      return [m['type'], m['length'], m['mode'], m['suite'], m['deviceId'], answer['length'], end];
    });
    const id = Buffer.from('device-1').toString('hex');
    assert.deepEqual(
      seen,
      types.map(([type, fixed, mode, suite]) => [type, fixed + 8, mode, suite, id, fixed, 'fin']),
    );
  });

  it('says what it could not follow', async () => {
    const lost = resumedLink();
    lost.splice(6, 1); // bytes 60..1400
    lost.splice(7, 1); // and what overlapped
    const [gap] = (await inspected(pcap(lost.map(ethernet)))).links;
    assert.equal(
      (gap!['deviceToGateway'] as { note: string }).note,
      '1340 bytes are missing from the capture after byte 60',
    );
    const wrong: Frame[] = [
      { from: DEVICE, to: GATEWAY, seq: 0, flags: FLAG.syn },
      {
        from: DEVICE,
        to: GATEWAY,
        seq: 1,
        flags: FLAG.ack,
        data: Buffer.concat([message(0x18, 46), Buffer.of(0x80, 0)]),
      },
      { from: GATEWAY, to: DEVICE, seq: 1, flags: FLAG.ack, data: Buffer.from('HTTP/1.1 400 Bad Request') },
    ];
    const [link] = (await inspected(pcap(wrong.map(ethernet)))).links;
    assert.equal((link!['deviceToGateway'] as { note: string }).note, 'byte 0x80 where a record should begin');
    assert.equal((link!['gatewayToDevice'] as { note: string }).note, 'does not begin with a handshake message');
  });

  it('leaves other traffic alone', async () => {
    const frames: Frame[] = [
      { from: DEVICE, to: GATEWAY, seq: 0, flags: FLAG.syn },
      { from: DEVICE, to: GATEWAY, seq: 1, flags: FLAG.ack, data: Buffer.from('GET / HTTP/1.1\r\n') },
    ];
    const { links, otherConversations } = await inspected(pcap([Buffer.alloc(60), ...frames.map(ethernet)]));
    assert.deepEqual([links.length, otherConversations], [0, 1]);
  });

  it('refuses every truncation with a place or takes it as a shorter capture', async () => {
    for (const form of [pcap, pcapng]) {
      const whole = form(resumedLink().slice(0, 5).map(ethernet));
      for (let length = 4; length < whole.length; length += 7) {
        const file = join(folder(), 'cut');
        writeFileSync(file, whole.subarray(0, length));
        const { status, err } = await (await import('./harness.js')).cli('inspect', file);
        assert.ok(status === 0 || (status === 2 && /byte \d+|header/.test(err)), `${length}: ${err}`);
      }
    }
    await refusedFile(pcap([]).subarray(0, 20), /file: pcap header cut short/);
  });
});

describe('hawser inspect: slots and saved states', () => {
  after(removeFolders);

  const sealed = (body: Buffer): Buffer =>
    Buffer.concat([body, createHash('sha256').update(body).digest().subarray(0, 8)]);
  const slot = (): Buffer => {
    const body = Buffer.alloc(56);
    body.write('HWSL\x01');
    body.writeUInt32BE(7, 8);
    body.write('chain-id', 12);
    body.writeUInt32BE(42, 20);
    body.fill(0xb5, 24);
    return sealed(body);
  };
  const saved = (kind: 1 | 2, streams: number): Buffer => {
    const head = Buffer.alloc(20);
    head.write('HWSV\x01');
    head.writeUInt8(kind, 5);
    head.writeUInt8(streams, 6);
    head.write('the-name', 8);
    head.writeUInt32BE(9, 16);
    const step =
      kind === 1
        ? Buffer.alloc(0)
        : Buffer.concat([Buffer.from('chain-id'), Buffer.from('0000000300000004', 'hex'), Buffer.alloc(32, 0xc6)]);
    const one = Buffer.from('0001' + '00000009' + '00' + '01' + '000000001000' + '000000000020', 'hex');
    return sealed(Buffer.concat([head, step, ...Array.from({ length: streams }, () => one)]));
  };
  const report = async (bytes: Buffer, ...more: string[]): Promise<Record<string, unknown>> => {
    const file = join(folder(), 'blob');
    writeFileSync(file, bytes);
    const { out } = await done('inspect', file, '--json', ...more);
    const { file: _, ...data } = (JSON.parse(out) as { reports: Record<string, unknown>[] }).reports[0]!;
    return data;
  };

  it('a slot', async () => {
    const shown = { kind: 'slot', sequence: 7, chain: Buffer.from('chain-id').toString('hex'), block: 42 };
    assert.deepEqual(await report(slot()), shown);
    assert.deepEqual(await report(slot(), '--show-secrets'), { ...shown, secrets: { blockSecret: 'b5'.repeat(32) } });
  });

  it('a saved state of either kind', async () => {
    const stream = {
      id: 1,
      serial: 9,
      kind: 'stream',
      opened: true,
      peerFinished: false,
      acknowledged: 4096,
      accepted: 32,
    };
    const base = { kind: 'state', session: Buffer.from('the-name').toString('hex'), serial: 9 };
    assert.deepEqual(await report(saved(1, 2)), { ...base, memory: 'flash', streams: [stream, stream] });
    const position = { chain: Buffer.from('chain-id').toString('hex'), block: 3, step: 4 };
    assert.deepEqual(await report(saved(2, 0)), { ...base, memory: 'retained RAM', position, streams: [] });
    assert.deepEqual((await report(saved(2, 0), '--show-secrets'))['secrets'], { stepSecret: 'c6'.repeat(32) });
  });

  it('the file of a saved state, with the names of its streams', async () => {
    const file = (names: unknown): Buffer =>
      Buffer.from(JSON.stringify({ version: 1, blob: saved(1, 1).toString('hex'), names }));
    const { streams, kind } = await report(file([[1, 'mqtt']]));
    assert.equal(kind, 'state');
    assert.deepEqual(
      (streams as Record<string, unknown>[]).map(({ id, upstream, acknowledged }) => [id, upstream, acknowledged]),
      [[1, 'mqtt', 4096]],
    );
    await refusedFile(file([]), /state: names: stream 1 of the blob has none/);
    await refusedFile(Buffer.from('{"version":1,"blob":"00","names":[]}'), /state: blob: length: 1 bytes/);
  });

  it('for people: what there is, and no secret unless it is asked for', async () => {
    const text = async (bytes: Buffer, ...more: string[]): Promise<string> => {
      const file = join(folder(), 'blob');
      writeFileSync(file, bytes);
      return (await done('inspect', file, ...more)).out;
    };
    const shown: [Buffer, RegExp, string][] = [
      [
        slot(),
        /flash slot.*\n +sequence +7\n.*\n +block +42\n +block secret +\(hidden; --show-secrets\)/,
        'b5'.repeat(32),
      ],
      [saved(2, 1), /retained RAM\n[^]*block 3, step 4\n +step secret +\(hidden/, 'c6'.repeat(32)],
    ];
    for (const [bytes, pattern, secret] of shown) {
      const usual = await text(bytes);
      assert.match(usual, pattern);
      for (const form of ['hex', 'base64', 'base64url'] as const)
        assert.ok(!usual.includes(Buffer.from(secret, 'hex').toString(form)));
      assert.ok((await text(bytes, '--show-secrets')).includes(secret));
    }
    const file = JSON.stringify({ version: 1, blob: saved(1, 1).toString('hex'), names: [[1, 'mqtt']] });
    assert.match(await text(Buffer.from(file)), /stream 1 +mqtt, stream, serial 9, open; sent and acknowledged 4096/);
  });

  it('refuses damage of every byte and every length', async () => {
    for (const whole of [slot(), saved(1, 1), saved(2, 1)]) {
      for (let at = 4; at < whole.length; at += 5) {
        const flipped = Buffer.from(whole);
        flipped[at]! ^= 1;
        await refusedFile(flipped, /check: does not match/);
        await refusedFile(whole.subarray(0, at), /check|slot|state/);
      }
    }
  });
});
