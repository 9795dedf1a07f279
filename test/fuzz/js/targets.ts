/** The fuzz targets of the JavaScript side; tools/fuzz.mjs runs them beside those of the C core. */

import { boundary } from './addon.js';
import { accept, device, frames } from './engine.js';
import { config, inspect, pairing, state, store } from './files.js';
import type { Target } from './target.js';

export const targets: Readonly<Record<string, Target>> = {
  'js-accept': accept,
  'js-addon': boundary,
  'js-config': config,
  'js-device': device,
  'js-frames': frames,
  'js-inspect': inspect,
  'js-pairing': pairing,
  'js-state': state,
  'js-store': store,
};
