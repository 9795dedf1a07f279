/**
 * LMDB maps its file into memory and follows what stands in it: a file that is something else, or that was cut short, would end the process. So
 * its first two pages are looked at before it is opened. Damage further inside is LMDB's to find.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

/** Offsets in a page that describes the database, on machines of 64 bits: of lmdb.h's MDB_page and MDB_meta. Bytes. */
const At = { magic: 24, pageSize: 48, freeRoot: 88, mainRoot: 136, transaction: 152 } as const;
const MAGIC = 0xbeefc0de;
/** A root that is nowhere: nothing is stored. */
const NONE = 2n ** 64n - 1n;
const PAGE_MIN = 512;
const PAGE_MAX = 65536;
const narrow: readonly string[] = ['arm', 'ia32', 'mips', 'mipsel', 'ppc', 's390'];

/** Undefined: LMDB may open it; so it may one that is empty. Else what is wrong with it. */
export function lmdbFault(path: string): string | undefined {
  if (narrow.includes(process.arch)) return undefined;
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return undefined;
    const head = new DataView(new ArrayBuffer(2 * PAGE_MAX));
    readSync(fd, head, 0, head.byteLength, 0);
    return headFault(head, size);
  } finally {
    closeSync(fd);
  }
}

const little = endianness() === 'LE';

function headFault(head: DataView, size: number): string | undefined {
  const pageSize = head.getUint32(At.pageSize, little);
  const pages = pageSize >= PAGE_MIN && pageSize <= PAGE_MAX && (pageSize & (pageSize - 1)) === 0;
  if (head.getUint32(At.magic, little) !== MAGIC || !pages) return 'not a file of LMDB';
  const cut = `cut short at ${size} bytes`;
  if (size < 2 * pageSize) return cut;
  const field = (page: number, at: number): bigint => head.getBigUint64(page + at, little);
  const second = head.getUint32(pageSize + At.magic, little) === MAGIC ? pageSize : 0;
  const newest = field(second, At.transaction) > field(0, At.transaction) ? second : 0;
  const roots = [At.freeRoot, At.mainRoot].map((root) => field(newest, root));
  return roots.every((root) => root === NONE || (root + 1n) * BigInt(pageSize) <= BigInt(size)) ? undefined : cut;
}
