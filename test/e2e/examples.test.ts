/** The examples of the README run as they stand there, against the built package. */

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { done, folder, freePort, gatewayFolder, removeFolders, upstream } from '../cli/harness.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = (name: string): string => readFileSync(join(root, 'examples', name), 'utf8');

const children: ChildProcess[] = [];
let echo: Server;

/** In a folder where `hawser` resolves as for somebody who installed it. */
function start(cwd: string, ...argv: string[]): { child: ChildProcess; text: () => string } {
  const child = spawn(process.execPath, argv, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  return { child, text: () => text };
}

async function says(child: ChildProcess, text: () => string, wanted: string): Promise<void> {
  while (!text().includes(wanted)) {
    if (child.exitCode !== null) assert.fail(`ended before it said "${wanted}": ${text()}`);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
  }
}

describe('the examples', function () {
  this.timeout(60_000);

  before(async () => {
    const made = await upstream((socket) => socket.pipe(socket));
    echo = made.server;
  });
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    echo.close();
    removeFolders();
  });

  for (const name of ['gateway.mjs', 'device.mjs'])
    it(`${name} stands in the README as it is`, () => {
      const readme = readFileSync(join(root, 'README.md'), 'utf8');
      assert.ok(readme.includes(source(name).trimEnd()), `README.md lacks the text of examples/${name}`);
    });

  for (const mode of ['keys', 'psk', 'ticket'])
    it(`a device in Node reaches an upstream through a gateway in Node (${mode})`, async () => {
      const { port } = echo.address() as { port: number };
      const listen = await freePort();
      const { path, config } = await gatewayFolder({
        host: '"127.0.0.1"',
        port: String(listen),
        mqtt: `"tcp://127.0.0.1:${port}"`,
      });
      await done('pair', 'meter', '--allow', 'mqtt', '--mode', mode, '-c', config, '-o', join(path, 'meter.json'));
      const cwd = folder();
      mkdirSync(join(cwd, 'node_modules'));
      symlinkSync(root, join(cwd, 'node_modules', 'hawser'));
      const gateway = start(cwd, join(root, 'examples', 'gateway.mjs'), config);
      await says(gateway.child, gateway.text, 'listening');
      const device = start(cwd, join(root, 'examples', 'device.mjs'), join(path, 'meter.json'), 'mqtt', String(listen));
      const sent = `reading ${mode} ${'x'.repeat(100_000)}\n`;
      device.child.stdin?.end(sent);
      const [code] = (await once(device.child, 'exit')) as [number | null];
      assert.equal(code, 0);
      assert.equal(device.text(), sent);
      gateway.child.kill('SIGTERM');
      const [status] = (await once(gateway.child, 'exit')) as [number | null];
      assert.equal(status, 0);
    });
});
