/** How much of everything. */
export interface Effort {
  /** Rounds that count, of each contender, and those before them that do not: V8 compiles what runs often, in the course of a second or two. */
  rounds: number;
  warmups: number;
  /** Of a round of handshakes, records or connections. */
  ms: number;
  megabytes: number;
  count: number;
}

export const efforts: Record<'normal' | 'quick', Effort> = {
  normal: { rounds: 5, warmups: 4, ms: 1000, megabytes: 256, count: 100_000 },
  quick: { rounds: 1, warmups: 1, ms: 100, megabytes: 16, count: 2_000 },
};
