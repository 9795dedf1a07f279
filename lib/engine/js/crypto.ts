/**
 * The crypto port in pure JS: what csrc/include/hawser/port.h asks for, and with libraries.ts all that knows a crypto library.
 * It checks for itself what a library may not: all-zero X25519 results, invalid P-256 points, zero keys.
 */

import { Suite, type Secret } from '../../engine.js';
import { HawserError } from '../../errors.js';
import { aes, hmac, nacl, nist, sha2 } from './libraries.js';
import { argument, concat, copy, fail, isZero, KEY_LEN, publicLength } from './wire.js';

/** For tests alone, therefore not in the public options: what happens inside, and what goes wrong there. */
export interface JsEngineHooks {
  /** Every seal. No pair may ever come twice. */
  trace?(key: Uint8Array, nonce: Uint8Array): void;
  /** Replaces the random source; may throw. */
  random?(length: number): Uint8Array;
  /** Before every call of the port, by name; throws to make it fail. */
  before?(call: string): void;
  /** First record counters of every link, in the key period that they fall into. */
  counters?: { d2g: number; g2d: number };
}

export function wipe(...all: (Uint8Array | undefined)[]): void {
  for (const bytes of all) bytes?.fill(0);
}

export interface KeyPair {
  secret: Uint8Array;
  public: Uint8Array;
}

/** The keys that a link starts with, one per direction. */
export interface TrafficKeys {
  d2g: Uint8Array;
  g2d: Uint8Array;
}

/** getRandomValues takes no more than this at once. */
const RANDOM_CHUNK = 65536;

function systemRandom(length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_CHUNK) {
    globalThis.crypto.getRandomValues(out.subarray(at, Math.min(at + RANDOM_CHUNK, length)));
  }
  return out;
}

/** Keeps long-term secrets by handle and does all the cryptography. One per engine. */
export class Port {
  readonly #secrets = new WeakMap<Secret, Uint8Array>();

  constructor(readonly hooks: JsEngineHooks = {}) {}

  /** A provider that fails is a local error, whatever it throws. */
  #before(call: string): void {
    try {
      this.hooks.before?.(call);
    } catch (cause) {
      throw new HawserError('ERR_HAWSER_CRYPTO', `crypto: ${call} failed`, { cause });
    }
  }

  importSecret(bytes: Uint8Array): Secret {
    argument(bytes instanceof Uint8Array && bytes.length === KEY_LEN, 'secret: must be 32 bytes');
    argument(!isZero(bytes), 'secret: all bytes are zero');
    const handle = Object.freeze({}) as Secret;
    this.#secrets.set(handle, Uint8Array.from(bytes));
    return handle;
  }

  releaseSecret(secret: Secret): void {
    wipe(this.#secrets.get(secret));
    this.#secrets.delete(secret);
  }

  holds(secret: Secret | undefined): secret is Secret {
    return secret !== undefined && this.#secrets.has(secret);
  }

  /** The engine's own copy, not to be wiped by the borrower. */
  borrow(secret: Secret | undefined): Uint8Array {
    const bytes = secret && this.#secrets.get(secret);
    if (!bytes) throw fail('ARG', 'secret: unknown to this engine, or released');
    return bytes;
  }

  sha256(...parts: Uint8Array[]): Uint8Array {
    this.#before('sha256');
    const hash = sha2().sha256.create();
    for (const part of parts) hash.update(part);
    return hash.digest();
  }

  hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
    this.#before('hmac');
    const mac = hmac().hmac.create(sha2().sha256, key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  }

  /** Ciphertext, then tag. */
  seal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    this.#before('seal');
    this.hooks.trace?.(key, nonce);
    return aes().gcm(key, nonce, ad).encrypt(plaintext);
  }

  /** Undefined: the tag is wrong. */
  open(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    this.#before('open');
    try {
      return aes().gcm(key, nonce, ad).decrypt(sealed);
    } catch {
      return undefined;
    }
  }

  /** ERR_HAWSER_RANDOM when the source fails. Never a fallback. */
  random(length: number): Uint8Array {
    this.#before('random');
    let out: Uint8Array;
    try {
      out = (this.hooks.random ?? systemRandom)(length);
    } catch (cause) {
      throw new HawserError('ERR_HAWSER_RANDOM', 'the random source failed', { cause });
    }
    if (out.length !== length) throw new HawserError('ERR_HAWSER_RANDOM', 'the random source gave too little');
    return out;
  }

  keygen(suite: Suite): KeyPair {
    for (;;) {
      const secret = this.random(KEY_LEN);
      // One draw in 2^32 is no P-256 scalar; zero comes only from a broken source.
      if (isZero(secret)) throw new HawserError('ERR_HAWSER_RANDOM', 'the random source gave zeros');
      if (suite !== Suite.P256 || nist().p256.utils.isValidSecretKey(secret)) {
        return { secret, public: this.public(suite, secret) };
      }
    }
  }

  public(suite: Suite, secret: Uint8Array): Uint8Array {
    this.#before('public');
    argument(secret.length === KEY_LEN && !isZero(secret), 'private key: must be 32 bytes, not all zero');
    if (suite === Suite.X25519) return nacl().scalarMult.base(secret);
    argument(suite === Suite.P256, 'suite: has no key pairs');
    argument(nist().p256.utils.isValidSecretKey(secret), 'private key: out of range');
    return nist().p256.getPublicKey(secret, false);
  }

  /** 32 bytes: X25519's output or P-256's x-coordinate. ERR_HAWSER_AUTH for an invalid or low-order peer key. */
  dh(suite: Suite, secret: Uint8Array, peer: Uint8Array): Uint8Array {
    this.#before('dh');
    if (peer.length !== publicLength(suite)) throw fail('AUTH', 'public key: wrong length');
    return suite === Suite.P256 ? dhP256(secret, peer) : dhX25519(secret, peer);
  }

  /** SPEC 1: the label is padded to 8 bytes. */
  prf(key: Uint8Array, label: Label, ...parts: Uint8Array[]): Uint8Array {
    return this.hmac(key, labels[label], ...parts);
  }
}

function dhX25519(secret: Uint8Array, peer: Uint8Array): Uint8Array {
  const shared = nacl().scalarMult(secret, peer);
  if (isZero(shared)) throw fail('AUTH', 'public key: of low order');
  return shared;
}

function dhP256(secret: Uint8Array, peer: Uint8Array): Uint8Array {
  if (peer[0] !== 0x04) throw fail('AUTH', 'public key: not an uncompressed point');
  let shared: Uint8Array;
  try {
    // fromBytes refuses points off the curve and coordinates out of range.
    nist().p256.Point.fromBytes(peer).assertValidity();
    shared = nist().p256.getSharedSecret(secret, peer, true);
  } catch (cause) {
    throw new HawserError('ERR_HAWSER_AUTH', 'public key: not a point of the curve', { cause });
  }
  return copy(shared.subarray(1));
}

/** Equal or not in time that depends on the length alone. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let bits = 0;
  for (let i = 0; i < a.length; i++) bits |= (a[i] as number) ^ (b[i] as number);
  return bits === 0;
}

function label(text: string): Uint8Array {
  const out = new Uint8Array(8);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

const words = [
  'block', 'first', 'next', 'ticket', 'chainid', 'nonce', 'm1', 'm2', 'd2g', 'g2d', 'name', 'ng', 'export', 'chain',
  'gate', 'mac',
] as const; // prettier-ignore
type Label = (typeof words)[number];
const labels = Object.fromEntries(words.map((word) => [word, label(word)])) as Record<Label, Uint8Array>;

/** Hash of any state, field by field: each value with its type and length, so that no two states look alike. */
export class StateHash {
  readonly #hash = sha2().sha256.create();

  add(...values: (Uint8Array | string | number | boolean | undefined)[]): this {
    for (const value of values) {
      const bytes = value instanceof Uint8Array ? value : new TextEncoder().encode(String(value));
      const kind = value instanceof Uint8Array ? 'bytes' : typeof value;
      this.#hash.update(new TextEncoder().encode(`${kind} ${bytes.length}:`)).update(bytes);
    }
    return this;
  }

  digest(): Uint8Array {
    return this.#hash.digest();
  }
}

/** SPEC 4 */
export function gateKeys(
  port: Port,
  ss: Uint8Array,
  psk: Uint8Array | undefined,
  id: Uint8Array,
  gatewayId: Uint8Array,
): { d2g: Uint8Array; g2d: Uint8Array } {
  const key = port.hmac(new TextEncoder().encode('hawser gate'), ss);
  const ids = concat(Uint8Array.of(id.length), id, Uint8Array.of(gatewayId.length), gatewayId);
  const gate = (direction: number) =>
    port.prf(key, 'gate', port.sha256(Uint8Array.of(direction, psk ? 1 : 0), psk ?? new Uint8Array(0), ids));
  const keys = { d2g: gate(1), g2d: gate(2) };
  wipe(key);
  return keys;
}
