/** What an application gets wrong is said by name and reason, in the same words whichever engine is below. */

import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect as netConnect, type Socket as NetSocket } from 'node:net';
import { Duplex } from 'node:stream';

import { Mode, type Engine } from '../../lib/engine.js';
import { selectEngine } from '../../lib/engine/select.js';
import { World } from './world.js';

const names = ['js', 'native', 'native-mbedtls'] as const;

for (const name of names) {
  describe(`names and messages, ${name}`, () => {
    let world: World;
    let server: Socket;
    let engine: Engine;

    before(() => {
      engine = selectEngine({ engine: name });
    });
    beforeEach(async () => {
      server = createSocket('udp4');
      server.on('message', (data, from) => server.send(String(data.length), from.port, from.address));
      server.bind(0, '127.0.0.1');
      await once(server, 'listening');
      world = await World.start({ upstreams: { echo: `udp://127.0.0.1:${server.address().port}` } });
    });
    afterEach(async () => {
      await world.stop();
      server.close();
    });

    it('refuses what is no name of an upstream before it opens anything', async () => {
      const session = await world.connect(await world.pair({ mode: Mode.Psk }), { engine });
      for (const bad of ['', 'Echo', 'two words', 'x'.repeat(33), 'é']) {
        const error = {
          code: 'ERR_HAWSER_ARG',
          message: `upstream: ${JSON.stringify(bad)} is not a name of 1..32 characters a-z 0-9 . _ -`,
        };
        await assert.rejects(session.open(bad), error);
        await assert.rejects(session.openMessages(bad), error);
      }
      assert.equal(session.live, true);
    });

    it('keeps the order of sealing when a message is sent from within a write of the pipe', async () => {
      const both = {
        echo: `udp://127.0.0.1:${server.address().port}`,
        back: (stream: Duplex) => void stream.pipe(stream),
      };
      const other = await World.start({ upstreams: both });
      const pairing = await other.pair({ mode: Mode.Psk, upstreams: ['echo', 'back'] });
      let socket: NetSocket | undefined;
      let within: (() => void) | undefined;
      const pipe = async (): Promise<Duplex> => {
        const below = netConnect({ port: other.port, host: '127.0.0.1' });
        await once(below, 'connect');
        socket = below;
        const above = new Duplex({
          read: () => undefined,
          write: (bytes: Buffer, _encoding, done) => {
            within?.();
            below.write(bytes, () => done());
          },
          destroy: (error, done) => {
            below.destroy();
            done(error);
          },
        });
        below.on('data', (bytes) => above.push(bytes));
        below.on('error', () => undefined);
        return below.on('close', () => above.destroy()) && above;
      };
      const session = await other.connect(pairing, { engine, pipe });
      const messages = await session.openMessages('echo');
      const stream = await session.open('back');
      const drops: string[] = [];
      other.gateway.on('drop', ({ reason }) => drops.push(reason));
      let sent = 0;
      for (let round = 0; round < 5; round += 1) {
        socket?.resetAndDestroy();
        await once(session, 'pause');
        stream.write('b');
        within = () => {
          if (!messages.send(Buffer.from('m'))) return;
          within = undefined;
          sent += 1;
        };
        assert.equal(String(((await once(stream, 'data')) as [Buffer])[0]), 'b');
      }
      assert.ok(sent > 0, 'nothing was sent from within a write');
      assert.equal(drops.filter((reason) => reason === 'badRecord').length, 0, drops.join(' '));
      await other.stop();
    });

    it('is not refused a message on an idle link, however much was written before', async () => {
      const both = { echo: `udp://127.0.0.1:${server.address().port}`, sink: (stream: Duplex) => void stream.resume() };
      const other = await World.start({ upstreams: both });
      const session = await other.connect(await other.pair({ mode: Mode.Psk, upstreams: ['echo', 'sink'] }), {
        engine,
      });
      const messages = await session.openMessages('echo');
      await once(messages, 'connect');
      const stream = await session.open('sink');
      let refused = 0;
      for (let round = 0; round < 1500; round += 1) {
        stream.write(Buffer.alloc(100));
        if (!messages.send(Buffer.alloc(1000))) refused += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(refused, 0);
      await other.stop();
    });

    it('sends the longest message there can be, and refuses a longer one with both lengths', async () => {
      const session = await world.connect(await world.pair({ mode: Mode.Psk }), { engine });
      const messages = await session.openMessages('echo');
      await once(messages, 'connect');
      assert.equal(messages.send(new Uint8Array(16380)), true);
      const [answer] = (await once(messages, 'message')) as [Buffer];
      assert.equal(String(answer), '16380');
      assert.throws(() => messages.send(new Uint8Array(16381)), {
        code: 'ERR_HAWSER_ARG',
        message: 'message: 16381 bytes; at most 16380 fit a record',
      });
      assert.equal(messages.send(Buffer.from('still')), true);
      assert.equal(String(((await once(messages, 'message')) as [Buffer])[0]), '5');
    });

    it('a message that the first record of a link does not take is one that could not be sent, not an error', async () => {
      const session = await world.connect(await world.pair({ mode: Mode.Psk }), { engine, lazy: true });
      const messages = await session.openMessages('echo');
      assert.equal(messages.send(new Uint8Array(5000)), false, 'no link yet');
      const sent: boolean[] = [];
      session.once('session', () => sent.push(messages.send(new Uint8Array(5000))));
      await once(messages, 'connect');
      assert.deepEqual(sent, [true]);
      assert.equal(messages.send(new Uint8Array(5000)), true);
      assert.equal(String(((await once(messages, 'message')) as [Buffer])[0]), '5000');
    });
  });
}
