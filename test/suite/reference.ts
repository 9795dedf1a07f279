/**
 * The initiator's and the responder's arithmetic of SPEC 3 to 7 once more, straight from the text on top of
 * node:crypto, with nothing shared with any engine. Tests forge messages with it, and the worked examples of
 * docs/SPEC.md are its log.
 */

import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from 'node:crypto';
import { Mode, Suite } from '../../lib/engine.js';
import { concat, utf8 } from './bytes.js';

/** Every value that a reader may want to compare, in the order in which it is computed. */
export type Log = (name: string, value: Uint8Array) => void;
const silent: Log = () => undefined;

export const NONE = new Uint8Array(0);
const ZERO12 = new Uint8Array(12);
const u8 = (value: number): Uint8Array => Uint8Array.of(value);
export function uint(value: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, at) => Math.floor(value / 256 ** (width - 1 - at)) % 256);
}
const sized = (bytes: Uint8Array): Uint8Array => concat(u8(bytes.length), bytes);

export function sha256(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash('sha256')
      .update(concat(...parts))
      .digest(),
  );
}

export function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHmac('sha256', key)
      .update(concat(...parts))
      .digest(),
  );
}

export function prf(key: Uint8Array, label: string, x: Uint8Array = NONE): Uint8Array {
  return hmac(key, utf8(label.padEnd(8, '\0')), x);
}

export function gcm(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(ad);
  return concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

/** Throws on a wrong tag. */
export function ungcm(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array {
  const cut = sealed.length - 16;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(ad).setAuthTag(sealed.subarray(cut));
  return concat(decipher.update(sealed.subarray(0, cut)), decipher.final());
}

// ---- ECDH ----------------------------------------------------------------------------------------------

const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const x25519Private = kept((raw) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: 'der', type: 'pkcs8' }),
);
const x25519Public = kept((raw) => createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' }));

/** Key objects cost more to make than what is done with them. */
function kept<Key>(make: (raw: Uint8Array) => Key): (raw: Uint8Array) => Key {
  const keys = new Map<string, Key>();
  return (raw) => {
    const name = Buffer.from(raw).toString('latin1');
    const key = keys.get(name) ?? make(raw);
    if (keys.size > 100) keys.clear();
    keys.set(name, key);
    return key;
  };
}

function p256(secret: Uint8Array): ReturnType<typeof createECDH> {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(secret);
  return ecdh;
}

export function publicOf(suite: Suite, secret: Uint8Array): Uint8Array {
  if (suite === Suite.P256) return new Uint8Array(p256(secret).getPublicKey());
  const spki = createPublicKey(x25519Private(secret)).export({ format: 'der', type: 'spki' });
  return new Uint8Array(spki.subarray(SPKI.length));
}

export function agree(suite: Suite, secret: Uint8Array, peer: Uint8Array): Uint8Array {
  if (suite === Suite.P256) return new Uint8Array(p256(secret).computeSecret(peer));
  return new Uint8Array(diffieHellman({ privateKey: x25519Private(secret), publicKey: x25519Public(peer) }));
}

// ---- Pairing, SPEC 4 and 5 -----------------------------------------------------------------------------

export interface Identity {
  mode: Mode;
  suite: Suite;
  id: Uint8Array;
  gatewayId: Uint8Array;
}

export function ident({ mode, suite, id, gatewayId }: Identity): Uint8Array {
  return concat(utf8('hawser1'), u8(suite), u8(mode), u8(1), sized(id), sized(gatewayId));
}

export function gateKey(
  direction: 1 | 2,
  ss: Uint8Array,
  psk: Uint8Array | undefined,
  { id, gatewayId }: Identity,
): Uint8Array {
  const bound = concat(u8(direction), u8(psk ? 1 : 0), psk ?? NONE, sized(id), sized(gatewayId));
  return prf(hmac(utf8('hawser gate'), ss), 'gate', sha256(bound));
}

export const gateMac = (gate: Uint8Array, message: Uint8Array): Uint8Array =>
  prf(gate, 'mac', sha256(message)).slice(0, 8);

/** Type byte of message 1 of a full handshake, SPEC 3.2. */
export const fullType = ({ mode, suite }: Identity): number => 0x11 + 2 * (mode - 1) + (suite - 1);

// ---- Noise ---------------------------------------------------------------------------------------------

export interface NoiseKeys {
  own?: Uint8Array;
  peer?: Uint8Array;
  psk?: Uint8Array;
  ephemeral: Uint8Array;
  /** A public key that is sent in place of the ephemeral's own, and what is then taken for each agreement. */
  ephemeralPublic?: Uint8Array;
  shared?: Uint8Array;
}

/** One end of KK, KKpsk0 or NNpsk0: two messages. */
export class Noise {
  ck: Uint8Array;
  h: Uint8Array;
  private k: Uint8Array = new Uint8Array(32);
  private remote: Uint8Array = NONE;
  private readonly suite: Suite;
  private readonly mode: Mode;

  constructor(
    identity: Identity,
    private readonly keys: NoiseKeys,
    private readonly initiator: boolean,
    prologue: Uint8Array,
    private readonly log: Log = silent,
  ) {
    this.suite = identity.suite;
    this.mode = identity.mode;
    const pattern = ['KK', 'KKpsk0', 'NNpsk0'][identity.mode - 1] ?? '';
    const name = utf8(`Noise_${pattern}_${identity.suite === Suite.P256 ? 'P256' : '25519'}_AESGCM_SHA256`);
    this.h = concat(name, new Uint8Array(32 - name.length));
    this.ck = this.h;
    log('prologue', prologue);
    this.mixHash(prologue);
    if (keys.own !== undefined && keys.peer !== undefined) {
      const own = publicOf(this.suite, keys.own);
      this.mixHash(initiator ? own : keys.peer);
      this.mixHash(initiator ? keys.peer : own);
    }
    log('h before message 1', this.h);
  }

  private mixHash(data: Uint8Array): void {
    this.h = sha256(this.h, data);
  }

  private hkdf(input: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
    const prk = hmac(this.ck, input);
    const one = hmac(prk, u8(1));
    const two = hmac(prk, one, u8(2));
    return [one, two, hmac(prk, two, u8(3))];
  }

  private mixKey(name: string, input: Uint8Array): void {
    [this.ck, this.k] = this.hkdf(input);
    this.log(`${name}: ck`, this.ck);
    this.log(`${name}: k`, this.k);
  }

  private mixPsk(): void {
    const [ck, hash, k] = this.hkdf(this.keys.psk ?? NONE);
    this.ck = ck;
    this.mixHash(hash);
    this.k = k;
    this.log('psk: ck', ck);
    this.log('psk: h', this.h);
  }

  private mixE(publicKey: Uint8Array): void {
    this.mixHash(publicKey);
    if (this.keys.psk !== undefined) this.mixKey('e (psk pattern)', publicKey);
  }

  private mixDh(token: 'es' | 'ss' | 'ee' | 'se'): void {
    const mine = token[this.initiator ? 0 : 1] === 'e' ? this.keys.ephemeral : (this.keys.own ?? NONE);
    const theirs = token[this.initiator ? 1 : 0] === 'e' ? this.remote : (this.keys.peer ?? NONE);
    const shared = this.keys.shared ?? agree(this.suite, mine, theirs);
    this.log(`${token}: shared secret`, shared);
    this.mixKey(token, shared);
  }

  /** The tokens of message 1 or 2 around this public key. */
  private tokens(number: 1 | 2, publicKey: Uint8Array): void {
    if (number === 1 && this.keys.psk !== undefined) this.mixPsk();
    this.mixE(publicKey);
    const keyed = this.mode !== Mode.Psk;
    if (number === 1) for (const token of keyed ? (['es', 'ss'] as const) : []) this.mixDh(token);
    else for (const token of keyed ? (['ee', 'se'] as const) : (['ee'] as const)) this.mixDh(token);
  }

  write(number: 1 | 2, payload: Uint8Array): Uint8Array {
    const publicKey = this.keys.ephemeralPublic ?? publicOf(this.suite, this.keys.ephemeral);
    this.log('e, public', publicKey);
    this.tokens(number, publicKey);
    const sealed = gcm(this.k, ZERO12, this.h, payload);
    this.mixHash(sealed);
    this.log('sealed payload', sealed);
    return concat(publicKey, sealed);
  }

  /** Throws on a wrong tag. */
  read(number: 1 | 2, message: Uint8Array): Uint8Array {
    const length = this.suite === Suite.P256 ? 65 : 32;
    this.remote = message.slice(0, length);
    this.tokens(number, this.remote);
    const payload = ungcm(this.k, ZERO12, this.h, message.slice(length));
    this.mixHash(message.slice(length));
    return payload;
  }

  /** SPEC 6: after message 2. */
  finish(): { d2g: Uint8Array; g2d: Uint8Array; b0: Uint8Array; name: Uint8Array } {
    const [d2g, g2d, x] = this.hkdf(NONE);
    const e = prf(x, 'export', this.h);
    const out = { d2g, g2d, b0: prf(e, 'chain'), name: prf(e, 'name').slice(0, 8) };
    this.log('h after message 2', this.h);
    this.log('k_d2g', d2g);
    this.log('k_g2d', g2d);
    this.log('X', x);
    this.log('E', e);
    this.log('B_0', out.b0);
    this.log('chain', chainId(out.b0));
    this.log('name', out.name);
    return out;
  }
}

/** message 1 of SPEC 6, without its length field. */
export function full1(identity: Identity, noise: Noise, gate: Uint8Array | undefined): Uint8Array {
  const body = concat(u8(fullType(identity)), identity.id, noise.write(1, NONE));
  return gate === undefined ? body : concat(body, gateMac(gate, body));
}

// ---- Resumption, SPEC 7 --------------------------------------------------------------------------------

export const chainId = (b0: Uint8Array): Uint8Array => prf(b0, 'chainid').slice(0, 8);

/** B_b, R_{b,i} and T_{b,i} of a chain. */
export function position(
  b0: Uint8Array,
  b: number,
  i: number,
  log: Log = silent,
): { block: Uint8Array; r: Uint8Array; ticket: Uint8Array } {
  let block = b0;
  for (let at = 0; at < b; at++) log(`B_${at + 1}`, (block = prf(block, 'block')));
  let r = prf(block, 'first');
  log(`R_{${b},0}`, r);
  for (let at = 0; at < i; at++) log(`R_{${b},${at + 1}}`, (r = prf(r, 'next')));
  const ticket = prf(r, 'ticket').slice(0, 8);
  log(`T_{${b},${i}}`, ticket);
  return { block, r, ticket };
}

export interface Message1 {
  h0: Uint8Array;
  r: Uint8Array;
  ticket: Uint8Array;
  rnd: Uint8Array;
  pay1: Uint8Array;
}

/** m1 and h1. */
export function resume1({ h0, r, ticket, rnd, pay1 }: Message1, log: Log = silent): { m1: Uint8Array; h1: Uint8Array } {
  const hdr1 = concat(u8(0x18), ticket);
  const nd = prf(r, 'nonce', sha256(h0, hdr1, rnd, pay1)).slice(0, 12);
  const k1 = prf(r, 'm1', sha256(h0, hdr1, nd));
  const m1 = concat(hdr1, nd, gcm(k1, ZERO12, concat(hdr1, nd), pay1));
  const h1 = sha256(h0, m1);
  for (const [name, value] of Object.entries({ hdr1, pay1, n_d: nd, K1: k1, m1, h1 })) log(name, value);
  return { m1, h1 };
}

/** m2 and what follows from it. */
export function resume2(
  r: Uint8Array,
  h1: Uint8Array,
  transport: number,
  ng: Uint8Array,
  pay2: Uint8Array,
  log: Log = silent,
): { m2: Uint8Array; d2g: Uint8Array; g2d: Uint8Array; name: Uint8Array } {
  const x = u8(transport);
  const hdr2 = concat(u8(0x1a), ng);
  const k2 = prf(r, 'm2', sha256(h1, x, hdr2));
  const m2 = concat(hdr2, gcm(k2, ZERO12, hdr2, pay2));
  const h2 = sha256(h1, x, m2);
  const keys = { d2g: prf(r, 'd2g', h2), g2d: prf(r, 'g2d', h2), name: prf(r, 'name', h2).slice(0, 8) };
  for (const [name, value] of Object.entries({
    hdr2,
    pay2,
    K2: k2,
    m2,
    h2,
    k_d2g: keys.d2g,
    k_g2d: keys.g2d,
    name: keys.name,
  }))
    log(name, value);
  return { m2, ...keys };
}

export const h0 = (identity: Identity, chain: Uint8Array, b: number, i: number): Uint8Array =>
  sha256(ident(identity), chain, uint(b, 4), uint(i, 4));

// ---- Records, SPEC 3.6 ---------------------------------------------------------------------------------

/** k_j of SPEC 3.6. */
export function recordKey(key: Uint8Array, j: number): Uint8Array {
  const nonce = concat(new Uint8Array(4), new Uint8Array(8).fill(255));
  return j === 0 ? key : recordKey(gcm(key, nonce, NONE, new Uint8Array(32)).slice(0, 32), j - 1);
}

/** Record c with its header, under its direction's first key. */
export function record(key: Uint8Array, c: number, plain: Uint8Array): Uint8Array {
  const header = uint(0x4000 | plain.length, 2);
  return concat(
    header,
    gcm(recordKey(key, Math.floor(c / 2 ** 20)), concat(new Uint8Array(4), uint(c, 8)), header, plain),
  );
}

/** Throws on a wrong tag. */
export function unrecord(key: Uint8Array, c: number, bytes: Uint8Array): Uint8Array {
  return ungcm(
    recordKey(key, Math.floor(c / 2 ** 20)),
    concat(new Uint8Array(4), uint(c, 8)),
    bytes.slice(0, 2),
    bytes.slice(2),
  );
}

/** A handshake message as a stream transport carries it. */
export const framed = (message: Uint8Array): Uint8Array => concat(uint(message.length, 2), message);
