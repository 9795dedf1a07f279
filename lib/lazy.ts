/** What is made, or loaded, when it is first asked for: a process has on its heap only what it uses, and each of its garbage collections looks through that. */

import { createRequire } from 'node:module';

/** The same value from the first call on. One that cannot be made throws at each. */
export function lazy<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** For libraries that are not modules of ECMAScript alone. */
export const require = createRequire(import.meta.url);
