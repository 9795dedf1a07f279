import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';

import { Intake } from '../../lib/gateway/intake.js';
import { borrowed, readBorrowed } from '../../lib/reads.js';
import { until } from './world.js';

async function listening(serve: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

describe('reads into borrowed memory', () => {
  it('of all sockets land in one buffer, whichever end made them, and their bytes are right while they are there', async () => {
    const memories = new Set<ArrayBufferLike>();
    const heard = { server: '', client: '' };
    const { server, port } = await listening((socket) => {
      readBorrowed(socket, (bytes) => {
        memories.add(bytes.buffer);
        heard.server += Buffer.from(bytes).toString();
        socket.write(Buffer.from(bytes).toString().toUpperCase());
      });
      socket.on('end', () => socket.end());
    });
    const onread = borrowed((bytes) => {
      memories.add(bytes.buffer);
      heard.client += Buffer.from(bytes).toString();
    });
    const clients = Array.from({ length: 3 }, () => connect({ port, host: '127.0.0.1', onread }));
    for (const client of clients) client.end('hello');
    await Promise.all(clients.map((client) => once(client, 'close')));
    assert.deepEqual(heard, { server: 'hellohellohello', client: 'HELLOHELLOHELLO' });
    assert.equal(memories.size, 1);
    server.close();
    await once(server, 'close');
  });

  it('an accepted socket can be paused meanwhile, ends when it is told to, and is counted by its server until then', async () => {
    let heard = 0;
    const pipes: Socket[] = [];
    const { server, port } = await listening((socket) => {
      readBorrowed(socket, (bytes) => (heard += bytes.length));
      assert.equal(socket.listenerCount('data'), 0);
      pipes.push(socket.on('error', () => undefined).pause());
    });
    const client = connect({ port, host: '127.0.0.1' }).on('error', () => undefined);
    await once(client, 'connect');
    const bytes = Buffer.alloc(16 << 20);
    let written = false;
    client.write(bytes, () => (written = true));
    await until(() => pipes.length === 1);
    // Another connection there and back: what was written has had its chance to arrive.
    const other = connect({ port, host: '127.0.0.1' }).on('error', () => undefined);
    await until(() => pipes.length === 2);
    assert.deepEqual([heard, written], [0, false]);
    pipes[0]?.resume();
    await until(() => heard === bytes.length);
    let closed = false;
    server.close(() => (closed = true));
    await until(() => !server.listening);
    assert.equal(closed, false);
    pipes.forEach((pipe) => pipe.resetAndDestroy());
    await until(() => client.destroyed && other.destroyed && closed);
  });

  it('a pipe that is no socket is read as it is', () => {
    const pipe = new PassThrough();
    const heard: Uint8Array[] = [];
    readBorrowed(pipe, (bytes) => heard.push(bytes));
    pipe.write('a');
    assert.deepEqual(Buffer.concat(heard).toString(), 'a');
  });

  for (const why of ['the store is asked', 'others come first'] as const)
    it(`what has to wait because ${why} is still right when the memory was used again`, async () => {
      const memory = Buffer.alloc(6000);
      const taken: Buffer[] = [];
      let now = 0;
      const source = { pause: () => undefined, resume: () => undefined };
      const intake: Intake = new Intake(
        source,
        (bytes) => {
          taken.push(Buffer.from(bytes));
          if (why === 'others come first') now += 1.5;
          else if (taken.length === 1) intake.hold(bytes.subarray(1000));
        },
        2000,
        () => now,
      );
      const expected = Array.from({ length: 6000 }, (_, at) => at % 251);
      memory.set(expected);
      intake.push(memory);
      memory.fill(255);
      const before = Buffer.concat(taken).length;
      assert.ok(before > 0 && before < 6000, `${before} bytes were taken at once`);
      intake.release();
      // Of the first portion the last 1000 come twice: it was put back from there.
      const length = why === 'others come first' ? 6000 : 6000 + before - 1000;
      await until(() => Buffer.concat(taken).length === length);
      const all = Buffer.concat(taken);
      const again = why === 'others come first' ? all : Buffer.concat([all.subarray(0, 1000), all.subarray(before)]);
      assert.deepEqual([...again], expected);
    });
});
