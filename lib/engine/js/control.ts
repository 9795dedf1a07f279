/**
 * The frames of SPEC 9 that are the session's own: STATE, STATUS, PING, PONG, CLOSE. Mirrors csrc/src/control.c.
 */

import { Transport } from '../../engine.js';
import type { StateHash } from './crypto.js';
import { Flags } from './flags.js';
import { closeFrame, pingFrame, pongFrame, stateFrame, statusFrame, violation } from './frames.js';
import { Frame, NO_NAME, type Reader, U32_MAX } from './wire.js';

/** Of a session. */
export const Sf = {
  /** Device: STATE opens its first record. Gateway: STATUS does. */
  StateDue: 1 << 0,
  StatusDue: 1 << 1,
  /** Device: a first record is owed, be it empty. */
  FirstDue: 1 << 2,
  /** Device: STATUS must come first. */
  StatusWait: 1 << 3,
  /** Device: says nothing of streams before STATUS. */
  Hold: 1 << 4,
  /** SYNCED follows the streams. */
  SyncDue: 1 << 5,
  /** The peer's SYNCED is awaited. */
  SyncWait: 1 << 6,
  PingDue: 1 << 7,
  /** Sent, not answered. */
  PingOut: 1 << 8,
  /** The application wants to hear of the answer. */
  PingApp: 1 << 9,
  PongDue: 1 << 10,
  CloseDue: 1 << 11,
  Closed: 1 << 12,
  Continued: 1 << 13,
  /** An acknowledgement or a PONG is awaited. */
  Waiting: 1 << 14,
  /** Some stream has an event. */
  Events: 1 << 15,
  EvLive: 1 << 16,
  EvPong: 1 << 17,
  EvClose: 1 << 18,
  EvDead: 1 << 19,
  /** EvDead was said. */
  Dead: 1 << 20,
} as const;
export const SF_LINK =
  Sf.StateDue | Sf.StatusDue | Sf.FirstDue | Sf.StatusWait | Sf.Hold | Sf.SyncDue | Sf.SyncWait | Sf.PingDue |
  Sf.PingOut | Sf.PingApp | Sf.PongDue | Sf.CloseDue | Sf.Waiting | Sf.Dead; // prettier-ignore
export const SF_EVENTS = Sf.Events | Sf.EvLive | Sf.EvPong | Sf.EvClose | Sf.EvDead;
const SF_CONTROL = Sf.StateDue | Sf.StatusDue | Sf.PongDue | Sf.PingDue | Sf.CloseDue;

export abstract class Control extends Flags {
  name: Uint8Array = NO_NAME;
  /** The name of the session should it be NEW. */
  nextName: Uint8Array = NO_NAME;
  /** Why the session was closed. */
  code = 0;
  /** The transport of the link that is up. */
  line: Transport | undefined;
  now = 0;
  /** When the last PING went out. */
  pingMs = 0;
  #ping = 0;
  /** The PING of this link that was answered last. */
  #pong = 0;

  constructor(readonly gateway: boolean) {
    super();
  }

  abstract linkContinues(): void;
  abstract linkRenews(): void;
  abstract end(code: number): void;

  get serialLine(): boolean {
    return this.line === Transport.Serial;
  }

  /** Those that are due, in the order in which they must go: RECORD_MIN holds all of them. */
  protected controlFrames(): Uint8Array[] {
    const out: Uint8Array[] = [];
    // SPEC 6: 0^8 where nothing is to be continued, and then the session has its new name already.
    if (this.has(Sf.StateDue)) out.push(stateFrame(this.has(Sf.Hold) ? this.name : NO_NAME));
    if (this.has(Sf.StatusDue)) out.push(statusFrame(this.has(Sf.Continued)));
    if (this.has(Sf.PongDue)) out.push(pongFrame(this.#pong));
    if (this.has(Sf.PingDue)) out.push(this.#pingFrame());
    if (this.has(Sf.CloseDue)) out.push(closeFrame(this.code));
    this.clear(SF_CONTROL);
    return out;
  }

  #pingFrame(): Uint8Array {
    if (!this.has(Sf.PingOut)) this.#ping = (this.#ping + 1) % (U32_MAX + 1); // the same until it is answered
    this.set(Sf.PingOut);
    this.pingMs = this.now;
    return pingFrame(this.#ping);
  }

  /** One that came. Throws ERR_HAWSER_PEER. */
  protected controlFrame(code: number, reader: Reader): void {
    switch (code) {
      case Frame.Status:
        return this.#onStatus(reader.u8(), reader.ok);
      case Frame.Ping:
        return this.#onPing(reader.u32(), reader.ok);
      case Frame.Pong:
        return this.#onPong(reader.u32(), reader.ok);
      case Frame.Close:
        return this.#onClose(reader.u8(), reader);
      default:
        throw violation(`frame 0x${code.toString(16)} is unknown or has no place here`);
    }
  }

  #onStatus(status: number, ok: boolean): void {
    const named = this.has(Sf.Hold);
    if (!ok || !this.has(Sf.StatusWait) || status > 1 || (status === 1 && !named)) throw violation('STATUS');
    this.clear(Sf.StatusWait | Sf.Hold);
    if (!named) return; // there was nothing to continue: the session is live as a new one already
    if (status === 1) this.linkContinues();
    else this.linkRenews();
  }

  /** At a serial line a PING that was answered already says that the answer was lost: the gateway can read nothing any more. */
  #onPing(value: number, ok: boolean): void {
    if (!ok) throw violation('a frame is cut short');
    if (!this.gateway && this.serialLine && value === this.#pong) this.set(Sf.EvDead | Sf.Dead);
    this.#pong = value;
    this.set(Sf.PongDue);
  }

  #onPong(value: number, ok: boolean): void {
    if (!ok) throw violation('a frame is cut short');
    if (!this.has(Sf.PingOut) || value !== this.#ping) return;
    this.clear(Sf.PingOut);
    if (this.take(Sf.PingApp)) this.set(Sf.EvPong);
  }

  #onClose(code: number, reader: Reader): void {
    if (!reader.ok) throw violation('a frame is cut short');
    this.end(code);
    this.name = NO_NAME;
    this.code = code;
    this.set(Sf.EvClose | Sf.Closed);
    reader.rest(); // nothing counts after it
  }

  /** A link is up: a peer counts its PINGs from 1. */
  protected controlUp(now: number): void {
    this.flags &= Sf.Events;
    this.pingMs = 0;
    this.#pong = 0;
    this.now = now;
  }

  protected hashControl(into: StateHash): void {
    into.add(this.flags, this.name, this.nextName, this.code, this.line, this.now, this.pingMs, this.#ping, this.#pong);
  }
}
