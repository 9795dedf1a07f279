import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

import { deviceCredentials } from '../../lib/credentials.js';
import { Mode, Transport, type DeviceCore, type Engine } from '../../lib/engine.js';
import { Intake, portion, Portions } from '../../lib/gateway/intake.js';
import { engine, until, World } from './world.js';

/** A record of SPEC 3.3 as far as its shape goes. */
function shape(plaintext: number): Buffer {
  const record = Buffer.alloc(2 + plaintext + 16, 0xaa);
  record.writeUInt16BE(0x4000 | plaintext);
  return record;
}

describe('portions of a link', () => {
  it('end with a record, after 32 of them, however the chunks were cut', () => {
    const bytes = Buffer.concat(Array.from({ length: 100 }, () => shape(5)));
    for (const cut of [1, 2, 7, 23, 1000, bytes.length]) {
      const portions = new Portions(portion.bytes);
      const ends: number[] = [];
      let total = 0;
      let since = 0;
      for (let at = 0; at < bytes.length; at += cut) {
        for (let chunk = bytes.subarray(at, at + cut); chunk.length > 0;) {
          const length = portions.next(chunk);
          assert.ok(length > 0);
          chunk = chunk.subarray(length);
          total += length;
          since += length;
          if (length === 32 * 23) ends.push(total);
          assert.ok(length <= 32 * 23, 'never more than 32 records');
        }
      }
      assert.equal(since, bytes.length);
      if (cut === bytes.length)
        assert.deepEqual(
          ends,
          [1, 2, 3].map((n) => n * 32 * 23),
        );
    }
  });

  it('take a whole chunk of large records at once, and garbage in pieces', () => {
    const large = Buffer.concat([shape(16383), shape(16383), shape(16383)]);
    assert.equal(new Portions(portion.bytes).next(large), large.length);
    assert.equal(new Portions(portion.bytes).next(Buffer.alloc(1000)), 32 * 3, 'empty messages count');
    assert.equal(new Portions(portion.serial).next(large), portion.serial);
  });
});

/** A pipe that goes on giving for as long as it is not paused, as a readable socket does. */
class Flood {
  paused = false;
  readonly intake: Intake;
  given = 0;

  constructor(
    take: (bytes: Uint8Array) => void,
    now: () => number,
    readonly most: number,
  ) {
    this.intake = new Intake(this, take, portion.bytes, now);
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  /** Thirty-two reads in a row. */
  readable(): void {
    for (let reads = 0; reads < 32 && !this.paused && this.given < this.most; reads += 1) {
      this.given += 1;
      this.intake.push(Buffer.concat(Array.from({ length: 1000 }, () => shape(5))));
    }
  }
}

describe('fairness between links', () => {
  it('of a flood of the smallest records a portion is served, then every other link, then the next (SPEC 14/1)', async () => {
    let clock = 0;
    /** Of the flood, since each of the others was served; and the most that ever was. */
    const since = { a: 0, b: 0 };
    let [flooded, most] = [0, 0];
    /** A slow core: a millisecond for each record. */
    const flood = new Flood(
      (bytes) => {
        const records = bytes.length / 23;
        clock += records;
        flooded += records;
        since.a += records;
        since.b += records;
        most = Math.max(most, since.a, since.b);
      },
      () => clock,
      3,
    );
    const others = (['a', 'b'] as const).map(
      (name) =>
        new Flood(
          () => (since[name] = 0),
          () => clock,
          0,
        ),
    );
    for (let turns = 0; turns < 4000 && flooded < 3000; turns += 1) {
      flood.readable();
      for (const other of others) other.intake.push(shape(5));
      await turn();
    }
    assert.equal(flooded, 3000, 'all of it in the end');
    assert.ok(most <= portion.records, `${most} records before others were served`);
    await turn();
    assert.equal(flood.paused, false, 'and it reads on');
  });

  it('what is held comes first afterwards, in order, and nothing comes after stop()', async () => {
    const seen: number[] = [];
    const source = { paused: 0, pause: () => (source.paused += 1), resume: () => (source.paused -= 1) };
    const intake: Intake = new Intake(source, (bytes) => {
      if (bytes[0] === 1 && bytes.length > 1) intake.hold(bytes.subarray(1));
      seen.push(bytes[0] ?? 0);
    });
    intake.push(Buffer.from([1, 2]));
    intake.push(Buffer.from([3]));
    assert.deepEqual([seen, source.paused], [[1], 1]);
    intake.release();
    await turn();
    assert.deepEqual([seen, source.paused], [[1, 2, 3], 0]);
    intake.hold(Buffer.from([4]));
    intake.stop();
    intake.push(Buffer.from([5]));
    intake.release();
    await turn();
    assert.deepEqual([seen, source.paused], [[1, 2, 3], 0]);
  });
});

/** An engine whose gateway takes `microseconds` at least for every 23 bytes, and counts them: in all, and the most between two turns. */
function slowed(microseconds: number): { engine: Engine; taken: () => number; most: () => number } {
  let [taken, before, most] = [0, 0, 0];
  const endOfTurn = (): void => {
    most = Math.max(most, taken - before);
    before = taken;
  };
  const gateway: Engine['gateway'] = (pairing, options) => {
    const core = engine.gateway(pairing, options);
    const receive = core.receive.bind(core);
    core.receive = (chunk, now) => {
      if (taken === before) setImmediate(endOfTurn);
      taken += chunk.length;
      const until = performance.now() + (chunk.length / 23) * (microseconds / 1000);
      const events = receive(chunk, now);
      while (performance.now() < until);
      return events;
    };
    return core;
  };
  const slow = new Proxy(engine, {
    get: (target, name) => {
      if (name === 'gateway') return gateway;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { engine: slow, taken: () => taken, most: () => most };
}

/** A device by hand: live over these bytes. */
async function goLive(
  core: DeviceCore,
  send: (bytes: Uint8Array) => void,
  answer: () => Promise<Uint8Array>,
): Promise<void> {
  core.boot();
  core.connect(Transport.Stream, 0);
  send(core.send(0) ?? Buffer.alloc(0));
  for (const event of core.receive(Uint8Array.from(await answer()), 0)) {
    if (event.type !== 'store') continue;
    core.stored(true);
    core.timeout(0);
  }
  assert.equal(core.live, true);
  send(core.send(0) ?? Buffer.alloc(0));
}

function pings(core: DeviceCore, count: number): Buffer {
  const one = (): Uint8Array => {
    core.ping(0);
    return core.send(0) ?? Buffer.alloc(0);
  };
  return Buffer.concat(Array.from({ length: count }, one));
}

/** The gateway's end of a line whose other end stops reading. */
class StuckPipe extends Duplex {
  stuck = false;
  most = 0;

  override _read(): void {
    // push() is called from outside
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.emit('sent', chunk);
    this.most = Math.max(this.most, this.writableLength);
    if (!this.stuck) done();
  }
}

describe('a device that floods the gateway', function () {
  this.timeout(60_000);
  let world: World;
  let slow: ReturnType<typeof slowed>;
  const device = async (): Promise<DeviceCore> => {
    const { device: pairing } = await world.pair({ mode: Mode.Psk });
    return engine.device(deviceCredentials(engine, pairing).pairing, { streams: 1 });
  };
  beforeEach(async () => {
    slow = slowed(40);
    world = await World.start({ engine: slow.engine });
  });
  afterEach(() => world.stop());

  it('others connect and work while most of the flood still waits', async () => {
    const core = await device();
    const socket = netConnect({ port: world.port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    await goLive(
      core,
      (bytes) => socket.write(bytes),
      async () => ((await once(socket, 'data')) as [Buffer])[0],
    );
    const flood = pings(core, 50_000);
    const good = await world.pair({ mode: Mode.Psk });
    socket.write(flood);
    await until(() => slow.taken() > 1000, 'the flood is there');
    const session = await world.connect(good);
    assert.equal(session.live, true);
    // 2 ms are 50 records at most, and the portion that was begun; an immediate may come after that of the next turn.
    assert.ok(slow.most() <= 2 * (50 + portion.records) * 23, `${slow.most()} bytes in one turn`);
    assert.ok(
      slow.taken() < flood.length / 2,
      `${slow.taken()} of ${flood.length} bytes were read before another device was live`,
    );
    socket.destroy();
  });

  it('and does not read: what it would be answered does not pile up', async () => {
    const core = await device();
    const pipe = new StuckPipe({ writableHighWaterMark: 1000 });
    world.gateway.accept(pipe);
    await goLive(
      core,
      (bytes) => pipe.push(bytes),
      async () => ((await once(pipe, 'sent')) as [Buffer])[0],
    );
    pipe.stuck = true;
    const flood = pings(core, 20_000);
    for (let at = 0; at < flood.length; at += 23 * 100) {
      pipe.push(flood.subarray(at, at + 23 * 100));
      await turn();
      pipe.most = Math.max(pipe.most, pipe.writableLength);
    }
    await until(() => slow.taken() >= flood.length, 'all was read', 30_000);
    assert.ok(pipe.most > 0 && pipe.most < 2000, `${pipe.most} bytes waited for the device`);
    pipe.destroy();
  });
});
