/** A short text that is equal at both ends of one pairing, to be compared by eye. */

import { createHash } from 'node:crypto';
import type { Engine } from '../engine.js';
import type { Chain } from '../engine.js';
import type { DevicePairing, DeviceRecord, GatewayIdentity, PairingTerms } from '../types.js';
import { hasKeys, hasPsk } from './terms.js';

/** No 0, 1, I, O: they are read wrongly. */
const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const CHARACTERS = 20;

/** 100 bits as five groups of four characters. */
function text(hash: Buffer): string {
  let bits = BigInt(`0x${hash.toString('hex')}`) >> BigInt(hash.length * 8 - CHARACTERS * 5);
  let out = '';
  for (let i = 0; i < CHARACTERS; i++, bits >>= 5n) out = ALPHABET[Number(bits & 31n)]! + out;
  return out.replace(/(.{4})(?=.)/g, '$1-');
}

/** What both ends know: public keys, and of symmetric secrets a hash alone. */
function digest(terms: PairingTerms, gatewayId: Uint8Array, parts: Uint8Array[]): string {
  const hash = createHash('sha256').update('hawser pairing');
  const head = Buffer.of(terms.mode, terms.suite, terms.id.length);
  hash.update(head).update(terms.id).update(Buffer.of(gatewayId.length)).update(gatewayId);
  for (const part of parts) hash.update(part);
  return text(hash.digest());
}

export function deviceFingerprint(engine: Engine, pairing: DevicePairing): string {
  const parts: Uint8Array[] = [];
  if (hasKeys(pairing.mode))
    parts.push(engine.publicKey(pairing.suite, pairing.privateKey!), pairing.gatewayPublicKey!);
  if (hasPsk(pairing.mode)) parts.push(pairing.psk!);
  if (pairing.ticket) parts.push(engine.chainStart(pairing.ticket).id);
  return digest(pairing, pairing.gatewayId, parts);
}

/** `chain`: of mode `ticket`, whose chain keeps its id for life. */
export function recordFingerprint(identity: GatewayIdentity, record: DeviceRecord, chain?: Chain): string {
  const parts: Uint8Array[] = [];
  if (hasKeys(record.mode)) parts.push(record.publicKey!, gatewayKey(identity, record).public);
  if (hasPsk(record.mode)) parts.push(record.psk!);
  else if (!hasKeys(record.mode) && chain) parts.push(chain.id);
  return digest(record, identity.id, parts);
}

/** The gateway's key pair of the pairing's suite. */
export function gatewayKey(identity: GatewayIdentity, terms: PairingTerms): GatewayIdentity['x25519'] {
  return terms.suite === 2 ? identity.p256 : identity.x25519;
}
