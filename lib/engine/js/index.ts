/**
 * The pure-JS engine: the same core as csrc/, for hosts without the addon.
 */

import { Suite, type Engine, type EngineOptions, type SessionOptions } from '../../engine.js';
import { gateKeys, Port, type JsEngineHooks } from './crypto.js';
import { Device } from './device.js';
import { Accept, AnswerNonces, Gateway } from './gateway.js';
import { sha2 } from './libraries.js';
import { Pairing } from './pairing.js';
import { chainMove, chainStart, chainTickets } from './resume.js';
import type { SessionSettings } from './session.js';
import { argument, ID_MAX, ID_MIN, isZero, KEY_LEN, publicLength, STREAMS_DEFAULT } from './wire.js';

export type { JsEngineHooks } from './crypto.js';

const STREAMS_MAX = 4096;

function settings(gateway: boolean, options: SessionOptions & EngineOptions, engine: EngineOptions): SessionSettings {
  const streams = options.streams ?? STREAMS_DEFAULT;
  argument(Number.isInteger(streams) && streams >= 1 && streams <= STREAMS_MAX, `streams: must be 1..${STREAMS_MAX}`);
  return { gateway, streams, keylog: options.keylog ?? engine.keylog ?? false };
}

function checkSuite(suite: Suite): void {
  argument(suite === Suite.X25519 || suite === Suite.P256, 'suite: has no key pairs');
}

function checkId(id: Uint8Array, field: string): void {
  argument(id.length >= ID_MIN && id.length <= ID_MAX, `${field}: must be ${ID_MIN}..${ID_MAX} bytes`);
}

/** `hooks` and `port` are for tests alone. */
export function createJsEngine(options: EngineOptions = {}, hooks: JsEngineHooks = {}, port = new Port(hooks)): Engine {
  sha2(); // where it does not load, the engine is not chosen
  const nonces = new AnswerNonces(port);
  return {
    name: 'js',
    importSecret: (bytes) => port.importSecret(bytes),
    releaseSecret: (secret) => port.releaseSecret(secret),
    generateKey: (suite) => {
      checkSuite(suite);
      return port.keygen(suite);
    },
    publicKey: (suite, secret) => {
      checkSuite(suite);
      return port.public(suite, secret);
    },
    agree: (suite, secret, peer) => {
      checkSuite(suite);
      argument(secret.length === KEY_LEN && !isZero(secret), 'private key: must be 32 bytes, not all zero');
      argument(peer.length === publicLength(suite), 'public key: wrong length');
      return port.dh(suite, secret, peer);
    },
    gateKeys: (ss, psk, id, gatewayId) => {
      argument(ss.length === KEY_LEN && !isZero(ss), 'ss: must be 32 bytes, not all zero');
      argument(psk === undefined || (psk.length === KEY_LEN && !isZero(psk)), 'psk: must be 32 bytes, not all zero');
      checkId(id, 'id');
      checkId(gatewayId, 'gatewayId');
      return gateKeys(port, ss, psk, id, gatewayId);
    },
    random: (length) => {
      argument(Number.isInteger(length) && length >= 0, 'length: must be a number of bytes');
      return port.random(length);
    },
    chainStart: (b0) => chainStart(port, b0),
    chainTickets: (chain, ahead) => chainTickets(port, chain, ahead),
    chainMove: (chain, to) => chainMove(port, chain, to),
    device: (pairing, own = {}) => new Device(port, new Pairing(port, pairing, true), settings(false, own, options)),
    accept: (transport) => new Accept(port, nonces, transport),
    gateway: (pairing, own = {}) => new Gateway(new Pairing(port, pairing, false), settings(true, own, options)),
  };
}
