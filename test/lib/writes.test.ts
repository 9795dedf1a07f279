import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as netConnect, type Socket } from 'node:net';
import { finished } from 'node:stream/promises';

import { Mode, type Engine } from '../../lib/engine.js';
import { selectEngine } from '../../lib/engine/select.js';
import { echo, engine, until, World } from './world.js';

describe('writes to a stream', function () {
  this.timeout(60_000);
  let world: World;
  let upstream: Awaited<ReturnType<typeof echo>>;

  beforeEach(async () => {
    upstream = await echo();
    world = await World.start({ upstreams: { echo: upstream.url } });
  });
  afterEach(async () => {
    await world.stop();
    for (const socket of upstream.sockets) socket.destroy();
    upstream.server.close();
  });

  it('arrive in order, short and long ones, texts, corked ones and ones with a callback, over links that are torn', async () => {
    const relay = await world.relay();
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), { port: relay.port });
    const stream = await session.open('echo');
    const back: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => back.push(bytes));
    const sent: Buffer[] = [];
    let called = 0;
    let waits = 0;
    for (let n = 0; n < 1200; n += 1) {
      const bytes = Buffer.alloc(n % 31 === 0 ? 20_000 : 1 + ((n * 7919) % 1100), n & 0xff);
      sent.push(bytes);
      if (n % 97 === 0) stream.cork();
      const more =
        n % 13 === 0
          ? stream.write(bytes, () => (called += 1))
          : n % 17 === 0
            ? stream.write(bytes.toString('latin1'), 'latin1')
            : stream.write(bytes);
      if (n % 97 === 3) stream.uncork();
      if (n % 400 === 399) relay.cut();
      if (more) continue;
      waits += 1;
      if (stream.writableCorked > 0) stream.uncork();
      await once(stream, 'drain');
    }
    stream.end();
    await finished(stream);
    assert.ok(Buffer.concat(back).equals(Buffer.concat(sent)));
    assert.equal(called, Math.ceil(1200 / 13));
    assert.ok(waits > 0, 'never had to wait');
  });

  it('that are long are copied too, and answered false when enough waits; they arrive in order over links that are torn', async () => {
    const relay = await world.relay();
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), { port: relay.port });
    const stream = await session.open('echo');
    const back: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => back.push(bytes));
    const chunk = Buffer.alloc(50_000);
    const sent: Buffer[] = [];
    for (let n = 0; n < 60; n += 1) {
      chunk.fill(n);
      sent.push(Buffer.from(chunk));
      const waits = stream.write(chunk);
      assert.equal(stream.writableLength, 0, 'it waits in the queue of Node');
      chunk.fill(0xee);
      if (n % 20 === 19) relay.cut();
      if (!waits) await once(stream, 'drain');
    }
    let taken = 0;
    while (stream.write(chunk)) taken += chunk.length;
    assert.equal(Math.ceil(taken / chunk.length), Math.ceil(stream.writableHighWaterMark / chunk.length) - 1);
    stream.end();
    await finished(stream);
    const all = Buffer.concat(back);
    assert.ok(all.subarray(0, 60 * chunk.length).equals(Buffer.concat(sent)));
    assert.equal(all.length, (61 + Math.ceil(taken / chunk.length)) * chunk.length);
  });

  it('that are short are copied, are answered false when enough waits, and what is written all the same is bounded by Node', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    const stream = await session.open('echo');
    const message = Buffer.alloc(64, 'a');
    // A long one makes room for the copies of the next.
    const first = Buffer.alloc(5000, 'a');
    stream.write(first);
    await until(() => stream.writableLength === 0 && stream.bytesAcknowledged === first.length);
    let taken = 0;
    while (stream.write(message)) taken += 64;
    message.fill('b');
    assert.equal(taken, stream.writableHighWaterMark - 64);
    const queued = stream.writableLength;
    stream.write(Buffer.alloc(64, 'c'));
    assert.equal(stream.writableLength, queued + 64);
    await once(stream, 'drain');
    const back: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => back.push(bytes));
    stream.end();
    await finished(stream);
    assert.match(Buffer.concat(back).toString(), /^a+c{64}$/);
  });

  it('while the link was down go out with what resumes the stream, in one write', async () => {
    const writes: number[] = [];
    let socket: Socket | undefined;
    const pipe = async (): Promise<Socket> => {
      const fresh = netConnect({ port: world.port, host: '127.0.0.1', noDelay: true });
      await once(fresh, 'connect');
      const write = fresh.write.bind(fresh) as (bytes: Uint8Array, done?: () => void) => boolean;
      fresh.write = ((bytes: Uint8Array, done?: () => void) => {
        writes.push(bytes.length);
        return write(bytes, done);
      }) as typeof fresh.write;
      return (socket = fresh);
    };
    const native = selectEngine({ engine: 'native' });
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), { pipe, engine: native });
    const stream = await session.open('echo');
    stream.write('a');
    assert.equal(String((await once(stream, 'data'))[0]), 'a');
    await until(() => stream.bytesAcknowledged === 1);
    writes.length = 0;
    socket?.resetAndDestroy();
    await once(session, 'pause');
    stream.write('b');
    assert.equal(String((await once(stream, 'data'))[0]), 'b');
    // Message 1; the first record, with STREAM, and behind it one of 18 bytes, the 3 of a head and the byte.
    assert.deepEqual(writes, [48, 44 + 18 + 3 + 1]);
  });

  it('that a core fails to seal are tried again, and what it had said before is not lost', async () => {
    let fails = false;
    const failing: Engine = Object.create(engine, {
      device: {
        value: (...all: Parameters<Engine['device']>) => {
          const core = engine.device(...all);
          const write = core.write.bind(core);
          core.write = (...args) => {
            if (fails) throw new RangeError('no memory');
            return write(...args);
          };
          return core;
        },
      },
    }) as Engine;
    const relay = await world.relay();
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), { engine: failing, port: relay.port });
    const stream = await session.open('echo');
    stream.write('a');
    await once(stream, 'data');
    await until(() => stream.bytesAcknowledged === 1);
    const told: Error[] = [];
    session.on('error', (error) => {
      told.push(error);
      fails = false;
    });
    const drops: string[] = [];
    world.gateway.on('drop', ({ reason }) => drops.push(reason));
    relay.cut();
    await once(session, 'pause');
    stream.write('b');
    fails = true;
    assert.equal(String((await once(stream, 'data'))[0]), 'b');
    assert.ok(told.length > 0, 'no core has failed');
    assert.ok(!drops.includes('badRecord'), drops.join(' '));
  });

  it('of nothing are done at once, also as what a stream ends with', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    const stream = await session.open('echo');
    const back: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => back.push(bytes));
    await new Promise((resolve) => stream.write('', resolve));
    stream.cork();
    for (const text of ['', 'a', '']) stream.write(text);
    stream.uncork();
    stream.end('');
    await finished(stream);
    assert.equal(Buffer.concat(back).toString(), 'a');
  });

  it('after the end, or after destroy(), are errors as any other', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    for (const [over, code] of [
      ['end', 'ERR_STREAM_WRITE_AFTER_END'],
      ['destroy', undefined],
    ] as const) {
      const stream = await session.open('echo');
      stream.write(Buffer.alloc(8));
      const errors: (string | undefined)[] = [];
      stream.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
      let closed = false;
      stream.on('close', () => (closed = true));
      stream[over]();
      assert.equal(stream.write(Buffer.alloc(8)), false);
      await until(() => closed);
      assert.deepEqual(errors, code ? [code] : []);
    }
  });
});
