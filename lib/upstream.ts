/**
 * Services behind the gateway: how they are named in its configuration, and one stream's connection to one.
 */

import { createSocket, type Socket as UdpSocket, type SocketOptions } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';

import { Copies } from './copies.js';
import { Code } from './engine.js';
import { HawserError } from './errors.js';
import { sharedLookup } from './lookup.js';
import type { StreamPort } from './mux.js';
import { passOn } from './output.js';
import { borrowed } from './reads.js';
import { EarlyVerdict, HawserStream } from './stream.js';
import type { DeviceRecord, UpstreamHandler } from './types.js';

export type Upstream =
  | { type: 'tcp'; host: string; port: number }
  | { type: 'unix'; path: string }
  | { type: 'udp'; host: string; port: number }
  | { type: 'handler'; serve: UpstreamHandler };

const nameForm = /^[a-z0-9._-]{1,32}$/; // SPEC 11

/** ERR_HAWSER_CONFIG with the name and the reason. */
export function parseUpstreams(upstreams: Record<string, string | UpstreamHandler>): Map<string, Upstream> {
  return new Map(Object.entries(upstreams).map(([name, target]) => [name, parseUpstream(name, target)]));
}

function parseUpstream(name: string, url: string | UpstreamHandler): Upstream {
  const shown = typeof url === 'string' ? url : 'a function';
  const wrong = (reason: string): HawserError =>
    new HawserError('ERR_HAWSER_CONFIG', `upstream '${name}': '${shown}': ${reason}`);
  if (!nameForm.test(name)) throw wrong('a name has 1..32 of a-z, 0-9, dot, underscore and hyphen');
  if (typeof url === 'function') return { type: 'handler', serve: url };
  const unix = /^unix:(?:\/\/)?(?<path>\/.+)$/.exec(url)?.groups;
  if (unix) return { type: 'unix', path: unix.path ?? '' };
  const fields = /^(?<type>tcp|udp):\/\/(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^\s/:@]+)):(?<port>\d{1,5})$/.exec(
    url,
  )?.groups;
  if (!fields) throw wrong('must be tcp://HOST:PORT, udp://HOST:PORT or unix:/PATH');
  const port = Number(fields.port);
  if (port < 1 || port > 65535) throw wrong('a port is in 1..65535');
  return { type: fields.type as 'tcp' | 'udp', host: fields.six ?? fields.host ?? '', port };
}

/** What a gateway's stream leads to. */
export interface UpstreamEnd {
  /** Bytes from the device, valid until it returns; `accepted` is called once they are the operating system's. */
  write(parts: readonly Uint8Array[], accepted: () => void): void;
  /** The device sends no more. */
  end(): void;
  /** The device has accepted everything so far. */
  settled?(): void;
  /** The device has accepted everything, and the end. */
  finished?(): void;
  /** The device has room again. */
  resume(): void;
  /** Valid until it returns. */
  message(data: Uint8Array): void;
  /** Finishes what was written, then closes. */
  finish(): void;
  destroy(code: Code): void;
}

export interface UpstreamOptions {
  /** Whose stream it is. */
  record: DeviceRecord;
  connectTimeout: number;
  /** Connected: tell the device. */
  connected: () => void;
  /** It failed; `code` is what the device is told. */
  failed: (code: Code, error: Error) => void;
  /** A datagram from it. */
  message: (data: Uint8Array) => void;
  /** Nothing of it is held any more; may be called again. */
  closed: () => void;
}

export function openUpstream(target: Upstream, port: StreamPort, options: UpstreamOptions): UpstreamEnd {
  switch (target.type) {
    case 'udp':
      return new UdpEnd(target, options);
    case 'handler':
      return new HandlerEnd(target, port, options);
    default:
      return new SocketEnd(target, port, options);
  }
}

/** What a function of this process is given. Its listeners cannot end the process: what they throw, or reject with, ends the stream. */
class HandlerStream extends HawserStream {
  constructor(
    private readonly threw: (error: unknown) => void,
    ...[upstream, windows, verdict]: ConstructorParameters<typeof HawserStream>
  ) {
    super(upstream, windows, verdict, { captureRejections: true });
    // What became of it is told by 'close'; an error that nobody listens for is nobody's.
    this.on('error', () => undefined);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    try {
      return (super.emit as (name: string | symbol, ...values: unknown[]) => boolean).call(this, event, ...args);
    } catch (error) {
      this.threw(error);
      return true;
    }
  }

  /** A listener has rejected. */
  override [EventEmitter.captureRejectionSymbol](error: unknown): void {
    this.threw(error);
  }
}

/** A function of this process, which is given the stream as a Duplex. */
class HandlerEnd implements UpstreamEnd {
  readonly #stream: HawserStream;
  readonly #options: UpstreamOptions;
  #over = false;

  constructor({ serve }: Extract<Upstream, { type: 'handler' }>, port: StreamPort, options: UpstreamOptions) {
    const { record } = options;
    this.#options = options;
    const windows = { own: record.windowGateway, peer: record.windowDevice };
    const threw = (error: unknown): void => this.#threw(error);
    const stream = new HandlerStream(threw, port.above.upstream, windows, new EarlyVerdict());
    this.#stream = stream;
    stream.bind(port);
    options.connected();
    try {
      const served: unknown = serve(stream, { device: record.id, name: record.name });
      void Promise.resolve(served).catch(threw);
    } catch (error) {
      threw(error);
    }
  }

  /** Of a stream that is over a function may well say so by throwing. */
  #threw(error: unknown): void {
    if (this.#over) return;
    this.#options.failed(Code.UpstreamReset, error instanceof Error ? error : new Error(String(error)));
    this.destroy(Code.UpstreamReset);
  }

  /** The stream says itself what was accepted. */
  write(parts: readonly Uint8Array[]): void {
    this.#stream.onData(parts);
  }
  end(): void {
    this.#stream.onFin();
  }
  finished(): void {
    this.#stream.onFinished();
  }
  resume(): void {
    this.#stream.onDrain();
  }
  message(): void {
    // A stream carries none: the core has refused it.
  }
  finish(): void {
    this.#over = true;
    this.#options.closed();
    this.#stream.onClosed(Code.Done, 'clean');
  }
  destroy(code: Code): void {
    this.#over = true;
    this.#options.closed();
    this.#stream.onClosed(code, 'cut');
  }
}

/** A TCP or Unix connection. What the device may not have yet stays unread in the kernel. */
class SocketEnd implements UpstreamEnd {
  readonly #socket: Socket;
  readonly #port: StreamPort;
  readonly #target: Upstream;
  readonly #closeTimeout: number;
  readonly #copies = new Copies();
  #timer: NodeJS.Timeout;
  #connected = false;

  constructor(target: Exclude<Upstream, { type: 'udp' | 'handler' }>, port: StreamPort, options: UpstreamOptions) {
    this.#port = port;
    this.#target = target;
    this.#closeTimeout = options.connectTimeout;
    const address = target.type === 'unix' ? { path: target.path } : { host: target.host, port: target.port };
    const onread = borrowed((bytes) => this.#received(bytes));
    const { lookup, leave } = sharedLookup();
    const socket = connect({ ...address, allowHalfOpen: true, noDelay: true, onread, lookup });
    this.#socket = socket;
    this.#timer = setTimeout(() => {
      socket.destroy();
      options.failed(Code.Timeout, new Error('upstream: no connection in time'));
    }, options.connectTimeout);
    socket.on('connect', () => {
      clearTimeout(this.#timer);
      this.#connected = true;
      options.connected();
    });
    socket.on('end', () => port.end());
    socket.on('error', (error) => {
      clearTimeout(this.#timer);
      options.failed(this.#connected ? Code.UpstreamReset : Code.Unreachable, error);
    });
    socket.on('close', () => {
      clearTimeout(this.#timer);
      leave();
      options.closed();
    });
  }

  write(parts: readonly Uint8Array[], accepted: () => void): void {
    passOn(parts, this.#socket, accepted);
  }

  end(): void {
    this.#socket.end();
  }

  /** An upstream that has gone quiet holds no memory. */
  settled(): void {
    this.#copies.free(this.#port.acknowledged);
  }

  /** Copied, since it may have to be sent again. Of a port that is closed nothing is wanted. */
  #received(bytes: Uint8Array): void {
    const port = this.#port;
    if (port.closed) return;
    this.#copies.free(port.acknowledged);
    for (const copy of this.#copies.of([bytes], port.written)) port.write(copy);
    if (!port.room) this.#socket.pause();
  }

  resume(): void {
    if (this.#port.room) this.#socket.resume();
  }

  message(): void {
    // A stream carries none: the core has refused it.
  }

  /** One that takes nothing, neither bytes nor a connection, is not waited for. */
  finish(): void {
    if (!this.#connected) return this.destroy();
    this.#socket.resume();
    this.#socket.destroySoon();
    clearTimeout(this.#timer);
    if (!this.#socket.destroyed) this.#timer = setTimeout(() => this.destroy(), this.#closeTimeout);
  }

  /** Not a polite end: what the upstream got must not look complete. */
  destroy(): void {
    clearTimeout(this.#timer);
    if (this.#connected && this.#target.type === 'tcp') this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }
}

/** A connected UDP socket: only the upstream's own datagrams come back. */
class UdpEnd implements UpstreamEnd {
  readonly #socket: UdpSocket;
  readonly #waiting: Uint8Array[] = [];
  #state: 'connecting' | 'open' | 'closed' = 'connecting';

  constructor(target: Extract<Upstream, { type: 'udp' }>, options: UpstreamOptions) {
    const { lookup, leave } = sharedLookup();
    const type = target.host.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, lookup: lookup as SocketOptions['lookup'] });
    this.#socket = socket;
    socket.on('close', () => {
      leave();
      options.closed();
    });
    socket.on('error', (error) => {
      // An ICMP answer to a datagram: datagrams are lost, that is all.
      if (this.#state === 'connecting') failed(error);
    });
    const failed = (error: Error): void => {
      this.destroy();
      options.failed(Code.Unreachable, error);
    };
    socket.on('message', (data) => options.message(data));
    socket.connect(target.port, target.host, ((error?: Error) => {
      if (this.#state === 'closed') return;
      if (error) return failed(error); // of the lookup
      this.#state = 'open';
      for (const data of this.#waiting.splice(0)) socket.send(data, ignore);
      options.connected();
    }) as () => void);
  }

  /** Before the socket is ready a few are kept, as a kernel would; the rest are lost, as datagrams may be. */
  message(data: Uint8Array): void {
    if (this.#state === 'open') this.#socket.send(Uint8Array.from(data), ignore);
    else if (this.#state === 'connecting' && this.#waiting.length < 16) this.#waiting.push(Uint8Array.from(data));
  }

  write(): void {
    // Messages only: the core has refused it.
  }
  end(): void {
    // Datagrams have no end.
  }
  resume(): void {
    // Datagrams are not held back.
  }
  finish(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#socket.close();
  }
}

function ignore(): void {
  // lost, as datagrams may be
}
