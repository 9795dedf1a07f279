/**
 * `--events FILE`: what happens, as lines of JSON for programs. No secrets, no payload.
 * Bounded: of one kind, which is an event and its reason where it has one, at most LINES a second; what is left out is counted in a line
 * `suppressed`, `{ of, reason?, count }`. So strangers who are dropped by the thousand hide no line that names a device.
 */

import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { once } from 'node:events';
import { UsageError } from './command.js';
import { JSON_VERSION } from './io.js';

/** Bytes become hex, errors their code and message. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Error) return { code: (value as NodeJS.ErrnoException).code, message: value.message };
  return value;
}

export const LINES = 100;
const PERIOD_MS = 1000;
/** A disk that does not keep up is no reason to fill the memory. Bytes. */
const PENDING_MAX = 1 << 20;

interface Kind {
  event: string;
  /** One of a few: of Counters, or of a refusal. */
  reason: string | undefined;
  written: number;
  suppressed: number;
}

export class EventLog {
  /** Of this period, by kind. */
  readonly #kinds = new Map<string, Kind>();
  readonly #timer: NodeJS.Timeout;

  private constructor(private readonly stream: WriteStream | undefined) {
    this.#timer = setInterval(() => this.#nextPeriod(), PERIOD_MS).unref();
  }

  /** Appends; a file that cannot be written is the user's mistake. */
  static async open(file: string | undefined): Promise<EventLog> {
    if (file === undefined) return new EventLog(undefined);
    const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
    try {
      await once(stream, 'open');
    } catch (error) {
      throw new UsageError(`--events: ${(error as Error).message}`);
    }
    stream.on('error', () => undefined); // a full disk must not end the tunnel
    return new EventLog(stream);
  }

  write(event: string, data: object = {}): void {
    if (!this.stream) return;
    const { reason } = data as { reason?: string };
    const name = `${event} ${reason ?? ''}`;
    const kind = this.#kinds.get(name) ?? { event, reason, written: 0, suppressed: 0 };
    this.#kinds.set(name, kind);
    if (kind.written >= LINES || this.stream.writableLength > PENDING_MAX) {
      kind.suppressed += 1;
      return;
    }
    kind.written += 1;
    this.#append(event, data);
  }

  #nextPeriod(): void {
    for (const { event, reason, suppressed } of this.#kinds.values())
      if (suppressed > 0) this.#append('suppressed', { of: event, reason, count: suppressed });
    this.#kinds.clear();
  }

  #append(event: string, data: object): void {
    // Buffer has a toJSON of its own that would come before `plain`
    const bytes = Object.fromEntries(
      Object.entries(data).map(([key, value]) => [
        key,
        Buffer.isBuffer(value) ? value.toString('hex') : (value as unknown),
      ]),
    );
    this.stream?.write(`${JSON.stringify({ version: JSON_VERSION, time: Date.now(), event, ...bytes }, plain)}\n`);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (!this.stream) return;
    this.#nextPeriod();
    this.stream.end();
    await Promise.race([once(this.stream, 'close'), once(this.stream, 'error')]);
  }
}
