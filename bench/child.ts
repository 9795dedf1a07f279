/** One end of a contender in a process of its own: `child.ts PEER server|client`, driven over IPC. */

import * as hawser from './peers/hawser.js';
import * as net from './peers/net.js';
import * as tls from './peers/tls.js';
import { parallel, type Client, type Peer } from './peer.js';
import { download, loops, messages, rounds, spaced, upload } from './work.js';

/** What a client is told to do; it answers with one figure. */
export type Order =
  | { job: 'upload' | 'download'; megabytes: number }
  | { job: 'messages' | 'spaced' | 'rounds'; count: number }
  | { job: 'connections'; kind: string; ms: number };

const peers: Record<string, Peer> = { hawser, net, tls };

async function carryOut(client: Client, order: Order): Promise<number> {
  switch (order.job) {
    case 'upload':
      return upload(await client.open(), order.megabytes);
    case 'download':
      return download(await client.open(), order.megabytes);
    case 'messages':
      return messages(await client.open(), order.count);
    case 'spaced':
      return spaced(await client.open(), order.count);
    case 'rounds':
      return rounds(await client.open(), order.count);
    case 'connections': {
      const turn = client.connections[order.kind];
      if (!turn) throw new Error(`no connections of kind ${order.kind}`);
      return loops(parallel, order.ms, turn);
    }
  }
}

function reply(work: Promise<unknown>): void {
  work.then(
    (value) => process.send?.({ value }),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
}

const [name = '', role] = process.argv.slice(2);
const peer = peers[name];
if (!peer) throw new Error(`no peer is called ${name}`);
process.on('disconnect', () => setTimeout(() => process.exit(), 200));
if (role === 'server') reply(peer.server());
else {
  let client: Promise<Client> | undefined;
  process.on('message', (given: { address: never } | { order: Order }) => {
    if ('address' in given) {
      client = peer.client(given.address);
      reply(client.then(() => true));
    } else if (client) {
      reply(client.then((ready) => carryOut(ready, given.order)));
    }
  });
}
