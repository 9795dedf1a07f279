/** What happens in a mode with ECDH, as a trace for docs/model/full.pml. Early data is not in that model. */

import { flashOf, type At, type Listener, type Slot, type Watch } from './replay.js';
import { mostAnswers, mostMessages, type Happened } from './traces.js';

const NONE = 255;
const [IDLE, SENT, STORE, WIPE, LIVE] = [1, 2, 3, 4, 5];

type Cells = Omit<Happened, 'on'>;
const place = ({ b, i }: { b: number; i: number }): number => b * 4 + i;
const nothing = (): void => undefined;

export class FullTrace implements Listener {
  readonly model = 'full';
  readonly events: Happened[] = [];
  private readonly messages = new Map<string, number>();
  private readonly fulls = new Set<string>();
  /** The last answer to each. */
  private readonly answers = new Map<string, number>();
  private answerCount = 0;
  /** By the number of the answer that gave birth to it. */
  private readonly chains = new Map<string, number>();
  private alive = 0;
  private current = '';
  private storing: Slot | undefined;
  private slotsBefore = 0;
  private live = false;
  /** Since the last full handshake nothing has certainly been heard. */
  private unproven = false;
  private claim: string | undefined;

  readonly verdict = nothing;
  readonly deliver = nothing;
  readonly lost = nothing;
  readonly restored = nothing;

  constructor(private readonly watch: Watch) {}

  private add(on: string, cells: Cells = {}): void {
    const full = this.messages.size >= mostMessages || this.answerCount >= mostAnswers;
    if (full) return void Object.assign(this, { add: nothing });
    this.events.push({ on, ...this.store, MESSAGES: this.messages.size, ANSWERED: this.answerCount, ...cells });
  }

  /** What the code holds. */
  private get store(): Cells {
    const { row, gateway } = this.watch.world;
    const [newer] = flashOf(this.watch.world);
    return {
      STORE_CHAIN: this.named(row.chain && Buffer.from(row.chain.id).toString('hex')),
      STORE_P: place(row.chain ?? { b: 0, i: 0 }),
      ALIVE: gateway.sessions.has(row) ? this.alive : 0,
      SLOT_CHAIN: this.named(newer?.chain),
      SLOT_BLOCK: newer?.f ?? 0,
    };
  }

  private named(chain: string | undefined): number {
    return chain === undefined ? 0 : (this.chains.get(chain) ?? NONE);
  }

  private of(h: string): Cells {
    return { X: this.messages.get(h) ?? NONE, Y: 0 };
  }

  // ---- device -------------------------------------------------------------------------------------------------------

  booted(slots: readonly [Slot | undefined, Slot | undefined], wiped: 0 | 1 | undefined): void {
    const left = slots.filter((slot, at) => slot !== undefined && at !== wiped);
    const newer = left.sort((a, b) => (b?.sequence ?? 0) - (a?.sequence ?? 0))[0];
    this.add('LOOK');
    const cells = { SLOT_CHAIN: this.named(newer?.chain), SLOT_BLOCK: newer?.f ?? 0 };
    this.add('CUT', { ...cells, OLDER_SLOT: left.length > 1 ? this.named(left[1]?.chain) : NONE });
    this.live = this.unproven = false;
    this.current = '';
  }

  sent(h: string, at: At | undefined): void {
    if (h === this.current) return;
    this.current = h;
    if (this.messages.has(h)) return this.add('AGAIN', { PHASE: SENT });
    this.messages.set(h, this.messages.size + 1);
    if (at === undefined) this.fulls.add(h);
    const cells = { PHASE: SENT, CHAIN: this.named(at?.chain), POSITION: at ? place(at) : 0 };
    this.add(at ? 'NEW' : 'FULL_NEW', cells);
  }

  private get full(): boolean {
    return this.fulls.has(this.current);
  }

  took(asks: Slot | undefined): void {
    this.storing = asks;
    this.slotsBefore = flashOf(this.watch.world).length;
    this.live = asks === undefined;
    const answer = this.answers.get(this.current) ?? NONE;
    if (asks && this.full) this.chains.set(asks.chain, answer);
    this.add('TAKE', { X: this.full ? answer : undefined, PHASE: asks ? STORE : LIVE });
  }

  stored(ok: boolean): void {
    const [newer, older] = flashOf(this.watch.world);
    const written = newer?.sequence === this.storing?.sequence;
    const failed = this.full ? IDLE : SENT;
    this.storing = undefined;
    this.live = ok;
    if (ok && this.full) this.unproven = true;
    if (ok) {
      this.add('WRITE', { PHASE: WIPE });
      this.add('WIPING', { PHASE: LIVE, OLDER_SLOT: NONE });
    } else if (written) {
      this.add('WRITE', { PHASE: WIPE });
      this.add('WIPING', { PHASE: failed, OLDER_SLOT: older && this.named(older.chain) });
    } else this.add('WRITE', { PHASE: failed });
    if (!ok && failed === IDLE) this.current = '';
  }

  firstRecord(): void {
    this.add('FIRST');
  }

  heard(certain: boolean): void {
    if (!this.live || !this.unproven) return;
    this.add(certain ? 'HEAR' : 'MAYBE');
    this.unproven = !certain;
  }

  left(): void {
    if (this.storing) {
      const written = flashOf(this.watch.world)[0]?.sequence === this.storing.sequence;
      if (written) this.add('WRITE', { PHASE: WIPE });
      else if (flashOf(this.watch.world).length < this.slotsBefore) this.add('TORN');
      this.add('LOST', { PHASE: this.full ? IDLE : SENT });
      if (this.full) this.current = '';
    } else if (this.live) {
      this.add('LEAVE', { PHASE: IDLE });
      this.current = '';
    }
    this.storing = undefined;
    this.live = false;
  }

  // ---- gateway ------------------------------------------------------------------------------------------------------

  private anew(h: string): void {
    const before = this.answers.get(h);
    if (before !== undefined) this.add('EXPIRE', { X: before, STORE_P: undefined, ALIVE: undefined });
  }

  private settle(cells: Cells): void {
    const h = this.claim;
    if (h === undefined) return;
    this.claim = undefined;
    this.answers.set(h, ++this.answerCount);
    this.add('ARRIVES', { ...this.of(h), ...cells });
  }

  claimed(h: string): void {
    this.anew(h);
    this.claim = h;
  }

  fullAnswered(h: string, anew: boolean): void {
    if (!anew) return this.add('ARRIVES', { ...this.of(h), KEPT: this.answers.get(h) });
    this.anew(h);
    this.claim = h;
    this.settle({});
  }

  answered(h: string): void {
    if (this.claim !== undefined) this.settle({});
    else if (!this.fulls.has(h)) this.add('ARRIVES', { ...this.of(h), KEPT: this.answers.get(h) });
  }

  silent(h: string): void {
    if (this.messages.has(h)) this.add('ARRIVES', this.of(h));
  }

  confirmed(h: string): void {
    this.alive = this.answers.get(h) ?? NONE;
    const full = this.fulls.has(h);
    this.add('RECORD', { X: this.alive, ALIVE: this.alive, ...(full ? {} : { STORE_P: undefined }) });
    if (!full) this.add('CONFIRM', { X: this.alive, ALIVE: this.alive });
  }

  stale(h: string): void {
    this.add('RECORD', { X: this.answers.get(h) ?? NONE });
  }

  crashed(): void {
    this.settle({ ALIVE: undefined });
    if (this.answerCount > 0) this.add('CRASH', { Y: 0 });
  }
}
