/** Reads which streams a saved state holds (SPEC 7.4), for the caller's half of them. */

import { createHash } from 'node:crypto';

import { HawserError } from './errors.js';

export interface SavedStream {
  id: number;
  messages: boolean;
  /** Bytes that the gateway had acknowledged: sending goes on from here. */
  acked: number;
}

export interface Saved {
  memory: 'flash' | 'retained';
  streams: SavedStream[];
}

const max = 256;
const head = 20;
const retained = 48;
const entry = 20;
const check = 8;

const wrong = (field: string, reason: string): HawserError =>
  new HawserError('ERR_HAWSER_FORMAT', `saved state: ${field}: ${reason}`);

/** ERR_HAWSER_FORMAT with field and reason: not a saved state that the core would take. */
export function readSaved(blob: Uint8Array): Saved {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  if (bytes.length < head + check || bytes.length > max)
    throw wrong('length', `${bytes.length} bytes; ${head + check}..${max} are possible`);
  if (bytes.toString('latin1', 0, 4) !== 'HWSV') throw wrong('magic', 'does not begin with HWSV');
  const body = bytes.subarray(0, -check);
  if (!createHash('sha256').update(body).digest().subarray(0, check).equals(bytes.subarray(-check)))
    throw wrong('check', 'does not match: damaged, or used already');
  const [version, kind, count] = [body.readUInt8(4), body.readUInt8(5), body.readUInt8(6)];
  if (version !== 1) throw wrong('version', `${version} instead of 1`);
  if (kind !== 1 && kind !== 2) throw wrong('kind', `${kind} is not 1 or 2`);
  const start = head + (kind === 2 ? retained : 0);
  if (body.length !== start + count * entry) throw wrong('count', `${count} streams do not fit ${bytes.length} bytes`);
  const streams = Array.from({ length: count }, (_, index) => readStream(body.subarray(start + index * entry), index));
  return { memory: kind === 1 ? 'flash' : 'retained', streams };
}

function readStream(bytes: Buffer, index: number): SavedStream {
  const kind = bytes.readUInt8(6);
  if (kind > 1) throw wrong(`streams[${index}].kind`, `${kind} is not 0 or 1`);
  return { id: bytes.readUInt16BE(0), messages: kind === 1, acked: bytes.readUIntBE(8, 6) };
}
