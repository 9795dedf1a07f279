/**
 * The configuration, for programs that may never read one: a parser of TOML and a validator are loaded by the first call, and so are on no heap that does
 * not need them.
 */

import type { GatewayConfig } from '../config.js';
import type { Engine } from '../engine.js';
import type { GatewayIdentity } from '../types.js';

const loaded = () => import('../config.js');

/** What `gateway.toml` says, with defaults for what it does not. Rejects with ERR_HAWSER_CONFIG: file, line, field and reason. */
export async function readConfig(file: string): Promise<GatewayConfig> {
  return (await loaded()).readConfig(file);
}

/** Both files that the configuration names. Rejects with ERR_HAWSER_CONFIG: file, field and reason. */
export async function readIdentity(
  config: Pick<GatewayConfig, 'id' | 'files'>,
  engine: Engine,
): Promise<GatewayIdentity> {
  return (await loaded()).readIdentity(config, engine);
}

/** Makes new keys. Rejects with ERR_HAWSER_CONFIG if a file is there already. */
export async function createIdentityFiles(files: { keys: string; sealing_key: string }, engine: Engine): Promise<void> {
  return (await loaded()).createIdentityFiles(files, engine);
}
