import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as netConnect, type Socket } from 'node:net';

import { Mode, Suite, Verdict, type Secret } from '../../lib/engine.js';
import type { NewPairing } from '../../lib/pairing.js';
import { MemoryStorage } from '../../lib/storage.js';
import type { HawserStream } from '../../lib/stream.js';
import { layered } from '../attack/faults.js';
import { bareDevice, knock, message1 } from './bare.js';
import { delay, echo, engine, service, until, World } from './world.js';

/** Most entries that any one iteration over a Set or a Map went through meanwhile. */
async function longestLook(during: () => Promise<unknown>): Promise<number> {
  let most = 0;
  const undo: (() => void)[] = [];
  const watch = (of: object, name: PropertyKey): void => {
    const own = Object.getOwnPropertyDescriptor(of, name) as PropertyDescriptor;
    const plain = own.value as () => Iterator<unknown>;
    const value = function* (this: unknown): Iterator<unknown> {
      const iterator = plain.call(this);
      let steps = 0;
      for (let next = iterator.next(); !next.done; next = iterator.next()) {
        steps += 1;
        most = Math.max(most, steps);
        yield next.value;
      }
    };
    Object.defineProperty(of, name, { ...own, value });
    undo.push(() => Object.defineProperty(of, name, own));
  };
  for (const of of [Set.prototype, Map.prototype]) {
    watch(of, 'values');
    watch(of, Symbol.iterator);
  }
  try {
    await during();
  } finally {
    for (const put of undo) put();
  }
  return most;
}

describe('gateway', function () {
  this.timeout(20_000);
  let world: World;
  let up: Awaited<ReturnType<typeof echo>>;
  const reopen = async (options: Parameters<World['openGateway']>[0]): Promise<void> => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: up.url }, ...options });
  };
  beforeEach(async () => {
    up = await echo();
    world = await World.start({ upstreams: { echo: up.url } });
  });
  afterEach(async () => {
    await world.stop();
    up.server.close();
  });

  describe('strangers', () => {
    it('garbage gets silence: closed, not a byte, counted', async () => {
      const frame = (length: number, ...bytes: number[]): Buffer =>
        Buffer.concat([Buffer.from([length >> 8, length & 255, ...bytes]), randomBytes(length)]);
      const cases = [
        Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
        Buffer.from([0, 0]),
        Buffer.from([0x40, 0x05, 1, 2, 3, 4, 5]),
        Buffer.from([0xff, 0xff]),
        Buffer.from([0x10, 0x00]),
        frame(57),
        Buffer.concat([Buffer.from([0, 65, 0x11]), randomBytes(64)]),
        Buffer.concat([Buffer.from([0, 46, 0x18]), randomBytes(45)]),
        Buffer.concat([Buffer.from([0, 46, 0x17]), randomBytes(45)]),
        Buffer.concat([Buffer.from([0, 38, 0x1a]), randomBytes(37)]),
      ];
      for (const bytes of cases) {
        const { answer, closed } = await knock(world.port, bytes, 1000);
        assert.equal(answer.length, 0, bytes.toString('hex'));
        assert.equal(closed, true, bytes.toString('hex'));
      }
      const { badMessage, unknownDevice, unknownTicket } = world.gateway.counters.toJSON();
      assert.equal(badMessage + unknownDevice + unknownTicket, cases.length);
      assert.equal(world.gateway.halfOpen, 0);
      assert.deepEqual(world.errors, []);
    });

    for (const [mode, suite] of [
      [Mode.Keys, Suite.X25519],
      [Mode.Psk, Suite.X25519],
      [Mode.Ticket, Suite.None],
    ] as const) {
      it(`mode ${mode}: a real message 1 with any bit changed gets silence, the real one is answered`, async () => {
        const pairing = await world.pair({ mode, suite });
        const real = message1(bareDevice(pairing));
        const before = await world.store.get(pairing.device.id);
        for (let bit = 16; bit < real.length * 8; bit += 7) {
          const bad = Uint8Array.from(real);
          bad.set([(bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))], bit >> 3);
          const { answer, closed } = await knock(world.port, bad, 1000);
          assert.equal(answer.length, 0, `bit ${bit}`);
          assert.equal(closed, true, `bit ${bit}`);
        }
        assert.deepEqual(await world.store.get(pairing.device.id), before, 'nothing moved in the store');
        const { answer } = await knock(world.port, real);
        assert.ok(answer.length > 0 && answer.length <= real.length, 'never longer than message 1');
      });
    }

    it('bytes behind message 1, before its answer: silence', async () => {
      const real = message1(bareDevice(await world.pair({ mode: Mode.Psk })));
      const { answer, closed } = await knock(world.port, Buffer.concat([real, Buffer.from([0])]), 1000);
      assert.deepEqual([answer.length, closed], [0, true]);
    });

    it('bytes that come while the store is asked whose message 1 it is: silence, and no memory for them', async () => {
      const real = message1(bareDevice(await world.pair({ mode: Mode.Psk })));
      const asked: (() => void)[] = [];
      const get = world.store.get.bind(world.store);
      world.store.get = (id) => new Promise<void>((go) => asked.push(go)).then(() => get(id));
      const sockets = Array.from({ length: 50 }, () =>
        netConnect({ port: world.port, host: '127.0.0.1' }).on('error', () => undefined),
      );
      for (const socket of sockets) socket.write(real);
      await until(() => asked.length === sockets.length, 'all are asked for');
      const before = process.memoryUsage().arrayBuffers;
      let answered = 0;
      for (const socket of sockets) socket.on('data', (bytes: Buffer) => (answered += bytes.length));
      for (const socket of sockets) socket.write(Buffer.alloc(100_000, 0x41));
      await until(() => world.gateway.counters.get('badMessage') >= sockets.length, 'all are dropped');
      assert.equal(world.gateway.halfOpen, 0);
      const more = process.memoryUsage().arrayBuffers - before - sockets.length * 100_000; // the senders' own
      assert.ok(more < sockets.length * 10_000, `${more} bytes more`);
      for (const go of asked) go();
      await until(() => sockets.every((socket) => socket.destroyed));
      assert.equal(answered, 0);
    });

    it('whoever says nothing is dropped in time', async () => {
      await reopen({ handshakeTimeout: 60 });
      const { closed } = await knock(world.port, new Uint8Array([0]), 2000);
      assert.equal(closed, true);
      assert.equal(world.gateway.counters.get('handshakeTimeout'), 1);
    });

    it('a crowd of them is bounded and locks nobody out', async () => {
      await reopen({ maxHalfOpen: 20 });
      const pairing = await world.pair({ mode: Mode.Psk });
      const crowd = Array.from({ length: 100 }, () =>
        netConnect({ port: world.port, host: '127.0.0.1' }).on('error', () => undefined),
      );
      await until(() => world.gateway.counters.get('halfOpenLimit') >= 80, 'the oldest went');
      assert.ok(world.gateway.halfOpen <= 20);
      const session = await world.connect(pairing);
      assert.equal(session.live, true);
      for (const socket of crowd) socket.destroy();
    });

    it('a flood from one address ends its own connections, never those of another', async () => {
      await reopen({ maxHalfOpen: 40, maxHalfOpenPerAddress: 10 });
      const from = (localAddress: string): Socket =>
        netConnect({ port: world.port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
      const mine = [from('127.0.0.2'), from('127.0.0.2')];
      let ended = 0;
      for (const socket of mine) socket.on('close', () => (ended += 1));
      await until(() => world.gateway.halfOpen === 2, 'two are there');
      const floods = ['127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6', '127.0.0.7'];
      const crowd = floods.flatMap((address) => Array.from({ length: 30 }, () => from(address)));
      await until(() => world.gateway.counters.get('halfOpenLimit') >= 5 * 20, 'they are too many');
      await delay(50);
      assert.ok(world.gateway.halfOpen <= 40, `${world.gateway.halfOpen} are held`);
      assert.equal(ended, 0, 'those of another address are still there');
      for (const socket of [...crowd, ...mine]) socket.destroy();
    });

    it('the handshake of one more device does not look through those that are live', async () => {
      await reopen({ policyInterval: 600_000 });
      const live = 40;
      const pairings = await Promise.all(Array.from({ length: live + 1 }, () => world.pair({ mode: Mode.Psk })));
      const [last, ...others] = pairings as [NewPairing, ...NewPairing[]];
      for (const pairing of others) await world.connect(pairing);
      await until(() => world.gateway.halfOpen === 0, 'the gateway has them too');
      const seen = await longestLook(async () => {
        await world.connect(last);
        await until(() => world.gateway.halfOpen === 0, 'it has the last');
      });
      assert.ok(seen < live, `${seen} entries of one table`);
      assert.equal(world.gateway.sessions.length, live + 1);
    });

    it('a recorded message 1 over many connections holds four of them, and the device gets in', async () => {
      const pairing = await world.pair({ mode: Mode.Keys, suite: Suite.X25519 });
      const recorded = message1(bareDevice(pairing));
      const sockets = Array.from({ length: 20 }, () =>
        netConnect({ port: world.port, host: '127.0.0.1' }).on('error', () => undefined),
      );
      for (const socket of sockets) socket.write(recorded);
      await until(() => world.gateway.counters.get('halfOpenLimit') === 16, 'all but four went');
      assert.equal(world.gateway.halfOpen, 4);
      const session = await world.connect(pairing);
      assert.equal(session.live, true);
      for (const socket of sockets) socket.destroy();
    });

    it('a replayed full message 1 costs no second ECDH, gets the same answer, and evicts nobody', async () => {
      const pairing = await world.pair({ mode: Mode.Keys, suite: Suite.X25519 });
      const real = message1(bareDevice(pairing));
      let agreements = 0;
      const accept = engine.accept.bind(engine);
      engine.accept = (...args) => {
        const core = accept(...args);
        const answerFull = core.answerFull.bind(core);
        core.answerFull = (id) => {
          agreements += 1;
          return answerFull(id);
        };
        return core;
      };
      try {
        const answers = [];
        for (let n = 0; n < 30; n += 1) answers.push((await knock(world.port, real)).answer.toString('hex'));
        assert.equal(new Set(answers).size, 1);
        assert.equal(agreements, 1);
      } finally {
        engine.accept = accept;
      }
      assert.equal((await world.connect(pairing)).live, true);
    });

    it('a first record that was withheld while the device made a newer chain kills nothing', async () => {
      const pairing = await world.pair({ mode: Mode.Psk });
      const core = bareDevice(pairing);
      const socket = netConnect({ port: world.port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      const hungUp = once(socket, 'close');
      socket.write(message1(core));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      const stored = core.receive(new Uint8Array(answer), 1).some(({ type }) => type === 'store');
      assert.equal(stored, true);
      core.stored(true);
      core.timeout(1);
      const withheld = core.send(1);
      assert.ok(withheld);
      const session = await world.connect(pairing);
      const stream = await session.open('echo');
      socket.write(withheld);
      await hungUp;
      stream.end('undisturbed');
      assert.equal(await read(stream), 'undisturbed');
      assert.equal(world.gateway.sessions.length, 1);
    });

    it('a recorded message 1 of a live device changes nothing for it', async () => {
      const relay = await world.relay();
      const recorded: Buffer[] = [];
      relay.tap = (bytes, towards) => void (towards === 'gateway' && recorded.push(Buffer.from(bytes)));
      const session = await world.connect(await world.pair({ mode: Mode.Psk }), { port: relay.port });
      const stream = await session.open('echo');
      await relayed(relay, session);
      let paused = false;
      session.on('pause', () => (paused = true));
      const firsts = recorded.filter((bytes) => bytes[0] === 0);
      assert.equal(firsts.length, 2, 'a full handshake and a resumption');
      for (let n = 0; n < 10; n += 1) for (const bytes of firsts) await knock(world.port, bytes, 50);
      stream.end('undisturbed');
      assert.equal(await read(stream), 'undisturbed');
      assert.equal(paused, false);
      // Whole recorded connections: first records under keys that never come back.
      const before =
        world.gateway.counters.get('badRecord') +
        world.gateway.counters.get('stale') +
        world.gateway.counters.get('unknownTicket');
      const { answer } = await knock(world.port, Buffer.concat(recorded));
      assert.equal(answer.length, 0);
      assert.ok(world.gateway.counters.get('badMessage') + before > 0);
      assert.equal(session.live, true);
    });
  });

  describe('policy', () => {
    it('revoke() ends a live session at once, and nothing gets in again', async () => {
      const pairing = await world.pair({ mode: Mode.Psk });
      const session = await world.connect(pairing);
      const stream = await session.open('echo');
      const [streamError, sessionError] = [once(stream, 'error'), once(session, 'error')];
      assert.equal(await world.gateway.revoke(pairing.device.id), true);
      for (const failed of [streamError, sessionError])
        assert.equal(((await failed) as [{ code: string }])[0].code, 'ERR_HAWSER_REVOKED');
      await until(() => session.closed && up.sockets.size === 0 && world.gateway.sessions.length === 0);
      const { answer, closed } = await knock(world.port, message1(bareDevice(pairing)), 1000);
      assert.deepEqual([answer.length, closed], [0, true]);
      assert.equal(world.gateway.counters.get('revoked') > 0, true);
      assert.equal(await world.gateway.revoke(randomBytes(8)), false);
    });

    it('what another process changed is noticed: revoked, removed, an upstream taken away', async () => {
      await reopen({ policyInterval: 20 });
      for (const act of ['revoke', 'remove'] as const) {
        const pairing = await world.pair({ mode: Mode.Psk });
        const session = await world.connect(pairing);
        await session.open('echo').then((stream) => stream.on('error', () => undefined));
        const failed = once(session, 'error');
        await world.store[act](pairing.device.id);
        assert.equal(((await failed) as [{ code: string }])[0].code, 'ERR_HAWSER_REVOKED');
      }
      const pairing = await world.pair({ mode: Mode.Psk });
      const session = await world.connect(pairing);
      const stream = await session.open('echo');
      const failed = once(stream, 'error');
      await world.store.update(pairing.device.id, { upstreams: [] });
      assert.equal(((await failed) as [{ code: string }])[0].code, 'ERR_HAWSER_NOT_ALLOWED');
      assert.equal(session.live, true);
      await assert.rejects(session.open('echo'), { code: 'ERR_HAWSER_NOT_ALLOWED' });
    });

    it('a pairing that is not valid yet or has expired gets silence; one that expires while it is live ends', async () => {
      await reopen({ policyInterval: 20 });
      const now = Date.now();
      for (const validity of [{ notBefore: now + 60_000 }, { notBefore: now - 2000, expiry: now - 1000 }]) {
        const { closed, answer } = await knock(
          world.port,
          message1(bareDevice(await world.pair({ mode: Mode.Psk, ...validity }))),
          1000,
        );
        assert.deepEqual([answer.length, closed], [0, true]);
      }
      assert.deepEqual([world.gateway.counters.get('notYetValid'), world.gateway.counters.get('expired')], [1, 1]);
      const session = await world.connect(await world.pair({ mode: Mode.Psk, expiry: now + 700 }));
      const [error] = (await once(session, 'error')) as [{ code: string }];
      assert.equal(error.code, 'ERR_HAWSER_REVOKED');
      assert.ok(Date.now() >= now + 700);
    });

    it('a second link of a device ends the first', async () => {
      const pairing = await world.pair({ mode: Mode.Psk });
      const one = await world.connect(pairing);
      const stream = await one.open('echo');
      stream.on('error', () => undefined);
      const paused = once(one, 'pause');
      const two = await world.connect(pairing);
      await paused;
      assert.equal(world.gateway.sessions.length, 1);
      await Promise.all([one.close({ timeout: 0 }), two.close({ timeout: 0 })]);
    });
  });

  describe('early data', () => {
    const heard: string[] = [];
    beforeEach(async () => {
      heard.length = 0;
      const sink = await service((socket) => {
        let all = '';
        socket.on('data', (part) =>
          heard.splice(0, heard.length, ...heard.filter((line) => line !== all), (all += String(part))),
        );
        socket.on('end', () => socket.end('bye'));
      });
      world.cleanups.push(() => {
        sink.server.close();
        for (const socket of sink.sockets) socket.destroy();
      });
      up.server.close();
      up = { ...up, url: sink.url };
      await reopen({});
    });
    /** A device that has a chain, and is asleep. */
    async function paired(mode: Mode = Mode.Ticket): Promise<{ pairing: NewPairing; storage: MemoryStorage }> {
      const pairing = await world.pair({ mode });
      const storage = new MemoryStorage();
      const session = await world.connect(pairing, { storage });
      await session.open('echo').then((stream) => stream.on('error', () => undefined));
      await session.close({ timeout: 0 });
      await until(() => world.gateway.sessions.length === 0);
      heard.length = 0;
      return { pairing, storage };
    }

    it('TAKEN: it is at the upstream before the link is live, once, and the stream goes on behind it', async () => {
      const { pairing, storage } = await paired();
      const session = await world.connect(pairing, { storage, lazy: true });
      const verdicts: unknown[] = [];
      session.on('verdict', (verdict) => verdicts.push(verdict));
      const stream = await session.open('echo', { early: Buffer.from('reading 21.5;') });
      assert.equal(await stream.verdict, Verdict.Taken);
      stream.end(' and more');
      assert.equal(await read(stream), 'bye');
      assert.deepEqual(heard, ['reading 21.5; and more']);
      assert.deepEqual(verdicts, [{ stream: stream.id ?? 0, verdict: Verdict.Taken }]);
    });

    it('TAKEN over a link that tears before it is live: once all the same', async () => {
      const { pairing, storage } = await paired();
      const relay = await world.relay();
      let answers = 0;
      relay.tap = (_bytes, towards) => {
        if (towards !== 'device' || (answers += 1) > 3) return;
        relay.cut();
      };
      const session = await world.connect(pairing, { storage, lazy: true, port: relay.port });
      const stream = await session.open('echo', { early: Buffer.from('once;') });
      assert.equal(await stream.verdict, Verdict.Taken, 'the cached answer says the same');
      stream.end('rest');
      assert.equal(await read(stream), 'bye');
      assert.deepEqual(heard, ['once;rest']);
    });

    it('NOT TAKEN by policy: sent again by itself in the session', async () => {
      const { pairing, storage } = await paired();
      await reopen({ refuseEarly: () => true });
      const session = await world.connect(pairing, { storage, lazy: true });
      const stream = await session.open('echo', { early: Buffer.from('patient;') });
      assert.equal(await stream.verdict, Verdict.NotTaken);
      stream.end('rest');
      assert.equal(await read(stream), 'bye');
      assert.deepEqual(heard, ['patient;rest']);
      assert.equal(world.gateway.counters.get('earlyRefused'), 1);
    });

    for (const idempotent of [false, true]) {
      it(`UNKNOWN after the gateway died with it: ${idempotent ? 'sent again, because it is idempotent' : 'reported, never sent again'}`, async () => {
        const { pairing, storage } = await paired();
        const relay = await world.relay();
        relay.tap = (_bytes, towards) => {
          if (towards !== 'device') return;
          relay.down = true;
          relay.cut();
        };
        const session = await world.connect(pairing, { storage, lazy: true, port: relay.port });
        const stream = await session.open('echo', { early: Buffer.from('twice?'), idempotent });
        const failed = new Promise<{ code?: string }>((resolve) => stream.on('error', resolve));
        await until(() => relay.down && heard.length === 1, 'it was taken');
        relay.tap = undefined;
        await reopen({});
        relay.down = false;
        assert.equal(await stream.verdict, Verdict.Unknown);
        if (idempotent) {
          stream.end();
          assert.equal(await read(stream), 'bye');
          assert.deepEqual(heard, ['twice?', 'twice?']);
        } else {
          assert.equal((await failed).code, 'ERR_HAWSER_EARLY_UNKNOWN');
          await delay(50);
          assert.deepEqual(heard, ['twice?']);
          const other = await session.open('echo');
          other.end('next');
          await read(other);
        }
      });
    }

    it('does not ride in a full handshake, nor on a link that is up: NONE, and it goes the ordinary way', async () => {
      const session = await world.connect(await world.pair({ mode: Mode.Psk }), { lazy: true });
      const first = await session.open('echo', { early: Buffer.from('full') });
      assert.equal(await first.verdict, Verdict.None);
      await session.firstLink;
      const second = await session.open('echo', { early: Buffer.from('live') });
      assert.equal(await second.verdict, Verdict.None);
      for (const stream of [first, second]) {
        stream.end();
        assert.equal(await read(stream), 'bye');
      }
      assert.deepEqual([...heard].sort(), ['full', 'live']);
      const { maxEarly } = await import('../../lib/device.js');
      await assert.rejects(session.open('echo', { early: new Uint8Array(maxEarly('echo') + 1) }), {
        code: 'ERR_HAWSER_ARG',
      });
    });

    it('the longest that is allowed rides', async () => {
      const { pairing, storage } = await paired();
      const { maxEarly } = await import('../../lib/device.js');
      const session = await world.connect(pairing, { storage, lazy: true });
      const stream = await session.open('echo', { early: Buffer.alloc(maxEarly('echo'), 'x') });
      assert.equal(await stream.verdict, Verdict.Taken);
      stream.end();
      await read(stream);
      assert.equal(heard[0]?.length, maxEarly('echo'));
    });

    it('with a store that is not linearizable: never', async () => {
      const { memoryStore } = await import('../../lib/store/memory.js');
      await world.gateway.close({ drain: 0 });
      world.store = await memoryStore({ sealingKey: world.identity.sealingKey, linearizable: false });
      await world.openGateway({ store: world.store, upstreams: { echo: up.url } });
      const { pairing, storage } = await paired();
      const session = await world.connect(pairing, { storage, lazy: true });
      const stream = await session.open('echo', { early: Buffer.from('x') });
      assert.equal(await stream.verdict, Verdict.NotTaken);
      stream.end();
      await read(stream);
      assert.deepEqual(heard, ['x']);
    });

    it('after restore(): UNKNOWN until the device was there once', async () => {
      const { pairing, storage } = await paired();
      await world.store.restore(10, (state) =>
        state.chain ? engine.chainTickets(state.chain, state.ahead).map(({ ticket }) => ticket) : [],
      );
      const session = await world.connect(pairing, { storage, lazy: true });
      const stream = await session.open('echo', { early: Buffer.from('who knows'), idempotent: true });
      assert.equal(await stream.verdict, Verdict.Unknown);
      stream.on('error', () => undefined).destroy();
      await session.close({ timeout: 0 });
      await until(() => world.gateway.sessions.length === 0);
      await delay(50);
      heard.length = 0;
      const next = await world.connect(pairing, { storage, lazy: true });
      const again = await next.open('echo', { early: Buffer.from('vouched for') });
      assert.equal(await again.verdict, Verdict.Taken);
      again.end();
      await read(again);
      assert.deepEqual(heard, ['vouched for']);
      assert.equal(
        (await world.store.get(pairing.device.id))?.state.ahead,
        2,
        'and no longer looked for further ahead',
      );
    });
  });

  describe('trouble at this end', () => {
    const thrown = (): never => {
      throw new Error('listener');
    };
    const rejected = async (): Promise<never> => {
      await delay(1);
      throw new Error('listener');
    };
    const hostile = async (boom: () => unknown): Promise<void> => {
      const relay = await world.relay();
      const pairing = await world.pair({ mode: Mode.Psk });
      for (const event of ['session', 'resume', 'pause', 'close', 'handshake', 'refused', 'drop', 'debug'] as const)
        world.gateway.on(event, boom);
      const session = await world.connect(pairing, { port: relay.port, lazy: true });
      const reported: Error[] = [];
      session.on('error', (error) => reported.push(error));
      for (const event of ['session', 'resume', 'pause', 'handshake', 'debug', 'drop', 'close'] as const)
        session.on(event, boom);
      await session.firstLink;
      const stream = await session.open('echo');
      const victim = await session.open('echo');
      const failed = once(victim, 'error');
      victim.on('data', thrown);
      victim.write('x');
      assert.match(String((await failed)[0]), /listener/);
      await relayed(relay, session);
      await assert.rejects(session.open('nothing'), { code: 'ERR_HAWSER_NOT_ALLOWED' });
      await knock(world.port, Buffer.from('garbage'), 200);
      stream.end('served');
      assert.equal(await read(stream), 'served');
      await delay(5);
      assert.ok(reported.length >= 3 && reported.every((error) => error.message === 'listener'));
      assert.ok(world.errors.length >= 5 && world.errors.every((error) => error.message === 'listener'));
      assert.equal(world.gateway.counters.get('callback'), world.errors.length);
    };
    it('listeners that throw, whichever: reported, and everybody else is served', () => hostile(thrown));
    it('listeners that reject likewise', () => hostile(rejected));

    it("an 'error' listener that throws is a warning, not the end", async () => {
      const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
      world.gateway.removeAllListeners('error');
      world.gateway.on('error', () => {
        throw new Error('last resort');
      });
      world.gateway.on('drop', () => {
        throw new Error('first');
      });
      await knock(world.port, Buffer.from('garbage'), 500);
      assert.match((await warned).message, /last resort/);
      assert.equal((await world.connect(await world.pair({ mode: Mode.Psk }))).live, true);
    });

    it('a store that fails: silence, an error here, and all is well when it is back', async () => {
      const pairing = await world.pair({ mode: Mode.Ticket });
      const byTicket = world.store.byTicket.bind(world.store);
      world.store.byTicket = () => Promise.reject(new Error('disk gone'));
      const { answer, closed } = await knock(world.port, message1(bareDevice(pairing)), 1000);
      assert.deepEqual([answer.length, closed], [0, true]);
      assert.match(world.errors[0]?.message ?? '', /disk gone/);
      assert.equal(world.gateway.counters.get('store'), 1);
      world.store.byTicket = byTicket;
      const compareAndSet = world.store.compareAndSet.bind(world.store);
      world.store.compareAndSet = () => Promise.reject(new Error('read-only'));
      assert.equal(
        (await knock(world.port, message1(bareDevice(pairing)), 1000)).answer.length,
        0,
        'no durable claim, no answer',
      );
      world.store.compareAndSet = compareAndSet;
      assert.equal((await world.connect(pairing)).live, true);
    });

    it('keeps the secrets of a device for its next handshake, and gives all of them back to the engine when it is closed', async () => {
      const held = new Set<Secret>();
      let imported = 0;
      const counting = layered(engine, {
        engine: (inner) => ({
          importSecret: (bytes) => {
            const secret = inner.importSecret(bytes);
            imported += 1;
            held.add(secret);
            return secret;
          },
          releaseSecret: (secret) => {
            held.delete(secret);
            inner.releaseSecret(secret);
          },
        }),
      });
      await reopen({ engine: counting });
      assert.equal(imported, 2, "the gateway's own");
      const pairing = await world.pair({ mode: Mode.Psk });
      for (let n = 0; n < 3; n += 1) {
        const session = await world.connect(pairing);
        await session.close({ timeout: 0 });
      }
      assert.deepEqual([imported, held.size], [3, 3]);
      await world.gateway.close({ drain: 0 });
      assert.equal(held.size, 0);
    });

    it('compare-and-sets that others win are tried again', async () => {
      const pairing = await world.pair({ mode: Mode.Ticket });
      const compareAndSet = world.store.compareAndSet.bind(world.store);
      let lost = 0;
      world.store.compareAndSet = (...args) =>
        (lost += 1) % 3 === 0 ? compareAndSet(...args) : Promise.resolve(false);
      assert.equal((await world.connect(pairing)).live, true);
      await until(() => lost >= 6, 'claimed and confirmed at the third try each');
    });

    it('a port that is taken is an error of listen()', async () => {
      await assert.rejects(world.gateway.listen({ port: world.port, host: '127.0.0.1' }), { code: 'EADDRINUSE' });
    });

    it('refuses settings that make no sense, with the field', async () => {
      const { createGateway } = await import('../../lib/gateway.js');
      const base = { store: world.store, identity: world.identity, upstreams: {}, engine };
      for (const field of ['maxHalfOpen', 'handshakeTimeout', 'linger', 'connectTimeout', 'policyInterval']) {
        for (const value of [0, -1, 1.5, NaN, 2 ** 31]) {
          assert.throws(() => createGateway({ ...base, [field]: value }), {
            code: 'ERR_HAWSER_CONFIG',
            message: new RegExp(field),
          });
        }
      }
    });
  });
});

/** Cuts, and waits until the session is back. */
async function relayed(
  relay: { cut(): void },
  session: { once(event: 'resume', listener: () => void): unknown },
): Promise<void> {
  const resumed = new Promise<void>((resolve) => session.once('resume', resolve));
  relay.cut();
  await resumed;
}

function read(stream: HawserStream): Promise<string> {
  let all = '';
  stream.on('data', (part) => (all += String(part)));
  return new Promise((resolve, reject) => stream.on('end', () => resolve(all)).on('error', reject));
}
