/** The firmware in an emulator, against `hawser gateway` as a process with its store and a real MQTT broker behind it. */

import assert from 'node:assert/strict';
import { images } from '../../tools/firmware-build.mjs';
import { PAGE, pages, until } from './machine.js';
import { count, useWorld, type Device, type Handshake } from './world.js';

describe('the firmware', function () {
  this.timeout(180_000);
  const world = useWorld();

  // `npm run firmware` runs all of them, `npm test` every build and every board once
  const some = ['an386-ticket', 'an386-psk-p256', 'an385-keys-p256', 'an386-keys-25519', 'virt-ticket'];
  const wanted = images.filter(({ name }) => process.env['HAWSER_FIRMWARE'] === 'all' || some.includes(name));
  for (const { name, board, build } of wanted)
    it(`${name}: does what a device does`, async () => {
      const device = await world().device(board, build);
      await firstBoot(device, build === 'ticket' ? 'resumption' : 'full');
      await command(device);
      await warm(device);
      await retained(device);
      await awayWhileAsleep(device);
      await flashSleep(device);
      await powerCut(device);
      await noCoverage(device);
      await memory(device, build === 'keys-25519');
      const { readings } = device;
      assert.deepEqual(
        readings,
        readings.map((_, i) => i + 1),
        'every reading, once, in order',
      );
      assert.deepEqual(device.numbers('delivered'), readings);
      assert.deepEqual(device.numbers('unknown'), []);
    });

  it('sends no record while the old slot cannot be wiped, and goes on where it stood once it can', async () => {
    const device = await world().device('an386', 'ticket');
    device.machine.start();
    await publish(device, 1);
    await device.machine.cut();
    device.machine.start({ readings: 1, worn: [pages.slot0] });
    await device.says('not stored 0', 2);
    await device.machine.cut();
    assert.equal((await device.handshakes(1)).length, 1, 'nothing was confirmed');
    await until('its early data', () => device.readings.length === 2);
    device.machine.start({ readings: 1 });
    await device.says('delivered 3');
    assert.deepEqual(device.readings, [1, 2, 3]);
    assert.deepEqual(device.numbers('unknown'), [2], 'that its early data was taken it could not learn');
  });

  it('jumps to the block in flash where a warm message 1 is not answered, which is one write and one wipe', async () => {
    const device = await world().device('an386', 'ticket', 'impatient');
    device.machine.start();
    await publish(device, 1);
    device.line.up = false;
    device.line.noise();
    await device.says('link lost 3');
    await device.says('link lost 10'); // nobody answered, for longer than it is patient
    assert.deepEqual(slots(device), [1, 0]);
    device.line.up = true;
    await publish(device, 1);
    const [, second] = await handshakesSince(device, 0);
    assert.deepEqual([second!.kind, second!.continued], ['resumption', true], 'its streams go on');
    assert.deepEqual(slots(device), [2, 1]);
  });

  it('has a word torn in other bits at each cut, and in the same ones where the host says so', async () => {
    const { machine, line } = await world().device('an386', 'ticket');
    line.up = false; // the journal is all that it writes
    /** The journal's first word, whose second step is cut. */
    const tear = async (): Promise<string> => {
      machine.flash(pages.journal0, Buffer.alloc(2 * PAGE, 0xff));
      machine.start({ readings: 1, cutAfter: 2 });
      await until('the cut', () => machine.atCut);
      await machine.cut();
      return machine.page(pages.journal0).subarray(0, 4).toString('hex');
    };
    const drawn = new Set([await tear(), await tear(), await tear()]);
    assert.equal(drawn.size, 3, [...drawn].join(' '));
    machine.torn = () => 0x12345678;
    const said = [await tear(), await tear()];
    assert.equal(said[0], said[1]);
    for (const whole of ['ffffffff', '01000000']) assert.ok(!said.includes(whole) && !drawn.has(whole));
  });

  it('says what became of its readings when the gateway crashes', async () => {
    const device = await world().device('an386', 'ticket');
    device.machine.start();
    await publish(device, 2);
    await world().crashGateway();
    device.line.noise(); // or it would learn of the crash with its next reading
    await device.says('stream closed 5');
    device.machine.more(1);
    await device.says('delivered 3');
    assert.deepEqual(device.readings, [1, 2, 3]);
  });

  /** [writes, wipes] of the two slots. */
  function slots({ machine }: Device): [number, number] {
    const { erases, programs } = machine.wear;
    const words = programs[pages.slot0]! + programs[pages.slot1]!;
    assert.equal(words % 16, 0, 'whole images of 64 bytes');
    return [words / 16, erases[pages.slot0]! + erases[pages.slot1]!];
  }

  /** So many more readings, and that they arrive. */
  async function publish(device: Device, more: number): Promise<void> {
    const sum = device.readings.length + more;
    device.machine.more(more);
    await device.says(`delivered ${sum}`);
    await until(`reading ${sum}`, () => device.readings.length >= sum);
  }

  /** What the gateway notes of the handshakes that the device has had since there were `before`. */
  async function handshakesSince(device: Device, before: number): Promise<Handshake[]> {
    return (await device.handshakes(device.links)).slice(before);
  }

  async function firstBoot(device: Device, kind: string): Promise<void> {
    device.machine.start();
    await publish(device, 3);
    const [first] = await handshakesSince(device, 0);
    assert.equal(first!.kind, kind);
    assert.deepEqual(slots(device), [1, 0], 'one slot was written, and there was none to wipe');
  }

  async function command(device: Device): Promise<void> {
    device.command('lamp 7');
    await until('the lamp', () => device.machine.lamp === 7);
  }

  /** A frame that fails ends the link. The next is a warm resumption, whose message 1 carries what there is to send by then. */
  async function warm(device: Device): Promise<void> {
    const before = slots(device);
    for (let tries = 0; tries < 20; tries++) {
      const { links } = device;
      device.line.noise();
      await until('the loss', () => count(device.machine.console, 'link lost 3') > tries);
      await publish(device, 1);
      const [next] = await handshakesSince(device, links);
      assert.deepEqual([next!.kind, next!.continued], ['resumption', true]);
      assert.deepEqual(slots(device), before, 'a warm resumption writes nothing');
      if (next!.early === 1) return;
    }
    assert.fail('no reading ever rode in message 1');
  }

  /** The struct stays in retained RAM, and the link with it. */
  async function retained(device: Device): Promise<void> {
    const before = slots(device);
    const { links } = device;
    device.command('retained 10');
    await device.machine.asleep();
    device.machine.start({ woken: true });
    await device.says('wakes 0');
    await publish(device, 2);
    assert.equal(device.links, links, 'the same link');
    assert.deepEqual(slots(device), before);
  }

  /** What comes for a device that sleeps is lost on the line, and found again by the streams. */
  async function awayWhileAsleep(device: Device): Promise<void> {
    const before = slots(device);
    const { links } = device;
    device.command('retained 10');
    await device.machine.asleep();
    const { missed } = device.line;
    device.command('lamp 9');
    await until('the command on the line', () => device.line.missed > missed);
    device.machine.start({ woken: true });
    await device.says('wakes 0', 2);
    await publish(device, 1);
    await until('the lamp', () => device.machine.lamp === 9);
    const [next] = await handshakesSince(device, links);
    assert.deepEqual([next!.kind, next!.continued], ['resumption', true]);
    assert.deepEqual(slots(device), before, 'a warm resumption writes nothing');
  }

  /** Only stream state is kept: a boot, whose stream goes on. */
  async function flashSleep(device: Device): Promise<void> {
    const [writes, wipes] = slots(device);
    const { links } = device;
    device.command('flash 10');
    await device.machine.asleep();
    device.machine.start();
    await device.says('restored 1');
    await publish(device, 2);
    const [next] = await handshakesSince(device, links);
    assert.deepEqual([next!.kind, next!.continued], ['resumption', true]);
    assert.deepEqual(slots(device), [writes + 1, wipes + 1], 'one write and one wipe for the boot');
    device.command('lamp 11');
    await until('the lamp', () => device.machine.lamp === 11);
  }

  async function powerCut(device: Device): Promise<void> {
    const [writes, wipes] = slots(device);
    const { links } = device;
    await device.machine.cut();
    device.machine.start();
    await publish(device, 2);
    const [next] = await handshakesSince(device, links);
    assert.deepEqual([next!.kind, next!.continued], ['resumption', false]);
    assert.deepEqual(slots(device), [writes + 1, wipes + 1]);
  }

  /** The arena is mbedTLS's X25519's alone. */
  async function memory(device: Device, arena: boolean): Promise<void> {
    device.command('report');
    const [, stack, used] = await until(
      'the report',
      () => /^stack peak (\d+)\narena peak (\d+)$/m.exec(device.machine.console) ?? undefined,
    ).then((match) => match.map(Number));
    assert.ok(stack! > 1000 && stack! < 6000, `${stack} bytes of stack`);
    assert.equal(used! > 0, arena, `${used} bytes of the arena`);
  }

  /** A boot loop without coverage consumes nothing. */
  async function noCoverage(device: Device): Promise<void> {
    const [writes, wipes] = slots(device);
    device.line.up = false;
    for (let i = 0; i < 3; i++) {
      const before = device.line.lost;
      await device.machine.cut();
      device.machine.start();
      await until('message 1', () => device.line.lost - before > 46);
    }
    assert.deepEqual(slots(device), [writes, wipes]);
    await device.machine.cut();
    device.line.up = true;
    device.machine.start();
    await publish(device, 1);
    assert.deepEqual(slots(device), [writes + 1, wipes + 1]);
  }
});
