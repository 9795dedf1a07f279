/**
 * One connection to the gateway: message 1, its answer, the first record, then the records of a session. It owns the byte pipe; whatever is
 * wrong ends it without a byte in answer.
 */

import type { Duplex } from 'node:stream';

import type { Reason } from '../counters.js';
import { Transport, type AcceptCore, type AcceptEvent } from '../engine.js';
import { HawserError } from '../errors.js';
import { monotonic, plain } from '../mux.js';
import type { Context } from './context.js';
import { Silence, type Answer, type Door } from './door.js';
import { readBorrowed } from '../reads.js';
import { Intake, portion } from './intake.js';
import type { DeviceSession, SessionLink } from './session.js';

interface Waiting extends Answer {
  /** Milliseconds that the answer took. */
  ms: number;
}

export interface ConnectionOwner {
  /** It was sent an answer, and waits for this device's first record. */
  waits(device: string): void;
  waitsNoMore(device: string): void;
  /** It is live: all other links and candidates of the device die. */
  confirmed(device: string): void;
  closed(): void;
}

export class Connection implements SessionLink {
  readonly remote: string | undefined;
  readonly #context: Context;
  readonly #door: Door;
  readonly #pipe: Duplex;
  readonly #transport: Transport;
  readonly #owner: ConnectionOwner;
  readonly #timer: NodeJS.Timeout;
  /** For a message 1: at first, and on a serial line always. */
  #listening: AcceptCore | undefined;
  #waiting: Waiting | undefined;
  #vouched = false;
  #session: DeviceSession | undefined;
  readonly #intake: Intake;
  /** The store is asked whose message 1 it is. */
  #asking = false;
  /** The peer hung up while the store was asked: what it sent before comes first. */
  #hungUpMeanwhile = false;
  #closed = false;

  /** `given`: a caller's own pipe, which stays what it is. */
  constructor(
    context: Context,
    door: Door,
    pipe: Duplex,
    transport: Transport,
    given: boolean,
    owner: ConnectionOwner,
  ) {
    this.#context = context;
    this.#door = door;
    const read = (bytes: Uint8Array): void => this.#received(bytes);
    this.#pipe = pipe;
    if (given) pipe.on('data', read);
    else readBorrowed(pipe, read);
    this.#transport = transport;
    this.#owner = owner;
    this.remote = (pipe as { remoteAddress?: string }).remoteAddress;
    this.#listening = context.engine.accept(transport, { keylog: context.settings.keylog });
    this.#timer = setTimeout(() => this.#drop('handshakeTimeout'), context.settings.handshakeTimeout);
    const take = (bytes: Uint8Array): void => this.#guard(() => this.#onData(bytes));
    this.#intake = new Intake(pipe, take, this.#serial ? portion.serial : portion.bytes);
    pipe.on('drain', () => this.#session?.drained());
    pipe.on('end', () => this.#hungUp());
    pipe.on('close', () => this.#hungUp());
    pipe.on('error', () => this.#hungUp());
    // A serial line has no connections that could be half-open.
    if (this.#serial) clearTimeout(this.#timer);
  }

  /** It has sent nothing yet that anybody vouched for: the first to go when there are too many. */
  get anonymous(): boolean {
    return !this.#vouched;
  }
  get live(): boolean {
    return this.#session !== undefined;
  }
  get answeredTo(): string | undefined {
    return this.#waiting?.candidate.key;
  }

  // ---- SessionLink --------------------------------------------------------------------------------------------------

  write(bytes: Uint8Array, written?: () => void): boolean {
    if (this.#closed || this.#pipe.destroyed) return true;
    return this.#pipe.write(bytes, written);
  }

  /** Ends a connection; on a serial line only what was going on over it. */
  destroy(): void {
    this.#session = undefined;
    if (!this.#serial) this.close();
  }

  end(): void {
    this.#session = undefined;
    if (this.#serial) return;
    this.#pipe.end();
    this.#release();
    // Whoever does not hang up is hung up on.
    const timer = setTimeout(() => this.#pipe.destroy(), 1000);
    this.#pipe.once('close', () => clearTimeout(timer));
  }

  /** The pipe itself. */
  close(): void {
    this.#release();
    this.#pipe.destroy();
  }

  /** Another link of the device is live. */
  supersede(): void {
    this.#drop('superseded');
  }

  // ---- Bytes in -----------------------------------------------------------------------------------------------------

  get #serial(): boolean {
    return this.#transport === Transport.Serial;
  }

  /** SPEC 3.3: nothing follows message 1 before its answer. So a stranger holds no memory while the store is asked. */
  #received(bytes: Uint8Array): void {
    if (this.#asking && bytes.length > 0) this.#drop('badMessage');
    else this.#intake.push(bytes);
  }

  #onData(chunk: Uint8Array): void {
    if (this.#closed) return;
    if (this.#serial) this.#serialData(chunk);
    else if (this.#session) this.#session.receive(chunk);
    else this.#handshakeData(chunk);
  }

  #handshakeData(chunk: Uint8Array): void {
    const accept = this.#waiting?.accept ?? this.#listening;
    if (!accept) return this.#drop('badMessage');
    const { used, event } = accept.receive(plain(chunk), monotonic());
    if (event) this.#step(accept, event, chunk.subarray(used));
  }

  /** Each listener decrypts in place, so each gets its own copy, and skips what is not for it. */
  #serialData(chunk: Uint8Array): void {
    const listening = this.#listening;
    if (!listening) return;
    const { used, event } = listening.receive(Uint8Array.from(chunk), monotonic());
    const first = event?.type === 'id' || event?.type === 'ticket';
    const part = first ? chunk.subarray(0, used) : chunk;
    const rest = first ? chunk.subarray(used) : new Uint8Array(0);
    this.#session?.receive(Uint8Array.from(part));
    if (this.#serialConfirmed(part, rest)) return;
    if (first) this.#step(listening, event, rest);
  }

  /** True: the first record of the candidate is there, and the rest waits until it is confirmed. */
  #serialConfirmed(part: Uint8Array, rest: Uint8Array): boolean {
    const waiting = this.#waiting;
    if (!waiting) return false;
    const { used, event } = waiting.accept.receive(Uint8Array.from(part), monotonic());
    if (event?.type !== 'confirm') return false;
    this.#step(waiting.accept, event, Buffer.concat([part.subarray(used), rest]));
    return true;
  }

  #step(accept: AcceptCore, event: AcceptEvent, rest: Uint8Array): void {
    switch (event.type) {
      case 'drop':
        return this.#drop(this.#waiting ? 'badRecord' : 'badMessage', undefined, event.error);
      case 'id':
      case 'ticket':
        if (rest.length > 0 && !this.#serial) return this.#drop('badMessage');
        this.#asking = !this.#serial;
        return this.#wait(rest, () => this.#answer(accept, event));
      case 'confirm':
        return this.#wait(rest, () => this.#confirm());
    }
  }

  /** The store is asked; bytes wait meanwhile. */
  #wait(rest: Uint8Array, work: () => Promise<void>): void {
    this.#intake.hold(rest);
    void work()
      .catch((error: unknown) => this.#failed(error))
      .then(() => this.#goOn());
  }

  #goOn(): void {
    this.#asking = false;
    if (this.#closed) return;
    this.#intake.release();
    if (this.#hungUpMeanwhile) this.#hungUp();
  }

  // ---- Handshake ------------------------------------------------------------------------------------------------------

  async #answer(accept: AcceptCore, event: Extract<AcceptEvent, { type: 'id' | 'ticket' }>): Promise<void> {
    const start = performance.now();
    this.#listening = this.#serial
      ? this.#context.engine.accept(this.#transport, { keylog: this.#context.settings.keylog })
      : undefined;
    const answer = await this.#door.answer(accept, event, this.#transport, this.remote ?? '');
    if (this.#closed) return answer.accept.wipe();
    this.#takeWaiting()?.accept.wipe();
    this.#vouched = true;
    this.#waiting = { ...answer, ms: performance.now() - start };
    this.#owner.waits(answer.candidate.device);
    this.write(answer.bytes);
  }

  #takeWaiting(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) this.#owner.waitsNoMore(waiting.candidate.device);
    return waiting;
  }

  async #confirm(): Promise<void> {
    const waiting = this.#takeWaiting();
    if (!waiting) return;
    const { accept, candidate } = waiting;
    const figures = accept.handshake ?? candidate.accept.handshake;
    const { session, continued } = await this.#confirmed(waiting);
    if (figures) session.reportHandshake({ ...figures, early: candidate.verdict, ms: waiting.ms, continued });
    // The device hung up meanwhile: its session is confirmed all the same.
    if (this.#closed) session.linkDown();
    else if (session.isLinkedTo(this)) this.#session = session;
    this.#owner.confirmed(candidate.device);
  }

  /** Whatever comes of it, this link's copy of the keys is needed no more. */
  async #confirmed(waiting: Waiting): Promise<{ session: DeviceSession; continued: boolean }> {
    try {
      const confirmed = await this.#door.confirm(waiting);
      clearTimeout(this.#timer);
      confirmed.session.attach(this, waiting.accept, confirmed.continued, monotonic());
      return confirmed;
    } finally {
      waiting.accept.wipe();
    }
  }

  // ---- The end ----------------------------------------------------------------------------------------------------------

  #failed(error: unknown): void {
    if (error instanceof Silence) return this.#drop(error.reason, error.device);
    this.#drop('store', undefined, error instanceof HawserError ? error : undefined);
    this.#context.threw(error);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#drop('badMessage', undefined, error instanceof HawserError ? error : undefined);
      this.#context.threw(error);
    }
  }

  #drop(reason: Reason, device?: Uint8Array, error?: HawserError): void {
    if (this.#closed) return;
    this.#context.drop(reason, { remote: this.remote, device: device ?? this.#waiting?.candidate.record.id, error });
    if (this.#serial) return;
    this.#session?.linkDown();
    this.close();
  }

  #hungUp(): void {
    this.#hungUpMeanwhile = this.#intake.held;
    if (this.#closed || this.#hungUpMeanwhile) return;
    const session = this.#session;
    if (!session && !this.#serial) this.#context.drop('closedEarly', { remote: this.remote });
    this.close();
    if (session?.isLinkedTo(this)) session.linkDown();
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#session = undefined;
    clearTimeout(this.#timer);
    this.#listening?.wipe();
    this.#takeWaiting()?.accept.wipe();
    this.#intake.stop();
    this.#owner.closed();
  }
}
