/**
 * Class 18: every public key of Wycheproof's X25519 and P-256 files as the peer's ephemeral key of a real handshake,
 * in both directions. Nothing crashes; low-order and invalid points are refused, others are answered.
 */

import assert from 'node:assert/strict';
import { Mode, Suite, Transport } from '../../lib/engine.js';
import { concat, hex, pattern, unhex } from '../suite/bytes.js';
import { forEachEngine } from '../suite/engines.js';
import { World } from '../suite/harness.js';
import { framed, full1, fullType, gateKey, gateMac, ident, Noise, publicOf } from '../suite/reference.js';
import { wycheproof } from './files.js';

const NONE = new Uint8Array(0);
const ZERO = new Uint8Array(32);

const prologue = (world: World): Uint8Array => concat(ident(world.setup), Uint8Array.of(fullType(world.setup)));

/** Whether the gateway answers a message 1 of mode psk, right in all but its ephemeral key. */
function answered(world: World, point: Uint8Array): boolean {
  const noise = new Noise(world.setup, { psk: world.secrets.psk, ephemeral: pattern(32), ephemeralPublic: point }, true, prologue(world));
  const port = world.gateway.listen(Transport.Stream);
  port.receive(framed(full1(world.setup, noise, undefined)), world.now);
  const out = port.collect(world.now);
  port.close();
  return out.length > 0;
}

/** The same in mode keys by whoever knows the static keys: `es` is what a low-order point makes of every key. */
function answeredKeys(world: World, point: Uint8Array, shared: Uint8Array): boolean {
  const { secrets, setup, device } = world;
  const keys = { own: secrets.devicePrivate, peer: secrets.gatewayPublic, ephemeral: pattern(32), ephemeralPublic: point, shared };
  const gate = gateKey(1, device.pairing.ss ?? NONE, undefined, setup);
  const port = world.gateway.listen(Transport.Stream);
  port.receive(framed(full1(setup, new Noise(setup, keys, true, prologue(world)), gate)), world.now);
  const out = port.collect(world.now);
  port.close();
  return out.length > 0;
}

/** What the device says to a message 2 with this ephemeral key, whose tag fits the given shared secret. */
function deviceTakes(world: World, point: Uint8Array, shared: Uint8Array): string[] {
  const { device, setup, secrets, now } = world;
  device.core.disconnected(now);
  device.core.connect(Transport.Stream, now);
  const message1 = concat(...device.output(now)).slice(2);
  const keyed = setup.mode === Mode.Keys;
  const keys = { psk: secrets.psk, ephemeral: pattern(32), ephemeralPublic: point, shared };
  const noise = keyed
    ? new Noise(setup, { own: secrets.gatewayPrivate, peer: secrets.devicePublic, ephemeral: pattern(32), ephemeralPublic: point }, false, prologue(world))
    : new Noise(setup, keys, false, prologue(world));
  noise.read(1, message1.slice(1 + setup.id.length, keyed ? -8 : undefined));
  const body = concat(Uint8Array.of(0x17), keyed ? concat(point, new Uint8Array(16)) : noise.write(2, NONE));
  const gate = gateKey(2, device.pairing.ss ?? ZERO, undefined, setup);
  const answer = keyed ? concat(body, gateMac(gate, body)) : body;
  return device.core.receive(framed(answer), now).map(({ type }) => type);
}

forEachEngine('peer keys from Wycheproof', (engine, name) => {
  const world = (mode: Mode, suite: Suite) => new World({ name, device: engine(), gateway: engine() }, { mode, suite });

  it('X25519, as the device\'s key: 31 low-order points refused, all others answered (SPEC 2/1)', function () {
    this.timeout(60_000);
    const rows = wycheproof('x25519');
    if (rows === undefined) return;
    const gateway = world(Mode.Psk, Suite.X25519);
    const keys = world(Mode.Keys, Suite.X25519);
    let refused = 0;
    for (const row of rows) {
      const low = /^0+$/.test(String(row.shared));
      refused += Number(low);
      assert.equal(answered(gateway, unhex(String(row.public))), !low, `row ${row.tcId}`);
      if (low) assert.equal(answeredKeys(keys, unhex(String(row.public)), ZERO), false, `row ${row.tcId}, keys`);
    }
    assert.equal(refused, 31);
  });

  it('X25519, as the gateway\'s key: a tag that fits the all-zero secret does not help', function () {
    this.timeout(60_000);
    const rows = wycheproof('x25519');
    if (rows === undefined) return;
    const device = world(Mode.Psk, Suite.X25519);
    const keys = world(Mode.Keys, Suite.X25519);
    for (const row of rows) {
      const point = unhex(String(row.public));
      assert.deepEqual(deviceTakes(device, point, ZERO), ['drop'], `row ${row.tcId}`);
      if (/^0+$/.test(String(row.shared))) assert.deepEqual(deviceTakes(keys, point, ZERO), ['drop'], `row ${row.tcId}, keys`);
    }
    device.connect();
    assert.ok(device.device.core.live);
  });

  it('P-256, both directions: every form and point that is not valid is refused (SPEC 2/2)', function () {
    this.timeout(120_000);
    const rows = wycheproof('ecdh_secp256r1_ecpoint');
    if (rows === undefined) return;
    const gateway = world(Mode.Psk, Suite.P256);
    let valid = 0;
    for (const row of rows) {
      const point = unhex(String(row.public));
      const good = point.length === 65 && row.result === 'valid';
      valid += Number(good);
      assert.equal(answered(gateway, point), good, `row ${row.tcId}`);
      if (!good) assert.deepEqual(deviceTakes(gateway, point, ZERO), ['drop'], `row ${row.tcId} towards the device`);
    }
    assert.equal(valid, 330);
    const own = publicOf(Suite.P256, pattern(32, 1));
    assert.ok(answered(gateway, own), hex(own));
    gateway.connect();
    assert.ok(gateway.device.core.live);
  });
});
