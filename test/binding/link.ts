/** A device and a gateway of one engine, back to back without a wire: enough to bring either into every state. */

import {
  Kind,
  Mode,
  Suite,
  Transport,
  type AcceptCore,
  type CoreEvent,
  type DeviceCore,
  type Engine,
  type EngineOptions,
  type GatewayCore,
  type SessionOptions,
} from '../../lib/engine.js';
import { makeCredentials, makePairing, makeSetup, type Setup } from '../suite/credentials.js';

export const none = new Uint8Array(0);

/** The sides of one pairing, in mode psk unless told otherwise. */
export class Link {
  readonly setup: Setup;
  readonly device: DeviceCore;
  readonly gateway: GatewayCore;
  readonly deviceEvents: CoreEvent[] = [];
  readonly gatewayEvents: CoreEvent[] = [];
  accept: AcceptCore | undefined;
  now = 1000;
  private readonly gatewayPairing;

  constructor(
    readonly engine: Engine,
    over: Partial<Setup> = {},
    variant: { mode: Mode; suite: Suite } = { mode: Mode.Psk, suite: Suite.X25519 },
    options: EngineOptions & SessionOptions = {},
  ) {
    this.setup = makeSetup(variant, over);
    const secrets = makeCredentials(engine, this.setup);
    this.gatewayPairing = makePairing(engine, 'gateway', this.setup, secrets);
    this.device = engine.device(makePairing(engine, 'device', this.setup, secrets), options);
    this.gateway = engine.gateway(this.gatewayPairing, options);
  }

  /** Message 1, as the device sends it. */
  first(): Uint8Array {
    this.device.boot();
    this.device.connect(Transport.Stream, this.now);
    return must(this.device.send(this.now), 'message 1');
  }

  /** The gateway's answer; the candidate is kept in `accept`. */
  answer(message1: Uint8Array): Uint8Array {
    this.accept = this.engine.accept(Transport.Stream);
    const { event } = this.accept.receive(message1, this.now);
    if (event?.type !== 'id') throw new Error(`message 1 gave ${event?.type}`);
    if (!this.accept.offerId(this.gatewayPairing)) throw new Error('the pairing was not taken');
    return must(this.accept.answerFull(none), 'message 2');
  }

  /** A full handshake up to a live session at both ends. */
  connect(): this {
    const message2 = this.answer(this.first());
    this.toDevice(message2);
    const store = this.deviceEvents.find((event) => event.type === 'store');
    if (store?.type !== 'store') throw new Error('no slot was asked for');
    this.device.stored(true);
    this.deviceEvents.push(...this.device.timeout(this.now));
    const record = must(this.device.send(this.now), 'first record');
    const accept = must(this.accept, 'candidate');
    const { used, event } = accept.receive(record, this.now);
    if (event?.type !== 'confirm') throw new Error(`the first record gave ${event?.type}`);
    this.gatewayEvents.push(...this.gateway.attach(accept, false, this.now));
    this.toGateway(record.subarray(used));
    accept.wipe();
    this.pump();
    if (!this.device.live || !this.gateway.live) throw new Error('the link did not come up');
    return this;
  }

  /** A stream that the gateway has connected. */
  open(name = 'mqtt'): number {
    const stream = this.device.open(name, Kind.Stream);
    this.pump();
    this.gateway.consume(stream, 0);
    this.pump();
    return stream;
  }

  toDevice(bytes: Uint8Array): void {
    this.deviceEvents.push(...this.device.receive(bytes, this.now));
  }

  toGateway(bytes: Uint8Array): void {
    this.gatewayEvents.push(...this.gateway.receive(bytes, this.now));
  }

  /** Control bytes both ways until there are none. */
  pump(): void {
    for (let rounds = 0; rounds < 100; rounds++) {
      const up = this.device.send(this.now);
      const down = this.gateway.send(this.now);
      if (up === undefined && down === undefined) return;
      if (up !== undefined) this.toGateway(Buffer.from(up));
      if (down !== undefined) this.toDevice(Buffer.from(down));
    }
    throw new Error('the ends never stop talking');
  }

  wipe(): void {
    this.device.wipe();
    this.gateway.wipe();
    this.accept?.wipe();
  }
}

export function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is missing`);
  return value;
}
