/** SPEC 3.6 around record 2^20 of each direction: the same bytes in every engine as in the reference. */

import assert from 'node:assert/strict';
import { Mode, Suite, type Engine } from '../../lib/engine.js';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { concat, hex, utf8 } from './bytes.js';
import { forEachEngine } from './engines.js';
import { connected, type Direction, type World } from './harness.js';
import { record } from './reference.js';

const PERIOD = 2 ** 20;
const TICKET = { mode: Mode.Ticket, suite: Suite.None } as const;

/** The JS engine starts its counters where it is told; the native ones get there by themselves, record by record. */
function worldNear(engine: Engine, counter: number): World {
  const used = engine.name === 'js' ? createJsEngine({}, { counters: { d2g: counter, g2d: counter } }) : engine;
  return connected({ name: engine.name, device: used, gateway: used }, TICKET, { options: { keylog: true } });
}

/** Counts the records of a direction that the world has sent so far. */
function sent(world: World, direction: Direction): number {
  const bytes = world.link?.bytes(direction) ?? new Uint8Array(0);
  let records = 0;
  for (let at = 0; at < bytes.length;) {
    const word = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    records += word & 0x4000 ? 1 : 0;
    at += 2 + (word & 0x4000 ? (word & 0x3fff) + 16 : word);
  }
  return records;
}

/** Sends messages until record `last` has crossed; those from `from` on are compared with the reference. */
function run(world: World, direction: Direction, first: number, from: number, last: number): void {
  const { device } = world.openStream('udp', 1);
  const [sender, receiver] = direction === 'd2g' ? [world.device, world.session] : [world.session, world.device];
  const keys = world.device.core.keys();
  assert.ok(keys);
  const text = utf8('x');
  const plain = concat(Uint8Array.of(0x0a, device.id >> 8, device.id & 255), text);
  for (let c = first + sent(world, direction); c <= last; c++) {
    const out = sender.core.message(device.id, text, world.now);
    assert.ok(out);
    if (c >= from) assert.equal(hex(out), hex(record(keys[direction], c, plain)), `record ${c}`);
    const [event, more] = receiver.core.receive(out, world.now);
    if (event?.type !== 'message' || more !== undefined) assert.fail(`record ${c}: ${event?.type}`);
  }
}

forEachEngine('rekey', (engine) => {
  for (const direction of ['d2g', 'g2d'] as const)
    it(`${direction}: the key changes behind record 2^20 - 1, as in the reference`, function () {
      this.timeout(120_000);
      const first = engine().name === 'js' ? PERIOD - 8 : 0;
      const world = worldNear(engine(), first);
      run(world, direction, first, PERIOD - 3, PERIOD + 3);
      assert.ok(world.device.core.live && world.session.core.live);
    });

  it('a forged record around the change moves neither key nor counter', () => {
    if (engine().name !== 'js')
      return assert.ok(engine().name.startsWith('native-'), 'covered by the run above and class 1');
    const world = worldNear(engine(), PERIOD - 8);
    const { device } = world.openStream('udp', 1);
    for (let round = 0; round < 16; round++) {
      const before = hex(world.session.core.digest());
      const forged = world.session.core.receive(
        concat(Uint8Array.of(0x40, 1), new Uint8Array(17).fill(round)),
        world.now,
      );
      assert.equal(forged.at(-1)?.type, 'drop');
      assert.equal(hex(world.session.core.digest()), before);
      const out = world.device.core.message(device.id, utf8('y'), world.now);
      assert.equal(world.session.core.receive(out ?? new Uint8Array(0), world.now)[0]?.type, 'message');
    }
  });

  it('the counter ends at 2^48 - 1: the sender stops and the device resumes (SPEC 3.6/1)', () => {
    if (engine().name !== 'js') return assert.ok(engine().name.startsWith('native-'), 'the C tests preset the counter');
    const world = worldNear(engine(), 2 ** 48 - 6);
    const { device, gateway } = world.openStream();
    for (let round = 0; round < 40; round++) {
      device.write(Uint8Array.of(round));
      gateway.write(Uint8Array.of(round));
      world.advance(60);
      if (world.link === undefined) world.connect();
    }
    world.until(
      () => gateway.received.length === 40 && device.received.length === 40,
      'all bytes arrive through resumptions',
    );
    assert.ok(world.links.length > 4, `${world.links.length} links`);
  });
});
