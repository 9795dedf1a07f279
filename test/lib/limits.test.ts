import assert from 'node:assert/strict';

import { parseConfig } from '../../lib/config.js';
import { Mode } from '../../lib/engine.js';
import { checkRange } from '../../lib/pairing/terms.js';
import { echo, World } from './world.js';

describe('ends of ranges and of sessions', () => {
  it('max_steps and max_blocks end at 2^32 - 2 (SPEC 4)', () => {
    for (const field of ['maxSteps', 'maxBlocks'] as const) {
      checkRange(field, 2 ** 32 - 2);
      assert.throws(() => checkRange(field, 2 ** 32 - 1), { code: 'ERR_HAWSER_FORMAT' });
    }
  });

  it('an upstream may be named as a property of objects is', () => {
    const text = 'id = "0102030405060708"\n[upstreams]\n__proto__ = "tcp://127.0.0.1:1"\n';
    assert.deepEqual(Object.entries(parseConfig(text, 'gateway.toml').upstreams), [['__proto__', 'tcp://127.0.0.1:1']]);
  });

  it('close() of a session tells no pause before its end', async () => {
    const up = await echo();
    const world = await World.start({ upstreams: { echo: up.url } });
    const session = await world.connect(await world.pair({ mode: Mode.Psk }));
    const told: string[] = [];
    session.on('pause', () => told.push('pause'));
    session.on('close', () => told.push('close'));
    await session.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(told, ['close']);
    await world.stop();
    up.server.close();
  });
});
