/**
 * State of one stream (SPEC 9, "Offsets"), as csrc/include/hawser/hawser.h has it. Offsets count bytes of a direction, a
 * FIN counts one more.
 */

import { Kind } from '../../engine.js';
import type { StateHash } from './crypto.js';
import { Flags } from './flags.js';

/** rxAt: the peer has not said on this link where it goes on. */
export const NOWHERE = Infinity;

/** What is due goes out with the next send(), events come out of the next call that gives some. */
export const St = {
  Used: 1 << 0,
  /** Gateway: ended, but remembered until a higher serial comes. */
  Done: 1 << 1,
  /** With Done: by the gateway's RESET; device: it has sent one and waits for the answer. */
  Reset: 1 << 2,
  /** The upstream is connected. */
  Opened: 1 << 3,
  /** Device: the gateway is known to have the stream. */
  Known: 1 << 4,
  /** Device: OPEN was sent under the session's name. */
  Sent: 1 << 5,
  /** The peer has named it on this link. */
  Named: 1 << 6,
  /** Device: what was in flight is unknown: the gateway's STREAM says where to go on. */
  Held: 1 << 7,
  /** Device: early data without a verdict, not idempotent. */
  Doubt: 1 << 8,
  OpenDue: 1 << 9,
  StreamDue: 1 << 10,
  AckDue: 1 << 11,
  ResetDue: 1 << 12,
  EvOpened: 1 << 13,
  EvAcked: 1 << 14,
  EvRewind: 1 << 15,
  EvFin: 1 << 16,
  EvClosed: 1 << 17,
  /** With Done: by the device's RESET, which was answered. */
  Answered: 1 << 18,
  /** Gateway: an ACK has said that the upstream is connected. */
  Told: 1 << 19,
  /** Device: named in this resynchronisation, so the gateway must name it too. */
  Asked: 1 << 20,
} as const;
export const ST_DUE = St.OpenDue | St.StreamDue | St.AckDue | St.ResetDue;
export const ST_EVENTS = St.EvOpened | St.EvAcked | St.EvRewind | St.EvFin | St.EvClosed;

/** A RESET that waits to be sent, for a serial that no stream has (any more). */
export interface Owed {
  id: number;
  serial: number;
  code: number;
}

export class Stream extends Flags {
  /** Next to send, acknowledged; final offset + 1 once FIN was sent (else 0). */
  tx = 0;
  txAcked = 0;
  txEnd = 0;
  /** Device: the highest tx of links before this one. */
  txHigh = 0;
  /** Received, accepted by the application, last offset told to the peer; final offset + 1 once FIN was received. */
  rx = 0;
  rxAcked = 0;
  rxSent = 0;
  rxEnd = 0;
  /** Where the next DATA on this link goes. */
  rxAt = 0;
  serial = 0;
  code = 0;
  kind: Kind = Kind.Stream;
  /** Device. */
  name = '';
  /** Of this id where there is room, else of any. */
  owed: Owed | undefined;

  constructor(readonly id: number) {
    super();
  }

  /** Takes part in the exchange of frames: used, and neither reset nor about to be reported closed. */
  get open(): boolean {
    return (this.flags & (St.Used | St.Reset | St.EvClosed)) === St.Used;
  }

  get txOver(): boolean {
    return this.txEnd !== 0 && this.txAcked === this.txEnd;
  }

  /** FIN and all before it was accepted; the peer may not have been told. */
  get rxOver(): boolean {
    return this.rxEnd !== 0 && this.rxAcked === this.rxEnd;
  }

  /** The id begins anew. What is owed stays: it goes out before anything of the new stream. */
  begin(serial: number, kind: Kind, name: string, flags: number): void {
    const { owed } = this;
    Object.assign(this, new Stream(this.id));
    this.owed = owed;
    this.serial = serial;
    this.kind = kind;
    this.name = name;
    this.flags = flags;
  }

  hash(into: StateHash): void {
    const { owed } = this;
    into.add(this.id, this.serial, this.kind, this.name, this.flags, this.code, owed?.id, owed?.serial, owed?.code);
    into.add(this.tx, this.txAcked, this.txEnd, this.txHigh, this.rx, this.rxAcked, this.rxSent, this.rxEnd, this.rxAt);
  }
}
