/** The C core as an Engine, through the addon (binding/). */

import type {
  AcceptCore,
  Chain,
  CorePairing,
  DeviceCore,
  Engine,
  EngineOptions,
  GatewayCore,
  IndexedTicket,
  Position,
  Secret,
  SessionOptions,
  Suite,
  Transport,
} from '../engine.js';
import { Suite as Suites } from '../engine.js';
import { NativeAccept } from './native/accept.js';
import { badArgument, check, loadAddon, type Addon, type Port } from './native/addon.js';
import { chainMove, chainStart, chainTickets } from './native/chain.js';
import { makeNative, type Native } from './native/context.js';
import { NativeSecret } from './native/pairing.js';
import { NativeDevice, NativeGateway } from './native/session.js';

/** One random() call gives at most this many bytes. */
const RANDOM_MAX = 65536;
const engines = new Map<Port, NativeEngine>();

/** Throws ERR_HAWSER_ENGINE where the addon was not built or does not load; its cause says why. */
export function createNativeEngine(port: Port): Engine {
  return engineOf(port);
}

/** For tests: over an addon that the test has loaded itself. */
export function engineOver(addon: Addon): Engine {
  return new NativeEngine(makeNative(addon));
}

/** For tests: objects of this thread that the addon made and the garbage collector has not finalised. */
export function liveObjects(port: Port): number {
  return engineOf(port).liveObjects();
}

function engineOf(port: Port): NativeEngine {
  let engine = engines.get(port);
  if (engine === undefined) {
    engine = new NativeEngine(makeNative(loadAddon(port)));
    engines.set(port, engine);
  }
  return engine;
}

class NativeEngine implements Engine {
  readonly name: Engine['name'];
  readonly #native: Native;

  constructor(native: Native) {
    this.#native = native;
    this.name = native.addon.name;
  }

  liveObjects(): number {
    return this.#native.addon.liveObjects();
  }

  importSecret(bytes: Uint8Array): Secret {
    return new NativeSecret(this.#native.addon, bytes) as unknown as Secret;
  }

  /** Sessions that were made with it keep the key until they are wiped. */
  releaseSecret(secret: Secret): void {
    if (secret === undefined) throw badArgument('releaseSecret: secret is missing');
    NativeSecret.rawOf(secret, this.#native.addon, 'secret')?.release();
  }

  generateKey(suite: Suite): { secret: Uint8Array; public: Uint8Array } {
    const key = { secret: new Uint8Array(32), public: new Uint8Array(publicLength(suite)) };
    check(this.#native.addon.generateKey(suite, key.secret, key.public), 'generateKey', ['suite']);
    return key;
  }

  publicKey(suite: Suite, secret: Uint8Array): Uint8Array {
    const out = new Uint8Array(publicLength(suite));
    check(this.#native.addon.publicKey(suite, secret, out), 'publicKey', ['suite', 'secret']);
    return out;
  }

  agree(suite: Suite, secret: Uint8Array, peer: Uint8Array): Uint8Array {
    const out = new Uint8Array(32);
    check(this.#native.addon.agree(suite, secret, peer, out), 'agree', ['suite', 'secret', 'peer']);
    return out;
  }

  gateKeys(
    ss: Uint8Array,
    psk: Uint8Array | undefined,
    id: Uint8Array,
    gatewayId: Uint8Array,
  ): { d2g: Uint8Array; g2d: Uint8Array } {
    const both = new Uint8Array(64);
    const result = this.#native.addon.gateKeys(ss, psk, id, gatewayId, both);
    check(result, 'gateKeys', ['ss', 'psk', 'id', 'gatewayId']);
    return { d2g: both.slice(0, 32), g2d: both.slice(32) };
  }

  random(length: number): Uint8Array {
    if (!Number.isInteger(length) || length < 0 || length > RANDOM_MAX)
      throw badArgument(`random: length is not 0..${RANDOM_MAX}`);
    const out = new Uint8Array(length);
    check(this.#native.addon.random(out), 'random', ['length']);
    return out;
  }

  chainStart(b0: Uint8Array): Chain {
    return chainStart(this.#native, b0);
  }

  chainTickets(chain: Chain, ahead: number): IndexedTicket[] {
    return chainTickets(this.#native, chain, ahead);
  }

  chainMove(chain: Chain, to: Position): Chain {
    return chainMove(this.#native, chain, to);
  }

  device(pairing: CorePairing, options?: SessionOptions & EngineOptions): DeviceCore {
    return NativeDevice.make(this.#native, pairing, options);
  }

  accept(transport: Transport, _options?: EngineOptions): AcceptCore {
    return NativeAccept.make(this.#native, transport);
  }

  gateway(pairing: CorePairing, options?: SessionOptions & EngineOptions): GatewayCore {
    return NativeGateway.make(this.#native, pairing, options);
  }
}

/** The addon refuses what is no suite. */
function publicLength(suite: Suite): number {
  return suite === Suites.P256 ? 65 : 32;
}
