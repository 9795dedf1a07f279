/**
 * Streams, messages and acknowledgement by offset (SPEC 9): frames in, events and due frames out. Mirrors
 * csrc/src/channel.c: what is due and what is to be reported are flags, so both are bounded by the number of streams
 * whatever the peer sends.
 */

import { Code, Kind, type CoreEvent } from '../../engine.js';
import { Control, Sf } from './control.js';
import type { StateHash } from './crypto.js';
import {
  ackFrame,
  openFrame,
  readOpen,
  readStream,
  resetFrame,
  streamFrame,
  syncedFrame,
  violation,
  type OpenFields,
  type StreamFields,
} from './frames.js';
import { SavedFlag, type SavedStream } from './saved.js';
import { NOWHERE, St, ST_DUE, ST_EVENTS, Stream, type Owed } from './stream.js';
import { ACK_DELAY_MS, argument, fail, Frame, Reader, U32_MAX, U48_MAX } from './wire.js';

export interface ChannelOptions {
  gateway: boolean;
  streams: number;
  /** What the peer takes and what this end takes beyond the acknowledged offset. */
  windowTx: number;
  windowRx: number;
}

/** Frames of one record, as far as there is room. */
class Room {
  readonly frames: Uint8Array[] = [];

  constructor(private left: number) {}

  put(frame: Uint8Array): boolean {
    if (frame.length > this.left) return false;
    this.left -= frame.length;
    this.frames.push(frame);
    return true;
  }
}

export class Channel extends Control {
  /** By id; a slot is made when it is first used. */
  readonly slots: Stream[] = [];
  /** Device: the last serial given to a stream. */
  serial = 0;
  /** When a delayed acknowledgement is due. */
  ackMs = Infinity;
  /** Of the record at hand, not yet read. */
  #frames: Reader | undefined;

  constructor(private readonly options: ChannelOptions) {
    super(options.gateway);
  }

  get live(): boolean {
    return this.line !== undefined;
  }

  /** The slot of an id, or undefined: beyond what this end holds. */
  #slot(id: number): Stream | undefined {
    if (id >= this.options.streams) return undefined;
    while (this.slots.length <= id) this.slots.push(new Stream(this.slots.length));
    return this.slots[id];
  }

  #raise(stream: Stream, event: number): void {
    stream.set(event);
    this.set(Sf.Events);
  }

  /** The stream ends with code; it is free once the application has been told. */
  #close(stream: Stream, code: number): void {
    if (stream.has(St.EvClosed)) return;
    stream.code = code;
    this.#raise(stream, St.EvClosed);
  }

  /** SPEC 9, closing: a direction has ended when its FIN is acknowledged. */
  #checkEnded(stream: Stream): void {
    if (stream.open && stream.txOver && stream.rxEnd !== 0 && stream.rxSent === stream.rxEnd) {
      this.#close(stream, Code.Done);
    }
  }

  /** A RESET is owed for a serial of id that no stream has (any more). A peer that waits for answers never asks for too many. */
  #owe(owed: Owed): void {
    let slot = this.#slot(owed.id);
    for (let id = 0; (!slot || slot.owed) && id < this.options.streams; id++) slot = this.#slot(id);
    if (!slot || slot.owed) throw violation('more frames for streams that are not there than there are streams');
    slot.owed = owed;
  }

  #ackBy(stream: Stream, ms: number): void {
    stream.set(St.AckDue);
    this.ackMs = Math.min(this.ackMs, ms);
  }

  /** Bytes were accepted: what is to be acknowledged, and when. */
  #accepted(stream: Stream): void {
    const opened = stream.has(St.Opened);
    const first = this.gateway && opened && !stream.has(St.Told);
    // SPEC 9: FIN is acknowledged by itself, at once. A gateway's first ACK says that the upstream is connected.
    if (stream.rxEnd !== 0 && stream.rxAcked === stream.rxEnd - 1 && (!this.gateway || opened)) {
      stream.rxAcked = stream.rxEnd;
    }
    // At once too: the word that the upstream is connected, and before the peer's window runs dry.
    const dry = stream.rxAcked - stream.rxSent >= Math.floor(this.options.windowRx / 4);
    if (first || stream.rxOver || dry) this.#ackBy(stream, this.now);
    else if (stream.rxAcked !== stream.rxSent) this.#ackBy(stream, this.now + ACK_DELAY_MS);
  }

  // ---- Calls of the application -------------------------------------------------------------------------

  /** One that the application may use. */
  stream(id: number): Stream | undefined {
    const stream = this.slots[id];
    return stream?.open ? stream : undefined;
  }

  /** The same, or ERR_HAWSER_CLOSED. */
  theStream(id: number): Stream {
    const stream = this.stream(id);
    if (!stream) throw fail('CLOSED', `stream ${id}: not open, or it has ended`);
    return stream;
  }

  /** Device. `busy`: an id that still means a stream which has ended, because its early data has no verdict. */
  open(name: string, kind: Kind, busy?: number): number {
    if (this.serial >= U32_MAX) throw fail('LIMIT', 'no serial is left in this session');
    for (let id = 0; id < this.options.streams; id++) {
      const stream = this.#slot(id) as Stream;
      if (stream.flags !== 0 || id === busy) continue;
      stream.begin(++this.serial, kind, name, St.Used | St.OpenDue);
      return id;
    }
    throw fail('LIMIT', `all ${this.options.streams} streams are in use`);
  }

  /** What the window leaves: the sender MUST NOT go beyond acked + window. */
  window(stream: Stream): number {
    const open = Math.max(0, this.options.windowTx - (stream.tx - stream.txAcked));
    return Math.min(open, U48_MAX - 1 - stream.tx);
  }

  /** The next `length` bytes, and FIN if asked, go out in one DATA or FIN frame. */
  advance(stream: Stream, length: number, fin: boolean): void {
    stream.tx += length + (fin ? 1 : 0);
    if (fin) stream.txEnd = stream.tx;
  }

  consume(id: number, bytes: number): void {
    argument(Number.isInteger(bytes) && bytes >= 0, 'bytes: must be a number of bytes');
    const stream = this.theStream(id);
    const end = stream.rxEnd !== 0 ? stream.rxEnd - 1 : stream.rx;
    argument(bytes === 0 || bytes <= end - stream.rxAcked, `stream ${id}: more than was received`);
    stream.rxAcked += bytes;
    if (this.gateway) stream.set(St.Opened);
    this.#accepted(stream);
  }

  /**
   * A device waits for the answer before the id is free, since DATA of the old stream may be on its way. A gateway chooses no
   * ids: for it the stream is over, and only remembered.
   */
  reset(id: number, code: Code): void {
    const stream = this.theStream(id);
    stream.clear(ST_DUE);
    stream.code = code;
    if (!this.gateway && !stream.has(St.Sent)) return this.#close(stream, code); // there is nobody to tell
    stream.set(St.Reset | (this.live ? St.ResetDue : 0));
    if (this.gateway || !this.live) this.#close(stream, code);
  }

  /** Some stream waits for its peer's acknowledgement; a device also for the word that its OPEN has arrived. */
  get streamsWait(): boolean {
    return this.slots.some((stream) => {
      if (!stream.has(St.Used)) return false;
      if (stream.tx > stream.txAcked) return true;
      return !this.gateway && (stream.has(St.Reset) || (stream.flags & (St.Sent | St.Known)) === St.Sent);
    });
  }

  // ---- Frames out ---------------------------------------------------------------------------------------

  /** The link is up, and frames of streams may be said on it now. */
  get speaks(): boolean {
    // SPEC 9: the gateway sends no stream frame until it has the device's SYNCED.
    return this.live && !this.has(Sf.Hold | Sf.Closed) && !(this.gateway && this.has(Sf.SyncWait));
  }

  /** No frame of another kind has to go before this stream's bytes. */
  maySend(stream: Stream): boolean {
    const ready = this.speaks && !this.has(Sf.StateDue | Sf.StatusDue | Sf.SyncDue);
    return ready && !stream.has(St.OpenDue | St.StreamDue | St.ResetDue | St.Held) && !stream.owed;
  }

  /** Some stream has a frame to send; an acknowledgement when its time has come. */
  due(now: number): boolean {
    if (this.has(Sf.SyncDue) || now >= this.ackMs) return true;
    return this.slots.some(
      (stream) => stream.has(St.OpenDue | St.StreamDue | St.ResetDue) || stream.owed !== undefined,
    );
  }

  /** One record of frames that are due; what they say is then said. */
  record(max: number): Uint8Array[] {
    const room = new Room(max);
    for (const frame of this.controlFrames()) room.put(frame);
    if (this.speaks) this.#putStreams(room);
    return room.frames;
  }

  /** In SPEC 9's order: what resynchronises, SYNCED, the rest. */
  #putStreams(room: Room): void {
    for (const stream of this.slots) {
      if (!this.#putOwed(stream, room)) return;
      for (const due of [St.OpenDue, St.StreamDue, St.ResetDue]) if (!this.#put(stream, due, room)) return;
    }
    if (this.has(Sf.SyncDue)) {
      if (!room.put(syncedFrame())) return;
      this.clear(Sf.SyncDue);
    }
    for (const stream of this.slots) if (!this.#put(stream, St.AckDue, room)) return;
    this.ackMs = Infinity;
  }

  #putOwed(stream: Stream, room: Room): boolean {
    const { owed } = stream;
    if (!owed) return true;
    if (!room.put(resetFrame(owed.id, owed.serial, owed.code))) return false;
    stream.owed = undefined;
    return true;
  }

  #put(stream: Stream, due: number, room: Room): boolean {
    if (!stream.has(due)) return true;
    if (!room.put(this.#dueFrame(stream, due))) return false;
    stream.clear(due);
    if (due === St.OpenDue) stream.set(St.Sent);
    else if (due === St.AckDue || due === St.StreamDue) this.#told(stream, due);
    return true;
  }

  #dueFrame(stream: Stream, due: number): Uint8Array {
    if (due === St.OpenDue) return openFrame(stream);
    if (due === St.StreamDue) return nameFrame(stream);
    if (due === St.ResetDue) return resetFrame(stream.id, stream.serial, stream.code);
    return ackFrame(stream.id, stream.rxAcked);
  }

  /** rxAcked was told. STREAM says it as well as ACK does, but for the gateway's first word, which is an ACK. */
  #told(stream: Stream, due: number): void {
    stream.rxSent = stream.rxAcked;
    if (due === St.AckDue) stream.set(St.Told);
    else if (!this.gateway || stream.rxAcked > 0) stream.clear(St.AckDue);
    this.#checkEnded(stream);
  }

  // ---- Frames in ----------------------------------------------------------------------------------------

  /** The plaintext of a record has come: next() reads it. */
  feed(plaintext: Uint8Array): void {
    this.#frames = new Reader(plaintext);
  }

  get unread(): boolean {
    return this.#frames !== undefined && this.#frames.left > 0;
  }

  /** The next event of streams or frames; undefined: there is none. Throws ERR_HAWSER_PEER. */
  next(): CoreEvent | undefined {
    for (;;) {
      const event = this.has(Sf.Events) ? this.#streamEvent() : undefined;
      if (event) return event;
      const reader = this.#frames;
      if (!reader || reader.left === 0) return undefined;
      const read = this.#frame(reader);
      if (this.take(Sf.EvLive)) return { type: 'live', continued: this.has(Sf.Continued) }; // STATUS has come
      if (read) return read;
    }
  }

  #frame(reader: Reader): CoreEvent | undefined {
    const code = reader.peek();
    if (!this.#inPlace(code)) throw violation(`frame 0x${code.toString(16)} out of place`);
    if (code === Frame.Open && this.#replaces(reader)) return undefined; // the frame stays where it is until that was told
    reader.u8();
    switch (code) {
      case Frame.Synced:
        return this.#onSynced();
      case Frame.Open:
        return this.#onOpen(readOpen(reader));
      case Frame.Stream:
        return this.#onStream(readStream(reader));
      case Frame.Data:
      case Frame.Fin:
      case Frame.Msg:
        return this.#onBytes(code, reader);
      case Frame.Ack:
        return this.#onAck(reader.u16(), reader.u48(), reader.ok);
      case Frame.Reset:
        return this.#onReset(reader.u16(), reader.u32(), reader.u8(), reader.ok);
      default:
        this.controlFrame(code, reader);
        return undefined;
    }
  }

  /** What may come now: SPEC 9, STATUS first, and before SYNCED only what resynchronises. */
  #inPlace(code: number): boolean {
    if (this.has(Sf.StatusWait) && code !== Frame.Status) return false;
    if (!this.gateway || !this.has(Sf.SyncWait)) return true;
    const early: readonly number[] = [
      Frame.Open, Frame.Stream, Frame.Synced, Frame.Reset, Frame.Ping, Frame.Pong, Frame.Close,
    ]; // prettier-ignore
    return early.includes(code);
  }

  /** Gateway: an OPEN with a higher serial ends the stream that had the id. Says so first, then takes the frame. */
  #replaces(reader: Reader): boolean {
    if (!this.gateway) return false;
    const { id, serial } = readOpen(reader.behind(1));
    const stream = this.#slot(id);
    if (!stream?.has(St.Used) || serial <= stream.serial) return false;
    this.#close(stream, Code.Done);
    return true;
  }

  // -- Opening and resynchronisation

  #onOpen({ id, serial, kind, name }: OpenFields): CoreEvent | undefined {
    if (!this.gateway) throw violation('OPEN from a gateway');
    const stream = this.#slot(id);
    if (!stream) {
      this.#owe({ id, serial, code: Code.Limit }); // SPEC 9: an id beyond what the gateway holds
      return undefined;
    }
    if (serial < stream.serial) throw violation('OPEN with an old serial');
    if (serial > stream.serial) {
      stream.begin(serial, kind, '', St.Used | St.Named);
      return { type: 'open', stream: id, kind, name };
    }
    if (stream.has(St.Done)) this.#recall(stream);
    // A repeat: the device has heard nothing of this stream.
    else if (stream.open) this.#takeStream(stream, 0, 0, 0);
    return undefined;
  }

  /** Gateway: a stream that has ended is asked after: its final offsets, or its RESET. */
  #recall(stream: Stream): void {
    stream.set(stream.has(St.Reset | St.Answered) ? St.ResetDue : St.StreamDue);
  }

  #onStream({ id, serial, tx, rx, ack }: StreamFields): undefined {
    const stream = this.#slot(id);
    const own = stream !== undefined && serial === stream.serial;
    if (own && stream.open) return this.#takeStream(stream, tx, rx, ack);
    if (!this.gateway) return undefined;
    if (own && stream.has(St.Done)) this.#recall(stream);
    else this.#owe({ id, serial, code: Code.StateLost });
    return undefined;
  }

  /**
   * The peer's word on a stream that both have: SPEC 9, resynchronisation. The first one on a link also tells where this end
   * goes on; a later one only where the peer does.
   */
  #takeStream(stream: Stream, tx: number, rx: number, ack: number): undefined {
    const first = !stream.has(St.Named);
    const most = stream.txEnd !== 0 ? stream.txEnd : U48_MAX - 1; // of any stream with that end, or with none yet
    const sent = Math.min(most, stream.has(St.Held) ? stream.txHigh : stream.tx);
    if (tx > stream.rx) throw violation('STREAM behind a gap');
    if ((first && rx < stream.txAcked) || rx > sent) throw violation('STREAM with an offset that was never sent');
    stream.rxAt = tx;
    stream.set(St.Named | (this.gateway ? 0 : St.Known));
    if (ack > stream.txAcked) {
      stream.txAcked = ack;
      this.#raise(stream, St.EvAcked);
      this.#noteOpened(stream);
    }
    // A device that had nothing in flight, and was not held, may have written more since: then there is nothing to mend.
    if (first && (this.gateway ? rx !== stream.tx : stream.has(St.Held))) this.#goOnFrom(stream, rx);
    this.#checkEnded(stream);
    return undefined;
  }

  #goOnFrom(stream: Stream, rx: number): void {
    if (!this.gateway && rx !== stream.tx) stream.set(St.StreamDue); // announce where the next DATA goes
    stream.tx = rx;
    stream.clear(St.Held);
    if (rx < stream.txEnd) stream.txEnd = 0; // FIN will be written again
    this.#raise(stream, St.EvRewind);
  }

  /** The gateway's first acknowledgement says that the upstream is connected. */
  #noteOpened(stream: Stream): void {
    if (this.gateway || stream.has(St.Opened)) return;
    stream.set(St.Opened | St.Known);
    this.#raise(stream, St.EvOpened);
  }

  /** Gateway: forgets the streams that were not named, tells its own. Device: what the gateway left unnamed is lost. */
  #onSynced(): undefined {
    if (!this.take(Sf.SyncWait)) throw violation('SYNCED out of place');
    if (this.gateway) this.set(Sf.SyncDue);
    for (const stream of this.slots) {
      if (!stream.open) continue;
      if (stream.has(St.Named)) stream.set(this.gateway ? St.StreamDue : 0);
      // The device forgets what has ended on both sides: then only its last acknowledgement was lost.
      else if (this.gateway) this.#close(stream, stream.txEnd !== 0 && stream.rxOver ? Code.Done : Code.StateLost);
      else if (stream.has(St.Asked)) this.#close(stream, Code.StateLost);
    }
    return undefined;
  }

  // -- Bytes

  #onBytes(code: number, reader: Reader): CoreEvent | undefined {
    const id = reader.u16();
    const bytes = reader.rest();
    if (!reader.ok) throw violation('a frame is cut short');
    const stream = this.stream(id);
    if (!stream) return undefined;
    if ((code === Frame.Msg) !== (stream.kind === Kind.Messages)) throw violation('bytes of the other kind of stream');
    if (code === Frame.Msg) return { type: 'message', stream: id, data: bytes };
    return this.#onData(stream, bytes, code === Frame.Fin);
  }

  /** Bytes below rx are discarded, so repeats do no harm; a gap is a violation. */
  #onData(stream: Stream, bytes: Uint8Array, fin: boolean): CoreEvent | undefined {
    const end = this.#endOf(stream, bytes.length, fin);
    if (!this.gateway) stream.set(St.Known);
    const fresh = Math.max(0, end - stream.rx);
    stream.rx = Math.max(stream.rx, end);
    stream.rxAt = end + (fin ? 1 : 0);
    if (fin && stream.rxEnd === 0) {
      stream.rxEnd = stream.rx = end + 1;
      this.#raise(stream, St.EvFin);
      this.#accepted(stream);
    }
    return fresh > 0 ? { type: 'data', stream: stream.id, data: bytes.subarray(bytes.length - fresh) } : undefined;
  }

  /** Where bytes that came end, which is where they may. */
  #endOf(stream: Stream, length: number, fin: boolean): number {
    if (stream.rxAt > stream.rx) throw violation('a gap in a stream');
    const end = stream.rxAt + length;
    const beyond = end > stream.rx && end - stream.rxAcked > this.options.windowRx;
    if (end > U48_MAX - 1 || beyond) throw violation('more than the window');
    // Nothing beyond a FIN, and a FIN only where the first one was.
    const last = stream.rxEnd - 1;
    if (stream.rxEnd !== 0 && (end > last || (fin && end !== last))) throw violation('bytes behind a FIN');
    if (fin && stream.rxEnd === 0 && end < stream.rx) throw violation('FIN before bytes that were sent');
    return end;
  }

  #onAck(id: number, offset: number, ok: boolean): undefined {
    if (!ok) throw violation('a frame is cut short');
    const stream = this.stream(id);
    if (!stream) return undefined;
    if (offset > stream.tx) throw violation('ACK of what was never sent');
    this.#noteOpened(stream);
    if (offset > stream.txAcked) {
      stream.txAcked = offset;
      this.#raise(stream, St.EvAcked);
      this.#checkEnded(stream);
    }
    return undefined;
  }

  /** The receiver of a RESET that has not sent one for this serial sends one back (code 0). */
  #onReset(id: number, serial: number, code: number, ok: boolean): undefined {
    if (!ok || serial === 0) throw violation('RESET with a wrong field');
    const stream = this.#slot(id);
    if (!stream) return undefined; // its OPEN or STREAM was answered with a RESET
    const own = serial === stream.serial;
    if (own && stream.has(St.Reset)) {
      if (stream.has(St.Used))
        this.#close(stream, stream.code); // the answer to the device's own
      else if (this.gateway) stream.set(St.ResetDue); // the device may not have heard this end's: that link was torn
      return undefined;
    }
    if (!this.gateway && !(own && stream.has(St.Used))) return undefined;
    if (own && stream.has(St.Used)) {
      stream.clear(ST_DUE);
      this.#close(stream, code);
    }
    this.#owe({ id, serial, code: Code.Done });
    return undefined;
  }

  // ---- Events -------------------------------------------------------------------------------------------

  #streamEvent(): CoreEvent | undefined {
    const stream = this.slots.find((slot) => slot.has(ST_EVENTS));
    if (stream) return this.#eventOf(stream);
    this.clear(Sf.Events);
    return undefined;
  }

  #eventOf(stream: Stream): CoreEvent {
    const { id } = stream;
    if (stream.has(St.EvOpened)) {
      stream.clear(St.EvOpened);
      return { type: 'opened', stream: id };
    }
    if (stream.has(St.EvAcked)) {
      stream.clear(St.EvAcked);
      return { type: 'acked', stream: id, offset: stream.txAcked };
    }
    if (stream.has(St.EvFin)) {
      stream.clear(St.EvFin);
      return { type: 'fin', stream: id };
    }
    if (stream.has(St.EvClosed)) {
      const { code } = stream;
      this.#free(stream);
      return { type: 'closed', stream: id, code: code as Code };
    }
    stream.clear(St.EvRewind);
    return { type: 'rewind', stream: id, offset: stream.tx };
  }

  /** The application has been told that the stream is gone. A gateway remembers how it ended (SPEC 9, closing). */
  #free(stream: Stream): void {
    if (!this.gateway) {
      stream.flags = 0;
      stream.name = '';
      return;
    }
    const ownReset = stream.flags & (St.Reset | St.ResetDue);
    const well = stream.txOver && stream.rxEnd !== 0 && stream.rxSent === stream.rxEnd;
    stream.flags = St.Done | (ownReset !== 0 ? ownReset : well ? 0 : St.Answered);
    if (ownReset === 0) stream.code = Code.Done;
  }

  // ---- Early data, at a device ---------------------------------------------------------------------------

  /** Was TAKEN, and its stream stands behind it; or not, and it starts over where it was. `tx` is the end of its bytes. */
  settleEarly(stream: Stream, taken: boolean, tx: number, fin: boolean): void {
    if (!taken) {
      if (!stream.has(St.Held)) this.#raise(stream, St.EvRewind); // else the gateway's STREAM says where to go on
      return;
    }
    stream.tx = tx + (fin ? 1 : 0);
    stream.txEnd = fin ? stream.tx : 0;
    if (stream.has(St.OpenDue)) {
      stream.rxAt = 0;
      stream.clear(St.OpenDue);
      if (this.has(Sf.Continued)) stream.set(St.StreamDue | St.Asked);
    }
    stream.set(St.Sent | St.Known);
    stream.clear(St.Held);
  }

  /** May have been taken: where to go on, only the gateway knows. */
  doubtEarly(stream: Stream, tx: number, fin: boolean): void {
    const end = tx + (fin ? 1 : 0);
    if (!stream.open) return;
    stream.txHigh = Math.max(stream.txHigh, end);
    if (fin) stream.txEnd = end;
    stream.set(St.Held);
  }

  /** The peer has a stream that this end knows no more. */
  giveUp(id: number): void {
    const stream = this.slots[id];
    if (stream) stream.owed = { id, serial: stream.serial, code: Code.Cancelled };
  }

  /** SPEC 7.4, saved state: how far it got, the gateway alone knows. */
  restore(saved: SavedStream, name: string): void {
    const { id, serial, kind, flags, acked, ack } = saved;
    const stream = this.#slot(id) as Stream;
    const known = flags & SavedFlag.Known ? St.Known | St.Opened : 0;
    stream.begin(serial, kind, name, St.Used | St.Sent | St.Held | known);
    stream.tx = stream.txAcked = acked;
    stream.txHigh = U48_MAX;
    stream.rx = stream.rxAcked = stream.rxSent = ack;
    stream.txEnd = flags & SavedFlag.OwnFin ? acked : 0;
    stream.rxEnd = flags & SavedFlag.PeerFin ? ack : 0;
    stream.rxAt = NOWHERE;
  }

  // ---- Links come and go ---------------------------------------------------------------------------------

  up(now: number): void {
    this.controlUp(now);
    this.#frames = undefined;
  }

  #forgetLink(stream: Stream): void {
    stream.rxAt = NOWHERE;
    stream.clear(St.Named | St.Asked | St.StreamDue | St.AckDue | St.ResetDue);
    // Whether the word that the upstream is connected has arrived is not known.
    if (this.gateway && stream.open && stream.has(St.Opened) && stream.rxAcked === 0) stream.set(St.AckDue);
  }

  /** Device: names a stream to the gateway, from where it knows the gateway to be. */
  #nameStream(stream: Stream): void {
    if (!stream.has(St.Sent)) {
      stream.set(St.OpenDue);
      stream.rxAt = 0;
      return;
    }
    const known = stream.has(St.Known);
    const tx = known ? stream.txAcked : 0;
    stream.clear(St.Doubt); // offsets dedupe what a stream of this session carried
    stream.set(St.Asked | (known ? St.StreamDue : St.OpenDue));
    if (stream.tx === tx) return;
    stream.txHigh = Math.max(stream.txHigh, stream.tx);
    stream.tx = tx;
    stream.set(St.Held);
  }

  /** A link is up that continues the session: resynchronise. */
  linkContinues(): void {
    this.ackMs = Infinity; // STREAM tells what was accepted
    this.set(Sf.Continued | Sf.SyncWait);
    for (const stream of this.slots) {
      this.#forgetLink(stream);
      if (!this.gateway && stream.open) this.#nameStream(stream);
    }
    if (!this.gateway) this.set(Sf.SyncDue | Sf.EvLive);
  }

  /** One of a new session. A device's old session is gone, and with it every stream that was opened in it. */
  linkRenews(): void {
    this.clear(Sf.Continued);
    this.name = this.nextName;
    if (this.gateway) return;
    for (const stream of this.slots) {
      if (!stream.open) continue;
      if (stream.has(St.Doubt)) this.#close(stream, Code.EarlyUnknown);
      else if (stream.has(St.Sent)) this.#close(stream, Code.StateLost);
      else this.#startOver(stream);
    }
    this.set(Sf.EvLive);
  }

  /** Opened in the new session. What early data in the old one came to, if it carried any, does not matter here. */
  #startOver(stream: Stream): void {
    stream.set(St.OpenDue);
    stream.rxAt = 0;
    if (!stream.has(St.Held)) return;
    stream.clear(St.Held);
    stream.txHigh = stream.txEnd = 0;
    this.#raise(stream, St.EvRewind);
  }

  down(): void {
    this.#frames = undefined;
    this.ackMs = Infinity;
    for (const stream of this.slots) {
      stream.owed = undefined; // SPEC 9: a device that goes off-link forgets streams whose RESET it has received
      if (this.gateway) continue;
      stream.clear(St.ResetDue | St.OpenDue);
      // Left unnamed, the gateway forgets it too.
      if (stream.has(St.Used) && stream.has(St.Reset)) this.#close(stream, stream.code);
    }
  }

  /** All streams end with code. */
  end(code: number): void {
    for (const stream of this.slots) {
      stream.clear(ST_DUE);
      stream.owed = undefined;
      if (stream.has(St.Used)) this.#close(stream, code);
    }
  }

  hash(into: StateHash): void {
    this.hashControl(into);
    into.add(this.serial, this.ackMs, this.#frames?.left);
    into.add('streams');
    // A slot that was never used is no state.
    for (const stream of this.slots) if (stream.serial !== 0 || stream.owed) stream.hash(into);
  }
}

/** STREAM: where this end will go on, and its own receiving side. */
export function nameFrame(stream: Stream): Uint8Array {
  const { id, serial, tx, rx, rxAcked: ack } = stream;
  return streamFrame({ id, serial, tx, rx, ack });
}
