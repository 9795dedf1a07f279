/** A local port that leads to an upstream: every connection to it becomes one stream of the session. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { finished } from 'node:stream';
import type { Duplex } from 'node:stream';
import { isLoopback } from '../address.js';
import { checkUpstreamName } from '../pairing/terms.js';
import { readBorrowed } from '../reads.js';
import { HawserStream } from '../stream.js';
import { UsageError } from './command.js';

export interface Forward {
  host: string;
  port: number;
  upstream: string;
}

/** `PORT=NAME`, `HOST:PORT=NAME`. Port 0: any that is free. */
export function parseForward(text: string, mayBeReached: boolean): Forward {
  const match = /^(?:(?:\[([^\]]+)\]|([^:=\s]+)):)?(\d{1,5})=(.+)$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65535)
    throw new UsageError(`--forward: ${JSON.stringify(text)} is not PORT=NAME or HOST:PORT=NAME`);
  const host = match[1] ?? match[2] ?? '127.0.0.1';
  const upstream = match[4]!;
  try {
    checkUpstreamName('--forward', upstream);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (!mayBeReached && !isLoopback(host)) {
    throw new UsageError(`--forward: ${host} can be reached from other machines; add --expose if you mean it`);
  }
  return { host, port, upstream };
}

export type Opener = (upstream: string) => Promise<Duplex> | Duplex;

export interface ForwarderEvents {
  /** One connection is over; `error` says how if not by its own choice. */
  closed(forward: Forward, error: NodeJS.ErrnoException | undefined): void;
}

/** Ties a socket and a stream together until both are done. An end that breaks off breaks the other off too. */
function tie(socket: Socket, stream: Duplex, done: (error: NodeJS.ErrnoException | undefined) => void): void {
  let left = 2;
  let fault: NodeJS.ErrnoException | undefined;
  const over = (): void => {
    left -= 1;
    if (left === 0) done(fault);
  };
  finished(stream, (error) => {
    if (error) {
      fault ??= error;
      socket.resetAndDestroy(); // not a polite end: the client must not take what came for all there is
    }
    over();
  });
  finished(socket, (error) => {
    if (error) stream.destroy(error.code === 'ERR_STREAM_PREMATURE_CLOSE' ? undefined : error);
    over();
  });
  socket.on('end', () => stream.end());
  stream.on('drain', () => socket.resume());
  if (stream instanceof HawserStream) stream.passTo(socket);
  else stream.pipe(socket);
  socket.resume();
}

/** `bytes` are valid until it returns: a stream that has nothing else to write copies them at once. False: wait for 'drain'. */
function write(stream: Duplex, bytes: Uint8Array): boolean {
  const copies = stream instanceof HawserStream && stream.writableLength === 0;
  return stream.write(copies ? bytes : Buffer.from(bytes));
}

export class Forwarder {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #over: (() => void) | undefined;

  private constructor(
    private readonly forward: Forward,
    private readonly open: Opener,
    private readonly events: ForwarderEvents,
  ) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void this.#accept(socket));
  }

  /** Rejects with UsageError if the port cannot be had. */
  static async listen(forward: Forward, open: Opener, events: ForwarderEvents): Promise<Forwarder> {
    const one = new Forwarder(forward, open, events);
    one.#server.listen(forward.port, forward.host);
    try {
      await once(one.#server, 'listening');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const reason =
        code === 'EADDRINUSE'
          ? 'the port is in use'
          : code === 'EACCES'
            ? 'the port may not be used'
            : (error as Error).message;
      throw new UsageError(`--forward ${forward.port}=${forward.upstream}: ${reason}`);
    }
    return one;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #accept(socket: Socket): Promise<void> {
    let stream: Duplex | undefined;
    readBorrowed(socket, (bytes) => {
      if (stream && !write(stream, bytes)) socket.pause();
    });
    socket.pause(); // until there is somewhere to put it
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#settle();
    });
    socket.on('error', () => undefined); // `finished` reports it
    try {
      stream = await this.open(this.forward.upstream);
      if (socket.destroyed) stream.destroy();
      else tie(socket, stream, (error) => this.events.closed(this.forward, error));
    } catch (error) {
      socket.resetAndDestroy();
      this.events.closed(this.forward, error as Error);
    }
  }

  /** Takes no new connection; resolves when the last is over, or breaks them off after `ms`. */
  async close(ms: number): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const timer = setTimeout(() => this.#sockets.forEach((socket) => socket.resetAndDestroy()), ms);
    const over = new Promise<void>((resolve) => (this.#over = resolve));
    this.#settle();
    await Promise.all([closed, over]);
    clearTimeout(timer);
  }

  #settle(): void {
    if (this.#sockets.size === 0) this.#over?.();
  }
}
