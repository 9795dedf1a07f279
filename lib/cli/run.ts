/** The table of subcommands, and what becomes of their errors. */

import { existsSync, readFileSync } from 'node:fs';
import { CONFIG_NAME } from '../config.js';
import { HawserError } from '../errors.js';
import type { HawserErrorCode } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { UsageError } from './command.js';
import type { Command } from './command.js';
import { printable } from './io.js';
import type { Io } from './io.js';
import { connect } from './connect.js';
import { devices } from './devices.js';
import { gateway } from './gateway.js';
import { init } from './init.js';
import { inspect } from './inspect.js';
import { pair } from './pair.js';
import { restore } from './restore.js';
import { revoke } from './revoke.js';
import { status } from './status.js';

const COMMANDS: readonly Command[] = [init, pair, revoke, devices, gateway, connect, inspect, status, restore];

/** Exit statuses. */
const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

function help(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `usage: hawser COMMAND [...]\n\n${lines.join('\n')}\n\nhawser COMMAND --help tells more. Exit status: 0 done, 1 failed, 2 a mistake in arguments or files.\n`;
}

/** The user's errors: what they wrote or what is in a file they named. */
const MISTAKES: readonly HawserErrorCode[] = [
  'ERR_HAWSER_CONFIG',
  'ERR_HAWSER_FORMAT',
  'ERR_HAWSER_ARG',
  'ERR_HAWSER_ENGINE',
];

const isMistake = (error: unknown): boolean =>
  error instanceof UsageError || (error instanceof HawserError && MISTAKES.includes(error.code));

/** The error of the operating system with the file or address it is about. */
function describe(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0]! : String(error);
}

/** Whoever types only the name sees how things stand, and before there is anything, what can be done. */
const alone = (io: Io): string => (io.env['HAWSER_CONFIG'] || existsSync(CONFIG_NAME) ? status.name : '--help');

/** The package's, two folders above this file in source and in the built form. */
function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return `${version}\n`;
}

export async function run(argv: string[], io: Io): Promise<number> {
  const [name = alone(io), ...args] = argv;
  if (name === '--help' || name === '-h' || name === 'help') {
    io.out(help());
    return EXIT.ok;
  }
  if (name === '--version') {
    io.out(version());
    return EXIT.ok;
  }
  try {
    return await dispatch(name, args, io);
  } catch (error) {
    io.note(`${io.colors.red('hawser:')} ${printable(describe(error))}`);
    if (io.env['HAWSER_DEBUG'] && error instanceof Error) io.note(String(error.stack));
    return isMistake(error) ? EXIT.usage : EXIT.failed;
  }
}

async function dispatch(name: string, args: string[], io: Io): Promise<number> {
  const found = COMMANDS.find((command) => command.name === name);
  if (!found) {
    throw new UsageError(
      `unknown command ${JSON.stringify(name)}${didYouMean(
        name,
        COMMANDS.map((command) => command.name),
      )}`,
    );
  }
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (options.includes('--help') || options.includes('-h')) {
    io.out(`usage: hawser ${name} ${found.usage}\n`);
    return EXIT.ok;
  }
  return found.main(args, io);
}
