/** What the bytes of a hawser link say without any key (SPEC 3): handshake messages and record headers. */

import { Mode, Suite } from '../../engine.js';

export interface SeenMessage {
  type: number;
  name: string;
  /** Without the transport's length field. */
  length: number;
  mode?: Mode;
  suite?: Suite;
  /** Full handshake, message 1: the device id is in clear. */
  deviceId?: Buffer;
  /** Resumption, message 1. */
  ticket?: Buffer;
  earlyData?: number;
  connectionId?: number;
}

export interface SeenRecords {
  count: number;
  /** Bytes on the wire, headers and tags included. */
  bytes: number;
  plaintext: number;
  smallest: number;
  largest: number;
  empty: number;
}

/** One direction of a link as far as it could be followed. */
export interface SeenDirection {
  message?: SeenMessage;
  records: SeenRecords;
  /** Bytes after the last whole message or record. */
  partial: number;
  /** Why it could not be followed to its end. */
  note?: string;
}

const LENGTH_MAX = 4095;
const TAG = 16;
const HEADER = 2;

interface Type {
  name: string;
  /** Length of everything but the part that varies, and the most that part may have. */
  fixed: number;
  least: number;
  most: number;
  mode?: Mode;
  suite?: Suite;
}

const full = (mode: Mode, suite: Suite, fixed: number, name: string): Type => ({
  name,
  fixed,
  least: 4,
  most: 32,
  mode,
  suite,
});

/** Message 1, SPEC 3.2. */
const FIRST: Record<number, Type> = {
  0x11: full(Mode.Keys, Suite.X25519, 57, 'message 1, keys, 25519'),
  0x12: full(Mode.Keys, Suite.P256, 90, 'message 1, keys, P256'),
  0x13: full(Mode.KeysPsk, Suite.X25519, 57, 'message 1, keys with PSK, 25519'),
  0x14: full(Mode.KeysPsk, Suite.P256, 90, 'message 1, keys with PSK, P256'),
  0x15: full(Mode.Psk, Suite.X25519, 49, 'message 1, psk, 25519'),
  0x16: full(Mode.Psk, Suite.P256, 82, 'message 1, psk, P256'),
  0x18: { name: 'message 1, resumption', fixed: 46, least: 0, most: LENGTH_MAX - 46 },
};
const FULL_ANSWER = 0x17;
const RESUMED_ANSWER = 0x1a;
const RESUMED_ANSWER_LENGTH = 34;

/** Undefined: no message 1 of this version begins like this. */
export function seeMessage1(message: Buffer): SeenMessage | undefined {
  const code = message[0] ?? 0;
  const type = FIRST[code];
  const rest = message.length - (type?.fixed ?? 0);
  if (!type || rest < type.least || rest > type.most) return undefined;
  const seen: SeenMessage = { type: code, name: type.name, length: message.length };
  if (type.mode === undefined) return { ...seen, ticket: message.subarray(1, 9), earlyData: rest };
  return { ...seen, mode: type.mode, suite: type.suite!, deviceId: message.subarray(1, 1 + rest) };
}

/** Undefined: not an answer to that message 1. */
export function seeMessage2(message: Buffer, first: SeenMessage): SeenMessage | undefined {
  const code = message[0] ?? 0;
  const resumed = first.ticket !== undefined;
  if (code !== (resumed ? RESUMED_ANSWER : FULL_ANSWER)) return undefined;
  const expected = resumed ? RESUMED_ANSWER_LENGTH : FIRST[first.type]!.fixed;
  const connectionId = message.length - expected;
  if (connectionId < 0 || connectionId > 8) return undefined;
  const name = resumed ? 'message 2, resumption' : 'message 2, full handshake';
  return { type: code, name, length: message.length, connectionId };
}

/** Follows one direction: a handshake message, then records, as their bytes come. */
export class DirectionScanner {
  readonly seen: SeenDirection = {
    records: { count: 0, bytes: 0, plaintext: 0, smallest: 0, largest: 0, empty: 0 },
    partial: 0,
  };
  /** When the message was complete. */
  messageTime: number | undefined;
  #held = Buffer.alloc(0);
  /** Bytes of the record at hand that have not come yet. */
  #missing = 0;
  #stopped = false;

  constructor(private readonly see: (message: Buffer) => SeenMessage | undefined) {}

  take(data: Buffer, time: number): void {
    let rest = data;
    while (rest.length > 0 && !this.#stopped) {
      if (this.#missing > 0) rest = this.#skip(rest);
      else if (this.seen.message) rest = this.#header(rest);
      else rest = this.#message(rest, time);
    }
  }

  end(note?: string): SeenDirection {
    this.seen.partial = this.#held.length + (this.#missing > 0 ? this.#partialRecord() : 0);
    if (note !== undefined) this.seen.note ??= note;
    return this.seen;
  }

  #stop(note: string): Buffer {
    this.#stopped = true;
    this.#held = Buffer.alloc(0);
    this.seen.note = note;
    return this.#held;
  }

  #message(data: Buffer, time: number): Buffer {
    const bytes = Buffer.concat([this.#held, data]);
    const length = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
    if (bytes.length >= 2 && (length === 0 || length > LENGTH_MAX))
      return this.#stop('does not begin with a handshake message');
    if (bytes.length < 2 || bytes.length < 2 + length) {
      this.#held = bytes;
      return Buffer.alloc(0);
    }
    const message = this.see(bytes.subarray(2, 2 + length));
    if (!message) return this.#stop('does not begin with a handshake message of this version');
    this.seen.message = message;
    this.messageTime = time;
    this.#held = Buffer.alloc(0);
    return bytes.subarray(2 + length);
  }

  #recordLength = 0;

  #header(data: Buffer): Buffer {
    const bytes = Buffer.concat([this.#held, data.subarray(0, HEADER - this.#held.length)]);
    const rest = data.subarray(HEADER - this.#held.length);
    this.#held = bytes;
    if (bytes.length < HEADER) return Buffer.alloc(0);
    const header = bytes.readUInt16BE(0);
    if (header >> 14 !== 1) return this.#stop(`byte 0x${(header >> 8).toString(16)} where a record should begin`);
    this.#held = Buffer.alloc(0);
    this.#recordLength = header & 0x3fff;
    this.#missing = this.#recordLength + TAG;
    return rest;
  }

  #skip(data: Buffer): Buffer {
    const taken = Math.min(this.#missing, data.length);
    this.#missing -= taken;
    if (this.#missing === 0) this.#count(this.#recordLength);
    return data.subarray(taken);
  }

  #partialRecord(): number {
    return HEADER + this.#recordLength + TAG - this.#missing;
  }

  #count(plaintext: number): void {
    const { records } = this.seen;
    records.smallest = records.count === 0 ? plaintext : Math.min(records.smallest, plaintext);
    records.largest = Math.max(records.largest, plaintext);
    records.count += 1;
    records.bytes += HEADER + plaintext + TAG;
    records.plaintext += plaintext;
    if (plaintext === 0) records.empty += 1;
  }
}
