/**
 * The two engines of a comparison, fed with the same random bytes: the C core through an addon whose random source
 * follows from a seed (seeded.cc), and the JS engine, whose primitives are either its own or, a good deal faster, Node's.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Suite, type Engine } from '../../lib/engine.js';
import { HawserError } from '../../lib/errors.js';
import { Port } from '../../lib/engine/js/crypto.js';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { engineOver } from '../../lib/engine/native.js';
import type { Addon } from '../../lib/engine/native/addon.js';
import { agree, gcm, hmac, publicOf, sha256, ungcm } from '../suite/reference.js';

export type Side = 'native' | 'js';
export const sides: readonly Side[] = ['native', 'js'];

interface SeededAddon extends Addon {
  seed(number: number): void;
  restart(): void;
}

const file = new URL('../../build/native/hawser-seeded.node', import.meta.url);

function loadSeeded(): SeededAddon {
  if (!existsSync(file)) throw new Error('build it first: node tools/build-native.mjs --seeded');
  return createRequire(import.meta.url)(file.pathname) as SeededAddon;
}

/** mulberry32, a byte at a time, as in seeded.cc. */
export class Generator {
  #state = 1;

  seed(number: number): void {
    this.#state = number >>> 0;
  }

  /** 0 .. 2^32 - 1. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.word() >>> 24);
  }
}

/** The JS engine's port over node:crypto. The checks that SPEC 2 asks for stay the port's own. */
class NodePort extends Port {
  override sha256 = sha256;
  override hmac = hmac;
  override seal = gcm;

  override open(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < 16) return undefined;
    try {
      return ungcm(key, nonce, ad, sealed);
    } catch {
      return undefined;
    }
  }

  override public(suite: Suite, secret: Uint8Array): Uint8Array {
    return publicOf(suite, secret);
  }

  override dh(suite: Suite, secret: Uint8Array, peer: Uint8Array): Uint8Array {
    try {
      if (suite === Suite.P256 && peer[0] !== 4) throw new Error('not an uncompressed point');
      return agree(suite, secret, peer);
    } catch (cause) {
      throw new HawserError('ERR_HAWSER_AUTH', 'public key: refused', { cause });
    }
  }
}

export interface Engines extends Record<Side, Engine> {
  /** The random bytes of both from here on. */
  seed(number: number): void;
}

let addon: SeededAddon | undefined;

/** As of two processes that have just begun. */
export function freshEngines(primitives: 'own' | 'node'): Engines {
  addon ??= loadSeeded();
  const loaded = addon;
  const generator = new Generator();
  const hooks = { random: (length: number) => generator.bytes(length) };
  loaded.restart();
  return {
    native: engineOver(loaded),
    js: createJsEngine({}, hooks, primitives === 'own' ? new Port(hooks) : new NodePort(hooks)),
    seed: (number) => {
      generator.seed(number);
      loaded.seed(number);
    },
  };
}
