/** Borrows all there is, twice: lend.ts PORT. Prints JSON: how many there are, how many came back, and how many of those were the same. */

import { setImmediate as turn } from 'node:timers/promises';

import { loadAddon, type Port } from '../../../lib/engine/native/addon.js';

const addon = loadAddon(process.argv[2] as Port);
const slab = 262_144;

function all(): Buffer[] {
  const loans: Buffer[] = [];
  for (let loan = addon.lend(slab); loan; loan = addon.lend(slab)) loans.push(loan);
  return loans;
}

function borrow(): number {
  const loans = all();
  for (const loan of loans) loan.fill(0x5a);
  return loans.length;
}

const most = borrow();
// Finalisers run in turns of their own after the collection.
let loans: Buffer[] = [];
for (let turns = 0; turns < 1000 && loans.length < most; turns += 1) {
  globalThis.gc?.();
  await turn();
  loans = [...loans, ...all()];
}
const same = loans.filter((loan) => loan.every((byte) => byte === 0x5a)).length;
console.log(JSON.stringify({ most, again: loans.length, same }));
