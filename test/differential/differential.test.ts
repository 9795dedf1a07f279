/**
 * The short form of `npm run differential`: the C core and the JS engine, call by call over random sessions with broken and hostile
 * transports, return, throw, report and send the same. What the sessions must have seen is listed, so that they are not empty.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { DeviceCore, SessionCore } from '../../lib/engine.js';
import { wrapped } from '../attack/faults.js';
import { runRange } from './range.js';
import type { Options } from './script.js';

const SESSIONS = 1500;
const root = new URL('../..', import.meta.url).pathname;

const seen = [
  'accept confirm', 'accept drop', 'attached full CONTINUED', 'attached full NEW', 'attached resumption CONTINUED',
  'attached resumption NEW', 'boots', 'connect resumption with early data', 'event acked', 'event closed', 'event data',
  'event dead', 'event drop', 'event fin', 'event handshake', 'event message', 'event opened', 'event pong', 'event rewind',
  'event verdict', 'inputs: flip', 'inputs: replay', 'inputs: reordered', 'inputs: splice', 'inputs: truncate', 'restored',
  'silence', 'verdict 1', 'verdict 2', 'verdict 3', 'ERR_HAWSER_ARG', 'ERR_HAWSER_CLOSED', 'ERR_HAWSER_FORMAT', 'ERR_HAWSER_STATE',
]; // prettier-ignore

/** What a JS engine that is a little different does. */
const faults: Record<string, (core: SessionCore) => Partial<SessionCore & DeviceCore>> = {
  'a deadline is a millisecond late': (core) => ({ deadline: () => core.deadline() + 1 }),
  'one byte fewer is consumed': (core) => ({ consume: (id, bytes) => core.consume(id, Math.max(0, bytes - 1)) }),
  'FIN is never sent': (core) => ({ write: (id, data, _fin, now) => core.write(id, data, false, now) }),
  'a PING goes unanswered': (core) => ({ ping: () => undefined, send: (now) => core.send(now) }),
  'an error has another code': (core) => ({ reset: (id, code) => (core.window(id) < 0 ? undefined : core.reset(id, (code + 1) as typeof code)) }), // prettier-ignore
};

describe('C core and JS engine in lockstep', function () {
  this.timeout(600_000);

  before(() => {
    const { status, stderr } = spawnSync(process.execPath, ['tools/build-native.mjs', '--seeded'], { cwd: root, encoding: 'utf8' }); // prettier-ignore
    assert.equal(status, 0, stderr);
  });

  it(`${SESSIONS} random sessions show no difference, and have seen what they are to see`, () => {
    const { sessions, counts, differences } = runRange(1, SESSIONS);
    assert.deepEqual(differences.slice(0, 1), []);
    assert.equal(sessions, SESSIONS);
    assert.deepEqual(seen.filter((what) => !counts[what]), []); // prettier-ignore
  });

  it('sessions in which a difference was found once show it no more', () => {
    const once = [25340, 32834, 247770, 477487, 495384, 744572, 754806];
    for (const seed of once) assert.deepEqual(runRange(seed, 1).differences, []);
  });

  for (const [what, fault] of Object.entries(faults))
    it(`goes red when in the JS engine ${what}`, () => {
      const tamper: Options['tamper'] = (side, core) => (side === 'js' ? wrapped(core, fault as never) : core);
      assert.ok(runRange(1, 60, tamper).differences.length > 0);
    });
});
