/** Choices of one session, all of which follow from its seed. */

import { Generator } from './engines.js';

export class Dice {
  readonly #generator = new Generator();

  constructor(seed: number) {
    this.#generator.seed(seed);
    this.#generator.word();
  }

  /** 0 .. most - 1; 0 for most 0. */
  below(most: number): number {
    return most <= 0 ? 0 : Math.floor((this.#generator.word() / 2 ** 32) * most);
  }

  /** True once in so many times. */
  one(inSoMany: number): boolean {
    return this.below(inSoMany) === 0;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('nothing to choose from');
    return list[this.below(list.length)] as T;
  }

  /** By weight. */
  choose<T>(table: readonly (readonly [weight: number, value: T])[]): T {
    let at = this.below(table.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of table) if ((at -= weight) < 0) return value;
    throw new Error('no weights');
  }

  bytes(length: number): Uint8Array {
    return this.#generator.bytes(length);
  }

  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let at = out.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      [out[at], out[other]] = [out[other] as T, out[at] as T];
    }
    return out;
  }
}
