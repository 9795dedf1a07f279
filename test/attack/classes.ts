/** One shape for all attack classes: a check that holds on every pair of engines, and faults under which it must not. */

import assert from 'node:assert/strict';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { forEachPair, type EnginePair } from '../suite/engines.js';

export type Check = (pair: EnginePair) => void;
/** Runs the check with something broken. */
export type Fault = (check: Check, pair: EnginePair) => void;

/** The check on every pair; then, with the JS engine, once for each fault: it has to throw an AssertionError. */
export function attack(title: string, check: Check, faults: Record<string, Fault>): void {
  forEachPair(title, (pair) => it('holds', () => check(pair)));
  describe(`${title}: goes red when`, () => {
    for (const [what, fault] of Object.entries(faults))
      it(what, () => {
        const engine = createJsEngine();
        assert.throws(() => fault(check, { name: 'js', device: engine, gateway: engine }), assert.AssertionError);
      });
  });
}
