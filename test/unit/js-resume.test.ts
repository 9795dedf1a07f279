import assert from 'node:assert/strict';
import { createHmac, createHash } from 'node:crypto';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { hex, pattern } from '../suite/bytes.js';

const B0 = pattern(32, 1);

/** PRF of SPEC 1, by another library. */
function prf(key: Uint8Array, label: string, x: Uint8Array = new Uint8Array(0)): Buffer {
  return createHmac('sha256', key).update(label.padEnd(8, '\0')).update(x).digest();
}

describe('js resumption chain', () => {
  const engine = createJsEngine();

  it('starts as SPEC 7.1 says', () => {
    const chain = engine.chainStart(B0);
    assert.equal(hex(chain.id), hex(prf(B0, 'chainid').subarray(0, 8)));
    assert.equal(hex(chain.r), hex(prf(B0, 'first')));
    assert.equal(hex(chain.next), hex(prf(B0, 'block')));
    assert.deepEqual([chain.b, chain.i], [0, 0]);
  });

  it('indexes (b, i), (b, i+1) and the starts of the blocks ahead', () => {
    const chain = engine.chainMove(engine.chainStart(B0), { b: 0, i: 1 });
    const b1 = prf(B0, 'block');
    const b2 = prf(b1, 'block');
    const r1 = prf(prf(B0, 'first'), 'next');
    const expected = [
      [0, 1, prf(r1, 'ticket')],
      [0, 2, prf(prf(r1, 'next'), 'ticket')],
      [1, 0, prf(prf(b1, 'first'), 'ticket')],
      [2, 0, prf(prf(b2, 'first'), 'ticket')],
    ] as const;
    const tickets = engine.chainTickets(chain, 2).map(({ b, i, ticket }) => [b, i, hex(ticket)]);
    assert.deepEqual(
      tickets,
      expected.map(([b, i, ticket]) => [b, i, hex(ticket.subarray(0, 8))]),
    );
  });

  it('moves forward by steps and over blocks, and never back', () => {
    const start = engine.chainStart(B0);
    const moved = engine.chainMove(engine.chainMove(start, { b: 2, i: 0 }), { b: 2, i: 1 });
    assert.equal(hex(moved.r), hex(prf(prf(prf(prf(B0, 'block'), 'block'), 'first'), 'next')));
    assert.equal(hex(moved.next), hex(prf(prf(prf(B0, 'block'), 'block'), 'block')));
    assert.equal(hex(start.r), hex(prf(B0, 'first')), 'the given chain is as it was');
    assert.deepEqual(engine.chainMove(moved, { b: 2, i: 1 }), moved);
    for (const to of [
      { b: 2, i: 0 },
      { b: 1, i: 9 },
      { b: 2, i: 3 },
      { b: 3, i: 2 },
      { b: 2.5, i: 0 },
      { b: 2, i: -1 },
    ]) {
      assert.throws(() => engine.chainMove(moved, to), { code: 'ERR_HAWSER_ARG' }, JSON.stringify(to));
    }
  });

  it('makes gate keys as SPEC 4 says', () => {
    const [ss, psk, id, gate] = [pattern(32, 4), pattern(32, 5), pattern(6, 6), pattern(9, 7)];
    const inner = createHmac('sha256', 'hawser gate').update(ss).digest();
    const of = (direction: number, key?: Uint8Array): string => {
      const head = Uint8Array.of(direction, key ? 1 : 0);
      const parts = [head, key ?? new Uint8Array(0), Uint8Array.of(6), id, Uint8Array.of(9), gate];
      return hex(prf(inner, 'gate', createHash('sha256').update(Buffer.concat(parts)).digest()));
    };
    for (const key of [undefined, psk]) {
      const keys = engine.gateKeys(ss, key, id, gate);
      assert.deepEqual([hex(keys.d2g), hex(keys.g2d)], [of(1, key), of(2, key)]);
    }
  });

  it('refuses a B_0 and secrets that are zero or of a wrong length', () => {
    for (const bad of [new Uint8Array(32), pattern(31), pattern(33)]) {
      assert.throws(() => engine.chainStart(bad), { code: 'ERR_HAWSER_ARG' });
      assert.throws(() => engine.importSecret(bad), { code: 'ERR_HAWSER_ARG' });
    }
  });
});
