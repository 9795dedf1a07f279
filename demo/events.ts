/** Reads what `hawser --events FILE` appends, while it is being written. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HawserEvent {
  time: number;
  event: string;
  [key: string]: unknown;
}
export interface Handshake extends HawserEvent {
  kind: 'full' | 'resumption';
  sent: number;
  received: number;
  roundTrips: number;
  ecdh: number;
  ms: number;
  continued: boolean;
}

export class EventReader {
  constructor(readonly file: string) {}

  /** All whole lines so far. */
  all(): HawserEvent[] {
    let text: string;
    try {
      text = readFileSync(this.file, 'utf8');
    } catch {
      return [];
    }
    // a process that was killed may have left half a line, which the next one then went on with
    return text.split('\n').slice(0, -1).flatMap(parse);
  }

  since(time: number, event: string): HawserEvent[] {
    return this.all().filter((one) => one.event === event && one.time >= time);
  }

  handshakes(): Handshake[] {
    return this.all().filter((one): one is Handshake => one.event === 'handshake');
  }

  async wait(event: string, since: number, ms = 60_000): Promise<HawserEvent> {
    const end = Date.now() + ms;
    while (Date.now() < end) {
      const found = this.since(since, event)[0];
      if (found) return found;
      await sleep(50);
    }
    throw new Error(`${this.file}: no event "${event}" within ${ms / 1000} s`);
  }
}

function parse(line: string): HawserEvent[] {
  try {
    return [JSON.parse(line) as HawserEvent];
  } catch {
    return [];
  }
}
