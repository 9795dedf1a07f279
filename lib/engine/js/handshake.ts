/**
 * The Noise patterns of SPEC 6 as token tables:
 *
 *   KK:      -> s  <- s  ...  -> e, es, ss        <- e, ee, se
 *   KKpsk0:  -> s  <- s  ...  -> psk, e, es, ss   <- e, ee, se
 *   NNpsk0:                   -> psk, e           <- e, ee
 *
 * and the messages of a full handshake around them: type, device id and gate mac.
 */

import { Mode, Suite } from '../../engine.js';
import { equal, wipe, type KeyPair, type Port } from './crypto.js';
import { SymmetricState } from './noise.js';
import type { Pairing } from './pairing.js';
import {
  ascii,
  concat,
  copy,
  EMPTY,
  fail,
  fullLength,
  fullType,
  hasPsk,
  hasStatics,
  ID_MAX,
  ID_MIN,
  MAC_LEN,
  publicLength,
  Type,
} from './wire.js';

type Token = 'e' | 'es' | 'se' | 'ee' | 'ss' | 'psk';
export type PatternName = 'KK' | 'KKpsk0' | 'NNpsk0';

const patterns: Record<PatternName, { statics: boolean; psk: boolean; messages: readonly (readonly Token[])[] }> = {
  KK: { statics: true, psk: false, messages: [['e', 'es', 'ss'], ['e', 'ee', 'se']] },
  KKpsk0: { statics: true, psk: true, messages: [['psk', 'e', 'es', 'ss'], ['e', 'ee', 'se']] },
  NNpsk0: { statics: false, psk: true, messages: [['psk', 'e'], ['e', 'ee']] },
}; // prettier-ignore

export interface NoiseOptions {
  pattern: PatternName;
  suite: Suite;
  initiator: boolean;
  prologue: Uint8Array;
  /** This end's static key pair and the other's public key, where the pattern has them. */
  own?: { secret: Uint8Array; public: Uint8Array };
  peer?: Uint8Array;
  psk?: Uint8Array;
  /** ECDH of both static keys; computed when it is not there. */
  ss?: Uint8Array;
  /** Test vectors alone: the ephemeral private key. */
  ephemeral?: Uint8Array;
}

/** One run of a pattern. Once a method has thrown the object can only be wiped. */
export class NoiseHandshake {
  readonly symmetric: SymmetricState;
  /** ECDH agreements done so far. */
  agreements = 0;
  #e: KeyPair | undefined;
  #re: Uint8Array | undefined;
  #step = 0;

  constructor(
    private readonly port: Port,
    private readonly options: NoiseOptions,
  ) {
    const { pattern, suite, initiator, own, peer } = options;
    const curve = suite === Suite.P256 ? 'P256' : '25519';
    this.symmetric = new SymmetricState(port, ascii(`Noise_${pattern}_${curve}_AESGCM_SHA256`));
    this.symmetric.mixHash(options.prologue);
    if (!patterns[pattern].statics) return;
    if (!own || !peer) throw fail('ARG', `${pattern}: both static keys are needed`);
    this.symmetric.mixHash(initiator ? own.public : peer);
    this.symmetric.mixHash(initiator ? peer : own.public);
  }

  /** The same state, so that a message can be tried and the attempt thrown away. */
  copy(): NoiseHandshake {
    const other = new NoiseHandshake(this.port, this.options);
    this.symmetric.copyTo(other.symmetric);
    other.#e = this.#e && { secret: copy(this.#e.secret), public: this.#e.public };
    other.#re = this.#re;
    other.#step = this.#step;
    other.agreements = this.agreements;
    return other;
  }

  writeMessage(payload: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const token of this.#next()) {
      if (token === 'e') parts.push(this.#writeE());
      else this.#mix(token);
    }
    parts.push(this.symmetric.encryptAndHash(payload));
    return concat(...parts);
  }

  /** The payload. Throws ERR_HAWSER_AUTH for a wrong tag or a bad point, ERR_HAWSER_FORMAT for a short message. */
  readMessage(message: Uint8Array): Uint8Array {
    let rest = message;
    for (const token of this.#next()) {
      if (token === 'e') rest = this.#readE(rest);
      else this.#mix(token);
    }
    return this.symmetric.decryptAndHash(rest);
  }

  #next(): readonly Token[] {
    const tokens = patterns[this.options.pattern].messages[this.#step++];
    if (!tokens) throw fail('STATE', 'the handshake is over');
    return tokens;
  }

  #writeE(): Uint8Array {
    const { suite, ephemeral } = this.options;
    this.#e = ephemeral
      ? { secret: copy(ephemeral), public: this.port.public(suite, ephemeral) }
      : this.port.keygen(suite);
    this.#mixE(this.#e.public);
    return this.#e.public;
  }

  #readE(message: Uint8Array): Uint8Array {
    const length = publicLength(this.options.suite);
    if (message.length < length) throw fail('FORMAT', 'handshake message: too short');
    this.#re = copy(message.subarray(0, length));
    this.#mixE(this.#re);
    return message.subarray(length);
  }

  /** Noise 9.2: with a PSK the ephemeral key is mixed in as a key as well. */
  #mixE(publicKey: Uint8Array): void {
    this.symmetric.mixHash(publicKey);
    if (patterns[this.options.pattern].psk) this.symmetric.mixKey(publicKey);
  }

  #mix(token: Exclude<Token, 'e'>): void {
    if (token === 'psk') return this.symmetric.mixKeyAndHash(this.#need(this.options.psk));
    const { initiator, own, peer, ss } = this.options;
    if (token === 'ss' && ss) return this.symmetric.mixKey(ss);
    // The first letter names the initiator's key, the second the responder's.
    const mine = token[initiator ? 0 : 1] === 'e' ? this.#e?.secret : own?.secret;
    const theirs = token[initiator ? 1 : 0] === 'e' ? this.#re : peer;
    this.agreements++;
    const shared = this.port.dh(this.options.suite, this.#need(mine), this.#need(theirs));
    this.symmetric.mixKey(shared);
    wipe(shared);
  }

  #need(key: Uint8Array | undefined): Uint8Array {
    if (!key) throw fail('STATE', 'the handshake lacks a key');
    return key;
  }

  parts(): (Uint8Array | number | undefined)[] {
    const { ck, h, cipher } = this.symmetric;
    return [ck, h, ...cipher.parts(), this.#e?.secret, this.#re, this.#step, this.agreements];
  }

  wipe(): void {
    wipe(this.#e?.secret);
    this.symmetric.wipe();
  }
}

// ---- Messages of SPEC 6 --------------------------------------------------------------------------------

export interface FullKeys {
  d2g: Uint8Array;
  g2d: Uint8Array;
  /** B_0 of the new chain. */
  b0: Uint8Array;
  /** Of the session, should it be NEW. */
  name: Uint8Array;
}

function patternOf(mode: Mode): PatternName {
  return mode === Mode.Keys ? 'KK' : mode === Mode.KeysPsk ? 'KKpsk0' : 'NNpsk0';
}

/** The Noise state of either end of a pairing. */
export function startFull(port: Port, pairing: Pairing, initiator: boolean): NoiseHandshake {
  const { mode, suite } = pairing;
  const options: NoiseOptions = {
    pattern: patternOf(mode),
    suite,
    initiator,
    prologue: concat(pairing.ident, Uint8Array.of(fullType(mode, suite))),
  };
  if (hasStatics(mode)) {
    options.own = { secret: port.borrow(pairing.own), public: pairing.ownPublic() };
    options.peer = pairing.peer;
    options.ss = pairing.ss;
  }
  if (hasPsk(mode)) options.psk = port.borrow(pairing.psk);
  return new NoiseHandshake(port, options);
}

function withMac(port: Port, pairing: Pairing, gate: Uint8Array, message: Uint8Array): Uint8Array {
  if (!hasStatics(pairing.mode)) return message;
  return concat(message, macOf(port, gate, message));
}

function macOf(port: Port, gate: Uint8Array, bytes: Uint8Array): Uint8Array {
  return port.prf(gate, 'mac', port.sha256(bytes)).subarray(0, MAC_LEN);
}

function macIsRight(port: Port, pairing: Pairing, gate: Uint8Array, message: Uint8Array): boolean {
  if (!hasStatics(pairing.mode)) return true;
  const at = message.length - MAC_LEN;
  return equal(macOf(port, gate, message.subarray(0, at)), message.subarray(at));
}

/** Without type and mac. */
function noisePart(pairing: Pairing, message: Uint8Array, from: number): Uint8Array {
  return message.subarray(from, hasStatics(pairing.mode) ? message.length - MAC_LEN : message.length);
}

/** message 1: type || id_device || noise message || mac */
export function writeFull1(port: Port, pairing: Pairing, noise: NoiseHandshake): Uint8Array {
  const head = concat(Uint8Array.of(fullType(pairing.mode, pairing.suite)), pairing.id);
  return withMac(port, pairing, pairing.gateD2g, concat(head, noise.writeMessage(EMPTY)));
}

/** The id inside a message 1 of this type, or undefined: the length is wrong. */
export function idOfFull1(message: Uint8Array, mode: Mode, suite: Suite): Uint8Array | undefined {
  const length = message.length - fullLength(mode, suite);
  return length < ID_MIN || length > ID_MAX ? undefined : copy(message.subarray(1, 1 + length));
}

/** Everything that needs no ECDH: in `keys` the mac, in `psk` the tag. Throws ERR_HAWSER_AUTH. */
export function checkFull1(port: Port, pairing: Pairing, message: Uint8Array): void {
  if (!macIsRight(port, pairing, pairing.gateD2g, message)) throw fail('AUTH', 'message 1: wrong mac');
  if (hasStatics(pairing.mode)) return;
  const noise = startFull(port, pairing, false);
  try {
    readFull1(pairing, noise, message);
  } finally {
    noise.wipe();
  }
}

/** Throws ERR_HAWSER_AUTH. */
export function readFull1(pairing: Pairing, noise: NoiseHandshake, message: Uint8Array): void {
  noise.readMessage(noisePart(pairing, message, 1 + pairing.id.length));
}

/** message 2: 0x17 || noise message || mac */
export function writeFull2(port: Port, pairing: Pairing, noise: NoiseHandshake, connectionId: Uint8Array): Uint8Array {
  const message = concat(Uint8Array.of(Type.Answer), noise.writeMessage(connectionId));
  return withMac(port, pairing, pairing.gateG2d, message);
}

/** Checks in the order of cost; throws ERR_HAWSER_FORMAT or ERR_HAWSER_AUTH. SPEC 3.2: there is no connection id. */
export function readFull2(port: Port, pairing: Pairing, noise: NoiseHandshake, message: Uint8Array): void {
  if (message.length !== fullLength(pairing.mode, pairing.suite) || message[0] !== Type.Answer)
    throw fail('FORMAT', 'message 2: wrong type or length');
  if (!macIsRight(port, pairing, pairing.gateG2d, message)) throw fail('AUTH', 'message 2: wrong mac');
  noise.readMessage(noisePart(pairing, message, 1));
}

/** Traffic keys, B_0 and name. Wipes the handshake. */
export function finishFull(port: Port, noise: NoiseHandshake): FullKeys {
  const { first, second, third } = noise.symmetric.split();
  const exported = port.prf(third, 'export', noise.symmetric.h);
  const keys = {
    d2g: first,
    g2d: second,
    b0: port.prf(exported, 'chain'),
    name: port.prf(exported, 'name').slice(0, 8),
  };
  wipe(third, exported);
  noise.wipe();
  return keys;
}
