/** One shape for all attack classes: a check that holds on every pair of engines, and faults under which it must not. */

import assert from 'node:assert/strict';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { forEachPair, type EnginePair } from '../suite/engines.js';

export type Check = (pair: EnginePair) => void;

export interface Fault {
  /** Said by the assertion that has to notice; any other is not about this fault. */
  red: RegExp;
  /** Runs the check with something broken. */
  seed: (check: Check, pair: EnginePair) => void;
}

/** The assertion that says this fails, and nothing before it. */
export function red(message: RegExp, action: () => void): void {
  assert.throws(action, (error) => {
    if (!(error instanceof assert.AssertionError)) throw error;
    assert.match(error.message, message);
    return true;
  });
}

/** The check on every pair; then, with the JS engine, once for each fault, which has to turn its assertion red. */
export function attack(title: string, check: Check, faults: Record<string, Fault>): void {
  forEachPair(title, (pair) => it('holds', () => check(pair)));
  describe(`${title}: goes red when`, () => {
    for (const [what, fault] of Object.entries(faults))
      it(what, () => {
        const engine = createJsEngine();
        red(fault.red, () => fault.seed(check, { name: 'js', device: engine, gateway: engine }));
      });
  });
}
