import { formatAddress } from '../../address.js';
import type { Engine } from '../../engine.js';
import { deviceFingerprint, readPairing } from '../../pairing.js';
import { isBinaryPairing } from '../../pairing/binary.js';
import { hasKeys, hasPsk, modeName, secretFields, suiteName } from '../../pairing/terms.js';
import type { DevicePairing } from '../../types.js';
import { HawserError } from '../../errors.js';
import { printable } from '../io.js';
import { HIDDEN, hex, lines } from './report.js';
import type { Report } from './report.js';

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Whether what was computed at pairing belongs together: a wrong pair of keys would only fail in silence later. */
export function checkComputed(engine: Engine, pairing: DevicePairing): void {
  if (!hasKeys(pairing.mode)) return;
  const ss = engine.agree(pairing.suite, pairing.privateKey!, pairing.gatewayPublicKey!);
  if (!sameBytes(ss, pairing.ss!)) throw new HawserError('ERR_HAWSER_FORMAT', 'ss: not the ECDH of both static keys');
  const psk = hasPsk(pairing.mode) ? pairing.psk : undefined;
  const gate = engine.gateKeys(ss, psk, pairing.id, pairing.gatewayId);
  if (!sameBytes(gate.d2g, pairing.gateD2g!))
    throw new HawserError('ERR_HAWSER_FORMAT', 'gateD2g: not the gate key of this pairing');
  if (!sameBytes(gate.g2d, pairing.gateG2d!))
    throw new HawserError('ERR_HAWSER_FORMAT', 'gateG2d: not the gate key of this pairing');
}

export function reportPairing(bytes: Buffer, showSecrets: boolean, engine: Engine): Report {
  const pairing = readPairing(bytes);
  checkComputed(engine, pairing);
  const form = isBinaryPairing(bytes) ? 'binary' : 'json';
  const publicKey = hasKeys(pairing.mode) ? hex(engine.publicKey(pairing.suite, pairing.privateKey!)) : undefined;
  const secrets = secretFields(pairing.mode).filter((field) => field !== 'gatewayPublicKey');
  const data = {
    kind: 'pairing',
    form,
    mode: modeName(pairing.mode),
    suite: suiteName(pairing.suite),
    device: hex(pairing.id),
    gateway: hex(pairing.gatewayId),
    fingerprint: deviceFingerprint(engine, pairing),
    ...(publicKey !== undefined && { publicKey, gatewayPublicKey: hex(pairing.gatewayPublicKey!) }),
    recordMax: pairing.recordMax,
    windowDevice: pairing.windowDevice,
    windowGateway: pairing.windowGateway,
    maxSteps: pairing.maxSteps,
    maxBlocks: pairing.maxBlocks,
    addresses: pairing.addresses.map(formatAddress),
    ...(pairing.upstreams && { upstreams: pairing.upstreams }),
    ...(pairing.notBefore !== undefined && { notBefore: new Date(pairing.notBefore).toISOString() }),
    ...(pairing.expiry !== undefined && { expiry: new Date(pairing.expiry).toISOString() }),
    ...(showSecrets && { secrets: Object.fromEntries(secrets.map((field) => [field, hex(pairing[field]!)])) }),
  };
  const shown: [string, string][] = Object.entries(data)
    .filter((entry): entry is [string, string | number | string[]] => entry[0] !== 'secrets')
    .map(([key, value]) => [key, printable(Array.isArray(value) ? value.join(', ') : String(value))]);
  for (const field of secrets) shown.push([field, showSecrets ? hex(pairing[field]!) : HIDDEN]);
  return { data, text: lines(shown) };
}
