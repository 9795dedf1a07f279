import { rm } from 'node:fs/promises';
import { writeSecretFile } from '../config/keys.js';
import { Mode } from '../engine.js';
import type { Engine } from '../engine.js';
import { didYouMean } from '../nearest.js';
import { createPairing, deviceFingerprint, encodePairing, pairingToJson } from '../pairing.js';
import type { NewPairing, PairOptions } from '../pairing.js';
import { pairingToC } from '../pairing/c-array.js';
import { ID_MAX, ID_MIN, MODE_NAMES, RANGES, SUITE_NAMES, hasKeys, modeName, suiteName } from '../pairing/terms.js';
import type { ModeName } from '../pairing/terms.js';
import { UsageError, address, command, moment, oneOf, wholeNumber } from './command.js';
import { json } from './io.js';
import { CONFIG_HELP, CONFIG_OPTION, idText, withOperator } from './operator.js';
import type { Operator } from './operator.js';

const OPTIONS = {
  ...CONFIG_OPTION,
  allow: { type: 'string', multiple: true },
  mode: { type: 'string' },
  suite: { type: 'string' },
  'with-psk': { type: 'boolean' },
  expires: { type: 'string' },
  'not-before': { type: 'string' },
  address: { type: 'string', multiple: true },
  id: { type: 'string' },
  'record-max': { type: 'string' },
  'window-device': { type: 'string' },
  'window-gateway': { type: 'string' },
  streams: { type: 'string' },
  output: { type: 'string', short: 'o' },
  format: { type: 'string' },
  replace: { type: 'boolean' },
  'show-secrets': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

const USAGE = `NAME --allow UPSTREAM[,...] [...]

Makes a pairing: the store learns the device, and the device's half is written to a file that only you may read.
Carry that file to the device, then delete it.

${CONFIG_HELP}
      --allow LIST       upstreams that the device may reach, by name
      --mode MODE        keys, keys+psk, psk or ticket (default: gateway.toml)
      --with-psk         the same as --mode keys+psk
      --suite SUITE      25519 or p256
      --expires WHEN     1y, 90d, or a date
      --not-before WHEN  the same
      --address H:P      where the device finds the gateway; may be repeated
      --id HEX           device id, ${ID_MIN}..${ID_MAX} bytes (default: 8 random ones)
      --record-max N, --window-device N, --window-gateway N, --streams N
                         limits in bytes, and streams at once
  -o, --output FILE      default: NAME.pairing.json, .bin or .h; "-" is stdout and needs --show-secrets
      --format FORMAT    json (hawser connect), bin (docs/SPEC.md 4.1: what a production line writes into flash), or
                         c (the same bytes as an array, for a program built for one device)
      --replace          pair the device of this name anew: the old pairing ends for good
      --json             print what was made (no secrets) as JSON`;

type Values = {
  [K in keyof typeof OPTIONS]?: (typeof OPTIONS)[K] extends { multiple: true }
    ? string[]
    : (typeof OPTIONS)[K]['type'] extends 'boolean'
      ? boolean
      : string;
};

/** What --format may say: the suffix of the file, and its content. */
const FORMATS = {
  json: { suffix: 'json', form: (_engine: Engine, { device }: NewPairing) => pairingToJson(device) },
  bin: { suffix: 'bin', form: (_engine: Engine, { device }: NewPairing) => encodePairing(device) },
  c: {
    suffix: 'h',
    form: (engine: Engine, { device, gateway }: NewPairing) => pairingToC(engine, device, gateway.record.name),
  },
} satisfies Record<string, { suffix: string; form: (engine: Engine, pairing: NewPairing) => string | Buffer }>;

function checkName(name: string): string {
  if (/^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,63}$/u.test(name)) return name;
  throw new UsageError(
    `NAME: ${JSON.stringify(name)} is not 1..64 letters, digits, dots, dashes, blanks, the first a letter or digit`,
  );
}

function allowed(values: Values, upstreams: Record<string, string>): string[] {
  const names = [...new Set((values.allow ?? []).flatMap((list) => list.split(',')).filter((name) => name !== ''))];
  if (names.length === 0) throw new UsageError('--allow: name at least one upstream');
  const known = Object.keys(upstreams);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new UsageError(`--allow: gateway.toml has no upstream ${JSON.stringify(unknown)}${didYouMean(unknown, known)}`);
}

function modeOf(values: Values, fallback: ModeName): Mode {
  const name =
    values.mode === undefined
      ? values['with-psk']
        ? 'keys'
        : fallback
      : oneOf('--mode', values.mode, Object.keys(MODE_NAMES) as ModeName[]);
  const mode = MODE_NAMES[name];
  if (!values['with-psk']) return mode;
  if (!hasKeys(mode)) throw new UsageError(`--with-psk goes with mode keys, not ${name}`);
  return Mode.KeysPsk;
}

function suiteOf(values: Values, mode: Mode, fallback: '25519' | 'p256'): PairOptions['suite'] {
  if (mode !== Mode.Ticket) return SUITE_NAMES[oneOf('--suite', values.suite ?? fallback, ['25519', 'p256'])];
  if (values.suite !== undefined) throw new UsageError('--suite: mode ticket has none');
  return SUITE_NAMES.none;
}

function idOf(values: Values): Uint8Array | undefined {
  if (values.id === undefined) return undefined;
  if (!/^([0-9a-fA-F]{2}){4,32}$/.test(values.id))
    throw new UsageError(`--id: not ${ID_MIN * 2}..${ID_MAX * 2} hex digits`);
  return Buffer.from(values.id, 'hex');
}

function optionsOf(name: string, values: Values, { config }: Operator): PairOptions {
  const defaults = config.pairing;
  const mode = modeOf(values, defaults.mode);
  const id = idOf(values);
  const notBefore = moment('--not-before', values['not-before']);
  const expiry = moment('--expires', values.expires);
  if (expiry !== undefined && expiry <= Math.max(Date.now(), notBefore ?? 0))
    throw new UsageError('--expires: that time is over, or before --not-before');
  return {
    name,
    mode,
    suite: suiteOf(values, mode, defaults.suite)!,
    upstreams: allowed(values, config.upstreams),
    addresses: (values.address ?? defaults.addresses).map((text) => address('--address', text)),
    recordMax: wholeNumber('--record-max', values['record-max'], ...RANGES.recordMax) ?? defaults.record_max,
    windowDevice:
      wholeNumber('--window-device', values['window-device'], ...RANGES.windowDevice) ?? defaults.window_device,
    windowGateway:
      wholeNumber('--window-gateway', values['window-gateway'], ...RANGES.windowGateway) ?? defaults.window_gateway,
    streams: wholeNumber('--streams', values.streams, 1, 128) ?? defaults.streams,
    ...(id && { id }),
    ...(notBefore !== undefined && { notBefore }),
    ...(expiry !== undefined && { expiry }),
  };
}

/** The device of that name, if any, and whether it may be replaced. */
async function replaced(name: string, values: Values, { store }: Operator): Promise<Uint8Array | undefined> {
  for await (const { record } of store.list()) {
    if (record.name !== name) continue;
    if (values.replace) return record.id;
    throw new UsageError(
      `a device is called ${JSON.stringify(name)} already: choose another name, or --replace to pair it anew`,
    );
  }
  return undefined;
}

/** File first, store second: a device that the store knows must not be without its half. */
async function save(
  pairing: NewPairing,
  output: string,
  form: string | Buffer,
  operator: Operator,
  replace: boolean,
): Promise<void> {
  if (output !== '-') await writeSecretFile(output, form);
  try {
    await operator.store.add(pairing.gateway, { replace });
  } catch (error) {
    if (output !== '-') await rm(output);
    throw error;
  }
}

export const pair = command({
  name: 'pair',
  summary: 'make a pairing for a device',
  usage: USAGE,
  options: OPTIONS,
  positionals: [1, 1],
  async run(values, [word], io) {
    const name = checkName(word!);
    const format =
      FORMATS[oneOf('--format', values.format ?? 'json', Object.keys(FORMATS) as (keyof typeof FORMATS)[])];
    const output = values.output ?? `${name}.pairing.${format.suffix}`;
    if (output === '-' && !values['show-secrets'])
      throw new UsageError('--output -: this prints secrets; add --show-secrets if you mean it');
    if (output === '-' && values.json) throw new UsageError('--json and --output - both want stdout');
    return withOperator(values.config, io, async (operator) => {
      const old = await replaced(name, values, operator);
      const options = optionsOf(name, values, operator);
      const pairing = createPairing(
        operator.engine,
        operator.identity,
        old && !options.id ? { ...options, id: old } : options,
      );
      const form = format.form(operator.engine, pairing);
      await save(pairing, output, form, operator, values.replace === true);
      if (old && options.id && idText(old) !== idText(options.id)) await operator.store.remove(old);
      const { device } = pairing;
      const made = {
        name,
        device: idText(device.id),
        mode: modeName(device.mode),
        suite: suiteName(device.suite),
        fingerprint: deviceFingerprint(operator.engine, device),
        upstreams: options.upstreams,
        file: output,
      };
      io.out(output === '-' ? form : values.json ? json(made) : `${output}\n`);
      io.note(
        `${name}: device ${made.device}, mode ${made.mode}${device.mode === Mode.Ticket ? '' : `, suite ${made.suite}`}, allowed: ${made.upstreams.join(', ')}`,
      );
      io.note(
        `fingerprint ${made.fingerprint} (${format === FORMATS.c ? 'the file shows' : "hawser inspect on the device's file shows"} the same)`,
      );
      if (device.addresses.length === 0)
        io.note('the pairing names no address: give --address, or tell the device with connect --gateway');
      return 0;
    });
  },
});
