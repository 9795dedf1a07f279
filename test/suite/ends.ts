/**
 * The applications on top of a session: what they wrote, how far it got, what they received. They do what the
 * contract asks of a caller (keep what is not acknowledged, write again after 'rewind', consume) and nothing else.
 */

import type { CoreEvent, Kind, SessionCore, Verdict } from '../../lib/engine.js';
import { concat } from './bytes.js';

/** One end of one stream. */
export class StreamEnd {
  /** Everything the application wrote, from offset 0. */
  written: Uint8Array = new Uint8Array(0);
  wantsFin = false;
  /** Where write() goes on; `finSent` says that FIN went out behind the last byte. */
  next = 0;
  finSent = false;
  acked = 0;
  received: Uint8Array = new Uint8Array(0);
  gotFin = false;
  opened = false;
  /** The code of its end, once the id is free. */
  code: number | undefined;
  readonly verdicts: Verdict[] = [];
  rewinds: number[] = [];
  /** A slow reader: received bytes are consumed only when this is false. */
  hold = false;
  private unconsumed = 0;

  constructor(
    readonly id: number,
    readonly name: string,
    readonly kind: Kind,
  ) {}

  write(data: Uint8Array, fin = false): void {
    this.written = concat(this.written, data);
    this.wantsFin ||= fin;
  }

  /** The last one, if any. */
  get verdict(): Verdict | undefined {
    return this.verdicts.at(-1);
  }

  get pending(): boolean {
    return this.next < this.written.length || (this.wantsFin && !this.finSent);
  }

  /** Both directions are over in good order. */
  get done(): boolean {
    return this.code === 0;
  }

  goOnFrom(offset: number): void {
    this.rewinds.push(offset);
    this.next = Math.min(offset, this.written.length);
    this.finSent = this.wantsFin && offset > this.written.length;
  }

  took(taken: number, fin: boolean): void {
    this.next += taken;
    this.finSent ||= fin;
  }

  receive(data: Uint8Array): void {
    this.received = concat(this.received, data);
    this.unconsumed += data.length;
  }

  /** What consume() is owed now. */
  accept(): number {
    return this.hold || this.code !== undefined ? 0 : this.take(Infinity);
  }

  /** The same for a reader that holds: at most so many bytes. */
  take(most: number): number {
    const count = Math.min(this.unconsumed, most);
    this.unconsumed -= count;
    return count;
  }
}

/** One end of a session with all of its streams. */
export class SessionEnd<Core extends SessionCore = SessionCore> {
  readonly streams = new Map<number, StreamEnd>();
  /** Streams whose id is free again, in the order of their ends. */
  readonly ended: StreamEnd[] = [];
  readonly events: CoreEvent['type'][] = [];
  readonly messages: { stream: number; data: Uint8Array }[] = [];
  live: 'no' | 'new' | 'continued' = 'no';
  pongs = 0;
  closeCode: number | undefined;
  /** What 'drop' said; the owner of the link acts on it. */
  dropped: Error | undefined;
  dead = false;
  /** Gateway: what to do with a stream that the device opens. */
  onOpen: (end: StreamEnd) => void = (end) => this.core.consume(end.id, 0);
  onStore: (slot: Uint8Array) => void = () => {
    throw new Error('only a device stores');
  };

  constructor(readonly core: Core) {}

  stream(id: number): StreamEnd {
    const end = this.streams.get(id);
    if (end === undefined) throw new Error(`no stream ${id}`);
    return end;
  }

  handle(events: readonly CoreEvent[]): void {
    for (const event of events) {
      this.events.push(event.type);
      this.handleOne(event);
    }
    this.consumeAll();
  }

  private handleOne(event: CoreEvent): void {
    switch (event.type) {
      case 'store':
        return this.onStore(Uint8Array.from(event.slot));
      case 'live':
        this.live = event.continued ? 'continued' : 'new';
        return;
      case 'open':
        return this.handleOpen(new StreamEnd(event.stream, event.name, event.kind));
      case 'message':
        this.messages.push({ stream: event.stream, data: Uint8Array.from(event.data) });
        return;
      case 'pong':
        this.pongs++;
        return;
      case 'close':
        this.closeCode = event.code;
        return;
      case 'dead':
        this.dead = true;
        return;
      case 'drop':
        this.dropped = event.error;
        return;
      case 'handshake':
        return;
      case 'closed':
        return this.handleClosed(event.stream, event.code);
      default:
        return this.handleStream(this.stream(event.stream), event);
    }
  }

  private handleOpen(end: StreamEnd): void {
    if (this.streams.has(end.id)) throw new Error(`stream ${end.id} opened while it is open`);
    this.streams.set(end.id, end);
    this.onOpen(end);
  }

  private handleClosed(id: number, code: number): void {
    const end = this.stream(id);
    end.code = code;
    this.streams.delete(id);
    this.ended.push(end);
  }

  private handleStream(end: StreamEnd, event: Extract<CoreEvent, { stream: number }>): void {
    if (end.gotFin && (event.type === 'data' || event.type === 'fin')) throw new Error(`${event.type} after FIN`);
    if (event.type === 'data') end.receive(event.data);
    else if (event.type === 'fin') end.gotFin = true;
    else if (event.type === 'acked') end.acked = Math.max(end.acked, event.offset);
    else if (event.type === 'rewind') end.goOnFrom(event.offset);
    else if (event.type === 'opened') end.opened = true;
  }

  consumeAll(): void {
    for (const end of this.streams.values()) {
      const bytes = end.accept();
      if (bytes > 0) unlessClosed(() => this.core.consume(end.id, bytes));
    }
  }

  /** Everything that can go out now. */
  output(now: number): Uint8Array[] {
    const out: Uint8Array[] = [];
    const control = (): void => {
      const bytes = this.core.send(now);
      if (bytes !== undefined) out.push(bytes.slice());
    };
    control();
    if (this.core.live) for (const end of this.streams.values()) this.writeStream(end, now, out);
    control();
    return out;
  }

  private writeStream(end: StreamEnd, now: number, out: Uint8Array[]): void {
    while (end.pending) {
      const rest = end.written.subarray(end.next);
      const result = unlessClosed(() => this.core.write(end.id, rest, end.wantsFin, now));
      if (result === undefined) return;
      if (result.out !== undefined) out.push(result.out.slice());
      end.took(result.taken, result.finTaken);
      if (result.taken === 0 && !result.finTaken) return;
    }
  }
}

/** A core may be ahead of the events it gave: undefined for a stream whose 'closed' is still to come. */
export function unlessClosed<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_HAWSER_CLOSED') return undefined;
    throw error;
  }
}
