/**
 * The engine contract: the sans-I/O core as TypeScript sees it. `engine/native.ts` (the C core through
 * Node-API) and `engine/js/*` (pure JS) implement it; one conformance suite drives every pair of them.
 *
 * No sockets, no clock, no storage: the caller moves bytes, passes `now` (milliseconds, monotonic), answers
 * look-ups and stores what an engine asks for. Methods throw `HawserError` with a stable `code`; unless a comment
 * says otherwise a call that throws has changed nothing.
 */

import type { HawserError } from './errors.js';

export const Mode = { Keys: 1, KeysPsk: 2, Psk: 3, Ticket: 4 } as const;
export type Mode = (typeof Mode)[keyof typeof Mode];
export const Suite = { None: 0, X25519: 1, P256: 2 } as const;
export type Suite = (typeof Suite)[keyof typeof Suite];
export const Transport = { Stream: 1, Datagram: 2, Serial: 3 } as const;
export type Transport = (typeof Transport)[keyof typeof Transport];
export const Verdict = { None: 0, Taken: 1, NotTaken: 2, Unknown: 3 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];
export const Kind = { Stream: 0, Messages: 1 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Codes of RESET and CLOSE frames, SPEC 9. */
export const Code = {
  Done: 0,
  NotAllowed: 1,
  Unreachable: 2,
  UpstreamReset: 3,
  Limit: 4,
  StateLost: 5,
  Violation: 6,
  Cancelled: 7,
  Timeout: 8,
  GoingAway: 9,
  Revoked: 10,
  EarlyUnknown: 11,
} as const;
export type Code = (typeof Code)[keyof typeof Code];

/** A long-term secret held by an engine; the bytes do not come back out. Made by `Engine.importSecret`. */
export interface Secret {
  readonly secret: unique symbol;
}

/** SPEC 4. `own` is this end's static private key, `peer` the other end's static public key. */
export interface CorePairing {
  mode: Mode;
  suite: Suite;
  id: Uint8Array;
  gatewayId: Uint8Array;
  recordMax: number;
  windowDevice: number;
  windowGateway: number;
  maxSteps: number;
  maxBlocks: number;
  own?: Secret;
  ownPublic?: Uint8Array;
  peer?: Uint8Array;
  psk?: Secret;
  ticket?: Secret;
  ss?: Uint8Array;
  gateD2g?: Uint8Array;
  gateG2d?: Uint8Array;
}

/** The store's half of a resumption chain, SPEC 7.5: p = (b, i), R_p and B_{b+1}. */
export interface Chain {
  id: Uint8Array; // 8
  b: number;
  i: number;
  r: Uint8Array; // 32
  next: Uint8Array; // 32
}
export interface Position {
  b: number;
  i: number;
}
export interface IndexedTicket extends Position {
  ticket: Uint8Array;
}

export type CoreEvent =
  | { type: 'store'; slot: Uint8Array } // device: 64 bytes: write, read back, wipe the old slot, then stored()
  | { type: 'live'; continued: boolean }
  | { type: 'verdict'; stream: number; verdict: Verdict }
  | { type: 'open'; stream: number; kind: Kind; name: string } // gateway
  | { type: 'opened'; stream: number } // device: the upstream is connected
  | { type: 'data'; stream: number; data: Uint8Array } // a view: valid until the chunk is reused by its owner; of one record or of several that follow each other
  | { type: 'fin'; stream: number }
  | { type: 'acked'; stream: number; offset: number } // as in SPEC 9: FIN counts one behind the last byte; so does rewind's
  | { type: 'rewind'; stream: number; offset: number } // write() goes on from here, higher or lower
  | { type: 'closed'; stream: number; code: Code } // the id is free
  | { type: 'message'; stream: number; data: Uint8Array }
  | { type: 'pong' }
  | { type: 'handshake'; message: Uint8Array } // gateway, serial: bytes for receive() of a new Accept, framed as they came
  | { type: 'close'; code: Code } // the peer ended the session for good
  | { type: 'dead' } // nothing was heard for too long: drop the link, connect again
  | { type: 'drop'; error: HawserError }; // bad bytes (ERR_HAWSER_AUTH, _FORMAT, _PEER): drop the link in silence

/** Stream state plus, while a link is up, record keys. Calls for a stream that is not open, or has ended, throw ERR_HAWSER_CLOSED. */
export interface SessionCore {
  readonly live: boolean;
  /** 8 bytes, SPEC 9; zero before the first confirmed session. */
  readonly name: Uint8Array;
  /**
   * Takes the whole chunk, many records at a time, and decrypts in place where it can. Never throws for what came from the
   * network: a 'drop' event comes last, after the events of the good records before it; then call linkDown() (a device:
   * disconnected()). On a serial link bad frames are skipped instead, except that a device drops on a record that fails.
   * Bytes without a link are ERR_HAWSER_STATE.
   */
  receive(chunk: Uint8Array, now: number): CoreEvent[];
  /** All control bytes that are due, or undefined. */
  send(now: number): Uint8Array | undefined;
  /**
   * Turns stream bytes into records, as far as the window allows. `out` also carries control bytes that must go first.
   * fin applies when all of data was taken.
   */
  write(
    stream: number,
    data: Uint8Array,
    fin: boolean,
    now: number,
  ): { taken: number; finTaken: boolean; out?: Uint8Array };
  /** Optional: what send(), write() or message() gave has been written out, and its memory may be used again. Once each, after that not a byte of it. */
  release?(out: Uint8Array): void;
  /** Optional: memory that costs no garbage collection, for what an application is given; undefined: there is none. All of it must be written over. */
  memory?(length: number): Uint8Array | undefined;
  /** Bytes that write() would take now. */
  window(stream: number): number;
  message(stream: number, data: Uint8Array, now: number): Uint8Array | undefined;
  /** Also the gateway's word that an upstream is connected: consume(stream, 0). */
  consume(stream: number, bytes: number): void;
  reset(stream: number, code: Code): void;
  ping(now: number): void;
  close(code: Code): void;
  /** Milliseconds on the caller's clock, or Infinity. Not above now while events wait that no receive() returned (after stored()). */
  deadline(): number;
  timeout(now: number): CoreEvent[];
  /** Wipes the keys, keeps the streams. */
  linkDown(): void;
  /** For `keylog`: undefined unless the engine was created with keylog. */
  keys(): { d2g: Uint8Array; g2d: Uint8Array } | undefined;
  /** For tests: every byte of state, keys included, hashed. Equal state, equal digest. */
  digest(): Uint8Array;
  /** Afterwards it is not live, and every other call but wipe() throws ERR_HAWSER_STATE. */
  wipe(): void;
}

/** `data` starts at the stream's acknowledged offset. */
export interface Early {
  stream: number;
  data: Uint8Array;
  fin: boolean;
  idempotent: boolean;
}
export type HandshakeKind = 'full' | 'resumption';
/** Exact figures of the last handshake; times are the caller's. */
export interface HandshakeInfo {
  kind: HandshakeKind;
  sent: number;
  received: number;
  ecdh: number;
  early: Verdict;
}

export interface DeviceCore extends SessionCore {
  /** Once. Both flash slots (undefined: unreadable). Says which slot must be wiped before going on. */
  boot(slot0?: Uint8Array, slot1?: Uint8Array): { wipe?: 0 | 1 };
  /**
   * A link is up, and the one before it was disconnected(): message 1, chosen by the ladder, comes out of send(). Says whether
   * the early data given here rides along: not for a stream that is not open, has bytes in flight or in doubt or was ended, not
   * where it does not fit message 1 or the window, nor where an older message 1 is repeated (what rode in that one still does).
   */
  connect(transport: Transport, now: number, early?: Early): { early: boolean; kind: HandshakeKind };
  disconnected(now: number): void;
  /** Where the link was lost meanwhile it does nothing: the position was kept. */
  stored(ok: boolean): void;
  open(name: string, kind: Kind): number;
  /** Only without a link, and not while a FIN of this end is unacknowledged: ERR_HAWSER_STATE. SPEC 7.4 */
  save(kind: 'flash' | 'retained'): Uint8Array;
  /** Wipes a 'retained' blob, and any that it refuses. `names` gives the upstream of each stream id. */
  restore(blob: Uint8Array, names: ReadonlyMap<number, string>): void;
  readonly handshake: HandshakeInfo | undefined;
}

/** The gateway's end of one link until its first valid record. */
export interface AcceptCore {
  /**
   * Collects bytes up to the end of the message it waits for. The rest belongs to the session: feed `used` onwards there.
   *  - 'id', 'ticket': look it up, then offerId() or offerTicket()
   *  - 'confirm': the first record is valid: confirm in the store, then GatewayCore.attach()
   *  - 'drop': the link must be dropped in silence
   */
  receive(chunk: Uint8Array, now: number): { used: number; event?: AcceptEvent };
  /** Full handshake: checks everything that needs no ECDH. False: silence. */
  offerId(pairing: CorePairing): boolean;
  /** ECDH and the rest; message 2 (framed). Undefined: silence. */
  answerFull(connectionId: Uint8Array): Uint8Array | undefined;
  /** Resumption: tries one record; ahead is J. Undefined: not this device. */
  offerTicket(pairing: CorePairing, chain: Chain, ahead: number): Resumption | undefined;
  /** Message 2 (framed). */
  answerTicket(verdict: Verdict, continued: boolean, connectionId: Uint8Array): Uint8Array;
  /** SHA-256 of message 1: key of the answer cache, h of the store. */
  readonly digest1: Uint8Array;
  /** Another link presented the same message 1: the same candidate and answer. */
  clone(): { accept: AcceptCore; answer: Uint8Array };
  /** The session the device wants to continue (full: known at 'confirm'), 8 bytes. */
  readonly continues: Uint8Array;
  /** The name of the session if NEW: known once answered. */
  readonly name: Uint8Array;
  /** Full handshake: the new chain, known once answered. */
  readonly chain: Chain | undefined;
  readonly handshake: HandshakeInfo | undefined;
  wipe(): void;
}
export type AcceptEvent =
  | { type: 'id'; id: Uint8Array; mode: Mode; suite: Suite }
  | { type: 'ticket'; ticket: Uint8Array }
  | { type: 'confirm' }
  | { type: 'drop'; error: HawserError };
export interface Resumption extends Position {
  continues: Uint8Array;
  early: boolean;
}

/** The gateway's end of a session; it outlives links. */
export interface GatewayCore extends SessionCore {
  /** Feeds the early data of an answered, TAKEN candidate; returns its events. */
  early(accept: AcceptCore): CoreEvent[];
  /** Takes over the confirmed candidate's link. `continued` must be what was answered (resumption). */
  attach(accept: AcceptCore, continued: boolean, now: number): CoreEvent[];
}

export interface EngineOptions {
  keylog?: boolean;
}
export interface SessionOptions {
  streams?: number;
}

export interface Engine {
  readonly name: 'native-openssl' | 'native-mbedtls' | 'js';
  /** 32 bytes; throws ERR_HAWSER_ARG for another length or zero. The engine keeps a copy of its own. */
  importSecret(bytes: Uint8Array): Secret;
  releaseSecret(secret: Secret): void;
  generateKey(suite: Suite): { secret: Uint8Array; public: Uint8Array };
  publicKey(suite: Suite, secret: Uint8Array): Uint8Array;
  /** ECDH of both static keys. */
  agree(suite: Suite, secret: Uint8Array, peer: Uint8Array): Uint8Array;
  /** SPEC 4. */
  gateKeys(
    ss: Uint8Array,
    psk: Uint8Array | undefined,
    id: Uint8Array,
    gatewayId: Uint8Array,
  ): { d2g: Uint8Array; g2d: Uint8Array };
  random(length: number): Uint8Array;

  chainStart(b0: Uint8Array): Chain;
  /** Tickets of p, (b, i+1), (b+1, 0) .. (b+ahead, 0). */
  chainTickets(chain: Chain, ahead: number): IndexedTicket[];
  /** p moved forward to (b, i). Throws ERR_HAWSER_ARG backwards or further than one step within a block. */
  chainMove(chain: Chain, to: Position): Chain;

  device(pairing: CorePairing, options?: SessionOptions & EngineOptions): DeviceCore;
  accept(transport: Transport, options?: EngineOptions): AcceptCore;
  gateway(pairing: CorePairing, options?: SessionOptions & EngineOptions): GatewayCore;
}
