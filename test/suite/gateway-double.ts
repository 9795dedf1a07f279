/**
 * A gateway of one process with an in-memory store: SPEC 7.5, its rules from lib/rules.ts, the rest
 * in the smallest form that keeps them.
 * It serves connections (TestPort) of several devices over any transport.
 */

import {
  Mode,
  Verdict,
  type AcceptCore,
  type AcceptEvent,
  type Chain,
  type CorePairing,
  type Engine,
  type EngineOptions,
  type GatewayCore,
  type Position,
  type SessionOptions,
  type Suite,
  type Transport,
} from '../../lib/engine.js';
import { Transport as Transports } from '../../lib/engine.js';
import { claim, compare, confirm, full, type Claim, type Message1, type RuleRecord } from '../../lib/rules.js';
import type { EarlyState } from '../../lib/types.js';
import { hex } from './bytes.js';
import { SessionEnd } from './ends.js';

const CANDIDATE_MS = 60_000;
const AHEAD = 2;

/** What survives a restart of the gateway. */
export interface StoreRow {
  pairing: CorePairing;
  chain: Chain | undefined;
  early: EarlyState;
  incarnation: string;
}

/** Each is a place where a process may die; 'claim', 'deliver', 'answer' and 'confirm' come before what they name. */
export type GatewayStep =
  'claim' | 'claimed' | 'deliver' | 'delivered' | 'answer' | 'answered' | 'confirm' | 'confirmed' | 'stale';

/** What a step is about: message 1 by its SHA-256, and where it stands (a full handshake: nowhere). */
export interface StepOf {
  row: StoreRow;
  h: string;
  at: Position | undefined;
  message?: Message1;
  claim?: Claim;
}

interface Candidate {
  row: StoreRow;
  h: string;
  accept: AcceptCore;
  answer: Uint8Array;
  until: number;
  incarnation: string;
  /** Resumption: where message 1 stands, and whether the answer said CONTINUED. */
  at: Position | undefined;
  chainId: string;
  continued: boolean;
  /** A NEW session that holds early data already. */
  session: TestSession | undefined;
}

export class TestSession extends SessionEnd<GatewayCore> {
  port: TestPort | undefined;
}

export class TestGateway {
  rows: StoreRow[] = [];
  /** The store's: changes whenever its last writes may be lost. */
  incarnation = 'incarnation 1';
  ahead = AHEAD;
  /** A policy that refuses all early data. */
  refuseEarly = false;
  /** Called with each new session before its first event. */
  prepare: (session: TestSession) => void = () => undefined;
  /** Called at each step, for traces; one that throws stops the gateway there, and the test restarts it. */
  onStep: (step: GatewayStep, of: StepOf) => void = () => undefined;
  /** Those of lib/rules.ts, unless a test puts a broken one in their place. */
  rules = { claim, confirm, full };
  readonly sessions = new Map<StoreRow, TestSession>();
  readonly past: TestSession[] = [];
  readonly ports = new Set<TestPort>();
  private answers = new Map<string, Candidate>();
  counters = { confirmed: 0, answered: 0, repeated: 0, silent: 0 };

  constructor(
    readonly engine: Engine,
    readonly options?: SessionOptions & EngineOptions,
  ) {}

  /** Enrols a device; `b0` starts its chain in `ticket` mode. */
  add(pairing: CorePairing, b0?: Uint8Array): StoreRow {
    const chain = b0 === undefined ? undefined : this.engine.chainStart(b0);
    const row: StoreRow = { pairing, chain, early: { kind: 'none' }, incarnation: this.incarnation };
    this.rows.push(row);
    return row;
  }

  listen(transport: Transport): TestPort {
    const port = new TestPort(this, transport);
    this.ports.add(port);
    return port;
  }

  /** The process dies; the store is kept. `lost` says that its last writes may be gone. */
  restart(lost = false): void {
    for (const port of [...this.ports]) port.close();
    this.sessions.clear();
    this.answers.clear();
    if (lost) this.incarnation = `${this.incarnation}'`;
  }

  session(row: StoreRow | undefined = this.rows[0]): TestSession | undefined {
    return row && this.sessions.get(row);
  }

  /** First checks and the answer to one message 1, or undefined: silence. */
  answer(accept: AcceptCore, event: AcceptEvent, transport: Transport, now: number): Candidate | undefined {
    const candidate =
      event.type === 'id'
        ? this.answerId(accept, event, transport, now)
        : event.type === 'ticket'
          ? this.answerTicket(accept, event.ticket, transport, now)
          : undefined;
    if (candidate === undefined) this.counters.silent++;
    return candidate;
  }

  private answerId(
    accept: AcceptCore,
    event: { id: Uint8Array; mode: Mode; suite: Suite },
    transport: Transport,
    now: number,
  ): Candidate | undefined {
    const row = this.rows.find(
      (each) =>
        hex(each.pairing.id) === hex(event.id) &&
        each.pairing.mode === event.mode &&
        each.pairing.suite === event.suite,
    );
    if (row === undefined || !accept.offerId(row.pairing)) return undefined;
    const cached = this.cached(accept, transport, now);
    if (cached !== undefined) return cached;
    const answer = accept.answerFull(new Uint8Array(0));
    return (
      answer &&
      this.remember(accept, transport, {
        row,
        h: hex(accept.digest1),
        accept,
        answer,
        until: now + CANDIDATE_MS,
        incarnation: this.incarnation,
        at: undefined,
        chainId: '',
        continued: false,
        session: undefined,
      })
    );
  }

  private answerTicket(
    accept: AcceptCore,
    ticket: Uint8Array,
    transport: Transport,
    now: number,
  ): Candidate | undefined {
    for (const row of this.rows) {
      if (row.chain === undefined) continue;
      const named = this.engine.chainTickets(row.chain, this.ahead).some((each) => hex(each.ticket) === hex(ticket));
      const offer = named ? accept.offerTicket(row.pairing, row.chain, this.ahead) : undefined;
      if (offer === undefined) continue;
      return this.cached(accept, transport, now) ?? this.claim(row, accept, offer, transport, now);
    }
    return undefined;
  }

  private claim(
    row: StoreRow,
    accept: AcceptCore,
    offer: { b: number; i: number; continues: Uint8Array; early: boolean },
    transport: Transport,
    now: number,
  ): Candidate | undefined {
    const old = this.sessions.get(row);
    const continued =
      old !== undefined && offer.continues.some((byte) => byte !== 0) && hex(old.core.name) === hex(offer.continues);
    const fits = continued || offer.continues.every((byte) => byte === 0);
    const message = { q: offer, h: accept.digest1.slice(), hasEarly: offer.early, refuse: !fits || this.refuseEarly };
    const claimed = this.rules.claim(this.record(row), message, this.incarnation);
    if (claimed === undefined) return undefined;
    const at = { b: offer.b, i: offer.i };
    const of = { row, h: hex(accept.digest1), at, message, claim: claimed };
    this.onStep('claim', of);
    this.write(row, claimed.record);
    this.onStep('claimed', of);
    const verdict = claimed.verdict;
    const answer = accept.answerTicket(verdict, continued, new Uint8Array(0));
    const session = verdict === Verdict.Taken ? this.takeEarly(of, accept, continued ? old : undefined) : undefined;
    return this.remember(accept, transport, {
      row,
      h: of.h,
      accept,
      answer,
      until: now + CANDIDATE_MS,
      incarnation: this.incarnation,
      at,
      chainId: hex(row.chain?.id ?? new Uint8Array(0)),
      continued,
      session,
    });
  }

  /** The part of a row that lib/rules.ts decides about. */
  private record(row: StoreRow): RuleRecord {
    const p = row.chain ?? { b: 0, i: 0 };
    return { p: { b: p.b, i: p.i }, early: row.early, incarnation: row.incarnation };
  }

  private write(row: StoreRow, record: RuleRecord): void {
    if (row.chain !== undefined && compare(record.p, row.chain) > 0)
      row.chain = this.engine.chainMove(row.chain, record.p);
    row.early = record.early;
    row.incarnation = record.incarnation;
  }

  private takeEarly(of: StepOf, accept: AcceptCore, continued: TestSession | undefined): TestSession {
    this.onStep('deliver', of);
    const session = continued ?? this.newSession(of.row);
    session.handle(session.core.early(accept));
    this.onStep('delivered', of);
    return session;
  }

  newSession(row: StoreRow): TestSession {
    const session = new TestSession(this.engine.gateway(row.pairing, this.options));
    this.prepare(session);
    return session;
  }

  /** Rule 4. */
  private cached(accept: AcceptCore, transport: Transport, now: number): Candidate | undefined {
    const found = this.answers.get(`${transport} ${hex(accept.digest1)}`);
    if (found === undefined || found.until <= now) return undefined;
    this.counters.repeated++;
    const copy = found.accept.clone();
    return { ...found, accept: copy.accept, answer: copy.answer };
  }

  private remember(accept: AcceptCore, transport: Transport, candidate: Candidate): Candidate {
    this.answers.set(`${transport} ${hex(accept.digest1)}`, candidate);
    this.counters.answered++;
    return candidate;
  }

  /** Rules 5 to 7: the first record is valid. The session, or undefined: the candidate is dropped. */
  confirm(candidate: Candidate, port: TestPort, now: number): TestSession | undefined {
    const { row, accept, at, h } = candidate;
    this.onStep('confirm', { row, h, at });
    if (at === undefined) this.replaceChain(row, accept);
    else if (!this.stepOver(candidate, at)) return this.stale(candidate);
    this.onStep('confirmed', { row, h, at });
    for (const [key, other] of this.answers) if (other.row === row) this.answers.delete(key);
    for (const other of [...this.ports]) if (other !== port && other.row === row) other.close();
    this.counters.confirmed++;
    return this.attach(candidate, port, now);
  }

  private stale({ row, h, at }: Candidate): undefined {
    this.onStep('stale', { row, h, at });
  }

  private attach(candidate: Candidate, port: TestPort, now: number): TestSession {
    const { row, accept } = candidate;
    const old = this.sessions.get(row);
    const continued =
      candidate.at === undefined
        ? old !== undefined && hex(old.core.name) === hex(accept.continues)
        : candidate.continued;
    const session = continued && old !== undefined ? old : (candidate.session ?? this.newSession(row));
    if (old !== undefined && old !== session) this.retire(old);
    if (session.port !== undefined) session.core.linkDown();
    session.port = port;
    this.sessions.set(row, session);
    session.dropped = undefined;
    session.dead = false;
    session.handle(session.core.attach(accept, continued, now));
    return session;
  }

  private retire(session: TestSession): void {
    session.core.wipe();
    this.past.push(session);
    for (const end of session.streams.values()) end.code = 5;
  }

  private replaceChain(row: StoreRow, accept: AcceptCore): void {
    row.chain = accept.chain;
    this.write(row, this.rules.full(this.incarnation));
  }

  private stepOver(candidate: Candidate, at: Position): boolean {
    const { row } = candidate;
    if (row.chain === undefined || hex(row.chain.id) !== candidate.chainId) return false;
    const record = this.rules.confirm(this.record(row), at, candidate.incarnation, this.incarnation);
    if (record === undefined) return false;
    this.write(row, record);
    return true;
  }
}

/** One connection of the gateway. On a serial line it also listens for a new message 1 at any time. */
export class TestPort {
  open = true;
  readonly out: Uint8Array[] = [];
  row: StoreRow | undefined;
  private listening: AcceptCore | undefined;
  private candidate: Candidate | undefined;
  session: TestSession | undefined;
  dropped: Error | undefined;

  constructor(
    private readonly gateway: TestGateway,
    readonly transport: Transport,
  ) {
    this.listening = gateway.engine.accept(transport, gateway.options);
  }

  get serial(): boolean {
    return this.transport === Transports.Serial;
  }

  /** The core that the next byte goes to, for tests that look at its state. */
  get state(): 'first' | 'candidate' | 'live' | 'closed' {
    return !this.open ? 'closed' : this.session ? 'live' : this.candidate ? 'candidate' : 'first';
  }

  receive(chunk: Uint8Array, now: number): void {
    if (!this.open) return;
    if (this.serial) this.receiveSerial(chunk, now);
    else this.receiveStream(chunk, now);
  }

  private receiveStream(chunk: Uint8Array, now: number): void {
    let rest = chunk;
    while (this.open && this.session === undefined && rest.length > 0) {
      const accept = this.candidate?.accept ?? this.listening;
      if (accept === undefined) return;
      rest = rest.subarray(this.step(accept, rest, now));
    }
    if (this.session !== undefined && rest.length > 0) this.receiveSession(rest, now);
  }

  /** Every listener gets its own copy: each skips the frames that are not for it. */
  private receiveSerial(chunk: Uint8Array, now: number): void {
    let rest = chunk.slice();
    while (rest.length > 0 && this.listening !== undefined) {
      const session = this.session;
      const candidate = this.candidate;
      const used = this.listen(rest.slice(), now);
      const part = rest.slice(0, used);
      if (candidate !== undefined && this.candidate === candidate)
        this.feedCandidate(candidate.accept, part.slice(), now);
      if (session !== undefined && this.session === session) this.receiveSession(part, now);
      rest = rest.slice(used);
    }
  }

  private feedCandidate(accept: AcceptCore, chunk: Uint8Array, now: number): void {
    const used = this.step(accept, chunk, now);
    if (used < chunk.length && this.session !== undefined) this.receiveSession(chunk.slice(used), now);
  }

  private listen(chunk: Uint8Array, now: number): number {
    const accept = this.listening;
    return accept === undefined ? chunk.length : this.step(accept, chunk, now);
  }

  private step(accept: AcceptCore, chunk: Uint8Array, now: number): number {
    const { used, event } = accept.receive(chunk, now);
    if (event === undefined) return chunk.length;
    if (event.type === 'drop') this.drop(event.error);
    else if (event.type === 'confirm') this.confirm(now);
    else this.first(accept, event, now);
    return used;
  }

  private first(accept: AcceptCore, event: AcceptEvent, now: number): void {
    const candidate = this.gateway.answer(accept, event, this.transport, now);
    this.listening = this.serial ? this.gateway.engine.accept(this.transport, this.gateway.options) : undefined;
    if (candidate === undefined) return this.serial ? undefined : this.close();
    this.candidate = candidate;
    this.row = candidate.row;
    const { row, h, at } = candidate;
    this.gateway.onStep('answer', { row, h, at });
    this.out.push(candidate.answer.slice());
    this.gateway.onStep('answered', { row, h, at });
  }

  private confirm(now: number): void {
    const candidate = this.candidate;
    if (candidate === undefined) throw new Error("'confirm' without a candidate");
    this.candidate = undefined;
    const session = this.gateway.confirm(candidate, this, now);
    if (session === undefined) return this.close();
    this.session = session;
    this.react();
  }

  private receiveSession(chunk: Uint8Array, now: number): void {
    const session = this.session;
    if (session === undefined) return;
    session.handle(session.core.receive(chunk.slice(), now));
    this.react();
  }

  /** Acts on what the session said about its link. */
  react(): void {
    const session = this.session;
    if (session?.dropped !== undefined) this.drop(session.dropped);
    else if (session?.dead === true && !this.serial) this.close();
  }

  private drop(error: Error): void {
    this.dropped = error;
    if (!this.serial) this.close();
  }

  collect(now: number): Uint8Array[] {
    const out = this.out.splice(0);
    if (this.open && this.session !== undefined) out.push(...this.session.output(now));
    return out;
  }

  /** The connection is gone: record keys are wiped, streams stay. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.gateway.ports.delete(this);
    if (this.session?.port === this) {
      this.session.core.linkDown();
      this.session.port = undefined;
    }
  }
}
