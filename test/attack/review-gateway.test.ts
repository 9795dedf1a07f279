/**
 * The traces of the two reviews that need the gateway as it is shipped: its store, its operator, its events. Each is followed by the old rule, put
 * back, or by what was to be prevented, under which the trace ends as the review says.
 */

import assert from 'node:assert/strict';
import crypto, { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Mode, Suite } from '../../lib/engine.js';
import { createGateway, Gateway } from '../../lib/gateway.js';
import { DeviceSession } from '../../lib/gateway/session.js';
import { createPairing } from '../../lib/pairing.js';
import { lmdbStore } from '../../lib/store/lmdb.js';
import { memoryStore } from '../../lib/store/memory.js';
import type { GatewayEvents, GatewayPairing, Store } from '../../lib/types.js';
import { bareDevice, BareLink, knock, message1 } from '../lib/bare.js';
import { engine, newIdentity, service, until, World } from '../lib/world.js';
import { replaced, wrapped } from './faults.js';

/** What is broken, for as long as a check runs. */
interface Broken {
  store?: (store: Store) => Store;
  linearizable?: boolean;
  /** The directory's log is put back with it. */
  logToo?: boolean;
  /** Puts something else in the place of a method, and returns what undoes it. */
  code?: () => () => void;
}

function trace(
  title: string,
  check: (broken: Broken) => Promise<void>,
  faults: Record<string, Broken & { red: RegExp }>,
) {
  describe(title, function () {
    this.timeout(60_000);
    it('holds', () => check({}));
    for (const [what, { red, ...broken }] of Object.entries(faults))
      it(`goes red when ${what}`, async () => {
        const undo = broken.code?.();
        try {
          await assert.rejects(check(broken), (error) => {
            if (!(error instanceof assert.AssertionError)) throw error;
            assert.match(error.message, red);
            return true;
          });
        } finally {
          undo?.();
        }
      });
  });
}

/** One function of node:crypto, for whoever imports it. */
function withCrypto<K extends 'createCipheriv' | 'createHmac'>(
  name: K,
  replace: (original: (typeof crypto)[K]) => (typeof crypto)[K],
): () => void {
  const original = crypto[name];
  crypto[name] = replace(original);
  syncBuiltinESMExports();
  return () => {
    crypto[name] = original;
    syncBuiltinESMExports();
  };
}

/** A gateway with one upstream, which says what it heard. */
async function serving<T>(broken: Broken, action: (world: World, heard: string[]) => Promise<T>): Promise<T> {
  const heard: string[] = [];
  const upstream = await service((socket) => socket.on('data', (part) => heard.push(String(part))));
  const world = new World();
  const { sealingKey } = world.identity;
  world.store = await memoryStore({ sealingKey });
  await world.openGateway({
    store: broken.store?.(world.store) ?? world.store,
    upstreams: { echo: upstream.url },
  });
  try {
    return await action(world, heard);
  } finally {
    await world.stop();
    upstream.server.close();
    for (const socket of upstream.sockets) socket.destroy();
  }
}

/** Somewhere to keep a store for as long as a check runs. */
async function inFolder(action: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hawser-review-'));
  try {
    await action(join(folder, 'store'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const early = (text: string): { stream: number; data: Buffer; fin: boolean; idempotent: boolean } => ({
  stream: 0,
  data: Buffer.from(text),
  fin: false,
  idempotent: false,
});

/** H2: a store that has split. Both halves vouch for their own record, and one message 1 comes to both. */
async function splitStore({ linearizable = false }: Broken): Promise<void> {
  let handed = 0;
  const upstreams = { echo: () => void (handed += 1) };
  const identity = newIdentity();
  const pairing = createPairing(engine, identity, { mode: Mode.Ticket, upstreams: ['echo'] });
  const core = bareDevice(pairing);
  core.open('echo', 0);
  const first = message1(core, early('once'));
  for (const half of [1, 2]) {
    const store = await memoryStore({ sealingKey: identity.sealingKey, linearizable });
    await store.add(pairing.gateway);
    const gateway = createGateway({ store, identity, engine, upstreams });
    const { port } = (await gateway.listen({ port: 0, host: '127.0.0.1' })) as { port: number };
    // What is TAKEN is handed over before it is answered.
    const { answer } = await knock(port, first, 5000);
    await gateway.close({ drain: 0 });
    await store.close();
    assert.ok(answer.length > 0, `half ${half} answers`);
  }
  assert.ok(handed <= 1, `handed over ${handed} times`);
  assert.equal(handed, 0, 'none can vouch for it');
}

trace('H2: early data over a store that may split', splitStore, {
  'the store says that it cannot': { linearizable: true, red: /handed over 2 times/ },
});

/** H5: a copy of the store opens nothing without the key that is kept outside of it. */
async function copiedStore(): Promise<void> {
  await inFolder(async (path) => {
    const identity = newIdentity();
    const pairings = [
      createPairing(engine, identity, { mode: Mode.Ticket, upstreams: ['echo'] }),
      createPairing(engine, identity, { mode: Mode.Psk, suite: Suite.X25519, upstreams: ['echo'] }),
    ].map(({ gateway }) => gateway);
    const store = await lmdbStore({ path, sealingKey: identity.sealingKey });
    for (const pairing of pairings) await store.add(pairing);
    await store.close();
    const copy = Buffer.concat(readdirSync(path).map((name) => readFileSync(join(path, name))));
    for (const secret of pairings.flatMap(secretsOf))
      assert.equal(copy.includes(Buffer.from(secret)), false, 'a secret lies open in the copy');
    await assert.rejects(lmdbStore({ path, sealingKey: randomBytes(32) }), { code: 'ERR_HAWSER_CONFIG' });
  });
}

function secretsOf({ record, chain }: GatewayPairing): Uint8Array[] {
  const secrets = [record.psk, chain?.r, chain?.next].filter((secret) => secret !== undefined);
  assert.ok(secrets.length > 0);
  return secrets;
}

trace('H5: a copy of the store', copiedStore, {
  'records are written as they are': {
    red: /a secret lies open in the copy/,
    code: () =>
      withCrypto(
        'createCipheriv',
        (original) =>
          ((...args: Parameters<typeof original>) => {
            const cipher = original(...args);
            // The tag is that of the plaintext's encryption: nothing is read back here.
            const update = cipher.update.bind(cipher) as (plain: Uint8Array) => Buffer;
            const asItIs = (plain: Uint8Array): Buffer => {
              update(plain);
              return Buffer.from(plain);
            };
            cipher.update = asItIs as typeof cipher.update;
            return cipher;
          }) as typeof original,
      ),
  },
});

/** L1: a ticket is a hint. Two devices have the same one, and each gets its own session. */
async function sameTicket(broken: Broken): Promise<void> {
  await serving(broken, async (world) => {
    const pairings = [1, 2, 3].map(() =>
      createPairing(engine, world.identity, { mode: Mode.Ticket, upstreams: ['echo'] }),
    );
    const all = pairings.flatMap(({ gateway }) => gateway.tickets ?? []);
    for (const { gateway } of pairings) await world.store.add({ ...gateway, tickets: all });
    // The last first: whoever came earlier stands before it in the index.
    for (const pairing of [...pairings].reverse()) {
      const { answer } = await knock(world.port, message1(bareDevice(pairing)));
      assert.ok(answer.length > 0, 'a device whose ticket another has as well is answered');
    }
    for (const pairing of pairings) assert.equal((await world.connect(pairing)).live, true);
    await until(() => world.gateway.sessions.length === 3, 'each has a session');
  });
}

trace('L1: a ticket that several devices have', sameTicket, {
  'the index has one device for each ticket': {
    store: (store) =>
      wrapped(store, () => ({ byTicket: async (ticket) => (await store.byTicket(ticket)).slice(0, 1) })),
    red: /a device whose ticket another has as well is answered/,
  },
});

/** L3: two that say they are one device. The operator hears of it when the second takes the place of the first; and only then. */
async function clone(broken: Broken): Promise<void> {
  await serving(broken, async (world) => {
    const pairing = await world.pair({ mode: Mode.Psk });
    const alarms: GatewayEvents['chainReplaced'][0][] = [];
    world.gateway.on('chainReplaced', (report) => alarms.push(report));
    const device = bareDevice(pairing);
    const first = await BareLink.live(world.port, device);
    await until(() => world.gateway.sessions[0]?.live === true, 'the device is live');
    // Its own link is torn, it comes back, and once more after a loss of flash and RAM while nothing of it was live.
    first.hangUp();
    await until(() => world.gateway.sessions[0]?.live === false, 'it hung up');
    const resumed = await BareLink.live(world.port, device);
    await until(() => world.gateway.sessions[0]?.live === true, 'it resumed');
    resumed.hangUp();
    await until(() => world.gateway.sessions[0]?.live === false, 'it hung up again');
    const again = await BareLink.live(world.port, bareDevice(pairing));
    await until(() => world.gateway.sessions[0]?.live === true, 'it is there again');
    assert.deepEqual(alarms, [], 'an alarm for a device that is alone');

    const other = await BareLink.live(world.port, bareDevice(pairing));
    await until(() => again.closed, 'the later one wins');
    assert.deepEqual(
      alarms.map(({ device, by }) => [Buffer.from(device).toString('hex'), by]),
      [[Buffer.from(pairing.device.id).toString('hex'), '127.0.0.1']],
      'the operator hears of it once, of which device, and from where',
    );
    assert.equal(world.gateway.counters.get('chainReplaced'), 1);
    assert.equal(other.closed, false, 'nothing is locked');
  });
}

trace('L3: a full handshake replaces a chain that has a live session', clone, {
  'nobody is told': {
    code: () =>
      replaced(
        Gateway.prototype as unknown as { tell(event: string, ...args: unknown[]): void },
        'tell',
        (original) =>
          (event, ...args) =>
            event === 'chainReplaced' ? undefined : original(event, ...args),
      ),
    red: /the operator hears of it once/,
  },
  'every session counts as live': {
    code: () => {
      const own = Object.getOwnPropertyDescriptor(DeviceSession.prototype, 'live') ?? assert.fail();
      const isLive = (session: DeviceSession): boolean => own.get?.call(session) === true;
      // What the door asks; the report of sessions is what the check waits for.
      Object.defineProperty(DeviceSession.prototype, 'live', {
        configurable: true,
        get(this: DeviceSession) {
          const asked = new Error().stack?.includes('become') === true;
          return asked || isLive(this);
        },
      });
      return () => Object.defineProperty(DeviceSession.prototype, 'live', own);
    },
    red: /an alarm for a device that is alone/,
  },
});

/** Second review 9: no key of the store seals what belongs to two devices. */
async function sealingKeys(): Promise<void> {
  const owners = new Map<string, Set<string>>();
  let owner = '';
  const undo = withCrypto(
    'createCipheriv',
    (original) =>
      ((algorithm: string, key: crypto.KeyObject, ...rest: never[]) => {
        const name = key.export().toString('hex');
        if (owner !== '') owners.set(name, (owners.get(name) ?? new Set()).add(owner));
        return original(algorithm as 'aes-256-gcm', key, ...(rest as unknown as [never]));
      }) as unknown as typeof original,
  );
  try {
    const identity = newIdentity();
    const store = await memoryStore({ sealingKey: identity.sealingKey });
    for (owner of ['one', 'two', 'three']) {
      const pairing = createPairing(engine, identity, { mode: Mode.Ticket, upstreams: ['echo'] });
      await store.add(pairing.gateway);
      const entry = (await store.get(pairing.device.id)) ?? assert.fail();
      assert.equal(await store.compareAndSet(pairing.device.id, entry.version, entry.state, [], true), true);
    }
    await store.close();
  } finally {
    undo();
  }
  const most = Math.max(...[...owners.values()].map(({ size }) => size));
  assert.equal(most, 1, 'one key seals the records of several devices');
}

trace('second 9: a key for each device', sealingKeys, {
  'one key seals them all': {
    code: () =>
      withCrypto('createHmac', (original) => (...args: Parameters<typeof original>) => {
        const mac = original(...args);
        const update = mac.update.bind(mac) as (bytes: Uint8Array) => typeof mac;
        let label: string | undefined;
        // What follows the label is whose key it is to be.
        const alone = (bytes: Uint8Array): typeof mac => {
          if (label === 'seal\0\0\0\0') return mac;
          label = Buffer.from(bytes).toString('latin1');
          return update(bytes);
        };
        mac.update = alone as typeof mac.update;
        return mac;
      }),
    red: /one key seals the records of several devices/,
  },
});

/** Second review 13: at a block start an answer must be durable. The store cannot be reached: silence, and nothing is delivered. */
async function unreachable(broken: Broken): Promise<void> {
  let down = true;
  const failing = (store: Store): Store =>
    wrapped(store, () => ({
      compareAndSet: (...args) =>
        down ? Promise.reject(new Error('not to be reached')) : store.compareAndSet(...args),
    }));
  await serving({ store: (store) => broken.store?.(failing(store)) ?? failing(store) }, async (world, heard) => {
    const pairing = await world.pair({ mode: Mode.Ticket });
    const core = bareDevice(pairing);
    core.open('echo', 0);
    const first = message1(core, early('once'));
    assert.equal((await knock(world.port, first)).answer.length, 0, 'not a byte in answer');
    down = false;
    const link = await BareLink.answered(world.port, core, first);
    link.flush();
    await until(() => heard.length > 0, 'it arrives');
    assert.deepEqual(heard, ['once']);
  });
}

trace('second 13: a store that cannot be reached at a block start', unreachable, {
  'the gateway goes on without it': {
    store: (store) =>
      wrapped(store, () => ({ compareAndSet: (...args) => store.compareAndSet(...args).catch(() => true) })),
    red: /not a byte in answer/,
  },
});

/** Second review 17: a backup that is put back revives no pairing that the operator ended since. */
async function restoredBackup({ logToo = false }: Broken): Promise<void> {
  await inFolder(async (path) => {
    const identity = newIdentity();
    const open = (): Promise<Store> => lmdbStore({ path, sealingKey: identity.sealingKey });
    const paired = (): ReturnType<typeof createPairing> =>
      createPairing(engine, identity, { mode: Mode.Ticket, upstreams: ['echo'] });
    const [revoked, removed, kept] = [paired(), paired(), paired()];
    let store = await open();
    for (const { gateway } of [revoked, removed, kept]) await store.add(gateway);
    await store.close();
    const folder = join(path, '..');
    const backup = readdirSync(folder).filter((name) => logToo || name === 'store');
    for (const name of backup) cpSync(join(folder, name), join(folder, `backup-${name}`), { recursive: true });

    store = await open();
    await store.revoke(revoked.device.id);
    await store.remove(removed.device.id);
    await store.close();
    for (const name of backup) {
      rmSync(join(folder, name), { recursive: true });
      cpSync(join(folder, `backup-${name}`), join(folder, name), { recursive: true });
    }
    store = await open();
    const alive = async ({ device }: ReturnType<typeof paired>): Promise<boolean> => {
      const entry = await store.get(device.id);
      return entry !== undefined && entry.record.revoked === undefined;
    };
    const found = [await alive(revoked), await alive(removed), await alive(kept)];
    await store.close();
    assert.deepEqual(found, [false, false, true], 'a pairing that was ended is alive again');
  });
}

trace('second 17: a backup that is put back', restoredBackup, {
  'the log of what was ended is part of it': { logToo: true, red: /a pairing that was ended is alive again/ },
});
