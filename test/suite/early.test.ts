/** Early data, SPEC 7.2 and 7.5: every verdict, CONTINUED and NEW; delivered once or the application is told. */

import assert from 'node:assert/strict';
import { Code, Mode, Suite, Verdict } from '../../lib/engine.js';
import { hex, pattern, splitStream, utf8 } from './bytes.js';
import type { StreamEnd } from './ends.js';
import { forEachPair, transports, variants, type EnginePair } from './engines.js';
import { connected, World } from './harness.js';
import type { TestSession } from './gateway-double.js';

const TICKET = { mode: Mode.Ticket, suite: Suite.None } as const;
const HELLO = utf8('open the valve');

/** Everything that any session of the gateway, dead or alive, handed to an upstream. */
function deliveries(world: World): () => string[] {
  const sessions: TestSession[] = [];
  world.gateway.prepare = (session) => sessions.push(session);
  return () =>
    sessions
      .flatMap((session) => [...session.streams.values(), ...session.ended])
      .map((end) => Buffer.from(end.received).toString());
}

/** A rebooted device with a new stream that wants to send HELLO early. */
function booted(pair: EnginePair, transport: 1 | 3 = 1): { world: World; end: StreamEnd; delivered: () => string[] } {
  const world = connected(pair, TICKET, { transport });
  world.reboot();
  const delivered = deliveries(world);
  const end = world.device.open('valve');
  end.write(HELLO);
  return { world, end, delivered };
}

/** Message 1 arrives, its answer does not. */
function answerLost(world: World, end: StreamEnd, idempotent = false): void {
  world.dial(end, idempotent);
  if (world.link) world.link.mangle = (direction, bytes) => (direction === 'g2d' ? [] : [bytes]);
  world.pump();
  world.hang();
}

function early(pair: EnginePair): void {
  for (const transport of transports)
    it(`TAKEN over ${transport.name}: delivered before the answer is, and the stream goes on behind it`, () => {
      const { world, end, delivered } = booted(pair, transport.code);
      assert.equal(world.dial(end).early, true);
      world.step();
      assert.deepEqual(
        delivered(),
        [HELLO].map((bytes) => Buffer.from(bytes).toString()),
      );
      world.pump();
      assert.equal(end.verdict, Verdict.Taken);
      assert.equal(world.device.core.handshake?.early, Verdict.Taken);
      end.write(utf8(' and close it'), true);
      world.advance(100);
      assert.deepEqual(delivered(), ['open the valve and close it']);
      assert.ok(world.session.stream(end.id).gotFin);
      world.session.stream(end.id).write(utf8('done'), true);
      world.advance(100);
      assert.equal(Buffer.from(end.received).toString(), 'done');
      assert.equal(end.code, Code.Done);
    });

  for (const variant of variants)
    it(`${variant.name}: rides along with a resumption and with nothing else`, () => {
      const world = new World(pair, variant);
      const first = world.device.open('first');
      first.write(HELLO);
      const { early: rode, kind } = world.connect(first);
      assert.equal(rode, kind === 'resumption');
      world.advance(100);
      assert.equal(hex(world.session.stream(first.id).received), hex(HELLO));
      world.reboot();
      const second = world.device.open('second');
      second.write(HELLO);
      assert.equal(world.connect(second).early, true);
      assert.equal(second.verdict, Verdict.Taken);
      world.advance(100);
      assert.equal(hex(world.session.stream(second.id).received), hex(HELLO));
    });

  it('with FIN: one message in, one answer out', () => {
    const { world, end, delivered } = booted(pair);
    end.write(new Uint8Array(0), true);
    world.connect(end);
    world.advance(50);
    world.session.stream(end.id).write(utf8('ok'), true);
    world.advance(100);
    assert.deepEqual(delivered(), ['open the valve']);
    assert.deepEqual([Buffer.from(end.received).toString(), end.code], ['ok', Code.Done]);
  });

  it('a stream of a CONTINUED session goes on early, from the acknowledged offset', () => {
    const world = connected(pair, TICKET);
    const { device, gateway } = world.openStream();
    device.write(utf8('before '));
    world.advance(100);
    world.hang();
    device.write(utf8('early '));
    assert.equal(world.connect(device).early, true);
    assert.equal(world.device.live, 'continued');
    assert.equal(device.verdict, Verdict.Taken);
    device.write(utf8('after'));
    world.advance(100);
    assert.equal(Buffer.from(gateway.received).toString(), 'before early after');
  });

  it('bytes that were sent but not acknowledged ride again early, and are not delivered twice', () => {
    const world = connected(pair, TICKET);
    const { device, gateway } = world.openStream();
    gateway.hold = true;
    device.write(utf8('one '));
    world.pump();
    assert.equal(device.acked, 0);
    world.hang();
    device.write(utf8('two'));
    world.connect(device);
    gateway.hold = false;
    world.session.consumeAll();
    world.advance(100);
    assert.equal(Buffer.from(gateway.received).toString(), 'one two');
    assert.equal(device.acked, 7);
  });

  it('NOT TAKEN by policy: sent again in the session, delivered once', () => {
    const { world, end, delivered } = booted(pair);
    world.gateway.refuseEarly = true;
    world.connect(end);
    assert.equal(end.verdict, Verdict.NotTaken);
    world.advance(100);
    assert.deepEqual(delivered(), ['open the valve']);
  });

  it('NOT TAKEN because the session it names is gone: NEW, and the old stream ends with STATE_LOST', () => {
    const world = connected(pair, TICKET);
    const { device } = world.openStream();
    world.hang();
    world.gateway.restart();
    device.write(HELLO);
    const delivered = deliveries(world);
    assert.equal(world.connect(device).early, true);
    world.advance(100);
    assert.equal(device.verdict, Verdict.NotTaken);
    assert.equal(world.device.live, 'new');
    assert.equal(device.code, Code.StateLost);
    assert.deepEqual(delivered(), []);
  });

  it('connect() says that data rides along only where message 1 is built anew', () => {
    const { world, end } = booted(pair);
    assert.equal(world.dial(end).early, true);
    world.device.output(world.now);
    end.write(utf8(' later'));
    assert.equal(world.dial(end).early, false);
    assert.equal(world.dial().early, false);
    world.connect();
    world.advance(100);
    assert.equal(Buffer.from(world.session.stream(end.id).received).toString(), 'open the valve later');
  });

  it('the same message 1 again within 60 s gets the same TAKEN, and nothing is delivered twice', () => {
    const { world, end, delivered } = booted(pair);
    answerLost(world, end);
    answerLost(world, end);
    world.connect(end);
    world.advance(100);
    assert.equal(end.verdict, Verdict.Taken);
    assert.deepEqual(delivered(), ['open the valve']);
    assert.equal(world.session.streams.size, 1);
  });

  it('UNKNOWN once the answer has been forgotten: what is not idempotent ends with EARLY_UNKNOWN', () => {
    const { world, end, delivered } = booted(pair);
    answerLost(world, end);
    world.now += 61_000;
    world.connect(end);
    world.advance(100);
    assert.equal(end.verdict, Verdict.Unknown);
    assert.equal(end.code, Code.EarlyUnknown);
    assert.deepEqual(delivered(), ['open the valve'], 'delivered once, by the session that died');
  });

  it('UNKNOWN: what is idempotent is sent again by the library', () => {
    const { world, end, delivered } = booted(pair);
    answerLost(world, end, true);
    world.now += 61_000;
    world.connect(end, true);
    world.advance(100);
    assert.equal(end.verdict, Verdict.Unknown);
    assert.equal(end.code, undefined);
    assert.deepEqual(delivered(), ['open the valve', 'open the valve']);
  });

  it('UNKNOWN while the store cannot vouch; the next session may send early again', () => {
    const { world, end, delivered } = booted(pair);
    world.gateway.restart(true);
    world.connect(end);
    world.advance(100);
    assert.deepEqual([end.verdict, end.code], [Verdict.Unknown, Code.EarlyUnknown]);
    assert.deepEqual(delivered(), []);
    world.reboot();
    const next = world.device.open('valve');
    next.write(HELLO);
    world.connect(next);
    world.advance(100);
    assert.equal(next.verdict, Verdict.Taken);
    assert.deepEqual(delivered(), ['open the valve']);
  });

  it('UNKNOWN of a CONTINUED stream: its offsets tell, so it goes on and delivers once', () => {
    const world = connected(pair, TICKET);
    const { device, gateway } = world.openStream();
    world.hang();
    device.write(HELLO);
    answerLost(world, device);
    world.now += 61_000;
    world.connect(device);
    world.advance(100);
    assert.equal(device.verdict, Verdict.Unknown);
    assert.equal(device.code, undefined);
    assert.equal(hex(gateway.received), hex(HELLO));
  });

  it('a replay of another message 1 of the same position is NOT TAKEN', () => {
    const { world, end, delivered } = booted(pair);
    answerLost(world, end);
    world.reboot();
    const again = world.device.open('valve');
    again.write(utf8('shut it'));
    world.connect(again);
    world.advance(100);
    assert.equal(again.verdict, Verdict.NotTaken);
    assert.deepEqual(delivered(), ['open the valve', 'shut it']);
  });

  it('leaving the position by a jump makes the verdict UNKNOWN', () => {
    const world = connected(pair, TICKET);
    const { device } = world.openStream();
    world.hang();
    device.write(HELLO);
    answerLost(world, device);
    world.gateway.restart();
    world.now += 300_001;
    world.connect(device);
    world.advance(100);
    assert.equal(device.verdicts[0], Verdict.Unknown);
    assert.ok(device.code === Code.StateLost || device.code === Code.EarlyUnknown, `code ${device.code}`);
  });

  it('a stream given up while its early data rides never lends its upstream to the next one', () => {
    const { world, end, delivered } = booted(pair);
    assert.equal(world.dial(end).early, true);
    world.device.core.reset(end.id, Code.Cancelled);
    world.device.handle(world.device.core.timeout(world.now));
    const next = world.device.open('other');
    next.write(utf8('for another'));
    world.pump();
    world.advance(100);
    assert.equal(end.code, Code.Cancelled);
    const upstream = world.session.stream(next.id);
    assert.deepEqual([upstream.name, Buffer.from(upstream.received).toString()], ['other', 'for another']);
    assert.deepEqual(delivered().sort(), ['for another', 'open the valve']);
    assert.equal(world.session.streams.size, 1, 'the gateway was told that nobody waits for the first');
  });

  it('more than a message 1 holds does not ride along and is delivered all the same', () => {
    const world = connected(pair, TICKET);
    world.reboot();
    const end = world.device.open('valve');
    end.write(pattern(5000));
    const { early: rode } = world.connect(end);
    assert.equal(rode, false);
    world.advance(100);
    assert.equal(hex(world.session.stream(end.id).received), hex(pattern(5000)));
  });

  for (const transport of transports)
    it(`given up over ${transport.name} before its verdict: no other stream takes its place, and the upstream is told`, () => {
      const { world, end, delivered } = booted(pair, transport.code);
      world.dial(end);
      world.device.core.reset(end.id, Code.Cancelled);
      world.device.handle(world.device.core.timeout(world.now));
      assert.equal(end.code, Code.Cancelled);
      const other = world.device.open('lamp');
      other.write(utf8('on'));
      assert.notEqual(other.id, end.id);
      world.pump();
      world.advance(100);
      assert.deepEqual(delivered().sort(), ['on', 'open the valve']);
      assert.equal(Buffer.from(world.session.stream(other.id).received).toString(), 'on');
      assert.equal(world.session.ended.find(({ name }) => name === 'valve')?.code, Code.Cancelled);
      assert.equal(world.device.open('third').id, end.id);
    });

  it('the longest message 1 has 4095 bytes', () => {
    for (const [room, fits] of [
      [4095, true],
      [4096, false],
    ] as const) {
      const world = connected(pair, TICKET);
      world.reboot();
      const end = world.device.open('valve');
      // OPEN: 1 + 2 + 4 + 1 + 1 + 5 bytes; DATA: 3 bytes
      end.write(pattern(room - 46 - 14 - 3));
      assert.equal(world.connect(end).early, fits);
      if (fits) assert.equal(splitStream(world.link?.bytes('d2g') ?? new Uint8Array(0))[0]?.length, 2 + 4095);
      world.advance(100);
      assert.equal(world.session.stream(end.id).received.length, room - 63);
    }
  });

  it('early data above the window of the gateway does not ride along', () => {
    const world = connected(pair, TICKET, { over: { windowGateway: 64 } });
    world.reboot();
    const end = world.device.open('valve');
    end.write(pattern(65));
    const { early: rode } = world.connect(end);
    world.advance(100);
    assert.equal(rode, false);
    assert.equal(world.session.stream(end.id).received.length, 65);
  });
}

forEachPair('early data', early);
