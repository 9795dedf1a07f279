/** Where outgoing records are written: many small ones share one allocation, as in Node's own pool. */

const SLAB = 131072;
const SHARE = SLAB / 4;

export class Output {
  private slab: Buffer = Buffer.alloc(0);
  private used = 0;
  /** The buffer of the last room(), and where its free space starts. */
  buffer: Buffer = this.slab;
  at = 0;

  /** Makes buffer have `length` free bytes from `at` on. */
  room(length: number): void {
    if (length > SHARE) {
      this.buffer = Buffer.allocUnsafeSlow(length);
      this.at = 0;
      return;
    }
    if (this.slab.length - this.used < length) {
      this.slab = Buffer.allocUnsafeSlow(SLAB);
      this.used = 0;
    }
    this.buffer = this.slab;
    this.at = this.used;
  }

  /** The `length` bytes that were written there; undefined for none. */
  take(length: number): Buffer | undefined {
    if (length === 0) return undefined;
    if (this.buffer === this.slab) this.used += length;
    return this.buffer.subarray(this.at, this.at + length);
  }
}
