import assert from 'node:assert/strict';

import { runProgram } from './child.js';
import { forEachPort } from './ports.js';

forEachPort('binding: memory that is lent', (_engine, addon, port) => {
  it('is nobody else’s while it is held', () => {
    const held = Array.from({ length: 300 }, (_, n) => {
      const bytes = addon().lend(1 + ((n * 7919) % 70_000));
      assert.ok(bytes);
      return bytes.fill(n & 0xff);
    });
    for (const [n, bytes] of held.entries())
      assert.ok(
        bytes.every((byte) => byte === (n & 0xff)),
        `loan ${n}`,
      );
  });

  it('is refused where it makes no sense', () => {
    for (const wrong of [0, -1, 1.5, NaN, 262_145, undefined, '1', {}])
      assert.equal(addon().lend(wrong as number), undefined, typeof wrong);
    assert.equal(addon().lend(262_144)?.length, 262_144);
  });

  it('is bounded, and comes back when nobody holds it', () => {
    const child = runProgram('lend', [port], { flags: ['--expose-gc'] });
    assert.equal(child.status, 0, child.stderr);
    const { most, again, same } = JSON.parse(child.stdout) as Record<string, number>;
    assert.equal(most, 160, 'slabs of 256 KiB');
    assert.equal(again, 160, 'all of them were lent again');
    assert.equal(same, 160, 'and they were the same');
  });
});
