/**
 * The traces of the two reviews that concern one gateway, as they were written down, on every pair of engines. Each is followed by the old rule,
 * put back, under which the trace ends as the review says. Traces of flash that fails, of stamps and of `early` are in crash.test.ts and
 * replay.test.ts; README.md says which.
 */

import assert from 'node:assert/strict';
import { Mode, Transport, Verdict } from '../../lib/engine.js';
import { hex, pattern, splitStream } from '../suite/bytes.js';
import { forEachPair, variants, type EnginePair, type Variant } from '../suite/engines.js';
import type { TestSession } from '../suite/gateway-double.js';
import { connected, World } from '../suite/harness.js';
import { attack } from './classes.js';
import { layered } from './faults.js';

const TICKET = variants[6] as Variant;
const PSK = variants[4] as Variant;

/** Names of the streams that the gateway hands to an upstream from now on. */
function handedOver(world: World): string[] {
  const names: string[] = [];
  const watch = (session: TestSession): void => {
    session.onOpen = (end) => {
      names.push(end.name);
      session.core.consume(end.id, 0);
    };
  };
  watch(world.session);
  world.gateway.prepare = watch;
  return names;
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
  'a boot burns a block': (check, pair) => {
    const device = layered(pair.device, {
      device: (core) => {
        let burnt = false;
        // The message 1 of a boot is one that the gateway will not know: its ticket is of a block further on.
        return {
          send: (now) => {
            const bytes = core.send(now);
            if (!burnt && bytes?.[2] === 0x18) bytes.set(pattern(8), 3);
            burnt = true;
            return bytes;
          },
        };
      },
    });
    check({ ...pair, device });
  },
});

/** C2: the claim stands, the answer is lost with the gateway that gave it, the same message 1 comes to its successor. */
function refusalIsAClaim(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  const handed = handedOver(world);
  world.hang();
  const stream = world.device.open('plus-one');
  stream.write(pattern(4));
  world.dial(stream);
  if (world.link) world.link.cutAfter.g2d = 0;
  world.pump();
  world.gateway.restart(true);
  world.now += 61_000;
  world.until(() => stream.verdict !== undefined, 'a verdict');
  world.advance(200);
  assert.equal(stream.verdict, Verdict.Unknown);
  assert.deepEqual(handed, ['plus-one']);
}

attack('C2: who is not sure says UNKNOWN', refusalIsAClaim, {
  'whoever is not sure refuses': (check, pair) => {
    const gateway = layered(pair.gateway, {
      accept: (core) => ({
        answerTicket: (verdict, ...rest) =>
          core.answerTicket(verdict === Verdict.Unknown ? Verdict.NotTaken : verdict, ...rest),
      }),
    });
    check({ ...pair, gateway });
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
  'the answer depends on message 1 alone': (check, pair) => {
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

forEachPair('M4: a withheld first record kills no younger session', (pair) =>
  it('holds', () => withheldFirstRecord(pair)),
);

/** H6: a device that lost its RAM opens the same stream id again; no byte of the old stream meets the new one. */
function noSplice(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  const { device, gateway } = world.openStream('old');
  device.write(pattern(500, 1));
  world.advance(100);
  assert.equal(gateway.received.length, 500);
  world.reboot();
  world.connect();
  const again = world.openStream('new');
  again.device.write(pattern(40, 2));
  world.advance(100);
  assert.equal(again.device.id, device.id);
  assert.equal(hex(again.gateway.received), hex(pattern(40, 2)));
  assert.equal(gateway.received.length, 500, 'the old end has what it had');
}

attack('H6: streams of two sessions are never spliced', noSplice, {
  'DATA of a new session lands in the old state': (check, pair) => {
    const gateway = layered(pair.gateway, {
      gateway: (core) => ({
        receive: (chunk, now) =>
          core
            .receive(chunk, now)
            .map((event) =>
              event.type === 'data'
                ? { ...event, data: event.data.slice(0, Math.max(1, event.data.length - 1)) }
                : event,
            ),
      }),
    });
    check({ ...pair, gateway });
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
  assert.deepEqual([answers, seen.size, world.gateway.counters.answered], [20, 1, 1]);
}

attack('H9: a replayed message 1 gets the cached answer', oneAnswer, {
  'every copy is answered afresh': (check, pair) => {
    let copies = 0;
    const gateway = layered(pair.gateway, {
      accept: (core) => ({ digest1: Uint8Array.of(...core.digest1.slice(0, 28), 0, 0, 0, copies++ & 255) }),
    });
    check({ ...pair, gateway });
  },
});

/** Second review 1: early data whose answers are all lost, and the device jumps: the verdict is UNKNOWN. */
function jumpIsUnknown(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  const handed = handedOver(world);
  world.hang();
  const stream = world.device.open('once');
  stream.write(pattern(7));
  world.dial(stream);
  if (world.link) world.link.cutAfter.g2d = 0;
  world.pump();
  world.now += 6 * 60_000;
  world.until(() => stream.verdict !== undefined, 'a verdict');
  world.advance(500);
  assert.equal(stream.verdict, Verdict.Unknown);
  assert.deepEqual(handed, ['once'], 'handed over once');
}

attack('second review 1: a position that is left without a verdict', jumpIsUnknown, {
  'its data counts as not taken': (check, pair) => {
    const device = layered(pair.device, {
      device: (core) => {
        const not = <T extends { type: string }>(events: T[]): T[] =>
          events.map((event) => (event.type === 'verdict' ? { ...event, verdict: Verdict.NotTaken } : event));
        return {
          receive: (chunk, now) => not(core.receive(chunk, now)),
          timeout: (now) => not(core.timeout(now)),
        };
      },
    });
    check({ ...pair, device });
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
  assert.equal(world.setup.mode, Mode.Psk);
  world.connect();
  assert.equal(world.device.core.handshake?.kind, 'resumption');
}

attack('second review 5: a lost first record of a full handshake', lostFirstRecord, {
  'the device resumes what the gateway never learnt of': (check, pair) => {
    const device = layered(pair.device, {
      device: (core) => ({
        connect: (...args) => ({ ...core.connect(...args), kind: 'resumption' as const }),
      }),
    });
    check({ ...pair, device });
  },
});

/** Second review 11: a forged message 2 costs a `keys` device nothing and changes nothing. */
function forgedMessage2(pair: EnginePair): void {
  const world = new World(pair, variants[0]);
  world.dial();
  const port = world.link?.port;
  for (const bytes of world.device.output(world.now)) port?.receive(bytes, world.now);
  const [answer] = splitStream(port?.collect(world.now)[0] ?? new Uint8Array(0));
  assert.ok(answer);
  const before = hex(world.device.core.digest());
  const forged = answer.slice();
  forged.set(pattern(32, 6), 3);
  assert.equal(world.device.core.receive(forged, world.now).at(-1)?.type, 'drop');
  assert.equal(hex(world.device.core.digest()), before, 'its gate MAC is looked at first, and nothing has changed');
}

attack('second review 11: a forged message 2', forgedMessage2, {
  'a bad answer ends the attempt': (check, pair) => {
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
});
