import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs, { mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { open } from 'lmdb';

import { Mode } from '../../lib/engine.js';
import { createPairing } from '../../lib/pairing.js';
import { LmdbBackend } from '../../lib/store/lmdb-backend.js';
import { SealedStore, type Backend, type Table } from '../../lib/store/store.js';
import { FileTombstones, MemoryTombstones } from '../../lib/store/tombstones.js';
import { delay, engine, newIdentity } from './world.js';

/** A table whose flush ends when the test says so. */
class SlowFlush implements Backend, Table {
  readonly linearizable = true;
  readonly values = new Map<string, Buffer>();
  flush: Promise<void> = Promise.resolve();
  get = (key: Uint8Array): Buffer | undefined => this.values.get(Buffer.from(key).toString('latin1'));
  put = (key: Uint8Array, value: Uint8Array): void =>
    void this.values.set(Buffer.from(key).toString('latin1'), Buffer.from(value));
  remove = (key: Uint8Array): void => void this.values.delete(Buffer.from(key).toString('latin1'));
  keys = (): Buffer[] => [];
  idsOf = (): Buffer[] => [];
  addTicket = (): void => undefined;
  removeTicket = (): void => undefined;
  transaction = <T>(action: (table: Table) => T): Promise<T> => Promise.resolve(action(this));
  refresh = (): void => undefined;
  flushed = (): Promise<void> => this.flush;
  close = (): Promise<void> => Promise.resolve();
}

describe('a durable compare-and-set', () => {
  it('resolves after the flush and not before; another does not wait for it', async () => {
    const backend = new SlowFlush();
    const identity = newIdentity();
    const options = { sealingKey: randomBytes(32), tombstones: new MemoryTombstones(), label: 'test' };
    const store = await SealedStore.open(backend, options);
    const { gateway } = createPairing(engine, identity, { mode: Mode.Psk, upstreams: [] });
    await store.add(gateway);
    let end = (): void => undefined;
    backend.flush = new Promise((resolve) => (end = resolve));
    const { id } = gateway.record;
    const write = async (durable: boolean): Promise<boolean> => {
      const entry = await store.get(id);
      assert.ok(entry);
      return store.compareAndSet(id, entry.version, entry.state, [], durable);
    };
    assert.equal(await write(false), true);
    let done = false;
    const durable = write(true).then((result) => (done = result));
    await delay(30);
    assert.equal(done, false);
    end();
    assert.equal(await durable, true);
  });
});

describe('the flush of LMDB', () => {
  it('is over when the environment says that what was committed is on the disk, and not before', async () => {
    const path = mkdtempSync(join(tmpdir(), 'hawser-flush-'));
    let onDisk = (): void => undefined;
    const disk = new Promise<boolean>((resolve) => (onDisk = () => resolve(true)));
    const watched: typeof open<Buffer, Buffer> = (options) => {
      const root = open<Buffer, Buffer>(options as Parameters<typeof open<Buffer, Buffer>>[0]);
      return Object.defineProperty(root, 'flushed', { get: () => disk });
    };
    const backend = new LmdbBackend(path, watched);
    try {
      await backend.transaction((table) => table.put(Buffer.from('key'), Buffer.from('value')));
      let over = false;
      const flushed = backend.flushed().then(() => (over = true));
      await delay(30);
      assert.equal(over, false);
      onDisk();
      await flushed;
      assert.equal(backend.get(Buffer.from('key'))?.toString(), 'value');
    } finally {
      await backend.close();
      rmSync(path, { recursive: true });
    }
  });
});

/** What the files of a store have done to them, in order; each by its name, and a directory as such. */
function watchFiles(): { log: string[]; undo: () => void } {
  const log: string[] = [];
  const names = new Map<number, string>();
  const { openSync, writeSync, writeFileSync, fsyncSync, renameSync } = fs;
  const real = { openSync, writeSync, writeFileSync, fsyncSync, renameSync };
  const nameOf = (path: string): string => (fs.statSync(path).isDirectory() ? 'directory' : basename(path));
  fs.openSync = (path, ...rest) => {
    const fd = real.openSync(path, ...rest);
    names.set(fd, nameOf(String(path)));
    return fd;
  };
  fs.writeSync = ((fd: number, ...rest: [string]) => {
    log.push(`write ${names.get(fd)}`);
    return real.writeSync(fd, ...rest);
  }) as typeof fs.writeSync;
  fs.writeFileSync = (to, ...rest) => {
    log.push(`write ${names.get(to as number)}`);
    real.writeFileSync(to, ...rest);
  };
  fs.fsyncSync = (fd) => {
    log.push(`sync ${names.get(fd)}`);
    real.fsyncSync(fd);
  };
  fs.renameSync = (from, to) => {
    log.push(`rename ${basename(String(from))}`);
    real.renameSync(from, to);
  };
  syncBuiltinESMExports();
  return {
    log,
    undo: () => {
      Object.assign(fs, real);
      syncBuiltinESMExports();
    },
  };
}

describe('a store', () => {
  it('is on the disk when it is open, when restore() is over, and when it is closed', async () => {
    const backend = new SlowFlush();
    let [changes, onDisk] = [0, 0];
    const { transaction } = backend;
    backend.transaction = (action) => {
      changes += 1;
      return transaction(action);
    };
    backend.flushed = () => {
      onDisk = changes;
      return Promise.resolve();
    };
    const options = { sealingKey: randomBytes(32), tombstones: new MemoryTombstones(), label: 'test' };
    const store = await SealedStore.open(backend, options);
    assert.deepEqual([changes, onDisk], [1, 1]);
    await store.restore(2, () => []);
    assert.deepEqual([changes, onDisk], [2, 2]);
    const { gateway } = createPairing(engine, newIdentity(), { mode: Mode.Psk, upstreams: [] });
    await store.add(gateway);
    const { version, state } = (await store.get(gateway.record.id)) ?? assert.fail();
    await store.compareAndSet(gateway.record.id, version, state, [], false);
    assert.deepEqual([changes, onDisk], [4, 3]);
    await store.close();
    assert.equal(onDisk, 4);
  });
});

describe('the revocation log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hawser-log-'));
  let files: ReturnType<typeof watchFiles>;
  beforeEach(() => (files = watchFiles()));
  afterEach(() => files.undo());
  after(() => rmSync(folder, { recursive: true }));

  it('is on the disk, and its name too, before the store counts its opening', () => {
    const log = new FileTombstones(join(folder, 'new'));
    assert.deepEqual(files.log, ['sync directory']);
    log.close();
    new FileTombstones(join(folder, 'new')).close();
    assert.deepEqual(files.log, ['sync directory'], 'once');
  });

  it('an opening is counted in a file that is whole or is not there', () => {
    const log = new FileTombstones(join(folder, 'counted'));
    files.log.length = 0;
    log.setGeneration(7);
    const file = 'counted.generation.new';
    assert.deepEqual(files.log, [`write ${file}`, `sync ${file}`, `rename ${file}`, 'sync directory']);
    assert.equal(log.generation(), 7);
    log.close();
  });

  for (const [what, end] of [
    ['revoked', (store: SealedStore, id: Uint8Array) => store.revoke(id)],
    ['removed', (store: SealedStore, id: Uint8Array) => store.remove(id)],
    [
      'replaced',
      async (store: SealedStore, id: Uint8Array) => {
        const { gateway } = createPairing(engine, newIdentity(), { mode: Mode.Psk, id, upstreams: [] });
        await store.add(gateway, { replace: true });
      },
    ],
  ] as const)
    it(`has a pairing that is ${what} on the disk before the store changes, and the store's own flush is awaited`, async () => {
      const backend = new SlowFlush();
      const tombstones = new FileTombstones(join(folder, what));
      const store = await SealedStore.open(backend, { sealingKey: randomBytes(32), tombstones, label: 'test' });
      const { gateway } = createPairing(engine, newIdentity(), { mode: Mode.Psk, upstreams: [] });
      await store.add(gateway);
      files.log.length = 0;
      const { transaction, flushed } = backend;
      backend.transaction = (action) => {
        files.log.push('store changes');
        return transaction(action);
      };
      backend.flushed = () => {
        files.log.push('store flushes');
        return flushed();
      };
      await end(store, gateway.record.id);
      assert.deepEqual(files.log, [`write ${what}`, `sync ${what}`, 'store changes', 'store flushes']);
      await store.close();
    });
});
