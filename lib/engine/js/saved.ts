/**
 * What a device keeps outside of its RAM: flash slots and saved state (SPEC 7.4).
 */

import { Kind, type Position } from '../../engine.js';
import { equal, type Port } from './crypto.js';
import {
  ascii,
  concat,
  copy,
  fail,
  isZero,
  KEY_LEN,
  NAME_LEN,
  Reader,
  sameBytes,
  SAVE_MAX,
  SLOT_LEN,
  Writer,
} from './wire.js';

const CHECK_LEN = 8;
const SLOT_MAGIC = ascii('HWSL');
const SAVE_MAGIC = ascii('HWSV');
const VERSION = 1;

export interface Slot {
  sequence: number;
  chain: Uint8Array;
  f: number;
  block: Uint8Array;
}

function withCheck(port: Port, bytes: Uint8Array): Uint8Array {
  return concat(bytes, port.sha256(bytes).subarray(0, CHECK_LEN));
}

function checked(port: Port, bytes: Uint8Array): boolean {
  const at = bytes.length - CHECK_LEN;
  return at >= 0 && equal(port.sha256(bytes.subarray(0, at)).subarray(0, CHECK_LEN), bytes.subarray(at));
}

export function writeSlot(port: Port, slot: Slot): Uint8Array {
  const fields = new Writer().bytes(SLOT_MAGIC).u8(VERSION).bytes(new Uint8Array(3));
  fields.u32(slot.sequence).bytes(slot.chain).u32(slot.f).bytes(slot.block);
  return withCheck(port, fields.done());
}

/** Undefined: erased, torn, or not a slot. */
export function readSlot(port: Port, bytes: Uint8Array | undefined): Slot | undefined {
  if (bytes?.length !== SLOT_LEN || !checked(port, bytes)) return undefined;
  const reader = new Reader(bytes);
  const head = reader.take(8);
  if (!sameBytes(head, concat(SLOT_MAGIC, Uint8Array.of(VERSION, 0, 0, 0)))) return undefined;
  const sequence = reader.u32();
  const chain = copy(reader.take(NAME_LEN));
  const f = reader.u32();
  const block = copy(reader.take(KEY_LEN));
  return isZero(block) ? undefined : { sequence, chain, f, block };
}

/** Flags of a saved stream. */
export const SavedFlag = { Known: 1, PeerFin: 2, OwnFin: 4 } as const;

export interface SavedStream {
  id: number;
  serial: number;
  kind: Kind;
  flags: number;
  acked: number;
  ack: number;
}
export interface SavedState {
  name: Uint8Array;
  serial: number;
  streams: SavedStream[];
  /** Retained RAM alone. */
  at?: Position & { chain: Uint8Array; r: Uint8Array };
}

const STREAM_LEN = 20;

/** Throws ERR_HAWSER_LIMIT when it would not fit into 256 bytes. */
export function writeSaved(port: Port, state: SavedState): Uint8Array {
  const fields = new Writer(SAVE_MAX).bytes(SAVE_MAGIC).u8(VERSION);
  fields
    .u8(state.at ? 2 : 1)
    .u8(state.streams.length)
    .u8(0)
    .bytes(state.name)
    .u32(state.serial);
  if (state.at) fields.bytes(state.at.chain).u32(state.at.b).u32(state.at.i).bytes(state.at.r);
  const most = SAVE_MAX - CHECK_LEN - fields.length;
  if (state.streams.length * STREAM_LEN > most) throw fail('LIMIT', 'save: more streams than a blob holds');
  for (const { id, serial, kind, flags, acked, ack } of state.streams) {
    fields.u16(id).u32(serial).u8(kind).u8(flags).u48(acked).u48(ack);
  }
  return withCheck(port, fields.done());
}

/** Throws ERR_HAWSER_FORMAT. */
export function readSaved(port: Port, blob: Uint8Array): SavedState {
  if (blob.length > SAVE_MAX || !checked(port, blob)) throw fail('FORMAT', 'saved state: damaged, used, or not one');
  const reader = new Reader(blob.subarray(0, blob.length - CHECK_LEN));
  const magic = sameBytes(reader.take(4), SAVE_MAGIC);
  const version = reader.u8();
  const kind = reader.u8();
  const count = reader.u8();
  if (!magic || version !== VERSION || kind < 1 || kind > 2 || reader.u8() !== 0) {
    throw fail('FORMAT', 'saved state: of another version or kind');
  }
  const state: SavedState = { name: copy(reader.take(NAME_LEN)), serial: reader.u32(), streams: [] };
  if (kind === 2) {
    const chain = copy(reader.take(NAME_LEN));
    state.at = { chain, b: reader.u32(), i: reader.u32(), r: copy(reader.take(KEY_LEN)) };
  }
  for (let i = 0; i < count; i++) state.streams.push(readStream(reader));
  if (!reader.ok || reader.left > 0) throw fail('FORMAT', 'saved state: of a wrong length');
  return state;
}

function readStream(reader: Reader): SavedStream {
  const stream = { id: reader.u16(), serial: reader.u32(), kind: reader.u8() as Kind, flags: reader.u8() };
  const all = SavedFlag.Known | SavedFlag.PeerFin | SavedFlag.OwnFin;
  const known: readonly number[] = [Kind.Stream, Kind.Messages];
  if (!known.includes(stream.kind) || (stream.flags & ~all) !== 0) throw fail('FORMAT', 'saved state: a wrong stream');
  return { ...stream, acked: reader.u48(), ack: reader.u48() };
}
