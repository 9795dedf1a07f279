/**
 * Makes pairings, and reads and writes the device's half of one. Nothing here touches a file or a store:
 * `Store.add` takes what createPairing() returns.
 */

import { isUtf8 } from 'node:buffer';
import { Mode, Suite } from './engine.js';
import type { Engine } from './engine.js';
import { HawserError } from './errors.js';
import { decodePairing, encodePairing, isBinaryPairing } from './pairing/binary.js';
import { deviceFingerprint, gatewayKey, recordFingerprint } from './pairing/fingerprint.js';
import { pairingFromJson, pairingToJson } from './pairing/json.js';
import {
  TICKET_MAX_BLOCKS,
  checkDevicePairing,
  checkId,
  checkModeAndSuite,
  checkUpstreamName,
  fieldError,
  hasKeys,
  hasPsk,
} from './pairing/terms.js';
import type { Address, DevicePairing, DeviceRecord, GatewayIdentity, GatewayPairing, PairingTerms } from './types.js';

export { decodePairing, encodePairing, pairingFromJson, pairingToJson, deviceFingerprint, recordFingerprint };

export interface PairOptions {
  /** For people. Default: empty. */
  name?: string;
  mode: Mode;
  /** Default: 25519, and none in mode `ticket`. */
  suite?: Suite;
  /** Device id, 4..32 bytes. Default: 8 random bytes. It is seen by whoever watches a full handshake. */
  id?: Uint8Array;
  /** Names of the upstreams that the device may open. */
  upstreams: string[];
  addresses?: Address[];
  /** Milliseconds since 1970. */
  notBefore?: number;
  expiry?: number;
  /** Default 16383. */
  recordMax?: number;
  /** Receive windows, bytes. Default 262 144 each. */
  windowDevice?: number;
  windowGateway?: number;
  /** SPEC 7.3. Defaults 4096 and 4096; `ticket`: 65 536, and 2^32 - 2, which cannot be changed. */
  maxSteps?: number;
  maxBlocks?: number;
  /** Streams at once, 1..128. Default 16. */
  streams?: number;
}

/** What PairOptions leaves out. */
export const PAIRING_DEFAULTS = { recordMax: 16383, windowDevice: 262144, windowGateway: 262144, streams: 16 } as const;
const ID_LENGTH = 8;
const TICKETS_AHEAD = 2; // J of SPEC 7.5 rule 1

/** Both halves of a new pairing. Hand over the device's half out of band, then forget it: it holds the secrets. */
export interface NewPairing {
  device: DevicePairing;
  gateway: GatewayPairing;
}

/** @throws ERR_HAWSER_ARG with field and reason. */
export function createPairing(engine: Engine, identity: GatewayIdentity, options: PairOptions): NewPairing {
  const terms = termsOf(engine, options);
  const device: DevicePairing = {
    ...terms,
    gatewayId: identity.id,
    ...deviceSecrets(engine, identity, terms),
    addresses: options.addresses ?? [],
    upstreams: options.upstreams,
    ...validity(options),
  };
  asArgument(() => {
    checkDevicePairing(device);
    options.upstreams.forEach((name) => checkUpstreamName('upstreams', name));
  });
  const record: DeviceRecord = {
    ...terms,
    serial: Buffer.from(engine.random(16)).toString('hex'),
    name: options.name ?? '',
    ...recordSecrets(engine, device),
    upstreams: options.upstreams,
    created: Date.now(),
    ...validity(options),
    limits: { streams: checkStreams(options.streams ?? PAIRING_DEFAULTS.streams) },
  };
  return { device, gateway: { record, ...chainOf(engine, device) } };
}

/** Reads either form. The bytes may come from anywhere. @throws ERR_HAWSER_FORMAT with field and reason. */
export function readPairing(bytes: Uint8Array): DevicePairing {
  if (isBinaryPairing(bytes)) return decodePairing(bytes);
  if (!isUtf8(bytes)) throw fieldError('file', 'neither a JSON nor a binary pairing');
  return pairingFromJson(Buffer.from(bytes).toString('utf8'));
}

function termsOf(engine: Engine, options: PairOptions): PairingTerms {
  const ticket = options.mode === Mode.Ticket;
  const suite = options.suite ?? (ticket ? Suite.None : Suite.X25519);
  const id = options.id ?? engine.random(ID_LENGTH);
  asArgument(() => {
    checkModeAndSuite(options.mode, suite);
    checkId('device', id);
  });
  return {
    mode: options.mode,
    suite,
    id,
    recordMax: options.recordMax ?? PAIRING_DEFAULTS.recordMax,
    windowDevice: options.windowDevice ?? PAIRING_DEFAULTS.windowDevice,
    windowGateway: options.windowGateway ?? PAIRING_DEFAULTS.windowGateway,
    maxSteps: options.maxSteps ?? (ticket ? 65536 : 4096),
    maxBlocks: options.maxBlocks ?? (ticket ? TICKET_MAX_BLOCKS : 4096),
  };
}

function deviceSecrets(engine: Engine, identity: GatewayIdentity, terms: PairingTerms): Partial<DevicePairing> {
  if (terms.mode === Mode.Ticket) return { ticket: engine.random(32) };
  const psk = hasPsk(terms.mode) ? engine.random(32) : undefined;
  if (!hasKeys(terms.mode)) return { psk: psk! };
  const own = engine.generateKey(terms.suite);
  const gateway = gatewayKey(identity, terms).public;
  const ss = engine.agree(terms.suite, own.secret, gateway);
  const gate = engine.gateKeys(ss, psk, terms.id, identity.id);
  return {
    privateKey: own.secret,
    gatewayPublicKey: gateway,
    ss,
    gateD2g: gate.d2g,
    gateG2d: gate.g2d,
    ...(psk && { psk }),
  };
}

/** The gateway keeps no private key of a device, and of a ticket only the chain that it opens. */
function recordSecrets(engine: Engine, device: DevicePairing): Partial<DeviceRecord> {
  const { psk, ss, gateD2g, gateG2d } = device;
  return {
    ...(hasKeys(device.mode) && {
      publicKey: engine.publicKey(device.suite, device.privateKey!),
      ss: ss!,
      gateD2g: gateD2g!,
      gateG2d: gateG2d!,
    }),
    ...(psk && { psk }),
  };
}

function chainOf(engine: Engine, device: DevicePairing): Pick<GatewayPairing, 'chain' | 'tickets'> {
  if (!device.ticket) return {};
  const chain = engine.chainStart(device.ticket);
  return { chain, tickets: engine.chainTickets(chain, TICKETS_AHEAD).map(({ ticket }) => ticket) };
}

function validity({ notBefore, expiry }: PairOptions): Pick<DeviceRecord, 'notBefore' | 'expiry'> {
  if (notBefore !== undefined && expiry !== undefined && expiry <= notBefore) {
    throw new HawserError('ERR_HAWSER_ARG', 'expiry: not after not-before');
  }
  return { ...(notBefore !== undefined && { notBefore }), ...(expiry !== undefined && { expiry }) };
}

function checkStreams(streams: number): number {
  if (Number.isInteger(streams) && streams >= 1 && streams <= 128) return streams;
  throw new HawserError('ERR_HAWSER_ARG', `streams: ${streams} is not a whole number of 1..128`);
}

function asArgument(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof HawserError ? new HawserError('ERR_HAWSER_ARG', error.message) : error;
  }
}
