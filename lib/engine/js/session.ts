/**
 * The four verbs over one channel and, while there is one, one link: what device and gateway have in common.
 */

import { Code, Kind, type CoreEvent, type SessionCore } from '../../engine.js';
import { HawserError } from '../../errors.js';
import { Channel } from './channel.js';
import { SF_EVENTS, SF_LINK, Sf } from './control.js';
import { StateHash, wipe } from './crypto.js';
import { dataHead } from './frames.js';
import type { Pairing } from './pairing.js';
import { Deframer, type Link, type Unit } from './record.js';
import { St, type Stream } from './stream.js';
import {
  argument,
  concat,
  copy,
  DATA_OVERHEAD,
  DEAD_MS,
  fail,
  FIRST_RECORD_MAX,
  Frame,
  isZero,
  NO_NAME,
  PING_MS,
  RECORD_MAX,
} from './wire.js';

export interface SessionSettings {
  gateway: boolean;
  streams: number;
  keylog: boolean;
}

type Piece = { bytes: Uint8Array; fin: boolean };
type Written = { taken: number; finTaken: boolean; out?: Uint8Array };

export class Session implements SessionCore {
  protected readonly channel: Channel;
  protected link: Link | undefined;
  protected deframer: Deframer | undefined;
  /** The last genuine record, or the begin of a wait, if that was later. */
  #quiet = 0;
  /** Framed handshake messages of a serial line, for a new Accept. */
  #handshakes: Uint8Array[] = [];
  #wiped = false;

  constructor(
    protected readonly pairing: Pairing,
    protected readonly settings: SessionSettings,
  ) {
    const { windowDevice, windowGateway } = pairing;
    const { gateway, streams } = settings;
    this.channel = new Channel({
      gateway,
      streams,
      windowTx: gateway ? windowDevice : windowGateway,
      windowRx: gateway ? windowGateway : windowDevice,
    });
  }

  get live(): boolean {
    return this.link !== undefined;
  }

  get name(): Uint8Array {
    return copy(this.channel.name);
  }

  // ---- Bytes in ----------------------------------------------------------------------------------------

  receive(chunk: Uint8Array, now: number): CoreEvent[] {
    this.usable();
    const events = this.drain();
    if (!this.receives && chunk.length > 0 && events.length === 0) throw fail('STATE', 'receive: there is no link');
    let at = 0;
    while (this.receives && this.deframer) {
      const tooEarly = at < chunk.length ? this.tooEarly() : undefined;
      if (tooEarly) return withDrop(events, tooEarly);
      const { unit, next } = this.deframer.take(chunk, at);
      at = next;
      if (!unit) break;
      const error = this.#tryToTake(unit, now);
      events.push(...this.drain());
      if (error) return withDrop(events, error);
      if (events.at(-1)?.type === 'drop') break;
    }
    return events;
  }

  /** Bytes may come: a link is up, or about to be. */
  protected get receives(): boolean {
    return this.link !== undefined;
  }

  /** No byte may come now. */
  protected tooEarly(): HawserError | undefined {
    return undefined;
  }

  /** A crypto call that fails ends the link, like bytes that are wrong: nothing thrown leaves receive(). */
  #tryToTake(unit: Unit, now: number): HawserError | undefined {
    try {
      return this.take(unit, now);
    } catch (cause) {
      if (cause instanceof HawserError) return cause;
      return new HawserError('ERR_HAWSER_CRYPTO', 'a crypto call failed', { cause });
    }
  }

  /** One message or record. An error: the link must be dropped. */
  protected take(unit: Unit, now: number): HawserError | undefined {
    if (unit.kind === 'bad') return fail('FORMAT', 'bytes that are neither a record nor a message in its place');
    if (unit.kind === 'record') return this.#takeRecord(unit, now);
    // Only a serial line lets a message through here (SPEC 8: a device ignores it).
    if (this.settings.gateway) this.#handshakes.push(unit.raw);
    return undefined;
  }

  #takeRecord(unit: Unit, now: number): HawserError | undefined {
    const plaintext = this.link?.open(unit.bytes);
    if (!plaintext) {
      // On a serial line a gateway waits for the next frame; a device resumes, since its counters are apart.
      const skip = this.settings.gateway && this.channel.serialLine;
      return skip ? undefined : fail('AUTH', 'a record is not genuine');
    }
    this.heard(now);
    this.channel.feed(plaintext);
    return undefined;
  }

  /** A record was genuine. */
  protected heard(now: number): void {
    this.#quiet = now;
    this.channel.clear(Sf.EvDead | Sf.Dead);
    this.note(now);
  }

  /** The session has broken a rule: no later link continues it. */
  #forget(): void {
    this.dropLink();
    this.channel.end(Code.Violation);
    this.channel.name = NO_NAME;
    this.channel.set(Sf.Closed);
  }

  // ---- Events ------------------------------------------------------------------------------------------

  /** Everything that is to be told. After a violation the streams' ends still follow, and the drop comes last. */
  protected drain(): CoreEvent[] {
    const events: CoreEvent[] = [];
    let error: HawserError | undefined;
    for (;;) {
      try {
        const event = this.next();
        if (!event) break;
        events.push(event);
      } catch (cause) {
        error = cause as HawserError;
        this.#forget();
      }
    }
    return withDrop(events, error);
  }

  protected next(): CoreEvent | undefined {
    const { channel } = this;
    if (channel.take(Sf.EvLive)) return { type: 'live', continued: channel.has(Sf.Continued) };
    const message = this.#handshakes.shift();
    if (message) return { type: 'handshake', message };
    const event = channel.next() ?? this.#lastEvent();
    if (!this.#waits()) channel.clear(Sf.Waiting); // a wait begins with the next call that knows the time
    return event;
  }

  /** Comes after what streams say. */
  #lastEvent(): CoreEvent | undefined {
    const { channel } = this;
    if (channel.take(Sf.EvPong)) return { type: 'pong' };
    if (channel.take(Sf.EvClose)) return { type: 'close', code: channel.code as Code };
    return channel.take(Sf.EvDead) ? { type: 'dead' } : undefined;
  }

  protected get hasEvents(): boolean {
    return this.channel.has(SF_EVENTS) || this.channel.unread || this.#handshakes.length > 0;
  }

  // ---- Bytes out ---------------------------------------------------------------------------------------

  send(now: number): Uint8Array | undefined {
    this.usable();
    const out = this.#control(now);
    return out.length > 0 ? joined(out) : undefined;
  }

  /** All records of control frames that are due. */
  #control(now: number): Uint8Array[] {
    const out: Uint8Array[] = [];
    while (this.link && this.#controlDue(now)) {
      if (this.link.exhausted && out.length > 0) break; // what was sealed must be sent: the next call says so
      this.#checkCounter(this.link);
      this.note(now);
      const frames = this.channel.record(this.#recordMax());
      this.note(now);
      out.push(this.#seal(...frames));
    }
    return out;
  }

  #controlDue(now: number): boolean {
    const due = Sf.StateDue | Sf.StatusDue | Sf.FirstDue | Sf.PingDue | Sf.PongDue | Sf.CloseDue;
    return this.channel.has(due) || (this.channel.speaks && this.channel.due(now));
  }

  #checkCounter(link: Link): void {
    if (link.exhausted) throw fail('EXHAUSTED', 'the record counter is at its end: connect again');
  }

  /** Whatever goes wrong here, no frame is lost silently: the link goes down and is resumed. */
  #seal(...parts: Uint8Array[]): Uint8Array {
    const link = this.link as Link;
    try {
      const record = link.seal(concat(...parts));
      this.channel.clear(Sf.FirstDue);
      return record;
    } catch (error) {
      this.dropLink();
      this.channel.set(Sf.EvDead);
      throw error;
    }
  }

  write(id: number, data: Uint8Array, fin: boolean, now: number): Written {
    this.usable();
    const stream = this.#writable(id);
    argument(stream.kind === Kind.Stream, `stream ${id}: of the other kind`);
    const out = this.#control(now);
    let taken = 0;
    let finTaken = false;
    while (taken < data.length || (fin && !finTaken)) {
      const ended = stream.txEnd !== 0 && !this.#held(stream);
      if (ended && taken < data.length && out.length === 0) throw fail('CLOSED', `stream ${id}: FIN was sent already`);
      if (ended) finTaken = taken === data.length && fin;
      const piece = ended ? undefined : this.#piece(stream, data.subarray(taken), fin, out.length > 0);
      if (!piece) break;
      out.push(this.#seal(dataHead(piece.fin ? Frame.Fin : Frame.Data, id), piece.bytes));
      this.channel.advance(stream, piece.bytes.length, piece.fin);
      this.note(now);
      taken += piece.bytes.length;
      finTaken = piece.fin;
    }
    return out.length > 0 ? { taken, finTaken, out: joined(out) } : { taken, finTaken };
  }

  #writable(id: number): Stream {
    const stream = this.channel.theStream(id);
    if (this.channel.has(Sf.Closed)) throw fail('CLOSED', 'the session has ended');
    return stream;
  }

  /** FIN may have been said: the peer's STREAM settles it. */
  #held(stream: Stream): boolean {
    return stream.has(St.Held);
  }

  /** What the next record takes of the bytes. Where some were sealed already an error waits for the next call. */
  #piece(stream: Stream, data: Uint8Array, fin: boolean, sealed: boolean): Piece | undefined {
    if (!this.link || !this.channel.maySend(stream)) return undefined;
    const length = Math.min(data.length, this.#recordMax() - DATA_OVERHEAD, this.channel.window(stream));
    const ends = fin && length === data.length;
    if (length === 0 && !ends) return undefined;
    if (this.link.exhausted && sealed) return undefined;
    this.#checkCounter(this.link);
    return { bytes: data.subarray(0, length), fin: ends };
  }

  message(id: number, data: Uint8Array, now: number): Uint8Array | undefined {
    this.usable();
    const stream = this.#writable(id);
    argument(stream.kind === Kind.Messages, `stream ${id}: of the other kind`);
    const most = this.settings.gateway ? this.pairing.recordMax : RECORD_MAX;
    if (data.length > most - DATA_OVERHEAD) throw fail('LIMIT', 'message: longer than a record');
    const first = this.#message(stream, data, now, false);
    if (first) return first;
    const out = this.#control(now); // what it waits for
    const last = out.length > 0 ? this.#message(stream, data, now, true) : undefined;
    if (last) out.push(last);
    return out.length > 0 ? joined(out) : undefined;
  }

  /** One record, unless something has to go before it. Where something was sealed already an error waits for the next call. */
  #message(stream: Stream, data: Uint8Array, now: number, sealed: boolean): Uint8Array | undefined {
    if (!this.link || !this.channel.maySend(stream) || data.length > this.#recordMax() - DATA_OVERHEAD)
      return undefined;
    if (this.link.exhausted && sealed) return undefined;
    this.#checkCounter(this.link);
    const record = this.#seal(dataHead(Frame.Msg, stream.id), data);
    this.note(now);
    return record;
  }

  #recordMax(): number {
    if (this.settings.gateway) return this.pairing.recordMax;
    return this.link?.fresh ? FIRST_RECORD_MAX : RECORD_MAX;
  }

  // ---- Time --------------------------------------------------------------------------------------------

  #waits(): boolean {
    const { channel } = this;
    return this.live && (channel.has(Sf.PingOut | Sf.SyncWait | Sf.StatusWait) || channel.streamsWait);
  }

  /** Records or control frames were exchanged: is an answer still awaited? */
  protected note(now: number): void {
    const { channel } = this;
    const before = channel.has(Sf.Waiting);
    const after = this.#waits();
    if (now < channel.now) {
      // A clock that went back: nothing waits until it is there again.
      this.#quiet = now;
      channel.pingMs = now;
      if (channel.ackMs !== Infinity) channel.ackMs = now;
    }
    channel.now = now;
    if (after && !before) this.#quiet = now;
    if (after) channel.set(Sf.Waiting);
    else channel.clear(Sf.Waiting);
  }

  /** SPEC 9, liveness: since the last valid record, or since this end began to wait. */
  #deadAt(): number {
    return this.channel.has(Sf.Dead) ? Infinity : this.#quiet + DEAD_MS;
  }

  /**
   * Every so often while nothing is heard. A gateway at a serial line goes on with it on a dead link: nothing else tells a
   * device that only listens that a record was lost on the way to it.
   */
  #pingAt(): number {
    const endless = this.settings.gateway && this.channel.serialLine;
    if ((this.channel.has(Sf.Dead) && !endless) || this.channel.has(Sf.PingDue)) return Infinity;
    return Math.max(this.#quiet, this.channel.pingMs) + PING_MS;
  }

  deadline(): number {
    this.usable();
    if (this.hasEvents || this.#atItsEnd) return this.channel.now;
    const ackAt = this.channel.speaks ? this.channel.ackMs : Infinity;
    const waiting = this.live && this.channel.has(Sf.Waiting);
    return waiting ? Math.min(ackAt, this.#deadAt(), this.#pingAt()) : ackAt;
  }

  timeout(now: number): CoreEvent[] {
    this.usable();
    this.onTime(now);
    return this.drain();
  }

  /** The record counter is used up, and nobody has been told. */
  get #atItsEnd(): boolean {
    return this.link?.exhausted === true && !this.channel.has(Sf.Dead);
  }

  protected onTime(now: number): void {
    this.note(now);
    if (this.#atItsEnd) this.channel.set(Sf.EvDead | Sf.Dead);
    if (!this.live || !this.channel.has(Sf.Waiting)) return;
    if (now >= this.#pingAt()) this.channel.set(Sf.PingDue);
    if (now >= this.#deadAt()) this.channel.set(Sf.EvDead | Sf.Dead);
  }

  // ---- Streams and session -----------------------------------------------------------------------------

  window(id: number): number {
    this.usable();
    const stream = this.#writable(id);
    if (stream.kind !== Kind.Stream || stream.txEnd !== 0 || !this.channel.speaks || this.#held(stream)) return 0;
    return this.channel.window(stream);
  }

  consume(id: number, bytes: number): void {
    this.usable();
    this.channel.consume(id, bytes);
  }

  reset(id: number, code: Code): void {
    this.usable();
    argument(Number.isInteger(code) && code >= 0 && code <= 255, 'code: must be a byte');
    this.channel.reset(id, code);
  }

  ping(now: number): void {
    this.usable();
    if (!this.link) throw fail('STATE', 'there is no link');
    this.note(now);
    this.channel.set(Sf.PingDue | Sf.PingApp);
  }

  close(code: Code): void {
    this.usable();
    argument(Number.isInteger(code) && code >= 0 && code <= 255, 'code: must be a byte');
    if (this.channel.has(Sf.Closed)) throw fail('CLOSED', 'the session has ended');
    this.channel.end(code);
    this.channel.name = NO_NAME;
    this.channel.code = code;
    this.channel.set(Sf.Closed | (this.live ? Sf.CloseDue : 0));
  }

  // ---- Link --------------------------------------------------------------------------------------------

  /** The caller then says whether it continues the session. */
  protected linkUp(link: Link, deframer: Deframer, now: number): void {
    this.link = link;
    this.deframer = deframer;
    this.channel.up(now);
    this.channel.line = deframer.transport;
    this.#quiet = now;
  }

  linkDown(): void {
    this.usable();
    this.dropLink();
  }

  /** Wipes the keys, keeps the streams. What was to be said about the link that is gone must not hit the next one. */
  protected dropLink(): void {
    this.link?.wipe();
    this.link = undefined;
    this.deframer = undefined;
    this.#handshakes = [];
    this.channel.clear(SF_LINK | Sf.EvDead | Sf.EvLive);
    this.channel.line = undefined;
    this.channel.down();
  }

  keys(): { d2g: Uint8Array; g2d: Uint8Array } | undefined {
    this.usable();
    return this.settings.keylog ? this.link?.keys() : undefined;
  }

  /** Throws ERR_HAWSER_STATE after wipe(). */
  protected usable(): void {
    if (this.#wiped) throw fail('STATE', 'the session was wiped');
  }

  wipe(): void {
    this.#wiped = true;
    this.dropLink();
    this.channel.slots.length = 0;
    this.channel.flags = 0;
    wipe(isZero(this.channel.name) ? undefined : this.channel.name);
    this.channel.name = NO_NAME;
  }

  digest(): Uint8Array {
    this.usable();
    const into = new StateHash();
    this.hash(into);
    return into.digest();
  }

  protected hash(into: StateHash): void {
    into.add(this.settings.gateway, this.#quiet, this.link !== undefined, this.#handshakes.length);
    this.link?.hash(into);
    this.deframer?.hash(into);
    this.channel.hash(into);
  }
}

const joined = (records: Uint8Array[]): Uint8Array =>
  records.length === 1 ? (records[0] as Uint8Array) : concat(...records);

function withDrop(events: CoreEvent[], error: HawserError | undefined): CoreEvent[] {
  return error ? [...events, { type: 'drop', error }] : events;
}
