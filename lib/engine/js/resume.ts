/**
 * Resumption (SPEC 7): the two-level ratchet and its two messages.
 */

import { Verdict, type Chain, type IndexedTicket, type Position, type Transport } from '../../engine.js';
import { equal, wipe, type Port, type TrafficKeys } from './crypto.js';
import {
  argument,
  concat,
  copy,
  fail,
  isZero,
  KEY_LEN,
  NAME_LEN,
  NO_NAME,
  Reader,
  RESUME1_LEN,
  RESUME2_LEN,
  TICKET_LEN,
  Type,
  U32_MAX,
  Writer,
} from './wire.js';

// ---- Ratchet, 7.1 --------------------------------------------------------------------------------------

export const nextBlock = (port: Port, block: Uint8Array): Uint8Array => port.prf(block, 'block');
export const firstStep = (port: Port, block: Uint8Array): Uint8Array => port.prf(block, 'first');
export const nextStep = (port: Port, step: Uint8Array): Uint8Array => port.prf(step, 'next');
export const ticketOf = (port: Port, step: Uint8Array): Uint8Array => port.prf(step, 'ticket').slice(0, TICKET_LEN);
export const chainId = (port: Port, b0: Uint8Array): Uint8Array => port.prf(b0, 'chainid').slice(0, NAME_LEN);

// ---- The store's half of a chain -----------------------------------------------------------------------

export function chainStart(port: Port, b0: Uint8Array): Chain {
  argument(b0.length === KEY_LEN && !isZero(b0), 'B_0: must be 32 bytes, not all zero');
  return { id: chainId(port, b0), b: 0, i: 0, r: firstStep(port, b0), next: nextBlock(port, b0) };
}

function checkChain(chain: Chain): void {
  const { id, b, i, r, next } = chain;
  argument(
    id.length === NAME_LEN && r.length === KEY_LEN && next.length === KEY_LEN,
    'chain: a field has a wrong length',
  );
  const counts = [b, i].every((value) => Number.isInteger(value) && value >= 0 && value <= U32_MAX);
  argument(counts, 'chain: b and i must be u32');
}

interface Step extends Position {
  r: Uint8Array;
}

/** The positions that a gateway takes at p (7.5 rule 1), each with its step secret, which the caller wipes. */
function* window(port: Port, chain: Chain, ahead: number): Generator<Step> {
  yield { b: chain.b, i: chain.i, r: copy(chain.r) };
  if (chain.i < U32_MAX) yield { b: chain.b, i: chain.i + 1, r: nextStep(port, chain.r) };
  let block: Uint8Array = copy(chain.next);
  for (let b = chain.b + 1; b <= chain.b + ahead && b <= U32_MAX; b++) {
    yield { b, i: 0, r: firstStep(port, block) };
    const next = nextBlock(port, block);
    wipe(block);
    block = next;
  }
  wipe(block);
}

export function chainTickets(port: Port, chain: Chain, ahead: number): IndexedTicket[] {
  checkChain(chain);
  argument(Number.isInteger(ahead) && ahead >= 0, 'ahead: must be a number of blocks');
  const tickets: IndexedTicket[] = [];
  for (const { b, i, r } of window(port, chain, ahead)) {
    tickets.push({ b, i, ticket: ticketOf(port, r) });
    wipe(r);
  }
  return tickets;
}

export function chainMove(port: Port, chain: Chain, to: Position): Chain {
  checkChain(chain);
  const whole = Number.isInteger(to.b) && Number.isInteger(to.i) && to.i >= 0 && to.b <= U32_MAX && to.i <= U32_MAX;
  argument(whole && to.b >= chain.b, 'position: must not go backwards');
  const from = to.b === chain.b ? chain.i : 0;
  argument(to.i === from || to.i === from + 1, 'position: must be at most one step within the block');
  let r: Uint8Array = copy(chain.r);
  let next: Uint8Array = copy(chain.next);
  for (let b = chain.b; b < to.b; b++) {
    wipe(r);
    r = firstStep(port, next);
    const following = nextBlock(port, next);
    wipe(next);
    next = following;
  }
  if (to.i > from) {
    const step = nextStep(port, r);
    wipe(r);
    r = step;
  }
  return { id: copy(chain.id), b: to.b, i: to.i, r, next };
}

// ---- Messages, 7.2 -------------------------------------------------------------------------------------

const NONCE0 = new Uint8Array(12);
const NONCE_LEN = 12;
const EARLY_FLAG = 0x01;
const CONTINUED_FLAG = 0x04;
const HEAD1_LEN = 1 + TICKET_LEN;
const HEAD2_LEN = 1 + 16;

export function h0Of(port: Port, ident: Uint8Array, chain: Uint8Array, at: Position): Uint8Array {
  return port.sha256(ident, chain, new Writer(8).u32(at.b).u32(at.i).done());
}

/** `early` undefined: none. `name` is the session to continue, or zeros. */
export interface Resume1 {
  name: Uint8Array;
  early: Uint8Array | undefined;
}

export function writeResume1(port: Port, r: Uint8Array, h0: Uint8Array, content: Resume1): Uint8Array {
  const head = concat(Uint8Array.of(Type.Resume), ticketOf(port, r));
  const { name, early } = content;
  const payload = concat(Uint8Array.of(early ? EARLY_FLAG : 0), name, early ?? new Uint8Array(0));
  // A synthetic nonce: a random source that repeats does no harm (DESIGN 3).
  const nonce = port.prf(r, 'nonce', port.sha256(h0, head, port.random(16), payload)).slice(0, NONCE_LEN);
  const key = port.prf(r, 'm1', port.sha256(h0, head, nonce));
  const clear = concat(head, nonce);
  const message = concat(clear, port.seal(key, NONCE0, clear, payload));
  wipe(key);
  return message;
}

/** Undefined: not genuine under this step, or not well formed. */
export function readResume1(port: Port, r: Uint8Array, h0: Uint8Array, message: Uint8Array): Resume1 | undefined {
  if (message.length < RESUME1_LEN || message[0] !== Type.Resume) return undefined;
  const clear = message.subarray(0, HEAD1_LEN + NONCE_LEN);
  const key = port.prf(r, 'm1', port.sha256(h0, clear));
  const payload = port.open(key, NONCE0, clear, message.subarray(clear.length));
  wipe(key);
  if (!payload) return undefined;
  const fields = new Reader(payload);
  const flags = fields.u8();
  const name = copy(fields.take(NAME_LEN));
  const early = fields.rest();
  if (!fields.ok || (flags & ~EARLY_FLAG) !== 0 || (flags === 0 && early.length > 0)) return undefined;
  return { name, early: flags === EARLY_FLAG ? early : undefined };
}

export interface ResumeKeys extends TrafficKeys {
  /** Of the session, should it be NEW. */
  name: Uint8Array;
}

/** Everything that both ends derive once message 2 is known. */
function resumeKeys(port: Port, r: Uint8Array, h1: Uint8Array, x: Uint8Array, message2: Uint8Array): ResumeKeys {
  const h2 = port.sha256(h1, x, message2);
  const name = port.prf(r, 'name', h2).slice(0, NAME_LEN);
  return { d2g: port.prf(r, 'd2g', h2), g2d: port.prf(r, 'g2d', h2), name };
}

export interface Resume2 {
  verdict: Verdict;
  continued: boolean;
  connectionId: Uint8Array;
}

export function writeResume2(
  port: Port,
  r: Uint8Array,
  h1: Uint8Array,
  transport: Transport,
  nonce: Uint8Array,
  content: Resume2,
): { message: Uint8Array; keys: ResumeKeys } {
  const head = concat(Uint8Array.of(Type.ResumeAnswer), nonce);
  const x = Uint8Array.of(transport);
  const key = port.prf(r, 'm2', port.sha256(h1, x, head));
  const status = content.verdict | (content.continued ? CONTINUED_FLAG : 0);
  const message = concat(head, port.seal(key, NONCE0, head, concat(Uint8Array.of(status), content.connectionId)));
  wipe(key);
  return { message, keys: resumeKeys(port, r, h1, x, message) };
}

/** Throws ERR_HAWSER_FORMAT or ERR_HAWSER_AUTH; `sent` is what message 1 said. */
export function readResume2(
  port: Port,
  r: Uint8Array,
  h1: Uint8Array,
  transport: Transport,
  message: Uint8Array,
  sent: { early: boolean; name: Uint8Array },
): { content: Resume2; keys: ResumeKeys } {
  // SPEC 3.2: no transport here has connection ids
  if (message.length !== RESUME2_LEN || message[0] !== Type.ResumeAnswer) {
    throw fail('FORMAT', 'message 2: wrong type or length');
  }
  const head = message.subarray(0, HEAD2_LEN);
  const x = Uint8Array.of(transport);
  const key = port.prf(r, 'm2', port.sha256(h1, x, head));
  const payload = port.open(key, NONCE0, head, message.subarray(HEAD2_LEN));
  wipe(key);
  if (!payload) throw fail('AUTH', 'message 2: wrong tag');
  const content = readStatus(payload, sent);
  return { content, keys: resumeKeys(port, r, h1, x, message) };
}

function readStatus(payload: Uint8Array, sent: { early: boolean; name: Uint8Array }): Resume2 {
  const status = payload[0] as number;
  const verdict = (status & 3) as Verdict;
  const continued = (status & CONTINUED_FLAG) !== 0;
  const sound =
    (status & ~7) === 0 && (verdict === Verdict.None) === !sent.early && !(continued && equal(sent.name, NO_NAME));
  if (!sound) throw fail('AUTH', 'message 2: its status does not fit message 1');
  return { verdict, continued, connectionId: copy(payload.subarray(1)) };
}

export const h1Of = (port: Port, h0: Uint8Array, message1: Uint8Array): Uint8Array => port.sha256(h0, message1);

/** The position of the window that message 1 was made at, or undefined: not this device. `r` is the caller's to wipe. */
export function findResume1(
  port: Port,
  ident: Uint8Array,
  chain: Chain,
  ahead: number,
  message: Uint8Array,
  allowed: (at: Position) => boolean,
): { at: Position; r: Uint8Array; h0: Uint8Array; content: Resume1 } | undefined {
  checkChain(chain);
  const ticket = message.subarray(1, HEAD1_LEN);
  for (const { b, i, r } of window(port, chain, ahead)) {
    if (allowed({ b, i }) && equal(ticketOf(port, r), ticket)) {
      const h0 = h0Of(port, ident, chain.id, { b, i });
      const content = readResume1(port, r, h0, message);
      if (content) return { at: { b, i }, r, h0, content };
    }
    wipe(r);
  }
  return undefined;
}
