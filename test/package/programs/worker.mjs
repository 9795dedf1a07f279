// The same in a worker thread, while the main thread has the engine loaded too.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { selectEngine } from 'hawser';
import { tunnel } from './tunnel.mjs';

if (isMainThread) {
  const [engine] = await once(new Worker(new URL(import.meta.url)), 'message');
  console.log(JSON.stringify({ engine, main: selectEngine().name }));
} else {
  parentPort.postMessage(await tunnel());
}
