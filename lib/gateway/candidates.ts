/**
 * Answers given and not yet confirmed: one per (message 1, transport) for 60 s (SPEC 7.5 rule 4), so that the same message 1 costs
 * no second set of ECDH operations and gets the same answer.
 */

import type { AcceptCore, Position, Verdict } from '../engine.js';
import type { DeviceRecord } from '../types.js';
import type { DeviceSession } from './session.js';

export interface Candidate {
  /** Of message 1 and its transport. */
  key: string;
  device: string;
  address: string;
  record: DeviceRecord;
  accept: AcceptCore;
  /** Resumption: the position and the chain it was accepted under, and the session that was answered CONTINUED. */
  resumption?: { q: Position; chain: Uint8Array; continues: Uint8Array | undefined };
  /** Full handshake: the chain that it replaces, if there was one. */
  replaces?: Uint8Array | undefined;
  /** The store's incarnation when the answer was given. */
  incarnation: string;
  verdict: Verdict;
  /** A NEW session that holds early data which was TAKEN. It dies with its candidate. */
  provisional?: DeviceSession;
  until: number;
  /** Confirmed or replaced: kept so that a repeat of message 1 costs nothing. */
  spent: boolean;
}

const lifetime = 60_000;
const perAddress = 4;

export class Candidates {
  readonly #all = new Map<string, Candidate>();
  readonly #byDevice = new Map<string, Set<Candidate>>();

  /** `max` bounds all of them together. */
  constructor(private readonly max: number) {}

  get size(): number {
    return this.#all.size;
  }

  get(key: string, now: number): Candidate | undefined {
    this.expire(now);
    return this.#all.get(key);
  }

  /**
   * False: there are too many in all. The fifth of a device from one address takes the place of the oldest from that address, never of
   * another's.
   */
  add(candidate: Omit<Candidate, 'until' | 'spent'>, now: number): boolean {
    this.expire(now);
    this.#makeRoom(candidate.device, candidate.address);
    if (this.#all.size >= this.max) return false;
    const entry: Candidate = Object.assign(candidate, { until: now + lifetime, spent: false });
    this.#all.set(entry.key, entry);
    const device = this.#byDevice.get(entry.device) ?? new Set();
    this.#byDevice.set(entry.device, device.add(entry));
    return true;
  }

  #makeRoom(device: string, address: string): void {
    const same = [...(this.#byDevice.get(device) ?? [])].filter((each) => each.address === address && !each.spent);
    for (const oldest of same.slice(0, Math.max(0, same.length - perAddress + 1))) this.#remove(oldest);
  }

  /**
   * The device is live, or gone. What is left of its full handshakes stays until it expires: a recorded message 1 must not cost a new set of ECDH
   * operations. Resumptions need that not: their ticket is no longer known.
   */
  endDevice(device: string, survivor?: Candidate): void {
    for (const candidate of [...(this.#byDevice.get(device) ?? [])]) {
      if (candidate === survivor) delete candidate.provisional;
      if (candidate.resumption) this.#remove(candidate);
      else this.#spend(candidate);
    }
  }

  expire(now: number): void {
    for (const candidate of this.#all.values()) {
      if (candidate.until > now) return;
      this.#remove(candidate);
    }
  }

  clear(): void {
    for (const candidate of [...this.#all.values()]) this.#remove(candidate);
  }

  #remove(candidate: Candidate): void {
    this.#spend(candidate);
    this.#all.delete(candidate.key);
    const device = this.#byDevice.get(candidate.device);
    device?.delete(candidate);
    if (device?.size === 0) this.#byDevice.delete(candidate.device);
  }

  #spend(candidate: Candidate): void {
    if (candidate.spent) return;
    candidate.spent = true;
    candidate.accept.wipe();
    candidate.provisional?.abandon();
    delete candidate.provisional;
  }
}
