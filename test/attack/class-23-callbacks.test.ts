/** Class 23: a callback that throws hurts neither the others nor what calls them. test/lib/gateway.test.ts does so with every event of a running gateway. */

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { SafeEmitter } from '../../lib/emitter.js';

interface Events {
  it: [number];
  error: [Error];
}
class Safe extends SafeEmitter<Events & Record<keyof Events, unknown[]>> {
  say(value: number): void {
    this.tell('it', value);
  }
}
/** What one writes without thinking of it. */
class Plain extends EventEmitter {
  say(value: number): void {
    this.emit('it', value);
  }
}

function survives(emitter: Safe | Plain): void {
  const heard: number[] = [];
  const errors: Error[] = [];
  const events: EventEmitter = emitter;
  events.on('error', (error: Error) => errors.push(error));
  events.on('it', () => {
    throw new Error('thrown');
  });
  events.on('it', function once(this: EventEmitter) {
    events.off('it', once); // changes the list while it is walked
    emitter.say(2); // and enters again
  });
  events.on('it', (value: number) => heard.push(value));
  assert.doesNotThrow(() => emitter.say(1));
  assert.deepEqual(heard, [2, 1]);
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['thrown', 'thrown'],
  );
}

describe('class 23: listeners that throw and enter again', () => {
  it('are reported, and all others are called', () => survives(new Safe()));
  it('goes red with a plain emitter', () => assert.throws(() => survives(new Plain()), assert.AssertionError));
});
