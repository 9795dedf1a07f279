import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import fs, {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Mode, Suite, type Chain } from '../../lib/engine.js';
import { decodeState, encodeState, remember, Seal } from '../../lib/store/codec.js';
import { LmdbBackend } from '../../lib/store/lmdb-backend.js';
import { lmdbStore } from '../../lib/store/lmdb.js';
import { memoryStore } from '../../lib/store/memory.js';
import { SealedStore, type Backend } from '../../lib/store/store.js';
import { MemoryTombstones } from '../../lib/store/tombstones.js';
import type { ChainState, DeviceRecord, GatewayPairing, Store, StoreEntry } from '../../lib/types.js';

const sealingKey = randomBytes(32);

function record(id: string, change: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    serial: randomBytes(16).toString('hex'),
    name: `device ${id}`,
    mode: Mode.Psk,
    suite: Suite.X25519,
    id: Buffer.from(id),
    recordMax: 1024,
    windowDevice: 8192,
    windowGateway: 8192,
    maxSteps: 4096,
    maxBlocks: 4096,
    psk: randomBytes(32),
    upstreams: ['mqtt'],
    created: 1,
    limits: { streams: 8 },
    ...change,
  };
}

function ticketPairing(id: string, chain: Chain = newChain()): GatewayPairing {
  const { psk: _psk, ...rest } = record(id, { mode: Mode.Ticket, suite: Suite.None });
  return { record: rest, chain, tickets: tickets(chain) };
}

function newChain(b = 0, i = 0): Chain {
  return { id: randomBytes(8), b, i, r: randomBytes(32), next: randomBytes(32) };
}

/** Not the real derivation: the store does not look inside. */
function tickets(chain: Chain, ahead = 2): Uint8Array[] {
  const of = (b: number, i: number): Buffer =>
    createHmac('sha256', chain.id).update(`${b}/${i}`).digest().subarray(0, 8);
  return [
    of(chain.b, chain.i),
    of(chain.b, chain.i + 1),
    ...Array.from({ length: ahead }, (_, n) => of(chain.b + 1 + n, 0)),
  ];
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  assert.ok(item !== undefined);
  return item;
}

async function entry(store: Store, id: string): Promise<StoreEntry> {
  const found = await store.get(Buffer.from(id));
  assert.ok(found, `${id} is stored`);
  return found;
}

const code = (expected: string, text: RegExp) => (error: unknown) => {
  assert.equal((error as { code?: string }).code, expected, String(error));
  assert.match((error as Error).message, text);
  return true;
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hawser-store-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const kinds: [string, () => Promise<Store>][] = [
  ['memory', () => memoryStore({ sealingKey })],
  ['lmdb', () => lmdbStore({ path: join(directory, 'store'), sealingKey })],
];

for (const [kind, open] of kinds) {
  describe(`store: ${kind}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    it('gives back what was added, byte for byte', async () => {
      const pairing = record('dev1', {
        expiry: 5,
        notBefore: 2,
        ss: randomBytes(32),
        publicKey: randomBytes(65),
        name: 'Pümpe "1"',
      });
      await store.add({ record: pairing });
      const found = await entry(store, 'dev1');
      for (const [field, value] of Object.entries(pairing)) {
        const stored = found.record[field as keyof DeviceRecord];
        if (value instanceof Uint8Array) assert.deepEqual(Buffer.from(stored as Uint8Array), Buffer.from(value), field);
        else assert.deepEqual(stored, value, field);
      }
      assert.equal(found.state.chain, undefined);
      assert.deepEqual(found.state.early, { kind: 'none' });
      assert.equal(found.state.incarnation, store.incarnation);
      assert.equal(await store.get(Buffer.from('dev2')), undefined);
    });

    it('finds a device by each of its tickets, and several devices by one', async () => {
      const one = ticketPairing('dev1');
      const two = ticketPairing('dev2');
      const shared = at(one.tickets ?? [], 1);
      await store.add(one);
      await store.add({ ...two, tickets: [shared, ...(two.tickets ?? [])] });
      for (const ticket of one.tickets ?? []) {
        const ids = (await store.byTicket(ticket)).map((found) => Buffer.from(found.record.id).toString()).sort();
        assert.deepEqual(ids, ticket === shared ? ['dev1', 'dev2'] : ['dev1']);
      }
      assert.deepEqual(await store.byTicket(randomBytes(8)), []);
      await store.remove(Buffer.from('dev1'));
      assert.equal((await store.byTicket(shared)).length, 1, 'the other device keeps its entry');
    });

    it('moves state and tickets in one step, and only for the version that was read', async () => {
      const pairing = ticketPairing('dev1');
      await store.add(pairing);
      const before = await entry(store, 'dev1');
      assert.ok(before.state.chain);
      const chain = { ...before.state.chain, b: 1 };
      const next: ChainState = {
        ...before.state,
        chain,
        early: { kind: 'taken', h: randomBytes(32) },
        owner: 'node a',
      };
      assert.equal(await store.compareAndSet(before.record.id, before.version, next, tickets(chain), true), true);
      const after = await entry(store, 'dev1');
      assert.deepEqual(normal(after.state), normal(next));
      assert.equal((await store.byTicket(at(pairing.tickets ?? [], 0))).length, 0, 'old ticket');
      assert.equal((await store.byTicket(at(tickets(chain), 0))).length, 1, 'new ticket');
      assert.equal(await store.compareAndSet(before.record.id, before.version, next, [], true), false, 'stale version');
      assert.deepEqual(normal((await entry(store, 'dev1')).state), normal(next), 'unchanged after a refusal');
      assert.equal(await store.compareAndSet(Buffer.from('none'), 1, next, [], true), false);
    });

    it('lets exactly one of many racers win, over and over', async () => {
      await store.add(ticketPairing('dev1'));
      for (let round = 0; round < 20; round += 1) {
        const {
          record: { id },
          state,
          version,
        } = await entry(store, 'dev1');
        const racers = Array.from({ length: 16 }, (_, n) =>
          store.compareAndSet(
            id,
            version,
            { ...state, owner: `${round}/${n}` },
            state.chain ? tickets(state.chain) : [],
            n % 2 === 0,
          ),
        );
        const won = (await Promise.all(racers)).flatMap((ok, n) => (ok ? [n] : []));
        assert.equal(won.length, 1);
        assert.equal((await entry(store, 'dev1')).state.owner, `${round}/${won[0]}`);
      }
    });

    it('refuses a second pairing with the same id, PSK, key or B_0 (SPEC 4/1)', async () => {
      const psk = randomBytes(32);
      const publicKey = randomBytes(32);
      const chain = newChain();
      await store.add({ record: record('dev1', { psk }) });
      await store.add({ record: record('dev2', { publicKey }) });
      await store.add(ticketPairing('dev3', chain));
      await assert.rejects(store.add({ record: record('dev1') }), code('ERR_HAWSER_CONFIG', /paired already/));
      await assert.rejects(store.add({ record: record('dev4', { psk }) }), code('ERR_HAWSER_CONFIG', /psk belongs/));
      await assert.rejects(
        store.add({ record: record('dev4', { publicKey }) }),
        code('ERR_HAWSER_CONFIG', /public key belongs/),
      );
      await assert.rejects(store.add(ticketPairing('dev4', chain)), code('ERR_HAWSER_CONFIG', /ticket belongs/));
      assert.equal(await store.get(Buffer.from('dev4')), undefined);
      await store.remove(Buffer.from('dev1'));
      await store.add({ record: record('dev4', { psk }) });
    });

    it('refuses a pairing that cannot be, with the field, and keeps nothing of it', async () => {
      const wrong: [string, GatewayPairing][] = [
        ['id', { record: record('dev') }],
        ['id', { record: record('d'.repeat(33)) }],
        ['serial', { record: record('dev1', { serial: 'A'.repeat(32) }) }],
        ['serial', { record: record('dev1', { serial: '0'.repeat(31) }) }],
        ['chain', { record: record('dev1'), chain: newChain(), tickets: [randomBytes(8)] }],
        ['chain', { record: ticketPairing('dev1').record }],
        ['tickets', { ...ticketPairing('dev1'), tickets: [] }],
      ];
      for (const [field, pairing] of wrong)
        await assert.rejects(store.add(pairing), code('ERR_HAWSER_CONFIG', new RegExp(`: ${field}: `)));
      for await (const found of store.list()) assert.fail(String(found.record.id));
    });

    it('two that pair one id, or one secret, at once: one of them is told', async () => {
      const psk = randomBytes(32);
      const pairs: [DeviceRecord, DeviceRecord][] = [
        [record('dev1'), record('dev1')],
        [record('dev2', { psk }), record('dev3', { psk })],
      ];
      for (const both of pairs) {
        const results = await Promise.allSettled(both.map((each) => store.add({ record: each })));
        assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      }
    });

    it('update() changes what an operator may change, and no secret, mode or serial', async () => {
      await store.add({ record: record('dev1') });
      const { record: before } = await entry(store, 'dev1');
      const change = {
        name: 'new',
        psk: randomBytes(32),
        serial: '0'.repeat(32),
        mode: Mode.Keys,
        revoked: 1,
        maxSteps: 1,
      };
      assert.equal(await store.update(before.id, change as Partial<DeviceRecord>), true);
      assert.deepEqual((await entry(store, 'dev1')).record, { ...before, name: 'new' });
    });

    it('replaces a pairing only when told to, and then the old chain and serial are dead', async () => {
      const old = ticketPairing('dev1');
      await store.add(old);
      const before = await entry(store, 'dev1');
      await store.add(ticketPairing('dev1'), { replace: true });
      assert.equal((await store.byTicket(at(old.tickets ?? [], 0))).length, 0);
      assert.equal(
        await store.compareAndSet(before.record.id, before.version, before.state, [], false),
        false,
        'late write of the old',
      );
      await assert.rejects(store.add(old, { replace: true }), code('ERR_HAWSER_CONFIG', /serial/));
    });

    it('updates, revokes and removes, and its revision tells', async () => {
      await store.add({ record: record('dev1') });
      const id = Buffer.from('dev1');
      let revision = await store.revision();
      const moved = async (): Promise<boolean> => {
        const last = revision;
        revision = await store.revision();
        return revision > last;
      };
      assert.equal(await store.update(id, { upstreams: ['http'], expiry: 99 }), true);
      assert.deepEqual((await entry(store, 'dev1')).record.upstreams, ['http']);
      assert.equal((await entry(store, 'dev1')).record.name, 'device dev1');
      assert.equal(await moved(), true);
      assert.equal(await store.revoke(id), true);
      assert.ok((await entry(store, 'dev1')).record.revoked);
      assert.equal(await moved(), true);
      assert.equal(await store.remove(id), true);
      assert.equal(await store.get(id), undefined);
      assert.equal(await moved(), true);
      assert.equal(await store.revoke(id), false);
      assert.equal(await store.update(id, { name: 'x' }), false);
      assert.equal(await store.remove(id), false);
    });

    it('lists all', async () => {
      for (const id of ['dev1', 'dev2', 'dev3']) await store.add({ record: record(id) });
      const ids: string[] = [];
      for await (const found of store.list()) ids.push(Buffer.from(found.record.id).toString());
      assert.deepEqual(ids.sort(), ['dev1', 'dev2', 'dev3']);
    });

    it('restore(): a new incarnation, more blocks ahead for tickets alone, and no handshake survives it', async () => {
      const pairing = ticketPairing('dev1');
      await store.add(pairing);
      await store.add({ record: record('dev2') });
      const incarnation = store.incarnation;
      const before = await entry(store, 'dev1');
      await store.restore(20, (state) => (state.chain ? tickets(state.chain, state.ahead) : []));
      assert.notEqual(store.incarnation, incarnation);
      const after = await entry(store, 'dev1');
      assert.equal(after.state.ahead, 20);
      assert.equal(after.state.incarnation, incarnation, 'the record itself is not vouched for');
      assert.ok(after.state.chain);
      assert.equal((await store.byTicket(at(tickets(after.state.chain, 20), 21))).length, 1);
      assert.equal((await entry(store, 'dev2')).state.ahead, 2);
      assert.equal(await store.compareAndSet(before.record.id, before.version, before.state, [], false), false);
      for (const ahead of [1, 251, 2.5])
        await assert.rejects(
          store.restore(ahead, () => []),
          code('ERR_HAWSER_ARG', /blocks ahead/),
        );
    });

    it('refuses everything once closed', async () => {
      await store.close();
      await assert.rejects(store.get(Buffer.from('dev1')), code('ERR_HAWSER_CLOSED', /closed/));
      await assert.rejects(store.add({ record: record('dev1') }), code('ERR_HAWSER_CLOSED', /closed/));
    });
  });
}

describe('store: lmdb on disk', () => {
  const path = (): string => join(directory, 'store');
  const open = (key: Uint8Array = sealingKey): Promise<Store> => lmdbStore({ path: path(), sealingKey: key });

  it('keeps all of it when it is opened again', async () => {
    const pairing = ticketPairing('dev1');
    let store = await open();
    const { incarnation } = store;
    await store.add(pairing);
    const first = await entry(store, 'dev1');
    assert.ok(first.state.chain);
    const chain = { ...first.state.chain, i: 1 };
    await store.compareAndSet(first.record.id, first.version, { ...first.state, chain }, tickets(chain), false);
    await store.close();
    store = await open();
    assert.equal(store.incarnation, incarnation, 'an ordinary restart is no loss');
    assert.equal((await entry(store, 'dev1')).state.chain?.i, 1);
    assert.equal((await store.byTicket(at(tickets(chain), 0))).length, 1);
    await store.close();
  });

  it('says so when the sealing key is another one, and changes nothing', async () => {
    let store = await open();
    await store.add({ record: record('dev1') });
    await store.close();
    await assert.rejects(open(randomBytes(32)), code('ERR_HAWSER_CONFIG', /another sealing key/));
    await assert.rejects(open(new Uint8Array(32)), code('ERR_HAWSER_CONFIG', /zero/));
    await assert.rejects(open(randomBytes(31)), code('ERR_HAWSER_CONFIG', /32 bytes/));
    store = await open();
    await entry(store, 'dev1');
    await store.close();
  });

  it('shows no secret and no id of an upstream in its files', async () => {
    const psk = randomBytes(32);
    const pairing = ticketPairing('dev2');
    const store = await open();
    await store.add({ record: record('dev1', { psk, upstreams: ['hidden-upstream'] }) });
    await store.add(pairing);
    await store.close();
    const files = readdirSync(path()).map((name) => readFileSync(join(path(), name)));
    const all = Buffer.concat(files);
    for (const secret of [psk, pairing.chain?.r ?? psk, pairing.chain?.next ?? psk]) {
      assert.equal(all.includes(Buffer.from(secret)), false);
      assert.equal(all.includes(Buffer.from(secret).toString('hex')), false);
    }
    assert.equal(all.includes('hidden-upstream'), false);
  });

  it('a backup that is put back revives no pairing, and is noticed', async () => {
    let store = await open();
    for (const id of ['kept', 'revoked', 'removed', 'replaced']) await store.add({ record: record(id) });
    await store.close();
    const backup = join(directory, 'backup');
    cpSync(path(), backup, { recursive: true });

    store = await open();
    const { incarnation } = store;
    await store.revoke(Buffer.from('revoked'));
    await store.remove(Buffer.from('removed'));
    await store.add({ record: record('replaced') }, { replace: true });
    await store.close();
    rmSync(path(), { recursive: true });
    cpSync(backup, path(), { recursive: true });

    store = await open();
    assert.notEqual(store.incarnation, incarnation, 'writes were lost');
    assert.equal((await entry(store, 'kept')).record.revoked, undefined);
    assert.ok((await entry(store, 'revoked')).record.revoked);
    assert.equal(await store.get(Buffer.from('removed')), undefined);
    assert.equal(await store.get(Buffer.from('replaced')), undefined, 'the old secrets stay dead');
    const noticed = store.incarnation;
    await store.close();
    store = await open();
    assert.equal(store.incarnation, noticed, 'once');
    await store.close();
  });

  it('drops the torn last line of its log, refuses a foreign one with its number', async () => {
    let store = await open();
    await store.add({ record: record('dev1') });
    await store.revoke(Buffer.from('dev1'));
    await store.close();
    const log = `${path()}.revocations`;
    const whole = readFileSync(log, 'latin1');
    appendFileSync(log, whole.slice(0, 20));
    store = await open();
    await store.close();
    assert.equal(readFileSync(log, 'latin1'), whole);
    appendFileSync(log, 'nonsense\n');
    await assert.rejects(open(), code('ERR_HAWSER_CONFIG', /revocations:2: not an entry/));
  });

  it('refuses a count of openings that is none', async () => {
    await (await open()).close();
    appendFileSync(`${path()}.revocations.generation`, 'x');
    await assert.rejects(open(), code('ERR_HAWSER_CONFIG', /generation: not a generation number/));
  });

  it('what ends a pairing does not touch the one that took its place meanwhile, nor when it is opened again', async () => {
    let store = await open();
    const id = Buffer.from('dev1');
    for (const end of ['revoke', 'remove'] as const) {
      await store.add({ record: record('dev1') }, { replace: true });
      const next = record('dev1');
      const replaced = store.add({ record: next }, { replace: true });
      assert.equal(await store[end](id), true, 'it was there when this was called');
      await replaced;
      assert.equal((await entry(store, 'dev1')).record.serial, next.serial, end);
      assert.equal((await entry(store, 'dev1')).record.revoked, undefined, end);
      await store.close();
      store = await open();
      assert.equal((await entry(store, 'dev1')).record.revoked, undefined, `${end}, and opened again`);
    }
    await store.close();
  });

  it('sees what another process revokes', async () => {
    const store = await open();
    await store.add({ record: record('dev1') });
    const revision = await store.revision();
    const { spawnSync } = await import('node:child_process');
    const script = `import { lmdbStore } from ${JSON.stringify(new URL('../../lib/store/lmdb.ts', import.meta.url).href)};
      const store = await lmdbStore({ path: ${JSON.stringify(path())}, sealingKey: Buffer.from('${sealingKey.toString('hex')}', 'hex') });
      if (!(await store.revoke(Buffer.from('dev1')))) process.exit(3);
      await store.close();`;
    const run = spawnSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    assert.equal(run.status, 0, run.stderr);
    assert.ok((await store.revision()) > revision);
    assert.ok((await entry(store, 'dev1')).record.revoked);
    await store.close();
  });

  describe("is its owner's alone", () => {
    const modes = (): Record<string, string> =>
      Object.fromEntries(
        ['', 'data.mdb', 'lock.mdb'].map((name) => [name, (statSync(join(path(), name)).mode & 0o777).toString(8)]),
      );
    const opened = async (): Promise<Record<string, string>> => {
      const store = await open();
      const found = modes();
      await store.close();
      return found;
    };
    let umask: number;
    before(() => (umask = process.umask(0)));
    after(() => process.umask(umask));

    it('when it is made, whatever the umask', async () => {
      assert.deepEqual(await opened(), { '': '700', 'data.mdb': '600', 'lock.mdb': '600' });
      assert.equal(statSync(`${path()}.revocations`).mode & 0o777, 0o600);
    });

    it('in a directory that others may read its files are closed to them, also those that are there', async () => {
      mkdirSync(path(), { mode: 0o755 });
      assert.deepEqual(await opened(), { '': '755', 'data.mdb': '600', 'lock.mdb': '600' });
      for (const name of ['data.mdb', 'lock.mdb']) chmodSync(join(path(), name), 0o644);
      chmodSync(path(), 0o750);
      assert.deepEqual(await opened(), { '': '750', 'data.mdb': '600', 'lock.mdb': '600' });
    });

    it('a directory that others may write to is refused, and nothing is put there', async () => {
      for (const mode of [0o777, 0o775, 0o702]) {
        mkdirSync(path());
        chmodSync(path(), mode);
        await assert.rejects(open(), code('ERR_HAWSER_STORAGE', /store: mode 07\d\d lets others replace .*chmod go-w/));
        assert.deepEqual(readdirSync(path()), []);
        rmSync(path(), { recursive: true });
      }
    });

    it('files of another owner that are open to others are refused', async () => {
      const { fchmodSync } = fs;
      fs.fchmodSync = () => {
        throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      };
      syncBuiltinESMExports();
      try {
        await opened(); // new files are closed from the first moment, not afterwards
        chmodSync(join(path(), 'data.mdb'), 0o664);
        await assert.rejects(open(), code('ERR_HAWSER_STORAGE', /store: data\.mdb: mode 0664 lets others at it/));
      } finally {
        fs.fchmodSync = fchmodSync;
        syncBuiltinESMExports();
      }
    });
  });

  it('is a directory, also where its name has a dot', async () => {
    const dotted = join(directory, 'gateway.store');
    const store = await lmdbStore({ path: dotted, sealingKey });
    await store.close();
    assert.ok(existsSync(join(dotted, 'data.mdb')));
  });

  it('a file that is no store, or was cut short, is refused, where LMDB would end the process', async () => {
    const whole = async (): Promise<Buffer> => {
      await (await lmdbStore({ path: path(), sealingKey })).close();
      return readFileSync(join(path(), 'data.mdb'));
    };
    const good = await whole();
    const head = good.subarray(0, 100);
    const fromMeta = Buffer.concat([head, Buffer.alloc(3000)]);
    for (const bad of [randomBytes(good.length), Buffer.from('x'), head, fromMeta, good.subarray(0, 2 * 4096)]) {
      writeFileSync(join(path(), 'data.mdb'), bad);
      const opening = lmdbStore({ path: path(), sealingKey });
      await assert.rejects(opening, code('ERR_HAWSER_STORAGE', /data\.mdb: (?:not a file of LMDB|cut short)/));
      assert.deepEqual(readFileSync(join(path(), 'data.mdb')), bad);
    }
    writeFileSync(join(path(), 'data.mdb'), good);
    await whole();
    writeFileSync(join(path(), 'data.mdb'), ''); // as a new one
    await whole();
  });

  it('reports a place that cannot be used', async () => {
    await assert.rejects(
      lmdbStore({ path: '/dev/null/store', sealingKey }),
      code('ERR_HAWSER_STORAGE', /\/dev\/null\/store/),
    );
  });
});

describe('store: what a process remembers', () => {
  let now = 0;
  let store: SealedStore;
  const folder = mkdtempSync(join(tmpdir(), 'hawser-remembered-'));
  let folders = 0;
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => store.close());
  const openStore = (): Promise<SealedStore> =>
    SealedStore.open(new LmdbBackend(join(folder, String((folders += 1)))), {
      sealingKey,
      tombstones: new MemoryTombstones(),
      label: 'test',
      now: () => now,
    });

  it('secrets of a position go a minute later: another process may have passed and erased it', async () => {
    store = await openStore();
    await store.add(ticketPairing('dev1'));
    const { record, version, state } = await entry(store, 'dev1');
    assert.ok(state.chain);
    now += 59_000;
    assert.equal(await store.compareAndSet(record.id, version, state, tickets(state.chain), false), true);
    await store.revision();
    assert.equal(store.remembered, 1);
    now += 59_999;
    await store.revision();
    assert.equal(store.remembered, 1);
    now += 1;
    await store.revision();
    assert.equal(store.remembered, 0);
  });

  it('nothing is remembered of what restore() changed', async () => {
    store = await openStore();
    await store.add(ticketPairing('dev1'));
    await entry(store, 'dev1');
    assert.equal(store.remembered, 1);
    await store.restore(3, ({ chain, ahead }) => (chain ? tickets(chain, ahead) : []));
    assert.equal(store.remembered, 0);
  });

  it('nothing is remembered of a device that was removed while it moved', async () => {
    store = await openStore();
    await store.add(ticketPairing('dev1'));
    const { record, version, state } = await entry(store, 'dev1');
    await Promise.all([store.compareAndSet(record.id, version, state, [], false), store.remove(record.id)]);
    assert.equal(store.remembered, 0);
    assert.equal(await store.get(record.id), undefined);
  });

  it('it is no array of the caller, who may wipe what was handed over', async () => {
    store = await openStore();
    await store.add(ticketPairing('dev1'));
    const { record, version, state } = await entry(store, 'dev1');
    const chain = newChain();
    const [indexed, expected] = [tickets(chain), tickets(chain)];
    const r = Buffer.from(chain.r);
    await store.compareAndSet(record.id, version, { ...state, chain }, indexed, false);
    for (const secret of [chain.r, chain.next, chain.id, ...indexed]) secret.fill(0);
    const after = await entry(store, 'dev1');
    assert.ok(r.equals(after.state.chain?.r ?? Buffer.alloc(0)));
    await store.compareAndSet(record.id, after.version, after.state, [], false);
    assert.deepEqual(await store.byTicket(at(expected, 0)), []);
  });
});

describe('store: schema', () => {
  it('upgrades step by step, once, and refuses what is newer than it knows', async () => {
    const backend = keepOpen(memoryBackend());
    const openWith = (...upgrades: (() => void)[]): Promise<SealedStore> =>
      SealedStore.open(backend, { sealingKey, tombstones: new MemoryTombstones(), label: 'test', upgrades });
    const ran: number[] = [];
    const steps = [() => ran.push(1), () => ran.push(2)] as unknown as [() => void, () => void];
    await (await openWith()).close();
    await (await openWith(...steps)).close();
    await (await openWith(...steps)).close();
    assert.deepEqual(ran, [1, 2]);
    await assert.rejects(openWith(), code('ERR_HAWSER_CONFIG', /schema 3, newer than 1/));
  });
});

describe('store: a state whose version was altered', () => {
  it('is refused', async () => {
    const values = new Map<string, Buffer>();
    const store = await SealedStore.open(memoryBackend(values), {
      sealingKey,
      tombstones: new MemoryTombstones(),
      label: 'test',
    });
    await store.add({ record: record('dev1') });
    const key = Buffer.from('cdev1').toString('hex');
    const value = Buffer.from(values.get(key) ?? assert.fail());
    value.writeUInt8(value.readUInt8(5) ^ 1, 5);
    values.set(key, value);
    await assert.rejects(store.get(Buffer.from('dev1')), code('ERR_HAWSER_STORAGE', /altered or is damaged/));
    await store.close();
  });
});

describe('store: a pairing that was removed', () => {
  it('leaves nothing behind in the store', async () => {
    const values = new Map<string, Buffer>();
    const options = { sealingKey, tombstones: new MemoryTombstones(), label: 'test' };
    const store = await SealedStore.open(memoryBackend(values), options);
    const before = [...values.keys()];
    await store.add({ record: record('dev1', { publicKey: randomBytes(32) }) });
    assert.equal(values.size, before.length + 4, 'its record, its state, and a print of each secret');
    await store.remove(Buffer.from('dev1'));
    assert.deepEqual([...values.keys()], before);
    await store.close();
  });
});

describe('store: codec', () => {
  const seal = new Seal(sealingKey);

  it('opens only what it sealed, under the same key, owner and place: every bit counts', () => {
    const [owner, ad, plain] = [Buffer.from('dev1'), Buffer.from('place'), randomBytes(40)];
    const sealed = seal.seal(owner, ad, plain);
    assert.deepEqual(seal.open(owner, ad, sealed), plain);
    assert.notDeepEqual(seal.seal(owner, ad, plain), sealed, 'a nonce of its own each time');
    assert.equal(seal.open(Buffer.from('dev2'), ad, sealed), undefined);
    assert.equal(seal.open(owner, Buffer.from('other'), sealed), undefined);
    assert.equal(new Seal(randomBytes(32)).open(owner, ad, sealed), undefined);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const bad = Buffer.from(sealed);
      bad.writeUInt8(bad.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.equal(seal.open(owner, ad, bad), undefined, `bit ${bit}`);
    }
    for (let length = 0; length < sealed.length; length += 1)
      assert.equal(seal.open(owner, ad, sealed.subarray(0, length)), undefined);
  });

  it('never takes a nonce twice', () => {
    const sealed = Array.from({ length: 1000 }, () => seal.seal(Buffer.from('dev1'), Buffer.alloc(0), Buffer.alloc(1)));
    assert.equal(new Set(sealed.map((bytes) => bytes.toString('hex', 0, 12))).size, 1000);
  });

  it('remembers ten thousand of anything, the last ones', () => {
    const cache = new Map<string, number>();
    for (let n = 0; n < 10_005; n += 1) remember(cache, String(n), n);
    assert.deepEqual([cache.size, cache.has('4'), cache.has('5')], [10_000, false, true]);
  });

  it('writes every state so that it reads the same, and refuses a cut one', () => {
    const h = randomBytes(32);
    const states: ChainState[] = [
      { ahead: 2, early: { kind: 'none' }, incarnation: '', owner: '' },
      { ahead: 250, early: { kind: 'void' }, incarnation: 'i', owner: 'o', chain: newChain(2 ** 32 - 2, 65535) },
      { ahead: 2, early: { kind: 'refused', h }, incarnation: 'ab', owner: 'x', chain: newChain() },
      { ahead: 2, early: { kind: 'taken', h }, incarnation: 'ab', owner: 'x', chain: newChain(1, 2) },
    ];
    for (const state of states) {
      const list = state.chain ? tickets(state.chain) : [];
      const bytes = encodeState(state, list);
      const back = decodeState(bytes);
      assert.deepEqual(normal(back.state), normal(state));
      assert.deepEqual(
        back.tickets.map((ticket) => ticket.toString('hex')),
        list.map((ticket) => Buffer.from(ticket).toString('hex')),
      );
      for (let length = 0; length < bytes.length; length += 1) {
        assert.throws(
          () => decodeState(bytes.subarray(0, length)),
          (error: { code?: string }) => error.code === 'ERR_HAWSER_STORAGE' || error instanceof RangeError,
        );
      }
    }
  });
});

/** Buffers and plain arrays alike as hex. */
function normal(state: ChainState): unknown {
  return JSON.parse(
    JSON.stringify(state, (_key, value: unknown) => {
      const buffer = value as { type?: string; data?: number[] } | null;
      if (buffer?.type === 'Buffer' && buffer.data) return Buffer.from(buffer.data).toString('hex');
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
    }),
  );
}

function memoryBackend(values = new Map<string, Buffer>()): Backend {
  const name = (key: Uint8Array): string => Buffer.from(key).toString('hex');
  const table = {
    get: (key: Uint8Array) => values.get(name(key)),
    put: (key: Uint8Array, value: Uint8Array) => void values.set(name(key), Buffer.from(value)),
    remove: (key: Uint8Array) => void values.delete(name(key)),
    keys: (first: string) =>
      [...values.keys()]
        .filter((key) => key.startsWith(name(Buffer.from(first))))
        .map((key) => Buffer.from(key, 'hex')),
    addTicket: () => assert.fail('no tickets here'),
    removeTicket: () => assert.fail('no tickets here'),
  };
  return {
    linearizable: true,
    get: table.get,
    keys: table.keys,
    idsOf: () => [],
    transaction: (action) => Promise.resolve().then(() => action(table)),
    refresh: () => undefined,
    flushed: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function keepOpen(backend: Backend): Backend {
  return { ...backend, close: () => Promise.resolve() };
}
