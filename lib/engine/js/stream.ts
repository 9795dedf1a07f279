/**
 * State of one stream (SPEC 9, "Offsets"). Offsets count bytes of a direction, a FIN counts one more.
 */

import type { Kind } from '../../engine.js';
import type { StateHash } from './crypto.js';

/** No position is known on this link: DATA needs a STREAM or OPEN frame before it. */
export const NOWHERE = -1;
export const NOT_RESET = -1;

/** When an acknowledgement goes out. */
export const AckDue = { No: 0, Later: 1, Now: 2 } as const;
export type AckDue = (typeof AckDue)[keyof typeof AckDue];

/** TAKEN; UNKNOWN and idempotent; UNKNOWN and not. `end` is the offset behind the early data, FIN included. */
export interface EarlyFate {
  fate: 'taken' | 'again' | 'unsure';
  end: number;
}

export class Stream {
  /** Next to send, highest ever sent, acknowledged; final offset + 1 once FIN was sent (else 0). */
  tx = 0;
  txHigh = 0;
  txAcked = 0;
  txEnd = 0;
  /** Received, accepted by the application; final offset + 1 once FIN was received (else 0). */
  rx = 0;
  rxAck = 0;
  rxEnd = 0;

  /** On this link: where the peer takes our next DATA to be, where its next DATA goes, what it was told last. */
  txAt = NOWHERE;
  rxAt = NOWHERE;
  ackTold = 0;
  ackDue: AckDue = AckDue.No;
  openDue = false;
  streamDue = false;
  resetDue = false;
  /** The peer has named this stream in the resynchronisation of this link. */
  named = false;

  /** Device: OPEN was sent under the present session; the gateway has acknowledged it. */
  sent = false;
  known = false;
  /** The upstream is connected (gateway: said by consume(); device: heard). */
  connected = false;
  /** The code of our own RESET. */
  resetCode = NOT_RESET;
  /** Device: what became of early data on a stream that was not opened before; settled by the next link. */
  early: EarlyFate | undefined;
  /** Gateway: over and reported; kept to answer a peer that did not hear the last word. */
  done = false;

  constructor(
    readonly id: number,
    readonly serial: number,
    readonly kind: Kind,
    readonly name: string,
  ) {}

  get reset(): boolean {
    return this.resetCode !== NOT_RESET;
  }

  get txOver(): boolean {
    return this.txEnd > 0 && this.txAcked === this.txEnd;
  }

  get rxOver(): boolean {
    return this.rxEnd > 0 && this.rxAck === this.rxEnd;
  }

  /** Bytes given to the application and not accepted yet. */
  get unaccepted(): number {
    const last = this.rxEnd > 0 ? this.rxEnd - 1 : this.rx;
    return last - Math.min(this.rxAck, last);
  }

  /** Accepts a FIN behind the last byte by itself, SPEC 9 "Closing". */
  acceptFin(gateway: boolean): void {
    const ready = this.rxEnd > 0 && this.rxAck === this.rxEnd - 1;
    // A gateway's first ACK says that the upstream is connected, so it waits for that.
    if (!ready || (gateway && !this.connected)) return;
    this.rxAck = this.rxEnd;
    this.ackDue = AckDue.Now;
  }

  /** Early data may have reached the gateway, up to `end`. */
  mayHaveSent(end: number, fin: boolean): void {
    this.sent = true;
    this.openDue = false;
    this.txHigh = Math.max(this.txHigh, end);
    if (fin) this.txEnd = end;
  }

  /** Nothing of it ever left: it starts over under a new session. */
  startOver(): void {
    this.sent = false;
    this.tx = 0;
    this.txHigh = 0;
    this.txEnd = 0;
  }

  /** The link is gone: what it knew is void. */
  leaveLink(): void {
    this.txAt = NOWHERE;
    this.rxAt = NOWHERE;
    this.named = false;
    this.streamDue = false;
    this.ackDue = AckDue.No;
    this.ackTold = 0;
    this.resetDue = this.reset && !this.done;
  }

  hash(into: StateHash): void {
    into.add(this.id, this.serial, this.kind, this.name, this.tx, this.txHigh, this.txAcked, this.txEnd);
    into.add(this.rx, this.rxAck, this.rxEnd, this.txAt, this.rxAt, this.ackTold, this.ackDue, this.openDue);
    into.add(
      this.streamDue,
      this.resetDue,
      this.named,
      this.sent,
      this.known,
      this.connected,
      this.resetCode,
      this.done,
    );
    into.add(this.early?.fate, this.early?.end);
  }
}
