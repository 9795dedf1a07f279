/**
 * A device's non-volatile memory: the order in which it is written (SPEC 7.4 rule 4), and an implementation on files.
 */

import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { HawserError } from './errors.js';
import type { DeviceStorage, SavedState } from './types.js';

const slotLength = 64;
const stateMax = 256;

/** The sequence number of a valid slot image (SPEC 7.4), or undefined. */
export function slotSequence(image: Uint8Array | undefined): number | undefined {
  if (image?.length !== slotLength) return undefined;
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.length);
  if (bytes.toString('latin1', 0, 5) !== 'HWSL\x01') return undefined;
  const check = createHash('sha256').update(bytes.subarray(0, 56)).digest().subarray(0, 8);
  return check.equals(bytes.subarray(56)) ? bytes.readUInt32BE(8) : undefined;
}

/** The two slots of one storage, written in the order that a power cut cannot hurt. */
export class Slots {
  readonly #storage: DeviceStorage;
  #current: 0 | 1 = 1;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(storage: DeviceStorage) {
    this.#storage = storage;
  }

  /** Both images, and afterwards boot()'s verdict carried out. */
  async boot(boot: (slot0?: Uint8Array, slot1?: Uint8Array) => { wipe?: 0 | 1 }): Promise<void> {
    const images = [await this.#storage.readSlot(0), await this.#storage.readSlot(1)] as const;
    const { wipe } = boot(images[0], images[1]);
    if (wipe !== undefined) await this.#storage.wipeSlot(wipe);
    const kept = images.map((image, slot) => (slot === wipe ? undefined : slotSequence(image)));
    this.#current = kept[0] !== undefined ? 0 : 1;
  }

  /** Write, read back, wipe the old one. Rejects with ERR_HAWSER_STORAGE. One at a time. */
  store(image: Uint8Array): Promise<void> {
    const copy = Uint8Array.from(image);
    const done = this.#tail
      .then(() => this.#store(copy))
      .catch((error: unknown) => {
        throw storageError(error);
      });
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async #store(image: Uint8Array): Promise<void> {
    const old = this.#current;
    const next = old === 0 ? 1 : 0;
    await this.#storage.writeSlot(next, image);
    const back = await this.#storage.readSlot(next);
    if (!back || Buffer.compare(back, image) !== 0) throw new Error(`slot ${next} does not read back what was written`);
    this.#current = next;
    await this.#storage.wipeSlot(old);
    if (slotSequence(await this.#storage.readSlot(old)) !== undefined)
      throw new Error(`slot ${old} still holds its old secret`);
  }
}

export function storageError(cause: unknown): HawserError {
  if (cause instanceof HawserError && cause.code === 'ERR_HAWSER_STORAGE') return cause;
  return new HawserError(
    'ERR_HAWSER_STORAGE',
    `device storage: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
}

/** Forgets with the process: for modes that can do a full handshake, and for tests. */
export class MemoryStorage implements DeviceStorage {
  readonly slots: [Uint8Array | undefined, Uint8Array | undefined] = [undefined, undefined];
  state: SavedState | undefined;

  readSlot(slot: 0 | 1): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.slots[slot]);
  }
  writeSlot(slot: 0 | 1, image: Uint8Array): Promise<void> {
    this.slots[slot] = Uint8Array.from(image);
    return Promise.resolve();
  }
  wipeSlot(slot: 0 | 1): Promise<void> {
    this.slots[slot]?.fill(0);
    this.slots[slot] = undefined;
    return Promise.resolve();
  }
  takeState(): Promise<SavedState | undefined> {
    const { state } = this;
    this.state = undefined;
    return Promise.resolve(state);
  }
  writeState(state: SavedState): Promise<void> {
    this.state = { blob: Uint8Array.from(state.blob), names: [...state.names] };
    return Promise.resolve();
  }
}

/**
 * Files `slot0`, `slot1` and `state` in a directory of this device's own, each replaced in one step that a power cut cannot tear.
 * Wiping overwrites before it unlinks; whether the medium below keeps old copies (flash translation, snapshots,
 * journals of data) is beyond a program's reach.
 */
export class FileStorage implements DeviceStorage {
  constructor(readonly directory: string) {}

  async readSlot(slot: 0 | 1): Promise<Uint8Array | undefined> {
    // Of a write that was cut short: it was never asked about, but it holds a secret.
    await wipeFile(`${this.#slot(slot)}.new`);
    return readIfThere(this.#slot(slot));
  }

  async writeSlot(slot: 0 | 1, image: Uint8Array): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await replaceFile(this.#slot(slot), image);
  }

  async wipeSlot(slot: 0 | 1): Promise<void> {
    await wipeFile(`${this.#slot(slot)}.new`);
    await wipeFile(this.#slot(slot));
  }

  async takeState(): Promise<SavedState | undefined> {
    const path = join(this.directory, 'state');
    const bytes = await readIfThere(path);
    if (!bytes) return undefined;
    await wipeFile(path);
    return parseState(path, bytes);
  }

  async writeState(state: SavedState): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const text = JSON.stringify({ version: 1, blob: Buffer.from(state.blob).toString('hex'), names: state.names });
    await replaceFile(join(this.directory, 'state'), Buffer.from(`${text}\n`));
  }

  #slot(slot: 0 | 1): string {
    return join(this.directory, `slot${slot}`);
  }
}

/** ERR_HAWSER_CONFIG with file, field and reason. */
function parseState(path: string, bytes: Uint8Array): SavedState {
  const wrong = (field: string, reason: string): HawserError =>
    new HawserError('ERR_HAWSER_CONFIG', `${path}: ${field}: ${reason}`);
  let value: { version?: unknown; blob?: unknown; names?: unknown };
  try {
    value = JSON.parse(Buffer.from(bytes).toString()) as typeof value;
  } catch {
    throw wrong('file', 'not JSON');
  }
  if (typeof value !== 'object' || value === null || value.version !== 1) throw wrong('version', 'must be 1');
  const { blob, names } = value;
  if (typeof blob !== 'string' || !/^(?:[0-9a-f]{2})+$/.test(blob) || blob.length > 2 * stateMax)
    throw wrong('blob', 'must be at most 256 bytes in hex');
  if (!Array.isArray(names) || !names.every(isName)) throw wrong('names', 'must be pairs of a stream and its upstream');
  return { blob: new Uint8Array(Buffer.from(blob, 'hex')), names };
}

function isName(entry: unknown): entry is [number, string] {
  return Array.isArray(entry) && entry.length === 2 && Number.isInteger(entry[0]) && typeof entry[1] === 'string';
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Old or new, whole, whenever the power goes. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  await syncDirectory(path);
}

async function wipeFile(path: string): Promise<void> {
  const bytes = await readIfThere(path);
  if (!bytes) return;
  const file = await open(path, 'r+');
  try {
    await file.write(new Uint8Array(bytes.length), 0, bytes.length, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await unlink(path);
  await syncDirectory(path);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
