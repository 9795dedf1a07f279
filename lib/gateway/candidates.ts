/**
 * Answers given and not yet confirmed: one per (message 1, transport) for 60 s (SPEC 7.5 rule 4), so that the same message 1 costs
 * no second set of ECDH operations and gets the same answer.
 */

import type { AcceptCore, Position, Verdict } from '../engine.js';
import type { DeviceRecord } from '../types.js';
import type { DeviceSession } from './session.js';
import { Shares } from './shares.js';

export interface Candidate {
  /** Of message 1 and its transport. */
  key: string;
  device: string;
  address: string;
  record: DeviceRecord;
  accept: AcceptCore;
  /** Resumption: the position and the chain it was accepted under, and the session that was answered CONTINUED. */
  resumption: { q: Position; chain: Uint8Array; continues: Uint8Array | undefined } | undefined;
  /** Full handshake: the chain that it replaces, if there was one. */
  replaces: Uint8Array | undefined;
  /** The store's incarnation when the answer was given. */
  incarnation: string;
  verdict: Verdict;
  /** A NEW session that holds early data which was TAKEN. It dies with its candidate. */
  provisional: DeviceSession | undefined;
  until: number;
  /** Confirmed, replaced or expired: its keys are wiped, and no link may become live with it any more. */
  spent: boolean;
  /** It is being confirmed just now: it does not expire meanwhile. */
  held: boolean;
}

/** What is left of one whose message 1 must not be answered again: no keys, no record. */
interface Spent {
  key: string;
  device: string;
  until: number;
}

const lifetime = 60_000;
const perAddress = 4;
/** A recorded message 1 beyond these costs one more set of ECDH operations. */
const spentPerDevice = 16;

export class Candidates {
  readonly #all = new Map<string, Candidate>();
  readonly #byDevice = new Shares<Candidate>();
  readonly #spent = new Map<string, Spent>();
  readonly #spentByDevice = new Shares<Spent>();

  /** `max` bounds all of them together, and those that are spent as well. */
  constructor(private readonly max: number) {}

  /** Those that can still be confirmed. */
  get size(): number {
    return this.#all.size;
  }
  get spentSize(): number {
    return this.#spent.size;
  }

  get(key: string, now: number): Candidate | undefined {
    this.expire(now);
    return this.#all.get(key);
  }

  /** This message 1 was answered and the device has become live since: the device's name here, or undefined. */
  spentBy(key: string, now: number): string | undefined {
    this.expire(now);
    const entry = this.#spent.get(key);
    return entry && entry.until > now ? entry.device : undefined;
  }

  /**
   * The fifth of a device from one address takes the place of the oldest from that address, never of another's. Where there are too many in
   * all, the oldest of whichever device holds the most goes: nobody is refused because of others. True: one had to go for that.
   */
  add(entry: Candidate, now: number): boolean {
    this.expire(now);
    this.#makeRoom(entry.device, entry.address);
    entry.until = now + lifetime;
    this.#all.set(entry.key, entry);
    this.#byDevice.add(entry.device, entry);
    const victim = this.#all.size > this.max && this.#byDevice.victim((each) => !each.held && each !== entry);
    if (victim) this.#remove(victim);
    return Boolean(victim);
  }

  #makeRoom(device: string, address: string): void {
    const all = this.#byDevice.of(device);
    if (all.size < perAddress) return;
    const same = [...all].filter((each) => each.address === address && !each.held);
    for (const oldest of same.slice(0, Math.max(0, same.length - perAddress + 1))) this.#remove(oldest);
  }

  /** It does not expire until the returned function is called; that the device ends it is another matter. */
  hold(candidate: Candidate): () => void {
    candidate.held = true;
    return () => {
      candidate.held = false;
    };
  }

  /**
   * The device is live, or gone. The digests of its full handshakes stay until they expire: a recorded message 1 must not cost a new set of ECDH
   * operations. Resumptions need that not: their ticket is no longer known.
   */
  endDevice(device: string, survivor?: Candidate): void {
    for (const candidate of [...this.#byDevice.of(device)]) {
      if (candidate === survivor) candidate.provisional = undefined;
      this.#remove(candidate);
      if (!candidate.resumption) this.#remember(candidate);
    }
  }

  #remember({ key, device, until }: Candidate): void {
    const entry: Spent = { key, device, until };
    this.#spent.set(key, entry);
    this.#spentByDevice.add(device, entry);
    const [oldest] = this.#spentByDevice.of(device);
    if (oldest && this.#spentByDevice.of(device).size > spentPerDevice) this.#forget(oldest);
    const victim = this.#spent.size > this.max ? this.#spentByDevice.victim() : undefined;
    if (victim) this.#forget(victim);
  }

  #forget(entry: Spent): void {
    this.#spent.delete(entry.key);
    this.#spentByDevice.remove(entry.device, entry);
  }

  expire(now: number): void {
    for (const candidate of this.#all.values()) {
      if (candidate.until > now) break;
      if (!candidate.held) this.#remove(candidate);
    }
    for (const entry of this.#spent.values()) {
      if (entry.until <= now) this.#forget(entry);
      // In the order of their ends but for a few: those go with the next.
      else break;
    }
  }

  clear(): void {
    for (const candidate of [...this.#all.values()]) this.#remove(candidate);
    for (const entry of [...this.#spent.values()]) this.#forget(entry);
  }

  #remove(candidate: Candidate): void {
    this.#all.delete(candidate.key);
    this.#byDevice.remove(candidate.device, candidate);
    candidate.spent = true;
    candidate.accept.wipe();
    candidate.provisional?.abandon();
    candidate.provisional = undefined;
  }
}
