/** What every form of a pairing must satisfy (SPEC 2 and 4), in one place: names, ranges, secrets. */

import { Mode, Suite } from '../engine.js';
import { HawserError } from '../errors.js';
import type { DevicePairing, PairingTerms } from '../types.js';

export const ID_MIN = 4;
export const ID_MAX = 32;
export const SECRET_LENGTH = 32;

const U32_MAX = 0xffffffff;
/** SPEC 7.3: what a `ticket` pairing always has. */
export const TICKET_MAX_BLOCKS = U32_MAX - 1;

/** Names of the numbers, as pairing files and the CLI write them. */
export const MODE_NAMES = { keys: Mode.Keys, 'keys+psk': Mode.KeysPsk, psk: Mode.Psk, ticket: Mode.Ticket } as const;
export const SUITE_NAMES = { none: Suite.None, '25519': Suite.X25519, p256: Suite.P256 } as const;
export type ModeName = keyof typeof MODE_NAMES;
export type SuiteName = keyof typeof SUITE_NAMES;

function nameOf<T extends Record<string, number>>(names: T, value: number): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? `unknown (${value})`;
}
export const modeName = (mode: Mode): string => nameOf(MODE_NAMES, mode);
export const suiteName = (suite: Suite): string => nameOf(SUITE_NAMES, suite);

/** Smallest and largest value of each number in a pairing. */
export const RANGES = {
  recordMax: [64, 16383],
  windowDevice: [64, 2 ** 30],
  windowGateway: [64, 2 ** 30],
  maxSteps: [1, U32_MAX - 1],
  maxBlocks: [1, U32_MAX - 1],
} as const satisfies Partial<Record<keyof PairingTerms, readonly [number, number]>>;
export type RangedField = keyof typeof RANGES;

export type SecretField = 'privateKey' | 'gatewayPublicKey' | 'ss' | 'gateD2g' | 'gateG2d' | 'psk' | 'ticket';

/** SPEC 4.1: the secrets of a mode, in the order of the binary form. */
export function secretFields(mode: Mode): readonly SecretField[] {
  const keys = ['privateKey', 'gatewayPublicKey', 'ss', 'gateD2g', 'gateG2d'] as const;
  switch (mode) {
    case Mode.Keys:
      return keys;
    case Mode.KeysPsk:
      return [...keys, 'psk'];
    case Mode.Psk:
      return ['psk'];
    case Mode.Ticket:
      return ['ticket'];
  }
}

export function publicKeyLength(suite: Suite): number {
  return suite === Suite.P256 ? 65 : 32;
}

export function secretLength(field: SecretField, suite: Suite): number {
  return field === 'gatewayPublicKey' ? publicKeyLength(suite) : SECRET_LENGTH;
}

export const hasKeys = (mode: Mode): boolean => mode === Mode.Keys || mode === Mode.KeysPsk;
export const hasPsk = (mode: Mode): boolean => mode === Mode.KeysPsk || mode === Mode.Psk;

/** What is wrong with one field; the reader of a file puts the file's name in front. */
export function fieldError(field: string, reason: string): HawserError {
  return new HawserError('ERR_HAWSER_FORMAT', `${field}: ${reason}`);
}

export function checkModeAndSuite(mode: number, suite: number): void {
  if (!Object.values(MODE_NAMES).includes(mode as Mode)) throw fieldError('mode', `${mode} is not a mode (1..4)`);
  const expected = mode === Mode.Ticket ? [Suite.None] : [Suite.X25519, Suite.P256];
  if (!(expected as number[]).includes(suite)) {
    throw fieldError('suite', `${suiteName(suite as Suite)} does not go with mode ${modeName(mode as Mode)}`);
  }
}

export function checkId(field: string, id: Uint8Array): void {
  if (id.length < ID_MIN || id.length > ID_MAX) {
    throw fieldError(field, `${id.length} bytes; ${ID_MIN}..${ID_MAX} are allowed`);
  }
}

export function checkRange(field: RangedField, value: number): void {
  const [least, most] = RANGES[field];
  if (!Number.isInteger(value) || value < least || value > most) {
    throw fieldError(field, `${value} is not a whole number of ${least}..${most}`);
  }
}

/** SPEC 7.3: in `ticket` there is nothing to fall back to, so the number of blocks is fixed. */
export function checkBlocks(mode: Mode, maxBlocks: number): void {
  checkRange('maxBlocks', maxBlocks);
  if (mode === Mode.Ticket && maxBlocks !== TICKET_MAX_BLOCKS) {
    throw fieldError('maxBlocks', `${maxBlocks}; in mode ticket it is ${TICKET_MAX_BLOCKS}`);
  }
}

const P256 = {
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
} as const;

const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

/** SPEC 2: 0x04, x, y of a point on the curve. Public data: constant time is not needed. */
function isP256Point(bytes: Uint8Array): boolean {
  const x = toBigInt(bytes.subarray(1, 33));
  const y = toBigInt(bytes.subarray(33, 65));
  if (bytes[0] !== 4 || x >= P256.p || y >= P256.p) return false;
  return (y * y - (x * x * x - 3n * x + P256.b)) % P256.p === 0n;
}

/** Length, not zero, and for P-256 the range of a private key and the form of a point. */
export function checkSecret(field: SecretField, suite: Suite, bytes: Uint8Array): void {
  const length = secretLength(field, suite);
  if (bytes.length !== length) throw fieldError(field, `${bytes.length} bytes instead of ${length}`);
  if (bytes.every((byte) => byte === 0)) throw fieldError(field, 'all bytes are zero');
  if (suite !== Suite.P256) return;
  if (field === 'gatewayPublicKey' && !isP256Point(bytes))
    throw fieldError(field, 'not an uncompressed point of P-256');
  if (field === 'privateKey' && toBigInt(bytes) >= P256.n) throw fieldError(field, 'not below the order of P-256');
}

/** Everything SPEC 4 says about a device's half. Throws ERR_HAWSER_FORMAT with field and reason. */
export function checkDevicePairing(pairing: DevicePairing): void {
  checkModeAndSuite(pairing.mode, pairing.suite);
  checkId('device', pairing.id);
  checkId('gateway', pairing.gatewayId);
  for (const field of Object.keys(RANGES) as RangedField[]) checkRange(field, pairing[field]);
  checkBlocks(pairing.mode, pairing.maxBlocks);
  for (const field of secretFields(pairing.mode)) {
    const bytes = pairing[field];
    if (!bytes) throw fieldError(field, `missing; mode ${modeName(pairing.mode)} needs it`);
    checkSecret(field, pairing.suite, bytes);
  }
}

/** SPEC 11: names of upstreams. */
export function checkUpstreamName(field: string, name: string): void {
  if (!/^[a-z0-9._-]{1,32}$/.test(name)) {
    throw fieldError(field, `${JSON.stringify(name)} is not a name of 1..32 characters a-z 0-9 . _ -`);
  }
}
