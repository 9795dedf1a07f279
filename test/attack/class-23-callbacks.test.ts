/**
 * Class 23: a callback that throws hurts neither the others nor what calls them, nor does one that destroys what it was called about.
 * test/lib/gateway.test.ts throws in every event of a running gateway.
 */

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Session } from '../../lib/device.js';
import { SafeEmitter } from '../../lib/emitter.js';
import { Mode } from '../../lib/engine.js';
import { DeviceSession } from '../../lib/gateway/session.js';
import { World, type Relay } from '../lib/world.js';
import { red } from './classes.js';
import { replaced } from './faults.js';

interface Events {
  it: [number];
  error: [Error];
}
class Safe extends SafeEmitter<Events & Record<keyof Events, unknown[]>> {
  say(value: number): void {
    this.tell('it', value);
  }
}
/** What one writes without thinking of it. */
class Plain extends EventEmitter {
  say(value: number): void {
    this.emit('it', value);
  }
}

function survives(emitter: Safe | Plain): void {
  const heard: number[] = [];
  const errors: Error[] = [];
  const events: EventEmitter = emitter;
  events.on('error', (error: Error) => errors.push(error));
  events.on('it', () => {
    throw new Error('thrown');
  });
  events.on('it', function once(this: EventEmitter) {
    events.off('it', once); // changes the list while it is walked
    emitter.say(2); // and enters again
  });
  events.on('it', (value: number) => heard.push(value));
  assert.doesNotThrow(() => emitter.say(1));
  assert.deepEqual(heard, [2, 1]);
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['thrown', 'thrown'],
  );
}

describe('class 23: listeners that throw and enter again', () => {
  it('are reported, and all others are called', () => survives(new Safe()));
  it('goes red with a plain emitter', () => red(/thrown/, () => survives(new Plain())));
});

/** What is there to be destroyed, from wherever. */
interface Alive {
  world: World;
  relay: Relay;
  device: Uint8Array;
  session?: Session;
  stream?: Duplex;
  upstream?: Duplex;
}
const destroy: Record<string, (alive: Alive) => void> = {
  'the socket': ({ relay }) => relay.cut(),
  'the stream': ({ stream }) => void stream?.destroy(),
  'the stream of the upstream': ({ upstream }) => void upstream?.destroy(),
  'the session': ({ session }) => void session?.close({ timeout: 0 }),
  'the session, by revoking its pairing': ({ world, device, session }) =>
    // Silence is all that it gets from then on.
    void world.gateway.revoke(device).then(() => session?.close({ timeout: 0 })),
};
const ofGateway = ['session', 'resume', 'pause', 'close', 'handshake', 'refused', 'drop', 'debug'] as const;
const ofDevice = ['session', 'resume', 'pause', 'handshake', 'drop', 'debug', 'close'] as const;
const ofStream = ['data', 'end', 'finish', 'error', 'close'] as const;

/** A device comes, opens a stream, is refused another, loses its link, goes on, and leaves; all of it for as long as it is let. */
async function life(alive: Alive, destroys: (where: string) => void): Promise<void> {
  const { world, relay } = alive;
  for (const event of ofGateway) world.gateway.on(event, () => destroys(`gateway ${event}`));
  const pairing = await world.pair({ mode: Mode.Psk, upstreams: ['echo', 'own'] });
  alive.device = pairing.device.id;
  const session = await world.connect(pairing, { port: relay.port, lazy: true });
  alive.session = session;
  session.on('error', () => undefined);
  for (const event of ofDevice) session.on(event, () => destroys(`device ${event}`));
  try {
    const stream = await session.open('own');
    alive.stream = stream;
    for (const event of ofStream) stream.on(event, () => destroys(`stream ${event}`));
    stream.on('error', () => undefined);
    const heard = happens(stream, 'data');
    stream.write(Buffer.alloc(20_000, 'x'));
    await session.open('nothing').catch(() => undefined);
    await heard;
    relay.cut();
    stream.end();
    await happens(stream, 'close');
  } catch {
    // Whatever was destroyed is no more.
  }
  await session.close({ timeout: 0 });
}

/** The event, or the end of the stream. */
function happens(stream: Duplex, event: string): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    for (const each of [event, 'close']) stream.once(each, () => resolve());
  });
}

/** Each thing destroyed in each callback, the first time that it is called; the gateway has no trouble, and another device is served. */
async function destroyed(what: string): Promise<Set<string>> {
  const places = new Set<string>();
  const all = [
    ...ofGateway.map((event) => `gateway ${event}`),
    ...ofDevice.map((event) => `device ${event}`),
    ...ofStream.map((event) => `stream ${event}`),
    'upstream',
    'upstream data',
  ];
  const world = await World.start();
  try {
    for (const where of all) {
      const relay = await world.relay();
      const alive: Alive = { world, relay, device: new Uint8Array(0) };
      let done = false;
      const destroys = (at: string): void => {
        if (at !== where || done) return;
        done = true;
        places.add(at);
        destroy[what]?.(alive);
      };
      await world.gateway.close({ drain: 0 });
      await world.openGateway({
        upstreams: {
          echo: (stream) => void stream.pipe(stream),
          own: (stream) => {
            alive.upstream = stream;
            stream.on('error', () => undefined);
            stream.on('data', () => destroys('upstream data'));
            stream.pipe(stream);
            destroys('upstream');
          },
        },
      });
      const neighbour = await world.connect(await world.pair({ mode: Mode.Psk }));
      const echo = await neighbour.open('echo');
      let heard = '';
      echo.on('data', (part: Buffer) => (heard += String(part))).on('error', () => undefined);
      const over = happens(echo, 'close');
      await life(alive, destroys);
      await world.gateway.revoke(alive.device); // whatever is left of it is over
      echo.end('served');
      await over;
      assert.equal(heard, 'served', `${what}, destroyed in ${where}: another device is served`);
      await neighbour.close({ timeout: 0 });
      assert.deepEqual(world.errors, [], `${what}, destroyed in ${where}: the gateway is in trouble`);
    }
  } finally {
    await world.stop();
  }
  return places;
}

describe('class 23: callbacks that destroy', function () {
  this.timeout(120_000);
  for (const what of Object.keys(destroy))
    it(`${what}: nobody else is hurt`, async () => {
      const places = await destroyed(what);
      // Not each happens in each life, but most do.
      assert.ok(places.size >= 18, `in ${[...places].join(', ')}`);
    });
  it('goes red when the end of one session is the end of all', async () => {
    const all = new Set<DeviceSession>();
    const undo = [
      replaced(DeviceSession.prototype, 'attach', (original, session) => (...args) => {
        all.add(session);
        original(...args);
      }),
      replaced(DeviceSession.prototype, 'end', (original, session) => (...args) => {
        original(...args);
        all.delete(session);
        for (const other of all) other.end(...args);
      }),
    ];
    try {
      await assert.rejects(destroyed('the session'), (error: Error) => {
        assert.match(error.message, /another device is served/);
        return true;
      });
    } finally {
      for (const each of undo) each();
    }
  });
});
