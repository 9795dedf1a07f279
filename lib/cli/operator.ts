/** What the operator's commands share: the configuration, the gateway's identity, the store, finding a device. */

import { selectEngine } from '../engine/select.js';
import { CONFIG_NAME, readConfig, readIdentity } from '../config.js';
import type { GatewayConfig } from '../config.js';
import type { Engine } from '../engine.js';
import { didYouMean } from '../nearest.js';
import { lmdbStore } from '../store/lmdb.js';
import type { GatewayIdentity, Store, StoreEntry } from '../types.js';
import { UsageError } from './command.js';
import type { Io } from './io.js';

export const CONFIG_OPTION = { config: { type: 'string', short: 'c' } } as const;
export const CONFIG_HELP = `  -c, --config FILE      default: HAWSER_CONFIG, or ./${CONFIG_NAME}`;

export interface Operator {
  config: GatewayConfig;
  engine: Engine;
  identity: GatewayIdentity;
  store: Store;
}

/** The file that was named by option or environment, else the usual one here. */
export function configFile(file: string | undefined, io: Io): string {
  return file ?? io.env['HAWSER_CONFIG'] ?? CONFIG_NAME;
}

/** Opens all of it for the length of one task. */
export async function withOperator<T>(
  file: string | undefined,
  io: Io,
  task: (operator: Operator) => Promise<T>,
): Promise<T> {
  const config = await readConfig(configFile(file, io));
  const engine = selectEngine(config.gateway.engine === 'auto' ? {} : { engine: config.gateway.engine });
  const identity = await readIdentity(config, engine);
  const store = await lmdbStore({
    path: config.files.store,
    revocations: config.files.revocations,
    sealingKey: identity.sealingKey,
  });
  try {
    return await task({ config, engine, identity, store });
  } finally {
    await store.close();
  }
}

export const idText = (id: Uint8Array): string => Buffer.from(id).toString('hex');

/** By name, or by the hex digits of the id. */
export async function findDevice(store: Store, wanted: string): Promise<StoreEntry> {
  const named: StoreEntry[] = [];
  const names: string[] = [];
  for await (const entry of store.list()) {
    if (idText(entry.record.id) === wanted.toLowerCase()) return entry;
    if (entry.record.name === wanted) named.push(entry);
    if (entry.record.name !== '') names.push(entry.record.name);
  }
  if (named.length === 1) return named[0]!;
  if (named.length > 1)
    throw new UsageError(`${named.length} devices are called ${JSON.stringify(wanted)}: say which by its id`);
  throw new UsageError(`no device is called ${JSON.stringify(wanted)}${didYouMean(wanted, names)}`);
}

/** Why a device is not served now. */
export function stateOf({ record }: StoreEntry, now = Date.now()): 'valid' | 'revoked' | 'expired' | 'not yet valid' {
  if (record.revoked !== undefined) return 'revoked';
  if (record.expiry !== undefined && record.expiry <= now) return 'expired';
  if (record.notBefore !== undefined && record.notBefore > now) return 'not yet valid';
  return 'valid';
}
