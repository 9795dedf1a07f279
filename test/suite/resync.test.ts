/** Streams across links: SPEC 9, resynchronisation, and every place where a link can tear. */

import assert from 'node:assert/strict';
import { Code, Kind, Mode, Suite, Transport } from '../../lib/engine.js';
import { hex, pattern, seeded, splitStream, utf8 } from './bytes.js';
import { forEachPair, transports, type EnginePair } from './engines.js';
import { connected, randomly, World, type Direction } from './harness.js';
import type { StreamEnd } from './ends.js';
import { unrecord } from './reference.js';

const TICKET = { mode: Mode.Ticket, suite: Suite.None } as const;
const UP = pattern(70, 5);
const DOWN = pattern(50, 6);

/** A whole conversation: two streams, data and FIN both ways. */
class Conversation {
  readonly world: World;
  readonly ends: StreamEnd[] = [];
  readonly answers: StreamEnd[] = [];

  constructor(pair: EnginePair, transport: 1 | 3 = 1) {
    this.world = new World(pair, TICKET, { transport });
    this.world.gateway.prepare = (session) => {
      session.onOpen = (end) => {
        this.answers.push(end);
        session.core.consume(end.id, 0);
        end.write(DOWN, true);
      };
    };
  }

  start(): void {
    for (const name of ['one', 'two']) {
      const end = this.world.device.open(name);
      end.write(UP, true);
      this.ends.push(end);
    }
  }

  get over(): boolean {
    return this.ends.length === 2 && [...this.ends, ...this.answers].every((end) => end.code !== undefined);
  }

  /** Every byte arrived once and in order, both ways, and both ends know that it is over. */
  assertWhole(what: string): void {
    assert.equal(this.answers.length, 2, `${what}: the gateway saw ${this.answers.length} streams`);
    for (const end of this.ends) assert.equal(hex(end.received), hex(DOWN), what);
    for (const end of this.answers) assert.equal(hex(end.received), hex(UP), what);
    for (const end of [...this.ends, ...this.answers]) assert.equal(end.code, Code.Done, what);
  }
}

/** How many bytes each direction carries when nothing goes wrong, after the first link is up. */
function undisturbed(pair: EnginePair, transport: 1 | 3): Record<Direction, number> {
  const talk = new Conversation(pair, transport);
  talk.world.connect();
  talk.start();
  talk.world.until(() => talk.over, 'the conversation is over');
  talk.assertWhole('undisturbed');
  const [link] = talk.world.links;
  return { d2g: link?.bytes('d2g').length ?? 0, g2d: link?.bytes('g2d').length ?? 0 };
}

/** A conversation over a link that is torn behind some byte of it; `links` says how many links went before. */
function cutAt(pair: EnginePair, transport: 1 | 3, direction: Direction, offset: number, links: number): boolean {
  const talk = new Conversation(pair, transport);
  const what = `link ${links}, cut after ${offset} bytes ${direction}`;
  talk.world.connect();
  talk.start();
  for (let link = 0; link < links; link++) {
    if (talk.world.link) talk.world.link.mangle = (way, bytes) => (way === direction ? [] : [bytes]);
    talk.world.step();
    talk.world.dial();
  }
  const link = talk.world.link;
  if (link) link.cutAfter[direction] = (links === 0 ? link.bytes(direction).length : 0) + offset;
  talk.world.until(() => talk.over, what);
  talk.assertWhole(what);
  return talk.world.links.length > links + 1;
}

/** Neither end waits for anything: an hour passes without a byte. */
function assertQuiet(world: World): void {
  const before = world.link?.log.d2g.length;
  world.advance(3_600_000);
  assert.ok(world.link?.up);
  assert.equal(world.link.log.d2g.length, before);
}

function resync(pair: EnginePair): void {
  for (const transport of transports)
    for (const direction of ['d2g', 'g2d'] as const)
      it(`${transport.name}: a link cut after any byte ${direction} loses and repeats nothing`, () => {
        const total = undisturbed(pair, transport.code)[direction];
        // every byte where both ends are the same engine; between engines a sample, to keep the run short
        const stride = pair.device.name === pair.gateway.name ? 1 : 7;
        for (const links of [0, 1]) {
          let cuts = 0;
          for (let offset = 1; offset <= total + 200; offset += stride)
            cuts += Number(cutAt(pair, transport.code, direction, offset, links));
          assert.ok(cuts * stride > 100, `only ${cuts} cuts were made`);
        }
      });

  it('links cut again and again at random, in random fragments', () => {
    const random = seeded(2024);
    for (let run = 0; run < 15; run++) {
      const talk = new Conversation(pair);
      talk.world.chop = randomly(random);
      talk.world.connect();
      talk.start();
      talk.world.hang();
      for (let attempt = 0; attempt < 400 && !talk.over; attempt++) {
        if (talk.world.link === undefined) {
          talk.world.dial();
          const link = talk.world.link as World['link'];
          if (link && attempt < 300) link.cutAfter[random() < 0.5 ? 'd2g' : 'g2d'] = 1 + Math.floor(random() * 260);
        }
        talk.world.advance(200);
      }
      talk.assertWhole(`run ${run}`);
    }
  });

  it('bytes that were received but not accepted are not asked for again', () => {
    const world = connected(pair, TICKET);
    const { device, gateway } = world.openStream();
    gateway.hold = true;
    device.hold = true;
    device.write(pattern(1000));
    gateway.write(pattern(900));
    world.advance(50);
    for (let round = 0; round < 3; round++) {
      world.connect();
      world.advance(50);
    }
    assert.deepEqual([gateway.received.length, device.received.length], [1000, 900]);
    assert.deepEqual([device.acked, gateway.acked], [0, 0]);
    gateway.hold = device.hold = false;
    world.session.consumeAll();
    world.device.consumeAll();
    world.advance(100);
    assert.deepEqual([device.acked, gateway.acked], [1000, 900]);
  });

  it('a rewind names the offset from which write() goes on', () => {
    const world = connected(pair, TICKET);
    const { device, gateway } = world.openStream();
    device.write(pattern(100));
    world.advance(100);
    const link = world.link;
    if (link) link.mangle = () => [];
    device.write(pattern(100, 1));
    world.pump();
    assert.equal(device.next, 200);
    world.connect();
    assert.ok(device.rewinds.includes(100), device.rewinds.join(' '));
    world.advance(100);
    assert.equal(hex(gateway.received), hex(pattern(100)) + hex(pattern(100, 1)));
  });

  it('streams the gateway lost with its process end with STATE_LOST; what was never sent is opened now', () => {
    const world = connected(pair, TICKET);
    const old = world.openStream();
    old.device.write(pattern(10));
    world.advance(50);
    world.gateway.restart();
    world.hang();
    const fresh = world.device.open('fresh');
    fresh.write(utf8('hello'));
    world.connect();
    world.advance(50);
    assert.equal(world.device.live, 'new');
    assert.deepEqual([old.device.code, fresh.code], [Code.StateLost, undefined]);
    assert.equal(Buffer.from(world.session.stream(fresh.id).received).toString(), 'hello');
  });

  it('a device that lost its RAM: the streams end at the gateway, no old byte meets a new stream', () => {
    const world = connected(pair, TICKET);
    const old = world.openStream();
    old.device.write(utf8('old bytes'));
    world.advance(50);
    world.reboot();
    const fresh = world.device.open('echo');
    fresh.write(utf8('new'));
    world.connect();
    world.advance(50);
    assert.equal(world.device.live, 'new');
    assert.equal(old.gateway.code, Code.StateLost);
    assert.equal(Buffer.from(world.session.stream(fresh.id).received).toString(), 'new');
  });

  it('a reset while the link is down is told afterwards, by either end', () => {
    for (const by of ['device', 'gateway'] as const) {
      const world = connected(pair, TICKET);
      const { device, gateway } = world.openStream();
      device.write(pattern(200));
      world.advance(50);
      world.hang();
      (by === 'device' ? world.device : world.session).core.reset(device.id, Code.Cancelled);
      world.connect();
      world.advance(100);
      // a device may forget the stream at once; the gateway then finds it unnamed
      const told = by === 'device' ? [Code.Cancelled, Code.StateLost] : [Code.Cancelled];
      assert.ok(told.some((code) => code === (by === 'device' ? gateway : device).code));
      assert.notEqual((by === 'device' ? device : gateway).code, undefined);
    }
  });

  it('both ends reset while the link is down: each is told, and the id is free again', () => {
    const world = connected(pair, TICKET);
    const { device, gateway } = world.openStream();
    world.hang();
    world.session.core.reset(device.id, Code.UpstreamReset);
    world.device.core.reset(device.id, Code.Cancelled);
    world.connect();
    world.advance(100);
    assert.ok(device.code !== undefined && gateway.code !== undefined);
    assertQuiet(world);
    const next = world.openStream('next');
    next.device.write(utf8('clean'), true);
    world.advance(100);
    assert.equal(Buffer.from(next.gateway.received).toString(), 'clean');
  });

  for (const by of ['device', 'gateway'] as const)
    it(`a RESET of the ${by} whose answer was lost is answered again`, () => {
      const world = connected(pair, TICKET);
      const { device, gateway } = world.openStream();
      (by === 'device' ? world.device : world.session).core.reset(device.id, Code.Cancelled);
      const link = world.link;
      if (link) link.mangle = (way, bytes) => ((way === 'd2g') === (by === 'device') ? [bytes] : []);
      world.pump();
      world.connect();
      world.advance(100);
      assert.deepEqual([device.code !== undefined, gateway.code !== undefined], [true, true]);
      assertQuiet(world);
    });

  for (const lost of ['d2g', 'g2d'] as const)
    for (const writer of ['device', 'gateway'] as const)
      it(`serial: one record lost ${lost} while the ${writer} writes is noticed within a minute`, () => {
        const world = connected(pair, TICKET, { transport: Transport.Serial });
        const ends = world.openStream();
        let left = 1;
        if (world.link) world.link.mangle = (way, bytes) => (way === lost && left-- > 0 ? [] : [bytes]);
        ends[writer].write(pattern(100));
        for (let second = 0; second < 60; second++) {
          world.advance(1000);
          if (world.link === undefined) world.connect();
        }
        ends.device.write(pattern(50, 1));
        ends.gateway.write(pattern(50, 2));
        for (let second = 0; second < 60; second++) {
          world.advance(1000);
          if (world.link === undefined) world.connect();
        }
        assert.equal(ends.gateway.received.length, ends.device.written.length);
        assert.equal(ends.device.received.length, ends.gateway.written.length);
        assert.ok(world.links.length <= 5, `${world.links.length} links`);
      });

  it('a stream opened while the link is down is opened when it comes up', () => {
    const world = connected(pair, TICKET);
    world.openStream();
    world.hang();
    const late = world.device.open('late');
    late.write(utf8('x'), true);
    world.connect();
    world.advance(50);
    const gateway = world.session.stream(late.id);
    assert.deepEqual([gateway.name, Buffer.from(gateway.received).toString()], ['late', 'x']);
  });

  it('streams of kind messages survive a link; messages in flight do not', () => {
    const world = connected(pair, TICKET);
    const { device } = world.openStream('coap', Kind.Messages);
    world.device.core.message(device.id, utf8('lost'), world.now);
    world.connect();
    const out = world.device.core.message(device.id, utf8('kept'), world.now);
    if (out) world.arrive('d2g', out);
    assert.deepEqual(
      world.session.messages.map(({ data }) => Buffer.from(data).toString()),
      ['kept'],
    );
  });

  for (const variant of [
    { mode: Mode.Keys, suite: Suite.X25519 },
    { mode: Mode.Psk, suite: Suite.X25519 },
  ] as const)
    it(`a full handshake continues the session too (mode ${variant.mode})`, () => {
      const world = connected(pair, variant);
      const { device, gateway } = world.openStream();
      device.write(utf8('before '));
      world.advance(50);
      world.row.chain = undefined;
      world.hang();
      device.write(utf8('after'));
      world.climb(40);
      world.advance(100);
      assert.equal(world.device.core.handshake?.kind, 'full');
      assert.equal(world.device.live, 'continued');
      assert.equal(Buffer.from(gateway.received).toString(), 'before after');
    });

  it('a device that named a session sends STATE alone until STATUS has come (SPEC 6/1)', () => {
    const world = connected(pair, { mode: Mode.Psk, suite: Suite.X25519 }, { options: { keylog: true } });
    const { device } = world.openStream();
    device.write(pattern(3000));
    world.row.chain = undefined;
    world.hang();
    world.climb(40);
    const keys = world.device.core.keys();
    assert.ok(keys && world.device.core.handshake?.kind === 'full');
    const records = world.link?.log.d2g.slice(1).flatMap((bytes) => splitStream(bytes)) ?? [];
    const first = unrecord(keys.d2g, 0, records[0] ?? new Uint8Array(0));
    assert.deepEqual([first[0], first.length], [0x01, 9]);
    const answered = world.link?.log.g2d.length ?? 0;
    assert.ok(answered > 1 && records.length > 1, 'the rest went out behind STATUS');
  });

  it('a replaced session never splices: the same id and offsets under another name stay apart', () => {
    const world = connected(pair, { mode: Mode.Psk, suite: Suite.X25519 });
    const { device, gateway } = world.openStream();
    device.write(pattern(5000, 1));
    world.advance(50);
    assert.ok(gateway.received.length > 0);
    world.gateway.restart();
    world.row.chain = undefined;
    world.hang();
    world.climb(40);
    assert.equal(world.device.live, 'new');
    assert.equal(device.code, Code.StateLost);
  });
}

forEachPair('across links', resync);
