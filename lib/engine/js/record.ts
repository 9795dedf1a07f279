/**
 * Records and their keys (SPEC 3.6), and the framing of messages and records on a transport (3.3, 3.4).
 */

import { Transport } from '../../engine.js';
import { cobsDecode, cobsEncode, cobsMax } from './cobs.js';
import { wipe, type Port, type StateHash, type TrafficKeys } from './crypto.js';
import { nonce64 } from './noise.js';
import { concat, copy, EMPTY, fail, HEADER_LEN, MESSAGE1_MAX, RECORD_OVERHEAD, recordHeader, U48_MAX } from './wire.js';

const KEY_PERIOD = 2 ** 20;
const REKEY_NONCE = Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255);

/** One direction: key k_j and counter c. */
class Direction {
  constructor(
    private readonly port: Port,
    public key: Uint8Array,
    public counter: number,
  ) {}

  /** The key of record c: the present one, or the next at the start of a period. Commits nothing. */
  keyNow(): Uint8Array {
    if (this.counter === 0 || this.counter % KEY_PERIOD !== 0 || this.#entered === this.counter) return this.key;
    return this.port.seal(this.key, REKEY_NONCE, EMPTY, new Uint8Array(32)).subarray(0, 32);
  }

  /** Record c went through under `key`. */
  commit(key: Uint8Array): void {
    if (key !== this.key) wipe(this.key);
    this.key = key;
    this.counter++;
  }

  /** The period that a preset counter starts in has the given key already. */
  #entered = -1;
  enter(counter: number): void {
    this.counter = counter;
    this.#entered = counter;
  }

  get exhausted(): boolean {
    return this.counter > U48_MAX;
  }
}

/** Both directions of one link. */
export class Link {
  readonly #tx: Direction;
  readonly #rx: Direction;

  /** Takes over the key arrays. */
  constructor(
    private readonly port: Port,
    readonly transport: Transport,
    readonly device: boolean,
    keys: TrafficKeys,
  ) {
    this.#tx = new Direction(port, device ? keys.d2g : keys.g2d, 0);
    this.#rx = new Direction(port, device ? keys.g2d : keys.d2g, 0);
    const preset = port.hooks.counters;
    if (!preset) return;
    this.#tx.enter(device ? preset.d2g : preset.g2d);
    this.#rx.enter(device ? preset.g2d : preset.d2g);
    this.#first = this.#tx.counter;
  }

  #first = 0;

  /** Nothing was sent yet. */
  get fresh(): boolean {
    return this.#tx.counter === this.#first;
  }

  get exhausted(): boolean {
    return this.#tx.exhausted;
  }

  keys(): TrafficKeys {
    const tx = copy(this.#tx.key);
    const rx = copy(this.#rx.key);
    return this.device ? { d2g: tx, g2d: rx } : { d2g: rx, g2d: tx };
  }

  /** A framed record. Throws ERR_HAWSER_EXHAUSTED at the end of the counter. */
  seal(plaintext: Uint8Array): Uint8Array {
    if (this.#tx.exhausted) throw fail('EXHAUSTED', 'the record counter is at its end: connect again');
    const header = recordHeader(plaintext.length);
    const key = this.#tx.keyNow();
    const sealed = this.port.seal(key, nonce64(this.#tx.counter), header, plaintext);
    this.#tx.commit(key);
    return frame(this.transport, concat(header, sealed));
  }

  /** The plaintext of a record (header included in `record`), or undefined: it is not genuine, nothing has changed. */
  open(record: Uint8Array): Uint8Array | undefined {
    if (this.#rx.exhausted) return undefined;
    const key = this.#rx.keyNow();
    const header = record.subarray(0, HEADER_LEN);
    const plaintext = this.port.open(key, nonce64(this.#rx.counter), header, record.subarray(HEADER_LEN));
    if (plaintext) this.#rx.commit(key);
    else if (key !== this.#rx.key) wipe(key);
    return plaintext;
  }

  wipe(): void {
    wipe(this.#tx.key, this.#rx.key);
  }

  hash(into: StateHash): void {
    into.add(this.transport, this.#tx.key, this.#tx.counter, this.#rx.key, this.#rx.counter);
  }
}

// ---- Framing -------------------------------------------------------------------------------------------

function frame(transport: Transport, unit: Uint8Array): Uint8Array {
  return transport === Transport.Serial ? cobsEncode(unit) : unit;
}

/** A handshake message as it travels. */
export function frameMessage(transport: Transport, message: Uint8Array): Uint8Array {
  return frame(transport, concat(Uint8Array.of(message.length >> 8, message.length & 0xff), message));
}

export type UnitKind = 'message' | 'record';

/** `raw` is the frame as it came on a serial line; `bytes` is header and body. */
export interface Unit {
  kind: UnitKind | 'bad';
  bytes: Uint8Array;
  raw: Uint8Array;
}

/** What may come, and how long a record's plaintext may be. */
export interface Expect {
  message: boolean;
  record: boolean;
  recordMax: number;
  /** Of handshake messages, where more is known than SPEC 3.3 says. */
  messageMin?: number;
  messageMax?: number;
}

const BAD: Unit = { kind: 'bad', bytes: EMPTY, raw: EMPTY };

/** Whole length of the unit that a header opens, or undefined: none that is expected here. */
function unitLength(first: number, second: number, expect: Expect): number | undefined {
  const value = (first << 8) | second;
  if (first >= 0x40 && first <= 0x7f) {
    const length = value & 0x3fff;
    return expect.record && length <= expect.recordMax ? length + RECORD_OVERHEAD : undefined;
  }
  const { message, messageMin = 1, messageMax = MESSAGE1_MAX } = expect;
  return message && value >= messageMin && value <= messageMax ? value + HEADER_LEN : undefined;
}

/** SPEC 3.1: the first byte says already what it cannot become. */
function firstFits(first: number, { message, record }: Expect): boolean {
  return (message && first <= 0x0f) || (record && first >= 0x40 && first <= 0x7f);
}

/** Cuts the bytes of a link into messages and records. Only a unit that is cut by the end of a chunk is copied. */
export class Deframer {
  #partial = EMPTY;
  #have = 0;
  #skipping = false; // serial: a frame that is too long runs to its zero

  constructor(
    readonly transport: Transport,
    public expect: Expect,
  ) {}

  /** Of a unit that has begun. */
  get begun(): Uint8Array {
    return this.#partial.subarray(0, this.#have);
  }

  /** The next unit from `at` on. `next` is where the one after it begins. No unit: all was taken, more is needed. */
  take(chunk: Uint8Array, at: number): { unit?: Unit; next: number } {
    return this.transport === Transport.Serial ? this.#takeFrame(chunk, at) : this.#takeStream(chunk, at);
  }

  #takeStream(chunk: Uint8Array, at: number): { unit?: Unit; next: number } {
    if (this.#have === 0) return this.#takeWhole(chunk, at);
    if (this.#have < HEADER_LEN) {
      if (at >= chunk.length) return { next: at };
      const length = unitLength(this.#partial[0] as number, chunk[at] as number, this.expect);
      if (length === undefined) return this.#bad(chunk);
      this.#begin(length, Uint8Array.of(this.#partial[0] as number, chunk[at++] as number));
    }
    const more = Math.min(this.#partial.length - this.#have, chunk.length - at);
    this.#partial.set(chunk.subarray(at, at + more), this.#have);
    this.#have += more;
    if (this.#have < this.#partial.length) return { next: at + more };
    const bytes = this.#partial;
    this.clear();
    return { unit: asUnit(bytes, EMPTY), next: at + more };
  }

  #takeWhole(chunk: Uint8Array, at: number): { unit?: Unit; next: number } {
    const left = chunk.length - at;
    if (left === 0) return { next: at };
    const first = chunk[at] as number;
    if (left === 1) {
      if (!firstFits(first, this.expect)) return this.#bad(chunk);
      this.#begin(1, chunk.subarray(at));
      return { next: chunk.length };
    }
    const length = unitLength(first, chunk[at + 1] as number, this.expect);
    if (length === undefined) return this.#bad(chunk);
    if (left >= length) return { unit: asUnit(chunk.subarray(at, at + length), EMPTY), next: at + length };
    this.#begin(length, chunk.subarray(at));
    return { next: chunk.length };
  }

  #begin(length: number, bytes: Uint8Array): void {
    this.#partial = new Uint8Array(length);
    this.#partial.set(bytes);
    this.#have = bytes.length;
  }

  #bad(chunk: Uint8Array): { unit: Unit; next: number } {
    this.clear();
    return { unit: BAD, next: chunk.length };
  }

  /** Longest frame, without its zero, that can hold anything expected. */
  #frameMax(): number {
    const message = this.expect.message ? MESSAGE1_MAX + HEADER_LEN : 0;
    return cobsMax(Math.max(message, this.expect.record ? this.expect.recordMax + RECORD_OVERHEAD : 0));
  }

  /** Frames that are wrong in themselves are left out: what follows them may be good. */
  #takeFrame(chunk: Uint8Array, at: number): { unit?: Unit; next: number } {
    while (at < chunk.length) {
      const zero = chunk.indexOf(0, at);
      const end = zero < 0 ? chunk.length : zero;
      const bytes = this.#collect(chunk.subarray(at, end), zero >= 0);
      if (zero < 0) break;
      at = zero + 1;
      const unit = bytes && this.#unframe(bytes);
      if (unit) return { unit, next: at };
    }
    return { next: chunk.length };
  }

  /** The whole frame once its zero has come, or undefined: not yet, or too long. */
  #collect(part: Uint8Array, ended: boolean): Uint8Array | undefined {
    const fits = !this.#skipping && this.#have + part.length <= this.#frameMax();
    if (ended) {
      const bytes = this.#have === 0 ? part : concat(this.#partial.subarray(0, this.#have), part);
      this.clear();
      return fits ? bytes : undefined;
    }
    if (fits) return this.#append(part);
    this.clear();
    this.#skipping = true;
    return undefined;
  }

  #append(part: Uint8Array): undefined {
    const need = this.#have + part.length;
    if (need > this.#partial.length) {
      const grown = new Uint8Array(Math.max(need, 2 * this.#partial.length));
      grown.set(this.#partial.subarray(0, this.#have));
      this.#partial = grown;
    }
    this.#partial.set(part, this.#have);
    this.#have = need;
  }

  #unframe(raw: Uint8Array): Unit | undefined {
    const bytes = cobsDecode(raw);
    if (!bytes || bytes.length < HEADER_LEN) return undefined;
    const length = unitLength(bytes[0] as number, bytes[1] as number, this.expect);
    return length === bytes.length ? asUnit(bytes, concat(raw, Uint8Array.of(0))) : undefined;
  }

  clear(): void {
    this.#partial = EMPTY;
    this.#have = 0;
    this.#skipping = false;
  }

  hash(into: StateHash): void {
    into.add(this.#partial.subarray(0, this.#have), this.#partial.length > 0 && this.#have > 0, this.#skipping);
  }
}

function asUnit(bytes: Uint8Array, raw: Uint8Array): Unit {
  return { kind: (bytes[0] as number) < 0x40 ? 'message' : 'record', bytes, raw };
}
