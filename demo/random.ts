/** Randomness that a seed brings back (xorshift128 over SHA-256 of the seed). Not for secrets. */

import { createHash } from 'node:crypto';

export class Random {
  readonly #state: Uint32Array;

  constructor(seed: string) {
    const hash = createHash('sha256').update(seed).digest();
    this.#state = new Uint32Array([0, 4, 8, 12].map((at) => hash.readUInt32LE(at)));
  }

  /** 0 <= x < 1. */
  next(): number {
    const s = this.#state;
    let t = s[3]!;
    s[3] = s[2]!;
    s[2] = s[1]!;
    s[1] = s[0]!;
    t ^= t << 11;
    t ^= t >>> 8;
    s[0] = t ^ s[0]! ^ (s[0]! >>> 19);
    return s[0] / 2 ** 32;
  }

  /** A whole number, least <= n < most. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least));
  }
}
