/** Bits of a state that many functions look at: of a stream (stream.ts), of a session (control.ts). */
export class Flags {
  flags = 0;

  /** Is one of them set? */
  has(flags: number): boolean {
    return (this.flags & flags) !== 0;
  }

  set(flags: number): void {
    this.flags |= flags;
  }

  clear(flags: number): void {
    this.flags &= ~flags;
  }

  /** True if it was set. */
  take(flag: number): boolean {
    const was = this.has(flag);
    this.clear(flag);
    return was;
  }
}
