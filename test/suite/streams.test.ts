/** Streams of one link: SPEC 9. */

import assert from 'node:assert/strict';
import { Code, Kind, Mode, Suite } from '../../lib/engine.js';
import { hex, pattern, seeded, utf8 } from './bytes.js';
import { forEachPair, transports, type EnginePair } from './engines.js';
import { byteByByte, connected, randomly, type World } from './harness.js';
import type { StreamEnd } from './ends.js';

const TICKET = { mode: Mode.Ticket, suite: Suite.None } as const;

function ready(pair: EnginePair, over = {}, transport: 1 | 3 = 1): World {
  return connected(pair, TICKET, { over, transport });
}

function assertClosed(world: World, device: StreamEnd, gateway: StreamEnd, code: number): void {
  assert.deepEqual([device.code, gateway.code], [code, code]);
  assert.equal(world.device.streams.has(device.id), false);
}

function streams(pair: EnginePair): void {
  for (const transport of transports)
    it(`${transport.name}: both ways at once, in any fragments, byte for byte`, () => {
      for (const chop of [byteByByte, randomly(seeded(11))]) {
        const world = ready(pair, {}, transport.code);
        world.chop = chop;
        const { device, gateway } = world.openStream();
        device.write(pattern(20_000, 3), true);
        gateway.write(pattern(15_000, 4), true);
        world.advance(1000);
        assert.equal(hex(gateway.received), hex(pattern(20_000, 3)));
        assert.equal(hex(device.received), hex(pattern(15_000, 4)));
        assertClosed(world, device, gateway, Code.Done);
        assert.deepEqual([device.acked >= 20_000, gateway.acked >= 15_000], [true, true]);
      }
    });

  it("the upstream's name and kind arrive; the device hears when it is connected", () => {
    const world = ready(pair);
    world.gateway.session()!.onOpen = () => undefined;
    const device = world.device.open('a.name-with_32.bytes-0123456789a');
    world.advance(100);
    const gateway = world.session.stream(device.id);
    assert.deepEqual(
      [gateway.name, gateway.kind, device.opened],
      ['a.name-with_32.bytes-0123456789a', Kind.Stream, false],
    );
    world.session.core.consume(gateway.id, 0);
    world.advance(100);
    assert.equal(device.opened, true);
  });

  it('names that no upstream can have are refused at open()', () => {
    const world = ready(pair);
    for (const name of ['', 'x'.repeat(33), 'UPPER', 'sp ace', 'ü', 'a/b', 'a\0b'])
      assert.throws(() => world.device.core.open(name, Kind.Stream), { code: 'ERR_HAWSER_ARG' }, JSON.stringify(name));
    assert.equal(world.device.core.open('a-z0.9_', Kind.Stream) >= 0, true);
  });

  for (const first of ['device', 'gateway'] as const)
    it(`half-close: the ${first} ends first, the other end goes on for as long as it likes`, () => {
      const world = ready(pair);
      const ends = world.openStream();
      const other = first === 'device' ? ends.gateway : ends.device;
      ends[first].write(utf8('last words'), true);
      world.advance(100);
      assert.ok(other.gotFin);
      assert.equal(other.code, undefined);
      for (let round = 0; round < 3; round++) {
        other.write(pattern(100, round));
        world.advance(1000);
      }
      assert.equal(ends[first].received.length, 300);
      other.write(new Uint8Array(0), true);
      world.advance(100);
      assertClosed(world, ends.device, ends.gateway, Code.Done);
    });

  it('an empty stream: FIN alone, both ways', () => {
    const world = ready(pair);
    const { device, gateway } = world.openStream();
    device.write(new Uint8Array(0), true);
    gateway.write(new Uint8Array(0), true);
    world.advance(100);
    assertClosed(world, device, gateway, Code.Done);
    assert.ok(device.gotFin && gateway.gotFin);
  });

  for (const by of ['device', 'gateway'] as const)
    it(`reset by the ${by}: both ends are told, with the code, and nothing else is touched`, () => {
      const world = ready(pair);
      const kept = world.openStream('kept');
      for (const code of [
        Code.NotAllowed,
        Code.Unreachable,
        Code.UpstreamReset,
        Code.Limit,
        Code.Cancelled,
        Code.Timeout,
      ]) {
        const { device, gateway } = world.openStream('victim');
        device.write(pattern(500));
        gateway.write(pattern(500));
        world.pump();
        (by === 'device' ? world.device : world.session).core.reset(device.id, code);
        world.advance(100);
        const told = by === 'device' ? gateway : device;
        assert.equal(told.code, code);
        assert.notEqual(
          by === 'device' ? device.code : gateway.code,
          undefined,
          'the id is free at the end that reset as well',
        );
      }
      kept.device.write(utf8('still here'));
      world.advance(100);
      assert.equal(Buffer.from(kept.gateway.received).toString(), 'still here');
    });

  it('an upstream that is refused at once: the stream ends, the session lives', () => {
    const world = ready(pair);
    world.session.onOpen = (end) => world.session.core.reset(end.id, Code.NotAllowed);
    const device = world.device.open('secret');
    device.write(pattern(100), true);
    world.advance(100);
    assert.equal(device.code, Code.NotAllowed);
    assert.ok(world.device.core.live && world.session.core.live);
  });

  it('an id is used again, and old bytes never reach the new stream', () => {
    const world = ready(pair);
    const ids = new Set<number>();
    for (let round = 0; round < 20; round++) {
      const { device, gateway } = world.openStream();
      ids.add(device.id);
      device.write(pattern(100, round), true);
      if (round % 3 === 2) world.session.core.reset(device.id, Code.UpstreamReset);
      else gateway.write(pattern(50, round), true);
      world.advance(100);
      assert.notEqual(device.code, undefined);
      if (round % 3 !== 2) assert.equal(hex(gateway.received), hex(pattern(100, round)));
      if (round % 3 !== 2) assert.equal(hex(device.received), hex(pattern(50, round)));
    }
    assert.ok(ids.size <= 2, `ids ${[...ids].join(' ')}`);
  });

  it('as many streams as the device has room for, and a clear error beyond', () => {
    const world = connected(pair, TICKET, { options: { streams: 4 } });
    const all = Array.from({ length: 4 }, (_, at) => world.device.open(`up-${at}`));
    assert.throws(() => world.device.core.open('up-4', Kind.Stream), { code: 'ERR_HAWSER_LIMIT' });
    all.forEach((end, at) => end.write(pattern(3000, at), true));
    world.advance(500);
    all.forEach((end, at) => assert.equal(hex(world.session.stream(end.id).received), hex(pattern(3000, at))));
    for (const end of all) world.session.stream(end.id).write(new Uint8Array(0), true);
    world.advance(100);
    assert.ok(all.every((end) => end.code === Code.Done));
    assert.ok(world.device.open('up-5').id >= 0);
  });

  it('a window is never exceeded; at zero the writer stalls, and goes on when it reopens (SPEC 9/1)', () => {
    for (const window of [64, 65, 1000, 5000]) {
      const world = ready(pair, { windowDevice: window, windowGateway: window });
      const { device, gateway } = world.openStream();
      for (const [writer, reader, core] of [
        [device, gateway, world.session.core],
        [gateway, device, world.device.core],
      ] as const) {
        reader.hold = true;
        writer.write(pattern(3 * window + 7, window), true);
        world.advance(200);
        assert.equal(reader.received.length, window, 'no more than the window, and all of it');
        assert.equal((writer === device ? world.device : world.session).core.window(device.id), 0);
        assert.equal(reader.gotFin, false);
        core.consume(device.id, reader.take(10));
        world.advance(200);
        assert.equal(reader.received.length, window + 10);
        core.consume(device.id, reader.take(window));
        world.advance(200);
        assert.equal(reader.received.length, 2 * window + 10);
        reader.hold = false;
        core.consume(device.id, reader.take(window));
        world.advance(200);
        assert.equal(hex(reader.received), hex(pattern(3 * window + 7, window)));
        assert.ok(reader.gotFin);
      }
      assert.ok(world.device.core.live);
    }
  });

  it('one stalled stream does not hold up another', () => {
    const world = ready(pair);
    const slow = world.openStream('slow');
    const fast = world.openStream('fast');
    slow.gateway.hold = true;
    slow.device.write(pattern(100_000, 1));
    fast.device.write(pattern(50_000, 2));
    world.advance(2000);
    assert.equal(fast.gateway.received.length, 50_000);
    assert.equal(slow.gateway.received.length, world.setup.windowGateway);
  });

  it('acknowledgements come at the latest 25 ms after the bytes were accepted, and not before', () => {
    const world = ready(pair);
    const { device, gateway } = world.openStream();
    gateway.hold = true;
    device.write(pattern(300));
    world.advance(1000);
    assert.equal(device.acked, 0);
    gateway.hold = false;
    world.session.consumeAll();
    world.advance(25);
    assert.equal(device.acked, 300);
  });

  it('FIN that was said already is said, also by the call that sends the last acknowledgement of the stream', () => {
    const world = ready(pair);
    const { device, gateway } = world.openStream();
    device.write(pattern(10), true);
    world.pump();
    assert.equal(device.acked, 11);
    gateway.write(new Uint8Array(0), true);
    const { core } = world.device;
    for (const bytes of world.session.output(world.now)) core.receive(bytes, world.now);
    const { taken, finTaken, out } = core.write(device.id, new Uint8Array(0), true, world.now);
    assert.deepEqual([taken, finTaken, out !== undefined], [0, true, true]);
    assert.throws(() => core.write(device.id, new Uint8Array(0), true, world.now), { code: 'ERR_HAWSER_CLOSED' });
  });

  it('FIN is acknowledged at once', () => {
    const world = ready(pair);
    const { device } = world.openStream();
    device.write(pattern(10), true);
    world.pump();
    assert.equal(device.acked, 11);
  });

  it('records never exceed record_max towards the device', () => {
    const world = ready(pair, { recordMax: 64, windowDevice: 4096 });
    const { device, gateway } = world.openStream();
    gateway.write(pattern(4000));
    world.advance(200);
    assert.equal(hex(device.received), hex(pattern(4000)));
    const log = world.link?.log.g2d ?? [];
    for (const bytes of log)
      for (let at = 0; at < bytes.length;) {
        const word = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
        if (!(word & 0x4000)) break;
        assert.ok((word & 0x3fff) <= 64);
        at += 2 + (word & 0x3fff) + 16;
      }
  });

  it('a record costs 18 bytes, a DATA frame 3', () => {
    const world = ready(pair);
    const { device } = world.openStream();
    const result = world.device.core.write(device.id, pattern(100), false, world.now);
    assert.deepEqual([result.taken, result.out?.length], [100, 121]);
  });

  for (const transport of transports)
    it(`${transport.name}: messages go both ways, unacknowledged, each whole or not at all`, () => {
      const world = ready(pair, {}, transport.code);
      const { device, gateway } = world.openStream('coap', Kind.Messages);
      for (const size of [0, 1, 500, 1021]) {
        for (const [from, to] of [
          [world.device, world.session],
          [world.session, world.device],
        ] as const) {
          const out = from.core.message(device.id, pattern(size, size), world.now);
          assert.ok(out);
          world.arrive(from === world.device ? 'd2g' : 'g2d', out);
          const last = to.messages.at(-1);
          assert.deepEqual(
            [last?.stream, hex(last?.data ?? new Uint8Array(0))],
            [gateway.id, hex(pattern(size, size))],
          );
        }
      }
      assert.throws(
        () => world.session.core.message(device.id, pattern(1022), world.now),
        { code: 'ERR_HAWSER_LIMIT' },
        'above record_max',
      );
      assert.equal(device.received.length + gateway.received.length, 0);
    });

  it('ping and pong', () => {
    const world = ready(pair);
    for (const end of [world.device, world.session]) {
      end.core.ping(world.now);
      world.pump();
      assert.equal(end.pongs, 1);
    }
  });

  it('a peer that answers nothing: PING after 5 s, dead after 15 s; an idle link lives for ever', () => {
    for (const side of ['d2g', 'g2d'] as const) {
      const world = ready(pair);
      const { device, gateway } = world.openStream();
      const idleFrom = world.link?.log.d2g.length;
      world.advance(3_600_000);
      assert.equal(world.link?.log.d2g.length, idleFrom, 'silence while nothing is awaited');
      const link = world.link;
      if (link) link.mangle = (direction, bytes) => (direction === side ? [] : [bytes]);
      (side === 'd2g' ? device : gateway).write(pattern(10));
      const before = link?.log[side].length ?? 0;
      world.advance(4_900);
      const quiet = link?.log[side].length ?? 0;
      world.advance(200);
      assert.ok((link?.log[side].length ?? 0) > quiet && quiet === before + 1, 'one record, then a PING');
      world.advance(9_700);
      assert.ok(link?.up);
      world.advance(400);
      assert.equal(link?.up, false, `${side}: the link is given up`);
      world.connect();
      world.advance(100);
      assert.equal((side === 'd2g' ? gateway : device).received.length, 10);
    }
  });

  it('CLOSE ends the session for good, with its code', () => {
    for (const by of ['device', 'gateway'] as const) {
      const world = ready(pair);
      const { device } = world.openStream();
      (by === 'device' ? world.device : world.session).core.close(Code.GoingAway);
      world.pump();
      assert.equal((by === 'device' ? world.session : world.device).closeCode, Code.GoingAway);
      if (by === 'gateway') assert.equal(device.code, Code.GoingAway);
    }
  });

  it('calls for streams that are not open throw and change nothing', () => {
    const world = ready(pair);
    world.openStream();
    for (const core of [world.device.core, world.session.core]) {
      const before = hex(core.digest());
      for (const run of [
        () => core.write(77, pattern(1), false, world.now),
        () => core.consume(77, 0),
        () => core.reset(77, 0),
        () => core.consume(0, 1),
        () => core.message(0, pattern(1), world.now),
        () => core.window(77),
      ])
        assert.throws(run, /./);
      assert.equal(hex(core.digest()), before);
    }
  });
}

forEachPair('streams', streams);
