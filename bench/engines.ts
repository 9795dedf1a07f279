/** The engines by themselves: both ends in one thread, no socket, no store. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { deviceCredentials, GatewayKeys } from '../lib/credentials.js';
import { Kind, Mode, Suite, Transport, Verdict } from '../lib/engine.js';
import type { AcceptCore, Chain, CorePairing, DeviceCore, Engine, GatewayCore } from '../lib/engine.js';
import { createPairing } from '../lib/pairing.js';
import { rate } from './measure.js';

export const modes = [
  ['keys', Mode.Keys, Suite.X25519],
  ['keys', Mode.Keys, Suite.P256],
  ['keys+psk', Mode.KeysPsk, Suite.X25519],
  ['keys+psk', Mode.KeysPsk, Suite.P256],
  ['psk', Mode.Psk, Suite.X25519],
  ['psk', Mode.Psk, Suite.P256],
  ['ticket', Mode.Ticket, Suite.None],
] as const;
export const suiteNames = { [Suite.None]: 'no ECDH', [Suite.X25519]: '25519', [Suite.P256]: 'P-256' } as const;

const none = new Uint8Array(0);
const streamWindow = 1 << 20;

/** A device and its gateway over one engine, which meet again and again. */
export class Ends {
  readonly #engine: Engine;
  readonly #device: CorePairing;
  readonly #gateway: CorePairing;
  device: DeviceCore;
  gateway: GatewayCore;
  #chain: Chain | undefined;
  #now = 0;

  constructor(engine: Engine, mode: Mode, suite: Suite) {
    this.#engine = engine;
    const identity = {
      id: randomBytes(8),
      x25519: engine.generateKey(Suite.X25519),
      p256: engine.generateKey(Suite.P256),
      sealingKey: randomBytes(32),
    };
    const limits = { windowDevice: streamWindow, windowGateway: streamWindow, recordMax: 16383 };
    const pairing = createPairing(engine, identity, { mode, suite, upstreams: ['x'], ...limits });
    this.#device = deviceCredentials(engine, pairing.device).pairing;
    this.#gateway = new GatewayKeys(engine, identity).credentials(pairing.gateway.record).pairing;
    this.#chain = pairing.gateway.chain;
    this.device = engine.device(this.#device);
    this.device.boot();
    this.gateway = engine.gateway(this.#gateway);
  }

  /** A full handshake from power-up to the first record accepted. */
  full(): void {
    this.device.wipe();
    this.gateway.wipe();
    this.device = this.#engine.device(this.#device);
    this.device.boot();
    this.gateway = this.#engine.gateway(this.#gateway);
    const accept = this.#engine.accept(Transport.Stream);
    this.device.connect(Transport.Stream, this.#now);
    accept.receive(this.#sent(), this.#now);
    expect(accept.offerId(this.#gateway), 'message 1 is authentic');
    const answer = accept.answerFull(none);
    this.#chain = accept.chain;
    this.#finish(accept, answer, false);
    accept.wipe();
  }

  /** A resumption over a new link, and the gateway's step to the next position. */
  resume(): void {
    this.device.disconnected(this.#now);
    this.gateway.linkDown();
    const chain = this.#chain;
    if (!chain) throw new Error('no chain');
    const accept = this.#engine.accept(Transport.Stream);
    this.device.connect(Transport.Stream, this.#now);
    accept.receive(this.#sent(), this.#now);
    const found = accept.offerTicket(this.#gateway, chain, 2);
    if (!found) throw new Error('the ticket was not taken');
    const continued =
      Buffer.compare(found.continues, this.gateway.name) === 0 && this.gateway.name.some((byte) => byte !== 0);
    const at = this.#chainAt(chain, found);
    this.#finish(accept, accept.answerTicket(Verdict.None, continued, none), continued);
    this.#chain = this.#engine.chainMove(at, { b: at.b, i: at.i + 1 });
    accept.wipe();
  }

  #chainAt(chain: Chain, { b, i }: { b: number; i: number }): Chain {
    const same = chain.b === b && chain.i === i;
    return same ? chain : this.#engine.chainMove(chain, { b, i });
  }

  #sent(): Uint8Array {
    return this.device.send(this.#now) ?? none;
  }

  #finish(accept: AcceptCore, answer: Uint8Array | undefined, continued: boolean): void {
    if (!answer) throw new Error('no answer');
    for (const event of this.device.receive(Uint8Array.from(answer), this.#now)) {
      if (event.type !== 'store') continue;
      this.device.stored(true);
      this.device.timeout(this.#now);
    }
    const { event } = accept.receive(this.#sent(), this.#now);
    expect(event?.type === 'confirm', 'the first record is valid');
    this.gateway.attach(accept, continued, this.#now);
    this.settle();
    expect(this.device.live && this.gateway.live, 'both ends are live');
  }

  /** Control records, until there are none. */
  settle(): void {
    for (let idle = false; !idle;) {
      const up = this.device.send(this.#now);
      if (up) this.gateway.receive(Uint8Array.from(up), this.#now);
      const down = this.gateway.send(this.#now);
      if (down) this.device.receive(Uint8Array.from(down), this.#now);
      idle = !up && !down;
    }
  }

  open(): number {
    const stream = this.device.open('x', Kind.Stream);
    this.settle();
    this.gateway.consume(stream, 0);
    this.#now += 100;
    this.settle();
    return stream;
  }

  /** Writes, reads and accepts. */
  carry(stream: number, bytes: Uint8Array): void {
    const { taken, out } = this.device.write(stream, bytes, false, this.#now);
    expect(taken === bytes.length && out !== undefined, 'all of it was sent');
    let length = 0;
    for (const event of this.gateway.receive(out ?? none, this.#now)) {
      if (event.type === 'data') length += event.data.length;
    }
    expect(length === bytes.length, 'all of it has come');
    this.gateway.consume(stream, length);
    if (this.device.window(stream) >= 4 * bytes.length) return;
    this.#now += 100;
    this.settle();
  }
}

function expect(truth: boolean | undefined, what: string): asserts truth {
  if (!truth) throw new Error(`not so: ${what}`);
}

/** Figures per second. Each gives one round. */
export function handshakes(engine: Engine, mode: Mode, suite: Suite, ms: number): () => number {
  const ends = new Ends(engine, mode, suite);
  return () => rate(() => ends.full(), ms);
}

export function resumptions(engine: Engine, mode: Mode, suite: Suite, ms: number): () => number {
  const ends = new Ends(engine, mode, suite);
  if (mode === Mode.Ticket) ends.resume();
  else ends.full();
  return () => rate(() => ends.resume(), ms);
}

/** DATA frames have three bytes of their own. */
const frame = 3;

/** Records of this plaintext, sealed and opened, one call each. */
export function records(engine: Engine, plaintext: number, ms: number): () => number {
  const ends = new Ends(engine, Mode.Psk, Suite.X25519);
  ends.full();
  const stream = ends.open();
  const bytes = randomBytes(Math.min(plaintext, 16383) - frame);
  return () => rate(() => ends.carry(stream, bytes), ms);
}

/** The same number of bytes through node:crypto's AES-256-GCM: what a program that seals by itself would do. */
export function nodeCrypto(plaintext: number, ms: number): () => number {
  const key = randomBytes(32);
  const header = randomBytes(2);
  const bytes = randomBytes(plaintext);
  const nonce = Buffer.alloc(12);
  let count = 0;
  const once = (): void => {
    nonce.writeUInt32BE((count = (count + 1) >>> 0), 8);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(header);
    const sealed = Buffer.concat([cipher.update(bytes), cipher.final()]);
    const opener = createDecipheriv('aes-256-gcm', key, nonce).setAAD(header).setAuthTag(cipher.getAuthTag());
    opener.update(sealed);
    opener.final();
  };
  return () => rate(once, ms);
}
