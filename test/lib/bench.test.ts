import assert from 'node:assert/strict';

import { measure, median, rate } from '../../bench/measure.js';
import { figure, table } from '../../bench/tables.js';

describe('bench', () => {
  it('takes turns, leaves the first rounds out, and compares medians with the peer', async () => {
    const turns: string[] = [];
    const contender = (name: string, figures: number[]) => ({
      name,
      round: () => {
        turns.push(name);
        return figures.shift() ?? NaN;
      },
    });
    const options = { section: 's', what: 'w', unit: '/s', peer: 'b', goal: { name: 'a', ratio: 2 } };
    const row = await measure(options, [contender('a', [1000, 1001, 9, 5, 7]), contender('b', [0, 1, 3, 2, 90])], {
      rounds: 3,
      warmups: 2,
    });
    assert.deepEqual(turns.join(''), 'ababababab');
    assert.deepEqual(row.results, [
      { name: 'a', median: 7, least: 5, most: 9, ratio: 7 / 3 },
      { name: 'b', median: 3, least: 2, most: 90, ratio: 1 },
    ]);
    assert.equal(row.goal?.met, true);
    const page = table([row], { cpu: 'x' }, ['spiped']);
    assert.match(page, /\| w \| a \| 7\.00 \/s \| 5\.00 \.\. 9\.00 \| 2\.33 \| >= 2: met \|/);
    assert.match(page, /not measured: spiped/);
  });

  it('a goal that is missed is said to be', async () => {
    const options = { section: 's', what: 'w', unit: '/s', peer: 'b', goal: { name: 'a', ratio: 2 } };
    const row = await measure(
      options,
      [
        { name: 'a', round: () => 19 },
        { name: 'b', round: () => 10 },
      ],
      { rounds: 2, warmups: 0 },
    );
    assert.equal(row.goal?.met, false);
  });

  it('medians and rates', () => {
    assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
    let calls = 0;
    const perSecond = rate(() => (calls += 1), 20);
    assert.ok(calls > 10 && perSecond > calls);
    assert.deepEqual([figure(1234567), figure(123.4), figure(1.234)], ['1 234 567', '123', '1.23']);
  });
});
