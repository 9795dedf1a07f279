/** Whether a text names an upstream. */

import { parseAddress } from '../address.js';

/** What is wrong with it; undefined: nothing. */
export function upstreamFault(target: string): string | undefined {
  if (target.startsWith('unix:')) {
    return target.startsWith('unix:/') && !target.includes('\0') ? undefined : 'a unix: path must be absolute';
  }
  const match = /^(tcp|udp):\/\/(.+)$/.exec(target);
  if (!match) return 'not tcp://host:port, udp://host:port or unix:/path';
  return parseAddress(match[2]!) ? undefined : `${match[2]} is not host:port`;
}
