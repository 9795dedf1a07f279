/**
 * The gateway's configuration: one `gateway.toml`, its keys and its sealing key in files of their own beside it.
 * What cannot be used is refused with file, line, field and reason (ERR_HAWSER_CONFIG).
 */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TomlError, parse } from 'smol-toml';
import * as v from 'valibot';
import { checkUpstreamName, ID_MAX, ID_MIN } from './pairing/terms.js';
import { OPTIONS } from './config/options.js';
import type { TableName, TableValues } from './config/options.js';
import { lineOf } from './config/lines.js';
import { upstreamFault } from './config/upstream.js';
import { HawserError } from './errors.js';
import { didYouMean } from './nearest.js';

export { parseDuration } from './config/options.js';
export { createIdentityFiles, readIdentity } from './config/keys.js';

export interface GatewayConfig extends TableValues {
  /** The file's path. */
  file: string;
  /** Gateway id, 4..32 bytes. */
  id: Uint8Array;
  /** Name to `tcp://host:port`, `udp://host:port` or `unix:/path`. */
  upstreams: Record<string, string>;
}

export const CONFIG_NAME = 'gateway.toml';

/** One message: `FILE:LINE: table.key: reason`. */
function configError(file: string, text: string, path: string[], reason: string): HawserError {
  const line = lineOf(text, path);
  return new HawserError(
    'ERR_HAWSER_CONFIG',
    `${file}${line === undefined ? '' : `:${line}`}: ${path.join('.')}: ${reason}`,
  );
}

type Fail = (path: string[], reason: string) => HawserError;
type Table = Record<string, unknown>;

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

function parseToml(file: string, text: string): Table {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new HawserError('ERR_HAWSER_CONFIG', `${file}:${error.line}: ${reason}`, { cause: error });
  }
}

function checkKeys(table: Table, path: string[], valid: string[], fail: Fail): void {
  for (const key of Object.keys(table)) {
    if (!valid.includes(key))
      throw fail([...path, key], `unknown ${path.length > 0 ? 'key' : 'key or table'}${didYouMean(key, valid)}`);
  }
}

/** One table's options, checked, with defaults for what is not there. */
function readTable(name: TableName, document: Table, fail: Fail): Record<string, unknown> {
  const given = document[name] ?? {};
  if (!isTable(given)) throw fail([name], 'not a table');
  const options: Record<string, { schema: v.GenericSchema; value: unknown }> = OPTIONS[name];
  checkKeys(given, [name], Object.keys(options), fail);
  const out: Record<string, unknown> = {};
  for (const [key, { schema, value }] of Object.entries(options)) {
    const result = v.safeParse(schema, given[key] ?? value, { abortEarly: true });
    if (!result.success) {
      const item = result.issues[0].path?.map((part) => `[${String(part.key)}]`).join('') ?? '';
      throw fail([name, key], `${item && `${item} `}${JSON.stringify(given[key])} is ${result.issues[0].message}`);
    }
    out[key] = result.output;
  }
  return out;
}

function readUpstreams(document: Table, fail: Fail): Record<string, string> {
  const given = document['upstreams'] ?? {};
  if (!isTable(given)) throw fail(['upstreams'], 'not a table');
  // An upstream may have any name, that of a property of all objects too.
  const upstreams = Object.create(null) as Record<string, string>;
  for (const [name, target] of Object.entries(given)) {
    const path = ['upstreams', name];
    try {
      checkUpstreamName(name, name);
    } catch {
      throw fail(path, 'not a name of 1..32 characters a-z 0-9 . _ -');
    }
    const fault = typeof target === 'string' ? upstreamFault(target) : 'not a string';
    if (fault) throw fail(path, `${JSON.stringify(target)}: ${fault}`);
    upstreams[name] = target as string;
  }
  return upstreams;
}

function readId(document: Table, fail: Fail): Uint8Array {
  const id = document['id'];
  if (id === undefined) throw fail(['id'], 'missing: the hex digits that `hawser init` wrote');
  const reason = `not a string of ${ID_MIN * 2}..${ID_MAX * 2} hex digits`;
  if (typeof id !== 'string' || !/^([0-9a-fA-F]{2}){4,32}$/.test(id)) throw fail(['id'], reason);
  return Buffer.from(id, 'hex');
}

/** @throws ERR_HAWSER_CONFIG. `file` is named in errors and anchors relative paths. */
export function parseConfig(text: string, file: string): GatewayConfig {
  const document = parseToml(file, text);
  const fail: Fail = (path, reason) => configError(file, text, path, reason);
  const tables = Object.keys(OPTIONS) as TableName[];
  checkKeys(document, [], ['id', 'upstreams', ...tables], fail);
  const values = Object.fromEntries(
    tables.map((name) => [name, readTable(name, document, fail)]),
  ) as unknown as TableValues;
  const folder = dirname(resolve(file));
  const files = Object.fromEntries(Object.entries(values.files).map(([key, path]) => [key, resolve(folder, path)]));
  return {
    ...values,
    files: files as TableValues['files'],
    file,
    id: readId(document, fail),
    upstreams: readUpstreams(document, fail),
  };
}

/** @throws ERR_HAWSER_CONFIG. */
export async function readConfig(file: string): Promise<GatewayConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hint =
      code === 'ENOENT'
        ? 'no such file; `hawser init` writes one'
        : code === 'EACCES'
          ? 'may not be read'
          : String(code);
    throw new HawserError('ERR_HAWSER_CONFIG', `${file}: ${hint}`, { cause: error });
  }
  return parseConfig(text, file);
}

/** The file that `hawser init` writes: every option as a comment with its real default. */
export function configTemplate(id: Uint8Array): string {
  const lines = [
    '# hawser gateway. Every option is here; what is commented out stands at its default.',
    '',
    '# Names this gateway, or cluster, to its devices. All pairings hang on it: never change it.',
    `id = "${Buffer.from(id).toString('hex')}"`,
    '',
    '# What devices may be allowed to reach, by name: tcp://host:port, udp://host:port or unix:/path.',
    '[upstreams]',
    '# mqtt = "tcp://127.0.0.1:1883"',
    '# http = "tcp://127.0.0.1:8080"',
  ];
  for (const [table, options] of Object.entries(OPTIONS)) {
    lines.push('', `[${table}]`);
    for (const [key, { value, comment }] of Object.entries(options)) {
      lines.push(`# ${comment}`, `# ${key} = ${JSON.stringify(value)}`);
    }
  }
  return lines.join('\n') + '\n';
}
