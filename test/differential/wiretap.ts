/**
 * What records carry. Both engines must say the same to the peer; how they pack frames into records, and in which order frames
 * of different streams go, SPEC 9 leaves to them.
 */

import { Transport, type SessionCore } from '../../lib/engine.js';
import { uncobs } from '../suite/bytes.js';
import { ungcm } from '../suite/reference.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The units of one direction, length fields or records' headers included; COBS taken off. */
export function units(transport: Transport, bytes: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = transport === Transport.Serial ? bytes.indexOf(0, at) + 1 : at + unitLength(bytes, at);
    const unit = bytes.subarray(at, end);
    out.push(transport === Transport.Serial ? uncobs(unit) : unit);
    at = end;
  }
  return out;
}

function unitLength(bytes: Uint8Array, at: number): number {
  const word = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return word & 0x4000 ? 18 + (word & 0x3fff) : 2 + word;
}

/** Opens what one core seals on one link after the other. */
export class Wiretap {
  #key = '';
  #counter = 0;

  constructor(
    private readonly core: SessionCore,
    private readonly device: boolean,
  ) {}

  /** Call it for every output, so that it keeps count. Handshake messages come as they are. */
  plaintexts(transport: Transport, bytes: Uint8Array): Uint8Array[] {
    return units(transport, bytes).map((unit) => ((unit[0] ?? 0) < 0x40 ? unit : this.#open(unit)));
  }

  #open(record: Uint8Array): Uint8Array {
    const keys = this.core.keys();
    if (!keys) throw new Error('a record was sealed without keys');
    const key = this.device ? keys.d2g : keys.g2d;
    if (hex(key) !== this.#key) {
      this.#key = hex(key);
      this.#counter = 0;
    }
    const nonce = Buffer.alloc(12);
    nonce.writeUIntBE(this.#counter++, 6, 6);
    return ungcm(key, nonce, record.subarray(0, 2), record.subarray(2));
  }
}

const frames = ['', 'STATE', 'STATUS', 'OPEN', 'STREAM', 'SYNCED', 'DATA', 'FIN', 'ACK', 'RESET', 'MSG', 'PING', 'PONG', 'CLOSE']; // prettier-ignore
const lengths: Record<number, number> = { 1: 8, 2: 1, 4: 24, 5: 0, 8: 8, 9: 7, 11: 4, 12: 4, 13: 1 };

interface Frame {
  code: number;
  stream: number | undefined;
  body: Uint8Array;
}

function split(plaintext: Uint8Array): Frame[] {
  const out: Frame[] = [];
  for (let at = 0; at < plaintext.length;) {
    const code = plaintext[at] ?? 0;
    const left = plaintext.length - at - 1;
    const length = code === 3 ? 9 + (plaintext[at + 9] ?? 0) - 1 : Math.min(lengths[code] ?? left, left);
    const body = plaintext.subarray(at + 1, at + 1 + length);
    const ofStream = [3, 4, 6, 7, 8, 9, 10].includes(code);
    out.push({ code, stream: ofStream ? ((body[0] ?? 0) << 8) | (body[1] ?? 0) : undefined, body });
    at += 1 + length;
  }
  return out;
}

const text = ({ code, body }: Frame): string => `${frames[code] ?? code} ${hex(body)}`;

/** Frame by frame, for people. */
export const listed = (plaintexts: readonly Uint8Array[]): string =>
  plaintexts.map((plaintext) => `[${split(plaintext).map(text).join(', ')}]`).join(' ');

/** The same text for whatever means the same: each stream's frames in order, runs of DATA joined; the session's own. */
export function meaning(plaintexts: readonly Uint8Array[]): string {
  const groups = new Map<string, string[]>();
  let part = 0; // SYNCED stands between what comes before and after
  for (const frame of plaintexts.flatMap(split)) {
    if (frame.code === 5) part++;
    const group = `${part} ${frame.stream ?? 'session'}`;
    const said = groups.get(group) ?? [];
    groups.set(group, said);
    const last = said.at(-1);
    const run = frame.code === 6 || frame.code === 7;
    if (run && last?.startsWith('DATA'))
      said[said.length - 1] = `${frames[frame.code] ?? ''} ${last.slice(5)}${hex(frame.body.subarray(2))}`; // prettier-ignore
    else said.push(text(frame));
  }
  return [...groups].map(([group, said]) => `${group}: ${said.join(', ')}`).sort().join('\n'); // prettier-ignore
}
