/**
 * Layouts of the frames of SPEC 9.
 */

import { Kind } from '../../engine.js';
import { ascii, copy, fail, Frame, NAME_LEN, Reader, UPSTREAM_MAX, Writer } from './wire.js';

export const stateFrame = (name: Uint8Array): Uint8Array => new Writer().u8(Frame.State).bytes(name).done();
export const statusFrame = (continued: boolean): Uint8Array => Uint8Array.of(Frame.Status, continued ? 1 : 0);
export const syncedFrame = (): Uint8Array => Uint8Array.of(Frame.Synced);
export const closeFrame = (code: number): Uint8Array => Uint8Array.of(Frame.Close, code);
export const pingFrame = (value: number): Uint8Array => new Writer().u8(Frame.Ping).u32(value).done();
export const pongFrame = (value: number): Uint8Array => new Writer().u8(Frame.Pong).u32(value).done();

export interface OpenFields {
  id: number;
  serial: number;
  kind: Kind;
  name: string;
}
export interface StreamFields {
  id: number;
  serial: number;
  tx: number;
  rx: number;
  ack: number;
}

export function openFrame({ id, serial, kind, name }: OpenFields): Uint8Array {
  return new Writer().u8(Frame.Open).u16(id).u32(serial).u8(kind).sized(ascii(name)).done();
}

export function streamFrame({ id, serial, tx, rx, ack }: StreamFields): Uint8Array {
  return new Writer().u8(Frame.Stream).u16(id).u32(serial).u48(tx).u48(rx).u48(ack).done();
}

export function ackFrame(id: number, offset: number): Uint8Array {
  return new Writer().u8(Frame.Ack).u16(id).u48(offset).done();
}

export function resetFrame(id: number, serial: number, code: number): Uint8Array {
  return new Writer().u8(Frame.Reset).u16(id).u32(serial).u8(code).done();
}

export function dataHead(code: typeof Frame.Data | typeof Frame.Fin | typeof Frame.Msg, id: number): Uint8Array {
  return Uint8Array.of(code, id >> 8, id & 0xff);
}

export const violation = (text: string) => fail('PEER', `the peer broke a rule: ${text}`);

const UPSTREAM = /^[a-z0-9._-]+$/;
export const isUpstreamName = (name: string): boolean => name.length <= UPSTREAM_MAX && UPSTREAM.test(name);

/** The fields behind the code of an OPEN frame. Throws ERR_HAWSER_PEER. */
export function readOpen(reader: Reader): OpenFields {
  const id = reader.u16();
  const serial = reader.u32();
  const kind = reader.u8();
  const name = String.fromCharCode(...reader.take(reader.u8()));
  if (!reader.ok || serial === 0 || !isUpstreamName(name) || (kind !== Kind.Stream && kind !== Kind.Messages)) {
    throw violation('OPEN with a wrong field');
  }
  return { id, serial, kind, name };
}

/** Likewise of a STREAM frame. */
export function readStream(reader: Reader): StreamFields {
  const fields = { id: reader.u16(), serial: reader.u32(), tx: reader.u48(), rx: reader.u48(), ack: reader.u48() };
  if (!reader.ok || fields.serial === 0 || fields.ack > fields.rx) throw violation('STREAM with a wrong field');
  return fields;
}

/** What early data names: one stream, and bytes or FIN of it (SPEC 7.2). Undefined: not well formed. */
export function isEarlyData(bytes: Uint8Array): boolean {
  const reader = new Reader(bytes);
  try {
    const code = reader.u8();
    if (code !== Frame.Open && code !== Frame.Stream) return false;
    const { id } = code === Frame.Open ? readOpen(reader) : readStream(reader);
    if (reader.left === 0) return true;
    const next = reader.u8();
    return (next === Frame.Data || next === Frame.Fin) && reader.u16() === id && reader.ok;
  } catch {
    return false;
  }
}

/** The name in a STATE frame that opens a first record, and what follows it; undefined: it is not there. */
export function readState(plaintext: Uint8Array): { name: Uint8Array; rest: Uint8Array } | undefined {
  if (plaintext[0] !== Frame.State || plaintext.length < 1 + NAME_LEN) return undefined;
  return { name: copy(plaintext.subarray(1, 1 + NAME_LEN)), rest: plaintext.subarray(1 + NAME_LEN) };
}
