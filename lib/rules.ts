/**
 * SPEC 7.5, rules 2, 3, 5 and 6, as pure functions over the part of a device's record that they change. A model of the
 * protocol maps onto these one to one: no time, no store, no key in here.
 */

import { Verdict, type Position } from './engine.js';
import type { EarlyState } from './types.js';

/** p, early and the incarnation under which early can be vouched for. */
export interface RuleRecord {
  p: Position;
  early: EarlyState;
  incarnation: string;
}

export interface Claim {
  record: RuleRecord;
  verdict: Verdict;
  /** A power cut must not undo the write that precedes the answer. */
  durable: boolean;
  changed: boolean;
}

export interface Message1 {
  /** The position it authenticated under. */
  q: Position;
  /** SHA-256 of it. */
  h: Uint8Array;
  hasEarly: boolean;
  /** Early data is not wanted: policy, a store that is not linearizable, or it names a session that is not continued. */
  refuse: boolean;
}

export function compare(a: Position, b: Position): number {
  return a.b - b.b || a.i - b.i;
}

/** An authentic message 1. Undefined: silence (p has passed it). */
export function claim(record: RuleRecord, message: Message1, incarnation: string): Claim | undefined {
  const order = compare(message.q, record.p);
  if (order < 0) return undefined;
  const moved = order > 0 ? advance(record, message.q, incarnation) : record;
  const { early, verdict } = message.hasEarly
    ? decide(moved, message, incarnation)
    : { early: moved.early, verdict: Verdict.None };
  return {
    record: { ...moved, early },
    verdict,
    durable: message.q.i === 0 || message.hasEarly,
    changed: order > 0 || early !== record.early,
  };
}

/** Rule 2. */
function advance(record: RuleRecord, q: Position, incarnation: string): RuleRecord {
  return {
    p: { b: q.b, i: q.i },
    early: { kind: record.incarnation === incarnation ? 'none' : 'void' },
    incarnation: record.incarnation,
  };
}

/** Rule 3. */
function decide(record: RuleRecord, message: Message1, incarnation: string): { early: EarlyState; verdict: Verdict } {
  const { early } = record;
  if (record.incarnation !== incarnation)
    return { early: early.kind === 'void' ? early : { kind: 'void' }, verdict: Verdict.Unknown };
  switch (early.kind) {
    case 'void':
      return { early, verdict: Verdict.Unknown };
    case 'refused':
      return { early, verdict: Verdict.NotTaken };
    case 'taken':
      return { early, verdict: equal(early.h, message.h) ? Verdict.Unknown : Verdict.NotTaken };
    case 'none':
      return message.refuse
        ? { early: { kind: 'refused', h: message.h }, verdict: Verdict.NotTaken }
        : { early: { kind: 'taken', h: message.h }, verdict: Verdict.Taken };
  }
}

/**
 * Rule 5: the first record is valid under a candidate at q, whose answer was given under `answered`. Undefined: the candidate is dropped.
 * That the chain is still the candidate's is the caller's to check.
 */
export function confirm(
  record: RuleRecord,
  q: Position,
  answered: string,
  incarnation: string,
): RuleRecord | undefined {
  if (compare(record.p, q) > 0) return undefined;
  const p = { b: q.b, i: q.i + 1 };
  return answered === incarnation
    ? { p, early: { kind: 'none' }, incarnation }
    : { p, early: { kind: 'void' }, incarnation: record.incarnation };
}

/** Rule 6: a full handshake's first valid record starts a new chain. */
export function full(incarnation: string): RuleRecord {
  return { p: { b: 0, i: 0 }, early: { kind: 'none' }, incarnation };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
