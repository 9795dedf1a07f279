/**
 * A gateway and a device of one thread, over a socket, and an end in the middle of what they do. As a process it leaves
 * by process.exit(9); as a worker it says where it is and goes on until it is terminated.
 * Places: 'handshake' (message 1 is under way), 'lookup' (the store was asked and has not answered),
 * 'transfer' (bytes flow both ways), 'callback' (in a handler of the stream's data), 'keylog', 'upstream' (in a handler that the gateway calls).
 */

import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { Duplex } from 'node:stream';
import { Mode, Suite } from '../../../lib/engine.js';
import type { Store } from '../../../lib/types.js';
import { MemoryStorage } from '../../../lib/storage.js';

interface Task {
  engine: string;
  place: string;
}

const { engine, place } = isMainThread
  ? { engine: process.argv[2] ?? '', place: process.argv[3] ?? '' }
  : (workerData as Task);
process.env.HAWSER_ENGINE = engine;
const { World } = await import('../../lib/world.js');
const { memoryStore } = await import('../../../lib/store/memory.js');

/** The place is reached. */
function here(): void {
  if (isMainThread) process.exit(9);
  parentPort?.postMessage(place);
}

const world = new World();
const real = await memoryStore({ sealingKey: world.identity.sealingKey });
let asked = false;

/** Never answers a look-up if that is the place. */
world.store = new Proxy<Store>(real, {
  get: (store, name) => {
    const value: unknown = Reflect.get(store, name);
    if (typeof value !== 'function') return value;
    if (name !== 'get' || place !== 'lookup' || !asked) return (value as () => unknown).bind(store);
    return () => new Promise(() => setImmediate(here));
  },
});
await world.openGateway({
  keylog: true,
  upstreams: {
    echo: (stream: Duplex) => {
      if (place === 'upstream') here();
      stream.on('error', () => undefined);
      stream.pipe(stream);
    },
  },
});
world.gateway.on('keylog', () => {
  if (place === 'keylog') here();
});

const pairing = await world.pair({ mode: Mode.Keys, suite: Suite.X25519 });
asked = true;
const relay = await world.relay();
relay.tap = (_bytes, towards) => {
  if (place === 'handshake' && towards === 'gateway') setImmediate(here); // the gateway reads it in the same turn
};
const session = await world.connect(pairing, { storage: new MemoryStorage(), port: relay.port });
const stream = await session.open('echo');
let seen = 0;
let told = false;
stream.on('data', (bytes: Buffer) => {
  seen += bytes.length;
  if (told || seen < 200_000) return;
  told = true;
  if (place === 'callback') here();
  if (place === 'transfer') setImmediate(here);
});
for (;;) if (!stream.write(Buffer.alloc(20_000, 7))) await new Promise((resolve) => stream.once('drain', resolve));
