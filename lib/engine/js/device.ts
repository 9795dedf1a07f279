/**
 * The device's end: flash, ladder, handshakes (SPEC 7.4, 8), then a session like any other.
 *
 * State    Event                              Next
 * off      boot()                             idle
 * idle     connect()                          sent
 * sent     valid answer, needs a write        store
 * sent     valid answer, no write             live
 * store    stored(true)                       live
 * live     bad record, link lost, dead        idle
 * sent, store: link lost, stored(false)       idle, the position and its message 1 are kept
 */

import {
  Kind,
  Mode,
  Transport,
  Verdict,
  type CoreEvent,
  type DeviceCore,
  type Early,
  type HandshakeInfo,
  type HandshakeKind,
} from '../../engine.js';
import { HawserError } from '../../errors.js';
import { type Port, type StateHash, type TrafficKeys, wipe } from './crypto.js';
import { dataHead, isUpstreamName, openFrame, stateFrame, streamFrame, violation } from './frames.js';
import { finishFull, readFull2, startFull, writeFull1, type NoiseHandshake } from './handshake.js';
import type { Pairing } from './pairing.js';
import { Deframer, frameMessage, Link, type Unit } from './record.js';
import { chainId, firstStep, h0Of, h1Of, nextBlock, nextStep, readResume2, writeResume1 } from './resume.js';
import {
  readSaved,
  readSlot,
  SavedFlag,
  writeSaved,
  writeSlot,
  type SavedState,
  type SavedStream,
  type Slot,
} from './saved.js';
import { Session, type SessionSettings } from './session.js';
import { Stream } from './stream.js';
import {
  argument,
  ATTEMPT_MS,
  BAD_ANSWERS,
  checkTransport,
  concat,
  copy,
  fail,
  Frame,
  hasFull,
  HEADER_LEN,
  isZero,
  MESSAGE1_MAX,
  NO_NAME,
  RESUME1_LEN,
  RESUME2_LEN,
  sameBytes,
  U48_MAX,
  WARM_PATIENCE_MS,
} from './wire.js';

interface Position {
  b: number;
  i: number;
  r: Uint8Array;
}

interface EarlySent {
  stream: number;
  serial: number;
  start: number;
  end: number;
  fin: boolean;
  idempotent: boolean;
}

/** The one message 1 of a position and power cycle. */
interface Message1 {
  bytes: Uint8Array;
  h1: Uint8Array;
  name: Uint8Array;
  firstSent: number;
  early: EarlySent | undefined;
}

interface Attempt {
  kind: HandshakeKind;
  transport: Transport;
  /** Framed; undefined once send() gave it out. */
  out: Uint8Array | undefined;
  sent: number;
  until: number;
  bad: number;
  noise: NoiseHandshake | undefined;
  /** The answer was valid and waits for flash. */
  answer?: Answer;
}

interface Answer {
  kind: HandshakeKind;
  keys: TrafficKeys;
  name: Uint8Array;
  verdict: Verdict;
  /** Resumption alone: a full handshake learns it from STATUS. */
  continued: boolean;
  received: number;
  ecdh: number;
  /** What flash must hold before the first record, and the step secret that a full handshake starts with. */
  slot?: Slot;
  first?: Uint8Array;
}

type State = 'off' | 'idle' | 'sent' | 'store' | 'live';

export class Device extends Session implements DeviceCore {
  #state: State = 'off';
  #slot: Slot | undefined;
  #position: Position | undefined;
  #message1: Message1 | undefined;
  #attempt: Attempt | undefined;
  /** Attempts at (f, 0) so far: resumption and full handshake take turns. */
  #turn = 0;
  /** No valid record has come since the last full handshake, SPEC 7.4 rule 5. */
  #unproven = false;
  #handshake: HandshakeInfo | undefined;

  constructor(
    private readonly port: Port,
    pairing: Pairing,
    settings: SessionSettings,
  ) {
    super(pairing, settings);
  }

  get handshake(): HandshakeInfo | undefined {
    return this.#handshake && { ...this.#handshake };
  }

  // ---- Boot and flash ----------------------------------------------------------------------------------

  boot(slot0?: Uint8Array, slot1?: Uint8Array): { wipe?: 0 | 1 } {
    this.usable();
    if (this.#state !== 'off' && this.#state !== 'idle') throw fail('STATE', 'boot: a link is in use');
    const found = [readSlot(this.port, slot0), readSlot(this.port, slot1)] as const;
    const newer = found[0] && found[1] && found[1].sequence > found[0].sequence ? 1 : 0;
    const slot = found[newer] ?? found[0] ?? found[1] ?? this.#rootSlot();
    const step = slot && firstStep(this.port, slot.block);
    this.#leavePosition();
    this.#slot = slot;
    this.#position = slot && step && { b: slot.f, i: 0, r: step };
    this.#turn = 0;
    this.#unproven = false;
    this.#state = 'idle';
    return found[0] && found[1] ? { wipe: newer === 0 ? 1 : 0 } : {};
  }

  /** In `ticket` mode the pairing's secret is the first block of the chain. */
  #rootSlot(): Slot | undefined {
    if (this.pairing.mode !== Mode.Ticket) return undefined;
    const block = this.port.borrow(this.pairing.ticket);
    return { sequence: 0, chain: chainId(this.port, block), f: 0, block: copy(block) };
  }

  /** The position is given up for good. */
  #leavePosition(): void {
    const early = this.#message1?.early;
    if (early) this.#settleEarly(early, Verdict.Unknown);
    wipe(this.#message1?.bytes, this.#message1?.h1, this.#position?.r);
    this.#message1 = undefined;
    this.#position = undefined;
  }

  /** Rule 2: as after a boot. */
  #jump(): void {
    const slot = this.#slot as Slot;
    const r = firstStep(this.port, slot.block);
    this.#leavePosition();
    this.#position = { b: slot.f, i: 0, r };
    this.#turn = 0;
  }

  /** Where a valid answer under (b, i) leads (SPEC 7.3: i < max_steps). Changes nothing. */
  #following(): Position {
    const { b, i, r } = this.#position as Position;
    if (i + 1 < this.pairing.maxSteps) return { b, i: i + 1, r: nextStep(this.port, r) };
    const { f, block } = this.#slot as Slot;
    return { b: f, i: 0, r: firstStep(this.port, block) };
  }

  /** Leaves (b, i) with the verdict on its early data. */
  #advance(verdict: Verdict): void {
    const next = this.#following();
    const message1 = this.#message1;
    if (message1?.early) this.#settleEarly(message1.early, verdict);
    if (message1) message1.early = undefined;
    this.#leavePosition();
    this.#position = next;
  }

  // ---- Ladder ------------------------------------------------------------------------------------------

  connect(transport: Transport, now: number, early?: Early): { early: boolean; kind: HandshakeKind } {
    this.usable();
    if (this.#state === 'off') throw fail('STATE', 'connect: boot() comes first');
    checkTransport(transport);
    if (early) this.#checkEarly(early);
    this.disconnected(now);
    const kind = this.#choose(now);
    const anew = this.#message1 === undefined;
    if (kind === 'full') this.#startFull(transport, now);
    else this.#startResumption(transport, now, early);
    this.#state = 'sent';
    return { early: kind === 'resumption' && anew && this.#message1?.early !== undefined, kind };
  }

  /** Rule 5. Throws ERR_HAWSER_EXHAUSTED at the end of a chain in `ticket` mode. */
  #choose(now: number): HandshakeKind {
    const full = hasFull(this.pairing.mode);
    if (!this.#slot || !this.#position || (full && this.#unproven)) return 'full';
    this.#losePatience(now);
    const { b, i } = this.#position;
    if (b >= this.pairing.maxBlocks) {
      if (!full) throw fail('EXHAUSTED', 'the chain is at its end: a new pairing is needed');
      return 'full';
    }
    const cold = i === 0 && b === this.#slot.f;
    return cold && full && this.#turn++ % 2 === 1 ? 'full' : 'resumption';
  }

  /** Rule 2: a warm message 1 that stays without a valid answer is given up. */
  #losePatience(now: number): void {
    const position = this.#position as Position;
    const message1 = this.#message1;
    const warm = position.i > 0 || position.b < (this.#slot as Slot).f;
    if (!warm || !message1) return;
    message1.firstSent = Math.min(message1.firstSent, now);
    if (now - message1.firstSent >= WARM_PATIENCE_MS) this.#jump();
  }

  #startFull(transport: Transport, now: number): void {
    const noise = startFull(this.port, this.pairing, true);
    this.#begin('full', transport, now, writeFull1(this.port, this.pairing, noise), noise);
  }

  #startResumption(transport: Transport, now: number, early: Early | undefined): void {
    this.#message1 ??= this.#buildMessage1(now, early);
    this.#begin('resumption', transport, now, this.#message1.bytes, undefined);
  }

  #begin(kind: HandshakeKind, transport: Transport, now: number, bytes: Uint8Array, noise: NoiseHandshake | undefined) {
    const out = frameMessage(transport, bytes);
    this.#attempt = { kind, transport, out, sent: out.length, until: now + ATTEMPT_MS, bad: 0, noise };
    const serial = transport === Transport.Serial;
    const expect = { message: true, messageMin: RESUME2_LEN, record: serial, recordMax: this.pairing.recordMax };
    this.deframer = new Deframer(transport, expect);
  }

  // ---- Early data --------------------------------------------------------------------------------------

  #checkEarly(early: Early): void {
    const stream = this.channel.stream(early.stream, Kind.Stream);
    const end = stream.txAcked + early.data.length + (early.fin ? 1 : 0);
    argument(
      stream.txEnd === 0 || end === stream.txEnd || (!early.fin && end < stream.txEnd),
      'early data: behind its end',
    );
  }

  #buildMessage1(now: number, early: Early | undefined): Message1 {
    const { b, i, r } = this.#position as Position;
    const frames = early && this.#earlyFrames(early);
    const may = early !== undefined && this.#mayRide(early);
    const fits = may && frames !== undefined && RESUME1_LEN + frames.length <= MESSAGE1_MAX;
    const name = copy(this.sessionName);
    const h0 = h0Of(this.port, this.pairing.ident, (this.#slot as Slot).chain, { b, i });
    const bytes = writeResume1(this.port, r, h0, { name, early: fits ? frames : undefined });
    const sent = fits && early ? this.#earlySent(early) : undefined;
    return { bytes, h1: h1Of(this.port, h0, bytes), name, firstSent: now, early: sent };
  }

  /** Not what may have been delivered under another position already: that is the application's to decide. */
  #mayRide(early: Early): boolean {
    const doubt = this.channel.stream(early.stream).early?.fate === 'unsure';
    return !doubt && early.data.length <= this.pairing.windowGateway;
  }

  /** OPEN or STREAM, then DATA or FIN (SPEC 7.2). */
  #earlyFrames(early: Early): Uint8Array {
    const stream = this.channel.stream(early.stream);
    const { id, serial, txAcked, rx, rxAck } = stream;
    const head = stream.known ? streamFrame({ id, serial, tx: txAcked, rx, ack: rxAck }) : openFrame(stream);
    if (early.data.length === 0 && !early.fin) return head;
    return concat(head, dataHead(early.fin ? Frame.Fin : Frame.Data, id), early.data);
  }

  #earlySent(early: Early): EarlySent {
    const { stream, fin, idempotent } = early;
    const { serial, txAcked: start } = this.channel.stream(stream);
    return { stream, serial, start, end: start + early.data.length + (fin ? 1 : 0), fin, idempotent };
  }

  /** Reports the verdict and notes what the next session makes of the stream. */
  #settleEarly(early: EarlySent, verdict: Verdict): void {
    const stream = this.channel.streams.get(early.stream);
    // Given up here meanwhile: a gateway that has the stream is told so.
    if (!stream && verdict === Verdict.Taken) this.channel.giveUp(early.stream, early.serial);
    if (!stream || stream.reset) return;
    this.channel.events.push({ type: 'verdict', stream: stream.id, verdict });
    if (verdict !== Verdict.NotTaken) {
      const before = stream.sent;
      stream.mayHaveSent(early.end, early.fin);
      const unknown = early.idempotent ? 'again' : 'unsure';
      if (!before || stream.early)
        stream.early = { fate: verdict === Verdict.Taken ? 'taken' : unknown, end: early.end };
    }
    if (verdict === Verdict.Taken) {
      stream.tx = early.end;
    } else {
      stream.tx = early.start;
      this.channel.events.push({ type: 'rewind', stream: stream.id, offset: early.start });
    }
  }

  // ---- Verbs -------------------------------------------------------------------------------------------

  protected override take(unit: Unit, now: number): HawserError | undefined {
    if (this.#state === 'live' || unit.kind === 'bad') return super.take(unit, now);
    if (this.#state === 'sent' && unit.kind === 'message') return this.#takeAnswer(unit, now);
    const serial = this.deframer?.transport === Transport.Serial;
    return serial ? undefined : fail('FORMAT', 'bytes before the first record');
  }

  protected override takePlaintext(plaintext: Uint8Array, now: number): HawserError | undefined {
    this.#unproven = false;
    const error = super.takePlaintext(plaintext, now);
    if (!this.link) this.#toIdle();
    return error;
  }

  override send(now: number): Uint8Array | undefined {
    this.usable();
    const attempt = this.#attempt;
    if (this.#state !== 'sent' || !attempt?.out) return super.send(now);
    const out = attempt.out;
    attempt.out = undefined;
    return out;
  }

  override deadline(): number {
    this.usable();
    const own = this.#state === 'sent' ? (this.#attempt as Attempt).until : Infinity;
    return Math.min(own, super.deadline());
  }

  override timeout(now: number): CoreEvent[] {
    this.usable();
    const attempt = this.#attempt;
    if (this.#state === 'sent' && attempt) {
      // A clock that went back must not prolong the attempt for ever.
      attempt.until = Math.min(attempt.until, now + ATTEMPT_MS);
      if (now >= attempt.until) {
        attempt.until = Infinity;
        this.channel.events.push({ type: 'dead' });
      }
    }
    return super.timeout(now);
  }

  disconnected(now: number): void {
    this.usable();
    this.now = now;
    this.#toIdle();
    // What was to be said about the link that is gone must not hit the next one.
    const past: readonly CoreEvent['type'][] = ['store', 'live', 'drop', 'dead'];
    this.channel.events = this.channel.events.filter(({ type }) => !past.includes(type));
  }

  override linkDown(): void {
    this.usable();
    this.#toIdle();
  }

  /** Keys and attempt are gone; position and message 1 stay. */
  #toIdle(): void {
    this.dropLink();
    const attempt = this.#attempt;
    attempt?.noise?.wipe();
    if (attempt?.answer) wipeAnswer(attempt.answer);
    this.#attempt = undefined;
    if (this.#state !== 'off') this.#state = 'idle';
  }

  protected override dropLink(): void {
    super.dropLink();
    if (this.#state === 'live') this.#state = 'idle';
  }

  // ---- Answer ------------------------------------------------------------------------------------------

  /** A bad answer changes nothing: on a serial line it is counted, on a stream the link is dropped. */
  #takeAnswer(unit: Unit, now: number): HawserError | undefined {
    const attempt = this.#attempt as Attempt;
    let answer: Answer;
    try {
      const message = unit.bytes.subarray(HEADER_LEN);
      const received = unit.raw.length > 0 ? unit.raw.length : unit.bytes.length;
      answer = attempt.kind === 'full' ? this.#readFull(attempt, message) : this.#readResumption(attempt, message);
      answer.received = received;
    } catch (error) {
      if (!(error instanceof HawserError)) throw error;
      if (attempt.transport === Transport.Stream || ++attempt.bad >= BAD_ANSWERS) return error;
      return undefined;
    }
    this.now = now;
    attempt.noise?.wipe();
    attempt.noise = undefined;
    attempt.answer = answer;
    if (!answer.slot) this.#goLive(attempt, answer, now);
    else {
      this.#state = 'store';
      this.channel.events.push({ type: 'store', slot: writeSlot(this.port, answer.slot) });
    }
    return undefined;
  }

  #readFull(attempt: Attempt, message: Uint8Array): Answer {
    const noise = (attempt.noise as NoiseHandshake).copy();
    try {
      readFull2(this.port, this.pairing, noise, message);
      const ecdh = noise.agreements;
      const { d2g, g2d, b0, name } = finishFull(this.port, noise);
      const chain = chainId(this.port, b0);
      const slot = { sequence: this.#nextSequence(), chain, f: 1, block: nextBlock(this.port, b0) };
      const first = firstStep(this.port, b0);
      wipe(b0);
      const keys = { d2g, g2d };
      return { kind: 'full', keys, name, verdict: Verdict.None, continued: false, received: 0, ecdh, slot, first };
    } finally {
      noise.wipe();
    }
  }

  #readResumption(attempt: Attempt, message: Uint8Array): Answer {
    const { h1, name: asked, early } = this.#message1 as Message1;
    const { b, i, r } = this.#position as Position;
    const sent = { early: early !== undefined, name: asked };
    const { content, keys } = readResume2(this.port, r, h1, attempt.transport, message, sent);
    const { d2g, g2d, name } = keys;
    const { verdict, continued } = content;
    const answer: Answer = { kind: 'resumption', keys: { d2g, g2d }, name, verdict, continued, received: 0, ecdh: 0 };
    const { f, chain, block } = this.#slot as Slot;
    if (i === 0 && b === f) {
      answer.slot = { sequence: this.#nextSequence(), chain, f: f + 1, block: nextBlock(this.port, block) };
    }
    return answer;
  }

  #nextSequence(): number {
    return (this.#slot?.sequence ?? 0) + 1;
  }

  stored(ok: boolean): void {
    this.usable();
    const attempt = this.#attempt;
    const answer = attempt?.answer;
    if (this.#state !== 'store' || !attempt || !answer?.slot) throw fail('STATE', 'stored: nothing was to be stored');
    if (ok) {
      wipe(this.#slot?.block);
      this.#slot = answer.slot;
      delete answer.slot;
      this.#goLive(attempt, answer, this.now);
      return;
    }
    // A write that failed half-way may have left a valid slot: the next one must count higher.
    if (this.#slot) this.#slot.sequence = answer.slot.sequence;
    this.#toIdle();
    const error = new HawserError('ERR_HAWSER_STORAGE', 'the flash slot could not be written');
    this.channel.events.push({ type: 'drop', error });
  }

  /** Rules 3 and 4 are kept: the position is left, the first record may go out. */
  #goLive(attempt: Attempt, answer: Answer, now: number): void {
    const { transport, sent } = attempt;
    const { kind, received, ecdh, verdict } = answer;
    const asked = this.#message1?.name ?? NO_NAME;
    if (kind === 'full') this.#startChain(answer.first as Uint8Array);
    else this.#advance(verdict);
    this.#turn = 0;
    this.#attempt = undefined;
    this.#handshake = { kind, sent, received, ecdh, early: verdict };
    const link = new Link(this.port, transport, true, answer.keys);
    const serial = transport === Transport.Serial;
    const expect = { message: serial, record: true, recordMax: this.pairing.recordMax };
    this.linkUp(link, new Deframer(transport, expect), now);
    this.#state = 'live';
    this.firstDue = true;
    if (kind === 'full') this.#openFull(answer.name);
    else this.#openResumed(answer, asked);
    this.watch(now);
  }

  #startChain(first: Uint8Array): void {
    this.#leavePosition();
    this.#position = { b: 0, i: 0, r: first };
    this.#unproven = true;
  }

  #openResumed(answer: Answer, asked: Uint8Array): void {
    if (answer.continued) {
      this.sessionName = asked;
      this.channel.linkContinued();
    } else {
      this.channel.linkNew();
      this.sessionName = answer.name;
    }
    this.channel.events.push({ type: 'live', continued: answer.continued });
  }

  /** STATE names the old session; whether it goes on the gateway's STATUS says. Without one it is NEW for sure. */
  #openFull(name: Uint8Array): void {
    const asked = this.sessionName;
    this.channel.opening = stateFrame(asked);
    const begin = (continued: boolean): void => {
      if (continued) this.channel.linkContinued();
      else {
        this.channel.linkNew();
        this.sessionName = name;
      }
      this.channel.events.push({ type: 'live', continued });
    };
    if (!isZero(asked)) {
      this.channel.phase = 'wait';
      this.channel.onStatus = begin;
      return;
    }
    begin(false);
    this.channel.onStatus = (continued) => {
      if (continued) throw violation('STATUS continues a session that was not named');
    };
  }

  // ---- Streams -----------------------------------------------------------------------------------------

  open(name: string, kind: Kind): number {
    this.usable();
    argument(isUpstreamName(name), 'name: must be 1..32 characters of a-z 0-9 . _ -');
    argument(kind === Kind.Stream || kind === Kind.Messages, 'kind: unknown');
    if (this.channel.ended) throw fail('CLOSED', 'the session has ended: connect again');
    return this.channel.open(name, kind, this.#message1?.early?.stream);
  }

  // ---- Saved state -------------------------------------------------------------------------------------

  save(kind: 'flash' | 'retained'): Uint8Array {
    this.usable();
    if (this.#state !== 'idle') throw fail('STATE', 'save: only after boot() and without a link');
    const streams: SavedStream[] = [];
    // A stream that was reset is left out: the gateway forgets what is not named.
    for (const stream of this.channel.streams.values()) {
      if (!stream.reset) streams.push(saveStream(stream));
    }
    const state: SavedState = { name: this.sessionName, serial: this.channel.serial, streams };
    if (kind === 'retained') state.at = this.#savedPosition();
    return writeSaved(this.port, state);
  }

  #savedPosition(): NonNullable<SavedState['at']> {
    const position = this.#position;
    if (!position || !this.#slot) throw fail('STATE', 'save: there is no position to keep');
    if (this.#message1) throw fail('STATE', 'save: a message 1 was sent under this position');
    if (this.#unproven) throw fail('STATE', 'save: no record has come since the full handshake');
    return { ...position, chain: this.#slot.chain };
  }

  restore(blob: Uint8Array, names: ReadonlyMap<number, string>): void {
    this.usable();
    if (this.#state !== 'idle' || this.#message1) throw fail('STATE', 'restore: only after boot(), before connect()');
    if (this.channel.streams.size > 0) throw fail('STATE', 'restore: there are streams already');
    const state = readSaved(this.port, blob);
    const streams = state.streams.map((saved) => this.#restoreStream(saved, state.serial, names));
    argument(new Set(streams.map(({ id }) => id)).size === streams.length, 'saved state: a stream comes twice');
    if (state.at) this.#restorePosition(state.at);
    for (const stream of streams) this.channel.streams.set(stream.id, stream);
    this.sessionName = state.name;
    this.channel.serial = state.serial;
    if (state.at) wipe(blob);
  }

  #restoreStream(saved: SavedStream, serial: number, names: ReadonlyMap<number, string>): Stream {
    const name = names.get(saved.id);
    argument(name !== undefined && isUpstreamName(name), `names: none for stream ${saved.id}`);
    argument(
      saved.id < this.settings.streams && saved.serial <= serial,
      `saved state: stream ${saved.id} does not fit`,
    );
    const stream = new Stream(saved.id, saved.serial, saved.kind, name);
    stream.sent = true;
    stream.known = (saved.flags & SavedFlag.Known) !== 0;
    stream.connected = stream.known;
    stream.tx = saved.acked;
    stream.txAcked = saved.acked;
    stream.txHigh = U48_MAX; // how far it got is known to the gateway alone
    if (saved.flags & SavedFlag.OwnFin) stream.txEnd = saved.acked;
    stream.rx = saved.ack;
    stream.rxAck = saved.ack;
    if (saved.flags & SavedFlag.PeerFin) stream.rxEnd = saved.ack;
    return stream;
  }

  #restorePosition(at: NonNullable<SavedState['at']>): void {
    const slot = this.#slot;
    const warm = slot !== undefined && (at.b < slot.f || (at.b === slot.f && at.i === 0));
    argument(warm && sameBytes(at.chain, slot.chain) && !isZero(at.r), 'saved state: of another chain');
    this.#leavePosition();
    this.#position = { b: at.b, i: at.i, r: at.r };
  }

  // ---- End ---------------------------------------------------------------------------------------------

  override wipe(): void {
    this.#toIdle();
    this.#message1 = undefined;
    this.#leavePosition();
    wipe(this.#slot?.block);
    this.#slot = undefined;
    this.#state = 'off';
    super.wipe();
  }

  protected override hash(into: StateHash): void {
    super.hash(into);
    const { sequence, chain, f, block } = this.#slot ?? {};
    into.add(this.#state, sequence, chain, f, block, this.#turn, this.#unproven);
    into.add(this.#position?.b, this.#position?.i, this.#position?.r);
    const m1 = this.#message1;
    into.add(m1?.bytes, m1?.h1, m1?.name, m1?.firstSent, JSON.stringify(m1?.early), JSON.stringify(this.#handshake));
    this.#hashAttempt(into);
  }

  /** Without the count of bad answers: a bad answer changes nothing (SPEC 7.4 rule 3). */
  #hashAttempt(into: StateHash): void {
    const attempt = this.#attempt;
    into.add(attempt?.kind, attempt?.transport, attempt?.out, attempt?.sent, attempt?.until);
    into.add(...(attempt?.noise?.parts() ?? []));
    const answer = attempt?.answer;
    into.add(answer?.keys.d2g, answer?.keys.g2d, answer?.name, answer?.verdict, answer?.continued, answer?.first);
    into.add(answer?.slot?.block, answer?.slot?.sequence);
  }
}

function wipeAnswer(answer: Answer): void {
  wipe(answer.keys.d2g, answer.keys.g2d, answer.first, answer.slot?.block);
}

function saveStream(stream: Stream): SavedStream {
  const { id, serial, kind } = stream;
  if (stream.txEnd > 0 && !stream.txOver) throw fail('STATE', `save: the FIN of stream ${id} is not acknowledged yet`);
  const flags =
    (stream.known ? SavedFlag.Known : 0) |
    (stream.rxOver ? SavedFlag.PeerFin : 0) |
    (stream.txOver ? SavedFlag.OwnFin : 0);
  return { id, serial, kind, flags, acked: stream.txAcked, ack: stream.rxAck };
}
