/** How much of everything. */
export interface Effort {
  /** Rounds that count, of each contender. */
  rounds: number;
  /** Of a round of handshakes, records or connections. */
  ms: number;
  megabytes: number;
  count: number;
}

export const efforts: Record<'normal' | 'quick', Effort> = {
  normal: { rounds: 5, ms: 1000, megabytes: 128, count: 40_000 },
  quick: { rounds: 1, ms: 100, megabytes: 16, count: 2_000 },
};
