/** An end that comes once and that many wait for in turn: whoever does not wait any more leaves nothing behind, unlike with an AbortSignal. */
export class Ending {
  readonly #waiting = new Set<() => void>();
  #over = false;

  get over(): boolean {
    return this.#over;
  }
  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** `ended` is called when it comes, at once if it has; not once the returned function was called. */
  wait(ended: () => void): () => void {
    if (this.#over) ended();
    else this.#waiting.add(ended);
    return () => void this.#waiting.delete(ended);
  }

  end(): void {
    this.#over = true;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const ended of waiting) ended();
  }
}
