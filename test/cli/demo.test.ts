/** npm run demo in short: it holds, and says so; and its checks can fail. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { order } from '../../demo/checks.js';

describe('npm run demo -- --quick', () => {
  it('holds', async function () {
    this.timeout(240_000);
    this.slow(120_000);
    const main = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import=tsx', main, '--quick'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number];
    assert.equal(status, 0, `${err}\n${out}`);
    assert.match(out, /all held after \d+ s\n$/);
    assert.doesNotMatch(out, /FAIL/);
    for (const mode of ['keys', 'psk', 'ticket']) {
      assert.match(out, new RegExp(`ok {4}phase 1, ${mode}: each exactly once and in order`));
      assert.match(out, new RegExp(`^3 +${mode} +resumption +new +48 +36 +1 +0`, 'm'));
    }
  });

  it('its look at the order of messages notices each fault', () => {
    assert.deepEqual(order([1, 2, 3], 1, 3), { missing: [], repeated: [], inOrder: true });
    assert.deepEqual(order([1, 3], 1, 3), { missing: [2], repeated: [], inOrder: false });
    assert.deepEqual(order([1, 2, 2, 3], 1, 3), { missing: [], repeated: [2], inOrder: false });
    assert.deepEqual(order([2, 1, 3], 1, 3), { missing: [], repeated: [], inOrder: false });
    assert.deepEqual(order([9, 4, 5], 4, 5), { missing: [], repeated: [], inOrder: true });
  });
});
