/** Counts what strangers and devices can cause a thousand times a second, and says it in one line every five seconds. */

/** Different things that one line names. */
const NAMED = 8;
const PERIOD_MS = 5000;

export class Tally {
  #counts = new Map<string, number>();
  /** Of things beyond the first NAMED of this period: what is counted may be named by somebody else's choice. */
  #others = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly label: string,
    private readonly note: (line: string) => void,
    period = PERIOD_MS,
  ) {
    this.#timer = setInterval(() => this.say(), period).unref();
  }

  add(what: string, times = 1): void {
    const count = this.#counts.get(what) ?? 0;
    if (count > 0 || this.#counts.size < NAMED) this.#counts.set(what, count + times);
    else this.#others += times;
  }

  say(): void {
    if (this.#counts.size === 0) return;
    const named = [...this.#counts].map(([what, count]) => `${what} ${count}`);
    this.note(`${this.label}: ${[...named, ...(this.#others > 0 ? [`others ${this.#others}`] : [])].join(', ')}`);
    this.#counts = new Map();
    this.#others = 0;
  }

  /** Says what is left. */
  stop(): void {
    clearInterval(this.#timer);
    this.say();
  }
}
