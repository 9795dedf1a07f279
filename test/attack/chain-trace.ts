/** What happens in mode `ticket`, as a trace for docs/model/chain.pml. */

import { Verdict } from '../../lib/engine.js';
import type { StoreRow } from '../suite/gateway-double.js';
import { flashOf, type At, type Listener, type Slot, type Watch } from './replay.js';
import { mostAnswers, mostBlocks, mostMessages, type Happened } from './traces.js';

const NONE = 255;
const EMPTY = 0;
const VOID = 254;
const REFUSED = 100;
const [SENT, STORE, WIPE, LIVE] = [2, 3, 4, 5];

type Cells = Omit<Happened, 'on'>;
const place = ({ b, i }: { b: number; i: number }): number => b * 4 + i;
const nothing = (): void => undefined;
/** The incarnations of the test gateway are told apart by their length. */
const ordinal = (incarnation: string): number => incarnation.length - 'incarnation 1'.length;

export class ChainTrace implements Listener {
  readonly model = 'chain';
  readonly events: Happened[] = [];
  private readonly messages = new Map<string, number>();
  private readonly early = new Set<string>();
  /** The last answer to each. */
  private readonly answers = new Map<string, number>();
  private answerCount = 0;
  private alive = 0;
  /** The message 1 of the device, what its write is to hold, and its verdict that was told. */
  private current = '';
  private storing: Slot | undefined;
  private slotsBefore = 0;
  private live = false;
  private recordSent = false;
  private verdictTold: Verdict | undefined;
  private notTaken = false;
  private claim: { h: string; verdict: Verdict; durable: boolean } | undefined;

  /** Of no concern to a model without full handshakes. */
  readonly heard = nothing;
  readonly fullAnswered = nothing;

  constructor(private readonly watch: Watch) {}

  private add(on: string, cells: Cells = {}): void {
    const full = this.messages.size >= mostMessages || this.answerCount >= mostAnswers;
    if (full || (this.watch.world.row.chain?.b ?? 0) >= mostBlocks) return void Object.assign(this, { add: nothing });
    this.events.push({ on, ...this.store, MESSAGES: this.messages.size, ANSWERED: this.answerCount, ...cells });
  }

  /** What the code holds. */
  private get store(): Cells {
    const { row, gateway } = this.watch.world;
    return {
      STORE_P: place(row.chain ?? { b: 0, i: 0 }),
      STORE_EARLY: this.earlyOf(row),
      STORE_INC: ordinal(row.incarnation),
      INC: ordinal(gateway.incarnation),
      ALIVE: gateway.sessions.has(row) ? this.alive : 0,
      NEWER_SLOT: flashOf(this.watch.world)[0]?.f ?? 0,
    };
  }

  private earlyOf({ early }: StoreRow): number {
    if (early.kind === 'none' || early.kind === 'void') return early.kind === 'none' ? EMPTY : VOID;
    const message = this.messages.get(Buffer.from(early.h).toString('hex')) ?? NONE;
    return early.kind === 'taken' ? message : REFUSED + message;
  }

  // ---- device -------------------------------------------------------------------------------------------------------

  booted(slots: readonly [Slot | undefined, Slot | undefined], wiped: 0 | 1 | undefined): void {
    const left = slots.filter((slot, at) => slot !== undefined && at !== wiped).map((slot) => slot?.f ?? 0);
    this.add('LOOK');
    this.add('CUT', { NEWER_SLOT: Math.max(0, ...left), OLDER_SLOT: left.length > 1 ? Math.min(...left) : NONE });
    this.live = this.notTaken = false;
    this.current = '';
  }

  sent(h: string, at: At | undefined, early: boolean): void {
    if (h === this.current || at === undefined) return;
    if (this.notTaken) this.add('FORGET');
    this.notTaken = false;
    this.current = h;
    this.messages.set(h, this.messages.size + 1);
    if (early) this.early.add(h);
    this.add('NEW', { PHASE: SENT, POSITION: place(at), DATUM: early ? this.messages.size : 0 });
  }

  took(asks: Slot | undefined, verdict: Verdict | undefined): void {
    this.recordSent = false;
    this.verdictTold = undefined;
    this.storing = asks;
    this.slotsBefore = flashOf(this.watch.world).length;
    this.live = asks === undefined;
    this.add('TAKE', asks ? { PHASE: STORE } : { PHASE: LIVE, HEARD: verdict });
  }

  stored(ok: boolean): void {
    const [newer, older] = flashOf(this.watch.world);
    const written = newer?.sequence === this.storing?.sequence;
    this.storing = undefined;
    this.live = ok;
    if (ok) {
      this.add('WRITE', { PHASE: WIPE, NEWER_SLOT: undefined });
      this.add('WIPING', { PHASE: LIVE, OLDER_SLOT: NONE });
    } else if (written && older) {
      this.add('WRITE', { PHASE: WIPE });
      this.add('WIPING', { PHASE: SENT, OLDER_SLOT: older.f });
    } else this.add('WRITE', { PHASE: SENT });
  }

  firstRecord(verdict: Verdict): void {
    this.recordSent = true;
    this.add('FIRST', { HEARD: verdict, SENT_AGAIN: this.sentAgain });
  }

  private get sentAgain(): number | undefined {
    return this.verdictTold === undefined ? undefined : Number(this.verdictTold === Verdict.NotTaken);
  }

  verdict(verdict: Verdict): void {
    if (!this.early.has(this.current) || this.verdictTold !== undefined) return;
    this.verdictTold = verdict;
    if (this.recordSent) this.add('LOOK', { SENT_AGAIN: this.sentAgain });
  }

  left(): void {
    if (this.storing) {
      const written = flashOf(this.watch.world)[0]?.sequence === this.storing.sequence;
      if (written) this.add('WRITE', { PHASE: WIPE });
      else if (flashOf(this.watch.world).length < this.slotsBefore) this.add('TORN');
      this.add('LOST', { PHASE: SENT });
    } else if (this.live) {
      this.notTaken = this.watch.world.device.core.handshake?.early === Verdict.NotTaken;
      this.add('LEAVE');
      this.current = '';
    }
    this.storing = undefined;
    this.live = false;
  }

  // ---- gateway ------------------------------------------------------------------------------------------------------

  claimed(h: string, verdict: Verdict, durable: boolean): void {
    const before = this.answers.get(h);
    if (before !== undefined) this.add('EXPIRE', { X: before, ...unwritten });
    this.claim = { h, verdict, durable };
  }

  /** A claim is answered. */
  private settle(cells: Cells): void {
    const { claim } = this;
    if (claim === undefined) return;
    this.claim = undefined;
    this.answers.set(claim.h, ++this.answerCount);
    this.add('ARRIVES', {
      X: this.messages.get(claim.h) ?? NONE,
      VERDICT: claim.verdict,
      DURABLE: Number(claim.durable),
      ...cells,
    });
  }

  deliver(h: string): void {
    if (this.claim === undefined) this.add('LOOK', { X: this.messages.get(h) ?? NONE, DELIVERED: NONE });
    this.settle({ DELIVERED: 1 });
  }

  answered(h: string): void {
    if (this.claim) return this.settle(this.claim.verdict === Verdict.Taken ? { DELIVERED: 0 } : {});
    const answer = this.answers.get(h);
    // that of a claim was told when its early data was delivered
    if (answer !== undefined) this.add('ARRIVES', { X: this.messages.get(h) ?? NONE, KEPT: answer });
  }

  silent(h: string): void {
    const message = this.messages.get(h);
    if (message !== undefined) this.add('ARRIVES', { X: message });
  }

  confirmed(h: string): void {
    this.alive = this.answers.get(h) ?? NONE;
    this.add('RECORD', { X: this.alive, ALIVE: this.alive, ...unwritten });
    this.add('CONFIRM', { X: this.alive, ALIVE: this.alive });
  }

  stale(h: string): void {
    this.add('RECORD', { X: this.answers.get(h) ?? NONE });
  }

  lost(): void {
    this.add('LOSE', { ALIVE: undefined });
  }

  restored(): void {
    this.add('RESTORE', { ALIVE: undefined });
  }

  /** Between a claim and its delivery: the claim stands, nobody is answered. */
  crashed(): void {
    if (this.claim?.verdict === Verdict.Taken) {
      const { h, durable } = this.claim;
      this.claim = undefined;
      this.add('ARRIVES', { X: this.messages.get(h) ?? NONE, ALIVE: undefined, DURABLE: Number(durable) });
    } else this.settle({ ALIVE: undefined });
    if (this.answerCount > 0) this.add('CRASH', { Y: 0 });
  }
}

/** The store is written after the step. */
const unwritten: Cells = { STORE_P: undefined, STORE_EARLY: undefined, STORE_INC: undefined };
