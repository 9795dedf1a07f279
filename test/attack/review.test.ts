/**
 * The traces of the two reviews that concern one gateway, as they were written down, on every pair of engines. Each is followed by the old rule,
 * put back, under which the trace ends as the review says. Those that need the gateway as it is shipped are in review-gateway.test.ts, those of
 * flash that fails, of stamps and of `early` in crash.test.ts and replay.test.ts; README.md says which.
 */

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { Transport, Verdict, type AcceptCore, type Chain } from '../../lib/engine.js';
import { Port } from '../../lib/engine/js/crypto.js';
import { Device } from '../../lib/engine/js/device.js';
import { nextBlock } from '../../lib/engine/js/resume.js';
import { readSlot, writeSlot } from '../../lib/engine/js/saved.js';
import { concat, hex, pattern, splitStream, utf8 } from '../suite/bytes.js';
import type { Credentials } from '../suite/credentials.js';
import { TestDevice } from '../suite/device-double.js';
import { StreamEnd } from '../suite/ends.js';
import { variants, type EnginePair, type Variant } from '../suite/engines.js';
import { TestGateway, TestPort, type TestSession } from '../suite/gateway-double.js';
import { connected, World } from '../suite/harness.js';
import { attack } from './classes.js';
import { layered, patched } from './faults.js';

const TICKET = variants[6] as Variant;
const PSK = variants[4] as Variant;
const KEYS = variants[0] as Variant;
const NONE = new Uint8Array(0);
/** The first unit of a dialled device. */
const firstUnit = (world: World): Uint8Array => world.device.output(world.now)[0] ?? assert.fail('no message 1');
/** Sees to every gateway of a check before it serves anything. */
const withGateway = (seed: (gateway: TestGateway) => void, action: () => void): void =>
  patched(
    TestGateway.prototype,
    'add',
    (original, gateway) =>
      (...args) => {
        seed(gateway);
        return original(...args);
      },
    action,
  );

/** Names of the streams that the gateway hands to an upstream from now on. */
function handedOver(world: World): string[] {
  const names: string[] = [];
  const watch = (session: TestSession): void => {
    session.onOpen = (end) => {
      names.push(end.name);
      session.core.consume(end.id, 0);
    };
  };
  const present = world.gateway.session();
  if (present) watch(present);
  world.gateway.prepare = watch;
  return names;
}

/** A device that dials with a stream's first bytes in its message 1. */
function withEarlyData(pair: EnginePair, name: string, length: number) {
  const world = connected(pair, TICKET);
  const handed = handedOver(world);
  world.hang();
  const stream = world.device.open(name);
  stream.write(pattern(length));
  world.dial(stream);
  return { world, handed, stream };
}

/** C1: boots without contact, as many as you like. */
function bootsWithoutContact(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  for (let boot = 0; boot < 12; boot++) {
    world.reboot();
    world.dial();
    world.device.output(world.now);
  }
  world.reboot();
  world.connect();
  assert.equal(world.device.core.live, true, 'locked out by boots');
}

attack('C1: boots without contact lock nobody out', bootsWithoutContact, {
  'a boot burns a block': {
    red: /locked out by boots/,
    seed: (check, pair) =>
      patched(
        TestDevice.prototype,
        'boot',
        (original, device) => () => {
          const { flash } = device;
          const port = new Port();
          flash.slots = flash.slots.map((image) => {
            const slot = readSlot(port, image);
            return slot && writeSlot(port, { ...slot, f: slot.f + 1, block: nextBlock(port, slot.block) });
          }) as typeof flash.slots;
          return original();
        },
        () => check(pair),
      ),
  },
});

/** C2: the claim stands, the answer is lost with the gateway that gave it, the same message 1 comes to its successor. */
function refusalIsAClaim(pair: EnginePair): void {
  const { world, handed, stream } = withEarlyData(pair, 'plus-one', 4);
  if (world.link) world.link.cutAfter.g2d = 0;
  world.pump();
  world.gateway.restart(true);
  world.now += 61_000;
  world.until(() => stream.verdict !== undefined, 'a verdict');
  world.advance(200);
  assert.deepEqual(handed, ['plus-one'], 'handed over once');
  assert.equal(stream.verdict, Verdict.Unknown);
}

attack('C2: who is not sure says UNKNOWN', refusalIsAClaim, {
  'whoever is not sure refuses': {
    red: /handed over once/,
    seed: (check, pair) => {
      const gateway = layered(pair.gateway, {
        accept: (core) => ({
          answerTicket: (verdict, ...rest) =>
            core.answerTicket(verdict === Verdict.Unknown ? Verdict.NotTaken : verdict, ...rest),
        }),
      });
      check({ ...pair, gateway });
    },
  },
});

/** C3: the same message 1 after a restart: another answer, under other keys. */
function freshAnswer(pair: EnginePair): void {
  const world = new World(pair, TICKET);
  world.dial();
  const [message1] = world.device.output(world.now);
  assert.ok(message1);
  const answers = new Set<string>();
  for (let life = 0; life < 5; life++) {
    world.gateway.restart();
    const port = world.gateway.listen(Transport.Stream);
    port.receive(message1.slice(), world.now);
    const [answer] = port.collect(world.now);
    answers.add(hex(answer?.slice(3, 19) ?? new Uint8Array(0)));
    port.close();
  }
  assert.equal(answers.size, 5, 'n_g is drawn afresh for each answer');
}

attack('C3: an answer is never given twice by two processes', freshAnswer, {
  'the answer depends on message 1 alone': {
    red: /n_g is drawn afresh/,
    seed: (check, pair) => {
      const kept = new Map<string, Uint8Array>();
      const gateway = layered(pair.gateway, {
        accept: (core) => ({
          answerTicket: (...args) => {
            const key = hex(core.digest1);
            const answer = kept.get(key) ?? core.answerTicket(...args).slice();
            kept.set(key, answer);
            return answer.slice();
          },
        }),
      });
      check({ ...pair, gateway });
    },
  },
});

/** C4 and second review 6: a saved state is restored, and once more with other bytes to send: under its name nothing is said twice. */
function restoredTwice(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  const { device, gateway } = world.openStream('old');
  device.write(pattern(100, 1));
  world.advance(100);
  world.hang();
  const blob = world.device.core.save('retained');
  for (const wake of [2, 3]) {
    world.reboot();
    try {
      world.device.core.restore(blob, new Map([[device.id, 'old']]));
    } catch {
      continue; // nothing is left to go on from
    }
    const end = new StreamEnd(device.id, device.name, device.kind);
    Object.assign(end, { written: concat(pattern(100, 1), pattern(50, wake)), acked: 100 });
    end.goOnFrom(100);
    world.device.streams.set(end.id, end);
    world.connect();
    world.advance(100);
    world.hang(); // and RAM is gone again
  }
  assert.equal(
    hex(gateway.received),
    hex(pattern(100, 1)) + hex(pattern(50, 2)),
    'what the first wake said, and no more',
  );
  assert.ok(
    blob.every((byte) => byte === 0),
    'a state that was restored is used',
  );
}

attack('C4, second 6: a saved state that is restored twice', restoredTwice, {
  'the state is not marked as used': {
    red: /a state that was restored is used/,
    seed: (check, pair) => {
      const device = layered(pair.device, {
        device: (core) => ({ restore: (blob, names) => core.restore(blob.slice(), names) }),
      });
      check({ ...pair, device });
    },
  },
});

/** M4 and second review 4: a withheld first record of an older session comes when a younger one is live. */
function withheldFirstRecord(pair: EnginePair): void {
  for (const variant of [TICKET, PSK]) {
    const world = connected(pair, variant);
    world.reboot();
    world.dial();
    const first = world.link;
    assert.ok(first);
    first.mangle = (direction, bytes) => (direction === 'd2g' && first.log.d2g.length > 1 ? [] : [bytes]);
    world.pump();
    const held = first.log.d2g[1];
    assert.ok(held, 'its first record is withheld');
    const older = first.port;
    world.link = undefined;
    world.device.core.disconnected(world.now);
    world.connect();
    assert.equal(world.device.core.live, true);
    const name = hex(world.session.core.name);
    older.receive(held, world.now);
    assert.equal(hex(world.session.core.name), name, `${variant.name}: the older session took over`);
    assert.equal(world.session.core.live, true);
  }
}

attack('M4, second 4: a withheld first record kills no younger session', withheldFirstRecord, {
  'candidates outlive the one that was confirmed, and are not compared with it': {
    red: /the older session took over/,
    seed: (check, pair) =>
      patched(
        TestGateway.prototype,
        'confirm',
        (original, gateway) =>
          (...args) => {
            const ports = [...gateway.ports];
            gateway.ports.clear(); // those that it would close
            const { confirm } = gateway.rules;
            gateway.rules = { ...gateway.rules, confirm: (record, ...rest) => confirm(record, ...rest) ?? record };
            try {
              return original(...args);
            } finally {
              for (const port of ports) gateway.ports.add(port);
            }
          },
        () => check(pair),
      ),
  },
});

/** H6: a device that lost its RAM opens the same stream id again; no byte of the old stream meets the new one. */
function noSplice(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  const { device, gateway } = world.openStream('old');
  device.write(pattern(500, 1));
  world.advance(100);
  assert.equal(gateway.received.length, 500, 'the old end has it all');
  world.reboot();
  world.connect();
  const again = world.openStream('new');
  again.device.write(pattern(40, 2));
  world.advance(100);
  assert.equal(again.device.id, device.id);
  assert.equal(hex(again.gateway.received), hex(pattern(40, 2)), 'the new end has what was written to it');
  assert.equal(gateway.received.length, 500, 'the old end has what it had');
}

attack('H6: streams of two sessions are never spliced', noSplice, {
  'DATA of a new session lands in the old state': {
    red: /the new end has what was written to it/,
    seed: (check, pair) => {
      // Streams are kept by device: whatever session a number comes in, it is the same stream.
      patched(
        TestGateway.prototype,
        'newSession',
        (original, gateway) => (row) => {
          const session = original(row);
          for (const [id, end] of gateway.session(row)?.streams ?? []) session.streams.set(id, end);
          const handle = session.handle.bind(session);
          session.handle = (events) =>
            handle(events.filter((event) => event.type !== 'open' || !session.streams.has(event.stream)));
          return session;
        },
        () => check(pair),
      );
    },
  },
});

/** H9: a recorded message 1, sent again and again, costs one set of ECDH and one answer. */
function oneAnswer(pair: EnginePair): void {
  const world = new World(pair, PSK);
  world.dial();
  const [message1] = world.device.output(world.now);
  assert.ok(message1);
  let answers = 0;
  const seen = new Set<string>();
  for (let copy = 0; copy < 20; copy++) {
    const port = world.gateway.listen(Transport.Stream);
    port.receive(message1.slice(), world.now);
    for (const answer of port.collect(world.now)) {
      answers++;
      seen.add(hex(answer));
      assert.ok(answer.length <= message1.length, 'no amplification');
    }
    port.close();
  }
  assert.deepEqual(
    [answers, seen.size, world.gateway.counters.answered],
    [20, 1, 1],
    'one set of ECDH, and the same answer to all',
  );
}

attack('H9: a replayed message 1 gets the cached answer', oneAnswer, {
  'every copy is answered afresh': {
    red: /one set of ECDH, and the same answer to all/,
    seed: (check, pair) => {
      let copies = 0;
      const gateway = layered(pair.gateway, {
        accept: (core) => ({ digest1: Uint8Array.of(...core.digest1.slice(0, 28), 0, 0, 0, copies++ & 255) }),
      });
      check({ ...pair, gateway });
    },
  },
});

/** Second review 1: early data whose answers are all lost, and the device jumps: the verdict is UNKNOWN. */
function jumpIsUnknown(pair: EnginePair): void {
  const { world, handed, stream } = withEarlyData(pair, 'once', 7);
  if (world.link) world.link.cutAfter.g2d = 0;
  world.pump();
  world.gateway.restart(); // with the session whose offsets would tell
  world.now += 6 * 60_000;
  world.until(() => stream.verdict !== undefined, 'a verdict');
  world.advance(500);
  assert.deepEqual(handed, ['once'], 'handed over once');
  assert.equal(stream.verdict, Verdict.Unknown);
}

attack('second 1: a position that is left without a verdict', jumpIsUnknown, {
  'its data is sent again by itself': {
    red: /handed over once/,
    seed: (check, pair) => {
      const device = layered(pair.device, {
        device: (core) => ({
          connect: (transport, now, early) => core.connect(transport, now, early && { ...early, idempotent: true }),
        }),
      });
      check({ ...pair, device });
    },
  },
});

/** Second review 5: the first record of a full handshake is lost; both ends agree again by themselves. */
function lostFirstRecord(pair: EnginePair): void {
  const world = new World(pair, PSK);
  for (let round = 0; round < 3; round++) {
    world.dial();
    const { link } = world;
    if (link) link.mangle = (direction, bytes) => (direction === 'd2g' && link.log.d2g.length > 1 ? [] : [bytes]);
    world.pump();
    world.hang();
  }
  const kinds = world.climb(4);
  assert.deepEqual(kinds, ['full'], 'nothing tells it that the gateway knows the new chain');
  world.connect();
  assert.equal(world.device.core.handshake?.kind, 'resumption', 'and from then on it resumes');
}

attack('second 5: a lost first record of a full handshake', lostFirstRecord, {
  'a chain counts as soon as the device has it in flash': {
    red: /nothing tells it that the gateway knows the new chain/,
    seed: (check, pair) =>
      patched(
        Device.prototype,
        'stored',
        (original, device) => (ok) => {
          original(ok);
          // What a valid record of the gateway does.
          (device as unknown as { heard(now: number): void }).heard(0);
        },
        () => check(pair),
      ),
  },
});

/** ECDH that JS engines do meanwhile; those of others are not seen. */
function agreements(action: () => void): number {
  let count = 0;
  const counted = (dh: Port['dh']): Port['dh'] => {
    return (...args) => {
      count++;
      return dh(...args);
    };
  };
  patched(Port.prototype, 'dh', counted, action);
  return count;
}

/** Second review 7: early data of a session that is gone is not TAKEN. */
function takenAndNew(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  const { device } = world.openStream('old');
  device.write(pattern(500, 1));
  world.advance(100);
  world.hang();
  world.gateway.restart();
  const handed = handedOver(world);
  device.write(pattern(20, 2));
  world.connect(device);
  world.advance(100);
  assert.equal(device.verdict, Verdict.NotTaken, 'frames of a state that is gone');
  assert.deepEqual([device.code, handed], [5, []], 'the stream has lost its state');
}

attack('second 7: early data of a session that is gone', takenAndNew, {
  'it is taken, together with NEW': {
    red: /frames of a state that is gone/,
    seed: (check, pair) =>
      withGateway(
        (gateway) => {
          const { claim } = gateway.rules;
          gateway.rules = {
            ...gateway.rules,
            claim: (record, message, ...rest) => claim(record, { ...message, refuse: false }, ...rest),
          };
        },
        () => check(pair),
      ),
  },
});

/** M1: the answer at a block start is lost again and again. Nothing is erased before the first record. */
function lostAnswers(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  world.reboot();
  for (let round = 0; round < 4; round++) {
    world.dial();
    if (world.link) world.link.cutAfter.g2d = 0;
    world.pump();
    world.now += 61_000;
  }
  world.connect();
  assert.equal(world.device.core.live, true, 'locked out by answers that were lost');
}

attack('M1: answers that are lost at a block start', lostAnswers, {
  'the gateway erases a position when it answers': {
    red: /locked out by answers that were lost/,
    seed: (check, pair) =>
      withGateway(
        (gateway) => {
          const { claim } = gateway.rules;
          gateway.rules = {
            ...gateway.rules,
            claim: (...args) => {
              const result = claim(...args);
              const { b, i } = args[1].q;
              return result && { ...result, record: { ...result.record, p: { b, i: i + 1 } } };
            },
          };
        },
        () => check(pair),
      ),
  },
});

/** M2: a message 1 that is kept back delivers nothing once the device's next one was accepted. */
function keptBack(pair: EnginePair): void {
  const { world, handed } = withEarlyData(pair, 'unlock', 6);
  const held = firstUnit(world);
  world.now += 6 * 60_000; // nothing came of it: the device goes to its block in flash
  world.until(() => world.device.core.live, 'live');
  handed.length = 0;
  const port = world.gateway.listen(Transport.Stream);
  port.receive(held.slice(), world.now);
  assert.deepEqual([handed, port.collect(world.now).length], [[], 0], 'it comes after the next and is not heard');
}

attack('M2: early data that is kept back', keptBack, {
  'a position that was passed may come back': {
    red: /it comes after the next and is not heard/,
    seed: (check, pair) => {
      const past: Chain[] = [];
      const gateway = layered(pair.gateway, {
        engine: (inner) => ({
          chainMove: (chain, to) => {
            past.push(chain);
            return inner.chainMove(chain, to);
          },
          chainTickets: (chain, ahead) => [chain, ...past].flatMap((each) => inner.chainTickets(each, ahead)),
        }),
        accept: (core) => ({
          offerTicket: (pairing, chain, ahead) => {
            for (const each of [chain, ...past]) {
              const offer = core.offerTicket(pairing, each, ahead);
              if (offer) return offer;
            }
            return undefined;
          },
        }),
      });
      withGateway(
        (double) => {
          const { claim } = double.rules;
          double.rules = {
            ...double.rules,
            claim: (record, message, ...rest) =>
              claim(record, message, ...rest) ?? claim({ ...record, p: message.q }, message, ...rest),
          };
        },
        () => check({ ...pair, gateway }),
      );
    },
  },
});

/** M3: the same answer for sixty seconds; behind them a fresh one, which says UNKNOWN of early data. */
function answersAge(pair: EnginePair): void {
  const { world, handed, stream } = withEarlyData(pair, 'once', 6);
  const first = firstUnit(world);
  const answers = [0, 59_000, 61_000].map((after) => {
    const port = world.gateway.listen(Transport.Stream);
    port.receive(first.slice(), world.now + after);
    const answer = concat(...port.collect(world.now + after));
    port.close();
    return hex(answer);
  });
  assert.equal(answers[1], answers[0], 'it is remembered');
  assert.notEqual(answers[2], answers[0], 'it is forgotten');
  world.now += 62_000;
  world.connect();
  assert.equal(stream.verdict, Verdict.Unknown);
  assert.deepEqual(handed, ['once']);
}

attack('M3: an answer is remembered for a minute', answersAge, {
  'for ever': {
    red: /it is forgotten/,
    seed: (check, pair) =>
      patched(
        TestPort.prototype,
        'receive',
        (original) => (chunk) => original(chunk, 1_000_000),
        () => check(pair),
      ),
  },
});

/** M6: whoever lets no full handshake through ends a chain, at either end that keeps its limit. */
function healingBlocked(pair: EnginePair): void {
  for (const keeps of ['device', 'gateway'] as const) {
    const over = { maxBlocks: 4 };
    const world = connected(pair, PSK, keeps === 'device' ? { deviceOver: over } : { gatewayOver: over });
    let resumed = 0;
    for (let boot = 0; boot < 10; boot++) {
      world.reboot();
      for (let tries = 0; tries < 2 && !world.device.core.live; tries++) {
        world.dial();
        const { link } = world;
        if (link) link.mangle = (_direction, bytes) => (link.log.d2g[0]?.[2] === 0x18 ? [bytes] : []);
        world.pump();
      }
      if (world.device.core.live) resumed++;
    }
    assert.equal(resumed, 3, `blocks 1 to 3, as the ${keeps} counts`);
  }
}

attack('M6, second 18: full handshakes that are dropped', healingBlocked, {
  'the device has no limit': {
    red: /as the device counts/,
    seed: (check, pair) => {
      const device = layered(pair.device, {
        engine: (inner) => ({ device: (pairing, ...rest) => inner.device({ ...pairing, maxBlocks: 4096 }, ...rest) }),
      });
      check({ ...pair, device });
    },
  },
  'the gateway has no limit': {
    red: /as the gateway counts/,
    seed: (check, pair) => {
      const gateway = layered(pair.gateway, {
        accept: (core) => ({
          offerTicket: (pairing, ...rest) => core.offerTicket({ ...pairing, maxBlocks: 4096 }, ...rest),
        }),
      });
      check({ ...pair, gateway });
    },
  },
});

/** M8: whoever knows ids and public keys, and has a key of its own, does not come past the gate: no ECDH. */
function gateKeepsOut(pair: EnginePair): void {
  let past = 0;
  const gateway = layered(pair.gateway, {
    accept: (core) => ({
      offerId: (pairing) => {
        const fits = core.offerId(pairing);
        past += fits ? 1 : 0;
        return fits;
      },
    }),
  });
  const deviceSecrets = (): Partial<Credentials> => {
    const own = pair.device.generateKey(KEYS.suite);
    return { devicePrivate: own.secret, devicePublic: own.public };
  };
  const world = new World({ ...pair, gateway }, KEYS, { deviceSecrets });
  world.dial();
  const first = firstUnit(world);
  const ecdh = agreements(() => world.link?.port.receive(first.slice(), world.now));
  assert.deepEqual([past, ecdh], [0, 0], 'whoever knows what is public is past the gate');
}

attack('M8: the gate in front of the ECDH', gateKeepsOut, {
  'its key comes from what is public': {
    red: /whoever knows what is public is past the gate/,
    seed: (check, pair) => {
      const engine = layered(pair.device, {
        engine: (inner) => ({ gateKeys: (_ss, psk, ...ids) => inner.gateKeys(pattern(32, 1), psk, ...ids) }),
      });
      check({ ...pair, device: engine, gateway: engine });
    },
  },
});

/** Second review 10: the same message 1 over two transports: an answer for each. */
function perTransport(pair: EnginePair): void {
  for (const [first, second] of [
    [Transport.Stream, Transport.Serial],
    [Transport.Serial, Transport.Stream],
  ] as const) {
    const world = new World(pair, TICKET);
    const over = (transport: Transport): Uint8Array => {
      world.device.core.disconnected(world.now);
      world.device.core.connect(transport, world.now);
      const port = world.gateway.listen(transport);
      for (const unit of world.device.output(world.now)) port.receive(unit.slice(), world.now);
      return concat(...port.collect(world.now));
    };
    over(first);
    world.device.handle(world.device.core.receive(over(second), world.now));
    assert.equal(world.device.core.live, true, 'the answer fits the transport it comes over');
  }
}

attack('second 10: one message 1 over two transports', perTransport, {
  'the answer of the first goes out over both': {
    red: /the answer fits the transport it comes over/,
    seed: (check, pair) =>
      patched(
        TestGateway.prototype as unknown as { cached(accept: AcceptCore, transport: Transport, now: number): unknown },
        'cached',
        (original) => (accept, transport, now) =>
          original(accept, transport, now) ??
          original(accept, transport === Transport.Stream ? Transport.Serial : Transport.Stream, now),
        () => check(pair),
      ),
  },
});

/** Second review 12: the gate's keys are those of SPEC 4, in which `ss` and psk cannot be told for one another. */
function gateKeysAsSpecified(pair: EnginePair): void {
  const [ss, psk] = [pattern(32, 1), pattern(32, 2)];
  const [id, gatewayId] = [utf8('meter-07'), utf8('gateway-1')];
  for (const engine of [pair.device, pair.gateway])
    for (const secret of [undefined, psk]) {
      const { d2g, g2d } = engine.gateKeys(ss, secret, id, gatewayId);
      assert.equal(hex(concat(d2g, g2d)), hex(gateKeysOf(ss, secret, id, gatewayId)), 'the keys of SPEC 4');
    }
}

/** SPEC 4, from its words. */
function gateKeysOf(ss: Uint8Array, psk: Uint8Array | undefined, id: Uint8Array, gatewayId: Uint8Array): Uint8Array {
  const inner = createHmac('sha256', 'hawser gate').update(ss).digest();
  const of = (direction: number): Uint8Array => {
    const head = Uint8Array.of(direction, psk ? 1 : 0);
    const ids = [Uint8Array.of(id.length), id, Uint8Array.of(gatewayId.length), gatewayId];
    const digest = createHash('sha256')
      .update(concat(head, psk ?? NONE, ...ids))
      .digest();
    return createHmac('sha256', inner).update('gate\0\0\0\0').update(digest).digest();
  };
  return concat(of(1), of(2));
}

attack('second 12: the keys of the gate', gateKeysAsSpecified, {
  '`ss` and psk, one behind the other, are the key of an HMAC': {
    red: /the keys of SPEC 4/,
    seed: (check, pair) => {
      const engine = layered(pair.device, {
        engine: () => ({
          gateKeys: (ss, psk, ...ids) => {
            const of = (direction: number): Uint8Array =>
              createHmac('sha256', concat(ss, psk ?? NONE))
                .update(concat(Uint8Array.of(direction), ...ids))
                .digest();
            return { d2g: of(1), g2d: of(2) };
          },
        }),
      });
      check({ ...pair, device: engine, gateway: engine });
    },
  },
});

/** Second review 11: a forged message 2 costs a `keys` device no ECDH and changes nothing. */
function forgedMessage2(pair: EnginePair): void {
  const world = new World(pair, KEYS);
  world.dial();
  const port = world.link?.port;
  for (const bytes of world.device.output(world.now)) port?.receive(bytes, world.now);
  const [answer] = splitStream(port?.collect(world.now)[0] ?? NONE);
  assert.ok(answer);
  const before = hex(world.device.core.digest());
  const forged = answer.slice();
  forged.set(pattern(32, 6), 3);
  const ecdh = agreements(() => assert.equal(world.device.core.receive(forged, world.now).at(-1)?.type, 'drop'));
  assert.equal(ecdh, 0, 'its gate MAC is looked at first');
  assert.equal(hex(world.device.core.digest()), before, 'nothing has changed');
}

attack('second 11: a forged message 2', forgedMessage2, {
  'its gate MAC covers nothing': {
    red: /its gate MAC is looked at first/,
    seed: (check, pair) =>
      patched(
        Port.prototype,
        'prf',
        (original) =>
          (key, label, ...parts) =>
            label === 'mac' ? original(key, label) : original(key, label, ...parts),
        () => check(pair),
      ),
  },
  'a bad answer ends the attempt': {
    red: /nothing has changed/,
    seed: (check, pair) => {
      const device = layered(pair.device, {
        device: (core) => ({
          receive: (chunk, now) => {
            const events = core.receive(chunk, now);
            if (events.some(({ type }) => type === 'drop')) core.disconnected(now + 600_000);
            return events;
          },
        }),
      });
      check({ ...pair, device });
    },
  },
});
