/** `hawser restore`: a device of mode ticket that went on while the store fell back to a backup. */

import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../lib/device.js';
import type { Session } from '../../lib/device.js';
import { readPairing } from '../../lib/pairing.js';
import { FileStorage } from '../../lib/storage.js';
import {
  cli,
  done,
  freePort,
  gatewayFolder,
  killChildren,
  mistake,
  Process,
  removeFolders,
  upstream,
} from './harness.js';

interface World {
  path: string;
  config: string;
  events: string;
  gateway: Process;
}

const servers: Server[] = [];

async function start(config: string, events: string): Promise<Process> {
  const gateway = new Process('gateway', '-c', config, '--events', events);
  await gateway.says(/listening on/);
  return gateway;
}

/** A gateway with an echo upstream and a device `pump` of mode ticket. */
async function world(): Promise<World> {
  const { server, port } = await upstream((socket) => void socket.pipe(socket));
  servers.push(server);
  const own = await freePort();
  const { path, config } = await gatewayFolder({
    host: '"127.0.0.1"',
    port: String(own),
    mqtt: `"tcp://127.0.0.1:${port}"`,
  });
  const pair = (name: string, mode: string): Promise<unknown> =>
    done(
      ...['pair', name, '--allow', 'mqtt', '--mode', mode, '--address', `127.0.0.1:${own}`],
      ...['-o', join(path, `${name}.json`), '-c', config],
    );
  await pair('pump', 'ticket');
  await pair('lock', 'keys');
  const events = join(path, 'events');
  return { path, config, events, gateway: await start(config, events) };
}

/** Boots the device: it goes to the next block. */
function device({ path }: World): Promise<Session> {
  return connect({
    pairing: readPairing(readFileSync(join(path, 'pump.json'))),
    storage: new FileStorage(join(path, 'pump.state')),
    backoff: { min: 50, max: 100 },
    lazy: true,
  });
}

async function ask(session: Session, question: string): Promise<string> {
  await session.firstLink;
  const stream = await session.open('mqtt');
  stream.end(question);
  let answer = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) answer += chunk.toString();
  return answer;
}

async function starts(one: World, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const session = await device(one);
    assert.equal(await ask(session, `start ${n}`), `start ${n}`);
    await session.close();
  }
}

const drops = (file: string): number => readFileSync(file, 'utf8').split('"event":"drop"').length - 1;

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 15_000; !holds(); await sleep(20))
    if (Date.now() > end) throw new Error(`not within 15 s: ${what}`);
}

interface Status {
  store: { incarnation: string; restored: { devices: number; ahead: number } };
}
const statusOf = async (config: string): Promise<Status['store']> =>
  (JSON.parse((await done('status', '-c', config, '--json')).out) as Status).store;

describe('hawser restore', function () {
  this.timeout(60_000);
  this.slow(20_000);
  afterEach(() => {
    killChildren();
    servers.splice(0).forEach((server) => server.close());
    removeFolders();
  });

  /** The store as it was four starts of the device ago, a gateway on it, and the device, which is not answered. */
  async function fallenBack(): Promise<{ one: World; session: Session }> {
    const one = await world();
    const [store, backup] = [join(one.path, 'store'), join(one.path, 'backup')];
    await starts(one, 1);
    assert.equal(await one.gateway.stop(), 0);
    cpSync(store, backup, { recursive: true });
    one.gateway = await start(one.config, one.events);
    await starts(one, 4);
    assert.equal(await one.gateway.stop(), 0);
    rmSync(store, { recursive: true });
    cpSync(backup, store, { recursive: true });
    one.gateway = await start(one.config, one.events);
    const before = drops(one.events);
    const session = await device(one);
    await until('it has tried four times', () => drops(one.events) >= before + 4);
    assert.equal(session.live, false);
    return { one, session };
  }

  it('beside a running gateway: the device that was not answered comes back, and J falls to what it was', async () => {
    const { one, session } = await fallenBack();
    const before = await statusOf(one.config);
    const { out, err } = await done('restore', '-c', one.config, '--json');
    const report = JSON.parse(out) as { version: number; incarnation: string; ahead: number; devices: object };
    assert.equal(report.version, 1);
    assert.equal(report.ahead, 64);
    assert.deepEqual(report.devices, { ticket: 1, other: 1 });
    assert.notEqual(report.incarnation, before.incarnation);
    assert.match(err, /new incarnation [0-9a-f]{16}\ndevices of mode ticket: 1, looked for 64 blocks ahead/);
    assert.equal((await statusOf(one.config)).incarnation, report.incarnation);
    assert.equal(await ask(session, 'back'), 'back');
    assert.deepEqual((await statusOf(one.config)).restored, { devices: 0, ahead: 2 });
    await session.close();
    await starts(one, 2);
  });

  it('while the gateway is stopped: so it does when the gateway is there again', async () => {
    const { one, session } = await fallenBack();
    assert.equal(await one.gateway.stop(), 0);
    await done('restore', '--ahead', '5', '-c', one.config);
    assert.deepEqual((await statusOf(one.config)).restored, { devices: 1, ahead: 5 });
    assert.match((await done('status', '-c', one.config)).out, /blocks ahead +2, up to 5 for 1 devices/);
    one.gateway = await start(one.config, one.events);
    assert.equal(await ask(session, 'back'), 'back');
    await session.close();
  });

  it('refuses what cannot be meant, and does nothing then', async () => {
    const { config } = await gatewayFolder();
    await mistake(/--ahead: "1" is not a whole number of 2\.\.250/, 'restore', '--ahead', '1', '-c', config);
    await mistake(/--ahead: "251" is not/, 'restore', '--ahead', '251', '-c', config);
    await mistake(/one argument too many: "backup"/, 'restore', 'backup', '-c', config);
    assert.equal((await cli('restore', '-c', '/nowhere/gateway.toml')).status, 2);
  });
});
