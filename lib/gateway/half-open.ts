/**
 * Connections that are not live yet: how many may be held, and who goes when there are too many. Whoever opens the most pays first, so that a flood
 * from one address ends its own connections and never those of another (SPEC 14).
 */

import { isIPv4, isIPv6 } from 'node:net';

/** What is held of a connection. */
export interface Pending {
  readonly remote: string | undefined;
  /** Nothing that it sent was vouched for by anybody. */
  readonly anonymous: boolean;
  /** What names the message 1 that it was answered, if it was. */
  readonly answeredTo: string | undefined;
}

/** SPEC 11: links before their first record, per (device, address). */
const perDevice = 4;

export class HalfOpen<Connection extends Pending> {
  readonly #groups = new Map<string, Set<Connection>>();
  /** In which group each is. */
  readonly #all = new Map<Connection, { key: string; group: Set<Connection> }>();

  /** `max`: of all together. `perAddress`: of one IPv4 address or one IPv6 /64; not where there is no address. */
  constructor(
    private readonly max: number,
    private readonly perAddress: number,
  ) {}

  get size(): number {
    return this.#all.size;
  }

  add(connection: Connection): void {
    if (this.#all.has(connection)) return;
    const key = addressGroup(connection.remote);
    const group = this.#groups.get(key) ?? new Set();
    this.#groups.set(key, group.add(connection));
    this.#all.set(connection, { key, group });
  }

  remove(connection: Connection): void {
    const held = this.#all.get(connection);
    if (!held) return;
    this.#all.delete(connection);
    held.group.delete(connection);
    if (held.group.size === 0) this.#groups.delete(held.key);
  }

  /** Who has to go before one more from this address fits. */
  victim(remote: string | undefined): Connection | undefined {
    const key = addressGroup(remote);
    const group = this.#groups.get(key);
    if (key !== '' && group && group.size >= this.perAddress) return first(group);
    if (this.size < this.max) return undefined;
    return first(this.#largest());
  }

  /**
   * Of the links that wait for one device's first record, oldest answer first, those from this very address that are too many. First those
   * that repeat a message 1 which an older link holds: a recording, sent over and over from behind the device's own address, ends its own copies.
   */
  surplus(waiting: Iterable<Connection>, remote: string | undefined): Connection[] {
    const firsts = new Set<string | undefined>();
    const [originals, copies]: [Connection[], Connection[]] = [[], []];
    for (const connection of waiting) {
      if (connection.remote !== remote || !this.#all.has(connection)) continue;
      (firsts.has(connection.answeredTo) ? copies : originals).push(connection);
      firsts.add(connection.answeredTo);
    }
    return [...copies, ...originals].slice(0, Math.max(0, copies.length + originals.length - perDevice));
  }

  /** Of those of one size the oldest that has an anonymous one: a flood from many addresses does not reach whoever was vouched for. */
  #largest(): Set<Connection> {
    let largest = new Set<Connection>();
    for (const group of this.#groups.values()) {
      const worse = group.size === largest.size && !first(largest)?.anonymous && first(group)?.anonymous;
      if (group.size > largest.size || worse) largest = group;
    }
    return largest;
  }
}

/** The oldest that is anonymous; where none is, the oldest. */
function first<Connection extends Pending>(group: ReadonlySet<Connection>): Connection | undefined {
  let oldest: Connection | undefined;
  for (const connection of group) {
    if (connection.anonymous) return connection;
    oldest ??= connection;
  }
  return oldest;
}

/** One IPv4 address, or the IPv6 network of 64 bits that one site can choose its addresses from. Empty: no address. */
export function addressGroup(remote: string | undefined): string {
  if (remote === undefined) return '';
  if (isIPv4(remote)) return remote;
  const mapped = /^::ffff:(?<four>[\d.]+)$/i.exec(remote)?.groups?.four;
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  const [address = ''] = remote.split('%');
  if (!isIPv6(address)) return remote;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const words = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${words.slice(0, 4).map((word) => Number.parseInt(word, 16).toString(16)).join(':')}::/64`; // prettier-ignore
}
