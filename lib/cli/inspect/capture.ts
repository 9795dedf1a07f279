/** Reads pcap and pcapng files as far as a look at TCP needs: packets with their time and link type. */

import { HawserError } from '../../errors.js';

/** `time` in seconds since 1970; `data` from the link layer on, possibly cut by the capture's snap length. */
export interface Packet {
  time: number;
  linkType: number;
  data: Buffer;
}

/** Numbers of one byte order. */
interface Reader {
  u16(at: number): number;
  u32(at: number): number;
}

const reader = (bytes: Buffer, little: boolean): Reader => ({
  u16: (at) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
  u32: (at) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
});

const bad = (reason: string): HawserError => new HawserError('ERR_HAWSER_FORMAT', reason);

const PCAP = {
  '\xa1\xb2\xc3\xd4': [false, 1e6],
  '\xd4\xc3\xb2\xa1': [true, 1e6],
  '\xa1\xb2\x3c\x4d': [false, 1e9],
  '\x4d\x3c\xb2\xa1': [true, 1e9],
} as const;
const PCAPNG_MAGIC = 0x0a0d0d0a;

const pcapKind = (bytes: Buffer): readonly [boolean, number] | undefined =>
  (PCAP as Record<string, readonly [boolean, number]>)[bytes.toString('latin1', 0, 4)];

/** Whether the bytes begin as a capture file does. */
export function isCapture(bytes: Buffer): boolean {
  return bytes.length >= 4 && (pcapKind(bytes) !== undefined || bytes.readUInt32BE(0) === PCAPNG_MAGIC);
}

/** Every packet in file order. Throws ERR_HAWSER_FORMAT with the offset of what cannot be read. */
export function* packets(bytes: Buffer): Generator<Packet> {
  const kind = pcapKind(bytes);
  if (kind) yield* pcapPackets(bytes, reader(bytes, kind[0]), kind[1]);
  else yield* pcapngPackets(bytes);
}

function* pcapPackets(bytes: Buffer, read: Reader, ticks: number): Generator<Packet> {
  if (bytes.length < 24) throw bad('pcap header cut short');
  const linkType = read.u32(20) & 0xffff;
  let at = 24;
  while (at < bytes.length) {
    if (at + 16 > bytes.length) throw bad(`packet header cut short at byte ${at}`);
    const length = read.u32(at + 8);
    const end = at + 16 + length;
    if (end > bytes.length) throw bad(`packet of ${length} bytes cut short at byte ${at}`);
    yield { time: read.u32(at) + read.u32(at + 4) / ticks, linkType, data: bytes.subarray(at + 16, end) };
    at = end;
  }
}

interface Interface {
  linkType: number;
  ticksPerSecond: number;
}

/** if_tsresol, option 9: a power of 10, or of 2 when the top bit is set. Default: microseconds. */
function tickRate(options: Buffer, read: Reader, base: number): number {
  let at = 0;
  while (at + 4 <= options.length) {
    const code = read.u16(base + at);
    const length = read.u16(base + at + 2);
    if (code === 0) break;
    if (code === 9 && length === 1 && at + 4 < options.length) {
      const value = options.readUInt8(at + 4);
      return value & 0x80 ? 2 ** (value & 0x7f) : 10 ** value;
    }
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return 1e6;
}

const BLOCK = { Section: PCAPNG_MAGIC, Interface: 1, Simple: 3, Enhanced: 6 } as const;

function* pcapngPackets(bytes: Buffer): Generator<Packet> {
  let read = reader(bytes, true);
  let interfaces: Interface[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 12 > bytes.length) throw bad(`block header cut short at byte ${at}`);
    if (bytes.readUInt32BE(at) === BLOCK.Section) {
      read = reader(bytes, sectionIsLittle(bytes, at));
      interfaces = [];
    }
    const type = read.u32(at);
    const length = read.u32(at + 4);
    if (length < 12 || length % 4 !== 0 || at + length > bytes.length)
      throw bad(`block of ${length} bytes at byte ${at}`);
    if (type === BLOCK.Interface) interfaces.push(interfaceBlock(bytes, read, at, length));
    if (type === BLOCK.Enhanced) yield enhancedBlock(bytes, read, at, length, interfaces);
    if (type === BLOCK.Simple) yield simpleBlock(bytes, read, at, length, interfaces);
    at += length;
  }
}

function sectionIsLittle(bytes: Buffer, at: number): boolean {
  const order = bytes.readUInt32BE(at + 8);
  if (order === 0x1a2b3c4d) return false;
  if (order === 0x4d3c2b1a) return true;
  throw bad(`section without a byte order at byte ${at}`);
}

function interfaceBlock(bytes: Buffer, read: Reader, at: number, length: number): Interface {
  if (length < 20) throw bad(`interface block of ${length} bytes at byte ${at}`);
  const options = bytes.subarray(at + 16, at + length - 4);
  return { linkType: read.u16(at + 8), ticksPerSecond: tickRate(options, read, at + 16) };
}

function enhancedBlock(bytes: Buffer, read: Reader, at: number, length: number, interfaces: Interface[]): Packet {
  const from = length >= 32 ? interfaces[read.u32(at + 8)] : undefined;
  if (!from) throw bad(`packet of an unknown interface at byte ${at}`);
  const captured = read.u32(at + 20);
  if (32 + captured > length) throw bad(`packet of ${captured} bytes does not fit its block at byte ${at}`);
  const ticks = read.u32(at + 12) * 2 ** 32 + read.u32(at + 16);
  return {
    time: ticks / from.ticksPerSecond,
    linkType: from.linkType,
    data: bytes.subarray(at + 28, at + 28 + captured),
  };
}

function simpleBlock(bytes: Buffer, read: Reader, at: number, length: number, interfaces: Interface[]): Packet {
  const from = length >= 16 ? interfaces[0] : undefined;
  if (!from) throw bad(`packet without an interface at byte ${at}`);
  const captured = Math.min(read.u32(at + 8), length - 16);
  return { time: 0, linkType: from.linkType, data: bytes.subarray(at + 12, at + 12 + captured) };
}
