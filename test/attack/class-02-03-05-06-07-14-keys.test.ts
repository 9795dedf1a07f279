/**
 * Classes 2, 3, 5, 6, 7 and 14: keys, nonces and the random source, with the JS engine's hooks where it takes them. test/suite/nonces.test.ts and rekey.test.ts
 * hold the long runs; csrc's own tests do the same in C.
 */

import assert from 'node:assert/strict';
import { Transport } from '../../lib/engine.js';
import { Port, type JsEngineHooks } from '../../lib/engine/js/crypto.js';
import { AnswerNonces } from '../../lib/engine/js/gateway.js';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { hex, pattern } from '../suite/bytes.js';
import { forEachEngine, variants, type EnginePair, type Variant } from '../suite/engines.js';
import { connected, World } from '../suite/harness.js';
import { red } from './classes.js';
import { failedAgreementsCount, patched } from './faults.js';

const TICKET = variants[6] as Variant;
const PSK = variants[4] as Variant;

/** Every seal with its plaintext: a pair may come twice only for the very same input. */
function traced(hooks: JsEngineHooks = {}): { pair: EnginePair; seals: string[] } {
  const seals: string[] = [];
  const trace = (key: Uint8Array, nonce: Uint8Array): void => void seals.push(`${hex(key)} ${hex(nonce)}`);
  const engine = (): ReturnType<typeof createJsEngine> => createJsEngine({}, { ...hooks, trace });
  return { pair: { name: 'js, traced', device: engine(), gateway: engine() }, seals };
}
const assertOnce = (seals: readonly string[]): void =>
  assert.equal(new Set(seals).size, seals.length, '(key, nonce) twice');

describe('class 2: counters at their ends [js]', () => {
  function walk(counter: number): void {
    const nonces: bigint[] = [];
    const trace = (_key: Uint8Array, nonce: Uint8Array): void =>
      void nonces.push(Buffer.from(nonce).readBigUInt64BE(4));
    const hooks = { counters: { d2g: counter, g2d: counter } };
    const engine = createJsEngine({}, { ...hooks, trace });
    const world = connected({ name: 'js', device: engine, gateway: createJsEngine({}, hooks) }, TICKET);
    const { device, gateway } = world.openStream();
    nonces.length = 0;
    for (let n = 0; n < 6; n++) {
      device.write(pattern(5, n));
      world.advance(60);
    }
    assert.equal(gateway.received.length, 30, 'each record arrives');
    const records = nonces.filter((nonce) => nonce !== 2n ** 64n - 1n);
    for (let n = 1; n < records.length; n++) assert.equal(records[n], (records[n - 1] ?? 0n) + 1n, 'one by one');
    assert.ok((records[0] ?? 0n) >= BigInt(counter), 'no truncation');
  }
  for (const counter of [2 ** 20 - 3, 2 ** 31 - 3, 2 ** 32 - 3, 2 ** 47 - 3])
    it(`go past ${counter + 3} one by one`, () => walk(counter));
  /** At both ends, which therefore understand each other. Noise's Rekey seals under all ones. */
  it('goes red when the counter is cut to 32 bits', () => {
    const cut = (nonce: Uint8Array): Uint8Array =>
      nonce[8] === 255 && nonce[4] === 255 ? nonce : Uint8Array.from(nonce, (byte, at) => (at < 8 ? 0 : byte));
    const cutting =
      <T>(original: (key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, bytes: Uint8Array) => T) =>
      (key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, bytes: Uint8Array): T =>
        original(key, cut(nonce), ad, bytes);
    patched(Port.prototype, 'seal', cutting, () =>
      patched(Port.prototype, 'open', cutting, () => red(/one by one/, () => walk(2 ** 32 - 3))),
    );
  });
});

describe('class 3: a message 1 that comes again and again [js]', () => {
  function replayed(): void {
    const { pair, seals } = traced();
    const world = connected(pair, TICKET);
    for (let round = 0; round < 4; round++) {
      world.gateway.restart();
      const port = world.gateway.listen(Transport.Stream);
      const [link] = world.links;
      port.receive(link?.bytes('d2g') ?? new Uint8Array(0), world.now);
      port.close();
      world.reboot();
      world.dial();
      for (const bytes of world.device.output(world.now))
        for (let again = 0; again < 3; again++) {
          const other = world.gateway.listen(Transport.Stream);
          other.receive(bytes.slice(), (world.now += 61_000));
          assert.equal(other.collect(world.now).length, 1);
          other.close();
        }
      world.connect();
    }
    // Message 1 itself is sealed once; each answer is under keys of its own.
    assertOnce(seals);
  }
  it('is answered under keys of its own each time', replayed);
  it('goes red when n_g is constant', () =>
    patched(
      AnswerNonces.prototype,
      'next',
      () => () => new Uint8Array(16),
      () => red(/\(key, nonce\) twice/, replayed),
    ));
});

describe('class 5: a random source that repeats [js]', () => {
  function repeats(): void {
    const { pair, seals } = traced({ random: (length) => new Uint8Array(length).fill(5) });
    const world = new World(pair, TICKET);
    for (let round = 0; round < 6; round++) {
      const early = world.device.open(`x-${round}`);
      early.write(pattern(10, round));
      world.dial(early);
      world.device.output(world.now);
      world.reboot(); // at the same position again, with other early data
    }
    assertOnce(seals);
  }
  it('brings no nonce back for other early data at the same position', repeats);
  it('goes red when n_d is the random bytes alone', () =>
    patched(
      Port.prototype,
      'prf',
      (original) =>
        (key, label, ...parts) =>
          label === 'nonce' ? original(key, label) : original(key, label, ...parts),
      () => red(/\(key, nonce\) twice/, repeats),
    ));
});

describe('class 6: crypto calls that fail [js]', () => {
  /** `call` fails for good at both ends, from the handshake on. */
  function failing(call: string): void {
    let failingNow = false;
    const before = (name: string): void => {
      if (failingNow && name === call) throw new Error(`${call} fails`);
    };
    const engine = (): ReturnType<typeof createJsEngine> => createJsEngine({}, { before });
    const world = new World({ name: 'js', device: engine(), gateway: engine() }, PSK);
    failingNow = true;
    try {
      world.connect();
    } catch (error) {
      assert.match((error as { code?: string }).code ?? '', /^ERR_HAWSER_(CRYPTO|RANDOM)$/);
    }
    assert.equal(world.device.core.live, false, `${call} failed, and it is live`);
  }
  for (const call of ['sha256', 'hmac', 'seal', 'open', 'random', 'public', 'dh'])
    it(`${call}: never live`, () => failing(call));
  it('goes red when a failed ECDH counts as zeros', () =>
    failedAgreementsCount(() => red(/dh failed, and it is live/, () => failing('dh'))));
});

forEachEngine('class 7: secrets that nobody set', (engine) => {
  it('32 zero bytes and other lengths are refused', () => refused((bytes) => engine().importSecret(bytes)));
  it('goes red when they are not', () => red(/32 bytes are taken/, () => refused(() => Object.freeze({}))));
});

function refused(importSecret: (bytes: Uint8Array) => unknown): void {
  for (const bytes of [new Uint8Array(32), new Uint8Array(0), pattern(31), pattern(33)])
    assert.throws(() => importSecret(bytes), { code: 'ERR_HAWSER_ARG' }, `${bytes.length} bytes are taken`);
}

describe('class 14: keys around their change [js]', () => {
  /** Records of the old, the new and a future period, each in each place. */
  function periods(): void {
    const hooks = { counters: { d2g: 2 ** 20 - 2, g2d: 0 } };
    const engine = (): ReturnType<typeof createJsEngine> => createJsEngine({}, hooks);
    const world = connected({ name: 'js', device: engine(), gateway: engine() }, TICKET);
    const { device } = world.openStream();
    const records: Uint8Array[] = [];
    for (let n = 0; n < 4; n++) {
      device.write(pattern(5, n));
      records.push(...world.device.output(world.now).filter((bytes) => bytes.length > 18));
    }
    assert.ok(records.length >= 4);
    records.forEach((genuine, at) => {
      records.forEach((other, where) => {
        if (where === at) return;
        const before = hex(world.session.core.digest());
        assert.equal(
          world.session.core.receive(other.slice(), world.now).at(-1)?.type,
          'drop',
          `${where} in place of ${at}`,
        );
        assert.equal(hex(world.session.core.digest()), before, 'a record that is refused moves nothing');
      });
      assert.notEqual(
        world.session.core.receive(genuine.slice(), world.now).at(-1)?.type,
        'drop',
        `${at} in its place`,
      );
    });
  }
  it('old, new and future records are refused in every place but their own', periods);
  it('goes red when a record that fails moves the key on', () =>
    patched(
      Port.prototype,
      'open',
      (original) => (key, nonce, ad, sealed) => {
        const plain = original(key, nonce, ad, sealed);
        if (!plain && sealed.length > 16) key.fill(1);
        return plain;
      },
      () => red(/a record that is refused moves nothing/, periods),
    ));
});
