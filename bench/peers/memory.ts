/** No peer at all: a Duplex in memory that takes everything. What Node's streams allow. */

import { Duplex } from 'node:stream';

import type { Client } from '../peer.js';

export function server(): Promise<Record<string, never>> {
  return Promise.resolve({});
}

export function client(): Promise<Client> {
  const open = (): Promise<Duplex> =>
    Promise.resolve(
      new Duplex({
        write: (_chunk, _encoding, done) => void setImmediate(done),
        writev: (_chunks, done) => void setImmediate(done),
        final(done) {
          this.push('k');
          this.push(null);
          done();
        },
        read: () => undefined,
      }),
    );
  return Promise.resolve({ open, connections: {} });
}
