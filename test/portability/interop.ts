/** A device on an emulated machine of another word size or byte order, against `hawser gateway` on this one. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { done, upstream } from '../cli/harness.js';
import { end, gateway, handshakes, keep, run, type World } from '../e2e/world.js';
import { pattern } from '../suite/bytes.js';

const { HAWSER_EMULATOR: emulator = '', HAWSER_RUNNERS: build = '' } = process.env; // tools/portability.mjs

describe(`the device under ${emulator}`, function () {
  this.timeout(300_000);
  let world: World;

  before(async () => {
    assert.ok(emulator && build, 'HAWSER_EMULATOR and HAWSER_RUNNERS say what to run');
    const { server, port } = await upstream((socket) => socket.pipe(socket));
    keep(server);
    world = await gateway(`tcp://127.0.0.1:${port}`);
  });
  after(end);

  for (const { name, options } of [
    { name: 'psk', options: ['--mode', 'psk'] },
    { name: 'keys-p256', options: ['--mode', 'keys', '--suite', 'p256'] },
    { name: 'keys-psk', options: ['--mode', 'keys+psk', '--suite', '25519'] },
    { name: 'ticket', options: ['--mode', 'ticket'] },
  ])
    it(`${name}: carries a stream both ways, and resumes from its flash`, async () => {
      const file = join(world.path, `${name}.bin`);
      await done('pair', name, '--allow', 'mqtt', '--format', 'bin', '-o', file, '-c', world.config, ...options);
      const before = readFileSync(world.events, 'utf8').length;
      for (const bytes of [pattern(50_000, 3), pattern(10, 4)]) {
        const device = join(build, 'example-device-psa');
        const { out, code } = await run([emulator, device, file, '127.0.0.1', String(world.listen), 'mqtt'], bytes);
        assert.equal(code, 0);
        assert.ok(out.equals(bytes), `${out.length} of ${bytes.length} bytes came back`);
      }
      const kinds = await handshakes(world.events, before, 2);
      assert.deepEqual(kinds, [name === 'ticket' ? 'resumption' : 'full', 'resumption']);
    });
});
