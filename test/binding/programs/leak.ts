/**
 * Opens and closes sessions and says every so often what the process holds: one JSON line per sample. argv: engine, by which way
 * ('cores': both ends of a session back to back; 'sockets': connect() to a gateway), sessions, samples, and a seeded fault or
 * nothing ('objects': sessions are kept; 'bytes': 4 KiB are kept of each). Needs --expose-gc.
 */

import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Code, Mode, Suite, type Engine } from '../../../lib/engine.js';
import { liveObjects } from '../../../lib/engine/native.js';
import { selectEngine } from '../../../lib/engine/select.js';
import { MemoryStorage } from '../../../lib/storage.js';
import { pattern } from '../../suite/bytes.js';
import type { Sample } from '../leaks.js';
import { Link, must } from '../link.js';

const [name = '', way = '', sessions = '', samples = '', fault = ''] = process.argv.slice(2);
const engine: Engine = selectEngine({ engine: name });
const kept: unknown[] = [];

/** A handshake, bytes both ways, an orderly end; half of them wiped, half left to the garbage collector. Every eighth is given up half way. */
function core(at: number): void {
  const link = new Link(engine, {}, { mode: Mode.Psk, suite: Suite.X25519 });
  if (at % 8 === 7) link.answer(link.first());
  else transfer(link.connect());
  if (fault === 'objects') kept.push(link);
  else if (at % 2 === 0) link.wipe();
}

function transfer(link: Link): void {
  const stream = link.open();
  for (const [from, to] of [
    ['device', 'toGateway'],
    ['gateway', 'toDevice'],
  ] as const)
    // prettier-ignore
    link[to](Buffer.from(must(link[from].write(stream, pattern(500), false, link.now).out, 'records')));
  link.device.close(Code.Done);
  link.pump();
}

/** Full handshakes and resumptions in turn, by one pairing. */
async function overSockets(): Promise<{ session: (at: number) => Promise<void>; end: () => Promise<void> }> {
  process.env.HAWSER_ENGINE = name;
  const { World, echo } = await import('../../lib/world.js');
  const upstream = await echo();
  const world = await World.start({ upstreams: { echo: upstream.url } });
  const pairing = await world.pair({ mode: Mode.Psk, suite: Suite.X25519 });
  let storage = new MemoryStorage();
  return {
    session: async (at) => {
      if (at % 2 === 0) storage = new MemoryStorage();
      const session = await world.connect(pairing, { storage });
      world.cleanups.length = 0;
      const stream = await session.open('echo');
      stream.end(pattern(500));
      stream.resume();
      await once(stream, 'close');
      await session.close();
      if (fault === 'objects') kept.push(session);
    },
    end: async () => {
      await world.stop();
      upstream.server.close();
    },
  };
}

/** Finalisers run behind a turn of the event loop. */
async function collect(): Promise<void> {
  for (let turns = 0; turns < 6; turns++) {
    globalThis.gc?.();
    await setImmediate();
  }
}

/** Objects of the addon; 0 for an engine that has none. */
function live(): number {
  if (name === 'js') return 0;
  return liveObjects(name === 'native' ? 'openssl' : 'mbedtls');
}

async function sample(done: number): Promise<void> {
  await collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  const taken: Sample = { sessions: done, live: live(), rss, heapUsed, external };
  console.log(JSON.stringify(taken));
}

if (globalThis.gc === undefined) throw new Error('needs --expose-gc');
const over = way === 'sockets' ? await overSockets() : undefined;
const total = Number(sessions);
const every = Math.ceil(total / Number(samples));
for (let at = 0; at < total; at++) {
  await (over === undefined ? core(at) : over.session(at));
  if (fault === 'bytes') kept.push(Buffer.alloc(4096, at));
  if (at % 250 === 249) await collect();
  if (at % every === every - 1) await sample(at + 1);
}
await over?.end();
await sample(total);
