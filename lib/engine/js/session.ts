/**
 * The four verbs over one channel and, while there is one, one link: what device and gateway have in common.
 */

import { Code, Kind, Transport, type CoreEvent, type SessionCore } from '../../engine.js';
import { HawserError } from '../../errors.js';
import { Channel } from './channel.js';
import { StateHash, wipe } from './crypto.js';
import { dataHead } from './frames.js';
import type { Pairing } from './pairing.js';
import { Deframer, type Link, type Unit } from './record.js';
import type { Stream } from './stream.js';
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

type Written = { taken: number; finTaken: boolean; out?: Uint8Array };
const NOTHING: Written = { taken: 0, finTaken: false };

export class Session implements SessionCore {
  protected readonly channel: Channel;
  protected link: Link | undefined;
  protected deframer: Deframer | undefined;
  protected sessionName = NO_NAME;
  /** The caller's clock at the last call that told it. */
  protected now = 0;
  /** The first record goes out even if it is empty: it confirms the link. */
  protected firstDue = false;
  #heard = 0;
  #waitSince: number | undefined;
  /** When the last PING of this silence went out. */
  #pingedAt: number | undefined;
  #deadTold = false;
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
    return copy(this.sessionName);
  }

  // ---- Bytes in ----------------------------------------------------------------------------------------

  receive(chunk: Uint8Array, now: number): CoreEvent[] {
    this.usable();
    let at = 0;
    while (this.deframer) {
      const { unit, next } = this.deframer.take(chunk, at);
      at = next;
      if (!unit) break;
      const error = this.#tryToTake(unit, now);
      if (error) return [...this.flush(), { type: 'drop', error }];
    }
    return this.flush();
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
    if (this.settings.gateway) this.channel.events.push({ type: 'handshake', message: unit.raw });
    return undefined;
  }

  #takeRecord(unit: Unit, now: number): HawserError | undefined {
    const plaintext = this.link?.open(unit.bytes);
    if (!plaintext) {
      // On a serial line a gateway waits for the next frame; a device resumes, since its counters are apart.
      const skip = this.settings.gateway && this.deframer?.transport === Transport.Serial;
      return skip ? undefined : fail('AUTH', 'a record is not genuine');
    }
    return this.takePlaintext(plaintext, now);
  }

  /** A record was genuine. */
  protected takePlaintext(plaintext: Uint8Array, now: number): HawserError | undefined {
    this.heard(now);
    try {
      this.channel.receive(plaintext);
    } catch (error) {
      this.#forget(Code.Violation);
      return error as HawserError;
    }
    if (this.channel.ended) this.sessionName = NO_NAME;
    this.#watch(now);
    return undefined;
  }

  protected heard(now: number): void {
    this.now = now;
    this.#heard = now;
    this.#pingedAt = undefined;
  }

  #forget(code: Code): void {
    this.channel.forget(code);
    this.sessionName = NO_NAME;
    this.dropLink();
  }

  /** Events that wait to be returned. */
  protected flush(): CoreEvent[] {
    const events = this.channel.events;
    this.channel.events = [];
    return events;
  }

  // ---- Bytes out ---------------------------------------------------------------------------------------

  send(now: number): Uint8Array | undefined {
    this.usable();
    if (!this.link || !(this.channel.due || this.firstDue)) return undefined;
    this.#tick(now);
    return this.#transmit((out) => out.control());
  }

  write(id: number, data: Uint8Array, fin: boolean, now: number): Written {
    this.usable();
    const stream = this.channel.stream(id, Kind.Stream);
    this.#checkEnd(stream, data.length, fin);
    if (!this.link || this.channel.phase !== 'open' || this.channel.ended) return NOTHING;
    if (stream.txEnd > 0 && stream.tx === stream.txEnd) return { taken: 0, finTaken: fin };
    const taken = Math.min(data.length, this.channel.window(stream));
    const finTaken = fin && taken === data.length;
    if (taken === 0 && !finTaken) return NOTHING;
    this.#tick(now);
    const out = this.#transmit((records) => {
      records.control();
      records.stream(stream, data.subarray(0, taken), finTaken);
    });
    return { taken, finTaken, out };
  }

  /** Bytes that were written behind a rewind must be those that were there before. */
  #checkEnd(stream: Stream, length: number, fin: boolean): void {
    if (stream.txEnd === 0) return;
    const left = Math.max(0, stream.txEnd - 1 - stream.tx);
    argument(length <= left && !(fin && length < left), `stream ${stream.id}: its end was sent already`);
  }

  message(id: number, data: Uint8Array, now: number): Uint8Array | undefined {
    this.usable();
    this.channel.stream(id, Kind.Messages);
    if (data.length > this.#recordMax() - DATA_OVERHEAD) throw fail('LIMIT', 'message: longer than a record');
    if (!this.link || this.channel.phase !== 'open' || this.channel.ended) return undefined;
    this.#tick(now);
    return this.#transmit((records) => {
      records.control();
      records.last(dataHead(Frame.Msg, id), data);
    });
  }

  #recordMax(): number {
    if (this.settings.gateway) return this.pairing.recordMax;
    return !this.link || this.link.fresh ? FIRST_RECORD_MAX : RECORD_MAX;
  }

  /** Makes records. Whatever goes wrong on the way, no frame is lost silently: the link goes down and is resumed. */
  #transmit(fill: (records: RecordMaker) => void): Uint8Array {
    const link = this.link as Link;
    if (link.exhausted) throw fail('EXHAUSTED', 'the record counter is at its end: connect again');
    const records = new RecordMaker(link, this.channel, () => this.#recordMax());
    try {
      fill(records);
      const out = records.done(this.firstDue);
      this.firstDue = false;
      this.#watch(this.now);
      return out;
    } catch (error) {
      this.dropLink();
      this.channel.events.push({ type: 'dead' });
      throw error;
    }
  }

  // ---- Time --------------------------------------------------------------------------------------------

  /** A clock that went back must not let the session sleep. */
  #tick(now: number): void {
    this.now = now;
    this.#heard = Math.min(this.#heard, now);
    if (this.#waitSince !== undefined) this.#waitSince = Math.min(this.#waitSince, now);
    if (this.#pingedAt !== undefined) this.#pingedAt = Math.min(this.#pingedAt, now);
    if (this.channel.ackAt < Infinity) this.channel.ackAt = Math.min(this.channel.ackAt, now + PING_MS);
  }

  #watch(now: number): void {
    if (!this.channel.waiting) this.#waitSince = undefined;
    else this.#waitSince ??= now;
  }

  /** Since when silence counts, or undefined: it does not. */
  #silentSince(): number | undefined {
    return this.#waitSince === undefined ? undefined : Math.max(this.#waitSince, this.#heard);
  }

  deadline(): number {
    this.usable();
    if (this.channel.events.length > 0) return this.now;
    if (!this.link) return Infinity;
    if (this.link.exhausted) return this.#deadTold ? Infinity : this.now;
    const since = this.#silentSince();
    if (since === undefined) return this.channel.ackAt;
    const dead = this.#deadTold ? Infinity : since + DEAD_MS;
    return Math.min(this.channel.ackAt, dead, this.#pingAt(since));
  }

  /**
   * The next PING of a silence. A gateway at a serial line never stops: nothing else tells a device that only listens
   * that a record was lost on the way to it.
   */
  #pingAt(since: number): number {
    const endless = this.settings.gateway && this.deframer?.transport === Transport.Serial;
    return this.#deadTold && !endless ? Infinity : (this.#pingedAt ?? since) + PING_MS;
  }

  timeout(now: number): CoreEvent[] {
    this.usable();
    this.#tick(now);
    if (this.link) this.#linkTimeout(now);
    return this.flush();
  }

  #linkTimeout(now: number): void {
    if (now >= this.channel.ackAt) this.channel.acksAreDue();
    const since = this.#silentSince();
    const dead = this.link?.exhausted === true || (since !== undefined && now >= since + DEAD_MS);
    if (dead && !this.#deadTold) {
      this.#deadTold = true;
      this.channel.events.push({ type: 'dead' });
    }
    if (since !== undefined && now >= this.#pingAt(since)) {
      this.#pingedAt = now;
      this.channel.ping(false);
    }
  }

  // ---- Streams and session -----------------------------------------------------------------------------

  window(id: number): number {
    this.usable();
    const stream = this.channel.stream(id, Kind.Stream);
    return this.link ? this.channel.window(stream) : 0;
  }

  consume(id: number, bytes: number): void {
    this.usable();
    this.channel.consume(id, bytes, this.now);
  }

  reset(id: number, code: Code): void {
    this.usable();
    argument(Number.isInteger(code) && code >= 0 && code <= 255, 'code: must be a byte');
    this.channel.reset(id, code);
    this.#watch(this.now);
  }

  ping(now: number): void {
    this.usable();
    if (!this.link) throw fail('STATE', 'there is no link');
    this.#tick(now);
    this.channel.ping(true);
    this.#watch(now);
  }

  close(code: Code): void {
    this.usable();
    argument(Number.isInteger(code) && code >= 0 && code <= 255, 'code: must be a byte');
    this.channel.close(code);
    this.sessionName = NO_NAME;
  }

  // ---- Link --------------------------------------------------------------------------------------------

  protected linkUp(link: Link, deframer: Deframer, now: number): void {
    this.link = link;
    this.deframer = deframer;
    this.channel.lossy = deframer.transport === Transport.Serial;
    this.heard(now);
  }

  protected watch(now: number): void {
    this.#watch(now);
  }

  linkDown(): void {
    this.usable();
    this.dropLink();
  }

  /** Wipes the keys, keeps the streams. */
  protected dropLink(): void {
    this.link?.wipe();
    this.link = undefined;
    this.deframer = undefined;
    this.firstDue = false;
    this.#waitSince = undefined;
    this.#pingedAt = undefined;
    this.#deadTold = false;
    this.channel.linkDown();
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
    this.channel.streams.clear();
    this.channel.events = [];
    wipe(isZero(this.sessionName) ? undefined : this.sessionName);
    this.sessionName = NO_NAME;
  }

  digest(): Uint8Array {
    this.usable();
    const into = new StateHash();
    this.hash(into);
    return into.digest();
  }

  protected hash(into: StateHash): void {
    into.add(this.settings.gateway, this.sessionName, this.now, this.firstDue, this.#heard, this.#waitSince);
    into.add(this.#pingedAt, this.#deadTold, this.link !== undefined);
    this.link?.hash(into);
    this.deframer?.hash(into);
    this.channel.hash(into);
  }
}

/** Packs frames into as few records as they fit into, and seals them. */
class RecordMaker {
  readonly #out: Uint8Array[] = [];
  #frames: Uint8Array[] = [];
  #length = 0;

  constructor(
    private readonly link: Link,
    private readonly channel: Channel,
    private readonly recordMax: () => number,
  ) {}

  control(): void {
    for (const frame of this.channel.frames()) this.#frame(frame);
  }

  /** DATA and FIN frames of one stream. */
  stream(stream: Stream, data: Uint8Array, fin: boolean): void {
    const announcement = this.channel.announcement(stream);
    if (announcement) this.#frame(announcement);
    let at = 0;
    do {
      this.#room(DATA_OVERHEAD + 1);
      const room = this.recordMax() - this.#length - DATA_OVERHEAD;
      const piece = data.subarray(at, at + room);
      at += piece.length;
      const last = fin && at === data.length;
      this.channel.advance(stream, piece.length, last);
      this.last(dataHead(last ? Frame.Fin : Frame.Data, stream.id), piece);
    } while (at < data.length);
  }

  /** A frame that runs to the end of its record. */
  last(head: Uint8Array, bytes: Uint8Array): void {
    this.#room(head.length + bytes.length);
    this.#add(head);
    this.#add(bytes);
    this.#seal();
  }

  #frame(frame: Uint8Array): void {
    this.#room(frame.length);
    this.#add(frame);
  }

  #room(length: number): void {
    if (this.#length + length > this.recordMax()) this.#seal();
  }

  #add(bytes: Uint8Array): void {
    this.#frames.push(bytes);
    this.#length += bytes.length;
  }

  #seal(): void {
    this.#out.push(this.link.seal(concat(...this.#frames)));
    this.#frames = [];
    this.#length = 0;
  }

  /** `always`: at least one record, even if it is empty. */
  done(always: boolean): Uint8Array {
    if (this.#frames.length > 0 || (always && this.#out.length === 0)) this.#seal();
    return this.#out.length === 1 ? (this.#out[0] as Uint8Array) : concat(...this.#out);
  }
}
