import { expectAssignable, expectError, expectType } from 'tsd';
import type { Duplex } from 'node:stream';
import {
  connect,
  createGateway,
  FileStorage,
  HawserError,
  lmdbStore,
  selectEngine,
  Verdict,
  type DevicePairing,
  type Engine,
  type Gateway,
  type GatewayIdentity,
  type HandshakeReport,
  type Session,
  type Store,
} from '../../dist/index.js';

declare const pairing: DevicePairing;
declare const identity: GatewayIdentity;
declare const store: Store;

const gateway = createGateway({ store, identity, upstreams: { mqtt: 'tcp://127.0.0.1:1883' } });
expectType<Gateway>(gateway);
expectError(createGateway({ store, upstreams: {} }));
expectError(createGateway({ store, identity, upstreams: { mqtt: 1883 } }));
await gateway.listen({ port: 7700 });
await gateway.listen({ port: 7701, framing: 'serial' });
expectError(gateway.listen({ port: 7700, framing: 'datagram' }));
gateway.on('handshake', (report) => expectAssignable<HandshakeReport>(report));
gateway.on('refused', ({ device, upstream }) => {
  expectType<Uint8Array>(device);
  expectType<string>(upstream);
});
expectError(gateway.on('nonsense', () => undefined));

const { signal } = new AbortController();
const session = await connect({ pairing, storage: new FileStorage('state'), host: '127.0.0.1', port: 7700, signal });
expectType<Session>(session);
expectError(connect({}));
const stream = await session.open('mqtt', { early: new Uint8Array(1), idempotent: true });
expectAssignable<Duplex>(stream);
stream.on('data', (chunk: Buffer) => chunk.length);
expectType<boolean>(stream.write('text', 'latin1', () => undefined));
expectType<boolean>(stream.write(new Uint8Array(1), () => undefined));
expectError(stream.write('text', 'no encoding'));
expectAssignable<Duplex>(stream.end('text', 'utf8'));
expectError(stream.end('text', 'no encoding'));
session.on('keylog', (line) => expectType<Buffer>(line));
session.on('verdict', ({ verdict }) => expectType<Verdict>(verdict));

expectType<Engine>(selectEngine());
expectAssignable<Promise<Store>>(lmdbStore({ path: 'store', sealingKey: identity.sealingKey }));
expectAssignable<Error>(new HawserError('ERR_HAWSER_AUTH', 'text'));
expectError(new HawserError('ERR_NO_SUCH', 'text'));
