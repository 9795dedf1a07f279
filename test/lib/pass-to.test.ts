import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Writable } from 'node:stream';

import { Mode } from '../../lib/engine.js';
import { until, World } from './world.js';

describe('a stream that is passed to a pipe', function () {
  this.timeout(60_000);
  let world: World;
  afterEach(() => world.stop());

  it('brings what had come before, what comes after, and its end, once and in order, over links that are torn', async () => {
    const bytes = randomBytes(3 << 20);
    world = await World.start({ upstreams: { source: (stream) => void stream.end(bytes) } });
    const relay = await world.relay();
    const session = await world.connect(await world.pair({ mode: Mode.Psk, upstreams: ['source'] }), {
      port: relay.port,
    });
    const stream = await session.open('source');
    await until(() => stream.readableLength > 0);
    const came: Buffer[] = [];
    let length = 0;
    const pipe = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        came.push(Buffer.from(chunk)); // its memory is used again
        if (length < 1 << 20 && length + chunk.length >= 1 << 20) relay.cut();
        length += chunk.length;
        setImmediate(done);
      },
    });
    stream.passTo(pipe);
    await once(pipe, 'finish');
    assert.ok(Buffer.concat(came).equals(bytes));
  });

  it('holds its sender back while the pipe takes nothing', async () => {
    let written = 0;
    world = await World.start({
      upstreams: {
        source: (stream) => {
          const more = (): void => {
            while (stream.write(Buffer.alloc(1000))) written += 1000;
          };
          stream.on('drain', more);
          more();
        },
      },
    });
    const session = await world.connect(await world.pair({ mode: Mode.Psk, upstreams: ['source'] }));
    const stream = await session.open('source');
    let go: (() => void) | undefined;
    let taken = 0;
    const pipe = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        taken += chunk.length;
        go = done;
      },
    });
    stream.passTo(pipe);
    await until(() => go !== undefined);
    let before = -1;
    await until(() => {
      const still = before === written;
      before = written;
      return still;
    });
    const held = written;
    assert.ok(held < 4 << 20, `${held} bytes were written for ${taken} taken`);
    const release = setInterval(() => go?.(), 1);
    await until(() => written > held + (1 << 20));
    clearInterval(release);
    stream.destroy();
  });
});
