/** OPENs as a faulty or hostile device sends them: thousands, of one id. What they hold of the gateway is bounded, and so is what is said of them. */

import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import dns from 'node:dns';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

import { deviceCredentials } from '../../lib/credentials.js';
import { Mode, type DeviceCore } from '../../lib/engine.js';
import { Ends } from '../../lib/gateway/ends.js';
import { Intake, portion } from '../../lib/gateway/intake.js';
import { Refusals } from '../../lib/gateway/refusals.js';
import type { RefusedReport, UpstreamHandler } from '../../lib/types.js';
import { BareLink } from './bare.js';
import { delay, echo, engine, service, until, World } from './world.js';

/** Records that the device's core would not make (SPEC 3.6). */
class Forger {
  #count = 1;
  #serial = 0;
  readonly #key: Uint8Array;

  /** `core` has sent its first record and nothing since. */
  constructor(core: DeviceCore) {
    const keys = core.keys();
    assert.ok(keys);
    this.#key = keys.d2g;
  }

  seal(plain: Buffer): Buffer {
    const header = Buffer.alloc(2);
    header.writeUInt16BE(0x4000 | plain.length);
    const nonce = Buffer.alloc(12);
    nonce.writeUIntBE(this.#count++, 6, 6);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(header);
    return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Each with a higher serial than the one before. */
  opens(count: number, id = 0, name = 'echo'): Buffer {
    const one = (): Buffer => {
      const head = Buffer.alloc(9);
      head.writeUInt8(3, 0);
      head.writeUInt16BE(id, 1);
      head.writeUInt32BE((this.#serial += 1), 3);
      head.writeUInt8(name.length, 8);
      return Buffer.concat([head, Buffer.from(name)]);
    };
    return this.seal(Buffer.concat(Array.from({ length: count }, one)));
  }
}

describe('a flood of OPEN', function () {
  this.timeout(20_000);
  let world: World;
  let up: Awaited<ReturnType<typeof echo>>;
  let connections = 0;
  beforeEach(async () => {
    connections = 0;
    up = await service((socket) => {
      connections += 1;
      socket.pipe(socket);
    });
    world = await World.start({ upstreams: { echo: up.url } });
  });
  afterEach(async () => {
    await world.stop();
    up.server.close();
    assert.deepEqual(world.errors, []);
  });

  it('of one id takes no more sockets than twice its streams, is told a thousand times, and leaves everybody else alone', async () => {
    const pairing = await world.pair({ mode: Mode.Psk, streams: 4 });
    const refused: RefusedReport[] = [];
    world.gateway.on('refused', (report) => refused.push(report));
    const innocent = await world.connect(await world.pair({ mode: Mode.Psk }));
    const core = engine.device(deviceCredentials(engine, pairing.device).pairing, { streams: 4, keylog: true });
    core.boot();
    const link = await BareLink.live(world.port, core);
    const forger = new Forger(core);
    for (let n = 0; n < 2; n += 1) link.socket.write(forger.opens(1000));
    const count = (): number => world.gateway.refused(pairing.device.id).streamLimit;
    await until(() => count() >= 2000 - 16, 'all but a few refused');
    await delay(50);
    assert.ok(connections <= 16, `${connections} connections`);
    const refusals = count();
    assert.equal(world.gateway.counters.get('streamLimit'), refusals);
    assert.deepEqual([refused.length, refused.every(({ reason }) => reason === 'streamLimit')], [1000, true]);
    const stream = await innocent.open('echo');
    stream.end('undisturbed');
    assert.equal(String((await once(stream, 'data'))[0]), 'undisturbed');
    // What was left behind has closed: the device has its streams again.
    const before = connections;
    link.socket.write(forger.opens(1));
    await until(() => connections === before + 1, 'one more');
    assert.equal(count(), refusals);
    link.hangUp();
  });

  it('under new sessions of the same device counts on', () => {
    const held = new Ends();
    const releases = Array.from({ length: 8 }, () => held.take('dev'));
    assert.deepEqual([held.allows('dev', 4), held.allows('dev', 5), held.allows('other', 1)], [false, true, true]);
    releases[0]?.();
    releases[0]?.();
    assert.deepEqual([held.held('dev'), held.allows('dev', 4)], [7, true]);
    for (const release of releases) release();
    assert.equal(held.held('dev'), 0);
  });

  it('hundreds of streams one after the other are no flood', async () => {
    const session = await world.connect(await world.pair({ mode: Mode.Psk, streams: 2 }), { streams: 2 });
    for (let n = 0; n < 200; n += 1) {
      const stream = await session.open('echo');
      stream.on('data', () => undefined);
      stream.end(`${n}`);
      await once(stream, 'close');
    }
    assert.equal(world.gateway.counters.get('streamLimit'), 0);
  });

  it('to a name that is not answered takes one lookup for all, and nobody else waits for it', async () => {
    const real = dns.lookup;
    let hanging = 0;
    const lookup = (host: string, ...rest: unknown[]): unknown => {
      if (host !== 'slow.test') return (real as (...all: unknown[]) => unknown)(host, ...rest);
      hanging += 1;
      answers.push(rest.at(-1) as (error: Error) => void);
      return {};
    };
    const answers: ((error: Error) => void)[] = [];
    (dns as { lookup: unknown }).lookup = lookup;
    try {
      const { port } = new URL(up.url);
      const upstreams = { slow: 'tcp://slow.test:9', datagrams: 'udp://slow.test:9', echo: `tcp://localhost:${port}` };
      await world.gateway.close({ drain: 0 });
      await world.openGateway({ upstreams });
      const pairing = await world.pair({ mode: Mode.Psk, streams: 4, upstreams: ['slow', 'echo'] });
      const core = engine.device(deviceCredentials(engine, pairing.device).pairing, { streams: 4, keylog: true });
      core.boot();
      const link = await BareLink.live(world.port, core);
      const forger = new Forger(core);
      for (let n = 0; n < 20; n += 1) {
        link.socket.write(forger.opens(50, 0, 'slow'));
        await delay(2);
      }
      await until(() => hanging > 0, 'a lookup');
      const stream = await (await world.connect(await world.pair({ mode: Mode.Psk }))).open('echo');
      stream.end('undisturbed');
      assert.equal(String((await once(stream, 'data'))[0]), 'undisturbed');
      assert.equal(hanging, 1);
      link.hangUp();
      // Whoever left is not told: an answer that comes late is nobody's.
      for (const answer of answers) answer(new Error('late'));
      const session = await world.connect(await world.pair({ mode: Mode.Psk, upstreams: Object.keys(upstreams) }));
      const failing = session.open('slow');
      await until(() => hanging === 2, 'a lookup of its own');
      answers[1]?.(new Error('no such name'));
      await assert.rejects(failing, { code: 'ERR_HAWSER_UNREACHABLE' });
      const datagrams = await session.openMessages('datagrams');
      const failed = once(datagrams, 'error') as Promise<[Error & { code: string }]>;
      await until(() => hanging === 3, 'one for datagrams');
      answers[2]?.(new Error('no such name'));
      assert.equal((await failed)[0].code, 'ERR_HAWSER_UNREACHABLE');
    } finally {
      (dns as { lookup: unknown }).lookup = real;
    }
  });

  it('to a name that cannot be looked up at all leaves nothing that later ones wait for', async () => {
    const real = dns.lookup;
    const { port } = new URL(up.url);
    await world.gateway.close({ drain: 0 });
    await world.openGateway({ upstreams: { echo: `tcp://localhost:${port}` } });
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    (dns as { lookup: unknown }).lookup = (): never => {
      throw new Error('not now');
    };
    try {
      await assert.rejects(session.open('echo'), { code: 'ERR_HAWSER_UNREACHABLE' });
    } finally {
      (dns as { lookup: unknown }).lookup = real;
    }
    const stream = await session.open('echo');
    stream.end('again');
    assert.equal(String((await once(stream, 'data'))[0]), 'again');
  });

  it('an upstream function that throws is as if it had never been', async () => {
    await world.gateway.close({ drain: 0 });
    const boom = (): never => {
      throw new Error('no');
    };
    await world.openGateway({ upstreams: { echo: boom } });
    const session = await world.connect(await world.pair({ mode: Mode.Psk, streams: 2 }));
    for (let n = 0; n < 10; n += 1) await assert.rejects(session.open('echo'), { code: 'ERR_HAWSER_UPSTREAM_RESET' });
  });

  const failing: Record<string, (stream: Duplex) => unknown> = {
    'an async function that throws': async (stream) => {
      await once(stream, 'data');
      throw new Error('no');
    },
    'a listener of data that throws': (stream) =>
      stream.on('data', () => {
        throw new Error('no');
      }),
    'an async listener of data that throws': (stream) =>
      stream.on('data', async () => {
        await delay(1);
        throw new Error('no');
      }),
    'a listener of end that throws': (stream) =>
      stream.resume().on('end', () => {
        throw new Error('no');
      }),
  };
  for (const [what, serve] of Object.entries(failing))
    it(`${what} in an upstream function ends its stream, and the gateway goes on`, async () => {
      await world.gateway.close({ drain: 0 });
      const said: string[] = [];
      await world.openGateway({ upstreams: { failing: serve as UpstreamHandler, echo: up.url } });
      world.gateway.on('debug', (line) => said.push(line));
      const session = await world.connect(
        await world.pair({ mode: Mode.Psk, streams: 2, upstreams: ['failing', 'echo'] }),
      );
      const stream = await session.open('failing');
      stream.end('x');
      const [error] = (await once(stream, 'error')) as [Error & { code: string }];
      assert.equal(error.code, 'ERR_HAWSER_UPSTREAM_RESET');
      assert.deepEqual(said.filter((line) => line.endsWith("upstream 'failing': no")).length, 1);
      const other = await session.open('echo');
      other.end('still here');
      assert.equal(String((await once(other, 'data'))[0]), 'still here');
    });

  it('a function that reads a stream which the device gives up hears of it, and the gateway goes on', async () => {
    await world.gateway.close({ drain: 0 });
    let ended: unknown;
    const read = async (stream: Duplex): Promise<void> => {
      try {
        for await (const chunk of stream) stream.write(chunk);
      } catch (error) {
        ended = error;
        throw error;
      }
    };
    await world.openGateway({ upstreams: { read, echo: up.url } });
    const session = await world.connect(await world.pair({ mode: Mode.Psk, streams: 2, upstreams: ['read', 'echo'] }));
    const stream = await session.open('read');
    stream.write('x');
    await once(stream, 'data');
    stream.on('error', () => undefined).destroy(new Error('given up'));
    await until(() => ended !== undefined, 'the function has heard');
    assert.equal((ended as { code?: string }).code, 'ERR_HAWSER_CANCELLED');
    const other = await session.open('echo');
    other.end('still here');
    assert.equal(String((await once(other, 'data'))[0]), 'still here');
  });
});

describe('refusals', () => {
  it('a thousand in ten seconds are told, and the next tells how many were not', () => {
    const refusals = new Refusals();
    const told = Array.from({ length: 1005 }, () => refusals.add('dev', 'notAllowed', 1000));
    assert.deepEqual(told, [...Array<number>(1000).fill(0), ...Array<undefined>(5).fill(undefined)]);
    assert.equal(refusals.add('other', 'notAllowed', 1000), 0);
    assert.equal(refusals.add('dev', 'streamLimit', 10_999), undefined);
    assert.equal(refusals.add('dev', 'notAllowed', 11_000), 6);
    assert.equal(refusals.add('dev', 'notAllowed', 11_000), 0);
    assert.deepEqual(refusals.of('dev'), { streamLimit: 1, notAllowed: 1007, unknownUpstream: 0 });
    assert.deepEqual(refusals.of('nobody'), { streamLimit: 0, notAllowed: 0, unknownUpstream: 0 });
  });

  it('remember so many devices, the most recent', () => {
    const refusals = new Refusals(3);
    for (const device of ['a', 'b', 'c', 'a', 'd']) refusals.add(device, 'notAllowed', 0);
    assert.equal(refusals.size, 3);
    assert.deepEqual(['a', 'b', 'd'].map((device) => refusals.of(device).notAllowed), [2, 0, 1]); // prettier-ignore
  });
});

describe('portions that cost too much', () => {
  it('become smaller, down to one record, and grow again', async () => {
    let clock = 0;
    const lengths: number[] = [];
    const source = { pause: () => undefined, resume: () => undefined };
    const take = (bytes: Uint8Array): void => {
      lengths.push(bytes.length / 17);
      // Dear at first, then cheap: by their number, not by when somebody looks.
      clock += lengths.length <= 8 ? 10 : 0.1;
    };
    const intake = new Intake(source, take, portion.bytes, () => clock);
    const record = Buffer.concat([Buffer.from([0x40, 1]), Buffer.alloc(15 + 2)]).subarray(0, 19);
    intake.push(Buffer.concat(Array.from({ length: 400 }, () => record)));
    const records = (): number[] => lengths.map((length) => Math.round((length * 17) / 19));
    await until(() => lengths.length >= 16, 'sixteen portions');
    assert.deepEqual(records().slice(0, 16), [32, 16, 8, 4, 2, 1, 1, 1, 1, 2, 4, 8, 16, 32, 32, 32]);
    intake.stop();
  });
});
