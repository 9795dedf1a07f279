/** The worked examples of docs/SPEC.md are what the code computes, and a change of either shows. */

import assert from 'node:assert/strict';
import { examples, specTexts } from '../../tools/spec-examples.js';

describe('worked examples of docs/SPEC.md', () => {
  it('are what the reference and the engine compute today (npm run spec:examples rewrites them)', () => {
    const { now, wanted } = specTexts();
    assert.equal(now, wanted);
  });

  it('hold every kind of value that an implementer compares', () => {
    const text = examples();
    for (const name of [
      'gate(1)',
      'ss',
      'es: ck',
      'message 1',
      'message 2',
      'E ',
      'B_0',
      'T_{0,0}',
      'n_d',
      'K1',
      'h2',
      'first record',
      'k_1',
    ])
      assert.ok(text.includes(`\n${name}`), name);
  });
});
