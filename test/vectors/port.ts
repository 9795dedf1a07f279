/** The crypto port of every engine behind one face: JS directly, C through the line protocol. */

import { Suite } from '../../lib/engine.js';
import { HawserError } from '../../lib/errors.js';
import { Port as JsPort } from '../../lib/engine/js/crypto.js';
import { hkdf } from '../../lib/engine/js/noise.js';
import { concat } from '../suite/bytes.js';
import { buildRunners, LineProgram, ports, Refused, type Port } from './lines.js';

/** Every call rejects with PortRefused where the port refuses its input. */
export interface CryptoPort {
  sha256(message: Uint8Array): Promise<Uint8Array>;
  hmac(key: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
  /** The same with the key held by handle; 32 bytes. */
  hmacKey(key: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
  /** Noise's HKDF with three outputs over a PSK held by handle. */
  hkdfKey(salt: Uint8Array, key: Uint8Array): Promise<Uint8Array>;
  /** Ciphertext, then tag. */
  seal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plain: Uint8Array): Promise<Uint8Array>;
  open(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Promise<Uint8Array>;
  publicKey(suite: Suite, secret: Uint8Array): Promise<Uint8Array>;
  dh(suite: Suite, secret: Uint8Array, peer: Uint8Array): Promise<Uint8Array>;
  /** The same agreement with the private key held by handle. */
  dhKey(suite: Suite, secret: Uint8Array, peer: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

export class PortRefused extends Error {}

/** HAWSER_ERR_AUTH and HAWSER_ERR_CRYPTO: the two ways in which a port says no to its input. */
const REFUSALS = [-3, -1];

class CPort implements CryptoPort {
  private readonly program: LineProgram;

  constructor(port: Port) {
    this.program = new LineProgram('port_vectors', port);
  }

  private async ask(command: string, ...words: (string | Uint8Array)[]): Promise<Uint8Array> {
    try {
      return await this.program.ask(command, ...words);
    } catch (cause) {
      if (cause instanceof Refused && REFUSALS.includes(cause.number) && !cause.message.includes('leak'))
        throw new PortRefused(cause.message, { cause });
      throw cause;
    }
  }

  sha256 = (message: Uint8Array) => this.ask('sha256', message);
  hmac = (key: Uint8Array, message: Uint8Array) => this.ask('hmac', key, message);
  hmacKey = (key: Uint8Array, message: Uint8Array) => this.ask('hmac-key', key, message);
  hkdfKey = (salt: Uint8Array, key: Uint8Array) => this.ask('hkdf-key', salt, key);
  seal = (key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plain: Uint8Array) => this.ask('seal', key, nonce, ad, plain);
  open = (key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array) => this.ask('open', key, nonce, ad, sealed);
  publicKey = (suite: Suite, secret: Uint8Array) => this.ask('public', Uint8Array.of(suite), secret);
  dh = (suite: Suite, secret: Uint8Array, peer: Uint8Array) => this.ask('dh', Uint8Array.of(suite), secret, peer);
  dhKey = (suite: Suite, secret: Uint8Array, peer: Uint8Array) => this.ask('dh-key', Uint8Array.of(suite), secret, peer);
  close = () => this.program.close();
}

function jsPort(): CryptoPort {
  const port = new JsPort();
  const guarded = async <T>(run: () => T | undefined): Promise<T> => {
    try {
      const result = await Promise.resolve(run());
      if (result === undefined) throw new PortRefused('the tag is wrong');
      return result;
    } catch (cause) {
      if (cause instanceof HawserError) throw new PortRefused(cause.message, { cause });
      throw cause;
    }
  };
  return {
    sha256: (message) => guarded(() => port.sha256(message)),
    hmac: (key, message) => guarded(() => port.hmac(key, message)),
    hmacKey: (key, message) => guarded(() => port.hmac(port.borrow(port.importSecret(key)), message)),
    hkdfKey: (salt, key) => guarded(() => concat(...hkdf(port, salt, port.borrow(port.importSecret(key)), 3))),
    seal: (key, nonce, ad, plain) => guarded(() => port.seal(key, nonce, ad, plain)),
    open: (key, nonce, ad, sealed) => guarded(() => port.open(key, nonce, ad, sealed)),
    publicKey: (suite, secret) => guarded(() => port.public(suite, secret)),
    dh: (suite, secret, peer) => guarded(() => port.dh(suite, secret, peer)),
    dhKey: (suite, secret, peer) => guarded(() => port.dh(suite, port.borrow(port.importSecret(secret)), peer)),
    close: () => Promise.resolve(),
  };
}

/** A new port joins here by one line. */
export const cryptoPorts: readonly { name: string; open: () => Promise<CryptoPort> }[] = [
  ...ports.map((port) => ({
    name: `C, ${port}`,
    open: async () => {
      await buildRunners();
      return new CPort(port);
    },
  })),
  { name: 'js', open: () => Promise.resolve(jsPort()) },
];
