/** The builds of the addon that these tests run on: those of HAWSER_TEST_ENGINES, else both. */

import type { Engine } from '../../lib/engine.js';
import { createNativeEngine } from '../../lib/engine/native.js';
import { loadAddon, type Addon, type Port } from '../../lib/engine/native/addon.js';
import { engineRows } from '../suite/engines.js';

export const ports: readonly Port[] = (['openssl', 'mbedtls'] as const).filter((port) =>
  engineRows.some((row) => row.name === `native-${port}`),
);

/** Runs `body` once per port; what it is given works in hooks and tests. */
export function forEachPort(title: string, body: (engine: () => Engine, addon: () => Addon, port: Port) => void): void {
  for (const port of ports)
    describe(`${title} [native-${port}]`, function () {
      this.timeout(60_000);
      body(
        () => createNativeEngine(port),
        () => loadAddon(port),
        port,
      );
    });
}
