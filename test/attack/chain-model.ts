/**
 * docs/model/positions.pml, chain.pml and full.pml as a program that is told what happened and refuses what no transition allows. Methods
 * carry the names of the inlines that they transcribe; nothing here is taken from lib/. Fate (cuts, crashes, losses) is told, never guessed;
 * a device's jump out of silence is read off its next message 1, as it leaves no other trace.
 */

import { Verdict } from '../../lib/engine.js';

export interface At {
  b: number;
  i: number;
}
/** early of a record: 'EMPTY', 'VOID', a message's hash (taken by it), or 'REFUSED ' and that hash. */
export interface Record {
  chain: string;
  p: At;
  early: string;
  inc: string;
}
interface Slot {
  chain: string;
  f: number;
}
interface Message {
  /** Number in the order of sending: A6. */
  order: number;
  /** undefined: of a full handshake. */
  at: (At & { chain: string }) | undefined;
}
interface Answer {
  inc: string;
  base: string;
  candidate: boolean;
  recsent: boolean;
}

export class NotAllowed extends Error {}

function must(ok: boolean, rule: string, what: string): asserts ok {
  if (!ok) throw new NotAllowed(`${rule}: ${what}`);
}
const order = (a: At, b: At): number => a.b - b.b || a.i - b.i;
const show = (at: At): string => `(${at.b}, ${at.i})`;
const text = (value: unknown): string => JSON.stringify(value);

export class ChainModel {
  S: Record;
  inc: string;
  /** How often each rule was walked through. */
  readonly walked = new Map<string, number>();

  // device: RAM, then flash
  private ph: 'OFF' | 'IDLE' | 'SENT' | 'STORE' | 'WIPE' | 'LIVE' = 'OFF';
  private chain = '';
  private pos: At = { b: 0, i: 0 };
  private f = 0;
  private dm = '';
  private heard: 'yes' | 'no' | 'maybe' = 'yes';
  private cur: Slot | undefined;
  private old: Slot | undefined;
  private asked: Slot | undefined;
  private recsent = false;
  /** A write or wipe that failed may have been carried out all the same. */
  private maybe: Slot | undefined;

  // what the network has recorded
  private readonly messages = new Map<string, Message>();
  private readonly answers = new Map<string, Answer>();
  private alive: string | undefined;
  private readonly delivered = new Set<string>();

  constructor(
    readonly ticket: boolean,
    start: Record,
    inc: string,
    private readonly limits: { maxSteps: number; maxBlocks: number; ahead: number },
  ) {
    this.S = start;
    this.inc = inc;
  }

  private walk(rule: string): void {
    this.walked.set(rule, (this.walked.get(rule) ?? 0) + 1);
  }

  // ---- positions.pml ------------------------------------------------------------------------------------------------

  private rule_7_5_1_indexed(q: At, at: At): boolean {
    this.walk('rule_7_5_1_indexed');
    return (
      q.i < this.limits.maxSteps &&
      (order(q, at) === 0 ||
        (q.b === at.b && q.i === at.i + 1) ||
        (q.i === 0 && q.b > at.b && q.b <= at.b + this.limits.ahead))
    );
  }

  private rule_7_5_1_looked_up(chain: string, q: At): boolean {
    this.walk('rule_7_5_1_looked_up');
    return this.rule_7_5_1_indexed(q, this.S.p) && chain !== '' && chain === this.S.chain && order(q, this.S.p) >= 0;
  }

  // ---- device -------------------------------------------------------------------------------------------------------

  /** A boot, with what flash holds. */
  boot(slots: readonly (Slot | undefined)[], wiped: 0 | 1 | undefined, first: Slot): void {
    const there = slots.filter((slot) => slot !== undefined);
    const expected = [this.cur, this.old, this.maybe].filter((slot) => slot !== undefined);
    for (const slot of there)
      must(
        expected.some((each) => text(each) === text(slot)),
        'slots_at_boot',
        `flash holds ${text(slot)}, never written`,
      );
    if (this.cur)
      must(
        there.some((slot) => text(slot) === text(this.cur) || text(slot) === text(this.maybe)),
        'slots_at_boot',
        'flash lost its block',
      );
    this.slots_at_boot(slots, wiped, first);
    this.rule_7_4_2_jump();
  }

  private slots_at_boot(slots: readonly (Slot | undefined)[], wiped: 0 | 1 | undefined, first: Slot): void {
    this.walk('slots_at_boot');
    const left = slots.filter((slot, at) => slot !== undefined && at !== wiped);
    must(left.length <= 1, 'slots_at_boot', 'two valid slots are kept');
    this.cur = left[0];
    this.old = undefined;
    this.maybe = undefined;
    const from = this.cur ?? first;
    this.chain = from.chain;
    this.f = from.f;
    this.heard = 'yes';
  }

  /** Rule 2. */
  private rule_7_4_2_jump(): void {
    this.walk('rule_7_4_2_jump');
    this.pos = { b: this.f, i: 0 };
    this.dm = '';
    this.ph = 'IDLE';
  }

  /** A message 1 on the wire; `at` undefined: of a full handshake. */
  message(h: string, at: (At & { chain: string }) | undefined): void {
    must(this.ph === 'IDLE' || this.ph === 'SENT', 'message 1', `sent in ${this.ph}`);
    if (this.ph === 'SENT' && h === this.dm) return; // repeated byte for byte
    if (at === undefined) return this.messageFull(h);
    // The ladder's next turn: a full handshake in between has cost the bytes of the message 1 before it.
    if (this.ph === 'SENT' && this.full) this.rule_7_4_2_jump();
    if (order(at, this.pos) !== 0 || at.chain !== this.chain) {
      must(
        this.ph === 'SENT' && at.chain === this.chain,
        'rule_7_4_1_new_message',
        `at ${show(at)}, stands at ${show(this.pos)}`,
      );
      must(order(at, { b: this.f, i: 0 }) === 0, 'rule_7_4_2_jump', `to ${show(at)}, flash holds block ${this.f}`);
      this.rule_7_4_2_jump();
    }
    must(this.ph === 'IDLE', 'rule_7_4_1_new_message', `a second message 1 at ${show(at)}`);
    must(this.rule_7_3_resume() && this.rule_7_4_5_heard(), 'rule_7_3_resume', `at ${show(at)}`);
    this.rule_7_4_1_new_message(h, at);
  }

  private messageFull(h: string): void {
    must(!this.ticket, 'rule_7_4_5_full', 'in mode ticket');
    if (this.ph === 'SENT') this.rule_7_4_2_jump();
    must(this.rule_7_4_5_full(), 'rule_7_4_5_full', `at ${show(this.pos)}, where a resumption is due`);
    this.messages.set(h, { order: this.messages.size, at: undefined });
    this.dm = h;
    this.ph = 'SENT';
  }

  private rule_7_4_5_full(): boolean {
    this.walk('rule_7_4_5_full');
    return (
      this.chain === '' || this.heard !== 'yes' || order(this.pos, { b: this.f, i: 0 }) === 0 || !this.rule_7_3_resume()
    );
  }

  private rule_7_4_5_heard(): boolean {
    this.walk('rule_7_4_5_heard');
    return this.heard !== 'no';
  }

  private rule_7_3_resume(): boolean {
    this.walk('rule_7_3_resume');
    return this.chain !== '' && (this.ticket || this.pos.b < this.limits.maxBlocks);
  }

  private rule_7_4_1_new_message(h: string, at: At & { chain: string }): void {
    this.walk('rule_7_4_1_new_message');
    const past = [this.cur, this.old].some((slot) => slot !== undefined && slot.chain === this.chain && slot.f < at.b);
    must(!past, 'rule_7_4_1_new_message', 'flash opens the past (A3)');
    this.messages.set(h, { order: this.messages.size, at });
    this.dm = h;
    this.ph = 'SENT';
  }

  private get full(): boolean {
    return this.messages.get(this.dm)?.at === undefined;
  }

  /** The device asks for a write, or is live at once: an answer was taken. */
  rule_7_4_3_take(asks: Slot | undefined): void {
    this.walk('rule_7_4_3_take');
    must(
      this.ph === 'SENT' && this.answers.has(this.dm),
      'rule_7_4_3_take',
      `an answer in ${this.ph} that nobody gave`,
    );
    const writes = this.full || order(this.pos, { b: this.f, i: 0 }) === 0;
    must(writes === (asks !== undefined), 'rule_7_4_3_take', writes ? 'live without a write' : 'a write without need');
    this.recsent = false;
    this.asked = asks;
    if (asks === undefined) return void (this.ph = 'LIVE');
    this.ph = 'STORE';
    if (this.full) must(asks.f === 1 && asks.chain !== this.chain, 'rule_7_4_4_write', `asks for ${text(asks)}`);
    else must(asks.f === this.f + 1 && asks.chain === this.chain, 'rule_7_4_4_write', `asks for ${text(asks)}`);
  }

  /** What the device is told of its write; a power cut in the middle is a failure. */
  stored(ok: boolean): void {
    must(this.ph === 'STORE', 'rule_7_4_4_write', `told in ${this.ph}`);
    this.rule_7_4_4_write(ok);
    if (ok) this.rule_7_4_4_wipe();
    else this.store_failed();
  }

  private rule_7_4_4_write(ok: boolean): void {
    this.walk('rule_7_4_4_write');
    if (!ok) return void (this.maybe = this.asked);
    this.old = this.cur;
    this.cur = this.asked;
    this.maybe = undefined;
    this.ph = 'WIPE';
  }

  private rule_7_4_4_wipe(): void {
    this.walk('rule_7_4_4_wipe');
    this.old = undefined;
    this.stand_at_new_position();
  }

  private stand_at_new_position(): void {
    this.walk('stand_at_new_position');
    if (this.full) {
      Object.assign(this, { chain: this.asked?.chain, pos: { b: 0, i: 0 }, heard: 'no' });
      this.f = 1;
    } else this.f += 1;
    this.ph = 'LIVE';
  }

  private store_failed(): void {
    this.walk('store_failed');
    this.ph = this.full ? 'IDLE' : 'SENT';
    if (this.full) this.dm = '';
  }

  /** The first record of a link leaves the device. */
  first_record(): void {
    if (this.ph !== 'LIVE' || this.recsent) return;
    this.walk('first_record');
    this.recsent = true;
    const opens = [this.cur, this.old].some(
      (slot) => slot !== undefined && (slot.chain !== this.chain || slot.f <= this.pos.b),
    );
    must(this.old === undefined && !opens, 'first_record', 'flash opens its block (A3)');
    const answer = this.answers.get(this.dm);
    if (answer) answer.recsent = true;
  }

  /** Something of a record of the gateway reached the application, or may have. */
  hear(certain: boolean): void {
    if (this.ph !== 'LIVE' || this.heard === 'yes') return;
    if (this.alive === this.dm) this.heard = certain ? 'yes' : 'maybe';
  }

  /** The link is gone. */
  leave_link(): void {
    if (this.ph === 'STORE' || this.ph === 'WIPE') {
      this.maybe = this.asked;
      this.store_failed();
    }
    if (this.ph !== 'LIVE') return;
    this.walk('leave_link');
    if (!this.full) this.rule_7_4_1_next_step();
    this.dm = '';
    this.ph = 'IDLE';
  }

  private rule_7_4_1_next_step(): void {
    this.walk('rule_7_4_1_next_step');
    this.pos = this.pos.i + 1 === this.limits.maxSteps ? { b: this.f, i: 0 } : { b: this.pos.b, i: this.pos.i + 1 };
  }

  // ---- gateway ------------------------------------------------------------------------------------------------------

  /** A new answer to a resumption: what the store held before and holds now. */
  claimed(h: string, q: At, hasEarly: boolean, refuse: boolean, verdict: Verdict, durable: boolean, now: Record): void {
    const message = this.messages.get(h);
    must(
      message?.at !== undefined && order(message.at, q) === 0,
      'rule_7_5_1_looked_up',
      'a message that nobody sent there',
    );
    must(this.rule_7_5_1_looked_up(message.at.chain, q), 'rule_7_5_1_looked_up', `${show(q)} from ${show(this.S.p)}`);
    this.rule_7_5_2_advance(q);
    const said = hasEarly ? this.rule_7_5_3_claim(h, refuse) : Verdict.None;
    must(said === verdict, 'rule_7_5_3_claim', `verdict ${verdict}, the rule says ${said}`);
    must(durable || (q.i !== 0 && !hasEarly), 'durable', 'at a block start, and with early data');
    must(text(now) === text(this.S), 'rule_7_5_3_claim', `wrote ${text(now)}, the rule says ${text(this.S)}`);
    this.rule_7_5_4_answer(h);
  }

  private rule_7_5_2_advance(q: At): void {
    this.walk('rule_7_5_2_advance');
    if (order(q, this.S.p) <= 0) return;
    this.S = { ...this.S, p: { b: q.b, i: q.i }, early: this.S.inc === this.inc ? 'EMPTY' : 'VOID' };
  }

  private rule_7_5_3_claim(h: string, refuse: boolean): Verdict {
    this.walk('rule_7_5_3_claim');
    const { early } = this.S;
    if (this.S.inc !== this.inc) {
      this.S = { ...this.S, early: 'VOID' };
      return Verdict.Unknown;
    }
    if (early === 'VOID' || early === h) return Verdict.Unknown;
    if (early !== 'EMPTY') return Verdict.NotTaken;
    this.S = { ...this.S, early: refuse ? `REFUSED ${h}` : h };
    return refuse ? Verdict.NotTaken : Verdict.Taken;
  }

  private rule_7_5_4_answer(h: string): void {
    this.walk('rule_7_5_4_answer');
    const recsent = this.answers.get(h)?.recsent ?? false;
    this.answers.set(h, { inc: this.inc, base: this.S.chain, candidate: true, recsent });
  }

  /** Message 2 goes out: of a claim that was just told, of the cache, or of a full handshake. */
  answered(h: string, at: At | undefined): void {
    if (at === undefined) {
      must(
        this.messages.get(h)?.at === undefined && this.messages.has(h),
        'rule_7_5_4_answer',
        'to a message that nobody sent',
      );
      if (this.answers.get(h)?.candidate !== true) this.rule_7_5_4_answer(h);
      return;
    }
    this.rule_7_5_4_cached(h);
  }

  private rule_7_5_4_cached(h: string): void {
    this.walk('rule_7_5_4_cached');
    must(this.answers.get(h)?.candidate === true, 'rule_7_5_4_cached', 'an answer that is neither new nor kept');
  }

  deliver(h: string): void {
    must(this.S.early === h, 'rule_7_5_3_claim', 'delivered without a claim');
    must(!this.delivered.has(h), 'deliver', 'a second time (A1)');
    this.delivered.add(h);
    this.walk('deliver');
  }

  /** A first record was valid and the store written. */
  confirmed(h: string, now: Record): void {
    const answer = this.answers.get(h);
    const message = this.messages.get(h);
    must(answer?.candidate === true && message !== undefined, 'rule_7_5_5_live', 'no such candidate');
    must(answer.recsent, 'rule_7_5_5_live', 'a first record that nobody sent');
    if (message.at === undefined) this.rule_7_5_6_replace(answer, now);
    else this.rule_7_5_5_confirm(answer, message.at);
    must(text(now) === text(this.S), 'rule_7_5_5_confirm', `wrote ${text(now)}, the rule says ${text(this.S)}`);
    this.rule_7_5_5_live(h, message);
  }

  private rule_7_5_5_live(h: string, message: Message): void {
    this.walk('rule_7_5_5_live');
    const before = this.alive === undefined ? undefined : this.messages.get(this.alive);
    must(
      before === undefined || message.order > before.order,
      'rule_7_5_5_live',
      'an older message 1 ends a session (A6)',
    );
    for (const answer of this.answers.values()) answer.candidate = false;
    this.alive = h;
  }

  private rule_7_5_5_confirm(answer: Answer, q: At & { chain: string }): void {
    this.walk('rule_7_5_5_confirm');
    must(
      this.S.chain === q.chain && order(this.S.p, q) <= 0,
      'rule_7_5_5_live',
      `a candidate at ${show(q)} behind ${show(this.S.p)}`,
    );
    const fresh = answer.inc === this.inc;
    const p = { b: q.b, i: q.i + 1 };
    this.S = fresh ? { ...this.S, p, early: 'EMPTY', inc: this.inc } : { ...this.S, p, early: 'VOID' };
  }

  private rule_7_5_6_replace(answer: Answer, now: Record): void {
    this.walk('rule_7_5_6_replace');
    must(this.S.chain === answer.base, 'rule_7_5_6_replace', 'the chain was replaced since the answer');
    must(now.chain !== this.S.chain && now.chain !== '', 'rule_7_5_6_replace', 'no new chain');
    this.S = { chain: now.chain, p: { b: 0, i: 0 }, early: 'EMPTY', inc: this.inc };
  }

  /** A candidate was dropped although its first record is valid. */
  stale(h: string): void {
    const at = this.messages.get(h)?.at;
    const behind = at !== undefined && (at.chain !== this.S.chain || order(this.S.p, at) > 0);
    must(behind, 'rule_7_5_5_live', 'a candidate was dropped that may live');
  }

  /** The gateway's process is gone; `inc` is the store's incarnation afterwards. */
  crash(inc: string): void {
    this.walk('crash');
    for (const answer of this.answers.values()) answer.candidate = false;
    this.alive = undefined;
    this.inc = inc;
  }
}
