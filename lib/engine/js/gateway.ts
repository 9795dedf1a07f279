/**
 * The gateway's half (SPEC 6, 7.5, 8): one link until its first valid record, then the session that it belongs to.
 *
 *   first -> asked ('id', 'ticket') -> offered -> answered -> confirmed -> attached
 *
 * Any failure is 'over': silence.
 */

import {
  Mode,
  Transport,
  Verdict,
  type AcceptCore,
  type AcceptEvent,
  type Chain,
  type CoreEvent,
  type CorePairing,
  type GatewayCore,
  type HandshakeInfo,
  type Resumption,
} from '../../engine.js';
import { HawserError } from '../../errors.js';
import { Sf } from './control.js';
import { equal, wipe, type Port, type TrafficKeys } from './crypto.js';
import { isEarlyData, readState } from './frames.js';
import { checkFull1, finishFull, idOfFull1, readFull1, startFull, writeFull2 } from './handshake.js';
import { Pairing } from './pairing.js';
import { Deframer, frameMessage, Link, type Unit } from './record.js';
import { chainStart, findResume1, h1Of, writeResume2 } from './resume.js';
import { Session } from './session.js';
import {
  argument,
  checkTransport,
  copy,
  EMPTY,
  fail,
  FIRST_RECORD_MAX,
  fullLength,
  HEADER_LEN,
  ID_MAX,
  ID_MIN,
  isZero,
  MESSAGE1_MAX,
  NO_NAME,
  parseFullType,
  RECORD_MAX,
  RESUME1_LEN,
  sameBytes,
  TICKET_LEN,
  Type,
  Writer,
} from './wire.js';

/** Hedges the answers' nonces against a bad random source (SPEC 7.2): one per engine. */
export class AnswerNonces {
  #bootKey: Uint8Array | undefined;
  #counter = 0;

  constructor(private readonly port: Port) {}

  next(h1: Uint8Array): Uint8Array {
    this.#bootKey ??= this.port.random(32);
    const counter = new Writer(8).uint(this.#counter++, 8).done();
    return this.port.prf(this.#bootKey, 'ng', this.port.sha256(this.port.random(32), counter, h1)).slice(0, 16);
  }
}

type State = 'first' | 'asked' | 'offered' | 'answered' | 'confirmed' | 'over';

/** What an accepted resumption message 1 said. */
interface Offer {
  r: Uint8Array;
  h1: Uint8Array;
  early: Uint8Array | undefined;
}

/** Shared by an answer and its clones: its keys may serve one link alone. */
interface Candidate {
  keys: TrafficKeys;
  answer: Uint8Array;
  spent: boolean;
}

const CONNECTION_ID_MAX = 8;

export class Accept implements AcceptCore {
  #state: State = 'first';
  #deframer: Deframer;
  #message = EMPTY;
  #digest1: Uint8Array = new Uint8Array(32);
  #pairing: Pairing | undefined;
  #offer: Offer | undefined;
  #candidate: Candidate | undefined;
  #link: Link | undefined;
  #continues = NO_NAME;
  #name = NO_NAME;
  #chain: Chain | undefined;
  #verdict: Verdict = Verdict.None;
  #continued: boolean | undefined;
  #full = false;
  #handshake: HandshakeInfo | undefined;
  #received = 0;
  /** The caller's clock at the last receive(). */
  now = 0;
  /** Plaintext of the first record, without STATE. */
  #first: Uint8Array | undefined;

  constructor(
    private readonly port: Port,
    private readonly nonces: AnswerNonces,
    readonly transport: Transport,
  ) {
    checkTransport(transport);
    this.#deframer = this.#newDeframer(true);
  }

  #newDeframer(first: boolean): Deframer {
    const serial = this.transport === Transport.Serial;
    // A device's first record is bounded; on a serial line longer frames of an old link may come in between.
    const recordMax = serial ? RECORD_MAX : FIRST_RECORD_MAX;
    const expect = { message: first || serial, messageMin: RESUME1_LEN, record: !first || serial, recordMax };
    return new Deframer(this.transport, expect);
  }

  get digest1(): Uint8Array {
    return copy(this.#digest1);
  }
  get continues(): Uint8Array {
    return copy(this.#continues);
  }
  get name(): Uint8Array {
    return copy(this.#name);
  }
  get handshake(): HandshakeInfo | undefined {
    return this.#handshake && { ...this.#handshake };
  }
  get chain(): Chain | undefined {
    const chain = this.#chain;
    return chain && { ...chain, id: copy(chain.id), r: copy(chain.r), next: copy(chain.next) };
  }

  // ---- Bytes in ----------------------------------------------------------------------------------------

  receive(chunk: Uint8Array, now: number): { used: number; event?: AcceptEvent } {
    if (this.#state === 'asked' || this.#state === 'offered' || this.#state === 'confirmed') {
      throw fail('STATE', 'receive: the last event was not dealt with yet');
    }
    this.now = now;
    let used = 0;
    while (this.#state !== 'over') {
      const { unit, next } = this.#deframer.take(chunk, used);
      used = next;
      if (!unit && this.#cannotBecome()) return { used, event: this.#over(fail('FORMAT', 'no message 1')) };
      if (!unit) return { used };
      const event = this.#take(unit);
      if (event) return { used, event };
    }
    return { used: chunk.length };
  }

  #take(unit: Unit): AcceptEvent | undefined {
    const event = this.#tryToTake(unit);
    if (event && !(event instanceof HawserError)) return event;
    // A serial line brings frames of old links and noise: they are skipped.
    if (this.transport === Transport.Serial || !event) return undefined;
    return this.#over(event);
  }

  /** A message 1 on a stream whose type is known, and which cannot have the length announced. */
  #cannotBecome(): boolean {
    const [high = 0, low = 0, type] = this.#deframer.begun;
    const first = this.transport === Transport.Stream && this.#state === 'first';
    return first && type !== undefined && !typeFits(type, (high << 8) | low);
  }

  #over(error: HawserError): AcceptEvent {
    this.#drop();
    return { type: 'drop', error };
  }

  /** This link is over. Another one may still present the same message 1 and get the candidate. */
  #drop(): void {
    this.#link?.wipe();
    this.#link = undefined;
    this.#state = 'over';
  }

  /** A crypto call that fails is silence as well. */
  #tryToTake(unit: Unit): AcceptEvent | HawserError | undefined {
    try {
      return unit.kind === 'message' ? this.#takeMessage(unit) : this.#takeRecord(unit);
    } catch (cause) {
      if (cause instanceof HawserError) return cause;
      return new HawserError('ERR_HAWSER_CRYPTO', 'a crypto call failed', { cause });
    }
  }

  #takeMessage(unit: Unit): AcceptEvent | HawserError {
    const message = copy(unit.bytes.subarray(HEADER_LEN));
    const event = firstEvent(message);
    if (!event) return fail('FORMAT', 'message 1: unknown type or wrong length');
    const digest1 = this.port.sha256(message);
    this.#restart();
    this.#message = message;
    this.#digest1 = digest1;
    this.#received = unit.raw.length > 0 ? unit.raw.length : unit.bytes.length;
    this.#full = event.type === 'id';
    this.#state = 'asked';
    return event;
  }

  /** On a serial line a new message 1 starts over. */
  #restart(): void {
    this.#link?.wipe();
    wipe(this.#offer?.r, this.#offer?.h1);
    this.#link = undefined;
    this.#offer = undefined;
    this.#candidate = undefined;
    this.#pairing = undefined;
    this.#chain = undefined;
    this.#continues = NO_NAME;
    this.#name = NO_NAME;
    this.#verdict = Verdict.None;
    this.#continued = undefined;
    this.#handshake = undefined;
  }

  #takeRecord(unit: Unit): AcceptEvent | HawserError | undefined {
    if (unit.kind === 'bad') return fail('FORMAT', 'bytes that are no message or record in its place');
    if (this.#state !== 'answered') return undefined;
    const plaintext = this.#candidate?.spent ? undefined : this.#link?.open(unit.bytes);
    if (!plaintext) return fail('AUTH', 'the first record is not genuine');
    return this.#confirm(plaintext);
  }

  #confirm(plaintext: Uint8Array): AcceptEvent | HawserError {
    const state = this.#full ? readState(plaintext) : { name: this.#continues, rest: plaintext };
    if (!state || plaintext.length > FIRST_RECORD_MAX) {
      return fail('PEER', 'the first record does not open with STATE, or is too long');
    }
    this.#continues = state.name;
    this.#first = state.rest;
    this.#state = 'confirmed';
    return { type: 'confirm' };
  }

  // ---- Full handshake ----------------------------------------------------------------------------------

  offerId(from: CorePairing): boolean {
    this.#expect('asked', true, 'offerId');
    argument(from.mode !== Mode.Ticket, 'pairing: of mode ticket');
    const type = parseFullType(this.#message[0] as number);
    const id = type && idOfFull1(this.#message, type.mode, type.suite);
    if (!type || !id || from.mode !== type.mode || from.suite !== type.suite || !sameBytes(from.id, id)) return false;
    const pairing = new Pairing(this.port, from, false);
    try {
      checkFull1(this.port, pairing, this.#message);
    } catch (error) {
      return refused(error);
    }
    this.#pairing = pairing;
    this.#state = 'offered';
    return true;
  }

  answerFull(connectionId: Uint8Array): Uint8Array | undefined {
    argument(connectionId.length <= CONNECTION_ID_MAX, 'connection id: too long');
    this.#expect('offered', true, 'answerFull');
    this.#checkConnectionId(connectionId);
    const pairing = this.#pairing as Pairing;
    const noise = startFull(this.port, pairing, false);
    try {
      readFull1(pairing, noise, this.#message);
      const message = writeFull2(this.port, pairing, noise, connectionId);
      const ecdh = noise.agreements;
      const { d2g, g2d, b0, name } = finishFull(this.port, noise);
      this.#chain = chainStart(this.port, b0);
      wipe(b0);
      this.#name = name;
      return this.#answered(message, { d2g, g2d }, ecdh);
    } catch (error) {
      refused(error);
      this.wipe();
      return undefined;
    } finally {
      noise.wipe();
    }
  }

  // ---- Resumption --------------------------------------------------------------------------------------

  offerTicket(from: CorePairing, chain: Chain, ahead: number): Resumption | undefined {
    this.#expect('asked', false, 'offerTicket');
    argument(Number.isInteger(ahead) && ahead >= 0, 'ahead: must be a number of blocks');
    const pairing = new Pairing(this.port, from, false);
    const found = findResume1(this.port, pairing.ident, chain, ahead, this.#message, ({ b, i }) => {
      return i < pairing.maxSteps && b < pairing.maxBlocks;
    });
    if (!found) return undefined;
    const { at, r, h0, content } = found;
    if (content.early && !isEarlyData(content.early)) {
      wipe(r);
      return undefined;
    }
    this.#pairing = pairing;
    this.#continues = content.name;
    this.#offer = { r, h1: h1Of(this.port, h0, this.#message), early: content.early };
    this.#state = 'offered';
    return { ...at, continues: this.continues, early: content.early !== undefined };
  }

  answerTicket(verdict: Verdict, continued: boolean, connectionId: Uint8Array): Uint8Array {
    argument(connectionId.length <= CONNECTION_ID_MAX && verdict <= Verdict.Unknown, 'connection id or verdict: out of range'); // prettier-ignore
    this.#expect('offered', false, 'answerTicket');
    const { r, h1, early } = this.#offer as Offer;
    argument((verdict === Verdict.None) === (early === undefined), 'verdict: does not fit message 1');
    argument(!continued || !isZero(this.#continues), 'continued: the device named no session');
    this.#checkConnectionId(connectionId);
    const nonce = this.nonces.next(h1);
    const content = { verdict, continued, connectionId };
    const { message, keys } = writeResume2(this.port, r, h1, this.transport, nonce, content);
    wipe(r, h1);
    this.#name = keys.name;
    this.#verdict = verdict;
    this.#continued = continued;
    return this.#answered(message, { d2g: keys.d2g, g2d: keys.g2d }, 0);
  }

  // ---- Answer ------------------------------------------------------------------------------------------

  #expect(state: State, full: boolean, call: string): void {
    if (this.#state !== state || this.#full !== full) throw fail('STATE', `${call}: not in its place`);
  }

  #checkConnectionId(id: Uint8Array): void {
    argument(id.length === 0, 'connection id: empty on stream and serial transports');
  }

  #answered(message: Uint8Array, keys: TrafficKeys, ecdh: number): Uint8Array {
    const answer = frameMessage(this.transport, message);
    const kind = this.#full ? 'full' : 'resumption';
    this.#handshake = { kind, sent: answer.length, received: this.#received, ecdh, early: this.#verdict };
    this.#candidate = { keys, answer, spent: false };
    this.#linkTo(this.#candidate);
    return copy(answer);
  }

  #linkTo(candidate: Candidate): void {
    const { d2g, g2d } = candidate.keys;
    this.#link = new Link(this.port, this.transport, false, { d2g: copy(d2g), g2d: copy(g2d) });
    this.#deframer = this.#newDeframer(false);
    this.#state = 'answered';
  }

  clone(): { accept: AcceptCore; answer: Uint8Array } {
    const candidate = this.#candidate;
    if (!candidate || candidate.spent) throw fail('STATE', 'clone: nothing was answered, or it is in use');
    const twin = new Accept(this.port, this.nonces, this.transport);
    twin.#message = this.#message;
    twin.#digest1 = this.#digest1;
    twin.#pairing = this.#pairing;
    twin.#candidate = candidate;
    twin.#continues = this.#full ? NO_NAME : this.#continues;
    twin.#name = this.#name;
    twin.#chain = this.chain;
    twin.#verdict = this.#verdict;
    twin.#continued = this.#continued;
    twin.#full = this.#full;
    twin.#handshake = this.#handshake;
    twin.#received = this.#received;
    twin.now = this.now;
    twin.#linkTo(candidate);
    return { accept: twin, answer: copy(candidate.answer) };
  }

  // ---- For the session ---------------------------------------------------------------------------------

  /** The frames of TAKEN early data, once. */
  takeEarly(): Uint8Array {
    const early = this.#offer?.early;
    if (!early || this.#verdict !== Verdict.Taken) throw fail('STATE', 'early: there is no early data that was taken');
    (this.#offer as Offer).early = undefined;
    return early;
  }

  /** Whether this link may become a session's, as that session's name stands. */
  checkLink(continued: boolean, session: Uint8Array): void {
    if (this.#state !== 'confirmed' || !this.#link || !this.#first || !this.#candidate) {
      throw fail('STATE', 'attach: not confirmed');
    }
    if (this.#candidate.spent) throw fail('STATE', 'attach: another link of this candidate is in use');
    argument(this.#full || continued === this.#continued, 'continued: not what was answered');
    argument(!continued || equal(this.#continues, session), 'continued: another session was named');
    argument(!continued || !isZero(this.#continues), 'continued: the device named no session');
  }

  /** Hands the link over, once; later clones of the candidate stay silent. checkLink() comes first. */
  takeLink(): { link: Link; first: Uint8Array; full: boolean; name: Uint8Array } {
    const [link, first, candidate] = [this.#link as Link, this.#first as Uint8Array, this.#candidate as Candidate];
    candidate.spent = true;
    wipe(candidate.keys.d2g, candidate.keys.g2d);
    this.#link = undefined;
    this.#first = undefined;
    this.#state = 'over';
    return { link, first, full: this.#full, name: copy(this.#name) };
  }

  /** Only what this link holds: clones keep the candidate. */
  wipe(): void {
    this.#link?.wipe();
    wipe(this.#offer?.r, this.#offer?.h1, this.#chain?.r, this.#chain?.next, this.#first);
    this.#link = undefined;
    this.#offer = undefined;
    this.#chain = undefined;
    this.#candidate = undefined;
    this.#first = undefined;
    this.#state = 'over';
  }
}

/** SPEC 3.2: a message 1 of this type may have this length. */
function typeFits(type: number, length: number): boolean {
  const full = parseFullType(type);
  if (!full) return type === Type.Resume && length >= RESUME1_LEN && length <= MESSAGE1_MAX;
  const id = length - fullLength(full.mode, full.suite);
  return id >= ID_MIN && id <= ID_MAX;
}

/** Type and length of a message 1 (SPEC 3.2). */
function firstEvent(message: Uint8Array): Extract<AcceptEvent, { type: 'id' | 'ticket' }> | undefined {
  const full = parseFullType(message[0] as number);
  if (full) {
    const id = idOfFull1(message, full.mode, full.suite);
    return id && { type: 'id', id, ...full };
  }
  if (message[0] !== Type.Resume || message.length < RESUME1_LEN) return undefined;
  return { type: 'ticket', ticket: copy(message.subarray(1, 1 + TICKET_LEN)) };
}

/** What the network sent is answered with silence; anything else is the caller's to know. */
function refused(error: unknown): false {
  const code = error instanceof HawserError ? error.code : undefined;
  if (code === 'ERR_HAWSER_AUTH' || code === 'ERR_HAWSER_FORMAT') return false;
  throw error;
}

export class Gateway extends Session implements GatewayCore {
  early(accept: AcceptCore): CoreEvent[] {
    this.usable();
    const candidate = ours(accept);
    const frames = candidate.takeEarly();
    this.dropLink(); // the device has abandoned it
    this.channel.now = candidate.now;
    this.channel.feed(frames);
    return this.drain();
  }

  attach(accept: AcceptCore, continued: boolean, now: number): CoreEvent[] {
    this.usable();
    const candidate = ours(accept);
    candidate.checkLink(continued, this.channel.name);
    const { link, first, full, name } = candidate.takeLink();
    if (this.live) this.dropLink();
    const serial = link.transport === Transport.Serial;
    this.linkUp(link, new Deframer(link.transport, { message: serial, record: true, recordMax: RECORD_MAX }), now);
    if (full) this.channel.set(Sf.StatusDue);
    this.channel.nextName = name;
    if (continued) this.channel.linkContinues();
    else this.channel.linkRenews();
    this.channel.feed(first);
    this.note(now);
    return this.drain();
  }
}

function ours(accept: AcceptCore): Accept {
  argument(accept instanceof Accept, 'accept: of another engine');
  return accept;
}
