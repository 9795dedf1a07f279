/**
 * The embedded store: one LMDB environment on local disk. Several processes may have it open; writes are serialised by LMDB.
 * Durable means that the flush was awaited, not only the commit.
 */

import { mkdirSync } from 'node:fs';
import { open, type Database, type RootDatabase } from 'lmdb';

import { HawserError } from '../errors.js';
import type { Store } from '../types.js';
import { SealedStore, type Backend, type Table } from './store.js';
import { FileTombstones } from './tombstones.js';

type Bytes = Database<Buffer, Buffer>;

/** What SealedStore needs of LMDB. */
export class LmdbBackend implements Backend, Table {
  readonly linearizable = true;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #values: Bytes;
  readonly #tickets: Bytes;

  /** `openRoot` is for tests that watch the environment. */
  constructor(path: string, openRoot: typeof open<Buffer, Buffer> = open) {
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
    this.#root = openRoot({ path, ...binary, maxDbs: 4, noMemInit: false });
    this.#values = this.#root.openDB<Buffer, Buffer>('values', binary);
    this.#tickets = this.#root.openDB<Buffer, Buffer>('tickets', { ...binary, dupSort: true });
  }

  get(key: Uint8Array): Buffer | undefined {
    return this.#values.getBinary(Buffer.from(key));
  }
  put(key: Uint8Array, value: Uint8Array): void {
    this.#values.putSync(Buffer.from(key), Buffer.from(value));
  }
  remove(key: Uint8Array): void {
    this.#values.removeSync(Buffer.from(key));
  }
  *keys(first: string): Iterable<Buffer> {
    const start = Buffer.from(first);
    const end = Buffer.from([first.charCodeAt(0) + 1]);
    for (const key of this.#values.getKeys({ start, end })) yield Buffer.from(key);
  }
  idsOf(ticket: Uint8Array): Buffer[] {
    return Array.from(this.#tickets.getValues(Buffer.from(ticket)), (id) => Buffer.from(id));
  }
  addTicket(ticket: Uint8Array, id: Uint8Array): void {
    this.#tickets.putSync(Buffer.from(ticket), Buffer.from(id));
  }
  removeTicket(ticket: Uint8Array, id: Uint8Array): void {
    this.#tickets.removeSync(Buffer.from(ticket), Buffer.from(id));
  }

  transaction<T>(action: (table: Table) => T): Promise<T> {
    return this.#root.transaction(() => action(this));
  }
  refresh(): void {
    this.#root.resetReadTxn();
  }
  async flushed(): Promise<void> {
    await this.#root.flushed;
  }
  async close(): Promise<void> {
    await this.#root.close();
  }
}

export interface LmdbStoreOptions {
  /** A directory; made when it is not there. */
  path: string;
  sealingKey: Uint8Array;
  /**
   * The log of dead pairings and of openings. Default: `path` with `.revocations` appended, so beside the directory: keep it out of backups
   * that are put back.
   */
  revocations?: string;
}

/** ERR_HAWSER_CONFIG: the sealing key or schema is another's; ERR_HAWSER_STORAGE: the directory cannot be used. */
export async function lmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const path = options.path.replace(/\/+$/, '');
  const tombstones = attempt(path, () => new FileTombstones(options.revocations ?? `${path}.revocations`));
  const backend = attempt(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return new LmdbBackend(path);
  });
  return SealedStore.open(backend, { sealingKey: options.sealingKey, tombstones, label: `store ${path}` });
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof HawserError) throw cause;
    throw new HawserError(
      'ERR_HAWSER_STORAGE',
      `store ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
