/** What the parts of a gateway share. */

import type { Counters, Reason } from '../counters.js';
import type { Credentials } from '../credentials.js';
import type { Engine } from '../engine.js';
import type { HawserError } from '../errors.js';
import type { DeviceRecord, GatewayEvents, Store } from '../types.js';
import type { Upstream } from '../upstream.js';
import type { Candidates } from './candidates.js';
import type { Ends } from './ends.js';
import type { PassedTickets } from './passed-tickets.js';
import type { Refusals } from './refusals.js';
import type { DeviceSession } from './session.js';

export interface Settings {
  maxHalfOpen: number;
  maxHalfOpenPerAddress: number;
  handshakeTimeout: number;
  linger: number;
  connectTimeout: number;
  policyInterval: number;
  keylog: boolean;
  node: string;
  refuseEarly: (record: DeviceRecord) => boolean;
}

export interface Context {
  readonly engine: Engine;
  readonly store: Store;
  readonly settings: Settings;
  readonly counters: Counters;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly candidates: Candidates;
  readonly passed: PassedTickets;
  readonly ends: Ends;
  readonly refusals: Refusals;
  /** Confirmed sessions by device id (idKey). */
  readonly sessions: Map<string, DeviceSession>;
  /** No new streams: the gateway is going away. */
  readonly draining: boolean;
  credentials(record: DeviceRecord): Credentials;
  tell<K extends keyof GatewayEvents>(event: K, ...args: GatewayEvents[K]): void;
  /** Counts it and says so locally; the wire stays silent. */
  drop(
    reason: Reason,
    about: { remote?: string | undefined; device?: Uint8Array | undefined; error?: HawserError | undefined },
  ): void;
  threw(error: unknown): void;
}

export const idKey = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1');

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
