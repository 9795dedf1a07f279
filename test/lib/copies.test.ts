import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { Copies } from '../../lib/copies.js';

describe('copies of what a stream sends', () => {
  it('are the same bytes, whatever happens to the originals, for as long as they are not acknowledged', () => {
    const copies = new Copies();
    const held: { at: number; pieces: Buffer[]; expected: Buffer }[] = [];
    let at = 0;
    let acknowledged = 0;
    const check = (): void => {
      for (const each of held) {
        const from = Math.max(0, acknowledged - each.at);
        const bytes = Buffer.concat(each.pieces).subarray(from);
        assert.ok(bytes.equals(each.expected.subarray(from)), `at ${each.at}`);
      }
    };
    for (let n = 0; n < 2000; n += 1) {
      const originals = Array.from({ length: 1 + (n % 3) }, () => randomBytes((n * 7919) % 70_000));
      const expected = Buffer.concat(originals);
      const pieces = copies.of(originals, at);
      for (const original of originals) original.fill(0);
      held.push({ at, pieces, expected });
      at += expected.length;
      if (n % 5 === 0) acknowledged = Math.max(acknowledged, at - ((n * 104_729) % 900_000));
      while (held[0] && held[0].at + held[0].expected.length <= acknowledged) held.shift();
      copies.free(acknowledged);
      if (n % 50 === 0) check();
    }
    check();
  });

  it('use the memory of acknowledged ones again, and little for little', () => {
    const copies = new Copies();
    const [first] = copies.of([Buffer.from('hello')], 0);
    assert.ok(first && first.buffer.byteLength <= 4096);
    const memories = new Set<ArrayBufferLike>();
    for (let n = 0, at = 5; n < 500; n += 1, at += 65_536) {
      copies.free(at);
      for (const piece of copies.of([Buffer.alloc(65_536, n)], at)) memories.add(piece.buffer);
    }
    assert.ok(memories.size <= 4, `${memories.size} pieces of memory for 32 MB`);
  });

  it('leave nothing behind once all is acknowledged, but what the thread keeps for all its streams', () => {
    const before = process.memoryUsage().arrayBuffers;
    const streams = Array.from({ length: 200 }, () => {
      const copies = new Copies();
      copies.of([Buffer.alloc(600_000)], 0);
      copies.free(600_000);
      return copies;
    });
    global.gc?.();
    const held = process.memoryUsage().arrayBuffers - before;
    assert.ok(held < 40 * 600_000, `${held} bytes for ${streams.length} streams`); // 200 x 600 000 were 120 MB
  });

  it('of nothing is nothing', () => {
    assert.deepEqual(new Copies().of([], 0), []);
    assert.deepEqual(new Copies().of([Buffer.alloc(0)], 7), []);
  });
});
