/** A short run of `npm run leaks`, and proof that it tells a leak. */

import assert from 'node:assert/strict';
import { engineRows } from '../suite/engines.js';
import { engines, judge, measure, ways, type Sample } from './leaks.js';

/** Native cores, 60 KB each: a leak of one byte in thirty would show. JavaScript is compiled for speed once, after some 200 of them: that takes 8 MB. */
const SESSIONS = { cores: { native: 3000, 'native-mbedtls': 600, js: 600 }, sockets: { native: 600, 'native-mbedtls': 600, js: 600 } }; // prettier-ignore
/** Half of the sessions over sockets may leave so much in JavaScript, 1.7 KiB each; 0.3 KiB is usual. */
const HEAP_NOISE = { cores: undefined, sockets: 512 << 10 };

const known = engines.filter((name) => {
  const row = name === 'native' ? 'native-openssl' : name;
  return engineRows.some((one) => one.name === row);
});

describe('leaks', function () {
  this.timeout(300_000);

  for (const way of ways)
    for (const engine of way === 'cores' ? known : known.slice(0, 1))
      it(`${SESSIONS[way][engine]} sessions of ${engine} by ${way} leave memory as it was, and no object`, () => {
        const verdict = judge(measure(engine, way, SESSIONS[way][engine]), HEAP_NOISE[way]);
        assert.ok(verdict.flat, JSON.stringify(verdict));
      });

  describe('a seeded leak is told', () => {
    const engine = known[0] ?? 'js';

    it('bytes that are kept', () => {
      const verdict = judge(measure(engine, 'cores', 2400, 'bytes'));
      assert.equal(verdict.flat, false);
      assert.ok(verdict.second > 3000 && verdict.second < 6000, `${verdict.second} B per session instead of 4096`);
    });

    it('bytes that are kept of sessions over sockets', () => {
      const sessions = SESSIONS.sockets[engine];
      const verdict = judge(measure(engine, 'sockets', sessions, 'bytes'), HEAP_NOISE.sockets);
      assert.equal(verdict.flat, false, JSON.stringify(verdict));
      const each = verdict.heap / (sessions / 2);
      assert.ok(each > 3500 && each < 6000, `${each} B per session instead of 4096`);
    });

    it('sessions that are kept', () => {
      const verdict = judge(measure(engine, 'cores', 240, 'objects'));
      assert.equal(verdict.flat, false);
      if (engine !== 'js') assert.ok(verdict.live > 200, `${verdict.live} objects`);
    });
  });

  it('memory that grows for a while and then no more is flat, and memory that goes on is not', () => {
    const run = (rss: (at: number) => number): Sample[] =>
      Array.from({ length: 25 }, (_, at) => ({ sessions: 4000 * at, live: 0, rss: rss(at), heapUsed: 0, external: 0 }));
    const noise = (at: number): number => ((at * 7919) % 13) << 16;
    assert.equal(judge(run((at) => 1e8 + 4e6 * Math.min(at, 10) + noise(at))).flat, true);
    assert.equal(judge(run((at) => 1e8 + (at > 17 ? 2e7 : 0) + noise(at))).flat, true); // a step
    const hidden = run(() => 1e8).map((one) => ({ ...one, external: 100 * one.sessions }));
    assert.equal(judge(hidden).flat, false); // in memory that the process had before
    const leak = judge(run((at) => 1e8 + 100 * 4000 * at + noise(at)));
    assert.equal(leak.flat, false);
    assert.ok(Math.abs(leak.second - 100) < 30, `${leak.second} B per session instead of 100`);
  });
});
