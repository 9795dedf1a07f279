import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileStorage, MemoryStorage, Slots, slotSequence } from '../../lib/storage.js';
import type { DeviceStorage } from '../../lib/types.js';

/** A valid slot image, SPEC 7.4. */
function image(sequence: number): Uint8Array {
  const bytes = Buffer.alloc(64);
  bytes.write('HWSL\x01', 'latin1');
  bytes.writeUInt32BE(sequence, 8);
  randomBytes(44).copy(bytes, 12);
  createHash('sha256').update(bytes.subarray(0, 56)).digest().copy(bytes, 56, 0, 8);
  return new Uint8Array(bytes);
}

/** Records the order of what is done, and fails or loses power at one step. */
class Probe implements DeviceStorage {
  readonly inner = new MemoryStorage();
  readonly steps: string[] = [];
  failAt = Infinity;
  lie = false;

  async #step<T>(name: string, action: () => Promise<T>): Promise<T> {
    this.steps.push(name);
    if (this.steps.length >= this.failAt) throw new Error(`power cut at ${name}`);
    return action();
  }
  readSlot(slot: 0 | 1): Promise<Uint8Array | undefined> {
    return this.#step(`read ${slot}`, () => this.inner.readSlot(slot));
  }
  writeSlot(slot: 0 | 1, bytes: Uint8Array): Promise<void> {
    const written = this.lie ? bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) : bytes;
    return this.#step(`write ${slot}`, () => this.inner.writeSlot(slot, written));
  }
  wipeSlot(slot: 0 | 1): Promise<void> {
    return this.#step(`wipe ${slot}`, () => this.inner.wipeSlot(slot));
  }
  takeState = (): Promise<undefined> => Promise.resolve(undefined);
  writeState = (): Promise<void> => Promise.resolve();
}

const boot = (): { wipe?: 0 | 1 } => ({});

describe('device storage: order', () => {
  it('write, read back, wipe the old slot, see that it is gone; slots take turns', async () => {
    const probe = new Probe();
    const slots = new Slots(probe);
    await slots.boot(boot);
    probe.steps.length = 0;
    await slots.store(image(1));
    assert.deepEqual(probe.steps, ['write 0', 'read 0', 'wipe 1', 'read 1']);
    probe.steps.length = 0;
    await slots.store(image(2));
    assert.deepEqual(probe.steps, ['write 1', 'read 1', 'wipe 0', 'read 0']);
  });

  it('after a boot the free slot is written, whichever it is', async () => {
    for (const used of [0, 1] as const) {
      const probe = new Probe();
      await probe.inner.writeSlot(used, image(7));
      const slots = new Slots(probe);
      await slots.boot(boot);
      probe.steps.length = 0;
      await slots.store(image(8));
      assert.equal(probe.steps[0], `write ${used === 0 ? 1 : 0}`);
    }
  });

  it('boot() carries out the wipe it is told, before anything else', async () => {
    const probe = new Probe();
    await probe.inner.writeSlot(0, image(1));
    await probe.inner.writeSlot(1, image(2));
    const slots = new Slots(probe);
    await slots.boot(() => ({ wipe: 0 }));
    assert.deepEqual(probe.steps, ['read 0', 'read 1', 'wipe 0']);
    await slots.store(image(3));
    assert.equal(slotSequence(probe.inner.slots[0]), 3);
    assert.equal(probe.inner.slots[1], undefined);
  });

  it('power lost at any step leaves the old or the new secret, or both', async () => {
    for (let failAt = 1; failAt <= 4; failAt += 1) {
      const probe = new Probe();
      await probe.inner.writeSlot(1, image(1));
      const slots = new Slots(probe);
      await slots.boot(boot);
      probe.steps.length = 0;
      probe.failAt = failAt;
      await assert.rejects(slots.store(image(2)), { code: 'ERR_HAWSER_STORAGE' });
      const left = probe.inner.slots.map(slotSequence).filter((sequence) => sequence !== undefined);
      assert.ok(left.length > 0, `step ${failAt}`);
    }
  });

  it('a medium that does not keep what was written is an error, and the old slot stays', async () => {
    const probe = new Probe();
    await probe.inner.writeSlot(1, image(1));
    const slots = new Slots(probe);
    await slots.boot(boot);
    probe.lie = true;
    await assert.rejects(slots.store(image(2)), { code: 'ERR_HAWSER_STORAGE', message: /read back/ });
    assert.equal(slotSequence(probe.inner.slots[1]), 1);
    probe.lie = false;
    await slots.store(image(3));
    assert.deepEqual(probe.inner.slots.map(slotSequence), [3, undefined]);
  });

  it('writes do not overtake one another', async () => {
    const probe = new Probe();
    const slots = new Slots(probe);
    await slots.boot(boot);
    await Promise.all([slots.store(image(1)), slots.store(image(2)), slots.store(image(3))]);
    assert.deepEqual(probe.inner.slots.map(slotSequence), [3, undefined]);
  });

  it('knows a valid image from any other', () => {
    const good = image(5);
    assert.equal(slotSequence(good), 5);
    assert.equal(slotSequence(undefined), undefined);
    assert.equal(slotSequence(good.subarray(0, 63)), undefined);
    for (let bit = 0; bit < 512; bit += 1) {
      const bad = Uint8Array.from(good);
      bad.set([(bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))], bit >> 3);
      assert.equal(slotSequence(bad), undefined, `bit ${bit}`);
    }
  });
});

describe('device storage: files', () => {
  let directory: string;
  let storage: FileStorage;
  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'hawser-device-')), 'state');
    storage = new FileStorage(directory);
  });
  afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

  it('reads what was written; nothing where nothing was', async () => {
    assert.equal(await storage.readSlot(0), undefined);
    assert.equal(await storage.takeState(), undefined);
    const bytes = image(1);
    await storage.writeSlot(0, bytes);
    assert.deepEqual(await new FileStorage(directory).readSlot(0), bytes);
    assert.equal(await storage.readSlot(1), undefined);
    await storage.wipeSlot(0);
    await storage.wipeSlot(1);
    assert.equal(await storage.readSlot(0), undefined);
    assert.deepEqual(readdirSync(directory), []);
  });

  it('is readable by its owner alone', async () => {
    await storage.writeSlot(1, image(1));
    const { statSync } = await import('node:fs');
    assert.equal(statSync(directory).mode & 0o077, 0);
    assert.equal(statSync(join(directory, 'slot1')).mode & 0o077, 0);
  });

  it('a write that was cut short is wiped, not used', async () => {
    await storage.writeSlot(0, image(1));
    writeFileSync(join(directory, 'slot0.new'), image(2).subarray(0, 40));
    assert.equal(slotSequence(await storage.readSlot(0)), 1);
    assert.equal(existsSync(join(directory, 'slot0.new')), false);
  });

  it('a saved state is given out once', async () => {
    const state = {
      blob: new Uint8Array(randomBytes(60)),
      names: [
        [0, 'mqtt'],
        [3, 'http'],
      ] as [number, string][],
    };
    await storage.writeState(state);
    assert.equal(readFileSync(join(directory, 'state'), 'utf8').includes('mqtt'), true);
    assert.deepEqual(await storage.takeState(), state);
    assert.equal(existsSync(join(directory, 'state')), false, 'used before it is returned');
    assert.equal(await storage.takeState(), undefined);
  });

  it('refuses a state file that is not one, with file, field and reason', async () => {
    await storage.writeSlot(0, image(1));
    const bad: [string, RegExp][] = [
      ['not json', /state: file: not JSON/],
      ['null', /version/],
      ['{"version":2}', /version: must be 1/],
      ['{"version":1,"blob":"xyz","names":[]}', /blob/],
      [`{"version":1,"blob":"${'00'.repeat(257)}","names":[]}`, /blob/],
      ['{"version":1,"blob":"00","names":[[1]]}', /names/],
      ['{"version":1,"blob":"00","names":[["a","b"]]}', /names/],
    ];
    for (const [text, message] of bad) {
      writeFileSync(join(directory, 'state'), text);
      await assert.rejects(storage.takeState(), { code: 'ERR_HAWSER_CONFIG', message });
    }
  });

  it('a place that cannot be written is an error of the store, not a crash', async () => {
    const slots = new Slots(new FileStorage('/dev/null/nowhere'));
    await assert.rejects(slots.store(image(1)), { code: 'ERR_HAWSER_STORAGE' });
  });
});
