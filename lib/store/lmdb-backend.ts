/**
 * LMDB as a backend. A file of its own, because lmdb is loaded only where it is used: a device needs none, and there are
 * platforms for which lmdb has no binary.
 */

import { open, type Database, type RootDatabase } from 'lmdb';

import type { Backend, Table } from './store.js';

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
    // A directory also where its name has a dot in it.
    this.#root = openRoot({ path, ...binary, maxDbs: 4, noMemInit: false, noSubdir: false });
    this.#values = this.#root.openDB<Buffer, Buffer>('values', binary);
    this.#tickets = this.#root.openDB<Buffer, Buffer>('tickets', { ...binary, dupSort: true });
  }

  get(key: Uint8Array): Buffer | undefined {
    return this.#values.getBinary(buffer(key));
  }
  put(key: Uint8Array, value: Uint8Array): void {
    this.#values.putSync(buffer(key), buffer(value));
  }
  remove(key: Uint8Array): void {
    this.#values.removeSync(buffer(key));
  }
  *keys(first: string): Iterable<Buffer> {
    const start = Buffer.from(first);
    const end = Buffer.from([first.charCodeAt(0) + 1]);
    for (const key of this.#values.getKeys({ start, end })) yield Buffer.from(key);
  }
  idsOf(ticket: Uint8Array): Buffer[] {
    return Array.from(this.#tickets.getValues(buffer(ticket)), (id) => Buffer.from(id));
  }
  addTicket(ticket: Uint8Array, id: Uint8Array): void {
    this.#tickets.putSync(buffer(ticket), buffer(id));
  }
  removeTicket(ticket: Uint8Array, id: Uint8Array): void {
    this.#tickets.removeSync(buffer(ticket), buffer(id));
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

/** Of the same memory: LMDB copies at once. */
const buffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
