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

/** What net.Socket has and its types do not say. */
interface Accepted {
  _handle?: { useUserBuffer?: unknown } | null;
}

/**
 * A pipe that somebody else made, read in the same way where that can be done: Node does not let a server say how the sockets that it accepts are read, but
 * a socket can be made anew around the handle of one. Where there is no such handle, and for a pipe that is no socket, `take` gets what comes as
 * 'data'. Whoever calls this must not have used the pipe, and goes on with the one that it returns.
 */
export function readBorrowed(pipe: Duplex, take: Take): Duplex {
  const accepted = pipe as Accepted;
  const handle = accepted._handle;
  if (!(pipe instanceof Socket) || typeof handle?.useUserBuffer !== 'function' || pipe.readableLength > 0)
    return pipe.on('data', take);
  const { allowHalfOpen } = pipe;
  accepted._handle = null;
  // Its server counts it out; whoever made the socket anew closes it.
  pipe.destroy();
  return new Socket({ handle, allowHalfOpen, onread: borrowed(take) } as object);
}
