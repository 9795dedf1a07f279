/** node:tls with what it offers for a shared secret: TLS 1.2, PSK-AES256-GCM-SHA384, session tickets. */

import { once } from 'node:events';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { AddressInfo } from 'node:net';

import type { Client } from '../peer.js';
import { echo, serve, startEcho } from '../work.js';

const psk = Buffer.alloc(32, 7);
const one = Buffer.from([0]);
/** The types of node:tls do not know it, which passes it on to net.Socket. */
const halfOpen = { allowHalfOpen: true };
const settings = { ciphers: 'PSK-AES256-GCM-SHA384', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

export async function server(): Promise<{ port: number }> {
  const options: TlsOptions = { ...settings, ...halfOpen, pskCallback: () => psk, pskIdentityHint: 'bench' };
  const listener = createServer(options, (socket) => serve(socket.setNoDelay(true)));
  listener.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return { port: (listener.address() as AddressInfo).port };
}

export async function client({ port }: { port: number }): Promise<Client> {
  const open = async (session?: Buffer): Promise<TLSSocket> => {
    const socket = connect({
      ...settings,
      port,
      host: '127.0.0.1',
      ...halfOpen,
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk, identity: 'bench' }),
      ...(session && { session }),
    });
    socket.setNoDelay(true);
    await once(socket, 'secureConnect');
    return socket;
  };
  const first = await open();
  startEcho(first);
  await echo(first, one);
  const session = first.getSession();
  first.destroy();
  const connection = (resume: boolean) => async (): Promise<void> => {
    const socket = await open(resume ? session : undefined);
    if (socket.isSessionReused() !== resume) throw new Error(`resumed: ${socket.isSessionReused()}, not ${resume}`);
    startEcho(socket);
    await echo(socket, one);
    socket.destroy();
  };
  return { open: () => open(), connections: { full: connection(false), resumed: connection(true) } };
}
