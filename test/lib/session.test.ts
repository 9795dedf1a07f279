import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import type { Session } from '../../lib/device.js';
import { Mode, Suite } from '../../lib/engine.js';
import type { HandshakeReport, UpstreamHandler } from '../../lib/types.js';
import { delay, echo, service, until, World } from './world.js';

const modes: [string, Mode, Suite][] = [
  ['keys, 25519', Mode.Keys, Suite.X25519],
  ['keys, P256', Mode.Keys, Suite.P256],
  ['keys with PSK, 25519', Mode.KeysPsk, Suite.X25519],
  ['keys with PSK, P256', Mode.KeysPsk, Suite.P256],
  ['psk, 25519', Mode.Psk, Suite.X25519],
  ['psk, P256', Mode.Psk, Suite.P256],
  ['ticket', Mode.Ticket, Suite.None],
];

/** Deterministic, so that a failure can be replayed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** All up to its end. Leaves the other direction alone, which an async iterator does not. */
function text(stream: Duplex): Promise<string> {
  let all = '';
  stream.on('data', (chunk) => (all += String(chunk)));
  return new Promise((resolve, reject) => stream.on('end', () => resolve(all)).on('error', reject));
}

describe('session over TCP', function () {
  this.timeout(30_000);
  let world: World;
  let up: Awaited<ReturnType<typeof echo>>;
  beforeEach(async () => {
    up = await echo();
    world = await World.start({ upstreams: { echo: up.url } });
  });
  afterEach(async () => {
    await world.stop();
    up.server.close();
    assert.deepEqual(world.errors, []);
  });

  for (const [title, mode, suite] of modes) {
    it(`${title}: connects, echoes, resumes after a cut without a byte lost, ends both ways`, async () => {
      const relay = await world.relay();
      const session = await world.connect(await world.pair({ mode, suite }), { port: relay.port });
      const kinds: string[] = [];
      session.on('handshake', ({ kind, ecdh, continued }) => kinds.push(`${kind} ${ecdh} ${continued}`));
      const stream = await session.open('echo');
      assert.equal(stream.connected, true);
      const all = text(stream);
      stream.write('one ');
      relay.cut();
      stream.write('two ');
      await once(session, 'resume');
      stream.end('three');
      assert.equal(await all, 'one two three');
      await until(() => stream.closed);
      assert.deepEqual(kinds, ['resumption 0 true'], 'a cut costs one resumption, no ECDH, and the session goes on');
      await until(() => up.sockets.size === 0, 'the upstream connection is closed');
    });
  }

  it('reports each handshake the same at both ends, within the promised bytes', async () => {
    const reports: HandshakeReport[] = [];
    world.gateway.on('handshake', (report) => reports.push(report));
    const relay = await world.relay();
    const pairing = await world.pair({ mode: Mode.Keys, id: randomBytes(8) });
    const session = await world.connect(pairing, { port: relay.port, lazy: true });
    session.on('handshake', (report) => reports.push(report));
    await session.open('echo');
    relay.cut();
    await until(() => reports.length === 4, 'four reports');
    const of = (kind: string): HandshakeReport[] => reports.filter((report) => report.kind === kind);
    for (const kind of ['full', 'resumption']) {
      const [one, two] = of(kind);
      assert.ok(one && two, JSON.stringify(reports));
      assert.deepEqual([one.sent, one.received], [two.received, two.sent]);
      assert.equal(one.roundTrips, 1);
      assert.ok(one.ms >= 0);
    }
    const total = (report: HandshakeReport | undefined): number => (report ? report.sent + report.received : NaN);
    assert.ok(total(of('full')[0]) <= 128, `full: ${total(of('full')[0])} bytes`);
    assert.equal(total(of('resumption')[0]), 84);
  });

  it('10 MB each way while the connection is torn at random: every byte once, in order', async () => {
    const random = seeded(20_240_607);
    const relay = await world.relay();
    const session = await world.connect(await world.pair({ mode: Mode.Psk, suite: Suite.X25519 }), {
      port: relay.port,
    });
    const stream = await session.open('echo');
    const bytes = 10 * 1024 * 1024;
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    let [written, arrived, cuts] = [0, 0, 0];
    let nextCut = 200_000;
    stream.on('data', (chunk: Buffer) => {
      received.update(chunk);
      arrived += chunk.length;
      if (arrived < nextCut || arrived >= bytes) return;
      nextCut = arrived + 100_000 + Math.floor(random() * 1_000_000);
      cuts += 1;
      relay.cut();
    });
    while (written < bytes) {
      const chunk = randomBytes(Math.min(1 + Math.floor(random() * 100_000), bytes - written));
      sent.update(chunk);
      written += chunk.length;
      if (!stream.write(chunk)) await once(stream, 'drain');
    }
    stream.end();
    await once(stream, 'end');
    assert.equal(arrived, bytes);
    assert.equal(received.digest('hex'), sent.digest('hex'));
    assert.ok(cuts >= 10, `${cuts} cuts`);
  });

  it('many streams at once over a torn link', async () => {
    const relay = await world.relay();
    const session = await world.connect(await world.pair({ mode: Mode.Ticket, streams: 32 }), {
      port: relay.port,
      streams: 32,
    });
    let [arrived, cuts] = [0, 1];
    const work = Array.from({ length: 32 }, async (_, index) => {
      const payload = randomBytes(20_000 + index * 777);
      const stream = await session.open('echo');
      const parts: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => {
        parts.push(chunk);
        arrived += chunk.length;
        if (arrived < cuts * 90_000) return;
        cuts += 1;
        relay.cut();
      });
      stream.end(payload);
      await once(stream, 'close');
      assert.equal(Buffer.concat(parts).equals(payload), true, `stream ${index}`);
    });
    await Promise.all(work);
    assert.ok(cuts > 8, `${cuts} cuts`);
  });

  it('ids are used again: a thousand streams one after the other', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Psk, streams: 4 }), { streams: 4 });
    for (let index = 0; index < 1000; index += 1) {
      const stream = await session.open('echo');
      stream.end(`${index}`);
      assert.equal(await text(stream), `${index}`);
    }
    await until(() => world.gateway.sessions.every(({ streams }) => streams === 0), 'the gateway holds none');
  });

  it('too many streams: ERR_HAWSER_LIMIT here, and those that are open go on', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), { streams: 2 });
    const streams = [await session.open('echo'), await session.open('echo')];
    await assert.rejects(session.open('echo'), { code: 'ERR_HAWSER_LIMIT' });
    streams[0]?.end('still here');
    assert.equal(await text(streams[0] as Duplex), 'still here');
  });

  it('the gateway has its own limit', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Psk, streams: 2 }), { streams: 8 });
    await session.open('echo');
    await session.open('echo');
    await assert.rejects(session.open('echo'), { code: 'ERR_HAWSER_STREAM_LIMIT' });
    assert.equal(session.live, true);
  });

  it('a device that restarts resumes from its storage with no ECDH; its old streams are over', async () => {
    const { MemoryStorage } = await import('../../lib/storage.js');
    const storage = new MemoryStorage();
    const pairing = await world.pair({ mode: Mode.Keys, suite: Suite.X25519 });
    const first = await world.connect(pairing, { storage });
    const stream = await first.open('echo');
    stream.on('error', () => undefined);
    await first.close({ timeout: 0 });
    const second = await world.connect(pairing, { storage, lazy: true });
    const [report] = (await once(second, 'handshake')) as [HandshakeReport];
    assert.equal(report.kind, 'resumption');
    assert.equal(report.ecdh, 0);
    assert.equal(report.continued, false);
    await until(() => up.sockets.size === 0);
  });

  it('a gateway that restarts with its store is resumed; streams report STATE_LOST, new ones work', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Ticket }));
    const stream = await session.open('echo');
    const failed = once(stream, 'error');
    await world.gateway.close({ drain: 0 });
    const resumed = once(session, 'resume');
    await world.openGateway({ upstreams: { echo: up.url } });
    assert.deepEqual(await resumed, [{ continued: false }]);
    const [error] = (await failed) as [{ code: string }];
    assert.equal(error.code, 'ERR_HAWSER_STATE_LOST');
    const again = await session.open('echo');
    again.end('back');
    assert.equal(await text(again), 'back');
  });

  it('an LMDB store carries every mode over the end of its gateway process', async () => {
    const { mkdtempSync, rmSync } = await import('node:fs');
    const { lmdbStore } = await import('../../lib/store/lmdb.js');
    const directory = mkdtempSync('/tmp/hawser-gateway-');
    const open = (): ReturnType<typeof lmdbStore> =>
      lmdbStore({ path: `${directory}/store`, sealingKey: world.identity.sealingKey });
    const upstreams = { echo: up.url };
    await world.gateway.close({ drain: 0 });
    await world.store.close();
    world.store = await open();
    await world.openGateway({ upstreams });
    const sessions = [];
    for (const [, mode, suite] of modes) sessions.push(await world.connect(await world.pair({ mode, suite })));
    for (const session of sessions) await session.open('echo').then((stream) => stream.on('error', () => undefined));
    const kinds: string[] = [];
    for (const session of sessions) session.on('handshake', ({ kind }) => kinds.push(kind));
    await world.gateway.close({ drain: 0 });
    await world.store.close();
    world.store = await open();
    const resumed = Promise.all(sessions.map((session) => once(session, 'resume')));
    await world.openGateway({ upstreams });
    await resumed;
    assert.deepEqual(
      kinds,
      modes.map(() => 'resumption'),
    );
    for (const session of sessions) {
      const stream = await session.open('echo');
      stream.end('again');
      assert.equal(await text(stream), 'again');
    }
    rmSync(directory, { recursive: true });
  });

  it('streams outlive their link only so long', async () => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: up.url }, linger: 50 });
    const relay = await world.relay();
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), { port: relay.port });
    const stream = await session.open('echo');
    const failed = once(stream, 'error');
    relay.down = true;
    relay.cut();
    await until(() => world.gateway.sessions.length === 0 && up.sockets.size === 0, 'the session is given up');
    relay.down = false;
    const [error] = (await failed) as [{ code: string }];
    assert.equal(error.code, 'ERR_HAWSER_STATE_LOST');
  });

  it('ends cleanly: close(), dispose and abort, before and after the first link', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const session = await world.connect(pairing);
    const stream = await session.open('echo');
    let echoed = '';
    stream.on('data', (chunk) => (echoed += String(chunk)));
    stream.end('last words');
    await session.close();
    assert.equal(session.closed, true);
    await assert.rejects(session.open('echo'), { code: 'ERR_HAWSER_CLOSED' });
    await until(() => world.gateway.sessions.length === 0, 'the gateway was told');

    const aborter = new AbortController();
    const second = await world.connect(pairing, { signal: aborter.signal });
    const open = await second.open('echo');
    const failed = once(open, 'error');
    const closed = once(second, 'close');
    aborter.abort();
    await failed;
    await closed;
    assert.equal(second.closed, true);

    const early = new AbortController();
    const nowhere = world.connect(pairing, { port: 1, signal: early.signal });
    setTimeout(() => early.abort(new Error('enough')), 20);
    await assert.rejects(nowhere, /enough/);
    await assert.rejects(world.connect(pairing, { signal: AbortSignal.abort(new Error('already')) }), /already/);

    const disposed = await world.connect(pairing);
    await disposed[Symbol.asyncDispose]();
    assert.equal(disposed.closed, true);
  });

  it('an open() can be given up', async () => {
    const relay = await world.relay();
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), { port: relay.port });
    relay.down = true;
    relay.cut();
    await once(session, 'pause');
    const aborter = new AbortController();
    const opening = session.open('echo', { signal: aborter.signal });
    aborter.abort(new Error('too slow'));
    await assert.rejects(opening, /too slow/);
    relay.down = false;
    await once(session, 'resume');
    const stream = await session.open('echo');
    stream.end('x');
    assert.equal(await text(stream), 'x');
  });

  it('an open() that waits is rejected when the session ends first, whatever ends it', async () => {
    const silent = await service(() => undefined);
    const waiting = async (signal?: AbortSignal): Promise<{ session: Session; opening: Promise<unknown> }> => {
      const port = Number(new URL(silent.url).port);
      const session = await world.connect(await world.pair({ mode: Mode.Psk }), {
        port,
        lazy: true,
        ...(signal && { signal }),
      });
      return { session, opening: session.open('echo') };
    };
    const closed = await waiting();
    const closing = closed.session.close({ timeout: 0 });
    await assert.rejects(closed.opening, { code: 'ERR_HAWSER_CLOSED' });
    await closing;
    await assert.rejects(closed.session.open('echo'), { code: 'ERR_HAWSER_CLOSED' });

    const aborter = new AbortController();
    const aborted = await waiting(aborter.signal);
    aborter.abort();
    await assert.rejects(aborted.opening, { code: 'ERR_HAWSER_CANCELLED' });

    const slept = await waiting();
    const sleeping = slept.session.sleep();
    await assert.rejects(slept.opening, { code: 'ERR_HAWSER_CANCELLED' });
    await sleeping;

    const pairing = await world.pair({ mode: Mode.Psk });
    const revoked = await world.connect(pairing);
    revoked.on('error', () => undefined);
    await until(() => world.gateway.sessions.length === 1, 'it is there at the gateway too');
    const revoking = world.gateway.revoke(pairing.device.id);
    await assert.rejects(revoked.open('echo'), { code: 'ERR_HAWSER_REVOKED' });
    await revoking;
    silent.server.close();
    for (const socket of silent.sockets) socket.destroy();
  });

  it('finds a gateway among several addresses and through names', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const addresses = [
      { host: '127.0.0.1', port: 1 },
      { host: 'no-such-host.invalid', port: world.port },
      { host: 'localhost', port: world.port },
    ];
    const { connect } = await import('../../lib/device.js');
    const { engine } = await import('./world.js');
    const session = await connect({ pairing: pairing.device, addresses, engine, backoff: { min: 1, max: 5 } });
    assert.equal(session.live, true);
    await session.close();
  });

  it('refuses options that cannot work, with the field', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const ticket = await world.pair({ mode: Mode.Ticket });
    const { connect } = await import('../../lib/device.js');
    const base = { pairing: pairing.device, host: '127.0.0.1', port: world.port };
    await assert.rejects(connect({ ...base, port: 70_000 }), { code: 'ERR_HAWSER_ARG', message: /port/ });
    await assert.rejects(connect({ pairing: pairing.device }), { code: 'ERR_HAWSER_ARG', message: /addresses/ });
    await assert.rejects(connect({ ...base, streams: 0 }), { code: 'ERR_HAWSER_ARG', message: /streams/ });
    await assert.rejects(connect({ ...base, pairing: ticket.device }), { code: 'ERR_HAWSER_ARG', message: /storage/ });
    await assert.rejects(connect({ ...base, pairing: { ...pairing.device, recordMax: 1 } }), {
      message: /record_?max/i,
    });
  });

  it('keylog: the keys of both ends, and nothing without the option', async () => {
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: up.url }, keylog: true });
    const lines: string[][] = [[], []];
    world.gateway.on('keylog', (line) => lines[0]?.push(line.toString()));
    const pairing = await world.pair({ mode: Mode.Psk });
    const session = await world.connect(pairing, { keylog: true, lazy: true });
    session.on('keylog', (line) => lines[1]?.push(line.toString()));
    await session.firstLink;
    await until(() => lines.every((list) => list.length === 2), 'two lines each');
    assert.deepEqual(lines[0], lines[1]);
    assert.match(lines[0]?.[0] ?? '', /^HAWSER_D2G [0-9a-f]{16} [0-9a-f]{64}\n$/);
    assert.match(lines[0]?.[1] ?? '', /^HAWSER_G2D [0-9a-f]{16} [0-9a-f]{64}\n$/);
    await session.close();
    const quiet = await world.connect(pairing);
    let spoke = false;
    quiet.on('keylog', () => (spoke = true));
    await quiet.open('echo');
    assert.equal(spoke, false);
  });

  it('serial framing: the same over COBS', async () => {
    const address = (await world.gateway.listen({ port: 0, host: '127.0.0.1', framing: 'serial' })) as { port: number };
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), {
      port: address.port,
      framing: 'serial',
    });
    const stream = await session.open('echo');
    const payload = randomBytes(300_000);
    const parts: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => parts.push(chunk));
    stream.end(payload);
    await once(stream, 'close');
    assert.equal(Buffer.concat(parts).equals(payload), true);
  });

  it('gateway.close() lets open streams finish, up to its deadline', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    const stream = await session.open('echo');
    const all = text(stream);
    stream.write('before ');
    await delay(20);
    // Longer than this test may take: it closes because the stream is over.
    const closed = world.gateway.close({ drain: 600_000 });
    stream.end('after');
    assert.equal(await all, 'before after');
    await closed;
    await world.openGateway({ upstreams: { echo: up.url } });
  });
});

describe('upstreams', function () {
  this.timeout(20_000);
  let world: World;
  const services: Awaited<ReturnType<typeof service>>[] = [];
  const start = async (serve: Parameters<typeof service>[0]): Promise<string> => {
    const made = await service(serve);
    services.push(made);
    return made.url;
  };
  afterEach(async () => {
    await world.stop();
    for (const { server, sockets } of services.splice(0)) {
      server.close();
      for (const socket of sockets) socket.destroy();
    }
    assert.deepEqual(world.errors, []);
  });

  it('a distinct error for each way to fail, and the session lives on', async () => {
    const upstreams = {
      echo: await start((socket) => socket.pipe(socket)),
      down: 'tcp://127.0.0.1:1',
      nowhere: 'tcp://no-such-host.invalid:80',
      resets: await start((socket) => void socket.once('data', () => socket.resetAndDestroy())),
      forbidden: await start((socket) => socket.end()),
      messages: 'udp://127.0.0.1:9',
    };
    world = await World.start({ upstreams });
    const refused: string[] = [];
    world.gateway.on('refused', ({ upstream, reason }) => refused.push(`${upstream}: ${reason}`));
    const pairing = await world.pair({
      mode: Mode.Psk,
      upstreams: ['echo', 'down', 'nowhere', 'resets', 'missing', 'messages'],
    });
    const session = await world.connect(pairing);
    await assert.rejects(session.open('down'), { code: 'ERR_HAWSER_UNREACHABLE' });
    await assert.rejects(session.open('nowhere'), { code: 'ERR_HAWSER_UNREACHABLE' });
    await assert.rejects(session.open('forbidden'), { code: 'ERR_HAWSER_NOT_ALLOWED' });
    await assert.rejects(session.open('missing'), { code: 'ERR_HAWSER_NOT_ALLOWED' });
    await assert.rejects(session.open('messages'), { code: 'ERR_HAWSER_NOT_ALLOWED' });
    await assert.rejects(session.open('10.0.0.1'), { code: 'ERR_HAWSER_NOT_ALLOWED' });
    const resets = await session.open('resets');
    resets.write('x');
    const [error] = (await once(resets, 'error')) as [{ code: string }];
    assert.equal(error.code, 'ERR_HAWSER_UPSTREAM_RESET');
    const stream = await session.open('echo');
    stream.end('alive');
    assert.equal(await text(stream), 'alive');
    assert.deepEqual(refused, [
      'forbidden: notAllowed',
      'missing: unknownUpstream',
      'messages: unknownUpstream',
      '10.0.0.1: notAllowed',
    ]);
    assert.equal(world.gateway.counters.get('notAllowed'), 2);
    assert.equal(world.gateway.counters.get('unknownUpstream'), 2);
    assert.equal(world.gateway.counters.get('upstreamFailed'), 3);
  });

  it('what the device left before its end does not look complete to the upstream; what it ended does', async () => {
    const seen: string[] = [];
    const watch = (socket: Socket): void => {
      let bytes = 0;
      socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
      socket.on('end', () => seen.push(`end after ${bytes}`));
      socket.on('error', () => seen.push(`cut after ${bytes}`));
    };
    world = await World.start({ upstreams: { watch: await start(watch) } });
    const session = await world.connect(await world.pair({ mode: Mode.Psk, upstreams: ['watch'] }));
    const left = await session.open('watch');
    left.write('half a rea');
    await until(() => left.bytesAcknowledged === 10);
    left.destroy();
    await until(() => seen.length === 1);
    const ended = await session.open('watch');
    ended.end('a reading');
    await until(() => seen.length === 2);
    ended.destroy();
    assert.deepEqual(seen, ['cut after 10', 'end after 9']);
  });

  it('half-close passes both ways', async () => {
    const upstreams = { echo: await start((socket) => void text(socket).then((all) => socket.end(`got ${all}`))) };
    world = await World.start({ upstreams });
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    const stream = await session.open('echo');
    stream.end('all of it');
    assert.equal(await text(stream), 'got all of it');
    const talker = await start((socket) => {
      socket.end('first me');
      void text(socket).then((all) => (heard = all));
    });
    let heard = '';
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: talker } });
    await once(session, 'resume');
    const other = await session.open('echo');
    assert.equal(await text(other), 'first me');
    other.end('then you');
    await until(() => heard === 'then you');
  });

  it('a stream that the device gives up is not taken for complete', async () => {
    let ending = '';
    const upstreams = {
      echo: await start((socket) =>
        socket
          .on('data', () => undefined)
          .on('end', () => (ending = 'end'))
          .on('error', () => (ending = 'error')),
      ),
    };
    world = await World.start({ upstreams });
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    const stream = await session.open('echo');
    stream.on('error', () => undefined);
    stream.write('half of');
    await delay(30);
    stream.destroy(new Error('gave up'));
    await until(() => ending !== '');
    assert.equal(ending, 'error');
  });

  it('reaches a Unix socket', async () => {
    const { mkdtempSync, rmSync } = await import('node:fs');
    const { createServer } = await import('node:net');
    const directory = mkdtempSync('/tmp/hawser-unix-');
    const server = createServer((socket) => socket.pipe(socket)).listen(`${directory}/echo`);
    await once(server, 'listening');
    world = await World.start({ upstreams: { echo: `unix:${directory}/echo` } });
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    const stream = await session.open('echo');
    stream.end('through a file');
    assert.equal(await text(stream), 'through a file');
    server.close();
    rmSync(directory, { recursive: true });
  });

  it("a function of the gateway: both ways, half-close, its errors, and the device's", async () => {
    const ends: string[] = [];
    const from: string[] = [];
    const upstreams: Record<string, UpstreamHandler> = {
      upper: (stream, { name }) => {
        from.push(name);
        stream.on('data', (bytes: Buffer) => stream.write(bytes.toString().toUpperCase()));
        stream.on('end', () => stream.end('.'));
        stream.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
        stream.on('close', () => ends.push('close'));
      },
      broken: () => {
        throw new Error('not today');
      },
      rude: (stream) => void stream.destroy(new Error('enough')),
    };
    world = await World.start({ upstreams });
    const pairing = await world.pair({ mode: Mode.Psk, name: 'dev', upstreams: ['upper', 'broken', 'rude'] });
    const session = await world.connect(pairing);
    const stream = await session.open('upper');
    stream.end('abc');
    assert.equal(await text(stream), 'ABC.');
    await until(() => ends.length === 1);
    const given = await session.open('upper');
    given.on('error', () => undefined).destroy(new Error('given up'));
    await until(() => ends.length === 3);
    assert.deepEqual(
      [ends, from],
      [
        ['close', 'ERR_HAWSER_CANCELLED', 'close'],
        ['dev', 'dev'],
      ],
    );
    const failing = async (name: string, code: string): Promise<void> => {
      const opened = await session.open(name).catch((error: { code: string }) => error);
      if ('code' in opened) return assert.equal(opened.code, code);
      const [error] = (await once(opened, 'error')) as [{ code: string }];
      assert.equal(error.code, code);
    };
    await failing('broken', 'ERR_HAWSER_UPSTREAM_RESET');
    await failing('rude', 'ERR_HAWSER_CANCELLED');
    assert.equal(session.live, true);
  });

  it('datagrams to a udp:// upstream and back', async () => {
    const { createSocket } = await import('node:dgram');
    const server = createSocket('udp4');
    server.on('message', (data, from) => server.send(`re: ${String(data)}`, from.port, from.address));
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    world = await World.start({ upstreams: { echo: `udp://127.0.0.1:${server.address().port}` } });
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    const messages = await session.openMessages('echo');
    await once(messages, 'connect');
    const got: string[] = [];
    messages.on('message', (data) => got.push(data.toString()));
    for (const word of ['one', 'two', 'three']) assert.equal(messages.send(Buffer.from(word)), true);
    await until(() => got.length === 3);
    assert.deepEqual(got.sort(), ['re: one', 're: three', 're: two']);
    messages.close();
    await until(() => world.gateway.sessions[0]?.streams === 0);
    server.close();
  });

  it('refuses upstreams that are not written properly, with name and reason', async () => {
    world = await World.start({});
    const { createGateway } = await import('../../lib/gateway.js');
    for (const [name, url] of [
      ['x', 'http://h:1'],
      ['x', 'tcp://h'],
      ['x', 'tcp://h:0'],
      ['x', 'tcp://h:99999'],
      ['a b', 'tcp://h:1'],
      ['x'.repeat(33), 'tcp://h:1'],
      ['x', 'unix:rel'],
    ] as const) {
      assert.throws(() => createGateway({ store: world.store, identity: world.identity, upstreams: { [name]: url } }), {
        code: 'ERR_HAWSER_CONFIG',
        message: /upstream/,
      });
    }
  });

  // A slow reader on either side: what is not read stays where it is, and nobody else notices.

  it('a device that does not read: the gateway stops reading its upstream; another stream flows', async () => {
    let poured = 0;
    const upstreams = {
      echo: await start((socket) => socket.pipe(socket)),
      flood: await start((socket) => {
        const block = Buffer.alloc(64 * 1024, 7);
        const pour = (): void => {
          while (poured < 200e6 && socket.write(block, () => (poured += block.length)));
        };
        socket.on('drain', pour);
        pour();
      }),
    };
    world = await World.start({ upstreams });
    const windows = { windowDevice: 65_536, windowGateway: 65_536 };
    const pairing = await world.pair({ mode: Mode.Psk, upstreams: ['echo', 'flood'], ...windows });
    const session = await world.connect(pairing);
    const before = memory();
    const flood = await session.open('flood');
    await delay(300);
    const stalled = poured;
    await delay(300);
    assert.equal(poured, stalled, 'the upstream stands still');
    assert.ok(flood.readableLength <= windows.windowDevice, `${flood.readableLength} bytes wait at the device`);
    assert.ok(memory() - before < 40e6, `${Math.round((memory() - before) / 1e6)} MB more than before`);
    const stream = await session.open('echo');
    const payload = randomBytes(1_000_000);
    const parts: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => parts.push(chunk));
    stream.end(payload);
    await once(stream, 'close');
    assert.equal(Buffer.concat(parts).equals(payload), true);
    flood.resume();
    await until(() => poured > stalled + 1e6, 'it goes on once it is read');
    flood.on('error', () => undefined);
    flood.destroy();
  });

  it('an upstream that does not read: the device is held back; another stream flows', async () => {
    const upstreams = {
      echo: await start((socket) => socket.pipe(socket)),
      deaf: await start((socket) => void socket.pause()),
    };
    world = await World.start({ upstreams });
    const windows = { windowDevice: 65_536, windowGateway: 65_536 };
    const session = await world.connect(await world.pair({ mode: Mode.Psk, upstreams: ['echo', 'deaf'], ...windows }));
    const deaf = await session.open('deaf');
    const block = Buffer.alloc(16 * 1024, 1);
    let offered = 0;
    const before = memory();
    for (let quiet = 0; quiet < 300;) {
      if (deaf.writableNeedDrain) quiet += 10;
      else {
        deaf.write(block);
        offered += block.length;
        quiet = 0;
      }
      if (deaf.writableNeedDrain) await delay(10);
    }
    assert.ok(offered < 30e6, `${offered} bytes were taken`);
    assert.ok(
      deaf.writableLength <= windows.windowGateway + block.length,
      `${deaf.writableLength} bytes wait at the device`,
    );
    assert.ok(memory() - before < 40e6, `${Math.round((memory() - before) / 1e6)} MB more than before`);
    const stream = await session.open('echo');
    stream.end('meanwhile');
    assert.equal(await text(stream), 'meanwhile');
    deaf.on('error', () => undefined);
    deaf.destroy();
  });
});

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
