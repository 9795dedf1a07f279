/**
 * Streams, messages and acknowledgement by offset (SPEC 9): frames in, events and due frames out. Knows no keys and
 * keeps no clock. What is due is kept as flags and turned into frames when a record is made, so it is bounded by
 * the number of streams whatever the peer sends.
 */

import { Code, Kind, type CoreEvent } from '../../engine.js';
import type { StateHash } from './crypto.js';
import {
  ackFrame,
  closeFrame,
  openFrame,
  pingFrame,
  pongFrame,
  readOpen,
  readStream,
  resetFrame,
  streamFrame,
  syncedFrame,
  violation,
  type OpenFields,
  type StreamFields,
} from './frames.js';
import { AckDue, NOWHERE, Stream } from './stream.js';
import { ACK_DELAY_MS, argument, fail, Frame, Reader, U32_MAX, U48_MAX } from './wire.js';

/**
 * Where a link stands: no link; waiting for the peer to begin (gateway: its SYNCED, device: STATUS); our turn to name
 * streams; waiting for the peer's SYNCED (device); everything may be sent.
 */
export type Phase = 'off' | 'wait' | 'name' | 'await' | 'open';

export interface ChannelOptions {
  gateway: boolean;
  streams: number;
  /** What the peer takes and what this end takes beyond the acknowledged offset. */
  windowTx: number;
  windowRx: number;
}

export class Channel {
  readonly streams = new Map<number, Stream>();
  events: CoreEvent[] = [];
  phase: Phase = 'off';
  /** Device: the last serial given to a stream. */
  serial = 0;
  /** Set by the device for the one record that must open with STATUS. */
  onStatus: ((continued: boolean) => void) | undefined;
  /** STATE or STATUS, which opens the first record. */
  opening: Uint8Array | undefined;
  /** When a delayed acknowledgement is due. */
  ackAt = Infinity;
  /** The session was ended for good, by either end. */
  ended = false;

  #strays = new Map<number, { serial: number; code: number }>();
  #pong: number | undefined;
  #pingDue = false;
  #ping = 0;
  /** The last PING of this link that a PONG was sent for. */
  #answered: number | undefined;
  /** The link may lose records unnoticed. */
  lossy = false;
  /** The last PING that waits for its PONG, and whether the application asked for it. */
  #pingOut: { value: number; asked: boolean } | undefined;
  #closeDue: number | undefined;

  constructor(private readonly options: ChannelOptions) {}

  // ---- Link --------------------------------------------------------------------------------------------

  /** A link that continues the session: resynchronise. */
  linkContinued(): void {
    for (const stream of this.streams.values()) {
      stream.leaveLink();
      stream.early = undefined;
    }
    this.phase = this.options.gateway ? 'wait' : 'name';
  }

  /** A link of a new session: nothing to resynchronise, streams of the old one end. Those never sent are opened. */
  linkNew(): void {
    for (const stream of [...this.streams.values()]) this.#leaveSession(stream);
    if (this.options.gateway) for (const [id, stream] of this.streams) if (stream.done) this.streams.delete(id);
    this.linkFresh();
  }

  #leaveSession(stream: Stream): void {
    const early = stream.early;
    stream.early = undefined;
    if (!stream.sent || stream.done) return;
    if (stream.reset) return this.#finish(stream, stream.resetCode);
    if (early?.fate === 'taken') return this.#goOnBehind(stream);
    if (early?.fate !== 'again') return this.#finish(stream, early ? Code.EarlyUnknown : Code.StateLost);
    stream.startOver();
    this.events.push({ type: 'rewind', stream: stream.id, offset: 0 });
  }

  /** Early data was its OPEN and its first bytes, as if sent on this link. */
  #goOnBehind(stream: Stream): void {
    stream.txAt = stream.tx;
    stream.rxAt = 0;
  }

  /** Likewise where streams that early data has opened go on. */
  linkFresh(): void {
    for (const stream of this.streams.values()) if (!this.options.gateway) stream.openDue = !stream.sent;
    this.phase = 'open';
  }

  linkDown(): void {
    for (const stream of this.streams.values()) stream.leaveLink();
    this.#strays.clear();
    this.#pong = undefined;
    this.#answered = undefined;
    this.#pingDue = false;
    this.#pingOut = undefined;
    this.#closeDue = undefined;
    this.opening = undefined;
    this.onStatus = undefined;
    this.ackAt = Infinity;
    this.ended = false;
    this.phase = 'off';
  }

  /** The session is over: every stream ends with this code. */
  forget(code: Code): void {
    for (const stream of [...this.streams.values()]) {
      if (!stream.done) this.#finish(stream, code);
    }
    this.streams.clear();
  }

  // ---- Calls of the application -------------------------------------------------------------------------

  /** busy: an id that still means a stream which has ended, because its early data has no verdict. */
  open(name: string, kind: Kind, busy?: number): number {
    const id = this.#freeId(busy);
    if (this.serial >= U32_MAX) throw fail('LIMIT', 'no serial is left in this session');
    const stream = new Stream(id, ++this.serial, kind, name);
    stream.openDue = true;
    this.streams.set(id, stream);
    return id;
  }

  /** The peer has a stream that this end knows no more. */
  giveUp(id: number, serial: number): void {
    this.#strays.set(id, { serial, code: Code.Cancelled });
  }

  #freeId(busy?: number): number {
    // An id whose 'closed' has not been handed over yet still means the old stream to the caller.
    const told = (id: number): boolean => !this.events.some((event) => event.type === 'closed' && event.stream === id);
    for (let id = 0; id < this.options.streams; id++) if (!this.streams.has(id) && told(id) && id !== busy) return id;
    throw fail('LIMIT', `all ${this.options.streams} streams are in use`);
  }

  /** A stream that the application may use, ERR_HAWSER_CLOSED otherwise; ERR_HAWSER_ARG for one of the other kind. */
  stream(id: number, kind?: Kind): Stream {
    const stream = this.streams.get(id);
    if (!stream || stream.done || stream.reset) throw fail('CLOSED', `stream ${id}: not open, or it has ended`);
    argument(kind === undefined || stream.kind === kind, `stream ${id}: of the other kind`);
    return stream;
  }

  window(stream: Stream): number {
    if (this.phase !== 'open' || this.ended) return 0;
    const end = stream.txEnd > 0 ? stream.txEnd - 1 : U48_MAX - 1;
    return Math.max(0, Math.min(stream.txAcked + this.options.windowTx, end) - stream.tx);
  }

  consume(id: number, bytes: number, now: number): void {
    const stream = this.stream(id);
    const most = stream.kind === Kind.Messages ? 0 : stream.unaccepted;
    argument(Number.isInteger(bytes) && bytes >= 0 && bytes <= most, `stream ${id}: more than was received`);
    stream.rxAck += bytes;
    if (this.options.gateway && !stream.connected) {
      stream.connected = true;
      stream.ackDue = AckDue.Now;
    }
    if (bytes > 0) this.#ackLater(stream, now);
    stream.acceptFin(this.options.gateway);
    if (this.options.gateway) this.#finishIfOver(stream);
  }

  #ackLater(stream: Stream, now: number): void {
    // Half a window: the sender must not come to a stop while an acknowledgement waits.
    if (stream.rxAck - stream.ackTold >= this.options.windowRx / 2) stream.ackDue = AckDue.Now;
    if (stream.ackDue !== AckDue.No) return;
    stream.ackDue = AckDue.Later;
    this.ackAt = Math.min(this.ackAt, now + ACK_DELAY_MS);
  }

  /** The delay is over. */
  acksAreDue(): void {
    for (const stream of this.streams.values()) if (stream.ackDue === AckDue.Later) stream.ackDue = AckDue.Now;
    this.ackAt = Infinity;
  }

  reset(id: number, code: Code): void {
    const stream = this.stream(id);
    stream.resetCode = code;
    stream.resetDue = true;
    stream.ackDue = AckDue.No;
    // The peer has never heard of it: there is nobody to tell.
    if (!this.options.gateway && !stream.sent) this.#finish(stream, code);
  }

  ping(asked: boolean): void {
    // The same until it is answered.
    if (!this.#pingOut) this.#ping = (this.#ping + 1) % (U32_MAX + 1);
    this.#pingOut = { value: this.#ping, asked: asked || (this.#pingOut?.asked ?? false) };
    this.#pingDue = true;
  }

  /** Ends the session: CLOSE is the last frame. */
  close(code: Code): void {
    this.forget(code);
    if (this.phase === 'off') return;
    this.ended = true;
    this.#closeDue = code;
  }

  // ---- Frames out ---------------------------------------------------------------------------------------

  /** All due frames in the order in which they must go. A frame counts as sent once it was taken. */
  *frames(): Generator<Uint8Array> {
    if (this.opening) {
      const frame = this.opening;
      this.opening = undefined;
      yield frame;
    }
    if (this.#pong !== undefined) {
      const value = this.#pong;
      this.#pong = undefined;
      this.#answered = value;
      yield pongFrame(value);
    }
    if (this.#pingDue) {
      this.#pingDue = false;
      yield pingFrame(this.#ping);
    }
    if (this.phase === 'name') yield* this.#nameFrames();
    if (this.phase === 'await' || this.phase === 'open') yield* this.#streamFrames();
    if (this.#closeDue !== undefined) {
      const code = this.#closeDue;
      this.#closeDue = undefined;
      yield closeFrame(code);
    }
  }

  /** Whether frames() has anything that cannot wait. */
  get due(): boolean {
    if (this.opening || this.#pong !== undefined || this.#pingDue || this.#closeDue !== undefined) return true;
    if (this.phase === 'name') return true;
    if (this.phase !== 'await' && this.phase !== 'open') return false;
    if (this.#strays.size > 0) return true;
    for (const stream of this.streams.values()) {
      if (stream.resetDue || stream.streamDue || (stream.ackDue === AckDue.Now && !stream.reset)) return true;
      if (stream.openDue && this.phase === 'open') return true;
    }
    return false;
  }

  *#nameFrames(): Generator<Uint8Array> {
    yield* this.#strayFrames();
    for (const stream of this.streams.values()) {
      const frame = this.options.gateway ? this.#nameAsGateway(stream) : this.#nameAsDevice(stream);
      if (frame) yield frame;
    }
    this.phase = this.options.gateway ? 'open' : 'await';
    yield syncedFrame();
  }

  #nameAsGateway(stream: Stream): Uint8Array | undefined {
    if (stream.resetDue) return this.#resetFrame(stream);
    // One that the device named is named back even if it ended meanwhile: DATA may follow the device's SYNCED at once.
    if (stream.done && (stream.reset || !stream.named)) return undefined;
    return this.#streamFrame(stream);
  }

  #nameAsDevice(stream: Stream): Uint8Array | undefined {
    if (!stream.sent) return undefined;
    if (stream.resetDue) return this.#resetFrame(stream);
    // Up to here the gateway is known to have everything; what it has beyond that its own STREAM says.
    stream.txAt = stream.known ? stream.txAcked : 0;
    return stream.known ? this.#streamFrame(stream, stream.txAcked) : openFrame(stream);
  }

  *#streamFrames(): Generator<Uint8Array> {
    yield* this.#strayFrames();
    for (const stream of [...this.streams.values()]) {
      if (stream.resetDue) yield this.#resetFrame(stream);
      if (stream.openDue && this.phase === 'open') yield this.#openFrame(stream);
      if (stream.streamDue) yield this.#streamFrame(stream);
      if (stream.ackDue !== AckDue.No && !stream.reset) yield this.#ackFrame(stream);
    }
    this.ackAt = Infinity;
  }

  *#strayFrames(): Generator<Uint8Array> {
    const strays = [...this.#strays];
    this.#strays.clear();
    for (const [id, { serial, code }] of strays) yield resetFrame(id, serial, code);
  }

  #openFrame(stream: Stream): Uint8Array {
    stream.openDue = false;
    stream.sent = true;
    stream.txAt = 0;
    stream.rxAt = 0;
    return openFrame(stream);
  }

  #resetFrame(stream: Stream): Uint8Array {
    stream.resetDue = false;
    return resetFrame(stream.id, stream.serial, stream.resetCode);
  }

  #ackFrame(stream: Stream): Uint8Array {
    this.#told(stream);
    return ackFrame(stream.id, stream.rxAck);
  }

  #streamFrame(stream: Stream, tx = stream.tx): Uint8Array {
    stream.streamDue = false;
    stream.txAt = tx;
    this.#told(stream);
    // ack 0 in a STREAM does not say that the upstream is connected; an ACK frame does.
    if (this.options.gateway && stream.connected && stream.rxAck === 0) stream.ackDue = AckDue.Now;
    return streamFrame({ id: stream.id, serial: stream.serial, tx, rx: stream.rx, ack: stream.rxAck });
  }

  #told(stream: Stream): void {
    stream.ackTold = stream.rxAck;
    stream.ackDue = AckDue.No;
    if (!this.options.gateway) this.#finishIfOver(stream);
  }

  /** Before DATA: tells the peer where it goes, if that is not where the last one left off. */
  announcement(stream: Stream): Uint8Array | undefined {
    return stream.txAt === stream.tx ? undefined : this.#streamFrame(stream);
  }

  /** The next `length` bytes, and FIN if asked, go out in one DATA or FIN frame. */
  advance(stream: Stream, length: number, fin: boolean): void {
    stream.tx += length + (fin ? 1 : 0);
    if (fin) stream.txEnd = stream.tx;
    stream.txAt = stream.tx;
    stream.txHigh = Math.max(stream.txHigh, stream.tx);
  }

  /** This end waits for an answer of some kind, so silence means something. */
  get waiting(): boolean {
    if (this.phase === 'off') return false;
    if (this.phase === 'wait' || this.phase === 'await' || this.#pingOut) return true;
    for (const stream of this.streams.values()) if (this.#waits(stream)) return true;
    return false;
  }

  #waits(stream: Stream): boolean {
    if (stream.done) return false;
    if (stream.reset) return !stream.resetDue;
    return stream.txAcked < stream.tx || (!this.options.gateway && stream.sent && !stream.known);
  }

  // ---- Frames in ----------------------------------------------------------------------------------------

  /** One record's plaintext. Throws ERR_HAWSER_PEER; events of the frames before it stay. */
  receive(plaintext: Uint8Array): void {
    const reader = new Reader(plaintext);
    while (reader.left > 0 && !this.ended) this.#frame(reader);
    if (this.onStatus) throw violation('the first record does not open with STATUS');
  }

  #frame(reader: Reader): void {
    const code = reader.u8();
    this.#allowed(code);
    switch (code) {
      case Frame.Status:
        return this.#status(reader.u8(), reader.ok);
      case Frame.Open:
        return this.#receiveOpen(readOpen(reader));
      case Frame.Stream:
        return this.#receiveStream(readStream(reader));
      case Frame.Synced:
        return this.#receiveSynced();
      case Frame.Data:
      case Frame.Fin:
      case Frame.Msg:
        return this.#receiveBytes(code, reader);
      case Frame.Ack:
        return this.#receiveAck(reader.u16(), reader.u48(), reader.ok);
      case Frame.Reset:
        return this.#receiveReset(reader.u16(), reader.u32(), reader.u8(), reader.ok);
      case Frame.Ping:
        return this.#receivePing(reader.u32(), reader.ok);
      case Frame.Pong:
        return this.#receivePong(reader.u32(), reader.ok);
      case Frame.Close:
        return this.#receiveClose(reader.u8(), reader.ok);
      default:
        throw violation(`frame 0x${code.toString(16)} is unknown or has no place here`);
    }
  }

  /** What may come in this phase. */
  #allowed(code: number): void {
    if ((code === Frame.Status) !== (this.onStatus !== undefined)) throw violation('STATUS out of place');
    if (!this.options.gateway || this.phase !== 'wait') return;
    const early: readonly number[] = [
      Frame.Open, Frame.Stream, Frame.Synced, Frame.Reset, Frame.Ping, Frame.Pong, Frame.Close,
    ]; // prettier-ignore
    if (!early.includes(code)) throw violation(`frame 0x${code.toString(16)} before SYNCED`);
  }

  #status(value: number, ok: boolean): void {
    if (!ok || value > 1) throw violation('STATUS with a wrong field');
    const tell = this.onStatus;
    this.onStatus = undefined;
    tell?.(value === 1);
  }

  // -- Opening and resynchronisation

  #receiveOpen(fields: OpenFields): void {
    if (!this.options.gateway) throw violation('OPEN from a gateway');
    const { id, serial } = fields;
    if (id >= this.options.streams) {
      this.#strays.set(id, { serial, code: Code.Limit });
      return;
    }
    const old = this.streams.get(id);
    if (old && serial < old.serial) throw violation('OPEN with an old serial');
    if (old?.serial === serial) return this.#repeatOpen(old);
    if (old && !old.done) this.#finish(old, Code.StateLost);
    this.#create(fields);
  }

  #create({ id, serial, kind, name }: OpenFields): void {
    const stream = new Stream(id, serial, kind, name);
    stream.txAt = 0;
    stream.rxAt = 0;
    stream.sent = true;
    stream.named = true;
    this.streams.set(id, stream);
    this.events.push({ type: 'open', stream: id, kind, name });
  }

  #repeatOpen(stream: Stream): void {
    if (stream.done || stream.reset) return this.#repeatLastWord(stream);
    stream.rxAt = 0;
    stream.named = true;
    // The device has heard nothing of this stream, so it holds nothing of it.
    if (this.phase === 'wait') this.#adopt(stream, 0, 0);
  }

  /** The peer does not know yet how this stream ended. */
  #repeatLastWord(stream: Stream): void {
    stream.named = true;
    if (stream.reset) stream.resetDue = true;
    else stream.streamDue = true;
  }

  #receiveStream(fields: StreamFields): void {
    const { id, serial, tx, rx, ack } = fields;
    const stream = this.streams.get(id);
    if (!stream || stream.serial !== serial) {
      if (this.options.gateway) this.#strays.set(id, { serial, code: Code.StateLost });
      return;
    }
    if (stream.done) return this.#repeatLastWord(stream);
    if (stream.reset) {
      stream.named = true;
      if (this.options.gateway) stream.resetDue = true;
      return;
    }
    if (tx > stream.rx) throw violation('STREAM behind a gap');
    const most = stream.txEnd > 0 ? stream.txEnd : U48_MAX - 1; // of any stream with that end, or with none yet
    if (rx > Math.min(most, Math.max(stream.tx, stream.txHigh)))
      throw violation('STREAM with an offset that was never sent');
    const resync = this.phase === 'wait' || this.phase === 'await' || this.phase === 'name';
    stream.rxAt = tx;
    stream.named = true;
    if (resync) this.#adopt(stream, rx, ack);
    else this.#acknowledge(stream, ack);
    if (this.options.gateway) this.#finishIfOver(stream);
    else this.#heard(stream, ack > 0);
  }

  /** The peer's receiving side at the start of a link: writing goes on from there. */
  #adopt(stream: Stream, rx: number, ack: number): void {
    if (rx < stream.txAcked) throw violation('STREAM that takes an acknowledgement back');
    this.#acknowledge(stream, ack);
    stream.txHigh = stream.txHigh === U48_MAX ? rx : stream.txHigh; // restored: now it is known
    if (stream.tx === rx) return;
    stream.tx = rx;
    this.events.push({ type: 'rewind', stream: stream.id, offset: rx });
  }

  #receiveSynced(): void {
    if (this.options.gateway ? this.phase !== 'wait' : this.phase !== 'await') throw violation('SYNCED out of place');
    for (const stream of [...this.streams.values()]) {
      // A device's own RESET is still answered, and a stream that was never sent could not be named.
      const expected = this.options.gateway || (stream.sent && !stream.reset);
      if (expected && !stream.named && !stream.done) this.#finishUnnamed(stream);
    }
    this.phase = this.options.gateway ? 'name' : 'open';
  }

  /** The peer holds nothing of it any more: it ended in good order there, or was lost. */
  #finishUnnamed(stream: Stream): void {
    if (this.options.gateway && !stream.reset && stream.txEnd > 0 && stream.rxOver) {
      stream.txAcked = stream.txEnd;
      return this.#finish(stream, Code.Done);
    }
    if (!stream.reset) stream.resetCode = Code.StateLost;
    this.#finish(stream, stream.resetCode);
  }

  // -- Bytes

  #receiveBytes(code: number, reader: Reader): void {
    const id = reader.u16();
    const bytes = reader.rest();
    if (!reader.ok) throw violation('a frame is cut short');
    const stream = this.streams.get(id);
    if (!stream || stream.done || stream.reset) return;
    if ((code === Frame.Msg) !== (stream.kind === Kind.Messages)) throw violation('bytes of the other kind of stream');
    if (code === Frame.Msg) this.events.push({ type: 'message', stream: id, data: bytes });
    else this.#receiveData(stream, bytes, code === Frame.Fin);
  }

  #receiveData(stream: Stream, bytes: Uint8Array, fin: boolean): void {
    const at = stream.rxAt;
    const end = at + bytes.length;
    if (at === NOWHERE || at > stream.rx) throw violation('a gap in a stream');
    const last = stream.rxEnd > 0 ? stream.rxEnd - 1 : Infinity;
    if (end > last || (fin && last !== Infinity && end !== last)) throw violation('bytes behind a FIN');
    if (fin && end < stream.rx && last === Infinity) throw violation('FIN before bytes that were sent');
    if (end > stream.rxAck + this.options.windowRx) throw violation('more than the window');
    stream.rxAt = end + (fin ? 1 : 0);
    const fresh =
      last === Infinity ? bytes.subarray(Math.min(stream.rx - at, bytes.length)) : bytes.subarray(bytes.length);
    if (fresh.length > 0) {
      stream.rx = end;
      this.events.push({ type: 'data', stream: stream.id, data: fresh });
    }
    if (fin && last === Infinity) this.#receiveFin(stream, end);
  }

  #receiveFin(stream: Stream, end: number): void {
    stream.rxEnd = end + 1;
    stream.rx = stream.rxEnd;
    this.events.push({ type: 'fin', stream: stream.id });
    stream.acceptFin(this.options.gateway);
    if (this.options.gateway) this.#finishIfOver(stream);
  }

  #receiveAck(id: number, offset: number, ok: boolean): void {
    if (!ok) throw violation('a frame is cut short');
    const stream = this.streams.get(id);
    if (!stream || stream.done || stream.reset) return;
    this.#acknowledge(stream, offset);
    if (!this.options.gateway) this.#heard(stream, true);
    this.#finishIfOver(stream);
  }

  #acknowledge(stream: Stream, offset: number): void {
    if (offset > stream.txHigh) throw violation('ACK of what was never sent');
    if (offset <= stream.txAcked) return;
    stream.txAcked = offset;
    this.events.push({ type: 'acked', stream: stream.id, offset });
    if (stream.tx >= offset) return;
    stream.tx = offset;
    this.events.push({ type: 'rewind', stream: stream.id, offset });
  }

  /** Device: the gateway knows the stream; its upstream may be connected as well. */
  #heard(stream: Stream, connected: boolean): void {
    stream.known = true;
    if (connected && !stream.connected) {
      stream.connected = true;
      this.events.push({ type: 'opened', stream: stream.id });
    }
    this.#finishIfOver(stream);
  }

  // -- Ends

  #finishIfOver(stream: Stream): void {
    if (stream.done || stream.reset || !stream.txOver || !stream.rxOver) return;
    // A device's id is free only once its own last acknowledgement is out.
    if (!this.options.gateway && (stream.ackTold !== stream.rxEnd || this.phase === 'off')) return;
    this.#finish(stream, Code.Done);
  }

  #finish(stream: Stream, code: number): void {
    stream.done = true;
    if (!this.options.gateway && this.streams.get(stream.id) === stream) this.streams.delete(stream.id);
    this.events.push({ type: 'closed', stream: stream.id, code: code as Code });
  }

  #receiveReset(id: number, serial: number, code: number, ok: boolean): void {
    if (!ok || serial === 0) throw violation('RESET with a wrong field');
    const stream = this.streams.get(id);
    if (stream?.serial === serial) return this.#resetStream(stream, code);
    if (!this.options.gateway) return;
    const stray = this.#strays.get(id);
    if (stray?.serial !== serial) this.#strays.set(id, { serial, code: Code.Done });
  }

  #resetStream(stream: Stream, code: number): void {
    const answered = stream.reset;
    const reason = answered ? stream.resetCode : code;
    if (!answered) stream.resetCode = Code.Done;
    // A device that asks again has not heard the answer: its link was torn.
    if (!answered || (this.options.gateway && stream.done)) stream.resetDue = true;
    stream.named = true;
    // A device keeps no stream to answer from; what it owes goes out before any OPEN for the same id.
    if (!this.options.gateway && stream.resetDue) {
      this.#strays.set(stream.id, { serial: stream.serial, code: stream.resetCode });
    }
    if (!stream.done) this.#finish(stream, reason);
  }

  /** At a serial line a PING that was answered already says that the answer was lost: the gateway can read nothing any more. */
  #receivePing(value: number, ok: boolean): void {
    if (!ok) throw violation('a frame is cut short');
    if (this.lossy && !this.options.gateway && value === this.#answered) this.events.push({ type: 'dead' });
    this.#pong = value;
  }

  #receivePong(value: number, ok: boolean): void {
    if (!ok) throw violation('a frame is cut short');
    if (this.#pingOut?.value !== value) return;
    if (this.#pingOut.asked) this.events.push({ type: 'pong' });
    this.#pingOut = undefined;
  }

  #receiveClose(code: number, ok: boolean): void {
    if (!ok) throw violation('a frame is cut short');
    this.forget(code as Code);
    this.ended = true;
    this.events.push({ type: 'close', code: code as Code });
  }

  hash(into: StateHash): void {
    into.add(this.phase, this.serial, this.onStatus !== undefined, this.opening, this.ackAt, this.ended);
    into.add(
      this.#pong,
      this.#answered,
      this.lossy,
      this.#pingDue,
      this.#ping,
      this.#pingOut?.value,
      this.#pingOut?.asked,
      this.#closeDue,
    );
    for (const [id, { serial, code }] of this.#strays) into.add(id, serial, code);
    into.add('streams');
    for (const stream of this.streams.values()) stream.hash(into);
    into.add('events', ...this.events.map((event) => `${event.type} ${'stream' in event ? event.stream : ''}`));
  }
}
