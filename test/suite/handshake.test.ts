import assert from 'node:assert/strict';
import { Mode, Suite, Transport } from '../../lib/engine.js';
import { byteByByte, connected, randomly, World } from './harness.js';
import { hex, pattern, seeded, splitSerial, splitStream, utf8 } from './bytes.js';
import { forEachPair, fullVariants, transports, variants, type EnginePair } from './engines.js';

/** Both ends hold the same live session and bytes pass either way. */
function assertLive(world: World, kind: 'new' | 'continued'): void {
  assert.equal(world.device.live, kind);
  assert.ok(world.device.core.live && world.session.core.live);
  assert.equal(hex(world.device.core.name), hex(world.session.core.name));
  assert.notEqual(hex(world.device.core.name), '0000000000000000');
}

function assertEcho(world: World): void {
  const { device, gateway } = world.openStream();
  const up = pattern(3000, 1);
  const down = pattern(2500, 2);
  device.write(up);
  gateway.write(down);
  world.advance(100);
  assert.equal(hex(gateway.received), hex(up));
  assert.equal(hex(device.received), hex(down));
  assert.equal(device.acked, up.length);
}

/** Bytes on the wire of SPEC 3.2 with the stream transport's length field, ids of n bytes. */
function fullSizes(mode: Mode, suite: Suite, n: number): [number, number] {
  const point = suite === Suite.P256 ? 33 : 0;
  const base = (mode === Mode.Psk ? 49 : 57) + point;
  return [2 + base + n, 2 + base];
}

function handshakes(pair: EnginePair): void {
  for (const transport of transports)
    for (const variant of variants)
      it(`${variant.name} over ${transport.name}: live at both ends, and bytes pass`, () => {
        const world = connected(pair, variant, { transport: transport.code });
        assertLive(world, 'new');
        assert.equal(world.device.core.handshake?.kind, variant.mode === Mode.Ticket ? 'resumption' : 'full');
        assertEcho(world);
      });

  for (const variant of fullVariants)
    it(`${variant.name}: exactly the bytes of SPEC 3.2, message 2 not longer than message 1 (SPEC 3.2/1), and figures that say so`, () => {
      const world = connected(pair, variant);
      const [message1] = splitStream(world.link?.bytes('d2g') ?? new Uint8Array(0));
      const [message2] = splitStream(world.link?.bytes('g2d') ?? new Uint8Array(0));
      const [sent, received] = fullSizes(variant.mode, variant.suite, world.setup.id.length);
      assert.deepEqual([message1?.length, message2?.length], [sent, received]);
      assert.ok(received <= sent);
      const info = world.device.core.handshake;
      assert.deepEqual([info?.sent, info?.received], [sent, received]);
      assert.equal(info?.ecdh, variant.mode === Mode.Psk ? 1 : 3);
    });

  it('a 25519 handshake with an id of 8 bytes takes at most 128 bytes, a resumption at most 84', () => {
    const world = connected(pair, { mode: Mode.Keys, suite: Suite.X25519 });
    const full = world.device.core.handshake;
    world.connect();
    const resumption = world.device.core.handshake;
    assert.ok(full && full.sent + full.received <= 128, JSON.stringify(full));
    assert.ok(
      resumption && resumption.kind === 'resumption' && resumption.sent + resumption.received <= 84,
      JSON.stringify(resumption),
    );
    assert.equal(resumption?.ecdh, 0);
  });

  for (const [idLength, gatewayLength] of [
    [4, 32],
    [32, 4],
    [5, 31],
    [8, 8],
  ] as const)
    it(`ids of ${idLength} and ${gatewayLength} bytes, in every mode`, () => {
      for (const variant of variants) {
        const over = { id: pattern(idLength, 9), gatewayId: pattern(gatewayLength, 8) };
        assertLive(connected(pair, variant, { over }), 'new');
      }
    });

  it('any split of the bytes is as good as whole messages', () => {
    for (const chop of [byteByByte, randomly(seeded(7))]) {
      for (const transport of transports) {
        const world = new World(pair, { mode: Mode.Keys, suite: Suite.X25519 }, { transport: transport.code });
        world.chop = chop;
        world.connect();
        assertLive(world, 'new');
        assertEcho(world);
      }
    }
  });

  it('an unknown id, a revoked device, another mode or suite get no byte in answer', () => {
    for (const forget of ['row', 'mode', 'suite'] as const) {
      const world = new World(pair, { mode: Mode.Psk, suite: Suite.X25519 });
      if (forget === 'row') world.gateway.rows.pop();
      if (forget === 'mode') world.row.pairing.mode = Mode.Keys;
      if (forget === 'suite') world.row.pairing.suite = Suite.P256;
      world.connect();
      assert.equal(world.device.live, 'no', forget);
      assert.equal(world.links[0]?.bytes('g2d').length, 0, forget);
      assert.equal(world.links[0]?.port.open, false, forget);
    }
  });

  it('a gateway serves many devices, each by its own id and secrets', () => {
    const worlds = variants.map((variant, at) => new World(pair, variant, { over: { id: utf8(`device-${at}`) } }));
    const rows = worlds.map((world) => world.row);
    for (const world of worlds) world.gateway.rows = rows;
    for (const world of worlds) {
      world.connect();
      assertLive(world, 'new');
    }
  });

  it('a serial line carries one message or record to a frame, and no zero inside', () => {
    const world = connected(pair, { mode: Mode.Psk, suite: Suite.X25519 }, { transport: Transport.Serial });
    const frames = splitSerial(world.link?.bytes('d2g') ?? new Uint8Array(0));
    assert.ok(frames.length >= 2);
    for (const frame of frames) assert.equal(frame.indexOf(0), frame.length - 1);
  });
}

forEachPair('handshake', handshakes);
