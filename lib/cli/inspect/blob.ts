/** A device's flash slot and a saved state, SPEC 7.4; and the file `state` of a state folder, which holds one with names. */

import { createHash } from 'node:crypto';
import { HawserError } from '../../errors.js';
import { parseState } from '../../storage.js';
import { printable } from '../io.js';
import { HIDDEN, hex, lines } from './report.js';
import type { Report } from './report.js';

const SLOT = Buffer.from('HWSL');
const SAVED = Buffer.from('HWSV');
const SLOT_LENGTH = 64;
const SAVED_MAX = 256;
const CHECK_LENGTH = 8;
const STREAM_LENGTH = 20;
const STEP_LENGTH = 8 + 4 + 4 + 32;

const bad = (field: string, reason: string): HawserError => new HawserError('ERR_HAWSER_FORMAT', `${field}: ${reason}`);
const beginsWith = (bytes: Buffer, magic: Buffer): boolean => bytes.subarray(0, magic.length).equals(magic);

export const isBlob = (bytes: Buffer): boolean => beginsWith(bytes, SLOT) || beginsWith(bytes, SAVED);

function checked(bytes: Buffer): Buffer {
  const body = bytes.subarray(0, -CHECK_LENGTH);
  const check = createHash('sha256').update(body).digest().subarray(0, CHECK_LENGTH);
  if (!check.equals(bytes.subarray(-CHECK_LENGTH))) throw bad('check', 'does not match: torn or damaged');
  return body;
}

/** Whether it is right is parseState()'s to say. */
export function isStateFile(bytes: Buffer): boolean {
  if (bytes[0] !== 0x7b) return false;
  try {
    return 'blob' in (JSON.parse(bytes.toString()) as object);
  } catch {
    return false;
  }
}

export function reportStateFile(bytes: Buffer, showSecrets: boolean): Report {
  const { blob, names } = parseState('state', bytes);
  return reportSaved(Buffer.from(blob), showSecrets, new Map(names));
}

export function reportBlob(bytes: Buffer, showSecrets: boolean): Report {
  return beginsWith(bytes, SLOT) ? reportSlot(bytes, showSecrets) : reportSaved(bytes, showSecrets);
}

function reportSlot(bytes: Buffer, showSecrets: boolean): Report {
  if (bytes.length !== SLOT_LENGTH) throw bad('slot', `${bytes.length} bytes instead of ${SLOT_LENGTH}`);
  checked(bytes);
  if (bytes[4] !== 1) throw bad('version', `${bytes[4]} instead of 1`);
  if (bytes.readUIntBE(5, 3) !== 0) throw bad('padding', 'not zero');
  const data = {
    kind: 'slot',
    sequence: bytes.readUInt32BE(8),
    chain: hex(bytes.subarray(12, 20)),
    block: bytes.readUInt32BE(20),
    ...(showSecrets && { secrets: { blockSecret: hex(bytes.subarray(24, 56)) } }),
  };
  const text = lines([
    ['kind', 'flash slot: where a boot resumes from'],
    ['sequence', String(data.sequence)],
    ['chain', data.chain],
    ['block', String(data.block)],
    ['block secret', showSecrets ? hex(bytes.subarray(24, 56)) : HIDDEN],
  ]);
  return { data, text };
}

interface SavedStream {
  id: number;
  /** Only the file knows it: the gateway needs no name to continue. */
  upstream?: string;
  serial: number;
  kind: string;
  opened: boolean;
  peerFinished: boolean;
  acknowledged: number;
  accepted: number;
}

function savedStream(bytes: Buffer, names: ReadonlyMap<number, string>): SavedStream {
  const kind = bytes.readUInt8(6);
  const flags = bytes.readUInt8(7);
  if (kind > 1) throw bad('stream kind', `${kind} is not 0 or 1`);
  const id = bytes.readUInt16BE(0);
  const upstream = names.get(id);
  return {
    id,
    ...(upstream !== undefined && { upstream }),
    serial: bytes.readUInt32BE(2),
    kind: kind === 0 ? 'stream' : 'messages',
    opened: (flags & 1) !== 0,
    peerFinished: (flags & 2) !== 0,
    acknowledged: bytes.readUIntBE(8, 6),
    accepted: bytes.readUIntBE(14, 6),
  };
}

function reportSaved(bytes: Buffer, showSecrets: boolean, names: ReadonlyMap<number, string> = new Map()): Report {
  if (bytes.length < 32 || bytes.length > SAVED_MAX) throw bad('state', `${bytes.length} bytes; at most ${SAVED_MAX}`);
  const body = checked(bytes);
  const [version, kind, count] = [body.readUInt8(4), body.readUInt8(5), body.readUInt8(6)];
  if (version !== 1) throw bad('version', `${version} instead of 1`);
  if (kind !== 1 && kind !== 2) throw bad('kind', `${kind} is not 1 or 2`);
  const step = kind === 2 ? body.subarray(20, 20 + STEP_LENGTH) : undefined;
  const at = 20 + (step ? STEP_LENGTH : 0);
  if (body.length !== at + count * STREAM_LENGTH)
    throw bad('count', `${count} streams do not fit ${bytes.length} bytes`);
  const streams = Array.from({ length: count }, (_, i) =>
    savedStream(body.subarray(at + i * STREAM_LENGTH, at + (i + 1) * STREAM_LENGTH), names),
  );
  const position = step && {
    chain: hex(step.subarray(0, 8)),
    block: step.readUInt32BE(8),
    step: step.readUInt32BE(12),
  };
  const secret = step && hex(step.subarray(16));
  const data = {
    kind: 'state',
    memory: kind === 1 ? 'flash' : 'retained RAM',
    session: hex(body.subarray(8, 16)),
    serial: body.readUInt32BE(16),
    ...(position && { position }),
    streams,
    ...(showSecrets && secret !== undefined && { secrets: { stepSecret: secret } }),
  };
  const pairs: [string, string][] = [
    ['kind', `saved state for ${data.memory}`],
    ['session', data.session],
    ['last serial', String(data.serial)],
  ];
  if (position) {
    pairs.push(['position', `chain ${position.chain}, block ${position.block}, step ${position.step}`]);
    pairs.push(['step secret', showSecrets ? secret! : HIDDEN]);
  }
  for (const s of streams) {
    const flags = [s.opened ? 'open' : 'not yet open', ...(s.peerFinished ? ['peer finished'] : [])].join(', ');
    pairs.push([
      `stream ${s.id}`,
      `${s.upstream === undefined ? '' : `${printable(s.upstream)}, `}${s.kind}, serial ${s.serial}, ${flags}; sent and acknowledged ${s.acknowledged}, accepted ${s.accepted}`,
    ]);
  }
  return { data, text: lines(pairs) };
}
