/** What the gateway tells while somebody floods it: bounded lines, and nothing uncounted. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventLog, LINES } from '../../lib/cli/events.js';
import { Tally } from '../../lib/cli/tally.js';
import { connect } from '../../lib/device.js';
import { readPairing } from '../../lib/pairing.js';
import { done, folder, freePort, gatewayFolder, killChildren, Process, removeFolders } from './harness.js';

interface Line {
  event: string;
  of?: string;
  count?: number;
  untold?: number;
  reason?: string;
  device?: string;
}
const lines = (file: string): Line[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

const counted = (all: Line[], event: string): { written: number; suppressed: number } => ({
  written: all.filter((line) => line.event === event).length,
  suppressed: all.filter(({ of }) => of === event).reduce((sum, { count }) => sum + count!, 0),
});

describe('event log and tally', () => {
  after(removeFolders);

  it('writes so many lines of a kind in a second, counts the rest, and starts anew', async function () {
    this.timeout(10_000);
    const file = join(folder(), 'events');
    const log = await EventLog.open(file);
    for (let n = 0; n < 5000; n += 1) log.write('drop', { n });
    log.write('session');
    await sleep(1300);
    log.write('drop', { n: 5000 });
    for (let n = 0; n < LINES; n += 1) log.write('refused');
    log.write('refused');
    await log.close();
    const all = lines(file);
    assert.deepEqual(counted(all, 'drop'), { written: LINES + 1, suppressed: 5000 - LINES });
    assert.deepEqual(counted(all, 'session'), { written: 1, suppressed: 0 });
    assert.deepEqual(counted(all, 'refused'), { written: LINES, suppressed: 1 }); // said at the end at the latest
  });

  it('a flood of one reason hides no line of another', async () => {
    const file = join(folder(), 'events');
    const log = await EventLog.open(file);
    for (let n = 0; n < 2 * LINES; n += 1) log.write('drop', { reason: 'badMessage' });
    log.write('drop', { reason: 'passedTicket', device: Buffer.from([7]) });
    await log.close();
    const all = lines(file);
    assert.deepEqual(
      all.filter(({ reason }) => reason === 'passedTicket').map(({ device }) => device),
      ['07'],
    );
    assert.deepEqual(
      all.filter(({ event }) => event === 'suppressed').map(({ of, reason, count }) => [of, reason, count]),
      [['drop', 'badMessage', LINES]],
    );
  });

  it('a line names eight things at most, whoever chose their names, and nothing is said of nothing', () => {
    const said: string[] = [];
    const tally = new Tally('refused', (line) => said.push(line), 60_000);
    tally.say();
    for (let n = 0; n < 1000; n += 1) tally.add(`name${n}`);
    tally.add('name0');
    tally.say();
    tally.say();
    tally.add('late');
    tally.stop();
    assert.deepEqual(said, [
      'refused: name0 2, name1 1, name2 1, name3 1, name4 1, name5 1, name6 1, name7 1, others 992',
      'refused: late 1',
    ]);
  });
});

describe('hawser gateway, flooded with refusals', function () {
  this.timeout(60_000);
  this.slow(20_000);
  after(() => {
    killChildren();
    removeFolders();
  });

  it('a device that asks for what it may not reach: counted lines, on stderr and in --events', async () => {
    const port = await freePort();
    const { path, config } = await gatewayFolder({ host: '"127.0.0.1"', port: String(port) });
    const file = join(path, 'd.json');
    await done('pair', 'd', '--allow', 'mqtt', '--address', `127.0.0.1:${port}`, '-o', file, '-c', config);
    const events = join(path, 'events');
    const gateway = new Process('gateway', '-c', config, '--events', events);
    await gateway.says(/listening on/);
    const session = await connect({ pairing: readPairing(readFileSync(file)) });
    const asked = 400;
    for (let n = 0; n < asked / 10; n += 1) {
      const tries = Array.from({ length: 10 }, () => session.open('http'));
      for (const one of await Promise.allSettled(tries)) assert.equal(one.status, 'rejected');
    }
    await session.close();
    assert.equal(await gateway.stop(), 0);
    const said = gateway.err.split('\n').filter((line) => line.includes('refused'));
    assert.ok(said.length >= 1 && said.length <= 3, gateway.err);
    const total = said.reduce(
      (sum, line) => sum + Number(/^refused: device \w+: http \(.+\) (\d+)$/.exec(line)![1]),
      0,
    );
    // What the gateway itself only counts it tells with the device's next refusal.
    const log = lines(events);
    const { written, suppressed } = counted(log, 'refused');
    const untold = log.reduce((sum, line) => sum + (line.untold ?? 0), 0);
    assert.ok(written >= 1 && written <= LINES * 3);
    assert.equal(total, written + suppressed + untold);
    assert.ok(total >= 10 && total <= asked);
  });
});
