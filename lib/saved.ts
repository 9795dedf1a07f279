/** Reads which streams a saved state holds (SPEC 7.4), for the caller's half of them. */

import { HawserError } from './errors.js';

export interface SavedStream {
  id: number;
  messages: boolean;
  /** Bytes that the gateway had acknowledged: sending goes on from here. */
  acked: number;
}

const head = 20;
const retained = 48;
const entry = 20;

/** ERR_HAWSER_FORMAT: not a saved state. The core checks the rest. */
export function savedStreams(blob: Uint8Array): SavedStream[] {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  if (bytes.length < head || bytes.toString('latin1', 0, 4) !== 'HWSV' || bytes[4] !== 1) {
    throw new HawserError('ERR_HAWSER_FORMAT', 'saved state: not one of this version');
  }
  const start = head + (bytes[5] === 2 ? retained : 0);
  const count = bytes.readUInt8(6);
  if (bytes.length < start + count * entry) throw new HawserError('ERR_HAWSER_FORMAT', 'saved state: cut short');
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * entry;
    return { id: bytes.readUInt16BE(at), messages: bytes[at + 6] === 1, acked: bytes.readUIntBE(at + 8, 6) };
  });
}
