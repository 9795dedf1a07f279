/**
 * Two engines take every call together. What they return, throw, report and can be seen to hold must be the same.
 */

import { Transport, type CoreEvent, type DeviceCore, type SessionCore } from '../../lib/engine.js';
import { HawserError } from '../../lib/errors.js';
import { sides, type Engines, type Side } from './engines.js';
import { listed, meaning, Wiretap } from './wiretap.js';

export type Both<T> = Record<Side, T>;

/** The engines differ; the message has the calls that led there. */
export class Difference extends Error {
  override readonly name = 'Difference';
}

export type Outcome<T> = { value: T; code?: undefined } | { value?: undefined; code: string };

const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

/** Any value as text: equal text, equal value. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `<${text(value)}>`;
  if (value instanceof HawserError) return value.code;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields.map(([name, field]) => `${name}: ${show(field)}`).sort().join(', ')}}`; // prettier-ignore
  }
  return String(value);
}

/** The same text for the same events: each stream's in order, runs of data joined; those of no stream in order. */
export function showEvents(events: readonly CoreEvent[]): string {
  const groups = new Map<string, string[]>();
  for (const event of events) {
    const key = 'stream' in event ? `stream ${event.stream}` : 'session';
    const said = groups.get(key) ?? [];
    groups.set(key, said);
    const last = said.at(-1);
    if (event.type === 'data' && last?.startsWith('data ')) said[said.length - 1] = last + text(event.data);
    else said.push(event.type === 'data' ? `data ${text(event.data)}` : show(event));
  }
  return [...groups].map(([key, said]) => `${key}: ${said.join(', ')}`).sort().join('; '); // prettier-ignore
}

interface Watched {
  both: Both<SessionCore>;
  taps: Both<Wiretap>;
  device: boolean;
  streams: number;
}

export class Lockstep {
  readonly #log: string[] = [];
  readonly counts = new Map<string, number>();

  constructor(
    readonly engines: Engines,
    /** Whose bytes the peers get to see. */
    readonly wire: Side,
  ) {}

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Runs one call on both. Anything thrown that is no HawserError is a difference to the contract. */
  call<T>(label: string, run: (side: Side) => T, view: (value: T) => string = show): Both<Outcome<T>> {
    this.count('calls');
    const both = { native: this.#attempt('native', label, run), js: this.#attempt('js', label, run) };
    const [a, b] = sides.map((side) => both[side].code ?? view(both[side].value));
    this.#log.push(`${label} -> ${a ?? ''}`);
    if (a !== b) this.#differ(label, a ?? '', b ?? '');
    if (both.js.code) this.count(both.js.code);
    return both;
  }

  #attempt<T>(side: Side, label: string, run: (side: Side) => T): Outcome<T> {
    try {
      return { value: run(side) };
    } catch (error) {
      if (error instanceof HawserError) return { code: error.code };
      throw this.#difference(label, `${side} threw ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
    }
  }

  /** The outcome where it is the same by value, as `call` has made sure of. */
  same<T>(label: string, run: (side: Side) => T): Outcome<T> {
    return this.call(label, run)[this.wire];
  }

  #differ(label: string, native: string, js: string): never {
    throw this.#difference(label, `native: ${native}\njs:     ${js}`);
  }

  #difference(label: string, what: string): Difference {
    return new Difference(`${label}\n${what}\nafter\n  ${this.#log.slice(-60).join('\n  ')}`);
  }

  // ---- Cores that are watched --------------------------------------------------------------------------

  readonly #watched = new WeakMap<Both<SessionCore>, Watched>();

  watch(both: Both<SessionCore>, device: boolean, streams: number): void {
    const taps = { native: new Wiretap(both.native, device), js: new Wiretap(both.js, device) };
    this.#watched.set(both, { both, taps, device, streams });
  }

  /** What can be seen of a core from outside. */
  state(label: string, both: Both<SessionCore>): void {
    const watched = this.#watched.get(both) as Watched;
    const [a, b] = sides.map((side) => this.#stateOf(watched, side));
    if (a !== b) this.#differ(`${label}: state`, a ?? '', b ?? '');
  }

  #stateOf({ both, device, streams }: Watched, side: Side): string {
    const core = both[side];
    const id = this.#log.length % streams; // one at a time: asking for what is not there costs an exception
    const { name, live } = core;
    const keys = core.keys();
    const secret = keys ? `${text(keys.d2g)} ${text(keys.g2d)}` : '';
    const handshake = device && live ? show((core as DeviceCore).handshake) : ''; // the last one that came to its end
    return `live ${live} name ${text(name)} deadline ${core.deadline()} window ${id} ${window(core, id)} ${secret} ${handshake}`;
  }

  /** Bytes that went out: frames that mean the same. Those of the wire. */
  output(label: string, both: Both<SessionCore>, transport: Transport, out: Both<Uint8Array | undefined>) {
    const { taps } = this.#watched.get(both) as Watched;
    const read = (side: Side) => taps[side].plaintexts(transport, out[side] ?? new Uint8Array(0));
    const [a, b] = [read('native'), read('js')];
    if (a.length + b.length === 0) return undefined;
    this.#log.push(`  ${label} out ${listed(a)}`);
    const packed = (plaintexts: readonly Uint8Array[]) => plaintexts.map(text).join(' ');
    this.count(packed(a) === packed(b) ? 'outputs equal to the byte' : 'outputs packed differently');
    if (meaning(a) !== meaning(b)) this.#differ(`${label}: output`, listed(a), listed(b));
    return out[this.wire];
  }
}

function window(core: SessionCore, id: number): string {
  try {
    return String(core.window(id));
  } catch (error) {
    if (error instanceof HawserError) return error.code.slice(11);
    throw error;
  }
}
