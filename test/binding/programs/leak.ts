/** Opens and closes sessions, half of them wiped and half left to the garbage collector, and prints what remained. */

import { setImmediate } from 'node:timers/promises';
import { createNativeEngine, liveObjects } from '../../../lib/engine/native.js';
import type { Port } from '../../../lib/engine/native/addon.js';
import { Link } from '../link.js';

const [port, total] = [process.argv[2] as Port, Number(process.argv[3])];
const engine = createNativeEngine(port);

function session(at: number): void {
  const link = new Link(engine);
  if (at % 10 === 0) link.connect().open();
  else if (at % 3 === 0) link.answer(link.first());
  if (at % 2 === 0) link.wipe();
}

/** Finalisers run behind a turn of the event loop. */
async function collect(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) {
    globalThis.gc?.();
    await setImmediate();
  }
}

async function sessions(count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    session(at);
    if (at % 500 === 499) await collect();
  }
  await collect();
}

await sessions(total / 10);
const before = process.memoryUsage.rss();
await sessions(total - total / 10);
console.log(JSON.stringify({ live: liveObjects(port), growth: process.memoryUsage.rss() - before }));
