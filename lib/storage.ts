/**
 * A device's non-volatile memory: the order in which it is written (SPEC 7.4 rule 4), and an implementation on files.
 */

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { HawserError } from './errors.js';
import { readSaved, type Saved } from './saved.js';
import { makePrivate, secretFileFault } from './secret-file.js';
import type { DeviceStorage, SavedState } from './types.js';

const slotLength = 64;
const stateMax = 256;
/** SPEC 11. */
const upstreamName = /^[a-z0-9._-]{1,32}$/;

/** Erased, whichever value the medium erases to. */
const isErased = (image: Uint8Array): boolean =>
  image.every((byte) => byte === 0) || image.every((byte) => byte === 0xff);

/** Why a slot that is not empty cannot be used (SPEC 7.4), or undefined. */
export function slotFault(image: Uint8Array | undefined): string | undefined {
  if (!image || isErased(image)) return undefined;
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.length);
  if (bytes.length !== slotLength) return `length: ${bytes.length} bytes instead of ${slotLength}`;
  if (bytes.toString('latin1', 0, 4) !== 'HWSL') return 'magic: does not begin with HWSL';
  const check = createHash('sha256').update(bytes.subarray(0, 56)).digest().subarray(0, 8);
  if (!check.equals(bytes.subarray(56))) return 'check: does not match, torn or damaged';
  if (bytes.readUInt32BE(4) !== 0x0100_0000) return `version: ${bytes.toString('hex', 4, 8)} instead of 01000000`;
  return isErased(bytes.subarray(24, 56)) ? 'block secret: erased' : undefined;
}

/** The sequence number of a valid slot image, or undefined. */
export function slotSequence(image: Uint8Array | undefined): number | undefined {
  if (!image || isErased(image) || slotFault(image) !== undefined) return undefined;
  return Buffer.from(image.buffer, image.byteOffset, image.length).readUInt32BE(8);
}

/** What a boot found. */
export interface SlotsFound {
  /** One slot at least holds a chain. */
  usable: boolean;
  /** Slots that hold something else, each with its name and what is wrong. After a power cut one is nothing strange. */
  faults: string[];
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
  async boot(boot: (slot0?: Uint8Array, slot1?: Uint8Array) => { wipe?: 0 | 1 }): Promise<SlotsFound> {
    const images = [await this.#storage.readSlot(0), await this.#storage.readSlot(1)] as const;
    const { wipe } = boot(readable(images[0]), readable(images[1]));
    if (wipe !== undefined) await this.#storage.wipeSlot(wipe);
    const kept = images.map((image, slot) => (slot === wipe ? undefined : slotSequence(image)));
    this.#current = kept[0] !== undefined ? 0 : 1;
    return { usable: kept.some((sequence) => sequence !== undefined), faults: this.#faults(images) };
  }

  #faults(images: readonly [Uint8Array | undefined, Uint8Array | undefined]): string[] {
    return ([0, 1] as const).flatMap((slot) => {
      const fault = slotFault(images[slot]);
      return fault === undefined ? [] : [`${this.#storage.slotName?.(slot) ?? `slot ${slot}`}: ${fault}`];
    });
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

const readable = (image: Uint8Array | undefined): Uint8Array | undefined =>
  slotSequence(image) === undefined ? undefined : image;

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
 * journals of data) is beyond a program's reach. What others may read is refused (ERR_HAWSER_CONFIG), as pairings and keys are.
 */
export class FileStorage implements DeviceStorage {
  constructor(readonly directory: string) {}

  async readSlot(slot: 0 | 1): Promise<Uint8Array | undefined> {
    // Of a write that was cut short: it was never asked about, but it holds a secret.
    await wipeFile(`${this.#slot(slot)}.new`);
    return readSecret(this.#slot(slot));
  }

  slotName(slot: 0 | 1): string {
    return this.#slot(slot);
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
    await wipeFile(`${path}.new`);
    const bytes = await readSecret(path);
    if (!bytes) return undefined;
    // What is not a state is left for its owner to look at: refused, not destroyed.
    const state = parseState(path, bytes);
    await wipeFile(path);
    return state;
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

/**
 * What `state` says: `{ version: 1, blob: hex, names: [[stream, upstream], ...] }`.
 * ERR_HAWSER_CONFIG with file, field and reason.
 */
export function parseState(path: string, bytes: Uint8Array): SavedState {
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
  const state = { blob: new Uint8Array(Buffer.from(blob, 'hex')), names };
  checkBlob(state, wrong);
  return state;
}

/** That of every stream is its own, and named. */
function checkBlob({ blob, names }: SavedState, wrong: (field: string, reason: string) => HawserError): void {
  let saved: Saved;
  try {
    saved = readSaved(blob);
  } catch (error) {
    throw wrong('blob', (error as Error).message.replace('saved state: ', ''));
  }
  // A step secret has no place in a file.
  if (saved.memory !== 'flash') throw wrong('blob', 'is one of retained RAM, not of flash');
  const ids = saved.streams.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw wrong('blob', `stream ${twice} is in it twice`);
  const nameless = ids.find((id) => !names.some(([named]) => named === id));
  if (nameless !== undefined) throw wrong('names', `stream ${nameless} of the blob has none`);
}

function isName(entry: unknown): entry is [number, string] {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [stream, name] = entry as unknown[];
  return Number.isInteger(stream) && typeof name === 'string' && upstreamName.test(name);
}

/** Undefined: there is none. */
async function openIfThere(path: string, flags: number): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** ERR_HAWSER_CONFIG with file and reason. */
async function readSecret(path: string): Promise<Uint8Array | undefined> {
  const file = await openIfThere(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if (!file) return undefined;
  try {
    const fault = await secretFileFault(file);
    if (fault !== undefined) throw new HawserError('ERR_HAWSER_CONFIG', `${path}: ${fault}`);
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

/** Old or new, whole, whenever the power goes. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await makePrivate(file); // one that was left behind may have had another mode
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  await syncDirectory(path);
}

async function wipeFile(path: string): Promise<void> {
  const file = await openIfThere(path, constants.O_RDWR | (constants.O_NONBLOCK ?? 0));
  if (!file) return;
  try {
    const { size } = await file.stat();
    await file.write(new Uint8Array(size), 0, size, 0);
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
