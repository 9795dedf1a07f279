/**
 * A pairing as the engine uses it: checked once, copied, secrets by handle (SPEC 4).
 */

import { Mode, Suite, type CorePairing, type Secret } from '../../engine.js';
import type { Port } from './crypto.js';
import {
  argument,
  EMPTY,
  hasFull,
  hasPsk,
  hasStatics,
  ID_MAX,
  ID_MIN,
  ident,
  isZero,
  KEY_LEN,
  publicLength,
  RECORD_MAX,
  RECORD_MIN,
  TICKET_BLOCKS,
  U32_MAX,
  WINDOW_MAX,
  WINDOW_MIN,
} from './wire.js';

export class Pairing {
  readonly mode: Mode;
  readonly suite: Suite;
  readonly id: Uint8Array;
  readonly gatewayId: Uint8Array;
  readonly ident: Uint8Array;
  readonly recordMax: number;
  readonly windowDevice: number;
  readonly windowGateway: number;
  readonly maxSteps: number;
  readonly maxBlocks: number;
  readonly own: Secret | undefined;
  readonly psk: Secret | undefined;
  readonly ticket: Secret | undefined;
  readonly peer: Uint8Array;
  readonly ss: Uint8Array;
  readonly gateD2g: Uint8Array;
  readonly gateG2d: Uint8Array;
  #ownPublic: Uint8Array | undefined;

  /** Throws ERR_HAWSER_ARG naming the field. */
  constructor(
    private readonly port: Port,
    from: CorePairing,
    device: boolean,
  ) {
    check(port, from, device);
    this.mode = from.mode;
    this.suite = from.suite;
    this.id = Uint8Array.from(from.id);
    this.gatewayId = Uint8Array.from(from.gatewayId);
    this.ident = ident(from.mode, from.suite, from.id, from.gatewayId);
    this.recordMax = from.recordMax;
    this.windowDevice = from.windowDevice;
    this.windowGateway = from.windowGateway;
    this.maxSteps = from.maxSteps;
    this.maxBlocks = hasFull(from.mode) ? from.maxBlocks : TICKET_BLOCKS;
    this.own = from.own;
    this.psk = from.psk;
    this.ticket = from.ticket;
    this.peer = Uint8Array.from(from.peer ?? EMPTY);
    this.ss = Uint8Array.from(from.ss ?? EMPTY);
    this.gateD2g = Uint8Array.from(from.gateD2g ?? EMPTY);
    this.gateG2d = Uint8Array.from(from.gateG2d ?? EMPTY);
    this.#ownPublic = from.ownPublic && Uint8Array.from(from.ownPublic);
  }

  /** Derived from the private key, once, where the pairing did not bring it. */
  ownPublic(): Uint8Array {
    this.#ownPublic ??= this.port.public(this.suite, this.port.borrow(this.own));
    return this.#ownPublic;
  }
}

function integer(value: number, least: number, most: number, field: string): void {
  argument(Number.isInteger(value) && value >= least && value <= most, `${field}: must be ${least}..${most}`);
}

function bytes(value: Uint8Array | undefined, least: number, most: number, field: string): void {
  const length = value instanceof Uint8Array ? value.length : -1;
  argument(length >= least && length <= most, `${field}: must be ${least}..${most} bytes`);
}

function secretBytes(value: Uint8Array | undefined, field: string): void {
  bytes(value, KEY_LEN, KEY_LEN, field);
  argument(value !== undefined && !isZero(value), `${field}: all bytes are zero`);
}

function check(port: Port, from: CorePairing, device: boolean): void {
  integer(from.mode, Mode.Keys, Mode.Ticket, 'mode');
  if (hasFull(from.mode)) integer(from.suite, Suite.X25519, Suite.P256, 'suite');
  else argument(from.suite === Suite.None, 'suite: ticket mode has none');
  bytes(from.id, ID_MIN, ID_MAX, 'id');
  bytes(from.gatewayId, ID_MIN, ID_MAX, 'gatewayId');
  integer(from.recordMax, RECORD_MIN, RECORD_MAX, 'recordMax');
  integer(from.windowDevice, WINDOW_MIN, WINDOW_MAX, 'windowDevice');
  integer(from.windowGateway, WINDOW_MIN, WINDOW_MAX, 'windowGateway');
  integer(from.maxSteps, 1, U32_MAX, 'maxSteps');
  integer(from.maxBlocks, 1, TICKET_BLOCKS, 'maxBlocks');
  checkSecrets(port, from, device);
}

function checkSecrets(port: Port, from: CorePairing, device: boolean): void {
  if (hasStatics(from.mode)) {
    const length = publicLength(from.suite);
    argument(port.holds(from.own), 'own: the static private key is missing');
    bytes(from.peer, length, length, 'peer');
    if (from.ownPublic) bytes(from.ownPublic, length, length, 'ownPublic');
    secretBytes(from.ss, 'ss');
    secretBytes(from.gateD2g, 'gateD2g');
    secretBytes(from.gateG2d, 'gateG2d');
  }
  if (hasPsk(from.mode)) argument(port.holds(from.psk), 'psk: missing');
  if (from.mode === Mode.Ticket && device) argument(port.holds(from.ticket), 'ticket: missing');
}
