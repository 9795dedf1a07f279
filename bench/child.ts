/** One end of a contender in a process of its own: `child.js PEER server|client [MB]`, driven over IPC. MB: of objects that it holds besides. */

import { parallel, type Client, type Peer } from './peer.js';
import { download, loops, messages, rounds, spaced, upload } from './work.js';

/** What a client is told to do; it answers with one figure. */
export type Order =
  | { job: 'upload' | 'download'; megabytes: number }
  | { job: 'messages' | 'spaced' | 'rounds'; count: number }
  | { job: 'connections'; kind: string; ms: number };

/** Each process loads its own contender alone: what is loaded is looked through by every garbage collection. */
const peers: Record<string, () => Promise<Peer>> = {
  hawser: () => import('./peers/hawser.js'),
  memory: () => import('./peers/memory.js'),
  net: () => import('./peers/net.js'),
  tls: () => import('./peers/tls.js'),
};

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

/** What an application has on V8's heap. */
const held: object[] = [];
function hold(megabytes: number): void {
  const bytes = megabytes << 20;
  for (const before = process.memoryUsage().heapUsed; process.memoryUsage().heapUsed - before < bytes;)
    for (let n = 0; n < 1000; n += 1) held.push({ n, pair: [n, n + 1] });
}

const [name = '', role, megabytes = '0'] = process.argv.slice(2);
hold(Number(megabytes));
const peer = await peers[name]?.();
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
