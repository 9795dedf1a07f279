/**
 * Tickets of block starts that this process has answered, so that one that comes back later, when the store has moved on, can be told by
 * its device: flash that was put back, a copy of the device, or a recorded message 1 that somebody sends again. Whichever it is,
 * it gets silence (SPEC 7.5 rule 1); a device of mode `ticket` whose flash was put back gets nothing else any more, so an operator must hear of it.
 *
 * Tickets are no secrets: they went over the wire. They are not stored, so that a copied store still tells nobody which of the past were whose.
 */

const perDevice = 8;

export class PassedTickets {
  readonly #owners = new Map<string, string>();
  /** Its tickets by device, oldest first; the device that was answered longest ago is first, and is forgotten first. */
  readonly #tickets = new Map<string, string[]>();

  constructor(private readonly maxDevices = 10_000) {}

  get size(): number {
    return this.#owners.size;
  }

  /** `device` was answered at a block start. */
  add(device: string, ticket: string): void {
    const tickets = this.#tickets.get(device) ?? [];
    this.#tickets.delete(device);
    this.#tickets.set(device, tickets);
    if (tickets.at(-1) !== ticket) tickets.push(ticket);
    this.#owners.set(ticket, device);
    if (tickets.length > perDevice) this.#owners.delete(tickets.shift() ?? '');
    const [oldest] = this.#tickets.keys();
    if (this.#tickets.size > this.maxDevices && oldest !== undefined) this.#forget(oldest);
  }

  #forget(device: string): void {
    for (const ticket of this.#tickets.get(device) ?? []) this.#owners.delete(ticket);
    this.#tickets.delete(device);
  }

  /** Whose it was. */
  of(ticket: string): string | undefined {
    return this.#owners.get(ticket);
  }
}
