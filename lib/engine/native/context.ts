/** What all objects of one engine share. One per thread, as the addon's scratch is. */

import type { HandshakeInfo, Verdict } from '../../engine.js';
import type { Addon, RawAccept } from './addon.js';
import { Scratch } from './events.js';
import { Output } from '../../output.js';

export interface Native {
  readonly addon: Addon;
  readonly scratch: Scratch;
  readonly output: Output;
  /** `none` is never initialised; the others were wiped. */
  readonly accepts: { readonly none: RawAccept; readonly spare: RawAccept[] };
}

export function makeNative(addon: Addon): Native {
  const accepts = { none: new addon.Accept(), spare: [] };
  return { addon, scratch: new Scratch(addon.scratch), output: new Output(), accepts };
}

/** The figures that a raw handshake() left in the header; 0: there was none. */
export function readHandshake(result: number, { scratch: { header } }: Native): HandshakeInfo | undefined {
  if (result === 0) return undefined;
  return {
    kind: header[0] === 2 ? 'resumption' : 'full',
    sent: header[1] ?? 0,
    received: header[2] ?? 0,
    ecdh: header[3] ?? 0,
    early: (header[4] ?? 0) as Verdict,
  };
}
