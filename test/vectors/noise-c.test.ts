/**
 * Live KK handshakes against noise-c (compiled to WebAssembly), an implementation that shares no code with this one,
 * in both roles. It has no psk0 patterns and no P-256.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import createNoise, { type HandshakeState, type Library } from 'noise-c.wasm';
import { Suite } from '../../lib/engine.js';
import { flipped, hex, pattern } from '../suite/bytes.js';
import { NoiseRefused, noiseRunners, type NoiseEnd, type NoiseRunner } from './noise.js';

const NONE = new Uint8Array(0);
const bytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const noise = new Promise<Library>((resolve) => createNoise(resolve));

interface Peers {
  ours: NoiseEnd;
  theirs: HandshakeState;
}

/** Both ends with fresh keys; `spoil` changes what our end is given. */
async function peers(runner: NoiseRunner, initiator: boolean, prologue: Uint8Array, spoil: { peer?: boolean; prologue?: boolean } = {}): Promise<Peers> {
  const library = await noise;
  const { constants } = library;
  const [ownSecret, ownPublic] = library.CreateKeyPair(constants.NOISE_DH_CURVE25519);
  const [theirSecret, theirPublic] = library.CreateKeyPair(constants.NOISE_DH_CURVE25519);
  const [, otherPublic] = library.CreateKeyPair(constants.NOISE_DH_CURVE25519);
  const role = initiator ? constants.NOISE_ROLE_RESPONDER : constants.NOISE_ROLE_INITIATOR;
  const theirs = new library.HandshakeState('Noise_KK_25519_AESGCM_SHA256', role);
  theirs.Initialize(prologue, theirSecret, ownPublic);
  const ours = await runner.start({
    pattern: 'KK', suite: Suite.X25519, initiator, own: ownSecret, ephemeral: bytes(32),
    prologue: spoil.prologue === true ? Uint8Array.of(...prologue, 0) : prologue,
    peer: spoil.peer === true ? otherPublic : theirPublic,
  });
  return { ours, theirs };
}

async function handshake({ ours, theirs }: Peers, initiator: boolean, payloads: readonly [Uint8Array, Uint8Array]): Promise<void> {
  for (const [at, payload] of payloads.entries()) {
    const weWrite = (at === 0) === initiator;
    const message = weWrite ? await ours.write(payload) : theirs.WriteMessage(payload);
    const got = weWrite ? theirs.ReadMessage(message, true) : await ours.read(message);
    assert.equal(hex(got ?? NONE), hex(payload));
  }
  assert.equal(hex(await ours.hash()), hex(theirs.GetHandshakeHash()));
}

async function transport({ ours, theirs }: Peers): Promise<void> {
  const [sending, receiving] = theirs.Split();
  for (let round = 0; round < 5; round++) {
    const payload = pattern(round * 300, round);
    assert.equal(hex(receiving.DecryptWithAd(NONE, await ours.write(payload))), hex(payload));
    assert.equal(hex(await ours.read(sending.EncryptWithAd(NONE, payload))), hex(payload));
  }
  const sealed = sending.EncryptWithAd(NONE, pattern(40));
  await assert.rejects(ours.read(flipped(sealed, 100)), NoiseRefused);
  assert.equal(hex(await ours.read(sealed)), hex(pattern(40)));
  sending.free();
  receiving.free();
}

function cases(runner: () => NoiseRunner, initiator: boolean): void {
  it('twenty handshakes with random keys, prologues and payloads, then records both ways', async () => {
    for (let round = 0; round < 20; round++) {
      const both = await peers(runner(), initiator, bytes(round * 7));
      await handshake(both, initiator, [bytes(round), bytes(3 * round)]);
      await transport(both);
    }
  });

  it('with the wrong prologue or the wrong static key the first message that we read, or they read, is refused', async () => {
    for (const spoil of [{ peer: true }, { prologue: true }]) {
      const both = await peers(runner(), initiator, bytes(10), spoil);
      if (initiator) {
        const message = await both.ours.write(NONE);
        assert.throws(() => both.theirs.ReadMessage(message));
      } else {
        await assert.rejects(both.ours.read(both.theirs.WriteMessage()), NoiseRefused);
      }
    }
  });

  it('a message of noise-c with any byte changed is refused', async () => {
    for (let at = 0; at < 48; at++) {
      const both = await peers(runner(), initiator, bytes(10));
      if (initiator) both.theirs.ReadMessage(await both.ours.write(NONE));
      const message = both.theirs.WriteMessage();
      assert.equal(message.length, 48);
      // the highest bit of an X25519 coordinate is ignored by the curve, not by the transcript
      await assert.rejects(both.ours.read(flipped(message, 8 * at + (at % 8))), NoiseRefused, `byte ${at}`);
      both.theirs.free();
    }
  });
}

for (const { name, open } of noiseRunners)
  for (const initiator of [true, false])
    describe(`noise-c.wasm as ${initiator ? 'responder' : 'initiator'} [${name}]`, function () {
      this.timeout(120_000);
      let runner: NoiseRunner | undefined;
      before(async () => {
        runner = await open();
      });
      after(() => runner?.close());
      cases(() => {
        if (runner === undefined) throw new Error('the runner is not open');
        return runner;
      }, initiator);
    });
