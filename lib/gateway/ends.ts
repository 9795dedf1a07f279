/**
 * Connections to upstreams that a device holds, in whatever session: also those that are being made, and those that its streams have left and
 * that are still closing. Each is a socket of this process, so a device that opens and leaves streams without end must not gather them.
 */

/** As many again as a pairing allows streams may be on their way out. */
const spare = 2;

export class Ends {
  readonly #held = new Map<string, number>();

  held(device: string): number {
    return this.#held.get(device) ?? 0;
  }

  /** May a device with so many streams have one end more? */
  allows(device: string, streams: number): boolean {
    return this.held(device) < spare * streams;
  }

  /** Counts one until the returned function is called; again does nothing. */
  take(device: string): () => void {
    this.#held.set(device, this.held(device) + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const left = this.held(device) - 1;
      if (left > 0) this.#held.set(device, left);
      else this.#held.delete(device);
    };
  }
}
