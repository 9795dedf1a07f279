/** Puts the TCP streams of a capture together: link layer, IP, TCP, and bytes in order. */

import type { Packet } from './capture.js';

export interface Segment {
  /** Offset of the first byte in its direction. */
  offset: number;
  time: number;
  data: Buffer;
}

/** One direction of a conversation. */
export interface Flow {
  from: string;
  to: string;
  syn: boolean;
  end: 'open' | 'fin' | 'rst';
  segments: Segment[];
  next: number;
  last: number;
}

/** `client` is the side that sent the SYN, or else the first packet. */
export interface Conversation {
  client: Flow;
  server: Flow;
  start: number;
}

interface TcpPacket {
  from: string;
  to: string;
  seq: number;
  flags: number;
  payload: Buffer;
}

const FLAG = { Fin: 1, Syn: 2, Rst: 4, Ack: 16 } as const;
const LINK = { Null: 0, Ethernet: 1, Raw: 101, RawOld: 12, Loop: 108, Sll: 113, Sll2: 276 } as const;
const ETHER = { V4: 0x0800, V6: 0x86dd, Vlan: 0x8100 } as const;
const TCP = 6;

/** Where the IP header begins; undefined: not IP. */
function ipOffset(packet: Packet): number | undefined {
  const { data } = packet;
  switch (packet.linkType) {
    case LINK.Raw:
    case LINK.RawOld:
      return 0;
    case LINK.Null:
    case LINK.Loop:
      return 4;
    case LINK.Sll:
      return 16;
    case LINK.Sll2:
      return 20;
    case LINK.Ethernet: {
      if (data.length < 18) return undefined;
      const vlan = data.readUInt16BE(12) === ETHER.Vlan;
      const type = data.readUInt16BE(vlan ? 16 : 12);
      return type === ETHER.V4 || type === ETHER.V6 ? (vlan ? 18 : 14) : undefined;
    }
    default:
      return undefined;
  }
}

const v4 = (bytes: Buffer): string => bytes.join('.');
const v6 = (bytes: Buffer): string =>
  `[${Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(':')}]`;

/** Addresses and the TCP header with its payload; undefined: something else, or cut too short to tell. */
function parseIp(data: Buffer): { source: string; target: string; tcp: Buffer } | undefined {
  if (data.length < 20) return undefined;
  const version = data.readUInt8(0) >> 4;
  if (version === 4 && data.readUInt8(9) === TCP) {
    const header = (data.readUInt8(0) & 15) * 4;
    const end = Math.min(data.length, data.readUInt16BE(2) || data.length);
    return { source: v4(data.subarray(12, 16)), target: v4(data.subarray(16, 20)), tcp: data.subarray(header, end) };
  }
  if (version === 6 && data.length >= 40 && data.readUInt8(6) === TCP) {
    const end = Math.min(data.length, 40 + data.readUInt16BE(4) || data.length);
    return { source: v6(data.subarray(8, 24)), target: v6(data.subarray(24, 40)), tcp: data.subarray(40, end) };
  }
  return undefined;
}

function parseTcp(packet: Packet): TcpPacket | undefined {
  const at = ipOffset(packet);
  const ip = at === undefined ? undefined : parseIp(packet.data.subarray(at));
  if (!ip || ip.tcp.length < 20) return undefined;
  const header = (ip.tcp.readUInt8(12) >> 4) * 4;
  if (header < 20) return undefined;
  return {
    from: `${ip.source}:${ip.tcp.readUInt16BE(0)}`,
    to: `${ip.target}:${ip.tcp.readUInt16BE(2)}`,
    seq: ip.tcp.readUInt32BE(4),
    flags: ip.tcp.readUInt8(13),
    payload: ip.tcp.subarray(header),
  };
}

/** Takes a packet into its direction. Sequence numbers wrap; offsets do not. */
function take(flow: Flow, tcp: TcpPacket, time: number): void {
  const syn = (tcp.flags & FLAG.Syn) !== 0;
  if (flow.last < 0) {
    flow.last = syn ? (tcp.seq + 1) >>> 0 : tcp.seq;
    flow.next = 0;
    flow.syn = syn;
  }
  if (!syn && tcp.payload.length > 0) {
    const offset = flow.next + ((tcp.seq - flow.last) | 0);
    flow.segments.push({ offset, time, data: tcp.payload });
    if (offset > flow.next) {
      flow.next = offset;
      flow.last = tcp.seq;
    }
  }
  if (tcp.flags & FLAG.Rst) flow.end = 'rst';
  else if (tcp.flags & FLAG.Fin && flow.end === 'open') flow.end = 'fin';
}

const newFlow = (from: string, to: string): Flow => ({
  from,
  to,
  syn: false,
  end: 'open',
  segments: [],
  next: 0,
  last: -1,
});

/** All TCP conversations in order of their first packet. A SYN on a used pair of addresses begins a new one. */
export function conversations(source: Iterable<Packet>): Conversation[] {
  const open = new Map<string, Conversation>();
  const all: Conversation[] = [];
  for (const packet of source) {
    const tcp = parseTcp(packet);
    if (!tcp) continue;
    const key = [tcp.from, tcp.to].sort().join(' ');
    const opens = (tcp.flags & (FLAG.Syn | FLAG.Ack)) === FLAG.Syn;
    let talk = open.get(key);
    if (!talk || (opens && talk.client.segments.length + talk.server.segments.length > 0)) {
      const answers = (tcp.flags & (FLAG.Syn | FLAG.Ack)) === (FLAG.Syn | FLAG.Ack);
      const [client, server] = answers ? [tcp.to, tcp.from] : [tcp.from, tcp.to];
      talk = { client: newFlow(client, server), server: newFlow(server, client), start: packet.time };
      open.set(key, talk);
      all.push(talk);
    }
    take(tcp.from === talk.client.from ? talk.client : talk.server, tcp, packet.time);
  }
  return all;
}

/** A piece of a direction's bytes, in order, each byte once; or the place where the capture misses some. */
export type Piece = { time: number; data: Buffer } | { gap: number; at: number };

export function* inOrder(flow: Flow): Generator<Piece> {
  const sorted = [...flow.segments].sort((a, b) => a.offset - b.offset);
  let at = flow.syn ? 0 : Math.min(0, sorted[0]?.offset ?? 0);
  for (const { offset, time, data } of sorted) {
    if (offset > at) {
      yield { gap: offset - at, at };
      return;
    }
    if (offset + data.length <= at) continue; // a retransmission
    yield { time, data: data.subarray(at - offset) };
    at = offset + data.length;
  }
}
