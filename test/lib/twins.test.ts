import assert from 'node:assert/strict';
import { once } from 'node:events';

import type { Session } from '../../lib/device.js';
import { Mode } from '../../lib/engine.js';
import { MemoryStorage } from '../../lib/storage.js';
import { echo, until, World } from './world.js';

/** The gateway knows one session and one chain of a device: two that are alive with one pairing have to put up with that, and nothing may hang. */
describe('two devices with one pairing', function () {
  this.timeout(60_000);
  let world: World;
  let upstream: Awaited<ReturnType<typeof echo>>;

  beforeEach(async () => {
    upstream = await echo();
    world = await World.start({ upstreams: { echo: upstream.url } });
  });
  afterEach(async () => {
    await world.stop();
    for (const socket of upstream.sockets) socket.destroy();
    upstream.server.close();
  });

  /** One byte there and back over a stream of its own. */
  async function served(session: Session): Promise<void> {
    const stream = await session.open('echo');
    const back = once(stream, 'data');
    stream.write('x');
    await back;
    stream.destroy();
  }

  for (const mode of ['Psk', 'Keys'] as const)
    it(`in mode ${mode}: the newer one is served, the older one is told of its end and met with silence, and neither disturbs the other`, async () => {
      const pairing = await world.pair({ mode: Mode[mode] });
      const drops: string[] = [];
      world.gateway.on('drop', ({ reason }) => drops.push(reason));
      const backoff = { min: 1, max: 20 };
      const older = await world.connect(pairing, { backoff });
      const stream = await older.open('echo');
      const lost = once(older, 'pause');
      const newer = await world.connect(pairing, { backoff });
      await lost;
      // The chain of the older one is replaced: it resumes in vain until its patience ends (SPEC 7.4), and what waits for it can be ended.
      await until(() => drops.filter((reason) => reason === 'unknownTicket').length >= 5);
      for (let n = 0; n < 5; n += 1) await served(newer);
      assert.equal(world.gateway.sessions.length, 1);
      assert.equal(stream.destroyed, false);
      const waiting = older.open('echo');
      const over = assert.rejects(waiting, { code: 'ERR_HAWSER_CLOSED' });
      const closed = once(stream, 'close');
      await older.close({ timeout: 0 });
      await Promise.all([over, closed]);
      await served(newer);
      assert.deepEqual(world.errors, []);
    });

  it('that start anew without a chain take the session from each other, for as long as they do so', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    let previous: Session | undefined;
    for (let n = 0; n < 6; n += 1) {
      const lost = previous && once(previous, 'pause');
      const session = await world.connect(pairing);
      await served(session);
      await lost;
      assert.equal(world.gateway.sessions.length, 1);
      previous = session;
    }
    assert.deepEqual(world.errors, []);
  });

  it('whose flash was cloned are both answered, one session is left, and the pairing stays usable', async () => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const storage = new MemoryStorage();
    const first = await world.connect(pairing, { storage });
    await first.close();
    const copy = new MemoryStorage();
    for (const slot of [0, 1] as const) {
      const bytes = await storage.readSlot(slot);
      if (bytes) await copy.writeSlot(slot, bytes);
    }
    const backoff = { min: 1, max: 20 };
    const both = await Promise.all([storage, copy].map((own) => world.connect(pairing, { storage: own, backoff })));
    await until(() => both.some((session) => session.live));
    assert.equal(world.gateway.sessions.length, 1);
    await Promise.all(both.map((session) => session.close({ timeout: 0 })));
    await served(await world.connect(pairing));
    assert.deepEqual(world.errors, []);
  });
});
