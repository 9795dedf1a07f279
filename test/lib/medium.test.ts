import assert from 'node:assert/strict';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileStorage } from '../../lib/storage.js';

/** What files are asked to do, in order. */
describe('file storage: the medium is told', () => {
  it('a write is synced, and its directory; a wipe overwrites with zeros and syncs before the name goes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hawser-'));
    const probe = await open(join(directory, 'probe'), 'w');
    const proto = Object.getPrototypeOf(probe) as Pick<FileHandle, 'sync' | 'write' | 'writeFile'>;
    await probe.close();
    const { sync, write, writeFile } = proto;
    const log: string[] = [];
    const note = (what: string, call: unknown) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const bytes = args[0] instanceof Uint8Array ? ` ${args[0].length} of ${args[0][0]}` : '';
        log.push(`${what}${bytes}`);
        return (call as (...all: unknown[]) => unknown).apply(this, args);
      };
    Object.assign(proto, {
      sync: note('sync', sync),
      write: note('write', write),
      writeFile: note('writeFile', writeFile),
    });
    try {
      const storage = new FileStorage(directory);
      await storage.writeSlot(0, new Uint8Array(64).fill(7));
      assert.deepEqual(log.splice(0), ['writeFile 64 of 7', 'sync', 'sync']);
      await storage.wipeSlot(0);
      assert.deepEqual(log, ['write 64 of 0', 'sync', 'sync']);
    } finally {
      Object.assign(proto, { sync, write, writeFile });
      await rm(directory, { recursive: true });
    }
  });
});
