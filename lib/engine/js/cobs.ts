/**
 * Consistent overhead byte stuffing (Cheshire and Baker 1999), SPEC 3.4: no zero inside a frame, so that a zero ends it.
 */

const BLOCK = 254;

/** Longest encoding of n bytes, without the closing zero. */
export const cobsMax = (length: number): number => length + Math.floor(length / BLOCK) + 1;

/** The frame and its closing zero. */
export function cobsEncode(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(cobsMax(bytes.length) + 1);
  let code = 0; // where the length of the current block goes
  let at = 1;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte !== 0) out[at++] = byte;
    const full = at - code === BLOCK + 1;
    // A full block stands for no zero of its own; at the end of the input none has to follow it.
    if (byte === 0 || (full && i + 1 < bytes.length)) {
      out[code] = at - code;
      code = at++;
    }
  }
  out[code] = at - code;
  return out.subarray(0, at + 1);
}

/** Undefined: wrongly encoded. `frame` is without its closing zero. */
export function cobsDecode(frame: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(frame.length);
  let length = 0;
  let at = 0;
  while (at < frame.length) {
    const code = frame[at] as number;
    const end = at + code;
    if (code === 0 || end > frame.length) return undefined;
    const block = frame.subarray(at + 1, end);
    if (block.includes(0)) return undefined;
    out.set(block, length);
    length += block.length;
    at = end;
    if (code !== BLOCK + 1 && at < frame.length) out[length++] = 0;
  }
  return out.subarray(0, length);
}
