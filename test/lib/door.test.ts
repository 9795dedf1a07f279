/** SPEC 7.5 where time, other gateways and an operator come between an answer and its first record. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { deviceCredentials } from '../../lib/credentials.js';
import {
  Code,
  Mode,
  Transport,
  Verdict,
  type AcceptCore,
  type DeviceCore,
  type Engine,
  type GatewayCore,
} from '../../lib/engine.js';
import { HawserError } from '../../lib/errors.js';
import { createGateway, type Gateway } from '../../lib/gateway.js';
import { createPairing, type NewPairing } from '../../lib/pairing.js';
import { layered } from '../attack/faults.js';
import { bareDevice, BareLink, knock, message1 } from './bare.js';
import { delay, engine, service, until, World } from './world.js';

/** What one connection to the upstream saw. */
interface Heard {
  text: string;
  /** 'end': the sender said that this is all; 'error': it was cut off. */
  over?: 'end' | 'error';
  cut?: boolean;
}

describe('between an answer and its first record', function () {
  this.timeout(20_000);
  const heard: Heard[] = [];
  const realNow = performance.now.bind(performance);
  const others: Gateway[] = [];
  let world: World;
  let sink: Awaited<ReturnType<typeof service>>;

  beforeEach(async () => {
    heard.length = 0;
    sink = await service((socket) => {
      const one: Heard = { text: '' };
      heard.push(one);
      socket.on('data', (part) => (one.text += String(part)));
      socket.on('end', () => (one.over ??= 'end'));
      socket.on('error', () => {
        one.over ??= 'error';
        one.cut = true;
      });
    });
    world = await World.start({ upstreams: { echo: sink.url }, policyInterval: 10, maxHalfOpen: 4 });
  });
  afterEach(async () => {
    performance.now = realNow;
    for (const gateway of others.splice(0)) await gateway.close({ drain: 0 });
    await world.stop();
    sink.server.close();
    for (const socket of sink.sockets) socket.destroy();
    assert.deepEqual(world.errors, []);
  });

  /** All clocks of the gateway that are not timers. */
  const letPass = (ms: number): void => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + ms;
  };
  const stored = async (pairing: NewPairing) => {
    const entry = await world.store.get(pairing.device.id);
    assert.ok(entry);
    return entry.state;
  };
  const another = async (): Promise<number> => {
    const gateway = createGateway({
      store: world.store,
      identity: world.identity,
      upstreams: { echo: sink.url },
      engine,
    });
    others.push(gateway);
    return ((await gateway.listen({ port: 0, host: '127.0.0.1' })) as { port: number }).port;
  };
  /** The store's next write waits for the returned function. */
  const holdWrites = (): { held: () => boolean; release: () => void } => {
    const write = world.store.compareAndSet.bind(world.store);
    let go: (() => void) | undefined;
    world.store.compareAndSet = async (...args) => {
      await new Promise<void>((resolve) => (go = resolve));
      return write(...args);
    };
    return {
      held: () => go !== undefined,
      release: () => {
        world.store.compareAndSet = write;
        go?.();
      },
    };
  };
  /** A link whose session the device knows: it has heard of the gateway there. */
  const known = async (core: DeviceCore): Promise<BareLink> => {
    const link = await BareLink.live(world.port, core);
    core.ping(0);
    link.flush();
    await until(() => link.has('pong'), 'live, and the device knows');
    return link;
  };
  /** What the device wrote to its flash on this link. */
  const storedSlot = (link: BareLink): Uint8Array | undefined =>
    link.events.find((event) => event.type === 'store')?.slot;
  /** Message 1 with early data for a new stream. */
  const withEarly = (core: DeviceCore, text = 'early;', fin = false): { stream: number; bytes: Uint8Array } => {
    const stream = core.open('echo', 0);
    return { stream, bytes: message1(core, { stream, data: Buffer.from(text), fin, idempotent: false }) };
  };

  it('a connection that is closed inside write() is not kept among those that wait', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const core = bareDevice(await world.pair({ mode: Mode.Psk }));
    const closedInWrite = async (): Promise<WeakRef<Duplex>> => {
      let closing: Promise<void> | undefined;
      const pipe = new Duplex({
        read: () => undefined,
        write: (_bytes, _encoding, done) => {
          closing = world.gateway.close({ drain: 0 });
          done();
        },
      });
      world.gateway.accept(pipe);
      pipe.push(message1(core));
      await once(pipe, 'close');
      assert.ok(closing, 'it was not answered');
      await closing;
      return new WeakRef(pipe);
    };
    const pipe = await closedInWrite();
    await until(() => {
      collect();
      return pipe.deref() === undefined;
    });
    core.wipe();
  });

  it('a device that becomes live over and over shuts nobody out', async () => {
    const [greedy, good] = [await world.pair({ mode: Mode.Psk }), await world.pair({ mode: Mode.Psk })];
    for (let n = 0; n < 24; n += 1) {
      const link = await BareLink.live(world.port, bareDevice(greedy));
      await until(() => link.has('live'), 'live');
      link.hangUp();
    }
    assert.equal((await world.connect(good)).live, true);
    assert.equal(world.gateway.counters.get('candidateLimit'), 0);
  });

  it('a first record later than the candidate: the link ends, the stream of its early data is told, nothing else happened', async () => {
    const pairing = await world.pair({ mode: Mode.Ticket });
    const core = bareDevice(pairing);
    const { stream, bytes } = withEarly(core);
    const link = await BareLink.answered(world.port, core, bytes);
    assert.deepEqual(
      link.events.find(({ type }) => type === 'verdict'),
      { type: 'verdict', stream, verdict: Verdict.Taken },
    );
    await until(() => heard[0]?.text === 'early;', 'delivered');
    const before = await stored(pairing);
    letPass(60_001);
    link.flush();
    await until(() => link.closed, 'the link ends');
    assert.equal(world.gateway.sessions.length, 0);
    assert.deepEqual(await stored(pairing), before, 'no position was confirmed');
    await until(() => heard[0]?.over !== undefined, 'its upstream hears');
    assert.equal(heard[0]?.over, 'error', 'not as if this had been all');
    link.hangUp();
    const next = await BareLink.live(world.port, core);
    await until(() => next.has('closed'), 'the stream is over');
    assert.deepEqual(
      next.events.find(({ type }) => type === 'closed'),
      { type: 'closed', stream, code: Code.StateLost },
    );
    assert.equal(heard.length, 1, 'handed over once');
    next.hangUp();
  });

  it('early data that ended with FIN is complete: its upstream gets an end, though no first record came', async () => {
    const core = bareDevice(await world.pair({ mode: Mode.Ticket }));
    const link = await BareLink.answered(world.port, core, withEarly(core, 'all of it', true).bytes);
    await until(() => heard[0]?.text === 'all of it', 'delivered');
    letPass(60_001);
    await delay(60);
    assert.deepEqual(heard, [{ text: 'all of it', over: 'end' }]);
    link.flush();
    await until(() => link.closed, 'its candidate was gone');
  });

  it('a candidate whose time ends while its first record is written becomes live with its early data', async () => {
    const pairing = await world.pair({ mode: Mode.Ticket });
    const core = bareDevice(pairing);
    const { stream, bytes } = withEarly(core);
    const link = await BareLink.answered(world.port, core, bytes);
    const writes = holdWrites();
    link.flush();
    await until(writes.held, 'it is being confirmed');
    letPass(60_001);
    await delay(50);
    writes.release();
    await until(() => link.has('opened'), 'the stream lives');
    const { out } = core.write(stream, Buffer.from('and more'), false, 0);
    assert.ok(out);
    link.socket.write(out);
    await until(() => heard[0]?.text === 'early;and more', 'it goes on where it was');
    link.hangUp();
  });

  it('revoked while its first record is written: it does not become live', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const link = await BareLink.answered(world.port, bareDevice(pairing));
    const writes = holdWrites();
    link.flush();
    await until(writes.held, 'it is being confirmed');
    let live = 0;
    world.gateway.on('session', () => (live += 1));
    await world.gateway.revoke(pairing.device.id);
    writes.release();
    await until(() => link.closed, 'the link ends');
    assert.equal(live, 0);
    assert.equal(world.gateway.sessions.length, 0);
  });

  it('revoked by another process after its answer: its first record gets silence', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const link = await BareLink.answered(world.port, bareDevice(pairing));
    let live = 0;
    world.gateway.on('session', () => (live += 1));
    await world.store.revoke(pairing.device.id);
    link.flush();
    await until(() => link.closed, 'the link ends');
    assert.deepEqual([live, world.gateway.counters.get('revoked')], [0, 1]);
  });

  it('once a device is live, its other answers are void: no repeat of their message 1 gets one, their early data is cut off', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const recorded = message1(bareDevice(pairing));
    assert.ok((await knock(world.port, recorded)).answer.length > 0);
    const core = bareDevice(pairing);
    const first = await BareLink.live(world.port, core);
    await until(() => first.has('live'), 'live');
    const again = await knock(world.port, recorded, 1000);
    assert.deepEqual([again.answer.length, again.closed], [0, true]);
    first.hangUp();
    await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
    // A provisional session of a message 1 that another one overtakes.
    const early = withEarly(core);
    const waits = await BareLink.answered(world.port, core, early.bytes);
    await until(() => heard.some(({ text }) => text === 'early;'), 'delivered');
    waits.hangUp();
    const fresh = await BareLink.live(world.port, bareDevice(pairing));
    await until(() => fresh.has('live'), 'live');
    await until(() => heard[0]?.over !== undefined, 'its upstream hears');
    assert.equal(heard[0]?.over, 'error');
    fresh.hangUp();
  });

  it('a full handshake that another gateway has overtaken does not replace the newer chain', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const slow = await BareLink.answered(world.port, bareDevice(pairing));
    const fast = await BareLink.live(await another(), bareDevice(pairing));
    await until(() => fast.has('live') && others[0]?.sessions.length === 1, 'live at the other gateway');
    await until(async () => (await stored(pairing)).chain !== undefined, 'its chain is stored');
    const newer = await stored(pairing);
    slow.flush();
    await until(() => slow.closed, 'silence');
    assert.deepEqual(await stored(pairing), newer);
    assert.equal(world.gateway.sessions.length, 0);
    assert.equal(world.gateway.counters.get('stale'), 1);
    fast.hangUp();
  });

  it('a resumption whose chain another gateway has replaced does not move the new one', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const core = bareDevice(pairing);
    const first = await BareLink.live(world.port, core);
    core.ping(0);
    first.flush();
    await until(() => first.has('pong'), 'live, and the device knows');
    first.hangUp();
    await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
    const slow = await BareLink.answered(world.port, core);
    assert.equal(core.handshake?.kind, 'resumption');
    const fast = await BareLink.live(await another(), bareDevice(pairing));
    await until(() => others[0]?.sessions.length === 1, 'live at the other gateway');
    const newer = await stored(pairing);
    slow.flush();
    await until(() => slow.closed, 'silence');
    assert.deepEqual(await stored(pairing), newer);
    fast.hangUp();
  });

  it('a session that ends while the claim of its resumption is written: silence, and nothing is delivered', async () => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url }, linger: 500 });
    const pairing = await world.pair({ mode: Mode.Ticket });
    const core = bareDevice(pairing);
    const first = await BareLink.live(world.port, core);
    core.ping(0);
    first.flush();
    await until(() => first.has('pong'), 'live');
    first.hangUp();
    await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
    const { bytes } = withEarly(core);
    const writes = holdWrites();
    const silence = knock(world.port, bytes, 5000);
    await until(writes.held, 'the claim is being written');
    await once(world.gateway, 'close');
    writes.release();
    const { answer, closed } = await silence;
    assert.deepEqual([answer.length, closed], [0, true]);
    assert.equal(world.gateway.counters.get('sessionGone'), 1);
    const again = await BareLink.answered(world.port, core, bytes);
    const verdict = again.events.find((event) => event.type === 'verdict');
    assert.equal(verdict?.verdict, Verdict.Unknown);
    assert.deepEqual(heard, []);
    again.hangUp();
  });

  it('early data that names a session which has ended is NOT TAKEN, and nothing of it is delivered', async () => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url }, linger: 20 });
    const core = bareDevice(await world.pair({ mode: Mode.Ticket }));
    const first = await known(core);
    const ended = once(world.gateway, 'close');
    first.hangUp();
    await ended;
    const { stream, bytes } = withEarly(core);
    const link = await BareLink.answered(world.port, core, bytes);
    assert.deepEqual(
      link.events.find(({ type }) => type === 'verdict'),
      { type: 'verdict', stream, verdict: Verdict.NotTaken },
    );
    await delay(30);
    assert.deepEqual(heard, []);
    link.hangUp();
  });

  it('early data ends the link that its device gave up, before the new one is live', async () => {
    const core = bareDevice(await world.pair({ mode: Mode.Ticket }));
    const old = await known(core);
    const paused = once(world.gateway, 'pause');
    core.disconnected(0);
    const link = await BareLink.answered(world.port, core, withEarly(core).bytes);
    await paused;
    await until(() => old.closed, 'the old link ends');
    assert.deepEqual(
      world.gateway.sessions.map(({ live }) => live),
      [false],
    );
    await until(() => heard[0]?.text === 'early;', 'delivered');
    link.flush();
    await until(() => world.gateway.sessions[0]?.live === true, 'live again');
    link.hangUp();
  });

  it('a pairing that was replaced after the answer: a first record under the old one gets silence', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const link = await BareLink.answered(world.port, bareDevice(pairing));
    const { id } = pairing.device;
    const next = createPairing(engine, world.identity, { mode: Mode.Psk, id, upstreams: [] });
    await world.store.add(next.gateway, { replace: true });
    const before = await stored(next);
    link.flush();
    await until(() => link.closed, 'the link ends');
    assert.equal(world.gateway.sessions.length, 0);
    assert.equal(world.gateway.counters.get('stale'), 1);
    assert.deepEqual(await stored(next), before, 'the new pairing has no chain of the old one');
  });

  it('a device that was revoked or has expired resumes nothing: silence, and its early data is delivered nowhere', async () => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url }, policyInterval: 600_000 });
    for (const [reason, end] of [
      ['revoked', (id: Uint8Array) => world.store.revoke(id)],
      ['expired', (id: Uint8Array) => world.store.update(id, { expiry: Date.now() })],
    ] as const) {
      const pairing = await world.pair({ mode: Mode.Ticket });
      const core = bareDevice(pairing);
      (await known(core)).hangUp();
      await end(pairing.device.id);
      const before = await stored(pairing);
      const { answer, closed } = await knock(world.port, withEarly(core).bytes, 2000);
      assert.deepEqual([answer.length, closed], [0, true]);
      assert.deepEqual(await stored(pairing), before);
      assert.equal(world.gateway.counters.get(reason), 1);
    }
    await delay(30);
    assert.deepEqual(heard, []);
  });

  it('one message 1 over two links at once: one answer for both, and its early data is delivered once', async () => {
    const { bytes } = withEarly(bareDevice(await world.pair({ mode: Mode.Ticket })));
    const asked: (() => void)[] = [];
    const byTicket = world.store.byTicket.bind(world.store);
    world.store.byTicket = (ticket) => new Promise<void>((go) => asked.push(go)).then(() => byTicket(ticket));
    const answers = Promise.all([knock(world.port, bytes, 5000), knock(world.port, bytes, 5000)]);
    await until(() => asked.length === 2, 'both are looked up');
    for (const go of asked) go();
    const [one, two] = await answers;
    assert.ok(one.answer.length > 0);
    assert.deepEqual(two.answer, one.answer);
    await until(() => heard[0]?.text === 'early;', 'delivered');
    assert.equal(heard.length, 1);
  });

  it('a recorded message 1 of a block start tells its device, one of a step does not: it is no sign of flash that was put back', async () => {
    const core = bareDevice(await world.pair({ mode: Mode.Ticket }));
    const recorded: Uint8Array[] = [];
    for (let n = 0; n < 3; n += 1) {
      const bytes = message1(core);
      recorded.push(bytes);
      const link = await BareLink.answered(world.port, core, bytes);
      core.ping(0);
      link.flush();
      await until(() => link.has('pong'), 'live');
      link.hangUp();
      await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
    }
    letPass(60_001);
    for (const bytes of recorded.slice(0, 2)) assert.equal((await knock(world.port, bytes, 2000)).answer.length, 0);
    const { passedTicket, unknownTicket } = world.gateway.counters.toJSON();
    assert.deepEqual([passedTicket, unknownTicket], [1, 1]);
  });

  it('a chain that is replaced while a claim on it is written is not moved by it', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const core = bareDevice(pairing);
    for (let n = 0; n < 2; n += 1) {
      (await known(core)).hangUp();
      await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
    }
    const write = world.store.compareAndSet.bind(world.store);
    let go: (() => void) | undefined;
    world.store.compareAndSet = async (...args) => {
      world.store.compareAndSet = write;
      await new Promise<void>((resolve) => (go = resolve));
      return write(...args);
    };
    const { bytes } = withEarly(core);
    const silence = knock(world.port, bytes, 5000);
    await until(() => go !== undefined, 'the claim is being written');
    const fast = await BareLink.live(await another(), bareDevice(pairing));
    await until(() => others[0]?.sessions.length === 1, 'live at the other gateway');
    const newer = await stored(pairing);
    go?.();
    const { answer, closed } = await silence;
    assert.deepEqual([answer.length, closed], [0, true]);
    assert.deepEqual(await stored(pairing), newer);
    assert.equal(world.gateway.counters.get('stale'), 1);
    fast.hangUp();
  });

  it('what the device relies on is durable before its answer: block starts, early data, a new chain; a step within a block need not be', async () => {
    const writes: boolean[] = [];
    const write = world.store.compareAndSet.bind(world.store);
    world.store.compareAndSet = (...args) => {
      writes.push(args[4]);
      return write(...args);
    };
    const core = bareDevice(await world.pair({ mode: Mode.Psk }));
    const once = async (first: Uint8Array): Promise<boolean[]> => {
      const link = await BareLink.answered(world.port, core, first);
      const claimed = writes.splice(0);
      core.ping(0);
      link.flush();
      await until(() => link.has('pong'), 'live');
      link.hangUp();
      await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
      return [...claimed, ...writes.splice(0)];
    };
    assert.deepEqual(await once(message1(core)), [true], 'full handshake: its chain');
    assert.deepEqual(await once(message1(core)), [true, false], '(0, 0): the claim, and the step behind it');
    assert.deepEqual(await once(message1(core)), [false], '(0, 1): the step alone');
    assert.deepEqual(await once(withEarly(core).bytes), [true, false], '(0, 2): with early data');
  });

  it('a session that ends between an answer that continues it and the first record: silence', async () => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url }, linger: 1000 });
    const core = bareDevice(await world.pair({ mode: Mode.Ticket }));
    (await known(core)).hangUp();
    await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
    const ended = once(world.gateway, 'close');
    const link = await BareLink.answered(world.port, core);
    await ended;
    link.flush();
    await until(() => link.closed, 'the link ends');
    assert.equal(world.gateway.counters.get('sessionGone'), 1);
    assert.equal(world.gateway.sessions.length, 0);
    link.hangUp();
  });

  it('a full handshake that names another session than the present one begins a new session, and ends that one', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const core = bareDevice(pairing);
    (await known(core)).hangUp();
    const twin = await known(bareDevice(pairing));
    let bytes = message1(core);
    // Beyond its patience the device gives up the chain that the twin replaced.
    for (let tries = 1; bytes[2] === 0x18 && tries < 4; tries += 1) {
      assert.equal((await knock(world.port, bytes, 2000)).answer.length, 0, 'its chain is gone');
      core.disconnected(tries * 400_000);
      core.connect(Transport.Stream, tries * 400_000);
      bytes = Uint8Array.from(core.send(tries * 400_000) ?? assert.fail());
    }
    const told: string[] = [];
    for (const event of ['session', 'resume', 'close'] as const) world.gateway.on(event, () => told.push(event));
    const link = await BareLink.answered(world.port, core, bytes);
    core.ping(0);
    link.flush();
    await until(() => link.has('pong'), 'live');
    await until(() => twin.closed, 'the other link ends');
    assert.deepEqual(told, ['close', 'session']);
    link.hangUp();
  });

  it('a resumption that names another session than the present one is answered NEW, and ends that one', async () => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url }, linger: 500 });
    const pairing = await world.pair({ mode: Mode.Ticket });
    const first = bareDevice(pairing);
    let link = await known(first);
    let slot = storedSlot(link);
    const ended = once(world.gateway, 'close');
    link.hangUp();
    const blob = first.save('flash');
    await ended;
    const told: string[] = [];
    for (const event of ['session', 'resume', 'close'] as const) world.gateway.on(event, () => told.push(event));
    // Twice: its flash is put back in between, but for the slot. The second time the gateway has the session of the first.
    for (let n = 0; n < 2; n += 1) {
      const core = engine.device(deviceCredentials(engine, pairing.device).pairing, { streams: 8 });
      core.boot(slot);
      core.restore(Uint8Array.from(blob), new Map());
      link = await known(core);
      slot = storedSlot(link);
      if (n === 0) link.hangUp();
    }
    assert.deepEqual(told, ['session', 'close', 'session']);
    link.hangUp();
  });

  it('a session whose device came back in time does not end when that time is over, and its keys are wiped when it ends', async () => {
    await world.gateway.close({ drain: 0 });
    const kept = new Set<GatewayCore>();
    const watching = layered(engine, {
      gateway: (inner) => {
        kept.add(inner);
        return {
          wipe: () => {
            kept.delete(inner);
            inner.wipe();
          },
        };
      },
    });
    await world.openGateway({ upstreams: { echo: sink.url }, engine: watching, linger: 1000 });
    const core = bareDevice(await world.pair({ mode: Mode.Psk }));
    let ended = 0;
    world.gateway.on('close', () => (ended += 1));
    (await known(core)).hangUp();
    await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
    const link = await known(core);
    await delay(1200);
    assert.deepEqual([ended, kept.size, link.closed], [0, 1, false]);
    link.hangUp();
    await until(() => ended === 1, 'it stays away');
    assert.equal(kept.size, 0);
  });

  it('a live session whose pairing is replaced by another process ends', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const link = await known(bareDevice(pairing));
    const { id } = pairing.device;
    const next = createPairing(engine, world.identity, { mode: Mode.Psk, id, upstreams: ['echo'] });
    await world.store.add(next.gateway, { replace: true });
    await until(() => link.closed, 'the link ends');
    assert.equal(world.gateway.sessions.length, 0);
  });

  it('a record that is authentic and breaks a rule ends the session, one that is not ends the link alone', async () => {
    let fault: 'ERR_HAWSER_PEER' | 'ERR_HAWSER_AUTH' | undefined;
    const faulty = layered(engine, {
      gateway: (inner) => ({
        receive: (chunk, now) =>
          fault ? [{ type: 'drop', error: new HawserError(fault, fault) }] : inner.receive(chunk, now),
      }),
    });
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url }, engine: faulty });
    const core = bareDevice(await world.pair({ mode: Mode.Psk }));
    for (const [code, left] of [
      ['ERR_HAWSER_AUTH', 1],
      ['ERR_HAWSER_PEER', 0],
    ] as const) {
      const link = await known(core);
      fault = code;
      link.socket.write('x');
      await until(() => link.closed, 'the link ends');
      fault = undefined;
      assert.equal(world.gateway.sessions.length, left, code);
      core.disconnected(0);
    }
    assert.equal(world.gateway.counters.get('badRecord'), 2);
  });

  it('what the operator changed while the device was away holds from its return on', async () => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url }, policyInterval: 600_000 });
    const pairing = await world.pair({ mode: Mode.Psk });
    const core = bareDevice(pairing);
    (await known(core)).hangUp();
    await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
    await world.store.update(pairing.device.id, { upstreams: [] });
    let continued: boolean | undefined;
    world.gateway.on('resume', (report) => (continued = report.continued));
    const link = await known(core);
    assert.equal(continued, true);
    const stream = core.open('echo', 0);
    link.flush();
    await until(() => link.has('closed'), 'refused');
    assert.deepEqual(
      link.events.find(({ type }) => type === 'closed'),
      { type: 'closed', stream, code: Code.NotAllowed },
    );
    link.hangUp();
  });

  it('whoever was answered and sends no first record is dropped in time', async () => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url }, handshakeTimeout: 150 });
    const link = await BareLink.answered(world.port, bareDevice(await world.pair({ mode: Mode.Psk })));
    await until(() => link.closed, 'the link ends');
    assert.equal(world.gateway.counters.get('handshakeTimeout'), 1);
    assert.equal(world.gateway.halfOpen, 0);
  });

  it('when there are too many, a link that was answered stays, and one that said nothing goes though it came later', async () => {
    const link = await BareLink.answered(world.port, bareDevice(await world.pair({ mode: Mode.Psk })));
    const crowd = Array.from({ length: 9 }, () =>
      netConnect({ port: world.port, host: '127.0.0.1' }).on('error', () => undefined),
    );
    await until(() => world.gateway.counters.get('halfOpenLimit') === 6, 'the bound is four');
    link.flush();
    await until(() => world.gateway.sessions.length === 1, 'it becomes live');
    link.hangUp();
    for (const socket of crowd) socket.destroy();
  });

  it('keys of an answer are wiped wherever it ends', async () => {
    const kept = new Map<AcceptCore, string>();
    let scene = '';
    const watching = layered(engine, {
      accept: (inner) => {
        kept.set(inner, scene);
        return {
          wipe: () => {
            kept.delete(inner);
            inner.wipe();
          },
        };
      },
    });
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url }, engine: watching, policyInterval: 10 });
    const pairing = await world.pair({ mode: Mode.Psk });
    const core = bareDevice(pairing);
    const off = (): Promise<void> => until(() => world.gateway.halfOpen === 0, 'all are off');

    scene = 'garbage, and nothing at all';
    await knock(world.port, Buffer.from('GET / HTTP/1.1\r\n\r\n'), 1000);
    await knock(world.port, Buffer.alloc(0), 20);
    await off();
    assert.deepEqual([...kept.values()], []);

    scene = 'dropped while the store is asked';
    const get = world.store.get.bind(world.store);
    let go: (() => void) | undefined;
    world.store.get = (id) => new Promise<void>((resolve) => (go = resolve)).then(() => get(id));
    const socket = netConnect({ port: world.port, host: '127.0.0.1' }).on('error', () => undefined);
    socket.write(message1(bareDevice(pairing)));
    await until(() => go !== undefined, 'the store is asked');
    world.store.get = get;
    socket.write('more');
    await off();
    go?.();

    scene = 'answered, and hung up';
    await knock(world.port, message1(bareDevice(pairing)), 1000);
    const again = message1(bareDevice(pairing));
    for (let n = 0; n < 3; n += 1) await knock(world.port, again, 1000);
    await off();
    assert.ok(kept.size > 0, 'the cached answers');
    letPass(60_001);
    await until(() => kept.size === 0, `their time is over; left: ${[...kept.values()].join()}`);

    scene = 'live, over and over, while another link waits';
    const waits = await BareLink.answered(world.port, bareDevice(pairing));
    for (let n = 0; n < 3; n += 1) {
      (await known(core)).hangUp();
      await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
    }
    await until(() => waits.closed, 'superseded');
    assert.deepEqual([...kept.values()], []);

    scene = 'its ticket is known, and it is refused';
    await world.store.update(pairing.device.id, { expiry: 1 });
    assert.equal((await knock(world.port, message1(core), 1000)).answer.length, 0);
    await world.store.update(pairing.device.id, { expiry: Date.now() + 60_000 });
    assert.deepEqual([...kept.values()], []);

    scene = 'the gateway is closed';
    await knock(world.port, message1(bareDevice(pairing)), 1000);
    await BareLink.answered(world.port, bareDevice(pairing));
    await world.gateway.close({ drain: 0 });
    assert.deepEqual([...kept.values()], []);
  });

  describe('a device that goes beyond the limits of its pairing (SPEC 7.3) gets silence, and its position stays', () => {
    /** Leaves them to the gateway alone. */
    const most = { maxSteps: 2 ** 32 - 2, maxBlocks: 2 ** 32 - 2 };
    const lax = (): Engine =>
      layered(engine, {
        accept: (inner) => ({ offerTicket: (pairing, ...rest) => inner.offerTicket({ ...pairing, ...most }, ...rest) }),
      });
    /** The gateway's pairing has these limits, the device's has not. */
    const device = async (
      limits: { maxSteps?: number; maxBlocks?: number },
      slot?: Uint8Array,
      pairing?: NewPairing,
    ) => {
      const made = pairing ?? (await world.pair({ mode: Mode.Psk, ...limits }));
      const terms = { ...made.device, maxSteps: 4096, maxBlocks: 4096 };
      const core = engine.device(deviceCredentials(engine, terms).pairing, { streams: 8 });
      core.boot(slot);
      return { pairing: made, core };
    };
    const refused = async (pairing: NewPairing, core: DeviceCore): Promise<void> => {
      const before = await stored(pairing);
      const { answer, closed } = await knock(world.port, message1(core), 2000);
      assert.deepEqual([answer.length, closed], [0, true]);
      assert.deepEqual(await stored(pairing), before);
    };
    const openWith = async (chosen: Engine): Promise<void> => {
      await world.gateway.close({ drain: 0 });
      await world.openGateway({ upstreams: { echo: sink.url }, engine: chosen });
    };
    for (const [whose, chosen, reason] of [
      ['the engine', () => engine, 'badAuthentication'],
      ['the gateway where its engine does not', lax, 'stale'],
    ] as const) {
      it(`max_steps, by ${whose}`, async () => {
        await openWith(chosen());
        const { pairing, core } = await device({ maxSteps: 2 });
        for (let n = 0; n < 3; n += 1) {
          const link = await known(core); // full, (0, 0), (0, 1)
          link.hangUp();
          await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
        }
        assert.equal((await stored(pairing)).chain?.i, 2);
        await refused(pairing, core);
        assert.equal(world.gateway.counters.get(reason), 1);
      });

      it(`max_blocks, by ${whose}`, async () => {
        await openWith(chosen());
        const { pairing, core } = await device({ maxBlocks: 1 });
        const first = await known(core);
        const image = storedSlot(first);
        first.hangUp();
        await until(() => world.gateway.sessions.every(({ live }) => !live), 'off');
        const { core: booted } = await device({}, image, pairing);
        await refused(pairing, booted);
        assert.equal(world.gateway.counters.get(reason), 1);
      });
    }
  });
});
