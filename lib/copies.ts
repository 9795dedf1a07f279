/**
 * Copies of what a stream was given to send, kept until it is acknowledged. They stand one after the other in slabs that are used again: bytes come
 * and go in order.
 */

/** Bytes. A stream that sends little has a small one. */
const small = 4 * 1024;
const large = 256 * 1024;
/** Free slabs of this thread that are kept, whichever stream had them: the windows of what is sent at full speed, since fresh slabs cost a collection of the whole heap every few. */
const spare = 16;
const spares: Buffer[] = [];

interface Slab {
  memory: Buffer;
  used: number;
  /** Offset in the stream behind its last byte. */
  end: number;
}

export class Copies {
  readonly #slabs: Slab[] = [];
  /** Of #slabs. */
  #last: Slab | undefined;

  /** Everything before this offset of the stream is needed no more. */
  free(acknowledged: number): void {
    for (let slab = this.#slabs[0]; slab && slab.end <= acknowledged; slab = this.#slabs[0]) {
      this.#slabs.shift();
      if (slab === this.#last) this.#last = undefined;
      if (slab.memory.length === large && spares.length < spare) spares.push(slab.memory);
    }
  }

  /** The same bytes in as few pieces as their places allow; `at`: their offset in the stream. */
  of(chunks: readonly Uint8Array[], at: number): Buffer[] {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const pieces: Buffer[] = [];
    let left = length;
    let slab = this.#withRoom(left);
    let start = slab.used;
    const cut = (): void => {
      if (slab.used > start) pieces.push(slab.memory.subarray(start, slab.used));
    };
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length;) {
        if (slab.used === slab.memory.length) {
          cut();
          slab = this.#withRoom(left);
          start = slab.used;
        }
        const step = Math.min(chunk.length - done, slab.memory.length - slab.used);
        slab.memory.set(chunk.subarray(done, done + step), slab.used);
        slab.used += step;
        done += step;
        left -= step;
        slab.end = at + length - left;
      }
    }
    cut();
    return pieces;
  }

  /** A short chunk, behind the last bytes; `at`: its offset in the stream. False: there it does not fit. */
  append(chunk: Uint8Array, at: number): boolean {
    const slab = this.#last;
    if (!slab || slab.memory.length - slab.used < chunk.length) return false;
    slab.memory.set(chunk, slab.used);
    slab.used += chunk.length;
    slab.end = at + chunk.length;
    return true;
  }

  /** The last so many bytes, which append() put there one after the other. */
  appended(length: number): Buffer {
    const slab = this.#last;
    return slab ? slab.memory.subarray(slab.used - length, slab.used) : Buffer.alloc(0);
  }

  /** The last one, while anything fits; else one that was freed, or a new one. */
  #withRoom(length: number): Slab {
    const last = this.#last;
    if (last && last.used < last.memory.length) return last;
    const memory =
      (length > small || last ? spares.pop() : undefined) ??
      Buffer.allocUnsafeSlow(length > small || last ? large : small);
    const slab: Slab = { memory, used: 0, end: 0 };
    this.#slabs.push(slab);
    this.#last = slab;
    return slab;
  }
}
