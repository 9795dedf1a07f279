/** One hop over loopback: hawser in Node against node:tls with a PSK and raw node:net, each end a process. */

import type { Order } from './child.js';
import { measure, type Contender, type Row } from './measure.js';
import { startClient, startServer, type Asked } from './processes.js';
import type { Effort } from './effort.js';

const names = ['hawser', 'tls', 'net'] as const;
const shown = { hawser: 'hawser', tls: 'node:tls', net: 'node:net' } as const;
const section = 'one hop over loopback TCP';

/** Megabytes of objects in the processes of some rows, as an application has: below 8 V8 marks nothing until it must. */
const application = 16;

type Clients = ReadonlyMap<string, Asked>;

async function start(peers: readonly string[], held: number): Promise<Clients> {
  const clients = new Map<string, Asked>();
  for (const name of peers) clients.set(name, await startClient(name, await startServer(name, held), held));
  return clients;
}

export async function sockets(effort: Effort, tell: (row: Row) => void): Promise<void> {
  const bare = await start([...names, 'memory'], 0);
  const larger = await start(names, application);
  const asked =
    (name: string, order: Order, clients = bare) =>
    (): Promise<number> | number =>
      clients.get(name)?.ask(order) ?? NaN;
  const row = async (
    what: string,
    unit: string,
    order: Order,
    goal?: number,
    more: Contender[] = [],
    clients = bare,
  ): Promise<void> => {
    const contenders: Contender[] = names.map((name) => ({
      name: shown[name],
      round: asked(name, order, clients),
    }));
    contenders.push(...more);
    const options = { section, what, unit, peer: 'node:tls', ...(goal && { goal: { name: 'hawser', ratio: goal } }) };
    tell(await measure(options, contenders, effort));
  };
  const { megabytes, count, ms } = effort;
  await row('bulk, device to gateway', 'MB/s', { job: 'upload', megabytes }, 1.2);
  await row('bulk, gateway to device', 'MB/s', { job: 'download', megabytes }, 1.2);
  for (const [what, job] of [
    ['device to gateway', 'upload'],
    ['gateway to device', 'download'],
  ] as const)
    // prettier-ignore
    await row(`bulk, ${what}, in processes with ${application} MB of objects`, 'MB/s', { job, megabytes }, 1.2, [], larger);
  const messages: Order = { job: 'messages', count: count * 40 };
  await row('64-byte messages, back to back', '/s', messages, 3, [
    { name: 'a Duplex in memory', round: asked('memory', messages) },
  ]);
  await row('64-byte messages, one in each turn of the event loop', '/s', { job: 'spaced', count });
  await row('64 bytes there and back', '/s', { job: 'rounds', count: count / 10 });
  const connections = (kind: string): Order => ({ job: 'connections', kind, ms });
  await row('connections with a full handshake (hawser: psk, with ECDH)', '/s', connections('full'), undefined, [
    { name: 'hawser, keys', round: asked('hawser', connections('keys')) },
  ]);
  await row('resumed connections (hawser: warm)', '/s', connections('resumed'), 2, [
    { name: 'hawser, booting', round: asked('hawser', connections('boot')) },
  ]);
}
