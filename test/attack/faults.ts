/** Seeded faults: one thing broken, for as long as a call takes, to see that a test goes red. */

import type { AcceptCore, DeviceCore, Engine, GatewayCore } from '../../lib/engine.js';
import { Port } from '../../lib/engine/js/crypto.js';

type Method = (...args: never[]) => unknown;

/** Runs `action` with one method of a class replaced; the replacement is given the original, bound. */
export function patched<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  replace: (original: T[K], self: T) => T[K],
  action: () => void,
): void {
  const undo = replaced(prototype, name, replace);
  try {
    action();
  } finally {
    undo();
  }
}

/** The same until the function is called that this returns. */
export function replaced<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  replace: (original: T[K], self: T) => T[K],
): () => void {
  const original = prototype[name];
  const put = (value: unknown): void => {
    Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
  };
  put(function (this: T, ...args: never[]): unknown {
    const bound = ((...rest: never[]) => (original as Method).apply(this, rest)) as T[K];
    return (replace(bound, this) as Method).apply(this, args);
  });
  return () => put(original);
}

/** The JS engine takes 32 zero bytes for the secret of an agreement that failed. */
export function failedAgreementsCount(action: () => void): void {
  const replaced = (agree: Port['dh']): Port['dh'] => {
    return (...args) => {
      try {
        return agree(...args);
      } catch {
        return new Uint8Array(32);
      }
    };
  };
  patched(Port.prototype, 'dh', replaced, action);
}

const targets = new WeakMap<object, object>();
const unwrapped = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? (targets.get(value) ?? value) : value;

/** An object that behaves as `target` but for the members given. What was wrapped here is handed on unwrapped. */
export function wrapped<T extends object>(target: T, members: (target: T) => Partial<T>): T {
  const own = members(target);
  const proxy = new Proxy(target, {
    get(object, key) {
      if (key in own) return Reflect.get(own, key) as unknown;
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => (value as (...all: unknown[]) => unknown).apply(object, args.map(unwrapped));
    },
  });
  targets.set(proxy, target);
  return proxy;
}

export interface Layers {
  engine?: (engine: Engine) => Partial<Engine>;
  device?: (core: DeviceCore) => Partial<DeviceCore>;
  accept?: (core: AcceptCore) => Partial<AcceptCore>;
  gateway?: (core: GatewayCore) => Partial<GatewayCore>;
}

/** An engine whose cores have members of their own: a tap, or a fault. */
export function layered(engine: Engine, layers: Layers): Engine {
  const { device = () => ({}), accept = () => ({}), gateway = () => ({}) } = layers;
  const wrapAccept = (core: AcceptCore): AcceptCore =>
    wrapped(core, (inner) => ({
      clone: () => {
        const { accept: copy, answer } = inner.clone();
        return { accept: wrapAccept(copy), answer };
      },
      ...accept(inner),
    }));
  return wrapped(engine, (inner) => ({
    device: (...args) => wrapped(inner.device(...args), device),
    accept: (...args) => wrapAccept(inner.accept(...args)),
    gateway: (...args) => wrapped(inner.gateway(...args), gateway),
    ...layers.engine?.(inner),
  }));
}
