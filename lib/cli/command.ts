/** What a subcommand is, and how its arguments are read. */

import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { parseAddress } from '../address.js';
import { parseDuration } from '../config.js';
import { didYouMean } from '../nearest.js';
import type { Address } from '../types.js';
import type { Io } from './io.js';

/** The user's mistake: one line, exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>;

export interface Command {
  name: string;
  summary: string;
  /** Arguments, then a description, as `--help` shows them. */
  usage: string;
  /** Resolves to the exit status. */
  main(args: string[], io: Io): Promise<number>;
}

interface Definition<O extends Options> {
  name: string;
  summary: string;
  usage: string;
  options: O;
  /** How many positional arguments there may be. */
  positionals: readonly [least: number, most: number];
  run(values: Parsed<O>['values'], positionals: string[], io: Io): Promise<number>;
}

export function command<const O extends Options>(definition: Definition<O>): Command {
  const { name, summary, usage, options, positionals } = definition;
  const main = async (args: string[], io: Io): Promise<number> => {
    const parsed = parse(args, options);
    const count = parsed.positionals.length;
    if (count < positionals[0]) throw new UsageError(`an argument is missing; hawser ${name} ${usage.split('\n')[0]}`);
    if (count > positionals[1])
      throw new UsageError(`one argument too many: ${JSON.stringify(parsed.positionals[positionals[1]])}`);
    return definition.run(parsed.values, parsed.positionals, io);
  };
  return { name, summary, usage, main };
}

function parse<O extends Options>(args: string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [, word] = /'(-[^' ,<]*)/.exec(message) ?? [];
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && word !== undefined) {
      const valid = Object.keys(options).map((option) => `--${option}`);
      throw new UsageError(`unknown option ${word}${didYouMean(word, valid)}`);
    }
    throw new UsageError(message.split('\n')[0]);
  }
}

/** One of some words. */
export function oneOf<T extends string>(option: string, value: string, valid: readonly T[]): T {
  if ((valid as readonly string[]).includes(value)) return value as T;
  throw new UsageError(
    `${option}: ${JSON.stringify(value)} is not one of ${valid.join(', ')}${didYouMean(value, valid)}`,
  );
}

export function wholeNumber(
  option: string,
  value: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (value === undefined) return undefined;
  const number = /^\d{1,12}$/.test(value) ? Number(value) : NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`${option}: ${JSON.stringify(value)} is not a whole number of ${least}..${most}`);
}

export function address(option: string, value: string): Address {
  const parsed = parseAddress(value);
  if (!parsed) throw new UsageError(`${option}: ${JSON.stringify(value)} is not host:port`);
  return parsed;
}

/** `90d` from now, or a date or time of ISO 8601 (UTC unless it says otherwise). Milliseconds since 1970. */
export function moment(option: string, value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  const duration = parseDuration(value);
  if (duration !== undefined) return now + duration;
  const iso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(value);
  const time = iso ? Date.parse(iso[1] !== undefined && iso[4] === undefined ? `${value}Z` : value) : NaN;
  if (Number.isNaN(time) || (iso && !sameDay(value, time, iso))) {
    throw new UsageError(
      `${option}: ${JSON.stringify(value)} is neither a duration like 90d or 1y nor a date like 2030-01-31`,
    );
  }
  return time;
}

/** Date.parse turns some days that do not exist into later ones. */
function sameDay(value: string, time: number, iso: RegExpExecArray): boolean {
  const zoned = iso[4] !== undefined && iso[4] !== 'Z';
  return zoned || new Date(time).toISOString().startsWith(value.slice(0, 10));
}
