/** Some tens of random power cuts (`npm run firmware:soak` makes a thousand), and proof that what they are judged by can fail. */

import assert from 'node:assert/strict';
import { createHash, randomInt } from 'node:crypto';
import { Ledger, type Cycle, type Outcome } from './ledger.js';
import { soak, type Plan } from './soak.js';
import { useWorld } from './world.js';

describe('power cuts', function () {
  this.timeout(300_000);
  const world = useWorld();

  const run = (plan: Omit<Plan, 'seed' | 'board'>, seed = randomInt(2 ** 31)): Promise<Ledger> =>
    soak(world(), { board: 'an386', seed, ...plan });

  for (const [build, cuts] of [
    ['ticket', 30],
    ['keys-p256', 15],
  ] as const)
    it(`${build}: ${cuts} at random`, async () => {
      const seed = randomInt(2 ** 31);
      const ledger = await run({ build, cuts }, seed);
      assert.deepEqual(ledger.faults, [], `--image an386-${build} --seed ${seed}: ${ledger.summary}`);
      assert.ok(ledger.boots > 0 && ledger.seals > 0 && ledger.writes > 0, ledger.summary);
    });

  it('notices a random source that repeats after each reset', async () => {
    const { faults } = await run({ build: 'ticket', cuts: 20, variant: 'stuck', kinds: ['unreachable'] }, 1);
    assert.match(faults[0] ?? 'nothing', /key and nonce came twice/);
  });

  it('notices an old slot that is not wiped', async () => {
    const { faults } = await run({ build: 'ticket', cuts: 5, variant: 'unwiped', kinds: ['warm'] }, 1);
    assert.match(faults[0] ?? 'nothing', /erasures for 1 wipes/);
  });
});

describe('the ledger of power cuts', () => {
  const blank = Buffer.alloc(64, 0xff);
  const wear = (programs: number, erases: number): Cycle['after'] => ({
    programs: [0, programs, 0],
    erases: [0, 0, erases],
  });
  const slot = Buffer.concat([Buffer.from('HWSL'), Buffer.alloc(52)]);
  const whole = Buffer.concat([slot, createHash('sha256').update(slot).digest().subarray(0, 8)]);

  /** A boot that was answered, and published reading 1. */
  const boot = (changes: Partial<Cycle> = {}): Cycle => ({
    console: ['boots 0', 'begun 1', 'stored 0', 'taken 0', 'resumption 0', 'delivered 1'],
    slots: [blank, whole],
    before: wear(0, 0),
    after: wear(16, 1),
    seals: ['aa', 'bb'],
    unreachable: false,
    journal: new Map<number, Outcome>([[1, 'delivered']]),
    ...changes,
  });
  const judged = (cycles: Cycle[], arrived: number[]): string => {
    const ledger = new Ledger();
    for (const cycle of cycles) ledger.add(cycle);
    ledger.close(arrived);
    return ledger.faults.join('; ');
  };

  it('has nothing to say where all is well', () => assert.equal(judged([boot()], [1]), ''));

  const later = boot({ seals: ['cc'] });
  const faults: [string, Cycle[], number[], RegExp][] = [
    ['a delivery that comes twice', [boot()], [1, 1], /reading 1 was delivered 2 times/],
    ['one that never came', [boot()], [], /reading 1 did not arrive/],
    ['one that was never taken', [boot()], [1, 2], /reading 2 was never taken/],
    ['a reading without a word', [boot({ journal: new Map([[1, 'open' as const]]) })], [1], /without a word/],
    [
      'a word that is taken back',
      [boot(), { ...later, journal: new Map([[1, 'unknown' as const]]) }],
      [1],
      /was delivered, and is unknown/,
    ],
    ['a number that is left out', [boot({ journal: new Map([[2, 'delivered' as const]]) })], [2], /numbered up to 2/],
    ['a seal that comes again', [boot(), boot()], [1], /key and nonce came twice: aa/],
    ['a boot that writes twice', [boot({ after: wear(32, 2) })], [1], /32 words written for 1/],
    ['a boot that writes nothing', [boot({ after: wear(0, 1) })], [1], /0 words written for 1/],
    ['a slot that is not wiped', [boot({ after: wear(16, 0) })], [1], /0 erasures for 1 wipes/],
    [
      'a warm resumption that writes',
      [boot({ console: [...boot().console, 'resumption 1'], after: wear(32, 2) })],
      [1],
      /32 words written for 1/,
    ],
    [
      'a boot loop that writes',
      [boot(), { ...later, console: ['boots 0'], unreachable: true }],
      [1],
      /16 words written to the slots with nobody there/,
    ],
  ];
  for (const [name, cycles, arrived, message] of faults)
    it(`finds ${name}`, () => assert.match(judged(cycles, arrived), message));
});
