/** Runs Noise vectors in cacophony's JSON format on one runner, in both roles. */

import { Suite } from '../../lib/engine.js';
import { flipped, hex, unhex } from '../suite/bytes.js';
import { NoiseRefused, publicKey, type NoiseEnd, type NoiseRunner, type NoiseStart } from './noise.js';

export interface Vector {
  protocol_name: string;
  init_prologue: string;
  init_static?: string;
  init_ephemeral: string;
  init_remote_static?: string;
  init_psks?: string[];
  resp_prologue: string;
  resp_static?: string;
  resp_ephemeral?: string;
  resp_remote_static?: string;
  resp_psks?: string[];
  handshake_hash?: string;
  messages: { payload: string; ciphertext: string }[];
}

export type Outcome = { result: 'passed' } | { result: 'failed'; why: string } | { result: 'not-used' };

/** The vectors of a file; throws with what is wrong with it. */
export function parseVectors(text: string): Vector[] {
  const file: unknown = JSON.parse(text);
  const vectors = (file as { vectors?: unknown }).vectors;
  if (!Array.isArray(vectors)) throw new Error('no list "vectors"');
  for (const [at, vector] of vectors.entries())
    for (const field of ['protocol_name', 'init_prologue', 'init_ephemeral', 'resp_prologue', 'messages'])
      if (typeof vector !== 'object' || vector === null || !(field in vector)) throw new Error(`vector ${at}: no field "${field}"`);
  return vectors as Vector[];
}

/** Pattern and suite, or undefined where hawser does not use the protocol. */
export function usedProtocol(name: string): Pick<NoiseStart, 'pattern' | 'suite'> | undefined {
  const match = /^Noise_(KK|KKpsk0|NNpsk0)_(25519|P256)_AESGCM_SHA256$/.exec(name);
  if (match === null) return undefined;
  return { pattern: match[1] as NoiseStart['pattern'], suite: match[2] === 'P256' ? Suite.P256 : Suite.X25519 };
}

/** The vector on this runner as initiator, as responder, and with each message tampered with. */
export async function runVector(runner: NoiseRunner, vector: Vector): Promise<Outcome> {
  const protocol = usedProtocol(vector.protocol_name);
  if (protocol === undefined) return { result: 'not-used' };
  try {
    for (const initiator of [true, false]) {
      const start = await startOf(vector, protocol, initiator);
      await play(await runner.start(start), vector, initiator);
      for (let bad = 0; bad < vector.messages.length; bad++)
        if ((bad % 2 === 0) !== initiator) await tampered(await runner.start(start), vector, initiator, bad);
    }
    return { result: 'passed' };
  } catch (error) {
    return { result: 'failed', why: error instanceof Error ? error.message : String(error) };
  }
}

async function startOf(vector: Vector, protocol: Pick<NoiseStart, 'pattern' | 'suite'>, initiator: boolean): Promise<NoiseStart> {
  const [own, ephemeral, psks] = initiator
    ? [vector.init_static, vector.init_ephemeral, vector.init_psks]
    : [vector.resp_static, vector.resp_ephemeral, vector.resp_psks];
  const [given, otherStatic] = initiator ? [vector.init_remote_static, vector.resp_static] : [vector.resp_remote_static, vector.init_static];
  if (ephemeral === undefined) throw new Error('an ephemeral key is missing');
  const start: NoiseStart = { ...protocol, initiator, ephemeral: unhex(ephemeral), prologue: unhex(initiator ? vector.init_prologue : vector.resp_prologue) };
  if (own !== undefined) start.own = unhex(own);
  if (given !== undefined) start.peer = unhex(given);
  else if (otherStatic !== undefined) start.peer = await publicKey(protocol.suite, unhex(otherStatic));
  if (psks?.[0] !== undefined) start.psk = unhex(psks[0]);
  return start;
}

async function play(end: NoiseEnd, vector: Vector, initiator: boolean): Promise<void> {
  for (const [at, { payload, ciphertext }] of vector.messages.entries()) {
    const writes = (at % 2 === 0) === initiator;
    const got = writes ? await end.write(unhex(payload)) : await end.read(unhex(ciphertext));
    const wanted = writes ? ciphertext : payload;
    if (hex(got) !== wanted) throw new Error(`${initiator ? 'initiator' : 'responder'}, message ${at}: ${hex(got)}, not ${wanted}`);
    if (at === 1 && vector.handshake_hash !== undefined && hex(await end.hash()) !== vector.handshake_hash)
      throw new Error(`${initiator ? 'initiator' : 'responder'}: handshake hash ${hex(await end.hash())}`);
  }
}

/** Plays up to message `bad`, which arrives with one bit wrong and must be refused. */
async function tampered(end: NoiseEnd, vector: Vector, initiator: boolean, bad: number): Promise<void> {
  for (const [at, { payload, ciphertext }] of vector.messages.entries()) {
    if (at === bad) return refuse(end, flipped(unhex(ciphertext), (at * 37) % (4 * ciphertext.length)), at);
    if ((at % 2 === 0) === initiator) await end.write(unhex(payload));
    else await end.read(unhex(ciphertext));
  }
}

async function refuse(end: NoiseEnd, message: Uint8Array, at: number): Promise<void> {
  try {
    await end.read(message);
  } catch (error) {
    if (error instanceof NoiseRefused) return;
    throw error;
  }
  throw new Error(`message ${at} with a flipped bit was taken`);
}
