/** Pairings as an engine takes them: secrets by handle. */

import { Mode, Suite, type CorePairing, type Engine, type Secret } from './engine.js';
import type { DevicePairing, DeviceRecord, GatewayIdentity, PairingTerms } from './types.js';

export interface Credentials {
  pairing: CorePairing;
  /** The engine forgets the secrets; the pairing must not be used again. */
  release(): void;
}

export function deviceCredentials(engine: Engine, pairing: DevicePairing): Credentials {
  const keep = new Keep(engine);
  const core = terms(pairing, pairing.gatewayId);
  if (hasKeys(pairing.mode)) {
    if (pairing.privateKey) core.ownPublic = engine.publicKey(pairing.suite, pairing.privateKey);
    assign(core, {
      own: keep.optional(pairing.privateKey),
      peer: pairing.gatewayPublicKey,
      ss: pairing.ss,
      gateD2g: pairing.gateD2g,
      gateG2d: pairing.gateG2d,
    });
  }
  assign(core, { psk: keep.optional(pairing.psk), ticket: keep.optional(pairing.ticket) });
  return { pairing: core, release: () => keep.release() };
}

/** A gateway's own keys, held by the engine once for all devices. */
export class GatewayKeys {
  readonly #engine: Engine;
  readonly #identity: GatewayIdentity;
  readonly #keep: Keep;
  readonly #own: { x25519: Secret; p256: Secret };

  /** ERR_HAWSER_ARG: a key of the identity is not one. */
  constructor(engine: Engine, identity: GatewayIdentity) {
    this.#engine = engine;
    this.#identity = identity;
    this.#keep = new Keep(engine);
    this.#own = { x25519: this.#keep.secret(identity.x25519.secret), p256: this.#keep.secret(identity.p256.secret) };
  }

  /** For one device. */
  credentials(record: DeviceRecord): Credentials {
    const keep = new Keep(this.#engine);
    const core = terms(record, this.#identity.id);
    if (hasKeys(record.mode)) {
      const p256 = record.suite === Suite.P256;
      core.own = p256 ? this.#own.p256 : this.#own.x25519;
      core.ownPublic = p256 ? this.#identity.p256.public : this.#identity.x25519.public;
      assign(core, { peer: record.publicKey, ss: record.ss, gateD2g: record.gateD2g, gateG2d: record.gateG2d });
    }
    assign(core, { psk: keep.optional(record.psk) });
    return { pairing: core, release: () => keep.release() };
  }

  release(): void {
    this.#keep.release();
  }
}

function terms(from: PairingTerms, gatewayId: Uint8Array): CorePairing {
  const { mode, suite, id, recordMax, windowDevice, windowGateway, maxSteps, maxBlocks } = from;
  return { mode, suite, id, gatewayId, recordMax, windowDevice, windowGateway, maxSteps, maxBlocks };
}

function hasKeys(mode: Mode): boolean {
  return mode === Mode.Keys || mode === Mode.KeysPsk;
}

/** Only what is there: absent and undefined are not the same to an engine. */
function assign(core: CorePairing, fields: { [K in keyof CorePairing]?: CorePairing[K] | undefined }): void {
  Object.assign(core, Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)));
}

class Keep {
  readonly #secrets: Secret[] = [];
  constructor(private readonly engine: Engine) {}

  optional(bytes: Uint8Array | undefined): Secret | undefined {
    return bytes && this.secret(bytes);
  }

  secret(bytes: Uint8Array): Secret {
    const secret = this.engine.importSecret(bytes);
    this.#secrets.push(secret);
    return secret;
  }

  release(): void {
    for (const secret of this.#secrets.splice(0)) this.engine.releaseSecret(secret);
  }
}
