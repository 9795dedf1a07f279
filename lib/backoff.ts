/** Exponential backoff with full jitter: a crowd that lost its gateway at one moment does not come back at one moment. */

import { setTimeout as sleep } from 'node:timers/promises';

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

  /** Waits; returns at once when the signal ends it. */
  async pause(signal: AbortSignal): Promise<void> {
    await sleep(this.next(), undefined, { signal }).catch(() => undefined);
  }
}
