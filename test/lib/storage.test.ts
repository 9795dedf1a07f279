import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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

/** A saved state of SPEC 7.4 with these streams. */
function blob(ids: number[], { kind = 1, version = 1 } = {}): Uint8Array {
  const head = Buffer.alloc(kind === 2 ? 68 : 20);
  head.write('HWSV', 'latin1');
  head.set([version, kind, ids.length], 4);
  const streams = ids.map((id) => {
    const bytes = Buffer.alloc(20);
    bytes.writeUInt16BE(id);
    return bytes;
  });
  const body = Buffer.concat([head, ...streams]);
  return new Uint8Array(Buffer.concat([body, createHash('sha256').update(body).digest().subarray(0, 8)]));
}
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

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
    assert.equal(statSync(directory).mode & 0o077, 0);
    assert.equal(statSync(join(directory, 'slot1')).mode & 0o077, 0);
  });

  it('a write that was cut short is wiped, not used', async () => {
    await storage.writeSlot(0, image(1));
    writeFileSync(join(directory, 'slot0.new'), image(2).subarray(0, 40));
    assert.equal(slotSequence(await storage.readSlot(0)), 1);
    assert.equal(existsSync(join(directory, 'slot0.new')), false);
  });

  it('a saved state is given out once (SPEC 7.4/1)', async () => {
    const state = {
      blob: blob([0, 3]),
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

  it('refuses a state file that is not one, with file, field and reason, and leaves it where it is', async () => {
    await storage.writeSlot(0, image(1));
    const file = join(directory, 'state');
    const state = (bytes: Uint8Array, names: unknown = []): string =>
      JSON.stringify({ version: 1, blob: hexOf(bytes), names });
    const damaged = blob([1]);
    damaged[30] = (damaged[30] ?? 0) ^ 1;
    const bad: [string, RegExp][] = [
      ['not json', /state: file: not JSON/],
      ['null', /version/],
      ['{"version":2}', /version: must be 1/],
      ['{"version":1,"blob":"xyz","names":[]}', /blob: must be at most 256 bytes in hex/],
      [state(new Uint8Array(257)), /blob: must be at most 256 bytes/],
      [state(new Uint8Array(27)), /blob: length: 27 bytes; 28\.\.256 are possible/],
      [state(image(1)), /blob: magic: does not begin with HWSV/],
      [state(damaged, [[1, 'mqtt']]), /blob: check: does not match/],
      [state(blob([], { version: 2 })), /blob: version: 2 instead of 1/],
      [state(blob([], { kind: 2 })), /blob: is one of retained RAM/],
      [state(blob([], { kind: 3 })), /blob: kind: 3 is not 1 or 2/],
      [state(blob([1, 1]), [[1, 'mqtt']]), /blob: stream 1 is in it twice/],
      [state(blob([1]), [[2, 'mqtt']]), /names: stream 1 of the blob has none/],
      [state(blob([1]), [[1]]), /names: must be pairs/],
      [state(blob([1]), [['a', 'b']]), /names: must be pairs/],
      [state(blob([1]), [[1, 'Not A Name']]), /names: must be pairs/],
    ];
    for (const [text, message] of bad) {
      writeFileSync(file, text, { mode: 0o600 });
      await assert.rejects(storage.takeState(), (error: { code: string; message: string }) => {
        assert.equal(error.code, 'ERR_HAWSER_CONFIG');
        assert.match(error.message, message);
        return error.message.startsWith(`${file}: `);
      });
      assert.equal(readFileSync(file, 'utf8'), text, 'not destroyed');
    }
    const good = state(blob([1]), [[1, 'mqtt']]);
    writeFileSync(file, good);
    assert.deepEqual(await storage.takeState(), { blob: blob([1]), names: [[1, 'mqtt']] });
  });

  it('refuses what others may read, with file and mode, and makes all it writes private', async () => {
    await storage.writeSlot(0, image(1));
    await storage.writeState({ blob: blob([]), names: [] });
    for (const name of ['slot0', 'state']) {
      const file = join(directory, name);
      const read = (): Promise<unknown> => (name === 'state' ? storage.takeState() : storage.readSlot(0));
      chmodSync(file, 0o640);
      const before = readFileSync(file);
      await assert.rejects(read(), {
        code: 'ERR_HAWSER_CONFIG',
        message: `${file}: mode 0640 lets others at a secret; chmod 600 it`,
      });
      assert.deepEqual(readFileSync(file), before);
      chmodSync(file, 0o600);
      assert.ok(await read());
    }
    writeFileSync(join(directory, 'slot1.new'), 'left behind', { mode: 0o644 });
    await storage.writeSlot(1, image(2));
    assert.equal(statSync(join(directory, 'slot1')).mode & 0o777, 0o600);
  });

  it('says of each slot that holds something else which file and why; an erased one holds nothing', async () => {
    const short = image(1).subarray(0, 63);
    const torn = image(1).fill(0, 40);
    const cases: [Uint8Array, string | undefined][] = [
      [short, 'length: 63 bytes instead of 64'],
      [torn, 'check: does not match, torn or damaged'],
      [new Uint8Array(randomBytes(64)), 'magic: does not begin with HWSL'],
      [new Uint8Array(64), undefined],
      [new Uint8Array(64).fill(0xff), undefined],
      [new Uint8Array(0), undefined],
    ];
    for (const [bytes, fault] of cases) {
      await storage.writeSlot(0, bytes);
      await storage.writeSlot(1, image(9));
      const seen: (Uint8Array | undefined)[] = [];
      const found = await new Slots(storage).boot((slot0, slot1) => {
        seen.push(slot0, slot1);
        return {};
      });
      const file = join(directory, 'slot0');
      assert.deepEqual(found, { usable: true, faults: fault === undefined ? [] : [`${file}: ${fault}`] });
      assert.equal(seen[0], undefined);
      assert.equal(slotSequence(seen[1]), 9);
      await storage.wipeSlot(1);
      assert.equal((await new Slots(storage).boot(boot)).usable, false);
    }
  });

  it('a place that cannot be written is an error of the store, not a crash', async () => {
    const slots = new Slots(new FileStorage('/dev/null/nowhere'));
    await assert.rejects(slots.store(image(1)), { code: 'ERR_HAWSER_STORAGE' });
  });
});
