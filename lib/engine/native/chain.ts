/** The store's half of a resumption chain over the addon. */

import type { Chain, IndexedTicket, Position } from '../../engine.js';
import { badArgument, check, type RawChain } from './addon.js';
import type { Native } from './context.js';

export const chainNames = ['chain.id', 'chain.b', 'chain.i', 'chain.r', 'chain.next'] as const;
const ROW = 16;
/** Blocks ahead that the addon derives at most. */
const AHEAD_MAX = 4096;

export function rawChain(chain: Chain): RawChain {
  if (typeof chain !== 'object' || chain === null) throw badArgument('chain is not an object');
  return [chain.id, chain.b, chain.i, chain.r, chain.next];
}

export function chainStart({ addon, scratch }: Native, b0: Uint8Array): Chain {
  const [id, r, next] = [new Uint8Array(8), new Uint8Array(32), new Uint8Array(32)];
  check(addon.chainStart(b0, id, r, next), 'chainStart', ['b0']);
  return { id, b: scratch.header[0] ?? 0, i: scratch.header[1] ?? 0, r, next };
}

export function chainMove({ addon, scratch }: Native, chain: Chain, to: Position): Chain {
  const [id, r, next] = [new Uint8Array(8), new Uint8Array(32), new Uint8Array(32)];
  if (typeof to !== 'object' || to === null) throw badArgument('chainMove: to is not an object');
  const result = addon.chainMove(...rawChain(chain), to.b, to.i, id, r, next);
  check(result, 'chainMove', [...chainNames, 'to.b', 'to.i']);
  return { id, b: scratch.header[0] ?? 0, i: scratch.header[1] ?? 0, r, next };
}

export function chainTickets({ addon }: Native, chain: Chain, ahead: number): IndexedTicket[] {
  if (!Number.isInteger(ahead) || ahead < 0 || ahead > AHEAD_MAX) throw badArgument(`ahead is not 0..${AHEAD_MAX}`);
  const rows = new Uint8Array(ROW * (2 + ahead));
  const words = new Uint32Array(rows.buffer); // in the machine's order, as the addon writes them
  const count = check(addon.chainTickets(...rawChain(chain), ahead, rows), 'chainTickets', chainNames);
  return Array.from({ length: count }, (_, row) => ({
    b: words[row * 4] ?? 0,
    i: words[row * 4 + 1] ?? 0,
    ticket: rows.slice(row * ROW + 8, row * ROW + ROW),
  }));
}
