/**
 * Where bytes stand until a socket has written them out: records, and what goes on to an upstream. Many small ones share one slab, and a slab whose bytes were all released is used again: fresh memory for every
 * write would cost a full garbage collection every few megabytes.
 */

import type { Writable } from 'node:stream';

/** Holds the largest write() of a mux, sealed. */
const SLAB = 262144;
/** Free slabs that are kept. */
const SPARE = 8;

class Slab {
  readonly memory = Buffer.allocUnsafeSlow(SLAB);
  used = 0;
  /** Given out and not released. */
  pending = 0;
}

export class Output {
  readonly #slabs = new WeakMap<ArrayBufferLike, Slab>();
  readonly #free: Slab[] = [];
  #slab: Slab | undefined;
  /** The buffer of the last room(), and where its free space starts. */
  buffer: Buffer = Buffer.alloc(0);
  at = 0;

  /** Makes buffer have `length` free bytes from `at` on. */
  room(length: number): void {
    if (length > SLAB) {
      this.buffer = Buffer.allocUnsafeSlow(length);
      this.at = 0;
      return;
    }
    const slab = this.#withRoom(length);
    this.buffer = slab.memory;
    this.at = slab.used;
  }

  #withRoom(length: number): Slab {
    if (this.#slab && SLAB - this.#slab.used >= length) return this.#slab;
    const slab = this.#free.pop() ?? this.#fresh();
    this.#slab = slab;
    return slab;
  }

  #fresh(): Slab {
    const slab = new Slab();
    this.#slabs.set(slab.memory.buffer, slab);
    return slab;
  }

  /** The `length` bytes that were written there; undefined for none. */
  take(length: number): Buffer | undefined {
    if (length === 0) return undefined;
    const slab = this.#slabs.get(this.buffer.buffer);
    if (slab) {
      slab.used += length;
      slab.pending += 1;
    }
    return this.buffer.subarray(this.at, this.at + length);
  }

  /** What take() gave is not needed any more; once each. Bytes that never come back are the garbage collector's, slab and all. */
  release(bytes: Uint8Array): void {
    const slab = this.#slabs.get(bytes.buffer);
    if (!slab || slab.pending === 0) return;
    slab.pending -= 1;
    if (slab.pending > 0) return;
    slab.used = 0;
    if (slab !== this.#slab && this.#free.length < SPARE) this.#free.push(slab);
  }
}

/** Of all pipes of this thread that others are passed on to. */
const passing = new Output();

/** Writes bytes that are only lent to a pipe; `accepted`: it has written them out. */
export function passOn(parts: readonly Uint8Array[], pipe: Writable, accepted: () => void): void {
  let length = 0;
  for (const part of parts) length += part.length;
  passing.room(length);
  let { at } = passing;
  for (const part of parts) {
    passing.buffer.set(part, at);
    at += part.length;
  }
  const bytes = passing.take(length) ?? Buffer.alloc(0);
  pipe.write(bytes, (error) => {
    // A write that failed may still be looked at: its memory does not come back.
    if (error) return;
    passing.release(bytes);
    accepted();
  });
}
