import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';

import { Ending } from '../../lib/ending.js';
import { Mode } from '../../lib/engine.js';
import { FileStorage, MemoryStorage } from '../../lib/storage.js';
import type { HandshakeReport } from '../../lib/types.js';
import { delay, echo, service, until, World } from './world.js';

describe('device', function () {
  this.timeout(20_000);
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

  it('a storage that fails keeps the link down, says so, and goes on once it works', async () => {
    const storage = new MemoryStorage();
    const write = storage.writeSlot.bind(storage);
    let failures = 0;
    storage.writeSlot = () => Promise.reject(new Error(`flash worn out ${(failures += 1)}`));
    const session = await world.connect(await world.pair({ mode: Mode.Ticket }), { storage, lazy: true });
    const errors: { code?: string }[] = [];
    session.on('error', (error) => errors.push(error as { code?: string }));
    await until(() => failures >= 3, 'tried again and again');
    assert.equal(session.live, false);
    assert.equal(world.gateway.sessions.length, 0, 'no first record before the storage is done');
    assert.ok(errors.every(({ code }) => code === 'ERR_HAWSER_STORAGE'));
    assert.equal(session.counters.get('store'), failures);
    storage.writeSlot = write;
    await session.firstLink;
    const stream = await session.open('echo');
    stream.end('x');
    await once(stream.resume(), 'close');
  });

  it('a storage that cannot be read at the start is an error of connect()', async () => {
    const storage = new MemoryStorage();
    storage.readSlot = () => Promise.reject(new Error('no such device'));
    const connecting = world.connect(await world.pair({ mode: Mode.Ticket }), { storage });
    await assert.rejects(connecting, { code: 'ERR_HAWSER_STORAGE', message: /no such device/ });
  });

  it('boots over and over with files, ticket mode: always in, never an ECDH, never locked out', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hawser-boots-'));
    const pairing = await world.pair({ mode: Mode.Ticket });
    for (let boot = 0; boot < 8; boot += 1) {
      const session = await world.connect(pairing, { storage: new FileStorage(directory), lazy: true });
      const [report] = (await once(session, 'handshake')) as [HandshakeReport];
      assert.equal(report.ecdh, 0);
      if (boot % 2 === 0) await session.open('echo').then((stream) => stream.on('error', () => undefined));
      await session.close({ timeout: 0 });
    }
    // Boots without any contact burn nothing.
    for (let boot = 0; boot < 5; boot += 1) {
      const session = await world.connect(pairing, { storage: new FileStorage(directory), port: 1, lazy: true });
      await delay(10);
      await session.close({ timeout: 0 });
    }
    const session = await world.connect(pairing, { storage: new FileStorage(directory) });
    assert.equal(session.live, true);
    rmSync(directory, { recursive: true });
  });

  it('sleeps and wakes: the stream goes on where it was, without a byte lost or doubled', async () => {
    let heard = '';
    const sink = await service((socket) =>
      socket.on('data', (part) => {
        heard += String(part);
        socket.write(`<${String(part)}>`);
      }),
    );
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: sink.url } });
    const directory = mkdtempSync(join(tmpdir(), 'hawser-sleep-'));
    const pairing = await world.pair({ mode: Mode.Psk });
    const first = await world.connect(pairing, { storage: new FileStorage(directory) });
    const stream = await first.open('echo');
    let answers = '';
    stream.on('data', (part) => (answers += String(part)));
    stream.on('error', () => undefined);
    stream.write('one');
    await until(() => answers === '<one>' && stream.bytesAcknowledged === 3);
    await first.sleep();
    assert.equal(first.closed, true);
    assert.equal(sink.sockets.size, 1, 'the gateway keeps the upstream');

    const second = await world.connect(pairing, { storage: new FileStorage(directory) });
    const [restored] = second.restored;
    assert.ok(restored);
    assert.equal(restored.upstream, 'echo');
    assert.equal(restored.bytesAcknowledged, 3);
    restored.on('data', (part) => (answers += String(part)));
    restored.write('two');
    await until(() => answers === '<one><two>');
    assert.equal(heard, 'onetwo');
    restored.end();
    sink.server.close();
    for (const socket of sink.sockets) socket.destroy();
    await second.close({ timeout: 0 });

    const third = await world.connect(pairing, { storage: new FileStorage(directory) });
    assert.deepEqual(third.restored, [], 'a saved state counts once');
    rmSync(directory, { recursive: true });
  });

  it('uses a byte pipe of the caller, a new one for each try', async () => {
    const { connect: netConnect } = await import('node:net');
    let opened = 0;
    const pipe = async (): Promise<Duplex> => {
      opened += 1;
      if (opened === 1) throw new Error('line busy');
      const socket = netConnect({ port: world.port, host: '127.0.0.1' });
      await once(socket, 'connect');
      return socket;
    };
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), { pipe });
    assert.equal(opened, 2);
    const stream = await session.open('echo');
    stream.end('x');
    await once(stream.resume(), 'close');
  });

  for (const own of [false, true])
    it(`${own ? "a caller's own pipe" : 'a connection'} that is over leaves nothing behind in the session`, async () => {
      const waiting = new Set<() => void>();
      const plain = Object.getOwnPropertyDescriptor(Ending.prototype, 'wait')?.value as Ending['wait'];
      Ending.prototype.wait = function (this: Ending, ended) {
        waiting.add(ended);
        const leave = plain.call(this, ended);
        return () => {
          waiting.delete(ended);
          leave();
        };
      };
      try {
        const { connect: netConnect } = await import('node:net');
        const relay = await world.relay();
        const pipe = (): Duplex => netConnect({ port: relay.port, host: '127.0.0.1' });
        const options = { port: relay.port, ...(own && { pipe }) };
        const session = await world.connect(await world.pair({ mode: Mode.Psk }), options);
        for (let n = 0; n < 5; n += 1) {
          await until(() => relay.pairs.size === 1 && session.live);
          const resumed = once(session, 'resume');
          relay.cut();
          await resumed;
        }
        await until(() => waiting.size === 0, 'nobody waits while the link is up');
      } finally {
        Ending.prototype.wait = plain;
      }
    });

  it('ends even while a pipe is being opened for ever', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Psk }), {
      pipe: () => new Promise<Duplex>(() => undefined),
      lazy: true,
    });
    await session.close();
    assert.equal(session.closed, true);
  });

  it('answers nobody who pretends to be the gateway, and finds the real one after it', async () => {
    const pretenders: [string, (socket: Duplex) => void][] = [
      ['talks first', (socket) => void socket.write('SSH-2.0-OpenSSH\r\n')],
      [
        'answers garbage',
        (socket) =>
          void socket.once('data', () => socket.write(Buffer.concat([Buffer.from([0, 51, 0x17]), randomBytes(50)]))),
      ],
      [
        'answers a record',
        (socket) =>
          void socket.once('data', () => socket.write(Buffer.concat([Buffer.from([0x40, 2]), randomBytes(18)]))),
      ],
      ['reflects', (socket) => void socket.pipe(socket)],
      ['hangs up', (socket) => void socket.destroy()],
    ];
    for (const [what, behave] of pretenders) {
      const sent: Buffer[] = [];
      let visits = 0;
      const server = createServer((socket) => {
        visits += 1;
        socket.on('error', () => undefined);
        socket.on('data', (part) => sent.push(part));
        behave(socket);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const addresses = [
        { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
        { host: '127.0.0.1', port: world.port },
      ];
      const pairing = await world.pair({ mode: Mode.Psk });
      const { connect } = await import('../../lib/device.js');
      const { engine } = await import('./world.js');
      const session = await connect({
        pairing: pairing.device,
        addresses,
        engine,
        storage: new MemoryStorage(),
        backoff: { min: 1, max: 5 },
      });
      assert.equal(session.live, true, what);
      assert.ok(visits >= 1, what);
      assert.ok(Buffer.concat(sent).length <= visits * 60, `${what}: nothing but message 1`);
      await session.close({ timeout: 0 });
      server.close();
    }
  });

  it('leaves nothing behind: a process that closed everything ends by itself', async () => {
    const { spawn } = await import('node:child_process');
    const here = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const script = `
      import { World, echo } from ${here('./world.ts')};
      const up = await echo();
      const world = await World.start({ upstreams: { echo: up.url } });
      const session = await world.connect(await world.pair({ mode: 3 }));
      const stream = await session.open('echo');
      stream.resume().end('x');
      await new Promise((resolve) => stream.once('close', resolve));
      await session.close();
      await world.stop();
      up.server.close();
      const held = () => process.getActiveResourcesInfo().filter((name) => !/^(Pipe|TTY|Immediate)/.test(name));
      for (let turn = 0; turn < 1000 && held().length > 0; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      console.log('closed, held by ' + (held().join() || 'nothing'));`;
    const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (part) => (said += String(part)));
    const [status] = (await once(child, 'exit')) as [number];
    assert.equal(status, 0);
    assert.equal(said, 'closed, held by nothing\n', 'no timer or socket holds it');
  });
});
