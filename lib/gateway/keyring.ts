/**
 * Pairings as the engine takes them, their secrets imported: kept for the next handshake, and bounded, since each takes memory of the engine's that
 * no collector sees.
 */

import type { Credentials } from '../credentials.js';
import type { DeviceRecord } from '../types.js';

const defaults = { max: 10_000, grace: 120_000 };
/** So many of the oldest are looked at for one that may go. */
const looks = 8;

export class Keyring {
  /** By serial; the one that was used longest ago is first. */
  readonly #held = new Map<string, Credentials>();

  /**
   * `busy`: a device of this id has a session, which uses them. `max`: pairings held at a time; `grace`: milliseconds in which
   * handshakes that still use one that goes are over.
   */
  constructor(
    private readonly make: (record: DeviceRecord) => Credentials,
    private readonly busy: (id: Uint8Array) => boolean,
    private readonly limits = defaults,
  ) {}

  of(record: DeviceRecord): Credentials {
    const credentials = this.#held.get(record.serial) ?? this.make(record);
    this.#held.delete(record.serial);
    this.#held.set(record.serial, credentials);
    if (this.#held.size > this.limits.max) this.#forgetOne();
    return credentials;
  }

  #forgetOne(): void {
    let left = looks;
    for (const [serial, credentials] of this.#held) {
      if ((left -= 1) < 0) return;
      if (this.busy(credentials.pairing.id)) continue;
      this.#held.delete(serial);
      setTimeout(() => credentials.release(), this.limits.grace).unref();
      return;
    }
  }

  /** All of them: nobody uses any more. */
  release(): void {
    for (const credentials of this.#held.values()) credentials.release();
    this.#held.clear();
  }
}
