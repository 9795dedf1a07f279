/** The firmware in an emulator, against `hawser gateway` as a process with its store and a real MQTT broker behind it. */

import assert from 'node:assert/strict';
import { killChildren, removeFolders } from '../cli/harness.js';
import { fetchSources, needTools } from '../../tools/firmware-build.mjs';
import { pages } from './machine.js';
import { World } from './world.js';

describe('the firmware', function () {
  this.timeout(180_000);
  let world: World;

  before(async () => {
    needTools();
    fetchSources();
    world = await World.build();
  });
  after(async () => {
    await world.close();
    killChildren();
    removeFolders();
  });

  it('boots, and publishes a reading', async () => {
    const device = await world.device('an386', 'ticket');
    device.machine.start({ readings: 1 });
    await device.says('delivered 1');
    assert.deepEqual(device.readings, [1]);
    const [first] = await device.handshakes(1);
    assert.deepEqual(
      [first!.kind, first!.early],
      ['resumption', 1],
      'the reading rode along in message 1, and was taken',
    );
    const { erases, programs } = device.machine.wear;
    assert.equal(programs[pages.slot0], 16, 'the slot was written once');
    assert.deepEqual([erases[pages.slot0], erases[pages.slot1]], [0, 0], 'there was none to wipe');
  });
});
