/** Which engine serves: the native one where it loads, else pure JS; or the one that was asked for. */

import { debuglog } from 'node:util';
import type { Engine } from '../engine.js';
import { HawserError } from '../errors.js';
import { createJsEngine } from './js/index.js';
import { createNativeEngine } from './native.js';

const makers = {
  native: () => createNativeEngine('openssl'),
  'native-mbedtls': () => createNativeEngine('mbedtls'),
  js: () => createJsEngine(),
} as const;

export type EngineName = keyof typeof makers;

export interface SelectOptions {
  /** 'native', 'native-mbedtls' or 'js'; without it the environment's HAWSER_ENGINE; without that the best that loads. */
  engine?: string | undefined;
}

const debug = debuglog('hawser');
let automatic: Engine | undefined;

/**
 * Throws ERR_HAWSER_ENGINE for a name that is not in the list, and where the engine that was asked for cannot be
 * loaded: a forced choice never falls back. NODE_DEBUG=hawser shows what was picked, and why not native.
 */
export function selectEngine(options: SelectOptions = {}): Engine {
  if (options.engine !== undefined) return forced(options.engine, 'option engine');
  const wanted = process.env.HAWSER_ENGINE;
  if (wanted !== undefined && wanted !== '') return forced(wanted, 'HAWSER_ENGINE');
  automatic ??= best();
  return automatic;
}

function forced(name: string, source: string): Engine {
  if (!Object.hasOwn(makers, name)) {
    const valid = Object.keys(makers).join(', ');
    throw new HawserError('ERR_HAWSER_ENGINE', `${source}: no engine is called '${String(name)}'; valid: ${valid}`);
  }
  const engine = makers[name as EngineName]();
  debug('engine %s (%s)', engine.name, source);
  return engine;
}

function best(): Engine {
  const foreign = foreignRuntime(process.versions);
  if (foreign !== undefined) return fallBack(`not used under ${foreign}`);
  try {
    const engine = makers.native();
    debug('engine %s', engine.name);
    return engine;
  } catch (error) {
    if (!(error instanceof HawserError)) throw error;
    return fallBack(error.message);
  }
}

function fallBack(reason: string): Engine {
  debug('engine js: slower than the native one (%s)', reason);
  return makers.js();
}

/** The addon uses the OpenSSL inside Node; these have another library, or none, where Node has it. */
function foreignRuntime(versions: NodeJS.ProcessVersions): string | undefined {
  if (versions.electron !== undefined) return 'Electron';
  if (versions.bun !== undefined) return 'Bun';
  return undefined;
}
