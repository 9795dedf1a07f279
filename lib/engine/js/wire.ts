/**
 * Constants, layouts and cursors of SPEC 3, 5, 7 and 9. Knows nothing of keys or state.
 */

import { HawserError, type HawserErrorCode } from '../../errors.js';
import { Mode, Suite, Transport } from '../../engine.js';

export const ID_MIN = 4;
export const ID_MAX = 32;
export const NAME_LEN = 8;
export const TICKET_LEN = 8;
export const KEY_LEN = 32;
export const HASH_LEN = 32;
export const TAG_LEN = 16;
export const MAC_LEN = 8;
export const UPSTREAM_MAX = 32;
export const HEADER_LEN = 2;
export const RECORD_OVERHEAD = HEADER_LEN + TAG_LEN;
export const RECORD_MIN = 64;
export const RECORD_MAX = 16383;
export const FIRST_RECORD_MAX = 4078;
export const MESSAGE1_MAX = 4095;
export const MESSAGE2_MAX = 98;
export const RESUME1_LEN = 46; // without early data
export const RESUME2_LEN = 34; // without connection id
export const SLOT_LEN = 64;
export const SAVE_MAX = 256;
export const DATA_OVERHEAD = 3;
export const WINDOW_MIN = 64;
export const WINDOW_MAX = 2 ** 30;
export const U32_MAX = 2 ** 32 - 1;
export const U48_MAX = 2 ** 48 - 1;
/** SPEC 7.3: the last block of a mode that has no full handshake. */
export const TICKET_BLOCKS = 2 ** 32 - 2;

// Compile-time limits of the core (csrc/include/hawser/config.h), the same values here.
export const WARM_PATIENCE_MS = 300_000;
export const ATTEMPT_MS = 10_000;
export const DEAD_MS = 15_000;
export const PING_MS = 5_000;
export const ACK_DELAY_MS = 25;
export const BAD_ANSWERS = 8;
export const STREAMS_DEFAULT = 128;

/** SPEC 3.2 */
export const Type = { Answer: 0x17, Resume: 0x18, ResumeAnswer: 0x1a } as const;

/** SPEC 9 */
export const Frame = {
  State: 1,
  Status: 2,
  Open: 3,
  Stream: 4,
  Synced: 5,
  Data: 6,
  Fin: 7,
  Ack: 8,
  Reset: 9,
  Msg: 10,
  Ping: 11,
  Pong: 12,
  Close: 13,
} as const;

export const EMPTY: Uint8Array = new Uint8Array(0);
export const NO_NAME: Uint8Array = new Uint8Array(NAME_LEN);

export function fail(
  word: 'AUTH' | 'FORMAT' | 'STATE' | 'ARG' | 'LIMIT' | 'EXHAUSTED' | 'CLOSED' | 'PEER',
  text: string,
) {
  return new HawserError(`ERR_HAWSER_${word}` satisfies HawserErrorCode, text);
}

/** Throws ERR_HAWSER_ARG unless the condition holds. */
export function argument(condition: boolean, text: string): asserts condition {
  if (!condition) throw fail('ARG', text);
}

export function isZero(bytes: Uint8Array): boolean {
  let bits = 0;
  for (const byte of bytes) bits |= byte;
  return bits === 0;
}

/** For public bytes only: stops at the first difference. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** A plain copy: slice() of a Buffer would be a view of the caller's bytes. */
export const copy = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const encoder = new TextEncoder();
export const ascii = (text: string): Uint8Array => encoder.encode(text);

/** Reads fields in order. Past the end it yields zeros and `ok` stays false for good: check once, at the end. */
export class Reader {
  ok = true;
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  /** The next byte, which stays. */
  peek(): number {
    return this.bytes[this.#at] ?? 0;
  }

  /** Reads what lies so many bytes ahead; this one stays where it is. */
  behind(length: number): Reader {
    return new Reader(this.bytes.subarray(this.#at + length));
  }

  take(length: number): Uint8Array {
    if (length > this.left) {
      this.ok = false;
      return new Uint8Array(length);
    }
    const out = this.bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return out;
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** Big-endian, `width` bytes, at most 6: exact in a double. */
  uint(width: number): number {
    let value = 0;
    for (const byte of this.take(width)) value = value * 256 + byte;
    return value;
  }

  u8(): number {
    return this.uint(1);
  }
  u16(): number {
    return this.uint(2);
  }
  u32(): number {
    return this.uint(4);
  }
  u48(): number {
    return this.uint(6);
  }
}

/** Writes fields in order into a buffer that grows. */
export class Writer {
  #buffer: Uint8Array;
  #length = 0;

  constructor(capacity = 64) {
    this.#buffer = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  #room(length: number): void {
    if (this.#length + length <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + length));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer.fill(0);
    this.#buffer = grown;
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  uint(value: number, width: number): this {
    this.#room(width);
    for (let i = width - 1; i >= 0; i--) {
      this.#buffer[this.#length + i] = value % 256;
      value = Math.floor(value / 256);
    }
    this.#length += width;
    return this;
  }

  u8(value: number): this {
    return this.uint(value, 1);
  }
  u16(value: number): this {
    return this.uint(value, 2);
  }
  u32(value: number): this {
    return this.uint(value, 4);
  }
  u48(value: number): this {
    return this.uint(value, 6);
  }

  /** len,x of SPEC 1 */
  sized(value: Uint8Array): this {
    return this.u8(value.length).bytes(value);
  }

  done(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}

export function publicLength(suite: Suite): number {
  return suite === Suite.P256 ? 65 : suite === Suite.X25519 ? 32 : 0;
}

export const hasFull = (mode: Mode): boolean => mode !== Mode.Ticket;
export const hasStatics = (mode: Mode): boolean => mode === Mode.Keys || mode === Mode.KeysPsk;
export const hasPsk = (mode: Mode): boolean => mode === Mode.KeysPsk || mode === Mode.Psk;

/** Type byte of message 1 of a full handshake, SPEC 3.2. */
export function fullType(mode: Mode, suite: Suite): number {
  return 0x11 + (mode - Mode.Keys) * 2 + (suite - Suite.X25519);
}

export function parseFullType(type: number): { mode: Mode; suite: Suite } | undefined {
  if (type < 0x11 || type > 0x16) return undefined;
  const index = type - 0x11;
  const mode = [Mode.Keys, Mode.KeysPsk, Mode.Psk][index >> 1] ?? Mode.Psk;
  return { mode, suite: (index & 1) === 0 ? Suite.X25519 : Suite.P256 };
}

/** Length of message 1 without the device id, and of message 2 without the connection id. */
export function fullLength(mode: Mode, suite: Suite): number {
  return 1 + publicLength(suite) + TAG_LEN + (hasStatics(mode) ? MAC_LEN : 0);
}

/** SPEC 5 */
export function ident(mode: Mode, suite: Suite, id: Uint8Array, gatewayId: Uint8Array): Uint8Array {
  return new Writer().bytes(ascii('hawser1')).u8(suite).u8(mode).u8(1).sized(id).sized(gatewayId).done();
}

export function recordHeader(length: number): Uint8Array {
  return Uint8Array.of(0x40 | (length >> 8), length & 0xff);
}

export function checkTransport(transport: Transport): void {
  argument(transport === Transport.Stream || transport === Transport.Serial, 'transport: only stream and serial exist');
}
