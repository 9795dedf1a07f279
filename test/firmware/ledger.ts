/**
 * What is known about a device after many power cuts, and what must hold: it is told to the ledger cycle by cycle, and judged by it,
 * without an emulator at hand.
 */

import { createHash } from 'node:crypto';
import { PAGE, pages, type Wear } from './machine.js';

export type Outcome = 'delivered' | 'unknown' | 'open';

/** A power cycle, from power-on to the cut. */
export interface Cycle {
  /** Lines that the device printed in it. */
  console: string[];
  /** Slots' pages before, and the wear before and after. */
  slots: [Buffer, Buffer];
  before: Wear;
  after: Wear;
  seals: string[];
  /** Nothing came through the line. */
  unreachable: boolean;
  journal: Map<number, Outcome>;
}

const ERASED = 0xff;
const WORDS = 16;

const isBlank = (page: Buffer): boolean => page.every((byte) => byte === ERASED);

/** SPEC 7.4: the image ends with the check over what stands before it. */
function isSlot(page: Buffer): boolean {
  const check = createHash('sha256').update(page.subarray(0, 56)).digest().subarray(0, 8);
  return page.subarray(0, 4).toString('latin1') === 'HWSL' && check.equals(page.subarray(56, 64));
}

/** Entries of 16 bytes: number, its complement, outcome (firmware/app/journal.c). */
export function readJournal(journal: Buffer[]): Map<number, Outcome> {
  const outcomes = new Map<number, Outcome>();
  for (const page of journal)
    for (let at = 0; at < PAGE; at += 16) {
      const number = page.readUInt32LE(at);
      if (number !== ~page.readUInt32LE(at + 4) >>> 0) continue;
      const outcome = page.readUInt32LE(at + 8);
      outcomes.set(number, outcome === 0xffff0d0d ? 'delivered' : outcome === 0 ? 'unknown' : 'open');
    }
  return outcomes;
}

/**
 * Block starts that were answered, and warm resumptions, by what the device printed. `last`: 'warm' if what comes next can only be
 * warm, or a full handshake that the device would have no cause for.
 */
function handshakesOf(console: string[]): { starts: number; warm: number; last: 'boot' | 'full' | 'warm' } {
  let [starts, warm] = [0, 0];
  let last: 'boot' | 'full' | 'warm' = 'boot';
  for (const line of console) {
    if (line === 'boots 0') last = 'boot';
    else if (line === 'wakes 0') last = 'warm';
    else if (/^full \d$/.test(line)) [starts, last] = [starts + 1, 'full'];
    else if (/^resumption \d$/.test(line)) {
      if (last === 'boot') starts += 1;
      else warm += 1;
      last = 'warm';
    }
  }
  return { starts, warm, last };
}

export class Ledger {
  readonly faults: string[] = [];
  readonly outcomes = new Map<number, Outcome>();
  readonly #seals = new Set<string>();
  cycles = 0;
  boots = 0;
  warm = 0;
  writes = 0;
  wipes = 0;
  tornWrites = 0;

  get seals(): number {
    return this.#seals.size;
  }

  add(cycle: Cycle): void {
    this.cycles += 1;
    this.#seal(cycle.seals);
    this.#flash(cycle);
    for (const [number, outcome] of cycle.journal) this.#outcome(number, outcome);
  }

  #fault(what: string): void {
    this.faults.push(`cycle ${this.cycles}: ${what}`);
  }

  #seal(seals: string[]): void {
    for (const seal of seals) {
      if (this.#seals.has(seal)) this.#fault(`key and nonce came twice: ${seal}`);
      this.#seals.add(seal);
    }
  }

  #outcome(number: number, outcome: Outcome): void {
    const known = this.outcomes.get(number);
    if (known !== undefined && known !== 'open' && known !== outcome)
      this.#fault(`reading ${number} was ${known}, and is ${outcome}`);
    this.outcomes.set(number, outcome);
  }

  /** One write and one wipe for each block start that was answered, and nothing else but the mending of what a cut left. */
  #flash({ console, slots, before, after, unreachable }: Cycle): void {
    const spent = (of: keyof Wear): number =>
      [pages.slot0, pages.slot1].reduce((sum, page) => sum + after[of][page]! - before[of][page]!, 0);
    const words = spent('programs');
    const erases = spent('erases');
    const { starts, warm, last } = handshakesOf(console);
    const whole = slots.filter(isSlot).length;
    const mends = slots.filter((page) => !isSlot(page) && !isBlank(page)).length + (whole === 2 ? 1 : 0);
    const wipes = starts === 0 ? 0 : starts - (whole > 0 ? 0 : 1);
    this.boots += starts;
    this.warm += warm;
    this.writes += Math.ceil(words / WORDS);
    this.wipes += erases - mends;
    this.tornWrites += words % WORDS > 0 ? 1 : 0;
    if (unreachable && words > 0) this.#fault(`${words} words written to the slots with nobody there`);
    if (unreachable && erases > mends) this.#fault(`${erases} erasures of the slots with nobody there`);
    if (starts > 0 && words < starts * WORDS) this.#fault(`${words} words written for ${starts} answered block starts`);
    if (starts > 0 && erases < mends + wipes) this.#fault(`${erases} erasures for ${wipes} wipes and ${mends} mends`);
    // a store that was under way when the power went
    const slack = last === 'warm' ? 0 : 1;
    if (words > (starts + slack) * WORDS) this.#fault(`${words} words written for ${starts} answered block starts`);
    if (erases > mends + wipes + slack) this.#fault(`${erases} erasures for ${wipes} wipes and ${mends} mends`);
  }

  /** When all is over: what arrived, against what the device says of it. */
  close(arrived: number[]): void {
    const times = new Map<number, number>();
    for (const number of arrived) times.set(number, (times.get(number) ?? 0) + 1);
    for (const [number, count] of times) {
      if (count > 1) this.#fault(`reading ${number} was delivered ${count} times`);
      if (!this.outcomes.has(number)) this.#fault(`reading ${number} was never taken`);
    }
    for (const [number, outcome] of this.outcomes) {
      if (outcome === 'delivered' && !times.has(number)) this.#fault(`reading ${number} did not arrive`);
      if (outcome === 'open') this.#fault(`reading ${number} was left without a word`);
    }
    const last = Math.max(0, ...this.outcomes.keys());
    if (this.outcomes.size !== last) this.#fault(`${this.outcomes.size} readings, numbered up to ${last}`);
  }

  get summary(): string {
    const of = (outcome: Outcome): number => [...this.outcomes.values()].filter((each) => each === outcome).length;
    return (
      `${this.cycles} power cycles; ${this.outcomes.size} readings: ${of('delivered')} delivered, ${of('unknown')} unknown; ` +
      `${this.boots} answered boots and full handshakes, ${this.warm} warm resumptions; slots: ${this.writes} writes ` +
      `(${this.tornWrites} torn), ${this.wipes} wipes; ${this.seals} seals; ${this.faults.length} faults`
    );
  }
}
