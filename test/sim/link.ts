/** A world whose link takes time, and on a serial line loses, doubles, reorders, cuts short and flips what it carries. */

import { flipped, splitSerial } from '../suite/bytes.js';
import { Link, World, type Direction } from '../suite/harness.js';
import { Transport } from '../../lib/engine.js';

/** Chances per unit (a write of one end; on a serial line a frame), 0..1; times in milliseconds. */
export interface Faults {
  loss: number;
  double: number;
  late: number;
  short: number;
  flip: number;
  /** The link is cut before the unit arrives. */
  cut: number;
  delay: number;
}

export const noFaults: Faults = { loss: 0, double: 0, late: 0, short: 0, flip: 0, cut: 0, delay: 5 };

interface InFlight {
  at: number;
  order: number;
  link: Link;
  direction: Direction;
  bytes: Uint8Array;
  cut: boolean;
}

export class SimWorld extends World {
  faults: Faults = noFaults;
  random: () => number = () => 0.5;
  counts = { carried: 0, disturbed: 0, cut: 0 };
  private flying: InFlight[] = [];
  private order = 0;
  private readonly lastArrival = new Map<string, number>();

  private chance(probability: number): boolean {
    return probability > 0 && this.random() < probability;
  }

  override deliver(link: Link, direction: Direction, units: readonly Uint8Array[]): void {
    for (const unit of units) {
      link.log[direction].push(unit);
      if (this.transport === Transport.Serial)
        for (const frame of splitSerial(unit)) this.sendFrame(link, direction, frame);
      else this.sendBytes(link, direction, unit);
    }
  }

  /** TCP: bytes arrive in order or not at all; what a hostile network changes, it changes in place. */
  private sendBytes(link: Link, direction: Direction, bytes: Uint8Array): void {
    const damaged = this.chance(this.faults.flip)
      ? this.disturbed(flipped(bytes, Math.floor(this.random() * 8 * bytes.length)))
      : bytes;
    if (this.chance(this.faults.cut)) {
      const part = damaged.slice(0, Math.floor(this.random() * (damaged.length + 1)));
      return this.fly(link, direction, part, 0, true);
    }
    const middle = Math.floor(this.random() * damaged.length);
    this.fly(link, direction, damaged.slice(0, middle), 0, false);
    this.fly(link, direction, damaged.slice(middle), 0, false);
  }

  private sendFrame(link: Link, direction: Direction, frame: Uint8Array): void {
    if (this.chance(this.faults.loss)) return void this.disturbed(frame);
    let bytes = frame;
    if (this.chance(this.faults.short))
      bytes = this.disturbed(frame.slice(0, Math.floor(this.random() * frame.length)));
    if (this.chance(this.faults.flip) && bytes.length > 0)
      bytes = this.disturbed(flipped(bytes, Math.floor(this.random() * 8 * bytes.length)));
    const late = this.chance(this.faults.late) ? 60 : 0;
    this.fly(link, direction, bytes, late, this.chance(this.faults.cut));
    if (this.chance(this.faults.double)) this.fly(link, direction, this.disturbed(bytes), late, false);
  }

  private disturbed(bytes: Uint8Array): Uint8Array {
    this.counts.disturbed++;
    return bytes;
  }

  private fly(link: Link, direction: Direction, bytes: Uint8Array, late: number, cut: boolean): void {
    if (bytes.length === 0 && !cut) return;
    const key = `${this.links.indexOf(link)} ${direction}`;
    const soonest = late > 0 ? 0 : (this.lastArrival.get(key) ?? 0);
    const at = Math.max(soonest, this.now + 1 + Math.floor(this.random() * this.faults.delay)) + late;
    if (late === 0) this.lastArrival.set(key, at);
    this.flying.push({ at, order: this.order++, link, direction, bytes, cut });
  }

  protected override due(): void {
    for (let next = this.arrival(); next !== undefined && next.at <= this.now; next = this.arrival()) {
      this.flying.splice(this.flying.indexOf(next), 1);
      this.counts.carried++;
      if (next.bytes.length > 0) this.arrive(next.direction, next.bytes);
      if (next.cut && this.link === next.link) {
        this.counts.cut++;
        this.hang();
      }
    }
    if (this.link !== undefined) super.due();
  }

  /** What arrives next on the link that is up. */
  private arrival(): InFlight | undefined {
    this.flying = this.flying.filter(({ link }) => link === this.link);
    let first: InFlight | undefined;
    for (const each of this.flying)
      if (first === undefined || each.at < first.at || (each.at === first.at && each.order < first.order)) first = each;
    return first;
  }

  protected override nextDeadline(): number {
    return Math.min(super.nextDeadline(), this.arrival()?.at ?? Infinity);
  }
}
