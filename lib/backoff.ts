/** Exponential backoff with full jitter: a crowd that lost its gateway at one moment does not come back at one moment. */

import type { Ending } from './ending.js';

export class Backoff {
  #failures = 0;

  /** Milliseconds: the first pause is drawn from 0..min, later ones from twice as much each, up to max. */
  constructor(
    readonly min: number,
    readonly max: number,
    private readonly random: () => number = Math.random,
  ) {}

  next(): number {
    const ceiling = Math.min(this.max, this.min * 2 ** Math.min(this.#failures, 32));
    this.#failures += 1;
    return this.random() * ceiling;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** Waits, but not beyond the end. */
  pause(ending: Ending): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        leave();
        resolve();
      }, this.next());
      const leave = ending.wait(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
