/** The local ports of `hawser connect`, over streams that the test holds. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { HawserError } from '../../lib/errors.js';
import { Forwarder, parseForward } from '../../lib/cli/forward.js';
import { freePort, upstream } from './harness.js';

const HOST = '127.0.0.1';

/** One end of a stream whose other end is in the same process. Half-closes. */
class End extends Duplex {
  other!: End;
  #more: (() => void) | undefined;

  override _read(): void {
    const more = this.other.#more;
    this.other.#more = undefined;
    more?.();
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.other.push(chunk)) done();
    else this.#more = done;
  }
  override _final(done: () => void): void {
    this.other.push(null);
    done();
  }
}

/** The test's end is `far`; the forwarder's `near`. */
function streamPair(): { near: Duplex; far: Duplex } {
  const [near, far] = [new End(), new End()];
  near.other = far;
  far.other = near;
  return { near, far };
}

interface Setup {
  forwarder: Forwarder;
  opened: string[];
  ends: (Error | undefined)[];
  /** Nobody waits until it is connected: it may be reset before. */
  client: () => Socket;
}

async function setup(open: (name: string) => Promise<Duplex>): Promise<Setup> {
  const opened: string[] = [];
  const ends: (Error | undefined)[] = [];
  const forwarder = await Forwarder.listen(
    { host: HOST, port: 0, upstream: 'mqtt' },
    (name) => {
      opened.push(name);
      return open(name);
    },
    { closed: (_forward, error) => void ends.push(error) },
  );
  const client = (): Socket => connect({ port: forwarder.port, host: HOST, allowHalfOpen: true });
  return { forwarder, opened, ends, client };
}

/** All that comes until the other side ends; reading by iteration would destroy the stream's own side as well. */
async function text(from: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  from.on('data', (chunk: Buffer) => (all += chunk.toString()));
  await once(from, 'end');
  return all;
}

describe('forwarding', () => {
  it('reads what --forward says', () => {
    assert.deepEqual(parseForward('1883=mqtt', false), { host: HOST, port: 1883, upstream: 'mqtt' });
    assert.deepEqual(parseForward('localhost:0=a.b', false), { host: 'localhost', port: 0, upstream: 'a.b' });
    assert.deepEqual(parseForward('[::1]:5=x', false), { host: '::1', port: 5, upstream: 'x' });
    assert.deepEqual(parseForward('0.0.0.0:5=x', true), { host: '0.0.0.0', port: 5, upstream: 'x' });
    for (const host of ['0.0.0.0', '192.0.2.1', '[::]', 'example.org', '127.0.0.1.example.org']) {
      assert.throws(() => parseForward(`${host}:5=x`, false), /can be reached from other machines/, host);
    }
  });

  it('carries bytes both ways and half-closes', async () => {
    const { near, far } = streamPair();
    const { forwarder, opened, ends, client } = await setup(() => Promise.resolve(near));
    const socket = client();
    socket.end('question');
    assert.equal(await text(far), 'question'); // the client's end arrived while the answer is still to come
    far.end('answer');
    assert.equal(await text(socket), 'answer');
    await forwarder.close(1000);
    assert.deepEqual(opened, ['mqtt']);
    assert.deepEqual(ends, [undefined]);
  });

  it('a stream that breaks resets the client: it must not take what came for all there is', async () => {
    const { near, far } = streamPair();
    const { forwarder, ends, client } = await setup(() => Promise.resolve(near));
    const socket = client();
    far.write('half an ans');
    await once(socket, 'data');
    near.destroy(new HawserError('ERR_HAWSER_STATE_LOST', 'gone'));
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
    await forwarder.close(1000);
    assert.equal((ends[0] as HawserError).code, 'ERR_HAWSER_STATE_LOST');
  });

  it('a client that breaks off destroys the stream', async () => {
    const { near, far } = streamPair();
    const { forwarder, client } = await setup(() => Promise.resolve(near));
    const socket = client();
    socket.write('x');
    await once(far, 'data');
    const closed = once(near, 'close');
    socket.resetAndDestroy();
    await closed.catch(() => undefined);
    assert.ok(near.destroyed);
    await forwarder.close(1000);
  });

  it('an upstream that cannot be opened resets the client, and the next one may work', async () => {
    const { near, far } = streamPair();
    let tries = 0;
    const { forwarder, ends, client } = await setup(() =>
      tries++ === 0 ? Promise.reject(new HawserError('ERR_HAWSER_NOT_ALLOWED', 'no')) : Promise.resolve(near),
    );
    const socket = client();
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
    assert.equal((ends[0] as HawserError).code, 'ERR_HAWSER_NOT_ALLOWED');
    const second = client();
    second.end('again');
    assert.equal(await text(far), 'again');
    far.end();
    assert.equal(await text(second), '');
    await forwarder.close(1000);
  });

  /** That it ends at all is the test: the stream never would. */
  it('close breaks off what does not end in time', async () => {
    const { near } = streamPair();
    const { forwarder, client } = await setup(() => Promise.resolve(near));
    const socket = client();
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const { port } = forwarder;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await forwarder.close(100);
    await closed;
    await assert.rejects(once(connect(port, HOST), 'connect'), { code: 'ECONNREFUSED' });
  });

  it("a port that is taken is the user's mistake", async () => {
    const { server, port } = await upstream(() => undefined);
    const events = { closed: () => undefined };
    await assert.rejects(
      Forwarder.listen({ host: HOST, port, upstream: 'mqtt' }, () => streamPair().near, events),
      {
        name: 'UsageError',
        message: `--forward ${port}=mqtt: the port is in use`,
      },
    );
    server.close();
    const free = await freePort();
    const one = await Forwarder.listen({ host: HOST, port: free, upstream: 'mqtt' }, () => streamPair().near, events);
    assert.equal(one.port, free);
    await one.close(0);
  });
});
