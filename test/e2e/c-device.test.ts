/** The device of examples/ in C, on either crypto port and in a build without the gateway's half, against `hawser gateway`. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { done, upstream } from '../cli/harness.js';
import { pattern } from '../suite/bytes.js';
import { end, gateway, handshakes, keep, root, run, type World } from './world.js';

const build = join(root, 'build', 'examples');
const read = (file: string): string => readFileSync(file, 'utf8');

const none = Buffer.alloc(0);
const device = (port: string, args: string[], input: Uint8Array, program = 'example-device') =>
  run([join(build, `${program}-${port}`), ...args], input);

/** A way to the gateway whose first connections are torn after so many bytes. */
async function tearing(target: number, afters: number[]): Promise<number> {
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    let left = afters.shift() ?? Infinity;
    const both = (from: Socket, to: Socket): void => {
      from.on('data', (piece: Buffer) => {
        left -= piece.length;
        if (left > 0) return void to.write(piece);
        near.resetAndDestroy();
        far.resetAndDestroy();
      });
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
    };
    both(near, far);
    both(far, near);
  }).listen(0, '127.0.0.1');
  keep(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('the device in C', function () {
  this.timeout(120_000);
  let world: World;

  before(async () => {
    const options = ['-DHAWSER_TESTING=OFF', '-DHAWSER_EXAMPLES=ON', '-DHAWSER_GATEWAY=OFF'];
    execFileSync('cmake', ['-S', join(root, 'csrc'), '-B', build, '-G', 'Ninja', ...options], { stdio: 'pipe' });
    execFileSync('cmake', ['--build', build], { stdio: 'pipe' });
    const { server, port } = await upstream((socket) => socket.pipe(socket));
    keep(server);
    world = await gateway(`tcp://127.0.0.1:${port}`);
  });
  after(end);

  it('stands in the README as it is', () => {
    const [, block] =
      /<!-- device\.c:begin -->\n```c\n(.*?)```\n<!-- device\.c:end -->/s.exec(read(join(root, 'README.md'))) ?? [];
    assert.ok(block && block.length > 1000);
    assert.ok(
      read(join(root, 'examples/device.c')).includes(block),
      'README.md shows other lines than examples/device.c has',
    );
  });

  const variants = [
    { name: 'psk', options: ['--mode', 'psk'] },
    { name: 'keys-p256', options: ['--mode', 'keys', '--suite', 'p256'] },
    { name: 'keys-psk', options: ['--mode', 'keys+psk', '--suite', '25519'] },
    { name: 'ticket', options: ['--mode', 'ticket'] },
  ];
  for (const port of ['openssl', 'psa'])
    for (const { name, options } of variants)
      it(`${name} on ${port}: carries a stream across torn links, and resumes from its flash`, async () => {
        const id = `${name}-${port}`;
        const file = join(world.path, `${id}.bin`);
        await done('pair', id, '--allow', 'mqtt', '--format', 'bin', '-o', file, '-c', world.config, ...options);
        const before = read(world.events).length;
        const torn = await tearing(world.listen, [90_000, 150_000]);
        const bytes = pattern(400_000, 7);
        const first = await device(port, [file, '127.0.0.1', String(torn), 'mqtt'], bytes);
        assert.equal(first.code, 0);
        assert.ok(first.out.equals(bytes), `${first.out.length} of ${bytes.length} bytes came back`);
        const slots = [0, 1].map((i) => `${file}.slot${i}`).filter((slot) => existsSync(slot));
        assert.equal(slots.filter((slot) => readFileSync(slot, 'latin1').startsWith('HWSL')).length, 1);

        const second = await device(port, [file, '127.0.0.1', String(world.listen), 'mqtt'], Buffer.from('again\n'));
        assert.equal(second.code, 0);
        assert.equal(second.out.toString(), 'again\n');
        const kinds = await handshakes(world.events, before, 4);
        const begins = name === 'ticket' ? 'resumption' : 'full';
        assert.deepEqual(kinds, [begins, 'resumption', 'resumption', 'resumption'], 'torn links and a boot resume');
      });

  it('messages alone, in a build without streams: each link is a new session, the second one a resumption', async () => {
    const socket = keep(createSocket('udp4'));
    socket.on('message', (message, from) => socket.send(message, from.port, from.address));
    await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
    const { path, config, events, listen } = await gateway(`udp://127.0.0.1:${socket.address().port}`);
    for (const port of ['openssl', 'psa'])
      for (const { name, options } of variants) {
        const id = `${name}-${port}`;
        const file = join(path, `${id}.bin`);
        await done('pair', id, '--allow', 'mqtt', '--format', 'bin', '-o', file, '-c', config, ...options);
        const before = read(events).length;
        const { code, out } = await device(port, [file, '127.0.0.1', String(listen), 'mqtt'], none, 'messages-device');
        assert.equal(code, 0, id);
        assert.match(
          out.toString(),
          /^(ping\n){2,}$/,
          `${id}: one answer for each link, and one more where it was slow`,
        );
        const first = name === 'ticket' ? 'resumption' : 'full';
        assert.deepEqual(await handshakes(events, before, 2), [first, 'resumption'], id);
        assert.ok(!read(events).slice(before).includes('"continued":true'), id);
      }
  });

  it('ends with an error for an upstream that it may not reach, or a pairing that is none', async () => {
    const file = join(world.path, 'denied.bin');
    await done('pair', 'denied', '--allow', 'mqtt', '--format', 'bin', '-o', file, '-c', world.config);
    const denied = await device('openssl', [file, '127.0.0.1', String(world.listen), 'http'], Buffer.from('x'));
    assert.deepEqual([denied.code, denied.out.length], [1, 0]);
    for (const bad of [world.config, join(world.path, 'missing.bin')])
      assert.equal((await device('psa', [bad, '127.0.0.1', '1', 'mqtt'], none)).code, 2);
    assert.equal((await device('psa', [], none)).code, 2);
  });
});
