/**
 * One end of a session between its core and the outside: the link below (bytes, when there is one) and a port for each stream above.
 * Keeps what the peer has not acknowledged, writes it again after a rewind, and lets nothing run ahead of what is
 * read: memory per stream is bounded by the windows. Both ends use it.
 */

import { Code, type CoreEvent, type Kind, type SessionCore } from './engine.js';
import { HawserError } from './errors.js';

/** What is above one stream. */
export interface StreamEnd {
  /** Its upstream's name. */
  readonly upstream: string;
  /** The upstream is connected (device). */
  onOpened(): void;
  /** In order; valid until it returns. Call port.consume() as it is accepted. */
  onData(parts: readonly Uint8Array[]): void;
  /** The peer sends no more. */
  onFin(): void;
  /** There is room again after port.write() said no. */
  onDrain(): void;
  /** All that was written was accepted by the peer: no copy of it is needed any more. */
  onSettled?(): void;
  /** Our FIN and all before it was accepted by the peer. */
  onFinished(): void;
  onMessage(bytes: Uint8Array): void;
  /** The last call. 'clean': both directions had ended; 'cut': not; 'own': this end's session is over. */
  onClosed(code: Code, how: 'clean' | 'cut' | 'own'): void;
}

/** What is below: a socket, or anything that carries bytes. */
export interface Link {
  /** False: wait for Mux.drained(). `written`: called, if ever, when the bytes are needed no more. */
  write(bytes: Uint8Array, written: () => void): boolean;
}

export interface MuxOptions {
  /** Events that are not a stream's. Called after the streams have got theirs. */
  event(event: CoreEvent): void;
  /** Somebody above threw: already contained. */
  threw(error: unknown): void;
}

/** So much is turned into records at once for one stream before the next has its turn, or up to `small` more where that is all: full records, where those of the pairing are the longest. Bytes. */
const turn = 8 * 16380;

/** Worth a call of its own. Bytes. */
const small = turn / 8;

/** After so much writing without a pause others come first. Milliseconds. */
const burst = 4;

/** And while the link has so much of which it has not said that it is written out: until the event loop turns it cannot. Bytes. */
const flood = 1 << 20;

interface Chunk {
  bytes: Uint8Array;
  start: number;
}

/** The sending half of one stream, and its identity. */
export class StreamPort {
  readonly #mux: Mux;
  /** Unacknowledged and unsent, in order, without gaps. */
  readonly #chunks: Chunk[] = [];
  /** Index of the chunk that `#next` is in: sending does not search. */
  #at = 0;
  #acked = 0;
  #next = 0;
  #end = 0;
  #ended = false;
  #finSent = false;
  #finished = false;
  #starved = false;
  peerEnded = false;
  closed = false;

  constructor(
    mux: Mux,
    readonly id: number,
    readonly above: StreamEnd,
    from = 0,
  ) {
    this.#mux = mux;
    this.#acked = this.#next = this.#end = from;
  }

  /** Takes all of it, by reference; it must not change until acknowledged. False: wait for drain(). */
  write(bytes: Uint8Array): boolean {
    if (this.closed || this.#ended) return false;
    if (bytes.length > 0) {
      if (!this.#extend(bytes)) this.#chunks.push({ bytes, start: this.#end });
      this.#end += bytes.length;
      this.#mux.wake();
    }
    this.#starved = !this.room;
    return this.room;
  }

  /** What stands in memory right behind the last chunk becomes part of it. */
  #extend(bytes: Uint8Array): boolean {
    const last = this.#chunks.at(-1);
    if (!last || !adjoin(last.bytes, bytes)) return false;
    last.bytes = new Uint8Array(bytes.buffer, last.bytes.byteOffset, last.bytes.length + bytes.length);
    this.#at = Math.min(this.#at, this.#chunks.length - 1);
    return true;
  }

  /** `flush` is called before anything is sent next, and may write. */
  soon(flush: () => void): void {
    this.#mux.before(flush);
  }

  end(): void {
    if (this.closed || this.#ended) return;
    this.#ended = true;
    this.#mux.wake();
  }

  consume(bytes: number): void {
    if (this.closed) return;
    unlessOver(() => this.#mux.core.consume(this.id, bytes));
    this.#mux.wake();
  }

  reset(code: Code): void {
    // Both directions have ended: 'closed' is on its way.
    if (this.closed || (this.#finished && this.peerEnded)) return;
    unlessOver(() => this.#mux.core.reset(this.id, code));
    this.#mux.forget(this, code);
    this.#mux.wake();
  }

  /** Memory for what was received and is handed on for good; all of it must be written over. */
  memory(length: number): Uint8Array | undefined {
    return this.#mux.core.memory?.(length);
  }

  message(bytes: Uint8Array): boolean {
    return !this.closed && this.#mux.message(this.id, bytes);
  }

  /** Everything that was written has been sent: the next write need not queue. */
  get room(): boolean {
    return this.#next === this.#end;
  }
  /** Bytes that were written and not sent. */
  get unsent(): number {
    return this.#end - this.#next;
  }
  /** Bytes that were ever written. */
  get written(): number {
    return this.#end;
  }
  /** Bytes that the peer has not acknowledged, FIN included. */
  get outstanding(): number {
    return this.#end - this.#acked + (this.#ended && !this.#finished ? 1 : 0);
  }
  get acknowledged(): number {
    return this.#acked;
  }
  get finished(): boolean {
    return this.#finished;
  }
  /** end() was called. */
  get ending(): boolean {
    return this.#ended;
  }
  get pending(): boolean {
    return this.#next < this.#end || (this.#ended && !this.#finSent);
  }

  // ---- For Mux --------------------------------------------------------------------------------------------------

  /** One turn. False: the window is shut, or nothing was left. */
  pump(now: number, write: (out: Uint8Array) => void): boolean {
    const bytes = this.#upcoming();
    const last = this.#next + bytes.length === this.#end;
    const result = unlessOver(() => this.#mux.core.write(this.id, plain(bytes), this.#ended && last, now));
    if (!result) return false;
    const { taken, finTaken, out } = result;
    this.#next += taken;
    this.#finSent ||= finTaken;
    this.#seek();
    if (out) write(out);
    return taken > 0 && this.pending;
  }

  /** Small chunks are joined, so that a batch of short writes becomes few records; one that is not small is not copied for it. */
  #upcoming(): Uint8Array {
    const first = this.#chunks[this.#at];
    if (!first || this.#next === this.#end) return empty;
    const from = this.#next - first.start;
    // A small rest goes along.
    const head = first.bytes.subarray(from, from + (this.unsent <= turn + small ? turn + small : turn));
    const parts = [head];
    let length = head.length;
    for (let at = this.#at + 1; length < turn / 2; at += 1) {
      const part = this.#chunks[at]?.bytes;
      if (!part || length + part.length > turn / 2) break;
      if (head.length >= small || part.length >= small) break;
      parts.push(part);
      length += part.length;
    }
    return parts.length === 1 ? head : Buffer.concat(parts, length);
  }

  #seek(): void {
    for (
      let chunk = this.#chunks[this.#at];
      chunk && chunk.start + chunk.bytes.length <= this.#next;
      chunk = this.#chunks[this.#at]
    ) {
      this.#at += 1;
    }
  }

  acked(offset: number): void {
    this.#acked = Math.max(this.#acked, Math.min(offset, this.#end));
    let done = 0;
    for (
      let chunk = this.#chunks[done];
      chunk && chunk.start + chunk.bytes.length <= this.#acked;
      chunk = this.#chunks[done]
    )
      done += 1;
    if (done > 0) {
      this.#chunks.splice(0, done);
      this.#at = Math.max(0, this.#at - done);
    }
    if (this.#next < this.#acked) this.rewind(this.#acked);
    if (done > 0 && this.#acked === this.#end) this.above.onSettled?.();
    if (this.#ended && !this.#finished && offset > this.#end) {
      this.#finished = true;
      this.#finSent = true;
      this.above.onFinished();
    }
  }

  /** Sending goes on from here, higher or lower. */
  rewind(offset: number): void {
    this.#next = Math.min(offset, this.#end);
    this.#finSent = this.#ended && offset > this.#end;
    this.#at = 0;
    this.#seek();
  }

  /** After turns: whoever was told to wait is told to go on. */
  tellRoom(): void {
    if (!this.#starved || !this.room || this.closed) return;
    this.#starved = false;
    this.above.onDrain();
  }

  release(): void {
    this.closed = true;
    this.#chunks.length = 0;
  }
}

type DataEvent = Extract<CoreEvent, { type: 'data' }>;

/** The data of records of one stream that follow each other, from `at` on. */
function run(events: readonly CoreEvent[], at: number, stream: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let event = events[at]; event?.type === 'data' && event.stream === stream; event = events[(at += 1)])
    parts.push(event.data);
  return parts;
}

export function total(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

/** `next` stands in memory right behind `bytes`. */
function adjoin(bytes: Uint8Array, next: Uint8Array): boolean {
  return bytes.buffer === next.buffer && bytes.byteOffset + bytes.length === next.byteOffset;
}

const empty = new Uint8Array(0);

const ended = ['ERR_HAWSER_CLOSED'];
/** The id may even be a newer stream's by now, which has not received what is accepted here. */
const endedOrNewer = [...ended, 'ERR_HAWSER_ARG'];

/** A core is ahead of the events that it gave: it may have closed a stream whose 'closed' has not been handed on yet. */
function unlessOver<T>(call: () => T, codes = endedOrNewer): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof HawserError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

/** The same bytes, not as a Buffer, whose slice() is a view: cores copy with slice(). */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Milliseconds on the clock that cores get. */
export function monotonic(): number {
  return Math.floor(performance.now());
}

export class Mux<Core extends SessionCore = SessionCore> {
  readonly ports = new Map<number, StreamPort>();
  readonly core: Core;
  readonly #options: MuxOptions;
  #link: Link | undefined;
  #clogged = false;
  #scheduled = false;
  /** Sealed for the link that is there, in this order, and not handed to it yet. */
  readonly #outbox: Uint8Array[] = [];
  #handing = false;
  /** The link that takes more, from the next turn of the event loop on. */
  #resuming: Link | undefined;
  #pumping = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #over = false;
  readonly #before: (() => void)[] = [];
  /** Round robin: the stream that goes first next time. */
  #first = 0;
  /** Bytes that the link was given and has not written out. */
  #flooded = 0;
  /** Grows when bytes were accepted at either end. */
  progress = 0;

  constructor(core: Core, options: MuxOptions) {
    this.core = core;
    this.#options = options;
  }

  get linked(): boolean {
    return this.#link !== undefined;
  }

  // ---- Link -----------------------------------------------------------------------------------------------------

  attach(link: Link): void {
    this.#unlink();
    this.#link = link;
    this.wake();
  }

  /** The caller has told the core, or does so next. */
  detach(): void {
    this.#unlink();
  }

  /** What was sealed for it is nobody's now. */
  #unlink(): void {
    this.#link = undefined;
    this.#clogged = false;
    this.#flooded = 0;
    for (const bytes of this.#outbox.splice(0)) this.core.release?.(bytes);
  }

  /**
   * The link takes more. Not at once: a socket whose writes go straight through says so again and again without ever letting
   * the event loop read.
   */
  drained(): void {
    const link = this.#link;
    if (!link || this.#resuming === link) return;
    this.#resuming = link;
    setImmediate(() => {
      if (this.#resuming !== link) return;
      this.#resuming = undefined;
      if (this.#link !== link) return;
      this.#clogged = false;
      this.pump();
    });
  }

  receive(chunk: Uint8Array): void {
    // What is accepted meanwhile is answered by the one pump() below.
    const scheduled = this.#scheduled;
    this.#scheduled = true;
    try {
      this.dispatch(this.core.receive(plain(chunk), monotonic()));
    } finally {
      this.#scheduled = scheduled;
    }
    this.pump();
  }

  // ---- Streams --------------------------------------------------------------------------------------------------

  add(id: number, above: StreamEnd, from = 0): StreamPort {
    const port = new StreamPort(this, id, above, from);
    this.ports.set(id, port);
    return port;
  }

  /** Ended by this end. */
  forget(port: StreamPort, code: Code): void {
    if (this.ports.get(port.id) === port) this.ports.delete(port.id);
    this.#closePort(port, code, 'cut');
  }

  /** All of them, because the session is over or forgotten. */
  forgetAll(code: Code): void {
    const ports = [...this.ports.values()];
    this.ports.clear();
    for (const port of ports) this.#closePort(port, code, 'own');
  }

  message(id: number, bytes: Uint8Array): boolean {
    if (!this.#link || this.#clogged || !this.core.live) return false;
    const out = unlessOver(() => this.core.message(id, plain(bytes), monotonic()), ended);
    if (out) this.#outbox.push(out);
    this.#handOut();
    return out !== undefined;
  }

  /** Hands on what the core has noticed by itself. Before an id is given out again its 'closed' must have been. */
  settle(): void {
    const now = monotonic();
    if (this.core.deadline() <= now) this.dispatch(this.core.timeout(now));
  }

  dispatch(events: readonly CoreEvent[]): void {
    for (let at = 0; at < events.length;) {
      const event = events[at] as CoreEvent;
      if (event.type === 'data' || event.type === 'acked') this.progress += 1;
      const parts = event.type === 'data' ? run(events, at, event.stream) : undefined;
      at += parts?.length ?? 1;
      try {
        // For one that this end has reset it is nobody's.
        if (parts) this.ports.get((event as DataEvent).stream)?.above.onData(parts);
        else if (!this.#streamEvent(event)) this.#options.event(event);
      } catch (error) {
        this.#options.threw(error);
      }
    }
  }

  /** True: it was a stream's own. */
  #streamEvent(event: CoreEvent): boolean {
    if (!('stream' in event) || event.type === 'open' || event.type === 'verdict') return false;
    const port = this.ports.get(event.stream);
    // One that this end has reset: what still comes for it is nobody's.
    if (!port) return true;
    switch (event.type) {
      case 'opened':
        port.above.onOpened();
        break;
      case 'fin':
        port.peerEnded = true;
        port.above.onFin();
        break;
      case 'acked':
        port.acked(event.offset);
        break;
      case 'rewind':
        port.rewind(event.offset);
        break;
      case 'message':
        port.above.onMessage(event.data);
        break;
      case 'closed':
        this.#peerClosed(port, event.code);
        break;
    }
    return true;
  }

  #peerClosed(port: StreamPort, code: Code): void {
    this.ports.delete(port.id);
    // The id is free only when our FIN was acknowledged too: say so even if that came in the same breath.
    if (code === Code.Done && port.peerEnded && port.outstanding > 0) port.acked(Infinity);
    this.#closePort(port, code, code === Code.Done && port.finished && port.peerEnded ? 'clean' : 'cut');
  }

  #closePort(port: StreamPort, code: Code, how: 'clean' | 'cut' | 'own'): void {
    if (port.closed) return;
    port.release();
    try {
      port.above.onClosed(code, how);
    } catch (error) {
      this.#options.threw(error);
    }
  }

  // ---- Pumping --------------------------------------------------------------------------------------------------

  /** Soon: what happens in the same tick goes out together. */
  wake(): void {
    if (this.#scheduled || this.#over) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.pump();
    });
  }

  /** For StreamPort. */
  before(flush: () => void): void {
    this.#before.push(flush);
    this.wake();
  }

  /** Sends what is due and arms the timer. */
  pump(): void {
    if (this.#pumping || this.#over) return;
    this.#pumping = true;
    try {
      this.#pumpNow();
    } catch (error) {
      this.#options.threw(error);
    } finally {
      this.#pumping = false;
    }
    this.#arm();
  }

  #pumpNow(): void {
    if (this.#before.length > 0) for (const flush of this.#before.splice(0)) flush();
    if (!this.#link || this.#clogged) return;
    try {
      const control = this.core.send(monotonic());
      // Not handed out before there is data behind it, or none.
      if (control) this.#outbox.push(control);
      if (this.core.live) this.#pumpStreams();
    } finally {
      this.#handOut();
    }
    // A stream that is opened meanwhile is told nothing, and one that ends is closed.
    for (const port of this.ports.values()) port.tellRoom();
  }

  #pumpStreams(): void {
    const waiting: StreamPort[] = [];
    for (const port of this.ports.values()) if (port.pending) waiting.push(port);
    if (waiting.length === 0) return;
    const write = (out: Uint8Array): void => {
      this.#outbox.push(out);
      this.#handOut();
    };
    const start = this.#first++ % waiting.length;
    const ready = [...waiting.slice(start), ...waiting.slice(0, start)];
    const until = performance.now() + burst;
    for (let port = ready.shift(); port && this.#link && !this.#clogged; port = ready.shift()) {
      if (!port.closed && port.pump(monotonic(), write)) ready.push(port);
      if (this.#clogged) return;
      if (this.#flooded >= flood || (ready.length > 0 && performance.now() >= until)) return this.#pausePumping();
    }
  }

  /** Whoever else this process serves has a turn first. */
  #pausePumping(): void {
    this.#clogged = true;
    this.drained();
  }

  /** In the order of sealing, whoever adds to it meanwhile; what stands together in memory in one write. */
  #handOut(): void {
    if (this.#handing) return;
    this.#handing = true;
    try {
      while (this.#outbox.length > 0) this.#hand(this.#outbox.splice(0, this.#together()));
    } finally {
      this.#handing = false;
    }
  }

  /** So many of the first pieces stand one behind the other. */
  #together(): number {
    let count = 1;
    for (let [last, next] = this.#outbox; last && next && adjoin(last, next); next = this.#outbox[count]) {
      last = next;
      count += 1;
    }
    return count;
  }

  #hand(parts: readonly Uint8Array[]): void {
    const link = this.#link;
    const [first = empty] = parts;
    const length = total(parts);
    const bytes = parts.length === 1 ? first : new Uint8Array(first.buffer, first.byteOffset, length);
    this.#flooded += length;
    const written = (): void => {
      if (this.#link === link) this.#flooded -= length;
      for (const part of parts) this.core.release?.(part);
    };
    if (!link) written();
    else if (!link.write(bytes, written) && this.#link === link) this.#clogged = true;
  }

  // ---- Time -----------------------------------------------------------------------------------------------------

  #arm(): void {
    if (this.#over) return;
    const deadline = this.core.deadline();
    // A timer that goes off early finds nothing due and is set again: cheaper than moving it with every record.
    if (deadline >= this.#timerAt || deadline === Infinity) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    const wait = Math.min(Math.max(deadline - monotonic(), 1), 0x7fffffff);
    this.#timer = setTimeout(() => this.#due(), wait);
  }

  #due(): void {
    this.#timerAt = Infinity;
    this.#timer = undefined;
    this.settle();
    this.pump();
  }

  /** For good. Streams must have been told before. */
  stop(): void {
    this.#over = true;
    this.#unlink();
    clearTimeout(this.#timer);
    this.#timerAt = Infinity;
  }
}

export type { Kind };
