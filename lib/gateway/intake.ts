/**
 * Bounds the time that one link's bytes take before the others are served (SPEC 14): a sender of the smallest records would otherwise keep the
 * gateway to itself, since a socket that is readable is read many times in a row. What is over the bound waits, at most what a pipe buffers by itself.
 */

/** So much at once: the cost of a record is mostly its own, however short it is. Frames of a serial line are told apart by what is in them. */
export const portion = { records: 32, bytes: 64 * 1024, serial: 1024 };
/** After so much in one turn of the event loop the others come first. Milliseconds. */
const budget = 2;
/** A portion is never smaller than one of so many parts. */
const maxShare = 32;
/** SPEC 3.3. Bytes. */
const tag = 16;

/** Follows the records of SPEC 3.3 without looking into them. Bytes that are none come out in portions all the same. */
export class Portions {
  /** Of the present message or record, still to come. */
  #left = 0;
  /** The first byte of a header whose second has not come. */
  #high: number | undefined;

  /** `most`: bytes of a portion. */
  constructor(private readonly most: number) {}

  /** The length of the next portion at the start of `bytes`; `share`: it is to be so many times smaller. */
  next(bytes: Uint8Array, share = 1): number {
    const limit = Math.min(bytes.length, Math.max(1, Math.floor(this.most / share)));
    const most = Math.max(1, Math.floor(portion.records / share));
    let at = 0;
    for (let records = 0; at < limit && records < most;) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, limit - at);
        this.#left -= step;
        at += step;
        if (this.#left === 0) records += 1;
      } else {
        this.#header(bytes[at] ?? 0);
        at += 1;
      }
    }
    return at;
  }

  #header(byte: number): void {
    const high = this.#high;
    this.#high = high === undefined ? byte : undefined;
    if (high === undefined) return;
    const length = ((high & 0x3f) << 8) | byte;
    // There is no message without a byte: counted all the same.
    this.#left = high >= 0x40 ? length + tag : Math.max(length, 1);
  }
}

/** Counts turns of the event loop while somebody asks, with one callback for all links. */
let turn = 0;
let counting = false;

function thisTurn(): number {
  if (!counting) {
    counting = true;
    setImmediate(() => {
      counting = false;
      turn += 1;
    });
  }
  return turn;
}

export interface Source {
  pause(): unknown;
  resume(): unknown;
}

/** One pipe's bytes on their way to whoever `take`s them, a portion at a time. */
export class Intake {
  readonly #source: Source;
  readonly #take: (bytes: Uint8Array) => void;
  readonly #now: () => number;
  readonly #portions: Portions;
  readonly #waiting: Uint8Array[] = [];
  /** Put back by hold(): it was cut to size before. */
  #back: Uint8Array | undefined;
  /** Milliseconds, in this turn. */
  #spent = 0;
  #turn = -1;
  /** Grows while portions cost more than a turn has: what is in a record, many OPENs say, may cost more than the record. */
  #share = 1;
  #scheduled = false;
  #running = false;
  #held = false;
  #paused = false;
  #stopped = false;

  constructor(
    source: Source,
    take: (bytes: Uint8Array) => void,
    most = portion.bytes,
    now = (): number => performance.now(),
  ) {
    this.#source = source;
    this.#take = take;
    this.#portions = new Portions(most);
    this.#now = now;
  }

  /** `bytes` are the caller's again when it returns. */
  push(bytes: Uint8Array): void {
    if (this.#stopped || bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#run();
    this.#keep(bytes);
  }

  /** What has to wait is copied. */
  #keep({ buffer }: Uint8Array): void {
    if (this.#back?.buffer === buffer) this.#back = new Uint8Array(this.#back);
    const last = this.#waiting.length - 1;
    const left = this.#waiting[last];
    if (left?.buffer === buffer) this.#waiting[last] = new Uint8Array(left);
  }

  /** Nothing more is taken until release(); `rest` comes first then. The source is paused when more comes: mostly nothing does. */
  hold(rest: Uint8Array): void {
    this.#held = true;
    if (rest.length > 0) this.#back = rest;
  }

  get held(): boolean {
    return this.#held;
  }

  release(): void {
    this.#held = false;
    this.#run();
  }

  /** For good: what still comes is thrown away. */
  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
    this.#back = undefined;
    this.#setPaused(false);
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    if (this.#turn !== thisTurn()) this.#spent = 0;
    this.#turn = turn;
    try {
      while (!this.#stopped && !this.#held && this.#spent < budget) {
        const bytes = this.#next();
        if (!bytes) break;
        const start = this.#now();
        this.#take(bytes);
        this.#account(this.#now() - start);
      }
    } finally {
      this.#running = false;
    }
    this.#afterwards();
  }

  #account(cost: number): void {
    this.#spent += cost;
    if (cost > budget) this.#share = Math.min(this.#share * 2, maxShare);
    else if (cost < budget / 4) this.#share = Math.max(this.#share / 2, 1);
  }

  #next(): Uint8Array | undefined {
    const back = this.#back;
    this.#back = undefined;
    if (back) return back;
    const [first] = this.#waiting;
    if (!first) return undefined;
    const length = this.#portions.next(first, this.#share);
    if (length === first.length) this.#waiting.shift();
    else this.#waiting[0] = first.subarray(length);
    return first.subarray(0, length);
  }

  #afterwards(): void {
    if (this.#stopped) return;
    this.#setPaused((this.#held && this.#waiting.length > 0) || this.#spent >= budget);
    if (this.#spent < budget || this.#scheduled) return;
    // After whatever else is ready.
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turn = -1;
      this.#run();
    });
  }

  #setPaused(paused: boolean): void {
    if (this.#paused === paused) return;
    this.#paused = paused;
    if (paused) this.#source.pause();
    else this.#source.resume();
  }
}
