/** A process or a worker that ends in the middle of things ends with its own status, and nothing crashes. */

import assert from 'node:assert/strict';
import { engineRows } from '../suite/engines.js';
import { messageOf, runProgram, startWorker } from './child.js';

const PLACES = ['handshake', 'lookup', 'upstream', 'keylog', 'callback', 'transfer'];
/** HAWSER_REPEATS=50 looks longer for what happens only now and then. */
const REPEATS = Number(process.env.HAWSER_REPEATS ?? 1);

// the JS engine has nothing that could outlive its thread
for (const { name } of engineRows.filter((row) => row.name !== 'js')) {
  const engine = name === 'native-openssl' ? 'native' : name;
  describe(`leaving in the middle [${name}]`, function () {
    this.timeout(120_000 * REPEATS);

    for (const place of PLACES)
      it(`process.exit at '${place}' gives the status that was asked for`, () => {
        for (let at = 0; at < REPEATS; at++) {
          const child = runProgram('leave', [engine, place], { flags: ['--no-warnings'] });
          assert.deepEqual([child.status, child.signal, child.stderr], [9, null, '']);
        }
      });

    it('a worker that is terminated there leaves the process and the next worker whole', async () => {
      for (let at = 0; at < REPEATS; at++)
        for (const place of PLACES) {
          const worker = startWorker('leave', { engine, place });
          assert.equal(await messageOf(worker), place);
          assert.equal(await worker.terminate(), 1);
        }
    });
  });
}

describe('leaving in the middle', function () {
  this.timeout(60_000);
  it('a crash would be seen', () => {
    const child = runProgram('leave', ['native', 'transfer'], {
      flags: ['--no-warnings', '--import=data:text/javascript,process.exit=()=>process.abort()'],
    });
    assert.deepEqual([child.status, child.signal], [null, 'SIGABRT']);
  });
});
