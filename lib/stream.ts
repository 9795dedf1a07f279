/**
 * What the device's application holds: a Duplex per stream, and MessageStream for datagrams. Neither notices a link that comes and goes,
 * except as a pause.
 */

import { EventEmitter } from 'node:events';
import { Duplex, type Writable } from 'node:stream';

import { Code, Verdict } from './engine.js';
import { Copies } from './copies.js';
import { HawserError, resetError } from './errors.js';
import { total, type StreamEnd, type StreamPort } from './mux.js';
import { passOn } from './output.js';

type Done = (error?: Error | null) => void;

/** Unsent bytes of which write() says that they are enough: few records of little more than nothing, and few calls of the system. Bytes. */
const maxWritable = 256 * 1024;

/** Shorter ones are gathered before they are handed on. Bytes. */
const short = 1024;

/** Shorter ones share Node's pool of small buffers. Bytes. */
const lent = Buffer.poolSize >>> 1;

/** Where a stream's early data stands. */
export class EarlyVerdict {
  readonly promise: Promise<Verdict>;
  #settle: (verdict: Verdict) => void = () => undefined;
  settled: Verdict | undefined;

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  set(verdict: Verdict): boolean {
    if (this.settled !== undefined) return false;
    this.settled = verdict;
    this.#settle(verdict);
    return true;
  }
}

/**
 * Both halves end on their own (half-close), as with `allowHalfOpen`. 'finish': the upstream has accepted everything and the end.
 * destroy() before that resets the stream. Errors are those of SPEC 9: ERR_HAWSER_NOT_ALLOWED, _UNREACHABLE, _STATE_LOST ...
 */
export class HawserStream extends Duplex implements StreamEnd {
  /**
   * What became of `early`: TAKEN (the gateway has it), NOT TAKEN (it was sent again in the session), UNKNOWN (see `idempotent`),
   * or NONE: it did not ride in message 1 and went the ordinary way. Never rejects.
   */
  readonly verdict: Promise<Verdict>;
  readonly #early: EarlyVerdict;
  readonly #copies = new Copies();
  readonly #enough: number;
  #port: StreamPort | undefined;
  #pipe: Writable | undefined;
  #pushed = 0;
  #consumed = 0;
  #writing: Done | undefined;
  #finishing: Done | undefined;
  #connected = false;
  #over = false;
  /** Bytes of short writes that wait to be handed on together. */
  #loose = 0;
  /** A short write was answered false. */
  #owesDrain = false;
  /** Node's queue may hold something, or take nothing any more. */
  #queued = false;

  /** Made by Session.open(). `windows` are the pairing's, in bytes. */
  constructor(
    readonly upstream: string,
    windows: { own: number; peer: number },
    early: EarlyVerdict,
    options: { captureRejections?: boolean } = {},
  ) {
    super({
      ...options,
      allowHalfOpen: true,
      readableHighWaterMark: windows.own,
      writableHighWaterMark: Math.min(windows.peer, maxWritable),
      emitClose: true,
    });
    this.#enough = this.writableHighWaterMark;
    this.#early = early;
    this.verdict = early.promise;
  }

  /** Its number in the session while it is open. */
  get id(): number | undefined {
    return this.#port?.id;
  }
  /** The gateway has said that the upstream is connected. */
  get connected(): boolean {
    return this.#connected;
  }
  /** Bytes that the upstream has accepted. */
  get bytesAcknowledged(): number {
    return this.#port?.acknowledged ?? 0;
  }

  /** @internal */
  get port(): StreamPort | undefined {
    return this.#port;
  }

  /** @internal */
  bind(port: StreamPort): void {
    this.#port = port;
  }

  /** @internal As pipe(), without memory of their own for bytes that nobody else reads. The caller sees to errors. */
  passTo(pipe: Writable): void {
    for (let waiting = this.read() as Buffer | null; waiting; waiting = this.read() as Buffer | null)
      pipe.write(waiting);
    this.#pipe = pipe;
    this.once('end', () => pipe.end()).resume();
  }

  // ---- The application's side --------------------------------------------------------------------------------------

  /**
   * While nothing waits in Node's queue, chunks go straight to where their copies stand: short ones would be queued one by one, only to be put
   * together again, and long ones would each wait until the last was sent.
   */
  override write(chunk: unknown, done?: Done): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding, done?: Done): boolean;
  override write(chunk: unknown, encoding?: unknown, done?: unknown): boolean {
    if (encoding === undefined && done === undefined && chunk instanceof Uint8Array && this.#copied(chunk)) {
      const full = this.#loose + (this.#port?.unsent ?? 0) >= this.#enough;
      this.#owesDrain = full;
      return !full;
    }
    this.#queued = true;
    return (super.write as (...all: unknown[]) => boolean).call(this, chunk, encoding, done);
  }

  override end(done?: () => void): this;
  override end(chunk: unknown, done?: () => void): this;
  override end(chunk: unknown, encoding?: BufferEncoding, done?: () => void): this;
  override end(...all: unknown[]): this {
    this.#queued = true;
    return (super.end as (...all: unknown[]) => this).apply(this, all);
  }

  override cork(): void {
    this.#queued = true;
    super.cork();
  }

  /** Nothing waits in Node's queue, and it is open. */
  #idle(): boolean {
    if (this.writableLength > 0 || this.writableCorked > 0 || !this.writable) return false;
    this.#queued = false;
    return true;
  }

  #copied(chunk: Uint8Array): boolean {
    const port = this.#port;
    if (chunk.length === 0 || !port || port.closed || this.#owesDrain || this.#writing) return false;
    if (this.#queued && !this.#idle()) return false;
    if (chunk.length <= short && this.#copies.append(chunk, port.written + this.#loose)) {
      if (this.#loose === 0) port.soon(this.#flush);
      this.#loose += chunk.length;
    } else this.#copy([chunk], port);
    return true;
  }

  readonly #flush = (): void => {
    if (this.#loose === 0) return;
    const bytes = this.#copies.appended(this.#loose);
    this.#loose = 0;
    this.#port?.write(bytes);
  };

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  /** Copies: the caller may reuse its buffers after `done`, and these bytes may have to be sent again. */
  #send(chunks: readonly Buffer[], done: Done): void {
    const port = this.#port;
    if (!port || port.closed) return done(new HawserError('ERR_HAWSER_CLOSED', 'the stream is closed'));
    // Nothing is sent for it, so that no drain would ever follow.
    if (total(chunks) === 0) return done();
    this.#writing = done;
    this.#copy(chunks, port);
  }

  #copy(chunks: readonly Uint8Array[], port: StreamPort): void {
    this.#flush();
    this.#copies.free(port.acknowledged);
    for (const copy of this.#copies.of(chunks, port.written)) port.write(copy);
  }

  override _final(done: Done): void {
    if (!this.#port || this.#port.closed)
      return done(this.#over ? null : new HawserError('ERR_HAWSER_CLOSED', 'the stream is closed'));
    if (this.#port.finished) return done();
    this.#flush();
    this.#finishing = done;
    this.#port.end();
  }

  override _read(): void {
    this.#account();
  }

  /** Every way to take bytes comes by here; what is taken may be sent again by the peer. */
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.#account();
    return chunk;
  }

  /** Acknowledges what the application took since. */
  #account(): void {
    const taken = this.#pushed - this.readableLength;
    if (taken <= this.#consumed) return;
    const bytes = taken - this.#consumed;
    this.#consumed = taken;
    this.#port?.consume(bytes);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#queued = true;
    const port = this.#port;
    if (port && !port.closed) port.reset(error ? Code.Cancelled : Code.Done);
    this.#early.set(Verdict.Unknown);
    done(error);
  }

  // ---- The session's side ------------------------------------------------------------------------------------------

  onOpened(): void {
    this.#connected = true;
    this.emit('connect');
  }

  onData(parts: readonly Uint8Array[]): void {
    const port = this.#port;
    if (this.destroyed || !port) return;
    if (this.#pipe) {
      const length = total(parts);
      return passOn(parts, this.#pipe, () => port.consume(length));
    }
    const bytes = owned(parts, port);
    this.#pushed += bytes.length;
    this.#contain(() => this.push(bytes));
    this.#account();
  }

  onFin(): void {
    if (!this.destroyed) this.#contain(() => this.push(null));
  }

  onDrain(): void {
    this.#release();
  }

  onFinished(): void {
    this.#release();
    const done = this.#finishing;
    this.#finishing = undefined;
    if (done) this.#contain(() => done());
  }

  onMessage(): void {
    // A stream carries none.
  }

  onClosed(code: Code, how: 'clean' | 'cut' | 'own'): void {
    this.#over = how === 'clean';
    if (this.#over) return;
    this.#early.set(Verdict.Unknown);
    // Session.close() is no error to whoever called it.
    if (!this.destroyed) this.destroy(how === 'own' && code === Code.Done ? undefined : resetError(code));
  }

  #release(): void {
    const done = this.#writing;
    this.#writing = undefined;
    if (done) this.#contain(() => done());
    if (!this.#owesDrain) return;
    this.#owesDrain = false;
    if (!this.destroyed) this.#contain(() => this.emit('drain'));
  }

  /** A listener that throws ends its own stream and nothing else. */
  #contain(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** One buffer of the application's own: what it is given it may keep. */
function owned(parts: readonly Uint8Array[], port: StreamPort): Uint8Array {
  const length = total(parts);
  const memory = (length >= lent ? port.memory(length) : undefined) ?? Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    memory.set(part, at);
    at += part.length;
  }
  return memory;
}

/** What a record towards the gateway takes (SPEC 3.6), less the head of MSG (SPEC 9). Bytes. */
const messageMax = 16383 - 3;

export interface MessageEvents {
  connect: [];
  message: [data: Buffer];
  error: [Error];
  close: [];
}

/** Datagrams to and from a `udp://` upstream: unreliable, lost with their link. */
export class MessageStream extends EventEmitter<MessageEvents> implements StreamEnd {
  #port: StreamPort | undefined;
  readonly #threw: (error: unknown) => void;
  #closed = false;

  /** Made by Session.openMessages(). */
  constructor(
    readonly upstream: string,
    threw: (error: unknown) => void,
  ) {
    super();
    this.#threw = threw;
  }

  /** False: it was not sent (no link, or one that is busy). ERR_HAWSER_ARG: longer than any record takes, 16380 bytes. */
  send(data: Uint8Array): boolean {
    if (data.length > messageMax)
      throw new HawserError('ERR_HAWSER_ARG', `message: ${data.length} bytes; at most ${messageMax} fit a record`);
    try {
      return this.#port?.message(data) ?? false;
    } catch (error) {
      // The first record of a link is shorter: a busy link, so to speak.
      if (error instanceof HawserError && error.code === 'ERR_HAWSER_LIMIT') return false;
      throw error;
    }
  }

  close(): void {
    const port = this.#port;
    if (!port || port.closed) return;
    port.reset(Code.Done);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** @internal */
  bind(port: StreamPort): void {
    this.#port = port;
  }

  onOpened(): void {
    this.#emit('connect');
  }
  onMessage(bytes: Uint8Array): void {
    this.#emit('message', Buffer.from(bytes));
  }
  onData(parts: readonly Uint8Array[]): void {
    this.#port?.consume(total(parts));
  }
  onFin(): void {
    // Messages have no end.
  }
  onDrain(): void {
    // Nothing is queued.
  }
  onFinished(): void {
    // Messages have no end.
  }

  onClosed(code: Code): void {
    if (this.#closed) return;
    this.#closed = true;
    if (code !== Code.Done && this.listenerCount('error') > 0) this.#emit('error', resetError(code));
    this.#emit('close');
  }

  #emit<K extends keyof MessageEvents>(event: K, ...args: MessageEvents[K]): void {
    try {
      (this.emit as (name: K, ...values: MessageEvents[K]) => boolean).call(this, event, ...args);
    } catch (error) {
      this.#threw(error);
    }
  }
}
