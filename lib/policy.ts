/** What a pairing allows. Pure: the gateway asks, counts and acts. */

import type { Reason } from './counters.js';
import { Code, Kind } from './engine.js';
import type { DeviceRecord } from './types.js';
import type { Upstream } from './upstream.js';

/** Why this pairing gets no answer at `now` (milliseconds since 1970), or undefined. */
export function barred(
  record: DeviceRecord,
  now: number,
): Extract<Reason, 'revoked' | 'notYetValid' | 'expired'> | undefined {
  if (record.revoked !== undefined) return 'revoked';
  if (record.notBefore !== undefined && now < record.notBefore) return 'notYetValid';
  if (record.expiry !== undefined && now >= record.expiry) return 'expired';
  return undefined;
}

export type Admission =
  { target: Upstream } | { code: Code; reason: Extract<Reason, 'notAllowed' | 'unknownUpstream'> };

/** May the device open this upstream? It is not told whether one exists that it may not open. */
export function admit(
  record: DeviceRecord,
  upstreams: ReadonlyMap<string, Upstream>,
  name: string,
  kind: Kind,
): Admission {
  if (!record.upstreams.includes(name)) return { code: Code.NotAllowed, reason: 'notAllowed' };
  const target = upstreams.get(name);
  const messages = target?.type === 'udp';
  if (target === undefined || messages !== (kind === Kind.Messages))
    return { code: Code.NotAllowed, reason: 'unknownUpstream' };
  return { target };
}
