import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';

import { Mode } from '../../lib/engine.js';
import { createPairing } from '../../lib/pairing.js';
import { LmdbBackend } from '../../lib/store/lmdb-backend.js';
import { SealedStore, type Backend, type Table } from '../../lib/store/store.js';
import { MemoryTombstones } from '../../lib/store/tombstones.js';
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
