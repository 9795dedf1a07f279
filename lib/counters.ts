/**
 * What was refused or went wrong, counted by reason: nothing is answered on the wire, so this is where it shows.
 */

const reasons = {
  // Before a pairing is known
  halfOpenLimit: 'too many connections that are not live',
  handshakeTimeout: 'no live session in time',
  badMessage: 'malformed or unexpected handshake bytes',
  unknownDevice: 'no such device, or another mode or suite',
  unknownTicket: 'no device has this ticket',
  passedTicket: 'a block start that its device has passed: flash put back, a copy of the device, or a repeated message',
  badAuthentication: 'a MAC or tag was wrong',
  closedEarly: 'the other end hung up before it was live',
  // Of a known device
  revoked: 'the pairing was revoked',
  expired: 'the pairing has expired',
  notYetValid: 'the pairing is not valid yet',
  stale: 'a position that was passed, or a chain that was replaced',
  candidateLimit: 'too many unconfirmed answers',
  superseded: 'another link of the device became live',
  chainReplaced:
    'a full handshake in the place of a session that was live: its device lost all it knew, or there are two of it',
  sessionGone: 'the session to be continued is gone',
  badRecord: 'a record that failed, or broke a rule of the frames',
  dead: 'nothing was heard for too long',
  // Policy
  notAllowed: 'an upstream that the pairing does not name',
  unknownUpstream: 'an upstream that the gateway does not have',
  streamLimit: 'too many streams',
  earlyRefused: 'early data that was not taken',
  // This end
  store: 'the store failed',
  upstreamFailed: 'an upstream could not be reached, or reset',
  callback: 'a listener threw',
} as const;

export type Reason = keyof typeof reasons;

export class Counters {
  readonly #counts = new Map<Reason, number>();

  add(reason: Reason): void {
    this.#counts.set(reason, this.get(reason) + 1);
  }

  get(reason: Reason): number {
    return this.#counts.get(reason) ?? 0;
  }

  /** All of them, zeros included. */
  toJSON(): Record<Reason, number> {
    const names = Object.keys(reasons) as Reason[];
    return Object.fromEntries(names.map((name) => [name, this.get(name)])) as Record<Reason, number>;
  }

  static describe(reason: Reason): string {
    return reasons[reason];
  }
}
