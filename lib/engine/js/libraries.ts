/**
 * The libraries of the JS engine's cryptography, and the one file of it that knows Node. They are loaded when they are first used: where the native engine serves they never are, which spares
 * a process 60 ms, and 1.7 MB of heap that each of its garbage collections would look through.
 */

import { createRequire } from 'node:module';
import type * as Aes from '@noble/ciphers/aes.js';
import type * as Nist from '@noble/curves/nist.js';
import type * as Hmac from '@noble/hashes/hmac.js';
import type * as Sha2 from '@noble/hashes/sha2.js';
import type Nacl from 'tweetnacl';
import { HawserError } from '../../errors.js';

const require = createRequire(import.meta.url);

function lazy<Library>(name: string): () => Library {
  let library: Library | undefined;
  return () => (library ??= load(name) as Library);
}

function load(name: string): unknown {
  try {
    return require(name);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HawserError('ERR_HAWSER_ENGINE', `js does not load: ${name}: ${reason}`, { cause });
  }
}

export const aes = lazy<typeof Aes>('@noble/ciphers/aes.js');
export const nist = lazy<typeof Nist>('@noble/curves/nist.js');
export const hmac = lazy<typeof Hmac>('@noble/hashes/hmac.js');
export const sha2 = lazy<typeof Sha2>('@noble/hashes/sha2.js');
export const nacl = lazy<typeof Nacl>('tweetnacl');
