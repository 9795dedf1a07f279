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
import { nameFrame } from './channel.js';
import { Sf } from './control.js';
import { type Port, type StateHash, type TrafficKeys, wipe } from './crypto.js';
import { dataHead, isUpstreamName, openFrame } from './frames.js';
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
import { St, type Stream } from './stream.js';
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
  MESSAGE2_MAX,
  RESUME1_LEN,
  RESUME2_LEN,
  sameBytes,
  WARM_PATIENCE_MS,
} from './wire.js';

interface Position {
  b: number;
  i: number;
  r: Uint8Array;
}

/** Early data that rides in the position's message 1 and has no verdict yet. */
interface EarlySent {
  stream: number;
  /** Where its bytes end. */
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
  /** What flash must hold before the first record. */
  slot: Slot | undefined;
  /** The step secret of the next position. */
  step: Uint8Array;
}

type State = 'off' | 'idle' | 'sent' | 'store' | 'live';

export class Device extends Session implements DeviceCore {
  #state: State = 'off';
  #slot: Slot | undefined;
  /** Of the last image that was made: it may have reached flash even if nobody heard of it. */
  #sequence = 0;
  #position: Position | undefined;
  #message1: Message1 | undefined;
  #early: EarlySent | undefined;
  /** What is to be told of early data. */
  #verdict: { stream: number; verdict: Verdict } | undefined;
  /** The slot image that is to be told. */
  #image: Uint8Array | undefined;
  /** The image was handed on, and what became of it was not told. */
  #storing = false;
  #attempt: Attempt | undefined;
  /** (f, 0) was tried last: the full handshake's turn. */
  #tried = false;
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
    if (this.#state !== 'off') throw fail('STATE', 'boot: only once');
    const found = [this.#ownSlot(slot0), this.#ownSlot(slot1)] as const;
    const newer = found[0] && found[1] && found[1].sequence > found[0].sequence ? 1 : 0;
    const slot = found[newer] ?? found[0] ?? found[1] ?? this.#rootSlot();
    this.#position = slot && { b: slot.f, i: 0, r: firstStep(this.port, slot.block) };
    this.#slot = slot;
    this.#sequence = slot?.sequence ?? 0;
    this.#state = 'idle';
    return found[0] && found[1] ? { wipe: newer === 0 ? 1 : 0 } : {};
  }

  /** A slot of another chain is left from another pairing; modes with ECDH get new chains, and cannot tell. */
  #ownSlot(bytes: Uint8Array | undefined): Slot | undefined {
    const slot = readSlot(this.port, bytes);
    if (!slot || this.pairing.mode !== Mode.Ticket) return slot;
    return sameBytes(slot.chain, chainId(this.port, this.port.borrow(this.pairing.ticket))) ? slot : undefined;
  }

  /** In `ticket` mode the pairing's secret is the first block of the chain. */
  #rootSlot(): Slot | undefined {
    if (this.pairing.mode !== Mode.Ticket) return undefined;
    const block = this.port.borrow(this.pairing.ticket);
    return { sequence: 0, chain: chainId(this.port, block), f: 0, block: copy(block) };
  }

  /** SPEC 7.4 rule 6: leaving a position whose early data has no verdict makes it UNKNOWN. */
  #leavePosition(): void {
    const early = this.#early;
    if (early) {
      this.#doubt(early);
      this.#verdict = { stream: early.stream, verdict: Verdict.Unknown };
      this.#early = undefined;
    }
    wipe(this.#message1?.bytes, this.#message1?.h1);
    this.#message1 = undefined;
  }

  /** The position becomes another one. */
  #stand(next: Position): void {
    this.#leavePosition();
    wipe(this.#position?.r);
    this.#position = next;
  }

  /** Rule 2: as after a boot. */
  #jump(): void {
    const { f, block } = this.#slot as Slot;
    this.#stand({ b: f, i: 0, r: firstStep(this.port, block) });
  }

  /** Not at what flash holds: only RAM knows this position. */
  get #warm(): boolean {
    const { b, i } = this.#position as Position;
    return i > 0 || b < (this.#slot as Slot).f;
  }

  // ---- Ladder ------------------------------------------------------------------------------------------

  connect(transport: Transport, now: number, early?: Early): { early: boolean; kind: HandshakeKind } {
    this.usable();
    if (this.#state !== 'idle') throw fail('STATE', 'connect: boot() comes first, disconnected() before the next link');
    checkTransport(transport);
    if (this.#mustJump(now)) this.#jump();
    const kind = this.#choose();
    const anew = kind === 'resumption' && this.#message1 === undefined;
    if (kind === 'full') this.#startFull(transport, now);
    else this.#startResumption(transport, now, early);
    this.#tried = kind === 'full' ? false : this.#tried || !this.#warm;
    this.#state = 'sent';
    return { early: anew && this.#early !== undefined, kind };
  }

  /** Rule 2: a warm message 1 that stays without a valid answer is given up. SPEC 7.3: i < max_steps. */
  #mustJump(now: number): boolean {
    if (!this.#slot || !this.#position || !this.#warm) return false;
    if (this.#position.i >= this.pairing.maxSteps) return true;
    const message1 = this.#message1;
    if (!message1) return false;
    message1.firstSent = Math.min(message1.firstSent, now); // a clock that went back
    return now - message1.firstSent >= WARM_PATIENCE_MS;
  }

  /** Rule 5. Throws ERR_HAWSER_EXHAUSTED at the end of a chain in `ticket` mode. */
  #choose(): HandshakeKind {
    if (!this.#slot || !this.#position || this.#unproven) return 'full'; // the gateway may not know the chain
    const full = hasFull(this.pairing.mode);
    const ended = this.#position.b >= this.pairing.maxBlocks;
    if (ended && !full) throw fail('EXHAUSTED', 'the chain is at its end: a new pairing is needed');
    return full && (ended || (!this.#warm && this.#tried)) ? 'full' : 'resumption';
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
    const messages = { message: true, messageMin: RESUME2_LEN, messageMax: serial ? MESSAGE1_MAX : MESSAGE2_MAX };
    const expect = { ...messages, record: serial, recordMax: this.pairing.recordMax };
    this.deframer = new Deframer(transport, expect);
  }

  // ---- Early data --------------------------------------------------------------------------------------

  #buildMessage1(now: number, early: Early | undefined): Message1 {
    const { b, i, r } = this.#position as Position;
    const frames = early && this.#mayRide(early) ? this.#earlyFrames(early) : undefined;
    const fits = frames !== undefined && RESUME1_LEN + frames.length <= MESSAGE1_MAX;
    const name = this.name;
    const h0 = h0Of(this.port, this.pairing.ident, (this.#slot as Slot).chain, { b, i });
    const bytes = writeResume1(this.port, r, h0, { name, early: fits ? frames : undefined });
    if (fits && early) this.#early = this.#earlySent(early);
    return { bytes, h1: h1Of(this.port, h0, bytes), name, firstSent: now };
  }

  /**
   * SPEC 7.2: nothing of the stream may be in flight, so that the data begins where the peer's acknowledgements end. Not what may
   * have been delivered under another position already: that is the application's to decide.
   */
  #mayRide(early: Early): boolean {
    const stream = this.channel.stream(early.stream);
    if (this.#verdict || !stream || stream.has(St.Doubt | St.Held) || stream.kind !== Kind.Stream) return false;
    const still = stream.tx === stream.txAcked && stream.txEnd === 0;
    return still && (!stream.has(St.Sent) || stream.has(St.Known)) && early.data.length <= this.pairing.windowGateway;
  }

  /** OPEN or STREAM, then DATA or FIN. */
  #earlyFrames(early: Early): Uint8Array {
    const stream = this.channel.theStream(early.stream);
    const head = stream.has(St.Sent) ? nameFrame(stream) : openFrame(stream);
    return concat(head, dataHead(early.fin ? Frame.Fin : Frame.Data, stream.id), early.data);
  }

  #earlySent({ stream, data, fin, idempotent }: Early): EarlySent {
    return { stream, end: this.channel.theStream(stream).tx + data.length, fin, idempotent };
  }

  /** Nobody knows what became of it: a session that continues dedupes it by its offsets, a new one cannot. */
  #doubt({ stream: id, end, fin, idempotent }: EarlySent): void {
    const stream = this.channel.slots[id];
    if (!stream) return;
    if (!idempotent && stream.has(St.Used)) stream.set(St.Doubt);
    this.channel.doubtEarly(stream, end, fin);
  }

  /** The link is named and the verdict known. */
  #settle(early: EarlySent, verdict: Verdict): void {
    const taken = verdict === Verdict.Taken;
    const stream = this.channel.stream(early.stream);
    this.#verdict = { stream: early.stream, verdict };
    this.#early = undefined;
    if (stream) this.channel.settleEarly(stream, taken, early.end, early.fin);
    else if (taken) this.channel.giveUp(early.stream); // the gateway has a stream that was given up here meanwhile
  }

  // ---- Verbs -------------------------------------------------------------------------------------------

  protected override get receives(): boolean {
    return this.#state === 'live' || this.#state === 'sent' || this.#state === 'store';
  }

  /** SPEC 6: a candidate is sent nothing but message 2. */
  protected override tooEarly(): HawserError | undefined {
    const wrong = this.#state === 'store' && this.deframer?.transport === Transport.Stream;
    return wrong ? fail('FORMAT', 'bytes before the first record') : undefined;
  }

  protected override take(unit: Unit, now: number): HawserError | undefined {
    if (this.#state === 'live') return super.take(unit, now);
    if (this.#state === 'store') return undefined;
    if (unit.kind === 'message') return this.#takeAnswer(unit, now);
    const serial = this.deframer?.transport === Transport.Serial;
    return serial ? undefined : fail('FORMAT', 'bytes before the first record');
  }

  protected override heard(now: number): void {
    this.#unproven = false;
    super.heard(now);
  }

  protected override next(): CoreEvent | undefined {
    const [image, verdict] = [this.#image, this.#verdict];
    this.#image = undefined;
    this.#storing ||= image !== undefined;
    if (image) return { type: 'store', slot: image };
    this.#verdict = undefined;
    return verdict ? { type: 'verdict', ...verdict } : super.next();
  }

  protected override get hasEvents(): boolean {
    return this.#image !== undefined || this.#verdict !== undefined || super.hasEvents;
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
    return this.#state === 'sent' && !this.hasEvents ? (this.#attempt as Attempt).until : super.deadline();
  }

  protected override onTime(now: number): void {
    const attempt = this.#attempt;
    if (this.#state !== 'sent' || !attempt) return super.onTime(now);
    if (attempt.until === Infinity) return; // said once
    // A clock that went back must not prolong the attempt for ever.
    attempt.until = Math.min(attempt.until, now + ATTEMPT_MS);
    if (now < attempt.until) return;
    attempt.until = Infinity;
    this.channel.set(Sf.EvDead);
  }

  disconnected(now: number): void {
    this.usable();
    if (this.#state === 'off') return;
    this.dropLink();
    this.channel.now = now;
  }

  /** Keys and attempt are gone; position and message 1 stay. */
  protected override dropLink(): void {
    super.dropLink();
    const attempt = this.#attempt;
    attempt?.noise?.wipe();
    if (attempt?.answer) wipeAnswer(attempt.answer);
    this.#attempt = undefined;
    this.#image = undefined;
    if (this.#state !== 'off') this.#state = 'idle';
  }

  // ---- Answer ------------------------------------------------------------------------------------------

  /** A bad answer changes nothing: on a serial line it is counted, on a stream the link is dropped. */
  #takeAnswer(unit: Unit, now: number): HawserError | undefined {
    const attempt = this.#attempt as Attempt;
    if (attempt.out) return fail('FORMAT', 'an answer to what was not sent');
    let answer: Answer;
    try {
      const message = unit.bytes.subarray(HEADER_LEN);
      answer = attempt.kind === 'full' ? this.#readFull(attempt, message) : this.#readResumption(attempt, message);
      answer.received = unit.raw.length > 0 ? unit.raw.length : unit.bytes.length;
    } catch (error) {
      if (!(error instanceof HawserError)) throw error;
      return this.#badAnswer(attempt, error);
    }
    attempt.noise?.wipe();
    attempt.noise = undefined;
    attempt.answer = answer;
    this.channel.nextName = answer.name;
    if (!answer.slot) this.#goLive(attempt, answer, now);
    else {
      this.#sequence = answer.slot.sequence;
      this.#state = 'store';
      this.#image = writeSlot(this.port, answer.slot);
      this.channel.now = now;
    }
    return undefined;
  }

  #badAnswer(attempt: Attempt, error: HawserError): HawserError | undefined {
    const network = error.code === 'ERR_HAWSER_AUTH' || error.code === 'ERR_HAWSER_FORMAT';
    if (attempt.transport === Transport.Stream || !network) return error;
    return ++attempt.bad >= BAD_ANSWERS ? fail('AUTH', 'too many bad answers') : undefined;
  }

  #readFull(attempt: Attempt, message: Uint8Array): Answer {
    const noise = (attempt.noise as NoiseHandshake).copy();
    try {
      readFull2(this.port, this.pairing, noise, message);
      const ecdh = noise.agreements;
      const { d2g, g2d, b0, name } = finishFull(this.port, noise);
      const chain = chainId(this.port, b0);
      const slot = { sequence: this.#sequence + 1, chain, f: 1, block: nextBlock(this.port, b0) };
      const step = firstStep(this.port, b0);
      wipe(b0);
      const keys = { d2g, g2d };
      return { kind: 'full', keys, name, verdict: Verdict.None, continued: false, received: 0, ecdh, slot, step };
    } finally {
      noise.wipe();
    }
  }

  #readResumption(attempt: Attempt, message: Uint8Array): Answer {
    const { h1 } = this.#message1 as Message1;
    const { r } = this.#position as Position;
    const sent = { early: this.#early !== undefined, name: this.channel.name };
    const { content, keys } = readResume2(this.port, r, h1, attempt.transport, message, sent);
    const { d2g, g2d, name } = keys;
    const { f, chain, block } = this.#slot as Slot;
    const slot = this.#warm ? undefined : { sequence: this.#sequence + 1, chain, f: f + 1, block: nextBlock(this.port, block) }; // prettier-ignore
    const { verdict, continued } = content;
    const step = nextStep(this.port, r);
    return { kind: 'resumption', keys: { d2g, g2d }, name, verdict, continued, received: 0, ecdh: 0, slot, step };
  }

  stored(ok: boolean): void {
    this.usable();
    if (!this.#storing || (this.#state !== 'store' && this.#state !== 'idle'))
      throw fail('STATE', 'stored: nothing was to be stored');
    this.#storing = false;
    const attempt = this.#attempt;
    const answer = attempt?.answer;
    if (!attempt || !answer?.slot) return; // the link was lost meanwhile: the position and its message 1 were kept
    if (!ok) return this.disconnected(this.channel.now);
    wipe(this.#slot?.block);
    this.#slot = answer.slot;
    answer.slot = undefined;
    this.#image = undefined;
    if (answer.kind === 'full') this.#unproven = true;
    this.#goLive(attempt, answer, this.channel.now);
  }

  /** Rules 3 and 4 are kept: the position is left, the first record may go out. */
  #goLive(attempt: Attempt, answer: Answer, now: number): void {
    const { transport, sent } = attempt;
    const { kind, received, ecdh, verdict } = answer;
    const early = kind === 'resumption' ? this.#early : undefined;
    if (!early)
      this.#leavePosition(); // a full handshake leaves early data behind without a verdict
    else if (verdict === Verdict.Unknown) this.#doubt(early); // before the session is renewed
    this.#attempt = undefined;
    this.#tried = false;
    this.#handshake = { kind, sent, received, ecdh, early: verdict };
    const serial = transport === Transport.Serial;
    const expect = { message: serial, record: true, recordMax: this.pairing.recordMax };
    this.linkUp(new Link(this.port, transport, true, answer.keys), new Deframer(transport, expect), now);
    this.#startSession(answer);
    if (early) this.#settle(early, verdict);
    const { b, i } = kind === 'full' ? { b: 0, i: -1 } : (this.#position as Position);
    this.#stand({ b, i: i + 1, r: answer.step });
    this.#state = 'live';
    this.note(now);
  }

  /** After a full handshake STATE names the old session; whether it goes on the gateway's STATUS says. */
  #startSession({ kind, continued }: Answer): void {
    const { channel } = this;
    const named = !isZero(channel.name);
    channel.set(Sf.FirstDue);
    if (kind === 'full') channel.set(Sf.StateDue | Sf.StatusWait);
    if (kind === 'full' && named) channel.set(Sf.Hold);
    else if (continued) channel.linkContinues();
    else channel.linkRenews();
  }

  // ---- Streams -----------------------------------------------------------------------------------------

  open(name: string, kind: Kind): number {
    this.usable();
    argument(isUpstreamName(name), 'name: must be 1..32 characters of a-z 0-9 . _ -');
    argument(kind === Kind.Stream || kind === Kind.Messages, 'kind: unknown');
    return this.channel.open(name, kind, this.#early?.stream ?? this.#verdict?.stream);
  }

  // ---- Saved state -------------------------------------------------------------------------------------

  save(kind: 'flash' | 'retained'): Uint8Array {
    this.usable();
    argument(kind === 'flash' || kind === 'retained', "save: kind is 'flash' or 'retained'");
    if (this.#state !== 'idle') throw fail('STATE', 'save: only after boot() and without a link');
    const at = kind === 'retained' ? this.#savedPosition() : undefined;
    // A stream that was reset is left out: the gateway forgets what is not named.
    const streams = this.channel.slots.filter((stream) => stream.open).map(saveStream);
    const state: SavedState = { name: this.channel.name, serial: this.channel.serial, streams };
    if (at) state.at = at;
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
    const fresh = this.#state === 'idle' && !this.#message1 && this.channel.serial === 0;
    if (!fresh) throw fail('STATE', 'restore: only into a device that has just booted');
    try {
      if (this.#takeSaved(blob, names) === 'retained') wipe(blob);
    } catch (error) {
      wipe(blob); // it may hold a secret
      throw error;
    }
  }

  /** All of it or, after an error, none. */
  #takeSaved(blob: Uint8Array, names: ReadonlyMap<number, string>): 'flash' | 'retained' {
    const state = readSaved(this.port, blob);
    for (const saved of state.streams) this.#checkSaved(saved, state.serial, names);
    const ids = new Set(state.streams.map(({ id }) => id));
    if (ids.size !== state.streams.length) throw fail('FORMAT', 'saved state: a stream comes twice');
    if (state.at) this.#restorePosition(state.at);
    for (const saved of state.streams) this.channel.restore(saved, names.get(saved.id) as string);
    this.channel.name = state.name;
    this.channel.serial = state.serial;
    return state.at ? 'retained' : 'flash';
  }

  #checkSaved(saved: SavedStream, serial: number, names: ReadonlyMap<number, string>): void {
    const { id, serial: own, flags, acked, ack } = saved;
    const ends = (!(flags & SavedFlag.OwnFin) || acked > 0) && (!(flags & SavedFlag.PeerFin) || ack > 0);
    if (id >= this.settings.streams || own < 1 || own > serial || !ends) {
      throw fail('FORMAT', `saved state: stream ${id} does not fit`);
    }
    const name = names.get(id);
    argument(name !== undefined && isUpstreamName(name), `names: none for stream ${id}`);
  }

  /** Of the chain that flash holds: (f, 0) itself, or in the block before. */
  #restorePosition(at: NonNullable<SavedState['at']>): void {
    const slot = this.#slot;
    const fits = slot && (at.b === slot.f ? at.i === 0 : at.b === slot.f - 1 && at.i <= this.pairing.maxSteps);
    if (!fits || !sameBytes(at.chain, slot.chain) || isZero(at.r))
      throw fail('FORMAT', 'saved state: of another chain');
    this.#stand({ b: at.b, i: at.i, r: at.r });
  }

  // ---- End ---------------------------------------------------------------------------------------------

  override wipe(): void {
    super.wipe();
    wipe(this.#message1?.bytes, this.#message1?.h1, this.#position?.r, this.#slot?.block);
    this.#message1 = undefined;
    this.#early = undefined;
    this.#verdict = undefined;
    this.#position = undefined;
    this.#slot = undefined;
    this.#state = 'off';
  }

  protected override hash(into: StateHash): void {
    super.hash(into);
    const { chain, f, block } = this.#slot ?? {};
    into.add(this.#state, this.#sequence, chain, f, block, this.#tried, this.#unproven);
    into.add(this.#position?.b, this.#position?.i, this.#position?.r, this.#image);
    const m1 = this.#message1;
    into.add(m1?.bytes, m1?.h1, m1?.name, m1?.firstSent, JSON.stringify([this.#early, this.#verdict, this.#handshake]));
    this.#hashAttempt(into);
  }

  /** Without the count of bad answers: a bad answer changes nothing (SPEC 7.4 rule 3). */
  #hashAttempt(into: StateHash): void {
    const attempt = this.#attempt;
    into.add(attempt?.kind, attempt?.transport, attempt?.out, attempt?.sent, attempt?.until);
    into.add(...(attempt?.noise?.parts() ?? []));
    const answer = attempt?.answer;
    into.add(answer?.keys.d2g, answer?.keys.g2d, answer?.name, answer?.verdict, answer?.continued, answer?.step);
    into.add(answer?.slot?.block, answer?.slot?.sequence);
  }
}

function wipeAnswer(answer: Answer): void {
  wipe(answer.keys.d2g, answer.keys.g2d, answer.step, answer.slot?.block);
}

function saveStream(stream: Stream): SavedStream {
  const { id, serial, kind, txAcked: acked, rxAcked: ack } = stream;
  if (stream.txEnd !== 0 && !stream.txOver)
    throw fail('STATE', `save: the FIN of stream ${id} is not acknowledged yet`);
  const flags =
    (stream.has(St.Known | St.Opened) ? SavedFlag.Known : 0) |
    (stream.rxOver ? SavedFlag.PeerFin : 0) |
    (stream.txOver ? SavedFlag.OwnFin : 0);
  return { id, serial, kind, flags, acked, ack };
}
