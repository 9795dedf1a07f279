/** What every file with a secret in it must be before it is read: a file, short, and its owner's alone. And what a store's folder must be. */

import { closeSync, constants, fchmodSync, fstatSync, openSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Windows has no such bits; its files are as private as their folder. */
const HAS_MODES = process.platform !== 'win32';
const MAX = 65536;

/** Undefined: it may be read. Else what is wrong with it, for whoever knows its name. The opened file is what is checked. */
export async function secretFileFault(handle: FileHandle): Promise<string | undefined> {
  const stat = await handle.stat();
  if (!stat.isFile()) return 'not a file';
  if (HAS_MODES && (stat.mode & 0o077) !== 0) {
    return `mode ${octal(stat.mode)} lets others at a secret; chmod 600 it`;
  }
  return stat.size > MAX ? `${stat.size} bytes is too long for a file of this kind` : undefined;
}

/** Whatever the file's mode was before. */
export async function makePrivate(handle: FileHandle): Promise<void> {
  if (HAS_MODES) await handle.chmod(0o600);
}

/**
 * Undefined: nobody else can put other files in the place of those in this folder. That others may list it does no harm: its files are private
 * by themselves.
 */
export function folderFault(path: string): string | undefined {
  const { mode } = statSync(path);
  if (!HAS_MODES || (mode & 0o022) === 0) return undefined;
  return `mode ${octal(mode)} lets others replace what is in it; chmod go-w it`;
}

/** The file is there, empty if it was not, and its owner's alone, whatever its mode was before. Else what is wrong with it. */
export function privateFileFault(path: string): string | undefined {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const { mode } = fstatSync(fd);
    if (!HAS_MODES || (mode & 0o077) === 0) return undefined;
    return chmodFault(fd, mode);
  } finally {
    closeSync(fd);
  }
}

function chmodFault(fd: number, mode: number): string | undefined {
  try {
    fchmodSync(fd, 0o600);
    return undefined;
  } catch {
    return `mode ${octal(mode)} lets others at it, and it is not ours to change; chmod 600 it`;
  }
}

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');
