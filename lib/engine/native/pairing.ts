/** Secrets, and a pairing in the order in which binding/pairing.cc reads it. */

import type { CorePairing, Secret } from '../../engine.js';
import { badArgument, check, type Addon, type RawPairing, type RawSecret } from './addon.js';

/** What the caller sees as a Secret. */
export class NativeSecret {
  readonly #addon: Addon;
  readonly #raw: RawSecret;

  constructor(addon: Addon, bytes: Uint8Array) {
    this.#addon = addon;
    this.#raw = new addon.Secret();
    check(this.#raw.init(bytes), 'importSecret', ['secret (32 bytes, not all zero)']);
  }

  static rawOf(secret: Secret | undefined, addon: Addon, field: string): RawSecret | undefined {
    if (secret === undefined) return undefined;
    const own: unknown = secret;
    if (own instanceof NativeSecret && own.#addon === addon) return own.#raw;
    throw badArgument(`${field} is not a secret of the engine ${addon.name}`);
  }
}

export const pairingNames = [
  'pairing.mode',
  'pairing.suite',
  'pairing.id',
  'pairing.gatewayId',
  'pairing.recordMax',
  'pairing.windowDevice',
  'pairing.windowGateway',
  'pairing.maxSteps',
  'pairing.maxBlocks',
  'pairing.own',
  'pairing.ownPublic',
  'pairing.peer',
  'pairing.psk',
  'pairing.ticket',
  'pairing.ss',
  'pairing.gateD2g',
  'pairing.gateG2d',
] as const;

export function rawPairing(addon: Addon, pairing: CorePairing): RawPairing {
  if (typeof pairing !== 'object' || pairing === null) throw badArgument('pairing is not an object');
  return [
    pairing.mode,
    pairing.suite,
    pairing.id,
    pairing.gatewayId,
    pairing.recordMax,
    pairing.windowDevice,
    pairing.windowGateway,
    pairing.maxSteps,
    pairing.maxBlocks,
    NativeSecret.rawOf(pairing.own, addon, 'pairing.own'),
    pairing.ownPublic,
    pairing.peer,
    NativeSecret.rawOf(pairing.psk, addon, 'pairing.psk'),
    NativeSecret.rawOf(pairing.ticket, addon, 'pairing.ticket'),
    pairing.ss,
    pairing.gateD2g,
    pairing.gateG2d,
  ];
}
