/**
 * The addon's boundary: every function that it exports, with anything for arguments, in any order. It answers with a number, or
 * throws a TypeError; it never crashes, and never writes where it was not told to.
 */

import { createRequire } from 'node:module';
import { must, Source, type Target } from './target.js';

type Raw = Record<string, (...args: unknown[]) => unknown>;
type Class = new (...args: unknown[]) => Raw;

const file = new URL('../../../build/native/hawser-openssl.node', import.meta.url).pathname;
const require = createRequire(import.meta.url);
const classes = ['Secret', 'Device', 'Gateway', 'Accept'] as const;
const GUARD = 16;

let loaded: Record<string, unknown> | undefined;
const addon = (): Record<string, unknown> => (loaded ??= require(file) as Record<string, unknown>);

/** Functions of the addon, and methods of its classes, by name. */
function functions(): string[] {
  return Object.keys(addon()).filter((name) => typeof addon()[name] === 'function' && !(classes as readonly string[]).includes(name)).sort(); // prettier-ignore
}
function methods(name: string): string[] {
  const { prototype } = addon()[name] as Class;
  return Object.getOwnPropertyNames(prototype).filter((key) => key !== 'constructor').sort(); // prettier-ignore
}

const NUMBERS = [0, 1, 2, 3, 4, 16, 64, 128, 255, 256, 4096, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 48, 2 ** 53, -1, 0.5, NaN, Infinity, -0]; // prettier-ignore
const LENGTHS = [0, 1, 4, 7, 8, 16, 31, 32, 33, 48, 64, 65, 98, 160, 256, 1024, 5000, 20000];

/** Bytes between guards, which nobody may write to. */
function guarded(length: number, fill: number, guards: Uint8Array[]): Uint8Array {
  const memory = new Uint8Array(length + 2 * GUARD).fill(0xa5);
  guards.push(memory.subarray(0, GUARD), memory.subarray(GUARD + length));
  return memory.subarray(GUARD, GUARD + length).fill(fill);
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(32);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

/** An object that calls back into the addon, should it ever be asked for a value. */
const reentrant = (pool: readonly Raw[]): object => ({
  valueOf: () => pool[0]?.wipe?.() ?? 1,
  toString: () => {
    pool[0]?.wipe?.();
    return 'mqtt';
  },
  get length() {
    pool[0]?.wipe?.();
    return 8;
  },
});

function value(source: Source, pool: readonly Raw[], guards: Uint8Array[]): unknown {
  const kind = source.byte() % 16;
  if (kind < 4) return NUMBERS[source.byte() % NUMBERS.length];
  if (kind < 8) return guarded(LENGTHS[source.byte() % LENGTHS.length] ?? 0, source.byte(), guards);
  if (kind === 8) return source.byte();
  if (kind === 9) return (source.byte() & 1) === 1;
  if (kind === 10) return pool[source.byte() % Math.max(1, pool.length)];
  if (kind === 11) return undefined;
  if (kind === 12) return source.pick(['', 'mqtt', 'a'.repeat(32), 'a'.repeat(33), 'Ü', 'x\0y', '\ud800']);
  if (kind === 13) return source.pick([detached, () => new Uint8Array(new SharedArrayBuffer(32)), () => new Float64Array(4), () => new DataView(new ArrayBuffer(32)), () => Buffer.alloc(32, 1)])(); // prettier-ignore
  if (kind === 14) return source.pick([null, {}, [], Symbol.iterator, 10n, () => 1, new Proxy({}, {})]);
  return reentrant(pool);
}

/** A pairing as the addon takes it, so that objects come into being that are more than refused. */
function pairing(source: Source, pool: readonly Raw[]): unknown[] {
  const secret = pool.find(
    (one) => 'init' in one && Object.getPrototypeOf(one) === (addon().Secret as Class).prototype,
  );
  const mode = source.byte() & 1 ? 4 : 3;
  const none: undefined[] = [undefined, undefined];
  const id = Uint8Array.of(1, 2, 3, 4);
  const head = [mode, mode === 4 ? 0 : 1, id, id, 64 + source.byte(), 4096, 4096, 9, mode === 4 ? 2 ** 32 - 2 : 9];
  return [...head, ...none, undefined, mode === 3 ? secret : undefined, mode === 4 ? secret : undefined, ...none, undefined]; // prettier-ignore
}

function call(source: Source, pool: Raw[], guards: Uint8Array[]): unknown {
  const what = source.byte();
  if (what < 40) {
    pool.unshift(new (addon()[classes[what & 3] ?? 'Secret'] as Class)());
    return 0;
  }
  const many = (count: number): unknown[] => Array.from({ length: count }, () => value(source, pool, guards));
  if (what < 70) return (addon()[source.pick(functions())] as Raw[string])(...many(source.byte() % 14));
  const object = pool[source.byte() % Math.max(1, pool.length)];
  if (!object) return 0;
  const name = classes.find((each) => object instanceof (addon()[each] as Class)) ?? 'Secret';
  if (what < 110) return object.init?.(...(name === 'Secret' ? [guarded(32, source.byte(), guards)] : name === 'Accept' ? [1 + (source.byte() % 3)] : [1 + source.byte(), true, ...pairing(source, pool)])); // prettier-ignore
  const method = object[source.pick(methods(name))] as Raw[string];
  // Now and then as a method of an object that is not of its class.
  return what > 245 ? method.call(source.pick([...pool, {}]), ...many(3)) : method.call(object, ...many(source.byte() % 9)); // prettier-ignore
}

export const boundary: Target = {
  most: 400,
  seeds: () => [
    Buffer.from('00500020 01500001 48', 'hex'),
    Buffer.from(Array.from({ length: 120 }, (_, at) => (at * 37) & 255)),
    Buffer.from(Array.from({ length: 200 }, (_, at) => (at * 101 + 5) & 255)),
  ],
  run(input) {
    const source = new Source(input);
    const pool: Raw[] = [];
    const guards: Uint8Array[] = [];
    while (source.left > 0) {
      let result: unknown;
      try {
        result = call(source, pool, guards);
      } catch (error) {
        must(error instanceof TypeError, `the addon threw ${String(error)}`);
      }
      const known = result === undefined || typeof result === 'number' || Buffer.isBuffer(result); // lend() lends memory
      must(known, `the addon answered ${String(result)}`);
    }
    must(
      guards.every((guard) => guard.every((byte) => byte === 0xa5)),
      'the addon wrote beside a buffer',
    );
    for (const object of pool) object.wipe?.();
  },
};
