/** `hawser gateway` and `hawser connect` as processes: signals, new and revoked pairings while they run. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { done, freePort, gatewayFolder, killChildren, Process, removeFolders, upstream } from './harness.js';

interface Running {
  config: string;
  path: string;
  gateway: Process;
  events: string;
}

interface Local {
  process: Process;
  port: number;
  events: string;
}

const servers: Server[] = [];

/** A gateway process whose upstream `mqtt` is served by `serve`. */
async function running(serve: (socket: Socket) => void, options: Record<string, string> = {}): Promise<Running> {
  const { server, port } = await upstream(serve);
  servers.push(server);
  const own = {
    host: '"127.0.0.1"',
    port: String(await freePort()),
    mqtt: `"tcp://127.0.0.1:${port}"`,
    policy_interval: '"200ms"',
  };
  const { path, config } = await gatewayFolder({ ...own, ...options });
  const events = join(path, 'gateway.events');
  const gateway = new Process('gateway', '-c', config, '--events', events);
  await gateway.says(/listening on/);
  return { config, path, gateway, events };
}

async function device({ config, path }: Running, name: string, ...more: string[]): Promise<Local> {
  const port = Number(/^port = (\d+)$/m.exec(readFileSync(config, 'utf8'))![1]);
  const file = join(path, `${name}.json`);
  await done('pair', name, '--allow', 'mqtt', '--address', `127.0.0.1:${port}`, '-o', file, '-c', config, ...more);
  return joined(path, name, file);
}

async function joined(path: string, name: string, file: string): Promise<Local> {
  const events = join(path, `${name}.events`);
  const args = ['--pairing', file, '--state', join(path, `${name}.state`), '--forward', '0=mqtt', '--events', events];
  const process = new Process('connect', ...args);
  const [, port] = await process.says(/127\.0\.0\.1:(\d+) leads to mqtt/);
  return { process, port: Number(port), events };
}

const echo = (socket: Socket): void => void socket.pipe(socket);

/** Sends a text through a local port, ends its side, and gives what comes back. */
async function ask(port: number, question: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(question);
  let answer = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) answer += chunk.toString();
  return answer;
}

interface Line {
  version: number;
  time: number;
  event: string;
  [key: string]: unknown;
}
const lines = (file: string): Line[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within 15 s: ${what}`);
    await sleep(20);
  }
}

describe('hawser gateway and connect', function () {
  this.timeout(60_000);
  this.slow(20_000);
  afterEach(() => {
    killChildren();
    servers.splice(0).forEach((server) => server.close());
    removeFolders();
  });

  it('carries a stream, ends politely on SIGTERM and SIGINT, and resumes from its state', async () => {
    const world = await running(echo);
    const first = await device(world, 'pump', '--mode', 'ticket');
    assert.equal(await ask(first.port, 'hello'), 'hello');
    assert.equal(await first.process.stop('SIGINT'), 0);
    const again = await joined(world.path, 'pump', join(world.path, 'pump.json'));
    assert.equal(await ask(again.port, 'again'), 'again');
    assert.equal(await again.process.stop('SIGTERM'), 0);
    assert.equal(await world.gateway.stop('SIGTERM'), 0);
    for (const process of [first.process, again.process, world.gateway]) {
      assert.equal(process.out, '');
      assert.doesNotMatch(process.err, /\n {4}at /);
    }
    const seen = lines(again.events);
    assert.ok(seen.every(({ version, time, event }) => version === 1 && time > 0 && event !== ''));
    const handshakes = seen.filter(({ event }) => event === 'handshake');
    assert.deepEqual(
      handshakes.map(({ kind, ecdh }) => [kind, ecdh]),
      [
        ['resumption', 0],
        ['resumption', 0],
      ],
    );
    assert.equal(lines(world.events).filter(({ event }) => event === 'handshake').length, 2);
    assert.equal(seen.at(-1)!.event, 'stopped');
    for (const file of [again.events, world.events]) assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('on SIGTERM the gateway finishes what is in flight, and takes no new connection', async () => {
    let answer: (() => void) | undefined;
    const world = await running((socket) => {
      socket.resume();
      answer = () => socket.end('late answer');
    });
    const one = await device(world, 'slow');
    const asked = ask(one.port, 'question');
    await until('the upstream has it', () => answer !== undefined);
    world.gateway.child.kill('SIGTERM');
    await world.gateway.says(/SIGTERM: finishing/);
    await sleep(300);
    const port = Number(/^port = (\d+)$/m.exec(readFileSync(world.config, 'utf8'))![1]);
    await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
    answer!();
    assert.equal(await asked, 'late answer');
    assert.equal(await world.gateway.ended(), 0);
  });

  /** That it stops at all is the test: what hangs would hold it for ever. */
  it('what never ends does not hold the gateway up once limits.shutdown is over', async () => {
    const world = await running((socket) => void socket.resume(), { shutdown: '"500ms"' });
    const one = await device(world, 'hung');
    const socket = connect(one.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('x');
    await until(
      'the session is there',
      () => existsSync(world.events) && lines(world.events).some(({ event }) => event === 'session'),
    );
    await sleep(200);
    assert.equal(await world.gateway.stop(), 0);
    socket.destroy();
  });

  it('a pairing made while the gateway runs is served, one that is revoked ends at once and for good', async () => {
    const world = await running(echo);
    const one = await device(world, 'pump');
    const other = await device(world, 'lock');
    assert.equal(await ask(one.port, 'a'), 'a');
    assert.equal(await ask(other.port, 'b'), 'b');
    const socket = connect(one.port, '127.0.0.1');
    const cut = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.write('still');
    await once(socket, 'data');
    await done('revoke', 'pump', '-c', world.config);
    await cut;
    assert.equal(await one.process.ended(), 1);
    assert.match(one.process.err, /revoked/i);
    assert.equal(await ask(other.port, 'c'), 'c');
    const again = new Process(
      'connect',
      '--pairing',
      join(world.path, 'pump.json'),
      '--state',
      join(world.path, 'pump.state'),
      '--forward',
      '0=mqtt',
    );
    await again.says(/leads to mqtt/);
    await until('the gateway drops it', () =>
      lines(world.events).some(({ event, reason }) => event === 'drop' && reason === 'revoked'),
    );
    assert.equal(await again.stop(), 0); // it may go on trying, and still ends when told to
  });

  it('an upstream that is down resets the local client alone', async () => {
    const world = await running(echo, { http: `"tcp://127.0.0.1:${await freePort()}"` });
    const one = await device(world, 'pump', '--allow', 'http');
    const httpPort = await freePort();
    assert.equal(await one.process.stop(), 0);
    const args = ['--pairing', join(world.path, 'pump.json'), '--state', join(world.path, 'pump.state')];
    const both = new Process('connect', ...args, '--forward', '0=mqtt', '--forward', `${httpPort}=http`);
    const [, mqttPort] = await both.says(/127\.0\.0\.1:(\d+) leads to mqtt/);
    await both.says(/leads to http/);
    await assert.rejects(ask(httpPort, 'x'), { code: 'ECONNRESET' });
    assert.equal(await ask(Number(mqttPort), 'y'), 'y');
    await both.says(/http: .*unreachable/i);
  });

  it('a port that is taken is one clear line and status 2', async () => {
    const world = await running(echo);
    const taken = await freePort();
    const { server } = await upstream(() => undefined);
    const inUse = (server.address() as { port: number }).port;
    servers.push(server);
    await done('pair', 'x', '--allow', 'mqtt', '-o', join(world.path, 'x.json'), '-c', world.config);
    const process = new Process(
      'connect',
      '--pairing',
      join(world.path, 'x.json'),
      '--gateway',
      `127.0.0.1:${taken}`,
      '--forward',
      `${inUse}=mqtt`,
    );
    assert.equal(await process.ended(), 2);
    assert.equal(process.err, `hawser: --forward ${inUse}=mqtt: the port is in use\n`);
    const second = new Process('gateway', '-c', world.config);
    assert.notEqual(await second.ended(), 0);
    assert.match(second.err, /^hawser: [^\n]*EADDRINUSE[^\n]*\n$/);
  });
});
