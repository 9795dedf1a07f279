/** Attack classes of the network against the state of either end: 1, 3, 9, 16 and 19. */

import assert from 'node:assert/strict';
import { Mode, Suite, Transport } from '../../lib/engine.js';
import { cobs, concat, flipped, hex, pattern, seeded, splitSerial, splitStream } from './bytes.js';
import { forEachEngine, forEachPair, variants, type EnginePair } from './engines.js';
import { connected, World } from './harness.js';
import type { StreamEnd } from './ends.js';

const TICKET = { mode: Mode.Ticket, suite: Suite.None } as const;
const NONE = new Uint8Array(0);

/** Complete units of every sort that nobody can have meant, as they stand before framing. */
function garbage(random: () => number): Uint8Array[] {
  const noise = (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
  const header = (word: number) => Uint8Array.of(word >> 8, word & 255);
  const units = [
    concat(header(0x4000), noise(16)),
    concat(header(0x4001), noise(17)),
    concat(header(0x4000 | 500), noise(516)),
    concat(header(57), Uint8Array.of(0x17), noise(56)),
    concat(header(34), Uint8Array.of(0x1a), noise(33)),
    concat(header(46), Uint8Array.of(0x18), noise(45)),
    concat(header(65), Uint8Array.of(0x11), noise(64)),
    concat(header(20), noise(20)),
    header(0),
    Uint8Array.of(0x80, 0, ...noise(20)),
    Uint8Array.of(0xff, 0xff, ...noise(40)),
    Uint8Array.of(0x10, 5, ...noise(5)),
    Uint8Array.of(0x25, 5, ...noise(5)),
  ];
  return units;
}

const snapshot = (world: World): string =>
  JSON.stringify([world.row.chain, world.row.early, world.row.incarnation], (_key, value: unknown) =>
    value instanceof Uint8Array ? hex(value) : value,
  );

/** Two streams with bytes in flight either way, half of it acknowledged. */
function busy(pair: EnginePair, transport: 1 | 3): { world: World; device: StreamEnd; gateway: StreamEnd } {
  const world = connected(pair, TICKET, { transport });
  const { device, gateway } = world.openStream();
  device.write(pattern(500, 1));
  gateway.write(pattern(400, 2));
  world.advance(100);
  return { world, device, gateway };
}

function assertNothingLost({ world, device, gateway }: ReturnType<typeof busy>): void {
  device.write(pattern(100, 3));
  gateway.write(pattern(100, 4));
  world.until(() => gateway.received.length === 600 && device.received.length === 500, 'all bytes arrive');
  assert.equal(hex(gateway.received), hex(pattern(500, 1)) + hex(pattern(100, 3)));
  assert.equal(hex(device.received), hex(pattern(400, 2)) + hex(pattern(100, 4)));
}

function liveGarbage(pair: EnginePair): void {
  it('class 1, stream, both ends live: the state is bit for bit what it was, no byte in answer, nothing is lost (SPEC 3.3/1)', () => {
    for (const unit of garbage(seeded(1)))
      for (const side of ['device', 'session'] as const) {
        const talk = busy(pair, Transport.Stream);
        const end = talk.world[side];
        const before = hex(end.core.digest());
        // a length below what is there may be a whole unit and more: the first bytes decide
        const events = end.core.receive(concat(unit, new Uint8Array(17_000)), talk.world.now);
        assert.deepEqual(
          events.map(({ type }) => type),
          ['drop'],
          `${side}: ${hex(unit.slice(0, 4))}`,
        );
        assert.equal(hex(end.core.digest()), before, `${side}: ${hex(unit.slice(0, 4))}`);
        talk.world.hang();
        assertNothingLost(talk);
      }
  });

  it('class 1, serial, both ends live: garbage frames are skipped; a device resumes on a record that fails', () => {
    for (const unit of garbage(seeded(2)))
      for (const side of ['device', 'session'] as const) {
        const talk = busy(pair, Transport.Serial);
        const end = talk.world[side];
        const before = hex(end.core.digest());
        const types = end.core.receive(cobs(unit), talk.world.now).map(({ type }) => type);
        const isRecord = ((unit[0] ?? 0) & 0xc0) === 0x40;
        if (side === 'device') assert.deepEqual(types, isRecord ? ['drop'] : []);
        else
          assert.ok(
            types.every((type) => type === 'handshake'),
            types.join(' '),
          );
        assert.equal(hex(end.core.digest()), before, `${side}: ${hex(unit.slice(0, 4))}`);
        if (types.includes('drop')) talk.world.hang();
        assertNothingLost(talk);
      }
  });

  it('class 1: garbage instead of message 2, the same genuine message 2 is taken afterwards', () => {
    for (const variant of variants)
      for (const unit of garbage(seeded(3))) {
        const world = new World(pair, variant);
        world.dial();
        world.device.output(world.now);
        const before = hex(world.device.core.digest());
        const events = world.device.core.receive(concat(unit, new Uint8Array(17_000)), world.now);
        assert.deepEqual(
          events.map(({ type }) => type),
          ['drop'],
          `${variant.name}: ${hex(unit.slice(0, 4))}`,
        );
        assert.equal(hex(world.device.core.digest()), before);
        world.connect();
        assert.ok(world.device.core.live, variant.name);
      }
  });

  it('class 1: garbage while the device writes its flash: nothing moves, and the same message 1 is answered again', () => {
    for (const variant of variants)
      for (const unit of garbage(seeded(5))) {
        const world = new World(pair, variant);
        world.device.onStore = () => undefined; // flash takes its time
        world.dial();
        world.pump();
        const before = hex(world.device.core.digest());
        const types = world.device.core
          .receive(concat(unit, new Uint8Array(17_000)), world.now)
          .map(({ type }) => type);
        assert.deepEqual(types, ['drop'], `${variant.name}: ${hex(unit.slice(0, 4))}`);
        assert.equal(hex(world.device.core.digest()), before);
        assert.equal(world.link?.log.d2g.length, 1, 'nothing behind message 1');
        world.device.onStore = (slot) => world.device.core.stored(world.device.flash.store(slot));
        world.connect();
        assert.ok(world.device.core.live, variant.name);
      }
  });

  it('class 1: garbage before message 1 and in place of the first record: silence, and the store is untouched', () => {
    for (const variant of variants)
      for (const unit of garbage(seeded(4)))
        for (const state of ['first', 'candidate'] as const) {
          const world = new World(pair, variant);
          const before = snapshot(world);
          world.dial();
          const port = world.link?.port;
          assert.ok(port);
          if (state === 'candidate') {
            for (const bytes of world.device.output(world.now)) port.receive(bytes, world.now);
            assert.equal(port.collect(world.now).length, 1);
          }
          assert.equal(port.state, state);
          port.receive(concat(unit, new Uint8Array(17_000)), world.now);
          assert.equal(port.state, 'closed', `${variant.name}, ${state}: ${hex(unit.slice(0, 4))}`);
          assert.equal(port.collect(world.now).length, 0);
          assert.equal(snapshot(world), before);
          world.connect();
          assert.ok(world.device.core.live);
        }
  });
}

/** Everything one side sent on a world's links. */
function sentBy(world: World, direction: 'd2g' | 'g2d'): Uint8Array[] {
  return world.links.flatMap((link) => splitStream(link.bytes(direction)));
}

function replayAndReflection(pair: EnginePair): void {
  it('class 3: every message and record that was ever sent, replayed in every state, changes nothing', () => {
    for (const variant of variants) {
      const talk = busy(pair, Transport.Stream);
      const world = variant.mode === Mode.Ticket ? talk.world : connected(pair, variant);
      world.connect();
      world.advance(50);
      for (const old of sentBy(world, 'd2g')) {
        const before = [hex(world.session.core.digest()), snapshot(world), world.gateway.counters.confirmed];
        const port = world.gateway.listen(Transport.Stream);
        port.receive(old, world.now);
        port.receive(pattern(40), world.now);
        assert.deepEqual([hex(world.session.core.digest()), snapshot(world), world.gateway.counters.confirmed], before);
        assert.equal(world.session.core.receive(old.slice(), world.now).at(-1)?.type, 'drop');
        assert.equal(hex(world.session.core.digest()), before[0]);
      }
      for (const old of sentBy(world, 'g2d')) {
        const before = hex(world.device.core.digest());
        assert.deepEqual(
          world.device.core.receive(old.slice(), world.now).map(({ type }) => type),
          ['drop'],
        );
        assert.equal(hex(world.device.core.digest()), before);
      }
    }
  });

  it('class 3: a replayed message 1 with its replayed first record does not bring a session back', () => {
    for (const variant of variants) {
      const world = connected(pair, variant);
      world.connect();
      const first = world.links.map((link) => link.bytes('d2g'));
      const name = hex(world.session.core.name);
      for (const bytes of first)
        for (const wait of [0, 61_000]) {
          world.now += wait;
          const port = world.gateway.listen(Transport.Stream);
          port.receive(bytes.slice(), world.now);
          assert.notEqual(port.state, 'live', variant.name);
          port.close();
        }
      assert.equal(hex(world.session.core.name), name);
      assert.ok(world.session.core.live && world.link?.up);
    }
  });

  it('class 3: an old message 2 is not taken for a new one', () => {
    for (const variant of variants) {
      const world = connected(pair, variant);
      const old = splitStream(world.link?.bytes('g2d') ?? NONE)[0] ?? NONE;
      world.dial();
      world.device.output(world.now);
      assert.deepEqual(
        world.device.core.receive(old, world.now).map(({ type }) => type),
        ['drop'],
      );
      world.connect();
      assert.ok(world.device.core.live);
    }
  });

  it("class 16: a peer's own messages, sent back to it, are refused in every role", () => {
    for (const variant of variants) {
      const world = connected(pair, variant);
      const { device } = world.openStream();
      device.write(pattern(20));
      world.pump();
      for (const own of sentBy(world, 'd2g'))
        assert.equal(world.device.core.receive(own.slice(), world.now).at(-1)?.type, 'drop');
      for (const own of sentBy(world, 'g2d')) {
        assert.equal(world.session.core.receive(own.slice(), world.now).at(-1)?.type, 'drop');
        const port = world.gateway.listen(Transport.Stream);
        port.receive(own, world.now);
        assert.equal(port.collect(world.now).length, 0);
      }
      const fresh = new World(pair, variant);
      fresh.dial();
      const [message1] = fresh.device.output(fresh.now);
      assert.deepEqual(
        fresh.device.core.receive(message1 ?? NONE, fresh.now).map(({ type }) => type),
        ['drop'],
      );
      assert.equal(fresh.device.core.live, false);
    }
  });

  it('class 9: message types and records in every order but the right one end the connection', () => {
    const world = connected(pair, { mode: Mode.Keys, suite: Suite.X25519 });
    world.connect();
    const [message1 = NONE, record = NONE] = splitStream(world.links[0]?.bytes('d2g') ?? NONE);
    const [message2 = NONE] = splitStream(world.links[0]?.bytes('g2d') ?? NONE);
    const [resume1 = NONE] = splitStream(world.links[1]?.bytes('d2g') ?? NONE);
    const [resume2 = NONE] = splitStream(world.links[1]?.bytes('g2d') ?? NONE);
    const before = snapshot(world);
    for (const first of [record, message2, resume2, resume1])
      for (const second of [message1, record, message2, resume1, resume2]) {
        const port = world.gateway.listen(Transport.Stream);
        port.receive(first, world.now);
        port.receive(second, world.now);
        assert.equal(port.collect(world.now).length, 0);
        assert.equal(port.state, 'closed');
      }
    for (const second of [message1, message2, resume1, resume2]) {
      const port = world.gateway.listen(Transport.Stream);
      port.receive(message1, world.now);
      assert.equal(port.collect(world.now).length, 1);
      port.receive(second, world.now);
      assert.deepEqual([port.collect(world.now).length, port.state], [0, 'closed']);
    }
    assert.equal(snapshot(world), before);
  });
}

/** message 1 of a fresh device, message 2, and the first record each way, with the world as it was before each. */
function everyBit(pair: EnginePair): void {
  for (const variant of variants) {
    it(`class 9 and 19, ${variant.name}: message 1 with any bit flipped or cut short anywhere gets no answer and changes nothing`, () => {
      const world = new World(pair, variant);
      world.dial();
      const message = concat(...world.device.output(world.now));
      const before = snapshot(world);
      const refused = (bytes: Uint8Array, what: string): void => {
        const port = world.gateway.listen(Transport.Stream);
        port.receive(bytes, world.now);
        assert.equal(port.collect(world.now).length, 0, what);
        assert.notEqual(port.state, 'live', what);
        port.close();
      };
      for (let bit = 0; bit < 8 * message.length; bit++) refused(flipped(message, bit), `bit ${bit}`);
      for (let type = 0; type < 256; type++) {
        const other = message.slice();
        other[2] = type;
        if (type !== message[2]) refused(other, `type ${type}`);
      }
      for (let length = 0; length < message.length; length++) {
        refused(message.slice(0, length), `cut to ${length}`);
        if (length >= 2)
          refused(concat(Uint8Array.of(0, length - 2), message.slice(2, length)), `shortened to ${length}`);
      }
      refused(concat(Uint8Array.of(0, message.length - 1), message.slice(2), Uint8Array.of(0)), 'one byte longer');
      assert.equal(snapshot(world), before);
      world.connect();
      assert.ok(world.device.core.live);
    });

    it(`class 9 and 19, ${variant.name}: message 2 with any bit flipped or cut short anywhere is refused, and the genuine one taken`, () => {
      const world = new World(pair, variant);
      world.dial();
      const port = world.link?.port;
      assert.ok(port);
      for (const bytes of world.device.output(world.now)) port.receive(bytes, world.now);
      const answer = concat(...port.collect(world.now));
      const tries = [
        ...Array.from({ length: 8 * answer.length }, (_, bit) => flipped(answer, bit)),
        ...Array.from({ length: answer.length - 2 }, (_, length) =>
          concat(Uint8Array.of(0, length), answer.slice(2, 2 + length)),
        ),
        concat(Uint8Array.of(0, answer.length - 1), answer.slice(2), Uint8Array.of(0)),
      ];
      for (const bad of tries) {
        world.device.core.disconnected(world.now);
        world.device.core.connect(Transport.Stream, world.now);
        world.device.output(world.now);
        const before = hex(world.device.core.digest());
        const types = world.device.core.receive(bad, world.now).map(({ type }) => type);
        assert.ok(types.length === 0 || (types.length === 1 && types[0] === 'drop'), types.join(' '));
        if (types.length === 1) assert.equal(hex(world.device.core.digest()), before, hex(bad));
        assert.equal(world.device.core.live, false);
      }
      world.connect();
      assert.ok(world.device.core.live);
    });

    it(`class 19, ${variant.name}: the first record either way with any bit flipped or cut short is refused, and the genuine one taken`, () => {
      const world = new World(pair, variant);
      world.dial();
      const port = world.link?.port;
      assert.ok(port);
      const message1 = concat(...world.device.output(world.now));
      port.receive(message1, world.now);
      world.device.handle(world.device.core.receive(concat(...port.collect(world.now)), world.now));
      if (world.device.core.deadline() <= world.now) world.device.handle(world.device.core.timeout(world.now));
      const record = splitStream(concat(...world.device.output(world.now)))[0] ?? NONE;
      const before = snapshot(world);
      const again = () => {
        const other = world.gateway.listen(Transport.Stream);
        other.receive(message1, world.now);
        assert.equal(other.collect(world.now).length, 1);
        return other;
      };
      const bad = [
        ...Array.from({ length: 8 * record.length }, (_, bit) => flipped(record, bit)),
        ...Array.from({ length: record.length }, (_, length) => record.slice(0, length)),
      ];
      for (const bytes of bad) {
        const other = again();
        other.receive(bytes, world.now);
        assert.notEqual(other.state, 'live');
        assert.equal(other.collect(world.now).length, 0);
        other.close();
      }
      assert.equal(snapshot(world), before);
      const good = again();
      good.receive(record, world.now);
      assert.equal(good.state, 'live');
      const reply = splitStream(concat(...good.collect(world.now)))[0];
      if (reply === undefined) return;
      for (let bit = 0; bit < 8 * reply.length; bit++) {
        const state = hex(world.device.core.digest());
        const types = world.device.core.receive(flipped(reply, bit), world.now).map(({ type }) => type);
        if (types.length > 0) assert.equal(hex(world.device.core.digest()), state, `bit ${bit}`);
        assert.ok(types.length === 0 || (types.length === 1 && types[0] === 'drop'), `bit ${bit}: ${types.join(' ')}`);
        // a header that promises more than is there leaves the record half read: that link is over
        if (types.length === 0) return;
      }
    });
  }
}

function lines(pair: EnginePair): void {
  it('serial: frames lost, flipped, repeated or torn: the device resumes, every byte arrives once', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seeded(seed);
      const world = new World(pair, TICKET, { transport: Transport.Serial });
      const disturb = (bytes: Uint8Array): Uint8Array[] => {
        const dice = random();
        if (dice < 0.05) return [];
        if (dice < 0.1) return [flipped(bytes, Math.floor(random() * 8 * bytes.length))];
        if (dice < 0.15) return [bytes, bytes];
        if (dice < 0.2) return [bytes.slice(0, Math.floor(random() * bytes.length))];
        return [bytes];
      };
      const echoed: StreamEnd[] = [];
      world.gateway.prepare = (session) => {
        session.onOpen = (end) => {
          echoed.push(end);
          session.core.consume(end.id, 0);
          end.write(pattern(2000, 2), true);
        };
      };
      world.connect();
      const device = world.device.open('echo');
      device.write(pattern(3000, 1), true);
      world.hang();
      for (let attempt = 0; attempt < 300 && device.code === undefined; attempt++) {
        if (world.link === undefined) {
          world.dial();
          const link = world.link as World['link'];
          if (link) link.mangle = (_direction, bytes) => splitSerial(bytes).flatMap(disturb);
        }
        world.advance(2000);
      }
      assert.equal(device.code, 0, `seed ${seed}`);
      assert.equal(hex(device.received), hex(pattern(2000, 2)), `seed ${seed}`);
      assert.equal(hex(echoed[0]?.received ?? NONE), hex(pattern(3000, 1)), `seed ${seed}`);
    }
  });

  it('serial: message 1 and message 2 lost, repeated, late: the session comes up all the same', () => {
    for (const variant of variants) {
      const world = new World(pair, variant, { transport: Transport.Serial });
      world.dial();
      let lost = 0;
      if (world.link) world.link.mangle = (_direction, bytes) => (lost++ < 2 ? [] : [bytes, bytes]);
      world.until(() => world.device.core.live, variant.name);
    }
  });

  it('serial: every frame of a handshake with any bit flipped; the genuine one is taken afterwards', () => {
    const world = new World(pair, TICKET, { transport: Transport.Serial });
    world.dial();
    const message1 = concat(...world.device.output(world.now));
    const port = world.link?.port;
    assert.ok(port);
    for (let bit = 0; bit < 8 * message1.length; bit++) {
      port.receive(flipped(message1, bit), world.now);
      port.receive(Uint8Array.of(0), world.now);
      assert.equal(port.collect(world.now).length, 0, `bit ${bit}`);
    }
    port.receive(message1, world.now);
    const message2 = concat(...port.collect(world.now));
    assert.ok(message2.length > 0);
    for (let bit = 0; bit < 8 * message2.length; bit += 7) {
      const line = concat(Uint8Array.of(0), flipped(message2, bit), Uint8Array.of(0));
      assert.deepEqual(world.device.core.receive(line, world.now), []);
      assert.equal(world.device.core.live, false);
      if (bit % 49 !== 42) continue;
      // eight bad answers end an attempt; the next repeats the same message 1
      world.device.core.disconnected(world.now);
      world.device.core.connect(Transport.Serial, world.now);
      assert.equal(hex(concat(...world.device.output(world.now))), hex(message1));
    }
    world.deliver(world.link ?? assert.fail(), 'g2d', [message2]);
    world.pump();
    assert.ok(world.device.core.live);
  });

  it("serial: a session says 'handshake' with bytes that a new Accept takes", () => {
    const world = connected(pair, TICKET, { transport: Transport.Serial });
    const session = world.session;
    world.device.core.disconnected(world.now);
    world.device.core.connect(Transport.Serial, world.now);
    const message1 = concat(...world.device.output(world.now));
    const events = session.core.receive(message1.slice(), world.now);
    assert.equal(events.length, 1);
    const [event] = events;
    if (event?.type !== 'handshake') return assert.fail(String(event?.type));
    const accept = pair.gateway.accept(Transport.Serial);
    assert.equal(accept.receive(event.message.slice(), world.now).event?.type, 'ticket');
  });
}

forEachPair('attacks between both ends', (pair) => {
  liveGarbage(pair);
  replayAndReflection(pair);
  lines(pair);
});

forEachEngine('attacks on every bit', (engine, name) => {
  everyBit({
    name,
    get device() {
      return engine();
    },
    get gateway() {
      return engine();
    },
  });
});
