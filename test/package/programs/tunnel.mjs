// A gateway and a device of one process, as a program has them that installed the package: a stream there and back.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect, createGateway, createPairing, lmdbStore, MemoryStorage, Mode, selectEngine, Suite } from 'hawser';

// The name of the engine that did it.
export async function tunnel() {
  const folder = mkdtempSync(join(tmpdir(), 'hawser-tunnel-'));
  const engine = selectEngine();
  const keys = { x25519: engine.generateKey(Suite.X25519), p256: engine.generateKey(Suite.P256) };
  const identity = { id: randomBytes(8), sealingKey: randomBytes(32), ...keys };
  const store = await lmdbStore({ path: join(folder, 'store'), sealingKey: identity.sealingKey });
  const gateway = createGateway({ store, identity, upstreams: { echo: (stream) => stream.pipe(stream) } });
  const { port } = await gateway.listen({ port: 0, host: '127.0.0.1' });
  const pairing = createPairing(engine, identity, { mode: Mode.Keys, suite: Suite.P256, upstreams: ['echo'] });
  await store.add(pairing.gateway);

  const session = await connect({ pairing: pairing.device, storage: new MemoryStorage(), host: '127.0.0.1', port });
  const stream = await session.open('echo');
  const sent = randomBytes(300_000);
  stream.end(sent);
  assert.deepEqual(await buffer(stream), sent);

  await session.close();
  await gateway.close();
  await store.close();
  rmSync(folder, { recursive: true });
  return engine.name;
}
