import assert from 'node:assert/strict';

import { Verdict } from '../../lib/engine.js';
import { claim, compare, confirm, full, type Message1, type RuleRecord } from '../../lib/rules.js';
import type { EarlyState } from '../../lib/types.js';

const own = new Uint8Array(32).fill(1);
const other = new Uint8Array(32).fill(2);
const now = 'present';
const past = 'past';

const none: EarlyState = { kind: 'none' };
const gone: EarlyState = { kind: 'void' };
const taken = (h: Uint8Array): EarlyState => ({ kind: 'taken', h });
const refused = (h: Uint8Array): EarlyState => ({ kind: 'refused', h });

function record(b: number, i: number, early: EarlyState = none, incarnation = now): RuleRecord {
  return { p: { b, i }, early, incarnation };
}
function message(b: number, i: number, rest: Partial<Message1> = {}): Message1 {
  return { q: { b, i }, h: own, hasEarly: false, refuse: false, ...rest };
}

describe('rules: order of positions', () => {
  it('(b, i) < (b, i+1) < (b+1, 0)', () => {
    const list = [
      [0, 0],
      [0, 1],
      [0, 4294967295],
      [1, 0],
      [1, 1],
      [4294967294, 0],
      [4294967295, 4294967295],
    ] as const;
    list.forEach(([b, i], at) => {
      list.forEach(([c, j], index) =>
        assert.equal(Math.sign(compare({ b, i }, { b: c, i: j })), Math.sign(at - index)),
      );
    });
  });
});

describe('rules: claim, positions (rule 2)', () => {
  const table: [
    string,
    RuleRecord,
    Message1,
    { p: [number, number]; early: string; durable: boolean; changed: boolean } | 'silence',
  ][] = [
    [
      'the same warm position',
      record(3, 5),
      message(3, 5),
      { p: [3, 5], early: 'none', durable: false, changed: false },
    ],
    ['the next step', record(3, 5), message(3, 6), { p: [3, 6], early: 'none', durable: false, changed: true }],
    ['the same block start', record(3, 0), message(3, 0), { p: [3, 0], early: 'none', durable: true, changed: false }],
    ['the next block', record(3, 5), message(4, 0), { p: [4, 0], early: 'none', durable: true, changed: true }],
    ['two blocks on', record(3, 5), message(5, 0), { p: [5, 0], early: 'none', durable: true, changed: true }],
    ['the step before', record(3, 5), message(3, 4), 'silence'],
    ['the block start before', record(3, 5), message(3, 0), 'silence'],
    ['the block before', record(3, 0), message(2, 900), 'silence'],
    [
      'forward, early is forgotten',
      record(3, 5, taken(other)),
      message(3, 6),
      { p: [3, 6], early: 'none', durable: false, changed: true },
    ],
    [
      'forward after a loss: void',
      record(3, 5, none, past),
      message(3, 6),
      { p: [3, 6], early: 'void', durable: false, changed: true },
    ],
    [
      'forward after a loss, block start',
      record(3, 5, taken(other), past),
      message(4, 0),
      { p: [4, 0], early: 'void', durable: true, changed: true },
    ],
    [
      'standing after a loss, no early data',
      record(3, 5, none, past),
      message(3, 5),
      { p: [3, 5], early: 'none', durable: false, changed: false },
    ],
  ];
  for (const [title, before, sent, wanted] of table) {
    it(title, () => {
      const frozen = JSON.stringify(before);
      const result = claim(before, sent, now);
      assert.equal(JSON.stringify(before), frozen, 'pure');
      if (wanted === 'silence') return assert.equal(result, undefined);
      assert.ok(result);
      assert.deepEqual(result.record.p, { b: wanted.p[0], i: wanted.p[1] });
      assert.equal(result.record.early.kind, wanted.early);
      assert.equal(result.record.incarnation, before.incarnation, 'a claim never renews the incarnation');
      assert.equal(result.verdict, Verdict.None);
      assert.equal(result.durable, wanted.durable);
      assert.equal(result.changed, wanted.changed);
    });
  }
});

describe('rules: claim, early data (rule 3)', () => {
  const { Taken, NotTaken, Unknown } = Verdict;
  type Row = [
    title: string,
    early: EarlyState,
    incarnation: string,
    refuse: boolean,
    verdict: Verdict,
    after: EarlyState,
  ];
  const standing: Row[] = [
    ['none: taken', none, now, false, Taken, taken(own)],
    ['none, refused by policy: a refusal is a claim', none, now, true, NotTaken, refused(own)],
    ['taken by this very message 1', taken(own), now, false, Unknown, taken(own)],
    ['taken by this very message 1, policy changed since', taken(own), now, true, Unknown, taken(own)],
    ['taken by another', taken(other), now, false, NotTaken, taken(other)],
    ['refused before', refused(own), now, false, NotTaken, refused(own)],
    ['refused before, another', refused(other), now, false, NotTaken, refused(other)],
    ['void', gone, now, false, Unknown, gone],
    ['void, policy refuses', gone, now, true, Unknown, gone],
    ['none, but the store may have lost a claim', none, past, false, Unknown, gone],
    ['none, loss, policy refuses', none, past, true, Unknown, gone],
    ['taken by another, loss', taken(other), past, false, Unknown, gone],
    ['refused, loss', refused(own), past, false, Unknown, gone],
    ['void, loss', gone, past, false, Unknown, gone],
  ];
  for (const [title, early, incarnation, refuse, verdict, after] of standing) {
    for (const i of [0, 4]) {
      it(`at p = (2, ${i}): ${title}`, () => {
        const before = record(2, i, early, incarnation);
        const result = claim(before, message(2, i, { hasEarly: true, refuse }), now);
        assert.ok(result);
        assert.equal(result.verdict, verdict);
        assert.deepEqual(result.record.early, after);
        assert.equal(result.record.incarnation, incarnation);
        assert.equal(result.durable, true, 'durable before delivery');
        assert.equal(result.changed, JSON.stringify(early) !== JSON.stringify(after));
      });
    }
  }

  const moving: Row[] = [
    ['forward: what was taken at the old position does not matter', taken(other), now, false, Taken, taken(own)],
    ['forward, refused', taken(other), now, true, NotTaken, refused(own)],
    ['forward after a loss', none, past, false, Unknown, gone],
    ['forward after a loss, refused', refused(other), past, true, Unknown, gone],
  ];
  for (const [title, early, incarnation, refuse, verdict, after] of moving) {
    it(title, () => {
      const result = claim(record(2, 4, early, incarnation), message(3, 0, { hasEarly: true, refuse }), now);
      assert.ok(result);
      assert.deepEqual([result.verdict, result.record.early, result.record.p], [verdict, after, { b: 3, i: 0 }]);
    });
  }

  it('one message 1 is TAKEN once, however often and wherever it is presented', () => {
    let state = record(2, 0);
    const verdicts = Array.from({ length: 5 }, () => {
      const result = claim(state, message(2, 0, { hasEarly: true }), now);
      assert.ok(result);
      state = result.record;
      return result.verdict;
    });
    assert.deepEqual(verdicts, [Taken, Unknown, Unknown, Unknown, Unknown]);
  });
});

describe('rules: confirm (rule 5)', () => {
  it('p moves behind the position that was confirmed', () => {
    assert.deepEqual(confirm(record(2, 4), { b: 2, i: 4 }, now, now), record(2, 5));
    assert.deepEqual(confirm(record(2, 4), { b: 3, i: 0 }, now, now), record(3, 1), 'the claim was lost');
  });
  it('a candidate below p is dropped', () => {
    assert.equal(confirm(record(2, 5), { b: 2, i: 4 }, now, now), undefined);
    assert.equal(confirm(record(3, 0), { b: 2, i: 4 }, now, now), undefined);
  });
  it('answered under the current incarnation: early none, vouched for again', () => {
    assert.deepEqual(confirm(record(2, 4, gone, past), { b: 2, i: 4 }, now, now), record(2, 5));
    assert.deepEqual(confirm(record(2, 4, taken(own), now), { b: 2, i: 4 }, now, now), record(2, 5));
  });
  it('answered under an earlier one: a late record vouches for nothing', () => {
    assert.deepEqual(confirm(record(2, 4, none, past), { b: 2, i: 4 }, past, now), record(2, 5, gone, past));
    assert.deepEqual(confirm(record(2, 4, none, now), { b: 2, i: 4 }, past, now), record(2, 5, gone, now));
  });
});

describe('rules: full handshake (rule 6)', () => {
  it('starts over, vouched for', () => assert.deepEqual(full(now), record(0, 0)));
});
