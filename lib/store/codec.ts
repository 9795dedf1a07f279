/**
 * Records of a store as bytes. Each is sealed: a copy of the store without the sealing key opens nothing and cannot be
 * altered unnoticed.
 */

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  randomFillSync,
  type KeyObject,
} from 'node:crypto';

import { HawserError } from '../errors.js';
import type { ChainState, DeviceRecord, EarlyState } from '../types.js';

const nonceLength = 12;
const tagLength = 16;
const overhead = nonceLength + tagLength;
/** Devices whose derived keys, records and states a process holds at a time. */
const maxRemembered = 10_000;

/** PRF of SPEC 1, under the sealing key. */
function prf(key: Uint8Array, label: string, input: Uint8Array): Buffer {
  const padded = Buffer.alloc(8);
  padded.write(label, 'latin1');
  return createHmac('sha256', key).update(padded).update(createHash('sha256').update(input).digest()).digest();
}

/** AES-256-GCM under a key of the device's own, so that no key sees more than one device's updates (2^32 random nonces). */
export class Seal {
  readonly #key: Buffer;
  /** To derive one costs more than to use it. By owner, in latin1. */
  readonly #derived = new Map<string, KeyObject>();
  /** Nonces to come: the random source costs the same for one as for many. */
  readonly #nonces = Buffer.alloc(nonceLength * 128);
  #nonceAt = this.#nonces.length;

  constructor(sealingKey: Uint8Array) {
    if (sealingKey.length !== 32 || sealingKey.every((byte) => byte === 0)) {
      throw new HawserError('ERR_HAWSER_CONFIG', 'the sealing key must have 32 bytes that are not all zero');
    }
    this.#key = Buffer.from(sealingKey);
  }

  #keyOf(owner: Uint8Array): KeyObject {
    const name = latin1(owner);
    const known = this.#derived.get(name);
    if (known) return known;
    const bytes = prf(this.#key, 'seal', owner);
    const key = createSecretKey(bytes);
    bytes.fill(0);
    remember(this.#derived, name, key);
    return key;
  }

  #nonce(): Buffer {
    if (this.#nonceAt === this.#nonces.length) {
      randomFillSync(this.#nonces);
      this.#nonceAt = 0;
    }
    this.#nonceAt += nonceLength;
    return this.#nonces.subarray(this.#nonceAt - nonceLength, this.#nonceAt);
  }

  /** head || nonce || ciphertext || tag; what is in `head` is for `ad` to vouch for. */
  seal(owner: Uint8Array, ad: Uint8Array, plain: Uint8Array, head: Uint8Array = nothing): Buffer {
    const nonce = this.#nonce();
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(owner), nonce, { authTagLength: tagLength });
    cipher.setAAD(ad);
    return Buffer.concat([head, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Undefined: another key, or altered. */
  open(owner: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Buffer | undefined {
    if (sealed.length < overhead) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#keyOf(owner), sealed.subarray(0, nonceLength), {
      authTagLength: tagLength,
    });
    decipher.setAAD(ad);
    decipher.setAuthTag(sealed.subarray(sealed.length - tagLength));
    const plain = decipher.update(sealed.subarray(nonceLength, sealed.length - tagLength));
    try {
      decipher.final();
    } catch {
      plain.fill(0);
      return undefined;
    }
    return plain;
  }

  /** Tells equal secrets without showing them. 16 bytes. */
  fingerprint(kind: string, secret: Uint8Array): Buffer {
    return prf(this.#key, 'dup', Buffer.concat([Buffer.from(`${kind}:`), secret])).subarray(0, 16);
  }
}

const nothing = new Uint8Array(0);

export const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** What was remembered first is forgotten when there is too much. */
export function remember<T>(cache: Map<string, T>, name: string, entry: T): void {
  cache.delete(name);
  cache.set(name, entry);
  if (cache.size <= maxRemembered) return;
  const oldest = cache.keys().next();
  if (!oldest.done) cache.delete(oldest.value);
}

// ---- DeviceRecord: rarely written, so readable ----------------------------------------------------------------

export function encodeRecord(record: DeviceRecord): Buffer {
  return Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(record).map(wrap))));
}

function wrap([field, value]: [string, unknown]): [string, unknown] {
  return [field, value instanceof Uint8Array ? { $: hex(value) } : value];
}

export function decodeRecord(bytes: Uint8Array): DeviceRecord {
  return JSON.parse(Buffer.from(bytes).toString(), (_key, value: unknown) => {
    const wrapped = value as { $?: unknown } | null;
    return typeof wrapped?.$ === 'string' ? new Uint8Array(Buffer.from(wrapped.$, 'hex')) : value;
  }) as DeviceRecord;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

// ---- ChainState: written with every resumption, so short ------------------------------------------------------

const earlyKinds = ['none', 'void', 'refused', 'taken'] as const;
const noHash = new Uint8Array(32);

/** flags, ahead u16, early kind, h[32], len,incarnation, len,owner, count,tickets[8], [chain 8, b u32, i u32, r 32, next 32] */
export function encodeState(state: ChainState, tickets: readonly Uint8Array[]): Buffer {
  const { chain, early, ahead } = state;
  const names = [Buffer.from(state.incarnation), Buffer.from(state.owner)] as const;
  if (names[0].length > 255 || names[1].length > 255 || tickets.length > 255 || ahead > 250) {
    throw new HawserError(
      'ERR_HAWSER_ARG',
      'a chain state has at most 250 blocks ahead, 255 bytes of owner and of incarnation',
    );
  }
  const length = 39 + names[0].length + names[1].length + 8 * tickets.length + (chain ? 80 : 0);
  const out = Buffer.alloc(length);
  let at = 0;
  const byte = (value: number): void => void (out[at++] = value);
  const put = (bytes: Uint8Array): void => {
    out.set(bytes, at);
    at += bytes.length;
  };
  byte(chain ? 1 : 0);
  byte(ahead >> 8);
  byte(ahead & 0xff);
  byte(earlyKinds.indexOf(early.kind));
  put('h' in early ? early.h : noHash);
  for (const name of names) {
    byte(name.length);
    put(name);
  }
  byte(tickets.length);
  for (const ticket of tickets) put(ticket);
  if (chain) {
    put(chain.id);
    at = out.writeUInt32BE(chain.b, at);
    at = out.writeUInt32BE(chain.i, at);
    put(chain.r);
    put(chain.next);
  }
  return out;
}

/** Takes only what encodeState() wrote and Seal.open() vouched for. */
export function decodeState(bytes: Buffer): { state: ChainState; tickets: Buffer[] } {
  let at = 0;
  const take = (length: number): Buffer => {
    at += length;
    if (at > bytes.length) throw new HawserError('ERR_HAWSER_STORAGE', 'a chain state in the store is cut short');
    return bytes.subarray(at - length, at);
  };
  // Copies that are no Buffer: whoever gets them may wipe them, and a Buffer's slice() would be a view.
  const own = (length: number): Uint8Array => new Uint8Array(take(length));
  const byte = (): number => take(1).readUInt8();
  const flags = byte();
  const ahead = take(2).readUInt16BE();
  const early = earlyOf(byte(), own(32));
  const incarnation = take(byte()).toString();
  const owner = take(byte()).toString();
  const tickets = Array.from({ length: byte() }, () => take(8));
  const state: ChainState = { ahead, early, incarnation, owner };
  if (flags === 1) {
    state.chain = { id: own(8), b: take(4).readUInt32BE(), i: take(4).readUInt32BE(), r: own(32), next: own(32) };
  }
  return { state, tickets };
}

function earlyOf(code: number, h: Uint8Array): EarlyState {
  const kind = earlyKinds[code];
  if (kind === undefined)
    throw new HawserError('ERR_HAWSER_STORAGE', `a chain state in the store has an unknown early state ${code}`);
  return kind === 'none' || kind === 'void' ? { kind } : { kind, h };
}
