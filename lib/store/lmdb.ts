/**
 * The embedded store: one LMDB environment on local disk. Several processes may have it open; writes are serialised by LMDB.
 * Durable means that the flush was awaited, not only the commit.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { HawserError } from '../errors.js';
import { folderFault, privateFileFault } from '../secret-file.js';
import type { Store } from '../types.js';
import { lmdbFault } from './lmdb-file.js';
import { SealedStore } from './store.js';
import { FileTombstones } from './tombstones.js';

export interface LmdbStoreOptions {
  /**
   * A directory, its owner's alone; made when it is not there. One that was made before may let others read it, since the files in it are closed
   * to them (an open mode is tightened), but not write to it.
   */
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
    prepare(path);
    const revocations = new FileTombstones(options.revocations ?? `${path}.revocations`);
    try {
      const { LmdbBackend } = await import('./lmdb-backend.js');
      return [revocations, new LmdbBackend(path)];
    } catch (error) {
      revocations.close();
      throw error;
    }
  });
  return SealedStore.open(backend, { sealingKey: options.sealingKey, tombstones, label: `store ${path}` });
}

/** LMDB would make its files readable for all, and trusts what is in them: they are there, and looked at, before it opens them. */
function prepare(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  refuse(folderFault(path));
  for (const name of ['data.mdb', 'lock.mdb']) refuse(privateFileFault(join(path, name)), `${name}: `);
  refuse(lmdbFault(join(path, 'data.mdb')), 'data.mdb: ');
}

function refuse(fault: string | undefined, where = ''): void {
  if (fault !== undefined) throw new Error(`${where}${fault}`);
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
