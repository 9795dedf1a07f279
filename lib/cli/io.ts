/** What a command may touch of the outside, so that tests can stand in for it. */

import pc from 'picocolors';

export interface Io {
  /** Data: what a script reads. */
  out(data: string | Uint8Array): void;
  /** For people, a line at a time. */
  note(text: string): void;
  env: NodeJS.ProcessEnv;
  /** Colours for `note` and for tables; plain when the reader is no terminal or NO_COLOR is set. */
  colors: Colors;
}
export type Colors = ReturnType<typeof pc.createColors>;

/** https://no-color.org: any value that is not empty turns colours off. */
export function wantsColors(env: NodeJS.ProcessEnv, terminal: boolean | undefined): boolean {
  return terminal === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

export function processIo(): Io {
  return {
    out: (data) => void process.stdout.write(data),
    note: (text) => void process.stderr.write(`${text}\n`),
    env: process.env,
    colors: pc.createColors(wantsColors(process.env, process.stdout.isTTY && process.stderr.isTTY)),
  };
}

/** Takes control characters out of what came from a file or the network, so that it cannot drive a terminal. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** Columns side by side, the first row being the heading. */
export function table(rows: string[][], colors: Colors): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  return rows.map((row, i) => (i === 0 ? colors.bold(line(row)) : line(row)) + '\n').join('');
}

/** Version of the layout of all --json output and event lines; grows when a reader must know. */
export const JSON_VERSION = 1;

export function json(value: object): string {
  return `${JSON.stringify({ version: JSON_VERSION, ...value }, null, 2)}\n`;
}
