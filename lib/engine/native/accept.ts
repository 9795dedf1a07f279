/** AcceptCore over the addon. */

import type {
  AcceptCore,
  AcceptEvent,
  Chain,
  CorePairing,
  HandshakeInfo,
  Mode,
  Resumption,
  Suite,
  Transport,
  Verdict,
} from '../../engine.js';
import { coreError } from '../../errors.js';
import { badArgument, check, failure, type RawAccept } from './addon.js';
import { chainNames, rawChain } from './chain.js';
import { readHandshake, type Native } from './context.js';
import { pairingNames, rawPairing } from './pairing.js';

/** enum hawser_accept_event_type; binding/accept.cc adds Dropped. */
const Type = { None: 0, Id: 1, Ticket: 2, Confirm: 3, Dropped: 100 } as const;
/** Room for message 2 on any transport, at least HAWSER_SEND_MIN + HAWSER_CONNECTION_ID_MAX. */
const ANSWER_MAX = 160;
/** Of this thread, between two calls of the addon. */
const answer = new Uint8Array(ANSWER_MAX);

const names = {
  transport: ['transport'],
  receive: ['chunk', 'now'],
  offerTicket: [...chainNames, 'ahead', ...pairingNames],
  answerFull: ['connectionId'],
  answerTicket: ['verdict', 'continued', 'connectionId'],
};

/** Objects of the addon that were wiped and wait to be used again: each link needs two, and the garbage collector has to finalise those it finds. */
const SPARE = 64;

export class NativeAccept implements AcceptCore {
  readonly #native: Native;
  /** Wiped: one that was never anything. */
  #raw: RawAccept;

  private constructor(native: Native, raw: RawAccept) {
    this.#native = native;
    this.#raw = raw;
  }

  static make(native: Native, transport: Transport): NativeAccept {
    const raw = native.accepts.spare.pop() ?? new native.addon.Accept();
    check(raw.init(transport), 'accept', names.transport);
    return new NativeAccept(native, raw);
  }

  static rawOf(accept: AcceptCore, native: Native): RawAccept {
    if (accept instanceof NativeAccept && accept.#native === native) return accept.#raw;
    throw badArgument(`accept is not of the engine ${native.addon.name}`);
  }

  receive(chunk: Uint8Array, now: number): { used: number; event?: AcceptEvent } {
    const type = check(this.#raw.receive(chunk, now), 'receive', names.receive);
    const used = this.#native.scratch.header[0] ?? 0;
    return type === Type.None ? { used } : { used, event: this.#event(type) };
  }

  #event(type: number): AcceptEvent {
    const { header, spill } = this.#native.scratch;
    const bytes = new Uint8Array(spill.subarray(0, header[1]));
    switch (type) {
      case Type.Id:
        return { type: 'id', id: bytes, mode: header[2] as Mode, suite: header[3] as Suite };
      case Type.Ticket:
        return { type: 'ticket', ticket: bytes };
      case Type.Confirm:
        return { type: 'confirm' };
      case Type.Dropped:
        return { type: 'drop', error: failure(-(header[4] ?? 0), 'receive', []) };
      default:
        throw coreError(-5, `the addon reported an event of unknown type ${type}`);
    }
  }

  offerId(pairing: CorePairing): boolean {
    return check(this.#raw.offerId(...rawPairing(this.#native.addon, pairing)), 'offerId', pairingNames) === 1;
  }

  answerFull(connectionId: Uint8Array): Uint8Array | undefined {
    const length = check(this.#raw.answerFull(connectionId, answer), 'answerFull', names.answerFull);
    return length === 0 ? undefined : answer.slice(0, length);
  }

  offerTicket(pairing: CorePairing, chain: Chain, ahead: number): Resumption | undefined {
    const { addon, scratch } = this.#native;
    const result = this.#raw.offerTicket(...rawChain(chain), ahead, ...rawPairing(addon, pairing));
    if (check(result, 'offerTicket', names.offerTicket) === 0) return undefined;
    const [b = 0, i = 0, early = 0] = scratch.header;
    return { b, i, early: early === 1, continues: this.continues };
  }

  answerTicket(verdict: Verdict, continued: boolean, connectionId: Uint8Array): Uint8Array {
    const length = this.#raw.answerTicket(verdict, continued, connectionId, answer);
    return answer.slice(0, check(length, 'answerTicket', names.answerTicket));
  }

  get digest1(): Uint8Array {
    const out = new Uint8Array(32);
    check(this.#raw.digest1(out), 'digest1', []);
    return out;
  }

  clone(): { accept: AcceptCore; answer: Uint8Array } {
    const fresh = this.#native.accepts.spare.pop() ?? new this.#native.addon.Accept();
    const length = check(this.#raw.clone(fresh, answer), 'clone', []);
    return { accept: new NativeAccept(this.#native, fresh), answer: answer.slice(0, length) };
  }

  get continues(): Uint8Array {
    const out = new Uint8Array(8);
    check(this.#raw.continues(out), 'continues', []);
    return out;
  }

  get name(): Uint8Array {
    const out = new Uint8Array(8);
    check(this.#raw.name(out), 'name', []);
    return out;
  }

  get chain(): Chain | undefined {
    const [id, r, next] = [new Uint8Array(8), new Uint8Array(32), new Uint8Array(32)];
    if (check(this.#raw.chain(id, r, next), 'chain', []) === 0) return undefined;
    const [b = 0, i = 0] = this.#native.scratch.header;
    return { id, b, i, r, next };
  }

  get handshake(): HandshakeInfo | undefined {
    return readHandshake(check(this.#raw.handshake(), 'handshake', []), this.#native);
  }

  wipe(): void {
    const { none, spare } = this.#native.accepts;
    if (this.#raw === none) return;
    const keep = spare.length < SPARE;
    this.#raw.wipe(keep);
    if (keep) spare.push(this.#raw);
    this.#raw = none;
  }
}
