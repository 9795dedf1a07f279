/** What a hostile or broken transport makes of the bytes of one direction. */

import { Transport } from '../../lib/engine.js';
import { concat } from '../suite/bytes.js';
import type { Dice } from './dice.js';
import { units } from './wiretap.js';

type Change = (bytes: Uint8Array, dice: Dice, past: readonly Uint8Array[]) => Uint8Array;

const flip: Change = (bytes, dice) => {
  const out = Uint8Array.from(bytes);
  const at = dice.below(out.length);
  out[at] = (out[at] ?? 0) ^ (1 << dice.below(8));
  return out;
};
const overwrite: Change = (bytes, dice) => {
  const out = Uint8Array.from(bytes);
  const at = dice.below(out.length);
  out.set(dice.bytes(Math.min(out.length - at, 1 + dice.below(8))), at);
  return out;
};
const truncate: Change = (bytes, dice) => Uint8Array.from(bytes.subarray(0, dice.below(bytes.length)));
const extend: Change = (bytes, dice) => concat(bytes, dice.bytes(1 + dice.below(40)));
const insert: Change = (bytes, dice) => {
  const at = dice.below(bytes.length);
  return concat(bytes.subarray(0, at), dice.bytes(1 + dice.below(4)), bytes.subarray(at));
};
const remove: Change = (bytes, dice) => {
  const at = dice.below(bytes.length);
  return concat(bytes.subarray(0, at), bytes.subarray(at + 1 + dice.below(4)));
};
const twice: Change = (bytes) => concat(bytes, bytes);
const replay: Change = (bytes, dice, past) => concat(dice.pick(past), bytes);
const instead: Change = (_bytes, dice, past) => dice.pick(past);
/** The head of one message or record with the tail of another. */
const splice: Change = (bytes, dice, past) => {
  const other = dice.pick(past);
  return concat(bytes.subarray(0, dice.below(bytes.length)), other.subarray(dice.below(other.length)));
};
const noise: Change = (_bytes, dice) => dice.bytes(1 + dice.below(120));
/** The length field or header says something else. */
const header: Change = (bytes, dice) => {
  const out = Uint8Array.from(bytes);
  out.set(dice.bytes(Math.min(2, out.length)));
  return out;
};

export const changes: Record<string, Change> = {
  flip, overwrite, truncate, extend, insert, remove, twice, replay, instead, splice, noise, header,
}; // prettier-ignore

/** Records of one delivery in another order. */
export function reordered(transport: Transport, bytes: Uint8Array, dice: Dice): Uint8Array {
  if (transport === Transport.Serial) {
    const ends = [...bytes.keys()].filter((at) => bytes[at] === 0);
    const frames = ends.map((end, k) => bytes.subarray(k === 0 ? 0 : (ends[k - 1] ?? 0) + 1, end + 1));
    return concat(...dice.shuffled(frames));
  }
  return concat(...dice.shuffled(units(transport, bytes)));
}
