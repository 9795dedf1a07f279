/** The binary form of a device's pairing, SPEC 4.1: for production lines and firmware. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Mode, Suite } from '../engine.js';
import type { DevicePairing } from '../types.js';
import {
  checkBlocks,
  checkDevicePairing,
  checkId,
  checkModeAndSuite,
  checkRange,
  checkSecret,
  fieldError,
  secretFields,
  secretLength,
} from './terms.js';

const MAGIC = Buffer.from('HWPR');
const VERSION = 1;
const CHECK_LENGTH = 8;

/** Whether the bytes begin as a binary pairing does. */
export const isBinaryPairing = (bytes: Uint8Array): boolean => MAGIC.equals(bytes.subarray(0, MAGIC.length));

const checkOf = (body: Uint8Array): Buffer => createHash('sha256').update(body).digest().subarray(0, CHECK_LENGTH);

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
const withLength = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(bytes.length), bytes]);

/**
 * The record of SPEC 4.1. Addresses, upstreams and validity are not part of it.
 * @throws ERR_HAWSER_FORMAT if a field is missing or out of range.
 */
export function encodePairing(pairing: DevicePairing): Buffer {
  checkDevicePairing(pairing);
  const body = Buffer.concat([
    MAGIC,
    Buffer.of(VERSION, pairing.mode, pairing.suite, 0),
    withLength(pairing.id),
    withLength(pairing.gatewayId),
    u16(pairing.recordMax),
    u32(pairing.windowDevice),
    u32(pairing.windowGateway),
    u32(pairing.maxSteps),
    u32(pairing.maxBlocks),
    ...secretFields(pairing.mode).map((field) => pairing[field]!),
  ]);
  return Buffer.concat([body, checkOf(body)]);
}

/** Reads fields in turn; a field that is cut short is named. */
class Cursor {
  #at = 0;
  constructor(private readonly bytes: Buffer) {}
  get left(): number {
    return this.bytes.length - this.#at;
  }
  take(field: string, length: number): Buffer {
    if (this.left < length) throw fieldError(field, `cut short: ${this.left} of ${length} bytes`);
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }
  u8 = (field: string): number => this.take(field, 1).readUInt8();
  u16 = (field: string): number => this.take(field, 2).readUInt16BE();
  u32 = (field: string): number => this.take(field, 4).readUInt32BE();
}

function takeId(cursor: Cursor, field: string): Buffer {
  const id = cursor.take(field, cursor.u8(field));
  checkId(field, id);
  return id;
}

/**
 * The fields are copies. @throws ERR_HAWSER_FORMAT with field and reason for anything SPEC 4.1 refuses.
 */
export function decodePairing(bytes: Uint8Array): DevicePairing {
  const all = Buffer.from(bytes);
  if (!isBinaryPairing(all)) throw fieldError('magic', 'does not begin with HWPR');
  const cursor = new Cursor(all);
  cursor.take('magic', MAGIC.length);
  const version = cursor.u8('version');
  if (version !== VERSION) throw fieldError('version', `${version}; this program reads ${VERSION}`);
  const mode = cursor.u8('mode') as Mode;
  const suite = cursor.u8('suite') as Suite;
  checkModeAndSuite(mode, suite);
  const flags = cursor.u8('flags');
  if (flags !== 0) throw fieldError('flags', `${flags} instead of 0`);
  const pairing: DevicePairing = {
    mode,
    suite,
    id: takeId(cursor, 'device'),
    gatewayId: takeId(cursor, 'gateway'),
    recordMax: cursor.u16('recordMax'),
    windowDevice: cursor.u32('windowDevice'),
    windowGateway: cursor.u32('windowGateway'),
    maxSteps: cursor.u32('maxSteps'),
    maxBlocks: cursor.u32('maxBlocks'),
    addresses: [],
  };
  for (const field of ['recordMax', 'windowDevice', 'windowGateway', 'maxSteps'] as const)
    checkRange(field, pairing[field]);
  checkBlocks(mode, pairing.maxBlocks);
  for (const field of secretFields(mode)) {
    const secret = cursor.take(field, secretLength(field, suite));
    checkSecret(field, suite, secret);
    pairing[field] = secret;
  }
  const check = cursor.take('check', CHECK_LENGTH);
  if (cursor.left > 0) throw fieldError('check', `${cursor.left} bytes follow it`);
  if (!timingSafeEqual(check, checkOf(all.subarray(0, all.length - CHECK_LENGTH)))) {
    throw fieldError('check', 'does not match: the pairing is damaged');
  }
  return pairing;
}
