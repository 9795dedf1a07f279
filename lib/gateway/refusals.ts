/** OPENs that were refused, counted per device (SPEC 10), and how many of them are told one by one: a device may send any number. */

import type { Reason } from '../counters.js';

export type Refusal = Extract<Reason, 'streamLimit' | 'notAllowed' | 'unknownUpstream'>;
export type RefusalCounts = Record<Refusal, number>;

/** So many in a period are told, the rest counted. Milliseconds. */
const told = { most: 1000, period: 10_000 };
/** The device that was refused longest ago is forgotten first. */
const maxDevices = 10_000;

interface Entry {
  counts: RefusalCounts;
  /** When the period began, and how many were told in it. */
  since: number;
  told: number;
  untold: number;
}

export class Refusals {
  readonly #devices = new Map<string, Entry>();

  constructor(private readonly max = maxDevices) {}

  get size(): number {
    return this.#devices.size;
  }

  /** How many were left out before this one is told, or undefined: this one is left out too. */
  add(device: string, reason: Refusal, now: number): number | undefined {
    const entry = this.#devices.get(device) ?? fresh(now);
    // The least recent is first in the map.
    this.#devices.delete(device);
    this.#devices.set(device, entry);
    if (this.#devices.size > this.max) this.#forgetOldest();
    entry.counts[reason] += 1;
    if (now - entry.since >= told.period) Object.assign(entry, { since: now, told: 0 });
    if (entry.told >= told.most) {
      entry.untold += 1;
      return undefined;
    }
    const { untold } = entry;
    entry.told += 1;
    entry.untold = 0;
    return untold;
  }

  of(device: string): RefusalCounts {
    return { ...(this.#devices.get(device)?.counts ?? fresh(0).counts) };
  }

  #forgetOldest(): void {
    const oldest = this.#devices.keys().next();
    if (!oldest.done) this.#devices.delete(oldest.value);
  }
}

function fresh(now: number): Entry {
  return { counts: { streamLimit: 0, notAllowed: 0, unknownUpstream: 0 }, since: now, told: 0, untold: 0 };
}
