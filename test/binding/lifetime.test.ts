import assert from 'node:assert/strict';
import { messageOf, runProgram, startWorker } from './child.js';
import { forEachPort } from './ports.js';

const MB = 1 << 20;

forEachPort('binding: lifetimes', (_engine, _addon, port) => {
  it('four workers do handshakes of every mode at once', async function () {
    this.timeout(120_000);
    const workers = Array.from({ length: 4 }, () => startWorker('handshakes', { port, count: 24 }));
    const done = await Promise.all(workers.map(messageOf));
    assert.deepEqual(done, [24, 24, 24, 24]);
  });

  it('workers that are terminated in the middle of handshakes free all that they held', async function () {
    this.timeout(240_000);
    const round = async (): Promise<void> => {
      const worker = startWorker('abandon', { port, end: 'terminate', links: 400 });
      assert.equal(await messageOf(worker), 'ready');
      worker.postMessage('send');
      await worker.terminate();
    };
    for (let rounds = 0; rounds < 3; rounds++) await round();
    const before = process.memoryUsage.rss();
    for (let rounds = 0; rounds < 8; rounds++) await round(); // 8 x 400 x 60 KB were 190 MB
    const growth = process.memoryUsage.rss() - before;
    assert.ok(growth < 100 * MB, `resident memory grew by ${(growth / MB).toFixed(0)} MB`);
  });

  for (const end of ['exit', 'throw', ''])
    it(`a worker that leaves by '${end || 'its end'}' in the middle of handshakes leaves the process whole`, async function () {
      this.timeout(60_000);
      const worker = startWorker('abandon', { port, end, links: 40 });
      const said: unknown[] = [];
      worker.on('message', (message) => said.push(message));
      worker.on('error', () => undefined); // may overtake the message
      const status = await new Promise<number>((resolve) => worker.once('exit', resolve));
      assert.deepEqual([said, status], [['ready'], { exit: 7, throw: 1, '': 0 }[end]]);
    });

  for (const [end, status] of [
    ['exit', 7],
    ['throw', 1],
    ['reject', 1],
    ['in exit handler', 0],
    ['', 0],
  ] as const)
    // prettier-ignore
    it(`a process that leaves by '${end || 'its end'}' in the middle of handshakes ends with its own status`, function () {
      this.timeout(60_000);
      const child = runProgram('abandon', [port, end]);
      assert.deepEqual([child.status, child.signal], [status, null], child.stderr);
    });
});
