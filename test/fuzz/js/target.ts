/** What a fuzz target of the JavaScript side is. */

import { createHash } from 'node:crypto';
import { HawserError, type HawserErrorCode } from '../../../lib/errors.js';

export interface Target {
  /** Takes anything; throws if something is wrong with the code. */
  run(input: Uint8Array): void;
  /** Valid inputs to begin with. */
  seeds(): Uint8Array[];
  /** Words that random changes would take long to find. */
  words?: readonly string[];
  /** The longest input that still tells something new. */
  most: number;
}

/** The result, or undefined where the call refused with one of these codes. Anything else that is thrown is a finding. */
export function orRefused<T>(codes: readonly HawserErrorCode[], call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof HawserError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

/** Bytes with the check behind them that slots, saved states and pairings end with (SPEC 4.1, 7.4). */
export function checked(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, createHash('sha256').update(bytes).digest().subarray(0, 8)]);
}

export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`finding: ${what}`);
}

export const utf8 = (text: string): Uint8Array => Buffer.from(text);

/** Reads choices and bytes out of an input; zeros behind its end. */
export class Source {
  #at = 0;

  constructor(private readonly input: Uint8Array) {}

  get left(): number {
    return this.input.length - this.#at;
  }

  byte(): number {
    return this.input[this.#at++] ?? 0;
  }

  take(length: number): Uint8Array {
    const bytes = this.input.subarray(this.#at, this.#at + length);
    this.#at += bytes.length;
    return Uint8Array.from(bytes);
  }

  /** A run whose length its first byte says. */
  run(): Uint8Array {
    return this.take(this.byte());
  }

  pick<T>(list: readonly T[]): T {
    return list[this.byte() % list.length] as T;
  }
}
