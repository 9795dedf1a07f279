/**
 * Noise revision 34, section 5: CipherState and SymmetricState with AESGCM and SHA256.
 */

import { wipe, type Port } from './crypto.js';
import { concat, copy, EMPTY, fail, HASH_LEN, Writer } from './wire.js';

/** Noise's AESGCM nonce: 0^4 || u64. Exact up to 2^53, far above every limit here. */
export function nonce64(counter: number): Uint8Array {
  return new Writer(12).u32(0).uint(counter, 8).done();
}

/** HKDF of Noise 4.3 with `count` outputs of 32 bytes. */
export function hkdf(port: Port, chainingKey: Uint8Array, input: Uint8Array, count: 2 | 3): Uint8Array[] {
  const temp = port.hmac(chainingKey, input);
  const out: Uint8Array[] = [];
  for (let i = 1; i <= count; i++) out.push(port.hmac(temp, out[i - 2] ?? EMPTY, Uint8Array.of(i)));
  wipe(temp);
  return out;
}

export class CipherState {
  #key: Uint8Array | undefined;
  #counter = 0;

  constructor(private readonly port: Port) {}

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  initialize(key: Uint8Array): void {
    wipe(this.#key);
    this.#key = key;
    this.#counter = 0;
  }

  encrypt(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (!this.#key) return plaintext;
    return this.port.seal(this.#key, nonce64(this.#counter++), ad, plaintext);
  }

  /** Throws ERR_HAWSER_AUTH. */
  decrypt(ad: Uint8Array, sealed: Uint8Array): Uint8Array {
    if (!this.#key) return sealed;
    const plaintext = sealed.length < 16 ? undefined : this.port.open(this.#key, nonce64(this.#counter), ad, sealed);
    if (!plaintext) throw fail('AUTH', 'handshake message: wrong tag');
    this.#counter++;
    return plaintext;
  }

  copyTo(other: CipherState): void {
    other.#key = this.#key && copy(this.#key);
    other.#counter = this.#counter;
  }

  wipe(): void {
    wipe(this.#key);
    this.#key = undefined;
  }

  parts(): (Uint8Array | number | undefined)[] {
    return [this.#key, this.#counter];
  }
}

export class SymmetricState {
  readonly cipher: CipherState;
  ck: Uint8Array;
  h: Uint8Array;

  constructor(
    private readonly port: Port,
    protocolName: Uint8Array,
  ) {
    this.cipher = new CipherState(port);
    const short = protocolName.length <= HASH_LEN;
    this.h = short ? concat(protocolName, new Uint8Array(HASH_LEN - protocolName.length)) : port.sha256(protocolName);
    this.ck = copy(this.h);
  }

  mixHash(data: Uint8Array): void {
    this.h = this.port.sha256(this.h, data);
  }

  mixKey(input: Uint8Array): void {
    const [ck, key] = hkdf(this.port, this.ck, input, 2) as [Uint8Array, Uint8Array];
    wipe(this.ck);
    this.ck = ck;
    this.cipher.initialize(key);
  }

  mixKeyAndHash(input: Uint8Array): void {
    const [ck, hash, key] = hkdf(this.port, this.ck, input, 3) as [Uint8Array, Uint8Array, Uint8Array];
    wipe(this.ck);
    this.ck = ck;
    this.mixHash(hash);
    this.cipher.initialize(key);
    wipe(hash);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.cipher.encrypt(this.h, plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  decryptAndHash(sealed: Uint8Array): Uint8Array {
    const plaintext = this.cipher.decrypt(this.h, sealed);
    this.mixHash(sealed);
    return plaintext;
  }

  /** Both traffic keys, initiator's first, and the third output, from which SPEC 6 exports the chain. */
  split(): { first: Uint8Array; second: Uint8Array; third: Uint8Array } {
    const [first, second, third] = hkdf(this.port, this.ck, EMPTY, 3) as [Uint8Array, Uint8Array, Uint8Array];
    return { first, second, third };
  }

  copyTo(other: SymmetricState): void {
    other.ck = copy(this.ck);
    other.h = copy(this.h);
    this.cipher.copyTo(other.cipher);
  }

  wipe(): void {
    wipe(this.ck, this.h);
    this.cipher.wipe();
  }
}
