/** What every file with a secret in it must be before it is read: a file, short, and its owner's alone. */

import type { FileHandle } from 'node:fs/promises';

/** Windows has no such bits; its files are as private as their folder. */
const HAS_MODES = process.platform !== 'win32';
const MAX = 65536;

/** Undefined: it may be read. Else what is wrong with it, for whoever knows its name. The opened file is what is checked. */
export async function secretFileFault(handle: FileHandle): Promise<string | undefined> {
  const stat = await handle.stat();
  if (!stat.isFile()) return 'not a file';
  if (HAS_MODES && (stat.mode & 0o077) !== 0) {
    return `mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')} lets others at a secret; chmod 600 it`;
  }
  return stat.size > MAX ? `${stat.size} bytes is too long for a file of this kind` : undefined;
}

/** Whatever the file's mode was before. */
export async function makePrivate(handle: FileHandle): Promise<void> {
  if (HAS_MODES) await handle.chmod(0o600);
}
