/**
 * Names of upstreams: one lookup at a time for each, however many connections wait for it. The system answers lookups one after the other in
 * a few threads of the process and takes none back, so a device that opens and leaves streams without end would shut out all others.
 */

import dns from 'node:dns';
import type { LookupFunction } from 'node:net';

type Done = Parameters<LookupFunction>[2];

/** Who waits for a lookup that is under way. */
const pending = new Map<string, Set<Done>>();

export interface Lookup {
  /** For connect() of node:net. */
  lookup: LookupFunction;
  /** Its answer is not waited for any more. */
  leave: () => void;
}

/** Of one connection. */
export function sharedLookup(): Lookup {
  let leave = (): void => undefined;
  const lookup: LookupFunction = (host, options, done) => {
    const key = JSON.stringify([host, options]);
    const waiting = pending.get(key) ?? start(key, host, options);
    waiting.add(done);
    leave = () => void waiting.delete(done);
  };
  return { lookup, leave: () => leave() };
}

function start(key: string, host: string, options: dns.LookupOptions): Set<Done> {
  const waiting = new Set<Done>();
  const answer: Done = (...all) => {
    pending.delete(key);
    for (const done of waiting) done(...all);
  };
  dns.lookup(host, options, answer);
  pending.set(key, waiting); // not before: one that threw is answered never
  return waiting;
}
