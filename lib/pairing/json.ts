/** The JSON form of a device's pairing: what `hawser pair` writes and `hawser connect` reads. Bytes are hex. */

import { Mode } from '../engine.js';
import { HawserError } from '../errors.js';
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
import type { ModeName, RangedField, SecretField, SuiteName } from './terms.js';

const VERSION = 1;

/** What is wrong with a field's value; undefined: nothing. */
type Fault = (value: unknown) => string | undefined;

const check =
  (fits: (value: string) => boolean, reason: string, type = reason): Fault =>
  (value) =>
    typeof value !== 'string' ? type : fits(value) ? undefined : reason;
const hex = check(
  (text) => /^([0-9a-fA-F]{2})*$/.test(text),
  'not an even number of hex digits',
  'not a string of hex digits',
);
const instant = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$/;
const time = check(
  (text) => instant.test(text) && !Number.isNaN(Date.parse(text)),
  'not a time like 2030-01-31T00:00:00.000Z',
  'not a time',
);
const number: Fault = (value) => (typeof value === 'number' && !Number.isNaN(value) ? undefined : 'not a number');
const exactly =
  (wanted: unknown, reason: string): Fault =>
  (value) =>
    value === wanted ? undefined : reason;
const oneOf = (names: object): Fault =>
  check((name) => Object.hasOwn(names, name), `not one of ${Object.keys(names).join(', ')}`);
const list: Fault = (value) => (Array.isArray(value) ? undefined : 'not a list');
const text = check(() => true, 'not a string');

/** The file, field by field; `optional` ones may be missing. `check` is that of the binary form (SPEC 4.1), so that a flipped digit is noticed. */
const fields: Record<keyof File, Fault> = {
  hawser: exactly('pairing', 'not "pairing"'),
  version: exactly(VERSION, `this program reads version ${VERSION}`),
  mode: oneOf(MODE_NAMES),
  suite: oneOf(SUITE_NAMES),
  device: hex,
  gateway: hex,
  recordMax: number,
  windowDevice: number,
  windowGateway: number,
  maxSteps: number,
  maxBlocks: number,
  addresses: list,
  upstreams: list,
  notBefore: time,
  expiry: time,
  privateKey: hex,
  gatewayPublicKey: hex,
  ss: hex,
  gateD2g: hex,
  gateG2d: hex,
  psk: hex,
  ticket: hex,
  check: hex,
};
const optional = new Set(['upstreams', 'notBefore', 'expiry', ...secretFields(Mode.KeysPsk), 'ticket']);

interface File extends Partial<Record<SecretField, string>> {
  hawser: 'pairing';
  version: typeof VERSION;
  mode: ModeName;
  suite: SuiteName;
  device: string;
  gateway: string;
  recordMax: number;
  windowDevice: number;
  windowGateway: number;
  maxSteps: number;
  maxBlocks: number;
  addresses: string[];
  upstreams?: string[];
  notBefore?: string;
  expiry?: string;
  check: string;
}

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
    if (!Object.hasOwn(fields, key))
      throw fieldError(key, `not a field of a pairing${didYouMean(key, Object.keys(fields))}`);
  }
}

function validate(value: Record<string, unknown>): File {
  for (const [field, fault] of Object.entries(fields)) {
    const given = value[field];
    if (given === undefined && optional.has(field)) continue;
    if (given === undefined) throw fieldError(field, 'missing');
    const reason = fault(given);
    if (reason !== undefined) throw fieldError(field, reason);
    if (Array.isArray(given)) given.forEach((item, at) => checkItem(`${field}.${at}`, item));
  }
  return value as unknown as File;
}

function checkItem(field: string, item: unknown): void {
  const reason = text(item);
  if (reason !== undefined) throw fieldError(field, reason);
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
