/** Records: SPEC 3.6, rekeying, saving and restoring. */

import assert from 'node:assert/strict';
import { Mode, Suite } from '../../lib/engine.js';
import { hex, pattern, splitStream, utf8 } from './bytes.js';
import { TestDevice } from './device-double.js';
import { StreamEnd } from './ends.js';
import { forEachPair, type EnginePair } from './engines.js';
import { connected, type World } from './harness.js';

const TICKET = { mode: Mode.Ticket, suite: Suite.None } as const;

/** A device program that starts from a saved blob, with the applications of the one before. */
function restored(world: World, blob: Uint8Array): TestDevice {
  const old = world.device;
  world.reboot();
  const names = new Map([...old.streams].map(([id, end]) => [id, end.name]));
  world.device.core.restore(blob, names);
  for (const [id, end] of old.streams) {
    const again = new StreamEnd(id, end.name, end.kind);
    again.written = end.written;
    again.wantsFin = end.wantsFin;
    again.acked = end.acked;
    again.goOnFrom(end.acked);
    again.received = end.received;
    world.device.streams.set(id, again);
  }
  return world.device;
}

function records(pair: EnginePair): void {
  for (const kind of ['flash', 'retained'] as const)
    it(`saved to ${kind} and restored: the session continues where its streams were acknowledged`, () => {
      const world = connected(pair, TICKET);
      const { device, gateway } = world.openStream();
      device.write(pattern(300));
      gateway.write(pattern(200));
      world.advance(100);
      device.write(pattern(50, 1));
      world.hang();
      const blob = world.device.core.save(kind);
      assert.ok(blob.length <= 256);
      assert.equal(Buffer.from(blob.subarray(0, 4)).toString(), 'HWSV');
      const again = restored(world, blob);
      const writes = again.flash.writes;
      if (kind === 'retained')
        assert.ok(
          blob.every((byte) => byte === 0),
          'restoring wipes the blob',
        );
      world.connect();
      world.advance(100);
      assert.equal(again.live, 'continued');
      assert.equal(again.flash.writes - writes, kind === 'flash' ? 1 : 0);
      assert.equal(hex(gateway.received), hex(pattern(300)) + hex(pattern(50, 1)));
      gateway.write(utf8('!'));
      world.advance(50);
      assert.equal(hex(again.stream(device.id).received), hex(pattern(200)) + '21');
    });

  it('a blob with any bit wrong is refused, and nothing of it is taken over', () => {
    const world = connected(pair, TICKET);
    world.openStream();
    world.hang();
    for (const kind of ['flash', 'retained'] as const) {
      const blob = world.device.core.save(kind);
      const boot = () => new TestDevice(pair.device, world.device.pairing, world.device.flash).boot().core;
      const before = hex(boot().digest());
      const names = new Map([[0, 'echo']]);
      for (let bit = 0; bit < 8 * blob.length; bit++) {
        const core = boot();
        const copy = blob.slice();
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.throws(() => core.restore(copy, names), { code: /^ERR_HAWSER_/ }, `${kind}, bit ${bit}`);
        assert.equal(hex(core.digest()), before, `${kind}, bit ${bit}`);
        assert.equal(hex(copy), '00'.repeat(copy.length), 'what is refused is wiped: it may hold a secret');
      }
      for (let length = 0; length < blob.length; length++) {
        const copy = blob.slice(0, length);
        assert.throws(() => boot().restore(copy, names), { code: /^ERR_HAWSER_/ });
        assert.equal(hex(copy), '00'.repeat(length));
      }
      assert.throws(() => boot().restore(Uint8Array.of(...blob, 0), names), { code: /^ERR_HAWSER_/ });
      const core = boot();
      core.restore(blob, names);
      assert.notEqual(hex(core.digest()), before);
    }
  });

  it('a retained position is not saved once a message 1 was sent under it', () => {
    const world = connected(pair, TICKET);
    world.hang();
    const rested = world.device.core.save('retained').length;
    world.dial();
    world.device.output(world.now);
    world.hang();
    let blob: Uint8Array | undefined;
    try {
      blob = world.device.core.save('retained');
    } catch (error) {
      assert.match(String((error as { code?: string }).code), /^ERR_HAWSER_STATE$/);
    }
    if (blob !== undefined) assert.ok(blob.length < rested && blob[5] === 1, 'no step secret inside');
  });

  it('no key of any link is in a saved blob or in flash', () => {
    const world = connected(pair, TICKET, { options: { keylog: true } });
    world.openStream();
    const keys = world.device.core.keys();
    assert.ok(keys);
    world.hang();
    const stored = [world.device.core.save('flash'), ...world.device.flash.slots]
      .map((bytes) => (bytes ? hex(bytes) : ''))
      .join(' ');
    assert.ok(!stored.includes(hex(keys.d2g)) && !stored.includes(hex(keys.g2d)));
    const chain = world.row.chain;
    assert.ok(chain && !stored.includes(hex(chain.r)), 'flash holds no step secret');
  });

  it('keylog: both ends give the same keys, and none without the option', () => {
    const world = connected(pair, TICKET, { options: { keylog: true } });
    const [device, gateway] = [world.device.core.keys(), world.session.core.keys()];
    assert.ok(device && gateway);
    assert.deepEqual([hex(device.d2g), hex(device.g2d)], [hex(gateway.d2g), hex(gateway.g2d)]);
    assert.notEqual(hex(device.d2g), hex(device.g2d));
    const silent = connected(pair, TICKET);
    assert.deepEqual([silent.device.core.keys(), silent.session.core.keys()], [undefined, undefined]);
  });

  it('linkDown and wipe leave no keys', () => {
    const world = connected(pair, TICKET, { options: { keylog: true } });
    world.hang();
    for (const { core } of [world.device, world.session]) {
      assert.equal(core.live, false);
      assert.equal(core.keys(), undefined);
      core.wipe();
      assert.equal(core.live, false);
    }
  });

  it('what a device sends first fits 4096 bytes, however much waits', () => {
    const world = connected(pair, { mode: Mode.Psk, suite: Suite.X25519 });
    const { device, gateway } = world.openStream();
    world.hang();
    device.write(pattern(8000));
    world.connect();
    world.advance(100);
    assert.equal(gateway.received.length, 8000);
    const records = splitStream(world.link?.bytes('d2g') ?? new Uint8Array(0)).slice(1);
    const first = records[0]?.length ?? Infinity;
    assert.ok(first <= 4096, `first record ${first}`);
  });
}

forEachPair('records and saved state', records);
