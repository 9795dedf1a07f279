/** The addon as it is (binding/*.cc): its calls, and how its numbers become errors. */

import { HawserError, coreError } from '../../errors.js';
import { loadFile } from './load.js';

export type Port = 'openssl' | 'mbedtls';

/** 0 or more: the result. Negative: an error of the core (-1 .. -12), or argument -100 - n was wrong. */
export type Result = number;
type Bytes = Uint8Array;

export interface RawSecret {
  init(bytes: Bytes): Result;
  release(): void;
}

/** The fields of CorePairing in the order that binding/pairing.cc reads them. */
export type RawPairing = readonly unknown[];
/** id, b, i, r, next. */
export type RawChain = readonly [Bytes, number, number, Bytes, Bytes];

export interface RawSession {
  live(): Result;
  name(out: Bytes): Result;
  /** Events in the scratch; header: bytes of chunk used, 1 if there is more to read, the error that ends it (negated). */
  receive(chunk: Bytes, from: number, now: number): Result;
  timeout(now: number): Result;
  /** Goes on after a full table of events. */
  more(): Result;
  send(out: Bytes, at: number, now: number): Result;
  /** Bytes of out; header: bytes of data taken, 1 if fin was taken. */
  write(stream: number, data: Bytes, fin: boolean, now: number, out: Bytes, at: number): Result;
  window(stream: number): Result;
  message(stream: number, data: Bytes, now: number, out: Bytes, at: number): Result;
  consume(stream: number, bytes: number): Result;
  reset(stream: number, code: number): Result;
  ping(now: number): Result;
  close(code: number): Result;
  /** Milliseconds, or Infinity. */
  deadline(): Result;
  linkDown(): Result;
  /** d2g || g2d, 64 bytes. 0: no key log. */
  keys(out: Bytes): Result;
  digest(out: Bytes): Result;
  wipe(): void;
}

export interface RawDevice extends RawSession {
  init(streams: number, keylog: boolean, ...pairing: RawPairing): Result;
  /** 0: nothing to wipe; else 1 + slot. */
  boot(slot0: Bytes | undefined, slot1: Bytes | undefined): Result;
  /** Bit 0: early data rides along; bit 1: resumption. */
  connect(
    transport: number,
    now: number,
    stream: number,
    data: Bytes | undefined,
    fin: boolean,
    idempotent: boolean,
  ): Result;
  disconnected(now: number): Result;
  stored(ok: boolean): Result;
  open(name: string, kind: number): Result;
  save(kind: number, out: Bytes): Result;
  restore(blob: Bytes): Result;
  nameStream(stream: number, name: string): Result;
  /** 0: none yet; 1: header holds kind, sent, received, ecdh, verdict. */
  handshake(): Result;
}

export interface RawGateway extends RawSession {
  init(streams: number, keylog: boolean, ...pairing: RawPairing): Result;
  early(accept: RawAccept): Result;
  attach(accept: RawAccept, continued: boolean, now: number): Result;
}

export interface RawAccept {
  init(transport: number): Result;
  /** Kind of event (AcceptKind); header: used, length in spill, and per kind mode, suite, or the error (negated). */
  receive(chunk: Bytes, now: number): Result;
  /** 1: go on; 0: silence. */
  offerId(...pairing: RawPairing): Result;
  /** Length of message 2 in out; 0: silence. */
  answerFull(connectionId: Bytes, out: Bytes): Result;
  /** 1: header holds b, i, early. 0: not this device. */
  offerTicket(...chainAheadAndPairing: [...RawChain, number, ...RawPairing]): Result;
  answerTicket(verdict: number, continued: boolean, connectionId: Bytes, out: Bytes): Result;
  digest1(out: Bytes): Result;
  /** Copies this candidate into `fresh`; length of its message 2 in out. */
  clone(fresh: RawAccept, out: Bytes): Result;
  continues(out: Bytes): Result;
  name(out: Bytes): Result;
  /** 1: header holds b, i. 0: there is none. */
  chain(id: Bytes, r: Bytes, next: Bytes): Result;
  handshake(): Result;
  /** `keep`: its memory, wiped, for another init(). */
  wipe(keep?: boolean): void;
}

export interface Addon {
  readonly name: 'native-openssl' | 'native-mbedtls';
  /** binding/instance.h, Scratch. */
  readonly scratch: ArrayBuffer;
  readonly Secret: new () => RawSecret;
  readonly Device: new () => RawDevice;
  readonly Gateway: new () => RawGateway;
  readonly Accept: new () => RawAccept;
  generateKey(suite: number, secret: Bytes, publicKey: Bytes): Result;
  publicKey(suite: number, secret: Bytes, publicKey: Bytes): Result;
  agree(suite: number, secret: Bytes, peer: Bytes, out: Bytes): Result;
  gateKeys(ss: Bytes, psk: Bytes | undefined, id: Bytes, gatewayId: Bytes, out: Bytes): Result;
  random(out: Bytes): Result;
  /** Header: b, i. */
  chainStart(b0: Bytes, id: Bytes, r: Bytes, next: Bytes): Result;
  chainMove(...chainToAndOut: [...RawChain, number, number, Bytes, Bytes, Bytes]): Result;
  /** Count; a row of out has 16 bytes: b and i in the machine's byte order, the ticket. */
  chainTickets(...chainAheadAndOut: [...RawChain, number, Bytes]): Result;
  /** Memory of that length, of a pool; undefined: none is free, or it is longer than 262144. Whoever gets it writes over all of it. */
  lend(length: number): Buffer | undefined;
  /** Native objects of this thread that are not finalised. */
  liveObjects(): number;
}

const loaded = new Map<Port, Addon>();

/** Throws ERR_HAWSER_ENGINE with the loader's error as its cause. */
export function loadAddon(port: Port): Addon {
  const known = loaded.get(port);
  if (known !== undefined) return known;
  try {
    const addon = loadFile(port) as Addon;
    loaded.set(port, addon);
    return addon;
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new HawserError('ERR_HAWSER_ENGINE', `native-${port} does not load: ${reason}`, { cause });
  }
}

/** Passes a result on; throws what a negative one stands for. `names` are those of the method's arguments, in order. */
export function check(result: Result, method: string, names: readonly string[]): number {
  if (result >= 0) return result;
  throw failure(result, method, names);
}

export function failure(result: Result, method: string, names: readonly string[]): HawserError {
  if (result > -100) return coreError(result, `${method}: ${texts[-result - 1] ?? 'failed'}`);
  return badArgument(`${method}: ${names[-100 - result] ?? 'an argument'} has the wrong type or is out of range`);
}

export function badArgument(message: string): HawserError {
  return new HawserError('ERR_HAWSER_ARG', message);
}

/** By csrc/include/hawser/error.h, from -1 down. */
const texts = [
  'the crypto provider failed, or a key is unusable',
  'the random source failed',
  'a tag, a MAC or a public key is not genuine',
  'malformed bytes',
  'not possible in this state',
  'an argument is out of range',
  'a buffer is too small',
  'too many of them',
  'a counter or a chain is at its end',
  'closed',
  'the peer broke a rule',
  'storage failed',
];
