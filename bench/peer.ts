/** What the bench needs of each contender over real sockets: a server and a client, in processes of their own. */

import type { Duplex } from 'node:stream';

/** Loops of connections at once. */
export const parallel = 32;

export interface Client {
  open(): Promise<Duplex>;
  /** By kind: one connection, one byte there and back, and its end, in the loop of this number. */
  connections: Record<string, (loop: number) => Promise<void>>;
}

export interface Peer {
  /** Answers what the client must know; plain data. */
  server(): Promise<unknown>;
  client(address: never): Promise<Client>;
}
