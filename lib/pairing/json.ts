/** The JSON form of a device's pairing: what `hawser pair` writes and `hawser connect` reads. Bytes are hex. */

import type * as Valibot from 'valibot';
import { Mode } from '../engine.js';
import { HawserError } from '../errors.js';
import { lazy, require } from '../lazy.js';
import { didYouMean } from '../nearest.js';
import type { Address, DevicePairing } from '../types.js';
import { formatAddress, parseAddress } from '../address.js';
import { encodePairing } from './binary.js';
import {
  MODE_NAMES,
  RANGES,
  SUITE_NAMES,
  checkDevicePairing,
  checkUpstreamName,
  fieldError,
  modeName,
  secretFields,
  suiteName,
} from './terms.js';
import type { ModeName, RangedField, SuiteName } from './terms.js';

const VERSION = 1;

/** The file, field by field. `check` is that of the binary form (SPEC 4.1), so that a flipped digit is noticed. */
function fieldsOf(v: typeof Valibot) {
  const hex = v.pipe(
    v.string('not a string of hex digits'),
    v.regex(/^([0-9a-fA-F]{2})*$/, 'not an even number of hex digits'),
  );
  const number = v.number('not a number');
  const time = v.pipe(v.string('not a time'), v.isoTimestamp('not a time like 2030-01-31T00:00:00.000Z'));
  const oneOf = <T extends string>(names: Record<T, number>): Valibot.PicklistSchema<T[], string> => {
    const keys = Object.keys(names) as T[];
    return v.picklist(keys, `not one of ${keys.join(', ')}`);
  };
  return {
    hawser: v.literal('pairing', 'not "pairing"'),
    version: v.literal(VERSION, `this program reads version ${VERSION}`),
    mode: oneOf<ModeName>(MODE_NAMES),
    suite: oneOf<SuiteName>(SUITE_NAMES),
    device: hex,
    gateway: hex,
    recordMax: number,
    windowDevice: number,
    windowGateway: number,
    maxSteps: number,
    maxBlocks: number,
    addresses: v.array(v.string('not a string'), 'not a list'),
    upstreams: v.optional(v.array(v.string('not a string'), 'not a list')),
    notBefore: v.optional(time),
    expiry: v.optional(time),
    privateKey: v.optional(hex),
    gatewayPublicKey: v.optional(hex),
    ss: v.optional(hex),
    gateD2g: v.optional(hex),
    gateG2d: v.optional(hex),
    psk: v.optional(hex),
    ticket: v.optional(hex),
    check: hex,
  };
}

const valibot = lazy(() => require('valibot') as typeof Valibot);
const fields = lazy(() => fieldsOf(valibot()));
const schema = lazy(() => valibot().object(fields(), 'not an object'));
type File = Valibot.InferOutput<ReturnType<typeof schema>>;

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const checkOf = (pairing: DevicePairing): string => encodePairing(pairing).subarray(-8).toString('hex');

/** @throws ERR_HAWSER_FORMAT if a field is missing or out of range. */
export function pairingToJson(pairing: DevicePairing): string {
  checkDevicePairing(pairing);
  const file: File = {
    hawser: 'pairing',
    version: VERSION,
    mode: modeName(pairing.mode) as ModeName,
    suite: suiteName(pairing.suite) as SuiteName,
    device: toHex(pairing.id),
    gateway: toHex(pairing.gatewayId),
    recordMax: pairing.recordMax,
    windowDevice: pairing.windowDevice,
    windowGateway: pairing.windowGateway,
    maxSteps: pairing.maxSteps,
    maxBlocks: pairing.maxBlocks,
    addresses: pairing.addresses.map(formatAddress),
    ...(pairing.upstreams && { upstreams: pairing.upstreams }),
    ...(pairing.notBefore !== undefined && { notBefore: new Date(pairing.notBefore).toISOString() }),
    ...(pairing.expiry !== undefined && { expiry: new Date(pairing.expiry).toISOString() }),
    ...Object.fromEntries(secretFields(pairing.mode).map((field) => [field, toHex(pairing[field]!)])),
    check: checkOf(pairing),
  };
  return JSON.stringify(file, null, 2) + '\n';
}

function parseJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // V8's message quotes the text around the fault, which may be a secret
    throw new HawserError('ERR_HAWSER_FORMAT', 'not valid JSON', { cause: (error as Error).name });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fieldError('file', 'not a JSON object');
  return value as Record<string, unknown>;
}

function checkKeys(value: Record<string, unknown>): void {
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(fields(), key))
      throw fieldError(key, `not a field of a pairing${didYouMean(key, Object.keys(fields()))}`);
  }
}

function validate(value: Record<string, unknown>): File {
  const v = valibot();
  const result = v.safeParse(schema(), value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? 'file';
  throw fieldError(field, issue.received === 'undefined' ? 'missing' : issue.message);
}

function addressOf(text: string, index: number): Address {
  const address = parseAddress(text);
  if (!address) throw fieldError(`addresses[${index}]`, `${JSON.stringify(text)} is not host:port`);
  return address;
}

/** @throws ERR_HAWSER_FORMAT with field and reason. */
export function pairingFromJson(text: string): DevicePairing {
  const value = parseJson(text);
  checkKeys(value);
  const file = validate(value);
  const mode = MODE_NAMES[file.mode];
  const wanted: readonly string[] = secretFields(mode);
  for (const field of secretFields(Mode.KeysPsk).concat('ticket')) {
    if (file[field] !== undefined && !wanted.includes(field))
      throw fieldError(field, `does not belong to mode ${file.mode}`);
  }
  file.upstreams?.forEach((name, i) => checkUpstreamName(`upstreams[${i}]`, name));
  const pairing: DevicePairing = {
    mode,
    suite: SUITE_NAMES[file.suite],
    id: Buffer.from(file.device, 'hex'),
    gatewayId: Buffer.from(file.gateway, 'hex'),
    ...(Object.fromEntries(Object.keys(RANGES).map((key) => [key, file[key as RangedField]])) as Record<
      RangedField,
      number
    >),
    ...Object.fromEntries(
      secretFields(mode).flatMap((key) => (file[key] === undefined ? [] : [[key, Buffer.from(file[key], 'hex')]])),
    ),
    addresses: file.addresses.map(addressOf),
    ...(file.upstreams && { upstreams: file.upstreams }),
    ...(file.notBefore !== undefined && { notBefore: Date.parse(file.notBefore) }),
    ...(file.expiry !== undefined && { expiry: Date.parse(file.expiry) }),
  };
  checkDevicePairing(pairing);
  if (checkOf(pairing) !== file.check.toLowerCase())
    throw fieldError('check', 'does not match: the pairing is damaged');
  return pairing;
}
