/**
 * A store that forgets: for tests and trials only. When the process ends the devices' chains are gone, and a device of mode
 * `ticket` has nothing else: it is locked out for ever. Says so once, as a process warning.
 */

import { Mode } from '../engine.js';
import type { GatewayPairing, Store } from '../types.js';
import { SealedStore, type Backend, type Table } from './store.js';
import { MemoryTombstones } from './tombstones.js';

class MemoryBackend implements Backend, Table {
  readonly linearizable: boolean;
  readonly #values = new Map<string, Buffer>();
  readonly #tickets = new Map<string, Buffer[]>();

  constructor(linearizable: boolean) {
    this.linearizable = linearizable;
  }

  get(key: Uint8Array): Buffer | undefined {
    return this.#values.get(text(key));
  }
  put(key: Uint8Array, value: Uint8Array): void {
    this.#values.set(text(key), Buffer.from(value));
  }
  remove(key: Uint8Array): void {
    this.#values.delete(text(key));
  }
  *keys(first: string): Iterable<Buffer> {
    for (const key of this.#values.keys()) if (key.startsWith(first)) yield Buffer.from(key, 'latin1');
  }
  idsOf(ticket: Uint8Array): Buffer[] {
    return this.#tickets.get(text(ticket)) ?? [];
  }
  addTicket(ticket: Uint8Array, id: Uint8Array): void {
    this.#tickets.set(text(ticket), [...this.idsOf(ticket), Buffer.from(id)]);
  }
  removeTicket(ticket: Uint8Array, id: Uint8Array): void {
    const rest = this.idsOf(ticket).filter((other) => !other.equals(id));
    if (rest.length > 0) this.#tickets.set(text(ticket), rest);
    else this.#tickets.delete(text(ticket));
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async transaction<T>(action: (table: Table) => T): Promise<T> {
    return action(this);
  }
  refresh(): void {
    // There are no other processes.
  }
  async flushed(): Promise<void> {
    // There is nothing that could survive.
  }
  async close(): Promise<void> {
    // Nothing is held.
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export interface MemoryStoreOptions {
  sealingKey: Uint8Array;
  /** Default true. */
  linearizable?: boolean;
}

let warned = false;

export async function memoryStore(options: MemoryStoreOptions): Promise<Store> {
  const store = await SealedStore.open(new MemoryBackend(options.linearizable ?? true), {
    sealingKey: options.sealingKey,
    tombstones: new MemoryTombstones(),
    label: 'memory store',
  });
  const add = store.add.bind(store);
  store.add = (pairing: GatewayPairing, addOptions?: { replace?: boolean }) => {
    if (pairing.record.mode === Mode.Ticket && !warned) {
      warned = true;
      process.emitWarning(
        'the memory store loses its chains with the process: devices of mode ticket are then locked out for ever',
        {
          code: 'HAWSER_MEMORY_STORE',
        },
      );
    }
    return add(pairing, addOptions);
  };
  return store;
}
