/** Reads the events that the addon left in its scratch (binding/instance.h) and makes CoreEvents of them. */

import type { Code, CoreEvent, Kind, Verdict } from '../../engine.js';
import { coreError } from '../../errors.js';

const HEADER_WORDS = 8;
const EVENT_WORDS = 8;
const EVENTS_MAX = 512;
const SPILL_AT = 4 * (HEADER_WORDS + EVENT_WORDS * EVENTS_MAX);

/** enum hawser_event_type, in its order. */
const Type = {
  Store: 1,
  Live: 2,
  Verdict: 3,
  Open: 4,
  Opened: 5,
  Data: 6,
  Fin: 7,
  Acked: 8,
  Rewind: 9,
  Closed: 10,
  Message: 11,
  Pong: 12,
  Handshake: 13,
  Close: 14,
  Dead: 15,
} as const;
const FROM_SPILL = 2;

export class Scratch {
  readonly header: Uint32Array;
  readonly spill: Buffer;
  private readonly words: Uint32Array;

  constructor(memory: ArrayBuffer) {
    this.header = new Uint32Array(memory, 0, HEADER_WORDS);
    this.words = new Uint32Array(memory, 4 * HEADER_WORDS, EVENT_WORDS * EVENTS_MAX);
    this.spill = Buffer.from(memory, SPILL_AT);
  }

  word(event: number, index: number): number {
    return this.words[event * EVENT_WORDS + index] ?? 0;
  }

  /** Appends `count` events. Data is a view of chunk, or a copy where it lies in memory that the next call reuses. */
  read(count: number, chunk: Uint8Array, into: CoreEvent[]): void {
    for (let at = 0; at < count; at++) into.push(this.event(at * EVENT_WORDS, chunk));
  }

  private event(at: number, chunk: Uint8Array): CoreEvent {
    const words = this.words;
    const stream = words[at + 1] ?? 0;
    const value = words[at + 2] ?? 0;
    switch (words[at]) {
      case Type.Data:
        return { type: 'data', stream, data: this.data(at, chunk) };
      case Type.Acked:
        return { type: 'acked', stream, offset: this.offset(at) + value };
      case Type.Fin:
        return { type: 'fin', stream };
      case Type.Message:
        return { type: 'message', stream, data: this.data(at, chunk) };
      case Type.Opened:
        return { type: 'opened', stream };
      case Type.Open:
        return { type: 'open', stream, kind: value as Kind, name: this.data(at, chunk).toString() };
      case Type.Rewind:
        return { type: 'rewind', stream, offset: this.offset(at) + value };
      case Type.Closed:
        return { type: 'closed', stream, code: value as Code };
      case Type.Store:
        return { type: 'store', slot: this.data(at, chunk) };
      case Type.Live:
        return { type: 'live', continued: value === 1 };
      case Type.Verdict:
        return { type: 'verdict', stream, verdict: value as Verdict };
      case Type.Pong:
        return { type: 'pong' };
      case Type.Handshake:
        return { type: 'handshake', message: this.data(at, chunk) };
      case Type.Close:
        return { type: 'close', code: value as Code };
      case Type.Dead:
        return { type: 'dead' };
      default:
        throw coreError(-5, `the addon reported an event of unknown type ${words[at]}`);
    }
  }

  private offset(at: number): number {
    return (this.words[at + 3] ?? 0) + (this.words[at + 4] ?? 0) * 0x1_0000_0000;
  }

  private data(at: number, chunk: Uint8Array): Buffer {
    const start = this.words[at + 6] ?? 0;
    const end = start + (this.words[at + 7] ?? 0);
    if (this.words[at + 5] === FROM_SPILL) return Buffer.from(this.spill.subarray(start, end));
    return Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start);
  }
}
