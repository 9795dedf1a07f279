/**
 * The embedded store: one LMDB environment on local disk. Several processes may have it open; writes are serialised by LMDB.
 * Durable means that the flush was awaited, not only the commit.
 */

import { mkdirSync } from 'node:fs';

import { HawserError } from '../errors.js';
import type { Store } from '../types.js';
import { SealedStore } from './store.js';
import { FileTombstones } from './tombstones.js';

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

/**
 * ERR_HAWSER_CONFIG: the sealing key or schema is another's; ERR_HAWSER_STORAGE: the directory cannot be used, or lmdb does
 * not load.
 */
export async function lmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const path = options.path.replace(/\/+$/, '');
  const [tombstones, backend] = await attempt(path, async () => {
    const revocations = new FileTombstones(options.revocations ?? `${path}.revocations`);
    const { LmdbBackend } = await import('./lmdb-backend.js');
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return [revocations, new LmdbBackend(path)];
  });
  return SealedStore.open(backend, { sealingKey: options.sealingKey, tombstones, label: `store ${path}` });
}

async function attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof HawserError) throw cause;
    throw new HawserError(
      'ERR_HAWSER_STORAGE',
      `store ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
