import type { Duplex } from 'node:stream';
import {
  connect,
  createGateway,
  FileStorage,
  HawserError,
  lmdbStore,
  readConfig,
  readIdentity,
  readPairing,
} from 'hawser';
import { selectEngine, Suite, type DevicePairing, type Session, type Store } from 'hawser';

export async function gateway(file: string): Promise<number> {
  const config = await readConfig(file);
  const identity = await readIdentity(config, selectEngine());
  const store: Store = await lmdbStore({ path: config.files.store, sealingKey: identity.sealingKey });
  const made = createGateway({ store, identity, upstreams: { echo: (stream: Duplex) => void stream.pipe(stream) } });
  made.on('session', ({ name, remote }) => console.log(name.length, remote));
  await made.listen(config.listen);
  return identity.p256.public.length;
}

export async function device(bytes: Uint8Array): Promise<void> {
  const pairing: DevicePairing = readPairing(bytes);
  const session: Session = await connect({ pairing, storage: new FileStorage('state') });
  const stream: Duplex = await session.open('echo');
  stream.on('error', (error) => error instanceof HawserError && error.code === 'ERR_HAWSER_AUTH');
  await session.close();
}

export const suite: 2 = Suite.P256;
// @ts-expect-error: an engine is chosen by name
selectEngine({ engine: 1 });
