/** Raw TCP. */

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import type { Client } from '../peer.js';
import { echo, serve, startEcho } from '../work.js';

const one = Buffer.from([0]);

export async function server(): Promise<{ port: number }> {
  const listener = createServer({ noDelay: true, allowHalfOpen: true }, serve).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return { port: (listener.address() as AddressInfo).port };
}

export function client({ port }: { port: number }): Promise<Client> {
  const open = async (): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  };
  const connection = async (): Promise<void> => {
    const socket = await open();
    startEcho(socket);
    await echo(socket, one);
    socket.resetAndDestroy();
  };
  return Promise.resolve({ open, connections: { full: connection, resumed: connection } });
}
