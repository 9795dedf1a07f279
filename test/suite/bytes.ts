/** Small byte helpers that every test shares. */

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
export const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'));

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A copy whose bit `bit` (0 is the lowest bit of byte 0) is the other way round. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** Bytes that differ at every offset for a long while, so that a shifted or repeated run shows. */
export function pattern(length: number, seed = 0): Uint8Array {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at++) out[at] = (at * 167 + (at >> 8) * 59 + seed * 101) & 255;
  return out;
}

/** mulberry32: a seeded generator, so that every random test can be run again. Values in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The messages and records of a direction of a stream transport (SPEC 3.3), length fields included. */
export function splitStream(bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const word = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const length = word & 0x4000 ? 2 + (word & 0x3fff) + 16 : 2 + word;
    if (at + length > bytes.length) throw new Error(`a direction ends inside of a unit of ${length} bytes`);
    out.push(bytes.slice(at, at + length));
    at += length;
  }
  return out;
}

/** The frames of a direction of a serial transport (SPEC 3.4), the closing zero included. */
export function splitSerial(bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== 0) continue;
    out.push(bytes.slice(start, at + 1));
    start = at + 1;
  }
  if (start !== bytes.length) throw new Error('a direction ends inside of a frame');
  return out;
}

/** COBS with its closing zero, written from Cheshire and Baker's text: the tests' own, no engine's. */
export function cobs(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  let block: number[] = [];
  const flush = (): void => {
    out.push(block.length + 1, ...block);
    block = [];
  };
  for (const byte of bytes) {
    if (block.length === 254) flush();
    if (byte === 0) flush();
    else block.push(byte);
  }
  flush();
  return Uint8Array.from([...out, 0]);
}

/** The inverse, of one frame with its closing zero; throws on a wrong encoding. */
export function uncobs(frame: Uint8Array): Uint8Array {
  const out: number[] = [];
  let at = 0;
  while (at < frame.length - 1) {
    const code = frame[at] ?? 0;
    if (code === 0 || at + code > frame.length - 1) throw new Error('not a COBS frame');
    out.push(...frame.subarray(at + 1, at + code));
    at += code;
    if (code < 255 && at < frame.length - 1) out.push(0);
  }
  return Uint8Array.from(out);
}
