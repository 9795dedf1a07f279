/**
 * What the code does not do, for the mutants that allow more than their rule: the model must not follow it, its mutant must. By the rules
 * alone: these traces are lenient about assertions.
 */

import type { Macros } from '../../tools/spin.mjs';
import type { Happened, ModelName, Trace } from './traces.js';

export interface Forbidden {
  trace: Trace;
  macros?: Macros;
}

const on = (name: string, cells: Omit<Happened, 'on'> = {}): Happened => ({ on: name, LENIENT: 1, ...cells });
const b1 = 4; // position (1, 0) as the models code it

/** From a message 1 to the first record: message and answer number n, where flash is to be written or not. */
function handshake(n: number, how: { writes: boolean; full?: boolean; node?: number }): Happened[] {
  const message = on(how.full ? 'FULL_NEW' : 'NEW');
  const flash = how.writes ? [on('WRITE', { PHASE: 4 }), on('WIPING', { PHASE: 5 })] : [];
  return [message, on('ARRIVES', { X: n, Y: how.node ?? 0, ANSWERED: n }), on('TAKE', { X: n }), ...flash, on('FIRST')];
}
const confirmed = (n: number): Happened[] => [on('RECORD', { X: n, ALIVE: n }), on('CONFIRM', { X: n })];
/** A session of chain.pml, from its message 1 until its link is left. */
const session = (n: number, writes = false): Happened[] => [
  ...handshake(n, { writes }),
  ...confirmed(n),
  on('LEAVE', { PHASE: 1 }),
];
/** A full handshake that replaces the chain, and is heard of. */
const born = (n: number): Happened[] => [
  ...handshake(n, { writes: true, full: true }),
  on('RECORD', { X: n, ALIVE: n, STORE_CHAIN: n }),
  on('HEAR'),
  on('LEAVE', { PHASE: 1 }),
];

const chain: Record<string, Forbidden> = {
  REBUILT_MESSAGE: { trace: [on('NEW', { POSITION: 0 }), on('NEW', { POSITION: 0, MESSAGES: 2 })] },
  LEFT_UNANSWERED: { trace: [...session(1, true), on('NEW', { POSITION: 1 }), on('NEW', { POSITION: 2 })] },
  BACK: {
    trace: [...session(1, true), ...session(2), on('NEW', { POSITION: 2 }), on('NEW', { POSITION: 1 })],
  },
  SECOND_ANSWER_TAKEN: {
    trace: [
      ...session(1, true),
      on('NEW'),
      on('ARRIVES', { X: 2, ANSWERED: 2 }),
      on('EXPIRE', { X: 2 }),
      on('ARRIVES', { X: 2, ANSWERED: 3 }),
      on('TAKE', { X: 2, PHASE: 5 }),
      on('TAKE', { X: 3, PHASE: 5 }),
    ],
  },
  OLD_LINK_KEPT: {
    trace: [
      ...session(1, true),
      on('NEW'),
      on('ARRIVES', { X: 2, ANSWERED: 2 }),
      on('TAKE', { X: 2, PHASE: 5 }),
      on('LEAVE'),
      on('NEW'),
      on('FIRST'),
    ],
  },
  RECORD_BEFORE_FLASH: {
    trace: [on('NEW'), on('ARRIVES', { X: 1, ANSWERED: 1 }), on('TAKE', { X: 1, PHASE: 3 }), on('FIRST')],
  },
  NAP_TWICE: {
    macros: { SLEEP: true },
    trace: [...session(1, true), on('SLEEPS'), on('NEW', { POSITION: 1 }), on('WAKES')],
  },
  ANSWER_BEFORE_PERSIST: {
    trace: [
      ...handshake(1, { writes: true }),
      on('LEAVE'),
      on('NEW', { POSITION: 1 }),
      on('ARRIVES', { X: 2, ANSWERED: 2, STORE_P: 0 }),
    ],
  },
  OLD_CANDIDATE_LIVES: {
    trace: [
      ...handshake(1, { writes: true }),
      on('LEAVE'),
      on('NEW', { POSITION: 1 }),
      on('ARRIVES', { X: 2, ANSWERED: 2, STORE_P: 1 }),
      on('RECORD', { X: 1, ALIVE: 1 }),
    ],
  },
  SPLIT_STORE_CLAIMS: {
    macros: { SPLIT: true, NODES: 2 },
    trace: [on('NEW', { DATUM: 1 }), on('ARRIVES', { X: 1, Y: 0, ANSWERED: 1, VERDICT: 1 })],
  },
  P_FALLS: {
    trace: [
      ...handshake(1, { writes: true }),
      on('RECORD', { X: 1, ALIVE: 1 }),
      on('LEAVE'),
      ...handshake(2, { writes: false }),
      ...confirmed(2),
      on('CONFIRM', { X: 1, STORE_P: 1 }),
    ],
  },
};

const full: Record<string, Forbidden> = {
  NO_BLOCK_LIMIT: {
    macros: { MAXBLOCKS: 1 },
    trace: [...born(1), on('CUT'), on('NEW', { POSITION: b1 })],
  },
  RECORD_BEFORE_FLASH: {
    trace: [on('FULL_NEW'), on('ARRIVES', { X: 1, Y: 0, ANSWERED: 1 }), on('TAKE', { X: 1, PHASE: 3 }), on('FIRST')],
  },
  RESUMED_UNHEARD: {
    trace: [...handshake(1, { writes: true, full: true }), on('LEAVE'), on('NEW', { POSITION: 0, CHAIN: 1 })],
  },
  // two gateway processes
  OLD_CHAIN_LIVES: {
    trace: [
      ...born(1),
      on('NEW', { POSITION: 0 }),
      on('ARRIVES', { X: 2, Y: 1, ANSWERED: 2 }),
      on('TAKE', { X: 2, PHASE: 5 }),
      on('FIRST'),
      on('LEAVE'),
      on('CUT'),
      ...handshake(3, { writes: true, full: true }),
      on('RECORD', { X: 3, ALIVE: 3 }),
      on('RECORD', { X: 2, ALIVE: 2 }),
    ],
  },
  CONFIRM_BRINGS_CHAIN_BACK: {
    trace: [
      ...born(1),
      ...handshake(2, { writes: false }),
      on('RECORD', { X: 2, ALIVE: 2 }),
      on('LEAVE'),
      on('CUT'),
      ...handshake(3, { writes: true, full: true }),
      on('RECORD', { X: 3, ALIVE: 3, STORE_CHAIN: 3 }),
      on('CONFIRM', { X: 2, STORE_CHAIN: 1 }),
    ],
  },
  WITHHELD_FULL_REPLACES: {
    trace: [
      ...handshake(1, { writes: true, full: true }),
      on('LEAVE'),
      ...handshake(2, { writes: true, full: true, node: 1 }),
      on('RECORD', { X: 2, STORE_CHAIN: 2 }),
      on('RECORD', { X: 1, STORE_CHAIN: 1 }),
    ],
  },
  CHAIN_WRITTEN_LATE: {
    trace: [...handshake(1, { writes: true, full: true }), on('RECORD', { X: 1, ALIVE: 1, STORE_CHAIN: 0 })],
  },
};

export const forbidden: Record<ModelName, Record<string, Forbidden>> = { chain, full };
