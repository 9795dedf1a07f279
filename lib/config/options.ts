/** Every option of `gateway.toml`: its default, what it must be, and what the written file says about it. */

import * as v from 'valibot';
import { MODE_NAMES, RANGES } from '../pairing/terms.js';
import type { ModeName } from '../pairing/terms.js';
import { parseAddress } from '../address.js';
import { PAIRING_DEFAULTS } from '../pairing.js';

/** Milliseconds in each unit that a duration may have. */
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, y: 31_557_600_000 } as const;

/** `500ms`, `10s`, `5m`, `12h`, `30d`, `1y`. Undefined: something else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d|y)$/.exec(text);
  return match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : undefined;
}

const text = v.string('not a string');
const path = v.pipe(text, v.nonEmpty('empty'));
const wholeNumber = (least: number, most: number) => {
  const reason = `not a whole number of ${least}..${most}`;
  return v.pipe(v.number(reason), v.integer(reason), v.minValue(least, reason), v.maxValue(most, reason));
};
const duration = (least: string, most: string) => {
  const reason = `not a duration of ${least}..${most}, such as "10s"`;
  const [low, high] = [parseDuration(least)!, parseDuration(most)!];
  const inRange = (value: string): boolean => {
    const ms = parseDuration(value);
    return ms !== undefined && ms >= low && ms <= high;
  };
  return v.pipe(
    v.string(reason),
    v.check(inRange, reason),
    v.transform((value) => parseDuration(value)!),
  );
};
const choice = <T extends string>(...names: T[]) => v.picklist(names, `not one of ${names.join(', ')}`);
const addresses = v.array(
  v.pipe(
    text,
    v.check((value) => parseAddress(value) !== undefined, 'not host:port'),
  ),
  'not a list',
);

/** `value`: the default, as in TOML. */
const option = <S extends v.GenericSchema, V extends string | number | boolean | string[]>(
  schema: S,
  value: V,
  comment: string,
) => ({
  schema,
  value,
  comment,
});

/** Tables of the file in its order. The table `upstreams` has names of the operator's choice and stands apart. */
export const OPTIONS = {
  listen: {
    host: option(path, '::', 'Address to listen on. "::" is every address of this machine.'),
    port: option(wholeNumber(1, 65535), 7700, 'TCP port.'),
    serial_port: option(
      wholeNumber(0, 65535),
      0,
      'TCP port for serial lines, each a connection of a terminal server such as ser2net. 0: none.',
    ),
  },
  files: {
    store: option(
      path,
      'store',
      'Folder of the store: pairings and resumption chains. Only its owner may write to it. Paths are relative to this file.',
    ),
    revocations: option(
      path,
      'store.revocations',
      'Log of ended pairings. Keep it out of backups that are put back, so that they stay ended.',
    ),
    keys: option(path, 'gateway.key', "The gateway's private keys. Only its owner may read it."),
    sealing_key: option(
      path,
      'sealing.key',
      'Seals the records of the store. Only its owner may read it; back it up apart from the store.',
    ),
  },
  limits: {
    half_open: option(wholeNumber(1, 1_000_000), 1024, 'Connections without a live session, in all.'),
    handshake: option(duration('100ms', '10m'), '10s', 'Time until a connection must have become live.'),
    linger: option(duration('1s', '7d'), '10m', 'How long streams wait for a device that is away.'),
    upstream_connect: option(duration('100ms', '10m'), '10s', 'Time to reach an upstream.'),
    policy_interval: option(duration('100ms', '1h'), '1s', 'Between looks at expiry, revocation and new pairings.'),
    shutdown: option(duration('0s', '1h'), '10s', 'On SIGTERM: time for what is in flight.'),
  },
  gateway: {
    engine: option(
      choice('auto', 'native', 'js'),
      'auto',
      'The protocol engine. "auto": native where it was built, else JavaScript.',
    ),
    early_data: option(
      v.boolean('not true or false'),
      true,
      'Take the first bytes of a stream that ride in a resumption.',
    ),
  },
  pairing: {
    addresses: option(addresses, [], 'Where devices find this gateway, as "host:port". Written into new pairings.'),
    mode: option(
      choice(...(Object.keys(MODE_NAMES) as ModeName[])),
      'keys',
      'Mode of new pairings: keys, keys+psk, psk or ticket.',
    ),
    suite: option(choice('25519', 'p256'), '25519', 'Suite of new pairings: 25519 or p256.'),
    record_max: option(
      wholeNumber(...RANGES.recordMax),
      PAIRING_DEFAULTS.recordMax,
      'Largest record that a new device takes, bytes.',
    ),
    window_device: option(
      wholeNumber(...RANGES.windowDevice),
      PAIRING_DEFAULTS.windowDevice,
      'Receive window of a stream at a new device, bytes.',
    ),
    window_gateway: option(
      wholeNumber(...RANGES.windowGateway),
      PAIRING_DEFAULTS.windowGateway,
      'The same at the gateway.',
    ),
    streams: option(wholeNumber(1, 128), PAIRING_DEFAULTS.streams, 'Streams at once of a new device.'),
  },
} as const;

type Tables = typeof OPTIONS;
export type TableName = keyof Tables;
/** What the tables hold once checked: durations are milliseconds. */
export type TableValues = {
  [T in TableName]: {
    [K in keyof Tables[T]]: Tables[T][K] extends { schema: infer S extends v.GenericSchema } ? v.InferOutput<S> : never;
  };
};
