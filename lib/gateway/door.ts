/**
 * What happens to a message 1: who may have sent it, what the store says of it, which answer it gets, and, once its first record is valid, which
 * session it becomes (SPEC 6, "order of checks", and 7.5). Everything that does not fit gets silence.
 */

import type { Reason } from '../counters.js';
import {
  Code,
  Mode,
  Verdict,
  type AcceptCore,
  type AcceptEvent,
  type Chain,
  type CorePairing,
  type Position,
  type Resumption,
  type Transport,
} from '../engine.js';
import { HawserError } from '../errors.js';
import { monotonic } from '../mux.js';
import { barred } from '../policy.js';
import { claim, compare, confirm, full, type RuleRecord } from '../rules.js';
import type { ChainState, DeviceRecord, StoreEntry } from '../types.js';
import type { Candidate } from './candidates.js';
import { idKey, isZero, sameBytes, type Context } from './context.js';
import { DeviceSession } from './session.js';

/** An answer on its way to one link. */
export interface Answer {
  candidate: Candidate;
  /** This link's own copy of the candidate's keys. */
  accept: AcceptCore;
  /** Message 2, framed. */
  bytes: Uint8Array;
}

/** Why there is silence. */
export class Silence extends Error {
  constructor(
    readonly reason: Reason,
    readonly device?: Uint8Array,
  ) {
    super(reason);
  }
}

/** Compare-and-sets in a row that others may win before this one gives up. */
const patience = 16;
const defaultAhead = 2;
const noConnectionId = new Uint8Array(0);

export class Door {
  constructor(private readonly context: Context) {}

  // ---- Message 1 ----------------------------------------------------------------------------------------------------

  /** Rejects with Silence, or with the store's error. Takes `accept` over: a candidate has it then, or it is wiped. */
  async answer(
    accept: AcceptCore,
    event: Extract<AcceptEvent, { type: 'id' | 'ticket' }>,
    transport: Transport,
    address: string,
  ): Promise<Answer> {
    const key = `${transport}${idKey(accept.digest1)}`;
    try {
      const known = this.#known(key);
      if (known) return known;
      const look = { accept, key, address };
      return await (event.type === 'id' ? this.#answerFull(look, event) : this.#answerTicket(look, event.ticket));
    } finally {
      // It may hold the secret of a position by now.
      if (this.context.candidates.get(key, monotonic())?.accept !== accept) accept.wipe();
    }
  }

  /** The same bytes were authentic before: the same answer, and no second look at anything. */
  #known(key: string): Answer | undefined {
    const { candidates } = this.context;
    const device = candidates.spentBy(key, monotonic());
    if (device !== undefined) throw new Silence('stale', Buffer.from(device, 'latin1'));
    const candidate = candidates.get(key, monotonic());
    if (!candidate) return undefined;
    const { accept, answer } = candidate.accept.clone();
    return { candidate, accept, bytes: answer };
  }

  async #answerFull(look: Look, event: Extract<AcceptEvent, { type: 'id' }>): Promise<Answer> {
    const entry = await this.context.store.get(event.id);
    if (entry?.record.mode !== event.mode || entry.record.suite !== event.suite)
      throw new Silence('unknownDevice', event.id);
    const { record } = entry;
    this.#admit(record);
    if (!look.accept.offerId(this.#pairing(record))) throw new Silence('badAuthentication', record.id);
    // While the store was asked, the same bytes may have been answered on another link.
    const known = this.#known(look.key);
    if (known) return known;
    const bytes = look.accept.answerFull(noConnectionId);
    if (!bytes) throw new Silence('badAuthentication', record.id);
    return this.#remember(look, record, bytes, {
      incarnation: this.context.store.incarnation,
      verdict: Verdict.None,
      replaces: entry.state.chain?.id,
    });
  }

  async #answerTicket(look: Look, ticket: Uint8Array): Promise<Answer> {
    const entries = await this.context.store.byTicket(ticket);
    const found = this.#whose(look.accept, entries);
    if (!found) throw entries.length > 0 ? new Silence('badAuthentication') : this.#unknown(ticket);
    const { record } = found.entry;
    this.#admit(record);
    const { resumption } = found;
    if (resumption.i >= record.maxSteps || (record.mode !== Mode.Ticket && resumption.b >= record.maxBlocks))
      throw new Silence('stale', record.id);
    const continued = this.#continues(record, resumption);
    const claimed = await this.#claim(look.accept, found, continued !== undefined);
    if (resumption.i === 0) this.context.passed.add(idKey(record.id), idKey(ticket));
    // As above; what the other link was told stands.
    const known = this.#known(look.key);
    if (known) return known;
    return this.#answerClaimed(look, found, claimed, continued);
  }

  #unknown(ticket: Uint8Array): Silence {
    const device = this.context.passed.of(idKey(ticket));
    return device === undefined
      ? new Silence('unknownTicket')
      : new Silence('passedTicket', Buffer.from(device, 'latin1'));
  }

  #whose(accept: AcceptCore, entries: readonly StoreEntry[]): Found | undefined {
    for (const entry of entries) {
      const { chain, ahead } = entry.state;
      const resumption = chain && accept.offerTicket(this.#pairing(entry.record), chain, ahead);
      if (resumption) return { entry, chain, resumption };
    }
    return undefined;
  }

  #admit(record: DeviceRecord): void {
    const reason = barred(record, Date.now());
    if (reason) throw new Silence(reason, record.id);
  }

  /** The confirmed session that the device names, if this gateway holds it (rule 7). */
  #continues(record: DeviceRecord, { continues }: Resumption): DeviceSession | undefined {
    const session = this.context.sessions.get(idKey(record.id));
    return session && !isZero(continues) && sameBytes(session.name, continues) ? session : undefined;
  }

  /** Rules 2 and 3, written before anything is answered or delivered. */
  async #claim(accept: AcceptCore, { entry, chain, resumption }: Found, continued: boolean): Promise<Claimed> {
    const { store } = this.context;
    const fits = continued || isZero(resumption.continues);
    const refuse = !fits || !store.linearizable || this.context.settings.refuseEarly(entry.record);
    const message = { q: resumption, h: accept.digest1, hasEarly: resumption.early, refuse };
    let present: StoreEntry | undefined = entry;
    for (let tries = 0; tries < patience; tries += 1) {
      if (!present?.state.chain || !sameBytes(present.state.chain.id, chain.id)) break;
      const { incarnation } = store;
      const result = claim(ruleRecord(present.state, present.state.chain), message, incarnation);
      if (!result) break;
      if (!result.changed && !result.durable) return { verdict: result.verdict, incarnation };
      if (await this.#write(present, result.record, result.durable)) return { verdict: result.verdict, incarnation };
      present = await store.get(entry.record.id);
    }
    throw new Silence('stale', entry.record.id);
  }

  #answerClaimed(
    look: Look,
    found: Found,
    { verdict, incarnation }: Claimed,
    session: DeviceSession | undefined,
  ): Answer {
    const { record } = found.entry;
    // It ended while the claim was written. The next try is told NEW, and UNKNOWN of early data.
    if (session?.over) throw new Silence('sessionGone', record.id);
    if (verdict === Verdict.NotTaken || verdict === Verdict.Unknown) this.context.counters.add('earlyRefused');
    const bytes = look.accept.answerTicket(verdict, session !== undefined, noConnectionId);
    const { b, i } = found.resumption;
    const resumption = { q: { b, i }, chain: found.chain.id, continues: session && found.resumption.continues };
    const answer = this.#remember(look, record, bytes, { incarnation, verdict, resumption });
    if (verdict === Verdict.Taken) this.#deliver(answer, record, session);
    return answer;
  }

  #deliver({ candidate }: Answer, record: DeviceRecord, session: DeviceSession | undefined): void {
    const target = session ?? new DeviceSession(this.context, record);
    if (!session) candidate.provisional = target;
    target.early(candidate.accept);
  }

  #remember(
    look: Look,
    record: DeviceRecord,
    bytes: Uint8Array,
    rest: Pick<Candidate, 'incarnation' | 'verdict'> & Partial<Pick<Candidate, 'resumption' | 'replaces'>>,
  ): Answer {
    const { accept, key, address } = look;
    const { incarnation, verdict, resumption, replaces } = rest;
    const state = { provisional: undefined, until: 0, spent: false, held: false };
    const candidate: Candidate = {
      key, device: idKey(record.id), address, record, accept, incarnation, verdict, resumption, replaces, ...state,
    }; // prettier-ignore
    if (this.context.candidates.add(candidate, monotonic())) this.context.counters.add('candidateLimit');
    // The link gets a copy: what arrives on it must not touch what a repeat of message 1 is given.
    return { candidate, accept: accept.clone().accept, bytes };
  }

  // ---- The first record ---------------------------------------------------------------------------------------------

  /** The session that this link is live in, from now on. Rejects with Silence, or with the store's error. */
  async confirm(answer: Answer): Promise<{ session: DeviceSession; continued: boolean }> {
    const { candidate } = answer;
    // The link's own copy of the keys may have outlived the candidate, and with it the early data that it was answered for.
    if (this.#isOver(candidate)) throw new Silence('stale', candidate.record.id);
    const release = this.context.candidates.hold(candidate);
    try {
      return await this.#confirm(answer);
    } finally {
      release();
    }
  }

  #isOver(candidate: Candidate): boolean {
    this.context.candidates.expire(monotonic());
    return candidate.spent;
  }

  async #confirm({ candidate, accept }: Answer): Promise<{ session: DeviceSession; continued: boolean }> {
    const { record, resumption } = candidate;
    for (let tries = 0; tries < patience; tries += 1) {
      const present = await this.context.store.get(record.id);
      if (present?.record.serial !== record.serial) throw new Silence('stale', record.id);
      this.#admit(present.record);
      const written = resumption
        ? await this.#step(present, candidate, resumption)
        : await this.#replace(present, candidate, accept);
      if (written) return this.#become(candidate, accept, present.record);
    }
    throw new Silence('stale', record.id);
  }

  /** Rule 5. */
  #step(
    present: StoreEntry,
    candidate: Candidate,
    { q, chain }: NonNullable<Candidate['resumption']>,
  ): Promise<boolean> {
    const { state } = present;
    if (!state.chain || !sameBytes(state.chain.id, chain)) throw new Silence('stale', candidate.record.id);
    const next = confirm(ruleRecord(state, state.chain), q, candidate.incarnation, this.context.store.incarnation);
    if (!next) throw new Silence('stale', candidate.record.id);
    return this.#write(
      { ...present, state: { ...state, ahead: defaultAhead, owner: this.context.settings.node } },
      next,
      false,
    );
  }

  /** Rule 6. A chain that came after the answer is not undone by a first record that was withheld until now. */
  #replace(present: StoreEntry, candidate: Candidate, accept: AcceptCore): Promise<boolean> {
    const [was, is] = [candidate.replaces, present.state.chain?.id];
    if (was === undefined ? is !== undefined : is === undefined || !sameBytes(was, is))
      throw new Silence('stale', candidate.record.id);
    if (!accept.chain) throw new HawserError('ERR_HAWSER_STATE', 'a full handshake without its chain');
    const { early, incarnation } = full(this.context.store.incarnation);
    const state: ChainState = {
      chain: accept.chain,
      ahead: defaultAhead,
      early,
      incarnation,
      owner: this.context.settings.node,
    };
    return this.#put(present, state, true);
  }

  #become(
    candidate: Candidate,
    accept: AcceptCore,
    record: DeviceRecord,
  ): { session: DeviceSession; continued: boolean } {
    const { sessions, candidates } = this.context;
    // Revoked, or overtaken by another link, while the store wrote.
    if (candidate.spent) throw new Silence('stale', record.id);
    const old = sessions.get(candidate.device);
    const named = candidate.resumption ? candidate.resumption.continues : accept.continues;
    const continued = old !== undefined && named !== undefined && !isZero(named) && sameBytes(old.name, named);
    if (candidate.resumption && named && !continued) throw new Silence('sessionGone', record.id);
    const session = continued ? old : (candidate.provisional ?? new DeviceSession(this.context, record));
    session.record = record;
    candidates.endDevice(candidate.device, candidate);
    if (old?.live && old !== session && !candidate.resumption) this.#warn(old, candidate.address);
    if (old && old !== session) old.end(Code.StateLost);
    sessions.set(candidate.device, session);
    return { session, continued };
  }

  /** Whoever is ahead wins (a copy of a device, flash that was put back): the operator is to know, and decides. */
  #warn({ report }: DeviceSession, address: string): void {
    this.context.counters.add('chainReplaced');
    this.context.tell('chainReplaced', { ...report, by: address === '' ? undefined : address });
  }

  // ---- The store ----------------------------------------------------------------------------------------------------

  #write(present: StoreEntry, record: RuleRecord, durable: boolean): Promise<boolean> {
    const { state } = present;
    if (!state.chain) throw new HawserError('ERR_HAWSER_STATE', 'a claim without a chain');
    const chain = this.#moved(state.chain, record.p);
    return this.#put(present, { ...state, chain, early: record.early, incarnation: record.incarnation }, durable);
  }

  #put(present: StoreEntry, state: ChainState, durable: boolean): Promise<boolean> {
    const { engine, store } = this.context;
    const tickets = state.chain ? engine.chainTickets(state.chain, state.ahead).map(({ ticket }) => ticket) : [];
    return store.compareAndSet(present.record.id, present.version, state, tickets, durable);
  }

  /** Within a block the core walks one step at a time. */
  #moved(chain: Chain, to: Position): Chain {
    const { engine } = this.context;
    let at = chain;
    if (to.b > at.b) at = engine.chainMove(at, { b: to.b, i: 0 });
    while (compare(at, to) < 0) at = engine.chainMove(at, { b: at.b, i: at.i + 1 });
    return at;
  }

  #pairing(record: DeviceRecord): CorePairing {
    return this.context.credentials(record).pairing;
  }
}

interface Look {
  accept: AcceptCore;
  key: string;
  address: string;
}
interface Found {
  entry: StoreEntry;
  chain: Chain;
  resumption: Resumption;
}
interface Claimed {
  verdict: Verdict;
  incarnation: string;
}

function ruleRecord(state: ChainState, chain: Chain): RuleRecord {
  return { p: { b: chain.b, i: chain.i }, early: state.early, incarnation: state.incarnation };
}
