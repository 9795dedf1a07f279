/**
 * The pairings that are dead for good, in a file of its own: putting back a backup of the store does not undo it.
 * One line each, `serial  device-id  reason  time`; appended and synced before the store itself changes.
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

import { HawserError } from '../errors.js';

export type Ending = 'revoked' | 'removed' | 'replaced';
export interface Tombstone {
  serial: string;
  id: string;
  ending: Ending;
}

export interface Tombstones {
  all(): Iterable<Tombstone>;
  get(serial: string): Tombstone | undefined;
  /** Resolved: it survives a power cut. */
  add(tombstone: Tombstone): void;
  /** How often the store was opened, as far as this log knows; undefined: never. */
  generation(): number | undefined;
  setGeneration(generation: number): void;
  close(): void;
}

export class MemoryTombstones implements Tombstones {
  readonly #all = new Map<string, Tombstone>();
  #generation: number | undefined;

  all(): Iterable<Tombstone> {
    return this.#all.values();
  }
  get(serial: string): Tombstone | undefined {
    return this.#all.get(serial);
  }
  add(tombstone: Tombstone): void {
    this.#all.set(tombstone.serial, tombstone);
  }
  generation(): number | undefined {
    return this.#generation;
  }
  setGeneration(generation: number): void {
    this.#generation = generation;
  }
  close(): void {
    // nothing is held
  }
}

const line = /^(?<serial>[0-9a-f]{32}) (?<id>[0-9a-f]{8,64}) (?<ending>revoked|removed|replaced) \S+$/;

export class FileTombstones implements Tombstones {
  readonly #all = new Map<string, Tombstone>();
  readonly #fd: number;

  constructor(readonly path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const fresh = !existsSync(path);
    this.#fd = openSync(path, 'a+', 0o600);
    if (fresh) syncDirectory(path);
    this.#load();
  }

  /** A last line without its end is a write that a power cut tore: it was never acknowledged. */
  #load(): void {
    const text = readFileSync(this.path, 'latin1');
    const whole = text.lastIndexOf('\n') + 1;
    if (whole < text.length) ftruncateSync(this.#fd, whole);
    const lines = text.slice(0, whole).split('\n').slice(0, -1);
    lines.forEach((content, index) => {
      const fields = line.exec(content)?.groups as Tombstone | undefined;
      if (!fields)
        throw new HawserError('ERR_HAWSER_CONFIG', `${this.path}:${index + 1}: not an entry of a revocation log`);
      this.#all.set(fields.serial, { serial: fields.serial, id: fields.id, ending: fields.ending });
    });
  }

  all(): Iterable<Tombstone> {
    return this.#all.values();
  }

  get(serial: string): Tombstone | undefined {
    return this.#all.get(serial);
  }

  add(tombstone: Tombstone): void {
    const { serial, id, ending } = tombstone;
    writeSync(this.#fd, `${serial} ${id} ${ending} ${new Date().toISOString()}\n`);
    fsyncSync(this.#fd);
    this.#all.set(serial, tombstone);
  }

  generation(): number | undefined {
    const path = `${this.path}.generation`;
    if (!existsSync(path)) return undefined;
    const text = readFileSync(path, 'latin1');
    if (!/^\d{1,15}\n$/.test(text)) throw new HawserError('ERR_HAWSER_CONFIG', `${path}: not a generation number`);
    return Number(text);
  }

  setGeneration(generation: number): void {
    const path = `${this.path}.generation`;
    const fd = openSync(`${path}.new`, 'w', 0o600);
    writeFileSync(fd, `${generation}\n`);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(`${path}.new`, path);
    syncDirectory(path);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(dirname(path), 'r');
  fsyncSync(fd);
  closeSync(fd);
}
