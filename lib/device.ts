/**
 * The device's end over real connections: connect() and the Session that it gives, which goes on connecting until it is ended.
 * It listens on nothing and answers nobody.
 */

import { lookup } from 'node:dns/promises';
import { connect as netConnect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';

import { Backoff } from './backoff.js';
import { Counters, type Reason } from './counters.js';
import { deviceCredentials, type Credentials } from './credentials.js';
import { SafeEmitter } from './emitter.js';
import { Ending } from './ending.js';
import {
  Code,
  Kind,
  Mode,
  Transport,
  Verdict,
  type CoreEvent,
  type DeviceCore,
  type Early,
  type Engine,
} from './engine.js';
import { selectEngine } from './engine/select.js';
import { HawserError, resetError } from './errors.js';
import { keylogLines } from './keylog.js';
import { monotonic, Mux, type StreamPort } from './mux.js';
import { checkDevicePairing, checkUpstreamName } from './pairing/terms.js';
import { borrowed, type Take } from './reads.js';
import { readSaved } from './saved.js';
import { MemoryStorage, Slots, storageError, type SlotsFound } from './storage.js';
import { EarlyVerdict, HawserStream, MessageStream } from './stream.js';
import type {
  Address,
  ConnectOptions,
  DeviceStorage,
  HandshakeReport,
  OpenOptions,
  SavedState,
  SessionEvents,
} from './types.js';

/**
 * Connects, and keeps connected until session.close() or the signal. Resolves when the first link is up (`lazy`: when it
 * is ready to connect). Rejects for what trying again cannot mend: ERR_HAWSER_CONFIG and _ARG (pairing, options),
 * _STORAGE (unreadable at the start), _REVOKED, or the signal's reason.
 */
export async function connect(options: ConnectOptions): Promise<Session> {
  options.signal?.throwIfAborted();
  const session = new Session(options);
  await session.start();
  if (!options.lazy) await session.firstLink;
  return session;
}

const defaults = { connectTimeout: 10_000, backoffMin: 250, backoffMax: 60_000, streams: 16, closeTimeout: 5_000 };
const lockedOut =
  'no slot holds the resumption chain, so this device starts from its pairing again, and a gateway that has answered it before ' +
  'will not: unless it never was connected, pair it anew (hawser pair NAME --replace)';
/** A link that lasted so long was a good one. Milliseconds. */
const goodLink = 1_000;
/** Longest message 1 without early data, and what stands before early bytes in one. Bytes. */
const message1 = { max: 4095, fixed: 46, open: 9, data: 3 };

/** Longest early data for an upstream of this name, in bytes. */
export function maxEarly(name: string): number {
  return message1.max - message1.fixed - message1.open - Buffer.byteLength(name) - message1.data;
}

interface EarlyOffer {
  port: StreamPort;
  data: Uint8Array;
  idempotent: boolean;
  verdict: EarlyVerdict;
}

export class Session extends SafeEmitter<SessionEvents> implements AsyncDisposable {
  /** Settles when the first link is up, or when there will be none. */
  readonly firstLink: Promise<void>;
  /** What went wrong, by reason. */
  readonly counters = new Counters();
  /** Streams that a saved state brought back, by their upstream's name; write on from `bytesAcknowledged`. */
  readonly restored: HawserStream[] = [];

  readonly #options: ConnectOptions;
  readonly #engine: Engine;
  readonly #core: DeviceCore;
  readonly #mux: Mux<DeviceCore>;
  readonly #storage: DeviceStorage;
  readonly #slots: Slots;
  readonly #credentials: Credentials;
  readonly #backoff: Backoff;
  readonly #ending = new Ending();
  readonly #transport: Transport;
  #running: Promise<void> = Promise.resolve();
  #linkEnded: (() => void) | undefined;
  #linkError: HawserError | undefined;
  #live = false;
  #everLive = false;
  #saidFarewell = false;
  #ended = false;
  /** Counts attempts: what belongs to an earlier one is stale. */
  #attempt = 0;
  #attemptStarted = 0;
  #liveSince = 0;
  /** Of the mux, when the link became live: a link over which something was done was a good one too. */
  #progress = 0;
  #offers: EarlyOffer[] = [];
  #riding: EarlyOffer | undefined;
  readonly #verdicts = new Map<StreamPort, EarlyVerdict>();
  #handshakePending = false;
  #settleFirst: { resolve: () => void; reject: (error: unknown) => void } = {
    resolve: () => undefined,
    reject: () => undefined,
  };

  /** Use connect(). */
  constructor(options: ConnectOptions) {
    super();
    checkOptions(options);
    this.#options = options;
    this.#engine = options.engine ?? selectEngine();
    this.#storage = options.storage ?? new MemoryStorage();
    this.#slots = new Slots(this.#storage);
    this.#credentials = deviceCredentials(this.#engine, options.pairing);
    this.#core = this.#engine.device(this.#credentials.pairing, {
      streams: options.streams ?? defaults.streams,
      keylog: options.keylog ?? false,
    });
    this.#mux = new Mux(this.#core, {
      event: (event) => this.#onEvent(event),
      threw: (error) => this.listenerThrew('stream', error),
    });
    this.#backoff = new Backoff(
      options.backoff?.min ?? defaults.backoffMin,
      options.backoff?.max ?? defaults.backoffMax,
    );
    this.#transport = options.framing === 'serial' ? Transport.Serial : Transport.Stream;
    this.firstLink = new Promise((resolve, reject) => {
      this.#settleFirst = { resolve, reject };
    });
    this.firstLink.catch(() => undefined);
  }

  /** A link is up. */
  get live(): boolean {
    return this.#live;
  }
  /** It has ended and will not connect again. */
  get closed(): boolean {
    return this.#ended;
  }
  /** 8 bytes, SPEC 9. */
  get name(): Uint8Array {
    return this.#core.name;
  }

  /** @internal Boots from storage and begins to connect. */
  async start(): Promise<void> {
    try {
      await this.#boot();
    } catch (error) {
      this.#finish();
      throw error instanceof HawserError ? error : storageError(error);
    }
    const { signal } = this.#options;
    signal?.addEventListener('abort', this.#aborted, { once: true });
    if (signal?.aborted) this.#aborted();
    this.#running = this.#run();
  }

  async #boot(): Promise<void> {
    const found = await this.#slots.boot((slot0, slot1) => this.#core.boot(slot0, slot1));
    const saved = await this.#storage.takeState();
    if (saved) this.#restore(saved);
    this.#judge(found);
  }

  /** A slot that was torn by a power cut is nothing strange while the other one holds the chain. */
  #judge({ usable, faults }: SlotsFound): void {
    if (faults.length === 0) return;
    const found = faults.join('; ');
    if (!usable && this.#options.pairing.mode === Mode.Ticket) {
      this.#tellSoon('warning', `${found}; ${lockedOut}`);
    } else if (!usable && faults.length === 2) {
      this.#tellSoon('warning', `${found}; the resumption chain is lost, a full handshake begins a new one`);
    } else this.#tellSoon('debug', found);
  }

  /** When whoever awaits connect() has had the time to listen. */
  #tellSoon(event: 'warning' | 'debug', message: string): void {
    setImmediate(() => {
      if (event === 'warning' && this.listenerCount(event) === 0) process.emitWarning(message, 'HawserWarning');
      this.tell(event, message);
    });
  }

  #restore(saved: SavedState): void {
    const entries = readSaved(saved.blob).streams;
    const names = new Map(saved.names);
    this.#core.restore(saved.blob, names);
    for (const { id, acked, messages } of entries) {
      if (messages) this.#core.reset(id, Code.Cancelled);
      else this.restored.push(this.#bindStream(id, names.get(id) ?? '', new EarlyVerdict(), acked));
    }
  }

  readonly #aborted = (): void => {
    this.#end(Code.Cancelled, this.#options.signal?.reason as unknown);
  };

  // ---- Streams ----------------------------------------------------------------------------------------------------

  /**
   * A stream to an upstream that the pairing names. Resolves when the gateway has connected it; with `early` (may be empty) at
   * once. Rejects with the reset's error, ERR_HAWSER_LIMIT (too many streams), _ARG, _CLOSED, or the signal's reason.
   *
   * `early` rides in message 1 if the session has no link and none is being made; longer than maxEarly(name) is refused.
   */
  async open(name: string, options: OpenOptions = {}): Promise<HawserStream> {
    this.#checkOpen(name, options);
    this.#mux.settle();
    const early = new EarlyVerdict();
    const stream = this.#bindStream(this.#core.open(name, Kind.Stream), name, early, 0);
    if (options.early) {
      this.#offer(stream, options.early, options.idempotent ?? false, early);
      bindSignal(stream, options.signal);
      return stream;
    }
    early.set(Verdict.None);
    await connected(stream, options.signal);
    return stream;
  }

  /** Datagrams to a `udp://` upstream. Resolves at once; 'connect' tells when the gateway has it. */
  // eslint-disable-next-line @typescript-eslint/require-await -- as open()
  async openMessages(name: string): Promise<MessageStream> {
    this.#checkOpen(name, {});
    this.#mux.settle();
    const messages = new MessageStream(name, (error) => this.listenerThrew('message', error));
    const port = this.#mux.add(this.#core.open(name, Kind.Messages), messages);
    messages.bind(port);
    this.#mux.wake();
    return messages;
  }

  #checkOpen(name: string, options: OpenOptions): void {
    options.signal?.throwIfAborted();
    if (this.#ended) throw new HawserError('ERR_HAWSER_CLOSED', 'the session has ended');
    checkUpstream(name);
    if (options.early && options.early.length > maxEarly(name)) {
      throw new HawserError(
        'ERR_HAWSER_ARG',
        `early: ${options.early.length} bytes; at most ${maxEarly(name)} fit for '${name}'`,
      );
    }
  }

  #bindStream(id: number, name: string, early: EarlyVerdict, from: number): HawserStream {
    const { windowDevice, windowGateway } = this.#options.pairing;
    const stream = new HawserStream(name, { own: windowDevice, peer: windowGateway }, early);
    stream.bind(this.#mux.add(id, stream, from));
    this.#mux.wake();
    return stream;
  }

  #offer(stream: HawserStream, bytes: Uint8Array, idempotent: boolean, verdict: EarlyVerdict): void {
    const data = Uint8Array.from(bytes);
    const { port } = stream;
    if (!port || data.length === 0) return void verdict.set(Verdict.None);
    port.write(data);
    if (this.#mux.linked) return void verdict.set(Verdict.None);
    this.#offers.push({ port, data, idempotent, verdict });
  }

  // ---- The loop of links --------------------------------------------------------------------------------------------

  async #run(): Promise<void> {
    const addresses = this.#addresses();
    while (!this.#ended) {
      const pipe = await this.#openPipe(addresses);
      if (pipe) await this.#usePipe(pipe);
      if (!this.#ended) await this.#backoff.pause(this.#ending);
    }
  }

  /** Every address that every name resolves to, again and again. Undefined: names that do not resolve now. */
  async *#addresses(): AsyncGenerator<Address | undefined, never> {
    const { host, port, addresses, pairing } = this.#options;
    const list = host !== undefined && port !== undefined ? [{ host, port }] : (addresses ?? pairing.addresses);
    for (;;) {
      let any = false;
      for (const address of list) {
        for (const ip of await this.#resolve(address.host)) {
          any = true;
          yield { host: ip, port: address.port };
        }
      }
      if (!any) yield undefined;
    }
  }

  async #resolve(host: string): Promise<string[]> {
    if (isIP(host) !== 0) return [host];
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } catch (error) {
      this.tell('debug', `${host}: ${(error as Error).message}`);
      return [];
    }
  }

  async #openPipe(addresses: AsyncGenerator<Address | undefined, never>): Promise<Duplex | undefined> {
    try {
      if (this.#options.pipe) {
        const pipe = await this.#ownPipe(this.#options.pipe);
        return pipe?.on('data', (chunk: Uint8Array) => this.#receive(chunk));
      }
      const { value: address } = await addresses.next();
      if (!address || this.#ended) return undefined;
      const timeout = this.#options.connectTimeout ?? defaults.connectTimeout;
      return await dial(address, timeout, this.#ending, (bytes) => this.#receive(bytes));
    } catch (error) {
      this.tell('debug', `no connection: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  /** The caller's pipe; one that comes too late is put away. */
  #ownPipe(open: () => Duplex | Promise<Duplex>): Promise<Duplex | undefined> {
    return new Promise((resolve, reject) => {
      const opening = Promise.resolve(open());
      const leave = this.#ending.wait(() => resolve(undefined));
      void opening.finally(leave).then((pipe) => {
        if (this.#ending.over) pipe.destroy();
        resolve(pipe);
      }, reject);
    });
  }

  /** One link over a stream pipe; on a serial line, which does not end with a link, one after the other. */
  async #usePipe(pipe: Duplex): Promise<void> {
    pipe.on('error', (error) => this.tell('debug', `connection: ${error.message}`));
    pipe.on('close', () => this.#linkEnded?.());
    pipe.on('end', () => pipe.destroy());
    pipe.on('drain', () => this.#mux.drained());
    await this.#useLink(pipe);
    while (this.#transport === Transport.Serial && !this.#ended && !pipe.destroyed) {
      await this.#backoff.pause(this.#ending);
      await this.#useLink(pipe);
    }
    if (this.#ended) pipe.end();
    pipe.destroy();
  }

  async #useLink(pipe: Duplex): Promise<void> {
    if (this.#ended || pipe.destroyed) return;
    this.#attempt += 1;
    this.#linkError = undefined;
    const over = new Promise<void>((resolve) => {
      this.#linkEnded = resolve;
    });
    if (this.#begin(pipe)) await over;
    this.#linkEnded = undefined;
    this.#linkDown();
  }

  #begin(pipe: Duplex): boolean {
    try {
      this.#handshakePending = true;
      this.#attemptStarted = performance.now();
      this.#connectCore();
    } catch (error) {
      // A chain at its end: only a new pairing helps.
      if (error instanceof HawserError && error.code === 'ERR_HAWSER_EXHAUSTED') this.#end(Code.Cancelled, error);
      else this.tell('error', error as Error);
      return false;
    }
    this.#mux.attach({ write: (bytes, written) => !pipe.destroyed && pipe.write(bytes, written) });
    this.#mux.pump();
    return true;
  }

  #connectCore(): void {
    this.#offers = this.#offers.filter(({ port }) => !port.closed);
    const offer = this.#riding ? undefined : this.#offers[0];
    const early: Early | undefined = offer && {
      stream: offer.port.id,
      data: offer.data,
      fin: false,
      idempotent: offer.idempotent,
    };
    const result = this.#core.connect(this.#transport, monotonic(), early);
    if (!offer || !result.early) return;
    this.#riding = offer;
    this.#offers.shift();
    this.#verdicts.set(offer.port, offer.verdict);
  }

  #receive(chunk: Uint8Array): void {
    if (!this.#linkEnded) return;
    try {
      this.#mux.receive(chunk);
    } catch (error) {
      // Not for anything from the network: but whatever it is, it ends this link and nothing more.
      this.#dropLink(
        'badRecord',
        error instanceof HawserError ? error : new HawserError('ERR_HAWSER_STATE', String(error), { cause: error }),
      );
    }
  }

  #dropLink(reason: Reason, error?: HawserError): void {
    this.counters.add(reason);
    this.#linkError = error;
    this.tell('drop', { reason, error });
    this.#linkEnded?.();
  }

  #linkDown(): void {
    const wasLive = this.#live;
    this.#live = false;
    this.#mux.detach();
    this.#core.disconnected(monotonic());
    this.#mux.pump();
    if (!wasLive) return;
    if (this.#mux.progress > this.#progress || performance.now() - this.#liveSince >= goodLink) this.#backoff.reset();
    // At an ordinary end nothing waits for a next link.
    if (!this.#ended) this.tell('pause', this.#linkError);
  }

  // ---- Events of the core -------------------------------------------------------------------------------------------

  #onEvent(event: CoreEvent): void {
    switch (event.type) {
      case 'store':
        return void this.#store(event.slot);
      case 'live':
        return this.#onLive(event.continued);
      case 'verdict':
        return this.#onVerdict(event.stream, event.verdict);
      case 'drop':
        return this.#dropLink('badRecord', event.error);
      case 'dead':
        return this.#dropLink('dead');
      case 'close':
        return this.#onClose(event.code);
    }
  }

  async #store(slot: Uint8Array): Promise<void> {
    const attempt = this.#attempt;
    let ok = false;
    try {
      await this.#slots.store(slot);
      ok = true;
    } catch (error) {
      this.counters.add('store');
      this.tell('error', error as Error);
    }
    // The link that asked may be gone: its position was kept, and the next one asks again.
    if (attempt !== this.#attempt || !this.#linkEnded) return;
    this.#core.stored(ok);
    if (!ok) return this.#linkEnded();
    this.#mux.dispatch(this.#core.timeout(monotonic()));
    this.#mux.pump();
  }

  #onLive(continued: boolean): void {
    const first = !this.#everLive;
    this.#everLive = this.#live = true;
    this.#liveSince = performance.now();
    this.#progress = this.#mux.progress;
    // What did not ride goes the ordinary way now.
    for (const { verdict } of this.#offers.splice(0)) verdict.set(Verdict.None);
    this.#report(continued);
    if (this.#options.keylog) for (const line of keylogLines(this.#core)) this.tell('keylog', line);
    if (first) this.tell('session');
    else this.tell('resume', { continued });
    this.#settleFirst.resolve();
  }

  #report(continued: boolean): void {
    const { handshake } = this.#core;
    if (!handshake || !this.#handshakePending) return;
    this.#handshakePending = false;
    const ms = this.#liveSince - this.#attemptStarted;
    const report: HandshakeReport = { ...handshake, roundTrips: 1, ms, continued };
    this.tell('handshake', report);
  }

  #onVerdict(id: number, verdict: Verdict): void {
    const offer = this.#riding;
    this.#riding = undefined;
    if (offer?.port.id === id) {
      if (verdict === Verdict.Taken && !offer.port.closed) offer.port.rewind(offer.data.length);
      offer.verdict.set(verdict);
      this.#verdicts.delete(offer.port);
    }
    this.tell('verdict', { stream: id, verdict });
  }

  /** The gateway ended the session for good: its streams are over. Whether to try again depends on why. */
  #onClose(code: Code): void {
    this.#mux.forgetAll(code);
    if (code === Code.Revoked || code === Code.Done)
      this.#end(code, code === Code.Revoked ? resetError(code) : undefined);
    else this.#linkEnded?.();
  }

  // ---- Ending -------------------------------------------------------------------------------------------------------

  /**
   * Ends the session. Streams that were ended are given up to `timeout` ms (default 5000) to be accepted by their upstreams; others are
   * cut off. The device keeps its chain: connect() again resumes.
   */
  async close(options: { timeout?: number } = {}): Promise<void> {
    if (!this.#ended) {
      await this.#settled(options.timeout ?? defaults.closeTimeout);
      this.#mux.forgetAll(Code.Done);
      await this.#farewell();
      this.#end(Code.Done);
    }
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends this process's part and keeps the session for the next: stream states go to the storage (SPEC 7.4). */
  async sleep(): Promise<void> {
    if (this.#ended) throw new HawserError('ERR_HAWSER_CLOSED', 'the session has ended');
    this.#stop(new HawserError('ERR_HAWSER_CLOSED', 'the session was put to sleep'));
    await this.#running;
    try {
      const names = [...this.#mux.ports.values()].map((port): [number, string] => [port.id, port.above.upstream]);
      await this.#storage.writeState({ blob: this.#core.save('flash'), names });
    } catch (error) {
      throw storageError(error);
    } finally {
      this.#mux.forgetAll(Code.Cancelled);
      this.#finish();
      this.tell('close');
    }
  }

  async #settled(timeout: number): Promise<void> {
    const until = performance.now() + timeout;
    const waiting = (): boolean => [...this.#mux.ports.values()].some((port) => port.ending && port.outstanding > 0);
    while (!this.#ended && this.#live && waiting() && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** CLOSE, if there is a link to send it on. A close() within a callback may come while another says it. */
  async #farewell(): Promise<void> {
    if (!this.#live || this.#ended || this.#saidFarewell) return;
    this.#saidFarewell = true;
    this.#core.close(Code.Done);
    this.#mux.pump();
    await new Promise((resolve) => setImmediate(resolve));
  }

  #end(code: Code, error?: unknown): void {
    if (this.#ended) return;
    this.#stop(error ?? new HawserError('ERR_HAWSER_CLOSED', 'the session was closed before it was connected'));
    this.#mux.forgetAll(code);
    // After the loop has put down its link: the core must not be used once it is wiped.
    void this.#running.then(() => {
      this.#finish();
      if (error instanceof HawserError) this.tell('error', error);
      this.tell('close');
    });
  }

  /** The loop puts down its link and ends; `unconnected` is what whoever waits for the first link gets. */
  #stop(unconnected: unknown): void {
    this.#ended = true;
    this.#settleFirst.reject(unconnected);
    this.#ending.end();
    this.#linkEnded?.();
  }

  #finish(): void {
    this.#ended = true;
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    for (const { verdict } of this.#offers.splice(0)) verdict.set(Verdict.None);
    for (const verdict of this.#verdicts.values()) verdict.set(Verdict.Unknown);
    this.#mux.stop();
    this.#core.wipe();
    this.#credentials.release();
  }
}

/** ERR_HAWSER_CONFIG or _ARG with the field and the reason. */
function checkOptions(options: ConnectOptions): void {
  checkDevicePairing(options.pairing);
  const wrong = (field: string, reason: string): HawserError =>
    new HawserError('ERR_HAWSER_ARG', `${field}: ${reason}`);
  const { host, port, addresses, pairing, pipe, streams, storage } = options;
  if ((host === undefined) !== (port === undefined)) throw wrong('host, port', 'both or neither');
  const list = host !== undefined && port !== undefined ? [{ host, port }] : (addresses ?? pairing.addresses);
  if (!pipe && list.length === 0)
    throw wrong('addresses', 'neither the options nor the pairing name a gateway address');
  for (const address of list) {
    if (!Number.isInteger(address.port) || address.port < 1 || address.port > 65535)
      throw wrong('port', `${address.port} is not in 1..65535`);
  }
  if (streams !== undefined && (!Number.isInteger(streams) || streams < 1 || streams > 128))
    throw wrong('streams', `${streams} is not in 1..128`);
  if (pairing.mode === Mode.Ticket && !storage)
    throw wrong('storage', 'mode ticket needs one: without it the device would be locked out at its next start');
}

/** ERR_HAWSER_ARG with the name and what one must be, whichever engine. */
function checkUpstream(name: string): void {
  try {
    checkUpstreamName('upstream', name);
  } catch (error) {
    throw new HawserError('ERR_HAWSER_ARG', (error as Error).message);
  }
}

function dial(address: Address, timeout: number, ending: Ending, take: Take): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = netConnect({ ...address, noDelay: true, keepAlive: true, onread: borrowed(take) });
    const giveUp = (reason: string): void =>
      void socket.destroy(new Error(`${address.host} port ${address.port}: ${reason}`));
    const leave = ending.wait(() => giveUp('the session has ended'));
    const timer = setTimeout(() => giveUp('no connection in time'), timeout);
    const settled = (): void => {
      clearTimeout(timer);
      leave();
    };
    socket.once('connect', () => {
      settled();
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', settled);
  });
}

function bindSignal(stream: HawserStream, signal: AbortSignal | undefined): void {
  if (!signal) return;
  const abort = (): void => void stream.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', abort));
}

/** Resolves when the upstream is connected, rejects with what ended the stream before, or with the very bytes that opened it. */
async function connected(stream: HawserStream, signal: AbortSignal | undefined): Promise<void> {
  bindSignal(stream, signal);
  const closed = (): HawserError =>
    new HawserError('ERR_HAWSER_CLOSED', 'the stream was closed before it was connected');
  let failed!: (error: Error) => void;
  await new Promise<void>((resolve, reject) => {
    failed = reject;
    const gone = (): void => reject(closed());
    stream.once('error', failed);
    stream.once('close', gone);
    stream.once('connect', () => {
      stream.off('close', gone);
      resolve();
    });
  });
  // Its 'error', which nobody could listen to yet, may be still to come.
  if (stream.destroyed) throw stream.errored ?? closed();
  stream.off('error', failed);
}
