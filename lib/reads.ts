/**
 * Reads of sockets without memory of their own: Node allocates 64 KiB for each read of a socket, and a full garbage collection follows every few hundred
 * of them. Here the reads of all sockets of a thread land in one buffer, which whoever takes the bytes empties before it returns.
 */

import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Called with bytes that are valid until it returns. */
export type Take = (bytes: Uint8Array) => void;

const memory = Buffer.allocUnsafeSlow(64 * 1024);

/** For net.connect(). The socket emits no 'data'. */
export function borrowed(take: Take): {
  buffer: Uint8Array;
  callback: (length: number, buffer: Uint8Array) => boolean;
} {
  return {
    buffer: memory,
    callback: (length, buffer) => {
      take(buffer.subarray(0, length));
      return true;
    },
  };
}

/** What net.Socket has and its types do not say; the two symbols are where it keeps what `onread` gave it. */
interface Accepted {
  _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null;
}

interface Places {
  buffer: symbol;
  callback: symbol;
}

let places: Places | 'elsewhere' | undefined;

/** Undefined: this Node keeps it elsewhere. */
function placesIn(socket: Socket): Places | undefined {
  places ??= findPlaces(Object.getOwnPropertySymbols(socket));
  return places === 'elsewhere' ? undefined : places;
}

function findPlaces(symbols: symbol[]): Places | 'elsewhere' {
  const find = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const [buffer, callback] = [find('kBuffer'), find('kBufferCb')];
  return buffer && callback ? { buffer, callback } : 'elsewhere';
}

/**
 * A pipe that somebody else made, read in the same way where that can be done: Node does not let a server say how the sockets that it accepts are read, but
 * they can be told afterwards. Where that is not so, and for a pipe that is no socket, `take` gets what comes as 'data'. Whoever calls this must not have
 * used the pipe.
 */
export function readBorrowed(pipe: Duplex, take: Take): void {
  const handle = (pipe as Accepted)._handle;
  const found = pipe instanceof Socket && pipe.readableLength === 0 ? placesIn(pipe) : undefined;
  if (!found || typeof handle?.useUserBuffer !== 'function') {
    pipe.on('data', take);
    return;
  }
  const { buffer, callback } = borrowed(take);
  const socket = pipe as unknown as Record<symbol, unknown>;
  socket[found.buffer] = buffer;
  socket[found.callback] = callback;
  handle.useUserBuffer(buffer);
}
