/** Traffic keys as lines of a log that a dissector reads: what `keylog` is in node:tls. */

import type { SessionCore } from './engine.js';

/** None unless the engine was created with keylog. */
export function keylogLines(core: SessionCore): Buffer[] {
  const keys = core.keys();
  if (!keys) return [];
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const line = (label: string, key: Uint8Array): Buffer => Buffer.from(`${label} ${hex(core.name)} ${hex(key)}\n`);
  return [line('HAWSER_D2G', keys.d2g), line('HAWSER_G2D', keys.g2d)];
}
