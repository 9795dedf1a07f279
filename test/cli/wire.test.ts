/** The exact bytes of the stream transport, measured on every engine. */

import assert from 'node:assert/strict';
import { wireTable } from '../../tools/wire.js';
import { forEachEngine } from '../suite/engines.js';

forEachEngine('bytes on the wire', (engine) => {
  it('are those of SPEC 3.2, within the goals', () => {
    const rows = wireTable(engine()).map(({ what, there, back, total }) => [what, there, back, total]);
    assert.deepEqual(rows, [
      ['record overhead', undefined, undefined, 18],
      ['DATA frame overhead', undefined, undefined, 3],
      ['resumption, no ECDH, forward secret', 48, 36, 84],
      ['full handshake, keys (Noise KK), 25519', 67, 59, 126],
      ['full handshake, keys with PSK (Noise KKpsk0), 25519', 67, 59, 126],
      ['full handshake, psk (Noise NNpsk0), 25519', 59, 51, 110],
      ['full handshake, keys (Noise KK), P256', 100, 92, 192],
      ['full handshake, keys with PSK (Noise KKpsk0), P256', 100, 92, 192],
      ['full handshake, psk (Noise NNpsk0), P256', 92, 84, 176],
      ['first contact, ticket (no ECDH)', 48, 36, 84],
    ]);
    for (const { what, total, goal } of wireTable(engine())) assert.ok(goal === undefined || total <= goal, what);
  });
});
