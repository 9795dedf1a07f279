/** SessionCore, DeviceCore and GatewayCore over the addon. The native objects never leave this folder. */

import { types } from 'node:util';
import {
  type Transport,
  type AcceptCore,
  type Code,
  type CoreEvent,
  type CorePairing,
  type DeviceCore,
  type Early,
  type EngineOptions,
  type GatewayCore,
  type HandshakeInfo,
  type HandshakeKind,
  type Kind,
  type SessionCore,
  type SessionOptions,
} from '../../engine.js';
import { NativeAccept } from './accept.js';
import { badArgument, check, failure, type RawDevice, type RawGateway, type RawSession, type Result } from './addon.js';
import { readHandshake, type Native } from './context.js';
import { pairingNames, rawPairing } from './pairing.js';

const RECORD_OVERHEAD = 21; // header, tag, and the code and id of a DATA frame
const RECORD_DATA_MAX = 16380;
const FIRST_RECORD_DATA_MAX = 4075;
/** Longest burst of control frames per stream (OPEN or STREAM, ACK, RESET), and what comes once: a message 1. */
const CONTROL_PER_STREAM = 96;
const CONTROL = 4352;
/** One write() of more bytes than this asks for the window first, so as not to make room for what it will not take. */
const LARGE = 65536;
export const STREAMS = 128;

const names = {
  init: ['options.streams', 'options.keylog', ...pairingNames],
  receive: ['chunk', 'offset', 'now'],
  now: ['now'],
  send: ['out', 'at', 'now'],
  write: ['stream', 'data', 'fin', 'now'],
  message: ['stream', 'data', 'now'],
  stream: ['stream'],
  consume: ['stream', 'bytes'],
  reset: ['stream', 'code'],
  code: ['code'],
  boot: ['slot0', 'slot1'],
  connect: ['transport', 'now', 'early.stream', 'early.data', 'early.fin', 'early.idempotent'],
  stored: ['ok'],
  open: ['name', 'kind'],
  save: ['kind'],
  restore: ['blob'],
  nameStream: ['stream', 'name'],
  early: ['accept'],
  attach: ['accept', 'continued', 'now'],
} as const;

export abstract class NativeSession<Raw extends RawSession> implements SessionCore {
  protected readonly native: Native;
  protected readonly raw: Raw;
  /** Bytes of data that a record holds at least, once the first is out. */
  private readonly recordData: number;
  private readonly control: number;

  protected constructor(native: Native, raw: Raw, recordData: number, streams: number) {
    this.native = native;
    this.raw = raw;
    this.recordData = recordData;
    this.control = CONTROL + CONTROL_PER_STREAM * streams;
  }

  get live(): boolean {
    return check(this.raw.live(), 'live', []) === 1;
  }

  get name(): Uint8Array {
    return this.filled(8, 'name', (out) => this.raw.name(out));
  }

  receive(chunk: Uint8Array, now: number): CoreEvent[] {
    const { header } = this.native.scratch;
    const events: CoreEvent[] = [];
    let from = 0;
    for (;;) {
      const count = check(this.raw.receive(chunk, from, now), 'receive', names.receive);
      this.collect(count, chunk, events);
      if (header[1] === 0) return events;
      from = header[0] ?? 0;
    }
  }

  timeout(now: number): CoreEvent[] {
    return this.events(this.raw.timeout(now), 'timeout', names.now);
  }

  send(now: number): Uint8Array | undefined {
    const { output } = this.native;
    output.room(this.control);
    return output.take(check(this.raw.send(output.buffer, output.at, now), 'send', names.send));
  }

  write(
    stream: number,
    data: Uint8Array,
    fin: boolean,
    now: number,
  ): { taken: number; finTaken: boolean; out?: Uint8Array } {
    const { output, scratch } = this.native;
    const all = lengthOf(data);
    const length = all > LARGE ? Math.min(all, this.window(stream)) : all;
    output.room(this.control + this.sealed(length));
    const count = check(this.raw.write(stream, data, fin, now, output.buffer, output.at), 'write', names.write);
    const taken = scratch.header[0] ?? 0;
    const finTaken = scratch.header[1] === 1;
    const out = output.take(count);
    return out === undefined ? { taken, finTaken } : { taken, finTaken, out };
  }

  release(out: Uint8Array): void {
    this.native.output.release(out);
  }

  memory(length: number): Buffer | undefined {
    return this.native.addon.lend(length);
  }

  window(stream: number): number {
    return check(this.raw.window(stream), 'window', names.stream);
  }

  message(stream: number, data: Uint8Array, now: number): Uint8Array | undefined {
    const { output } = this.native;
    output.room(this.control + this.sealed(lengthOf(data)));
    const count = this.raw.message(stream, data, now, output.buffer, output.at);
    return output.take(check(count, 'message', names.message));
  }

  consume(stream: number, bytes: number): void {
    check(this.raw.consume(stream, bytes), 'consume', names.consume);
  }

  reset(stream: number, code: Code): void {
    check(this.raw.reset(stream, code), 'reset', names.reset);
  }

  ping(now: number): void {
    check(this.raw.ping(now), 'ping', names.now);
  }

  close(code: Code): void {
    check(this.raw.close(code), 'close', names.code);
  }

  deadline(): number {
    return check(this.raw.deadline(), 'deadline', []);
  }

  linkDown(): void {
    check(this.raw.linkDown(), 'linkDown', []);
  }

  keys(): { d2g: Uint8Array; g2d: Uint8Array } | undefined {
    const both = new Uint8Array(64);
    if (check(this.raw.keys(both), 'keys', []) === 0) return undefined;
    return { d2g: both.slice(0, 32), g2d: both.slice(32) };
  }

  digest(): Uint8Array {
    return this.filled(32, 'digest', (out) => this.raw.digest(out));
  }

  wipe(): void {
    this.raw.wipe();
  }

  /** The events of a call that took no chunk. */
  protected events(result: Result, method: string, args: readonly string[]): CoreEvent[] {
    const events: CoreEvent[] = [];
    let count = check(result, method, args);
    for (;;) {
      this.collect(count, nothing, events);
      if (this.native.scratch.header[1] === 0) return events;
      count = check(this.raw.more(), method, args);
    }
  }

  private collect(count: number, chunk: Uint8Array, events: CoreEvent[]): void {
    const { scratch } = this.native;
    scratch.read(count, chunk, events);
    const dropped = scratch.header[2] ?? 0;
    if (dropped !== 0) events.push({ type: 'drop', error: failure(-dropped, 'receive', []) });
  }

  /** Most bytes that `length` bytes of data become: the records, a short first one, an empty one with FIN; COBS. */
  private sealed(length: number): number {
    const records = Math.ceil(length / Math.min(this.recordData, FIRST_RECORD_DATA_MAX)) + 2;
    const bytes = length + records * RECORD_OVERHEAD;
    return bytes + Math.ceil(bytes / 254) + 2 * records;
  }

  private filled(length: number, method: string, fill: (out: Uint8Array) => Result): Uint8Array {
    const out = new Uint8Array(length);
    check(fill(out), method, []);
    return out;
  }
}

const nothing = new Uint8Array(0);
/** 0 for what is no bytes at all: the addon refuses it. */
const lengthOf = (data: Uint8Array): number => (types.isUint8Array(data) ? data.length : 0);
const noEarly = { stream: 0, data: undefined, fin: false, idempotent: false };
const UPSTREAM = /^[a-z0-9._-]{1,32}$/;

/** Ids of the streams in a saved state, by its layout in SPEC 7.4. Whether it is one the core finds out. */
function savedStreams(blob: Uint8Array): number[] {
  if (!types.isUint8Array(blob)) throw badArgument('restore: blob is not a Uint8Array');
  const [retained, head, step, row] = [2, 20, 48, 20];
  const start = head + (blob[5] === retained ? step : 0);
  const count = Math.min(blob[6] ?? 0, Math.floor(Math.max(0, blob.length - start) / row));
  return Array.from(
    { length: count },
    (_, at) => (blob[start + at * row] ?? 0) * 256 + (blob[start + at * row + 1] ?? 0),
  );
}

export class NativeDevice extends NativeSession<RawDevice> implements DeviceCore {
  static make(native: Native, pairing: CorePairing, options: SessionOptions & EngineOptions = {}): NativeDevice {
    const { streams = STREAMS, keylog = false } = options;
    const raw = new native.addon.Device();
    check(raw.init(streams, keylog, ...rawPairing(native.addon, pairing)), 'device', names.init);
    return new NativeDevice(native, raw, RECORD_DATA_MAX, streams);
  }

  boot(slot0?: Uint8Array, slot1?: Uint8Array): { wipe?: 0 | 1 } {
    const result = check(this.raw.boot(slot0, slot1), 'boot', names.boot);
    return result === 0 ? {} : { wipe: (result - 1) as 0 | 1 };
  }

  connect(transport: Transport, now: number, early?: Early): { early: boolean; kind: HandshakeKind } {
    if (early !== undefined && early.data === undefined) throw badArgument('connect: early.data is missing');
    const { stream, data, fin, idempotent } = early ?? noEarly;
    const result = this.raw.connect(transport, now, stream, data, fin, idempotent);
    const bits = check(result, 'connect', names.connect);
    return { early: (bits & 1) !== 0, kind: (bits & 2) !== 0 ? 'resumption' : 'full' };
  }

  disconnected(now: number): void {
    check(this.raw.disconnected(now), 'disconnected', names.now);
  }

  stored(ok: boolean): void {
    check(this.raw.stored(ok), 'stored', names.stored);
  }

  open(name: string, kind: Kind): number {
    return check(this.raw.open(name, kind), 'open', names.open);
  }

  save(kind: 'flash' | 'retained'): Uint8Array {
    const code = ['flash', 'retained'].indexOf(kind) + 1;
    if (code === 0) throw badArgument("save: kind is 'flash' or 'retained'");
    const blob = new Uint8Array(256);
    const length = check(this.raw.save(code, blob), 'save', names.save);
    const saved = blob.slice(0, length);
    blob.fill(0);
    return saved;
  }

  restore(blob: Uint8Array, streams: ReadonlyMap<number, string>): void {
    if (typeof streams?.get !== 'function') throw badArgument('restore: names is not a Map');
    const named = savedStreams(blob).map((stream) => [stream, streams.get(stream) ?? ''] as const);
    const unnamed = named.find(([, name]) => !UPSTREAM.test(name));
    if (unnamed) {
      blob.fill(0);
      throw badArgument(`restore: stream ${unnamed[0]} has no name of an upstream`);
    }
    check(this.raw.restore(blob), 'restore', names.restore);
    for (const [stream, name] of named) check(this.raw.nameStream(stream, name), 'restore', names.nameStream);
  }

  get handshake(): HandshakeInfo | undefined {
    return readHandshake(check(this.raw.handshake(), 'handshake', []), this.native);
  }
}

export class NativeGateway extends NativeSession<RawGateway> implements GatewayCore {
  static make(native: Native, pairing: CorePairing, options: SessionOptions & EngineOptions = {}): NativeGateway {
    const { streams = STREAMS, keylog = false } = options;
    const raw = new native.addon.Gateway();
    check(raw.init(streams, keylog, ...rawPairing(native.addon, pairing)), 'gateway', names.init);
    return new NativeGateway(native, raw, pairing.recordMax - 3, streams);
  }

  early(accept: AcceptCore): CoreEvent[] {
    return this.events(this.raw.early(NativeAccept.rawOf(accept, this.native)), 'early', names.early);
  }

  attach(accept: AcceptCore, continued: boolean, now: number): CoreEvent[] {
    const raw = NativeAccept.rawOf(accept, this.native);
    return this.events(this.raw.attach(raw, continued, now), 'attach', names.attach);
  }
}
