/** The Noise patterns of every engine with fixed keys: JS internals directly, C through test/c/noise_vectors.c. */

import { Mode, Suite } from '../../lib/engine.js';
import { HawserError } from '../../lib/errors.js';
import { Port } from '../../lib/engine/js/crypto.js';
import { NoiseHandshake, type NoiseOptions, type PatternName } from '../../lib/engine/js/handshake.js';
import { CipherState } from '../../lib/engine/js/noise.js';
import { buildRunners, LineProgram, ports, Refused } from './lines.js';

export interface NoiseStart {
  pattern: PatternName;
  suite: Suite;
  initiator: boolean;
  prologue: Uint8Array;
  /** Private keys; the other end's static public key. */
  own?: Uint8Array;
  ephemeral: Uint8Array;
  peer?: Uint8Array;
  psk?: Uint8Array;
}

/** One end: two handshake messages, then as many transport messages as one likes. */
export interface NoiseEnd {
  write(payload: Uint8Array): Promise<Uint8Array>;
  /** Rejects with NoiseRefused. */
  read(message: Uint8Array): Promise<Uint8Array>;
  /** After both handshake messages. */
  hash(): Promise<Uint8Array>;
}

export interface NoiseRunner {
  readonly name: string;
  start(options: NoiseStart): Promise<NoiseEnd>;
  close(): Promise<void>;
}

export class NoiseRefused extends Error {}

class CRunner implements NoiseRunner {
  readonly name: string;
  private readonly program: LineProgram;
  private next = 0;

  constructor(port: (typeof ports)[number]) {
    this.name = `C, ${port}`;
    this.program = new LineProgram('noise_vectors', port);
  }

  async start(options: NoiseStart): Promise<NoiseEnd> {
    const end = Uint8Array.of(this.next++ % 4);
    const mode = { KK: Mode.Keys, KKpsk0: Mode.KeysPsk, NNpsk0: Mode.Psk }[options.pattern];
    const none = new Uint8Array(0);
    const { own = none, peer = none, psk = none, ephemeral, prologue } = options;
    const codes = [options.initiator ? 0 : 1, mode, options.suite].map((code) => Uint8Array.of(code));
    await this.program.ask('start', end, ...codes, prologue, own, ephemeral, peer, psk);
    return {
      write: (payload) => this.program.ask('write', end, payload),
      read: (message) => this.program.ask('read', end, message).catch(refusal),
      hash: () => this.program.ask('hash', end),
    };
  }

  close(): Promise<void> {
    return this.program.close();
  }
}

function refusal(cause: unknown): never {
  if (cause instanceof Refused || cause instanceof HawserError) throw new NoiseRefused(String(cause), { cause });
  throw cause;
}

class JsEnd implements NoiseEnd {
  private readonly port = new Port();
  private readonly handshake: NoiseHandshake;
  private sealing: CipherState | undefined;
  private opening: CipherState | undefined;
  private passed = 0;

  constructor(private readonly options: NoiseStart) {
    const { pattern, suite, initiator, prologue, own, ephemeral, peer, psk } = options;
    const given: NoiseOptions = { pattern, suite, initiator, prologue, ephemeral };
    if (own) given.own = { secret: own, public: this.port.public(suite, own) };
    if (peer) given.peer = peer;
    if (psk) given.psk = psk;
    this.handshake = new NoiseHandshake(this.port, given);
  }

  private handshakePassed(): void {
    if (++this.passed < 2) return;
    const { first, second } = this.handshake.symmetric.split();
    [this.sealing, this.opening] = [new CipherState(this.port), new CipherState(this.port)];
    this.sealing.initialize(this.options.initiator ? first : second);
    this.opening.initialize(this.options.initiator ? second : first);
  }

  async write(payload: Uint8Array): Promise<Uint8Array> {
    await Promise.resolve();
    if (this.sealing) return this.sealing.encrypt(new Uint8Array(0), payload);
    const message = this.handshake.writeMessage(payload);
    this.handshakePassed();
    return message;
  }

  async read(message: Uint8Array): Promise<Uint8Array> {
    await Promise.resolve();
    try {
      if (this.opening) return this.opening.decrypt(new Uint8Array(0), message);
      const payload = this.handshake.readMessage(message);
      this.handshakePassed();
      return payload;
    } catch (error) {
      return refusal(error);
    }
  }

  hash(): Promise<Uint8Array> {
    return Promise.resolve(this.handshake.symmetric.h);
  }
}

const jsRunner: NoiseRunner = {
  name: 'js',
  start: (options) => Promise.resolve(new JsEnd(options)),
  close: () => Promise.resolve(),
};

/** A new implementation joins here by one line. */
export const noiseRunners: readonly { name: string; open: () => Promise<NoiseRunner> }[] = [
  ...ports.map((port) => ({
    name: `C, ${port}`,
    open: async () => {
      await buildRunners();
      return new CRunner(port);
    },
  })),
  { name: 'js', open: () => Promise.resolve(jsRunner) },
];

export async function publicKey(suite: Suite, secret: Uint8Array): Promise<Uint8Array> {
  return Promise.resolve(new Port().public(suite, secret));
}
