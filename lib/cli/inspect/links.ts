/** A capture's hawser links. */

import { modeName, suiteName } from '../../pairing/terms.js';
import { packets } from './capture.js';
import { conversations, inOrder } from './tcp.js';
import type { Conversation, Flow } from './tcp.js';
import { DirectionScanner, seeMessage1, seeMessage2 } from './wire.js';
import type { SeenDirection, SeenMessage } from './wire.js';
import { hex } from './report.js';
import type { Report } from './report.js';

interface Link {
  device: string;
  gateway: string;
  start: number;
  end: Flow['end'];
  /** From message 1 to message 2, as the capturing machine saw it. */
  answerMs: number | undefined;
  d2g: SeenDirection;
  g2d: SeenDirection;
}

function follow(flow: Flow, scanner: DirectionScanner): SeenDirection {
  for (const piece of inOrder(flow)) {
    if ('gap' in piece) return scanner.end(`${piece.gap} bytes are missing from the capture after byte ${piece.at}`);
    scanner.take(piece.data, piece.time);
  }
  return scanner.end();
}

/** Undefined: not a hawser link, or its beginning is not in the capture. */
function link(talk: Conversation): Link | undefined {
  const out = new DirectionScanner(seeMessage1);
  const d2g = follow(talk.client, out);
  const first = d2g.message;
  if (!first) return undefined;
  const back = new DirectionScanner((message) => seeMessage2(message, first));
  const g2d = follow(talk.server, back);
  const end =
    talk.client.end === 'rst' || talk.server.end === 'rst'
      ? 'rst'
      : talk.client.end === 'open'
        ? talk.server.end
        : talk.client.end;
  const answerMs = back.messageTime === undefined ? undefined : (back.messageTime - out.messageTime!) * 1000;
  return { device: talk.client.from, gateway: talk.client.to, start: talk.start, end, answerMs, d2g, g2d };
}

function messageData(message: SeenMessage): object {
  return {
    type: message.type,
    name: message.name,
    length: message.length,
    ...(message.mode !== undefined && { mode: modeName(message.mode), suite: suiteName(message.suite!) }),
    ...(message.deviceId && { deviceId: hex(message.deviceId) }),
    ...(message.ticket && { ticket: hex(message.ticket), earlyDataBytes: message.earlyData }),
    ...(message.connectionId !== undefined && { connectionIdBytes: message.connectionId }),
  };
}

function directionData(seen: SeenDirection): object {
  const { count, bytes, plaintext, smallest, largest, empty } = seen.records;
  return {
    ...(seen.message && { message: messageData(seen.message) }),
    records: { count, bytes, plaintextBytes: plaintext, smallest, largest, empty },
    partialBytes: seen.partial,
    ...(seen.note !== undefined && { note: seen.note }),
  };
}

/** ISO 8601; null for what a capture calls a time and no calendar has. */
function timestamp(seconds: number): string | null {
  const ms = seconds * 1000;
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null;
}

function linkData(one: Link): object {
  return {
    device: one.device,
    gateway: one.gateway,
    start: timestamp(one.start),
    end: one.end,
    ...(one.answerMs !== undefined && { answerMs: Number(one.answerMs.toFixed(3)) }),
    deviceToGateway: directionData(one.d2g),
    gatewayToDevice: directionData(one.g2d),
  };
}

function messageText(message: SeenMessage | undefined): string {
  if (!message) return 'no answer';
  const what = [`0x${message.type.toString(16)} ${message.name}, ${message.length} bytes`];
  if (message.deviceId) what.push(`device ${hex(message.deviceId)}`);
  if (message.ticket) what.push(`ticket ${hex(message.ticket)}`, `early data ${message.earlyData} bytes`);
  return what.join(', ');
}

function recordsText(seen: SeenDirection): string {
  const { count, bytes, plaintext, smallest, largest } = seen.records;
  const size = count === 0 ? '' : ` (${bytes} bytes; plaintext ${plaintext}, each ${smallest}..${largest})`;
  const torn = seen.partial > 0 ? `, then ${seen.partial} bytes of a torn one` : '';
  return `${count} records${size}${torn}${seen.note === undefined ? '' : `; ${seen.note}`}`;
}

const ENDS = { open: 'open at the end of the capture', fin: 'closed', rst: 'torn (RST)' } as const;

function linkText(one: Link, index: number): string {
  const answer = one.answerMs === undefined ? '' : ` after ${one.answerMs.toFixed(1)} ms`;
  return [
    `  link ${index + 1}  ${one.device} -> ${one.gateway}  ${timestamp(one.start) ?? 'at no time'}  ${ENDS[one.end]}`,
    `    -> ${messageText(one.d2g.message)}`,
    `    <- ${messageText(one.g2d.message)}${answer}`,
    `    -> ${recordsText(one.d2g)}`,
    `    <- ${recordsText(one.g2d)}`,
  ].join('\n');
}

export function reportCapture(bytes: Buffer): Report {
  const talks = conversations(packets(bytes));
  const links = talks.map(link).filter((one) => one !== undefined);
  const other = talks.length - links.length;
  const data = { kind: 'capture', links: links.map(linkData), otherConversations: other };
  const head = `  capture: ${links.length} hawser links, ${other} other TCP conversations\n`;
  return { data, text: head + links.map((one, i) => `${linkText(one, i)}\n`).join('') };
}
