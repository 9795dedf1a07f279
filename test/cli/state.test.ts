/** `hawser connect` with a state folder that is not as it left it. */

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { done, gatewayFolder, killChildren, Process, removeFolders } from './harness.js';

interface Device {
  state: string;
  args: string[];
}

/** A pairing whose gateway does not listen, and a state folder. */
async function device(mode: string): Promise<Device> {
  const { path, config } = await gatewayFolder();
  const file = join(path, 'd.json');
  const state = join(path, 'state');
  mkdirSync(state);
  const pair = ['pair', 'd', '--allow', 'mqtt', '--mode', mode, '--address', '127.0.0.1:1', '-o', file, '-c', config];
  await done(...pair);
  return { state, args: ['connect', '--pairing', file, '--state', state, '--forward', '0=mqtt'] };
}

function slot(): Buffer {
  const body = Buffer.alloc(56, 0x5a);
  body.write('HWSL\x01\0\0\0', 'latin1');
  return Buffer.concat([body, createHash('sha256').update(body).digest().subarray(0, 8)]);
}
const torn = Buffer.concat([slot().subarray(0, 40), Buffer.alloc(24)]);

const write = (file: string, bytes: Buffer | string): void => writeFileSync(file, bytes, { mode: 0o600 });

describe('hawser connect: its state folder', function () {
  this.timeout(30_000);
  this.slow(10_000);
  afterEach(() => {
    killChildren();
    delete process.env['HAWSER_DEBUG'];
    removeFolders();
  });

  /** What it says until it serves, and a moment longer. */
  async function says({ args }: Device, ...more: string[]): Promise<string> {
    const one = new Process(...args, ...more);
    await one.says(/leads to mqtt/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(one.child.exitCode, null, 'it goes on trying');
    assert.equal(await one.stop(), 0);
    return one.err;
  }

  it('ticket, no slot that can be read: warns with file, reason and what to do, and goes on trying', async () => {
    const one = await device('ticket');
    const file = join(one.state, 'slot0');
    const events = join(one.state, '..', 'events');
    write(file, torn);
    const said = await says(one, '--events', events);
    assert.match(
      said,
      /^warning: .*state\/slot0: check: does not match.*pair it anew \(hawser pair NAME --replace\)$/m,
    );
    assert.match(readFileSync(events, 'utf8'), /"event":"warning","message":"[^"]*slot0: check/);
    assert.deepEqual(readFileSync(file), torn);
  });

  it('one torn slot beside a good one is not worth a line, except when somebody looks closer', async () => {
    for (const mode of ['ticket', 'keys']) {
      const one = await device(mode);
      write(join(one.state, 'slot0'), torn);
      write(join(one.state, 'slot1'), slot());
      assert.doesNotMatch(await says(one), /warning|slot0/);
      process.env['HAWSER_DEBUG'] = '1';
      assert.match(await says(one), /^[^:]*state\/slot0: check: does not match, torn or damaged$/m);
      delete process.env['HAWSER_DEBUG'];
    }
  });

  it('keys: a warning if both are bad, for the chain is lost; none if the other never was', async () => {
    const one = await device('keys');
    write(join(one.state, 'slot1'), slot().subarray(1));
    assert.doesNotMatch(await says(one), /warning/);
    write(join(one.state, 'slot0'), torn);
    assert.match(await says(one), /^warning: .*slot0: check.*slot1: length: 63 bytes instead of 64; .*full handshake/m);
  });

  it('refuses a state that is not one, or that others may read, with file, field and reason; nothing is destroyed', async () => {
    const one = await device('keys');
    const file = join(one.state, 'state');
    const refused = async (reason: string): Promise<void> => {
      const before = readFileSync(file);
      const started = new Process(...one.args);
      assert.equal(await started.ended(), 2);
      assert.equal(started.err, `hawser: ${file}: ${reason}\n`);
      assert.ok(existsSync(file) && readFileSync(file).equals(before));
    };
    write(file, '{"version":1,"blob":"00","names":[]}');
    await refused('blob: length: 1 bytes; 28..256 are possible');
    chmodSync(file, 0o604);
    await refused('mode 0604 lets others at a secret; chmod 600 it');
  });
});
