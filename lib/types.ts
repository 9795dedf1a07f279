/**
 * What the pieces above the engine share: what a pairing is at either end, what a store keeps, options and events.
 * Shapes only; each is made and checked where its comment says.
 */

import type { Duplex } from 'node:stream';

import type { Chain, Engine, Kind, Mode, Suite, Verdict } from './engine.js';
import type { HawserError } from './errors.js';

/** A gateway address. `host` may be a name: every address that it resolves to is tried. */
export interface Address {
  host: string;
  port: number;
}

/** How messages and records are told apart in a byte pipe: SPEC 3.3 and 3.4. */
export type Framing = 'stream' | 'serial';

export interface KeyPair {
  /** 32 bytes. */
  secret: Uint8Array;
  /** 32 bytes (25519) or 65 (P-256). */
  public: Uint8Array;
}

/** The fields of SPEC 4 that both ends hold. */
export interface PairingTerms {
  mode: Mode;
  suite: Suite;
  /** Device id, 4..32 bytes. */
  id: Uint8Array;
  /** Largest record plaintext that the device accepts, 64..16383 bytes. */
  recordMax: number;
  /** Receive windows of a stream, 64..2^30 bytes. */
  windowDevice: number;
  windowGateway: number;
  maxSteps: number;
  maxBlocks: number;
}

/** The device's half of a pairing: what `hawser pair` hands over out of band. */
export interface DevicePairing extends PairingTerms {
  /** 4..32 bytes. */
  gatewayId: Uint8Array;
  /** Modes with keys: the device's static private key, 32 bytes. */
  privateKey?: Uint8Array;
  /** Modes with keys: 32 or 65 bytes. */
  gatewayPublicKey?: Uint8Array;
  /** Modes with keys: precomputed at pairing, 32 bytes each. */
  ss?: Uint8Array;
  gateD2g?: Uint8Array;
  gateG2d?: Uint8Array;
  /** Modes with a PSK: 32 bytes. */
  psk?: Uint8Array;
  /** Mode `ticket`: B_0, 32 bytes. */
  ticket?: Uint8Array;
  /** Where the gateway listens; may be empty when connect() is told. */
  addresses: Address[];
  /** For the owner's eyes: what the gateway will allow. Not enforced here. */
  upstreams?: string[];
  /** Milliseconds since 1970. */
  notBefore?: number;
  expiry?: number;
}

export interface DeviceLimits {
  /** Streams at once, 1..128. */
  streams: number;
}

/** The gateway's record of one pairing. It changes only by the operator's hand. */
export interface DeviceRecord extends PairingTerms {
  /** Names this pairing, not the device: a device that is paired again gets a new one. 16 random bytes, hex. */
  serial: string;
  /** For people; may be empty. */
  name: string;
  /** Modes with keys: the device's static public key, 32 or 65 bytes. */
  publicKey?: Uint8Array;
  ss?: Uint8Array;
  gateD2g?: Uint8Array;
  gateG2d?: Uint8Array;
  psk?: Uint8Array;
  /** Names of the upstreams this device may open. */
  upstreams: string[];
  /** Milliseconds since 1970. */
  created: number;
  notBefore?: number;
  expiry?: number;
  /** When it was revoked. For good: pair again instead. */
  revoked?: number;
  limits: DeviceLimits;
}

/** What a pairing tool hands to `Store.add`. */
export interface GatewayPairing {
  record: DeviceRecord;
  /** Mode `ticket`: `engine.chainStart(B_0)` and the tickets of its first positions. B_0 itself is never stored. */
  chain?: Chain;
  tickets?: Uint8Array[];
}

/** Who the gateway is. Kept outside of the store. */
export interface GatewayIdentity {
  /** 4..32 bytes. */
  id: Uint8Array;
  x25519: KeyPair;
  p256: KeyPair;
  /** 32 bytes; seals the records of the store. */
  sealingKey: Uint8Array;
}

// ---- Store -----------------------------------------------------------------------------------------------

/** SPEC 7.5: what became of early data at the present position. `h` is the SHA-256 of its message 1. */
export type EarlyState = { kind: 'none' } | { kind: 'void' } | { kind: 'refused' | 'taken'; h: Uint8Array };

/** SPEC 7.5: the part of a device's record that handshakes change. */
export interface ChainState {
  /** Absent until the first full handshake. p = (chain.b, chain.i). */
  chain?: Chain;
  /** J: how many blocks ahead are indexed. */
  ahead: number;
  early: EarlyState;
  /** The store's incarnation under which `early` can be vouched for; empty: none. */
  incarnation: string;
  /** The node that holds the device's session. */
  owner: string;
}

export interface StoreEntry {
  record: DeviceRecord;
  state: ChainState;
  /** Of `state`; compareAndSet() names it. */
  version: number;
}

/**
 * Where a gateway keeps its pairings and chains. All methods may reject with ERR_HAWSER_STORAGE; a gateway answers
 * nothing then.
 */
export interface Store {
  /** False (asynchronous failover): early data is off (SPEC 7.5 rule 3). */
  readonly linearizable: boolean;
  /** Names the store's unbroken history; a store that may have lost a durable write takes a new one. */
  readonly incarnation: string;

  get(id: Uint8Array): Promise<StoreEntry | undefined>;
  /** All devices that may have meant this ticket: it is a hint. */
  byTicket(ticket: Uint8Array): Promise<StoreEntry[]>;
  list(): AsyncIterable<StoreEntry>;

  /**
   * A new pairing. ERR_HAWSER_CONFIG: the id is taken (unless `replace`), the serial was used before, or a PSK, public
   * key or B_0 belongs to another pairing.
   */
  add(pairing: GatewayPairing, options?: { replace?: boolean }): Promise<void>;
  /** Changes name, upstreams, validity or limits. False: no such device. */
  update(
    id: Uint8Array,
    change: Partial<Pick<DeviceRecord, 'name' | 'upstreams' | 'notBefore' | 'expiry' | 'limits'>>,
  ): Promise<boolean>;
  /** For good, and also in backups that are restored later. False: no such device. */
  revoke(id: Uint8Array): Promise<boolean>;
  /** As revoke(), and the record is gone. */
  remove(id: Uint8Array): Promise<boolean>;

  /**
   * Replaces the state and its tickets in one step if its version still is `version`. `durable`: resolves only when a
   * power cut cannot undo it. False: somebody else was faster, or the device is gone. What a store was given, and what it
   * gave, is never changed in place.
   */
  compareAndSet(
    id: Uint8Array,
    version: number,
    state: ChainState,
    tickets: readonly Uint8Array[],
    durable: boolean,
  ): Promise<boolean>;

  /** Grows with every add, update, revoke and remove by any process: live sessions are checked again when it moved. */
  revision(): Promise<number>;

  /**
   * The operator's step after a backup was put back: a new incarnation, so that no early data is vouched for that the backup does
   * not know of, and `ahead` blocks indexed for devices of mode `ticket`, which have nothing else to fall back to.
   */
  restore(ahead: number, tickets: (state: ChainState) => Uint8Array[]): Promise<void>;
  close(): Promise<void>;
}

// ---- Gateway ---------------------------------------------------------------------------------------------

/**
 * Serves one stream of a device. A stream that fails or is given up emits 'error' and 'close'; so it does when this, or a listener of the
 * stream, throws or rejects. That ends the stream and nothing else, and is told as 'debug'.
 */
export type UpstreamHandler = (
  stream: Duplex,
  from: { device: Uint8Array; name: string },
) => void | PromiseLike<unknown>;

export interface GatewayOptions {
  store: Store;
  identity: GatewayIdentity;
  /** Name to `tcp://host:port`, `unix:/path`, `udp://host:port` (messages), or a function of this process. */
  upstreams: Record<string, string | UpstreamHandler>;
  engine?: Engine;
  /** Connections without a live session, in all. Default 1024. */
  maxHalfOpen?: number;
  /** The same, of one IPv4 address or IPv6 network of 64 bits. Default 256. */
  maxHalfOpenPerAddress?: number;
  /** Milliseconds until a connection must have become live. Default 10 000. */
  handshakeTimeout?: number;
  /** Milliseconds that streams outlive their last link. Default 600 000. */
  linger?: number;
  /** Milliseconds to reach an upstream. Default 10 000. */
  connectTimeout?: number;
  /** Milliseconds between looks at expiry and revocation. Default 1000. */
  policyInterval?: number;
  /** Says no to early data that the rules would allow: NOT TAKEN. Default: none. */
  refuseEarly?: (record: DeviceRecord) => boolean;
  /** Emit 'keylog'. Default false. */
  keylog?: boolean;
  /** This node's name in the store. Default: random. */
  node?: string;
}

export interface ListenOptions {
  port?: number;
  host?: string;
  /** Path of a Unix socket, instead of a port. */
  path?: string;
  framing?: Framing;
}

/** One handshake that led to a live session, as both ends report it. Bytes include length fields. */
export interface HandshakeReport {
  kind: 'full' | 'resumption';
  sent: number;
  received: number;
  roundTrips: number;
  /** ECDH operations at this end. */
  ecdh: number;
  /** Device: message 1 sent to session live; gateway: message 1 read to message 2 written. Milliseconds. */
  ms: number;
  early: Verdict;
  continued: boolean;
}

export interface DropReport {
  /** A key of the counters. */
  reason: string;
  remote?: string | undefined;
  device?: Uint8Array | undefined;
  error?: HawserError | undefined;
}

export interface RefusedReport {
  device: Uint8Array;
  upstream: string;
  /** 'not allowed', 'unknown upstream', 'limit' ... */
  reason: string;
  /** Refusals of this device since the last one that was told: beyond a thousand in ten seconds they are only counted. */
  untold: number;
}

export interface SessionReport {
  device: Uint8Array;
  name: string;
  remote?: string | undefined;
}

export interface GatewayEvents {
  listening: [address: unknown];
  /** A device's session is live for the first time. */
  session: [SessionReport];
  /** A further link of it. */
  resume: [SessionReport & { continued: boolean }];
  /** Its link is gone; streams wait. */
  pause: [SessionReport];
  /** It is over. */
  close: [SessionReport];
  /**
   * A full handshake came from `by`, knew nothing of the session that was live, and took its place. Either the device lost flash and RAM in one, or
   * there are two of it: somebody should see to it. Nothing is locked.
   */
  chainReplaced: [SessionReport & { by?: string | undefined }];
  handshake: [HandshakeReport & SessionReport];
  refused: [RefusedReport];
  drop: [DropReport];
  debug: [message: string];
  keylog: [line: Buffer];
  /** The gateway's own trouble: the store, a listener. Devices never cause it. */
  error: [Error];
}

// ---- Device ----------------------------------------------------------------------------------------------

/**
 * Non-volatile memory of a device: two slots of 64 bytes and one blob of at most 256. A method that resolves has done it:
 * a power cut cannot undo it.
 */
export interface DeviceStorage {
  /** Undefined: empty, wiped or unreadable. */
  readSlot(slot: 0 | 1): Promise<Uint8Array | undefined>;
  writeSlot(slot: 0 | 1, image: Uint8Array): Promise<void>;
  /** Leaves nothing that could be read back. */
  wipeSlot(slot: 0 | 1): Promise<void>;
  /** What people call a slot, such as its path. Default: `slot 0`, `slot 1`. */
  slotName?(slot: 0 | 1): string;
  /** A saved state, once: it counts as used as soon as this resolves. Where it rejects, nothing is used and nothing destroyed. */
  takeState(): Promise<SavedState | undefined>;
  writeState(state: SavedState): Promise<void>;
}
export interface SavedState {
  /** `DeviceCore.save('flash')`. */
  blob: Uint8Array;
  /** Upstream names of the streams in it. */
  names: [stream: number, name: string][];
}

export interface ConnectOptions {
  pairing: DevicePairing;
  /** Without it the device forgets its chain with the process; `ticket` needs one. */
  storage?: DeviceStorage;
  /** Instead of the pairing's addresses. */
  host?: string;
  port?: number;
  addresses?: Address[];
  framing?: Framing;
  /** Instead of an address: the byte pipe itself (a serial port), opened anew for each try. */
  pipe?: () => Duplex | Promise<Duplex>;
  /** Ends the session, connected or not. */
  signal?: AbortSignal;
  engine?: Engine;
  /** Resolve before the first link is up, so that the first open() may ride in message 1. */
  lazy?: boolean;
  /** Streams at once, 1..128. Default 16. */
  streams?: number;
  keylog?: boolean;
  /** Milliseconds for a TCP connection. Default 10 000. */
  connectTimeout?: number;
  /** Bounds of the pause between attempts, milliseconds. Defaults 250 and 60 000. */
  backoff?: { min?: number; max?: number };
}

export interface OpenOptions {
  /** First bytes of the stream, to ride in message 1 if one is about to be sent. */
  early?: Uint8Array;
  /** The library may send `early` again by itself when the verdict is UNKNOWN. */
  idempotent?: boolean;
  signal?: AbortSignal;
}

export interface SessionEvents {
  /** The first link is up. */
  session: [];
  resume: [{ continued: boolean }];
  pause: [reason: HawserError | undefined];
  handshake: [HandshakeReport];
  verdict: [{ stream: number; verdict: Verdict }];
  keylog: [line: Buffer];
  drop: [DropReport];
  debug: [message: string];
  /** The session goes on trying, but somebody should see to it: a slot that cannot be read, say. Told once connect() has resolved; a process warning where nobody listens. */
  warning: [message: string];
  /** Before 'close', if something other than close() or the signal ended it; and for storage that fails (the session goes on trying). */
  error: [Error];
  close: [];
}

export type { Kind };
