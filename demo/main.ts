/**
 * npm run demo [-- --quick] [--seed N] [--keep]: hawser's main job on one machine, in real separate processes.
 *
 * A real MQTT broker and HTTP server stand behind `hawser gateway`; three devices, one per mode, are `hawser connect`; an
 * unmodified MQTT client and an unmodified HTTP client work through each. Phase 1 tears the links; phase 2 kills the device
 * processes; phase 3 kills the gateway. What must hold is checked from what the clients and the subscriber saw.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { table, wantsColors } from '../lib/cli/io.js';
import { Checks, order } from './checks.js';
import type { DemoDevice } from './device.js';
import { handshakeRows, handshakes } from './handshakes.js';
import type { Pair } from './handshakes.js';
import { Progress } from './progress.js';
import { Random } from './random.js';
import { buildWorld } from './world.js';
import type { World } from './world.js';

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, seed: { type: 'string' }, keep: { type: 'boolean' } },
});
const seed = values.seed ?? randomBytes(4).toString('hex');
const size = values.quick
  ? { messages: 200, more: 200, file: 6 * 2 ** 20 + 12_345, pace: 2 * 2 ** 20 }
  : { messages: 2000, more: 1000, file: 100 * 2 ** 20 + 12_345, pace: 10 * 2 ** 20 };
/** Messages are spread over the download. */
const transferSeconds = size.file / size.pace;
const MIN_CUTS = 10;
const PHASE_MS = values.quick ? 60_000 : 300_000;

const colors = pc.createColors(wantsColors(process.env, process.stderr.isTTY));
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const checks = new Checks();

/** Until every message is acknowledged to its client and has arrived, and every file is complete. */
async function finished(world: World, to: number): Promise<void> {
  const signal = AbortSignal.timeout(PHASE_MS);
  const missing = (device: DemoDevice): boolean =>
    device.acked.size < to ||
    device.download.sha256 === undefined ||
    new Set(world.arrivals.get(device.mode)!.map(({ n }) => n)).size < to;
  for (const device of world.devices) {
    while (missing(device)) {
      if (signal.aborted)
        throw new Error(`device ${device.mode}: not done after ${PHASE_MS / 1000} s; ${unfinished(world, device, to)}`);
      await Promise.race([once(device, 'change'), sleep(200)]);
    }
  }
}

function unfinished(world: World, device: DemoDevice, to: number): string {
  const arrived = new Set(world.arrivals.get(device.mode)!.map(({ n }) => n));
  const numbers = Array.from({ length: to }, (_, i) => i + 1);
  const list = (of: Set<number>): string =>
    numbers
      .filter((n) => !of.has(n))
      .slice(0, 10)
      .join(' ') || 'none';
  return `not arrived: ${list(arrived)}; not acknowledged: ${list(device.acked)}`;
}

/** Runs one phase's load to its end while `trouble` makes trouble. */
async function phase(
  world: World,
  title: string,
  from: number,
  to: number,
  trouble: () => Promise<unknown>,
): Promise<void> {
  say(colors.bold(title));
  const progress = new Progress(world, '  ', size.file, to);
  for (const device of world.devices) {
    device.publish({ from, to, perSecond: (to - from + 1) / transferSeconds });
    device.startDownload();
  }
  try {
    await Promise.all([trouble(), finished(world, to)]);
  } finally {
    progress.end();
  }
}

/** Until a device is in the middle of its download and has just published. */
async function underLoad(device: DemoDevice, random: Random): Promise<void> {
  const share = 0.2 + random.next() * 0.3;
  while (device.download.bytes < share * size.file && device.download.sha256 === undefined)
    await once(device, 'change');
  await once(device, 'burst');
}

function checkMessages(world: World, title: string, from: number, to: number, exactlyOnce: boolean): void {
  for (const device of world.devices) {
    const seen = world.arrivals.get(device.mode)!;
    const { missing, repeated, inOrder } = order(
      seen.map(({ n }) => n),
      from,
      to,
    );
    const count = to - from + 1;
    checks.add(
      `${title}, ${device.mode}: none of ${count} messages lost`,
      missing.length === 0,
      missing.slice(0, 5).join(', '),
    );
    if (exactlyOnce) {
      checks.add(
        `${title}, ${device.mode}: each exactly once and in order`,
        repeated.length === 0 && inOrder,
        `${repeated.length} repeated`,
      );
    } else {
      const unexplained = repeated.filter((n) => !device.redelivered.has(n));
      checks.add(
        `${title}, ${device.mode}: repeated only what MQTT itself sent again with DUP`,
        unexplained.length === 0,
        `${repeated.length} repeated, ${device.redelivered.size} sent with DUP by now`,
      );
    }
    checks.equal(`${title}, ${device.mode}: publishes that failed`, device.failed.length, 0);
  }
}

function checkFiles(world: World, title: string, broken: boolean): void {
  for (const { mode, download } of world.devices) {
    checks.add(
      `${title}, ${mode}: SHA-256 of ${download.bytes} bytes equals`,
      download.sha256 === world.sha256,
      download.sha256!.slice(0, 16),
    );
    const ranges = download.requests.slice(1);
    const places = [...new Set(ranges)].join(', ');
    if (!broken) checks.equal(`${title}, ${mode}: requests that the HTTP client needed`, download.requests.length, 1);
    else
      checks.add(
        `${title}, ${mode}: the HTTP client went on by Range`,
        ranges.length >= 1,
        `${ranges.length} requests, from byte ${places}`,
      );
  }
}

async function tearLinks(world: World): Promise<void> {
  // at least MIN_CUTS links must die before the file is through, so none may carry more than a share of it
  const most = Math.floor(size.file / (MIN_CUTS + 2));
  world.chaos({ arm: [Math.floor(most / 5), most] });
  await Promise.all(
    world.devices.map(async (device) => {
      while (device.download.sha256 === undefined) await once(device, 'change');
    }),
  );
  world.chaos({ disarm: true });
}

function checkCuts(world: World): void {
  for (const device of world.devices) {
    const cuts = world.cuts.filter(({ cut }) => cut === device.index);
    const torn = cuts.filter((one) => one.torn).length;
    checks.add(
      `phase 1, ${device.mode}: link cut at least ${MIN_CUTS} times`,
      cuts.length >= MIN_CUTS,
      `${cuts.length} times, ${torn} within a message or record`,
    );
    checks.equal(`phase 1, ${device.mode}: connections of the MQTT client`, device.mqttConnects, 1);
  }
}

const killDevices = (world: World): Promise<unknown> => Promise.all(world.devices.map(killDevice));

async function killDevice(device: DemoDevice): Promise<void> {
  const random = new Random(`${seed}/kill ${device.mode}`);
  await underLoad(device, random);
  const connects = device.mqttConnects;
  await device.kill();
  await sleep(random.between(100, 1000));
  const again = Date.now();
  await device.connect();
  await checkResumed(device, again, 'phase 2');
  while (device.mqttConnects === connects) await once(device, 'change');
}

/** After a kill: by resumption, without ECDH, and with a new session, since the old streams' other ends died. */
async function checkResumed(device: DemoDevice, since: number, title: string): Promise<void> {
  await device.events.wait('handshake', since);
  const first = device.events.handshakes().find(({ time }) => time >= since)!;
  const found = { kind: first.kind, ecdh: first.ecdh, continued: first.continued };
  const ok = found.kind === 'resumption' && found.ecdh === 0 && !found.continued;
  checks.add(`${title}, ${device.mode}: came back by resumption, without ECDH`, ok, JSON.stringify(found));
}

async function killGateway(world: World): Promise<void> {
  const random = new Random(`${seed}/kill gateway`);
  await Promise.all(world.devices.map((device) => underLoad(device, random)));
  const broken = world.devices.map((device) => device.download.sha256 === undefined);
  const killed = Date.now();
  await world.killGateway();
  await sleep(random.between(100, 1000));
  await world.startGateway();
  for (const [i, device] of world.devices.entries()) {
    await checkResumed(device, killed, 'phase 3');
    const ends = await device.events.wait('stream', killed);
    const codes = device.events
      .since(killed, 'stream')
      .map(({ error }) => (error as { code?: string } | undefined)?.code);
    checks.add(
      `phase 3, ${device.mode}: streams reported their error`,
      broken[i]! && codes.includes('ERR_HAWSER_STATE_LOST'),
      `${ends.event}: ${codes.join(', ')}`,
    );
  }
}

function checkHandshakes(pairs: Pair[]): void {
  const resumptions = pairs.filter(({ own }) => own.kind === 'resumption');
  const withEarly = resumptions.filter(({ own }) => own['early'] !== 0).length;
  const heavy = resumptions.filter(({ own, gateway }) => own.ecdh !== 0 || (gateway?.ecdh ?? 0) !== 0);
  const long = resumptions.filter(({ own }) => own['early'] === 0 && own.sent + own.received > 84);
  const slow = pairs.filter(({ own }) => own.roundTrips !== 1);
  checks.add(
    'handshakes: resumptions without ECDH',
    heavy.length === 0 && resumptions.length > 0,
    `${resumptions.length} resumptions`,
  );
  checks.add(
    'handshakes: resumptions of at most 84 bytes, both ways together',
    long.length === 0,
    `${withEarly} with early data beside`,
  );
  checks.add('handshakes: one round trip each', slow.length === 0, `${pairs.length} handshakes`);
  const ticket = pairs.filter(({ device, own }) => device.mode === 'ticket' && own.kind === 'full');
  checks.add('handshakes: mode ticket never needed a full one', ticket.length === 0);
}

const out = pc.createColors(wantsColors(process.env, process.stdout.isTTY));

function showHandshakes(pairs: Pair[]): void {
  process.stdout.write("\nHandshakes that happened (a dash: cut before the gateway had the device's first record)\n\n");
  process.stdout.write(table(handshakeRows(pairs), out));
}

function showChecks(world: World): void {
  const lines = checks.all.map(
    ({ what, ok, detail }) =>
      `${ok ? out.green('ok  ') : out.red('FAIL')}  ${what}${detail === '' ? '' : `  (${detail})`}`,
  );
  process.stdout.write(`\nWhat must hold (seed ${seed}, broker ${world.broker})\n\n${lines.join('\n')}\n`);
}

async function play(world: World): Promise<void> {
  const phases: number[] = [];
  await world.startGateway();
  for (const device of world.devices) await device.connect();
  for (const device of world.devices) await device.startClients();

  const [first, second, third] = [size.messages, size.messages + size.more, size.messages + 2 * size.more];
  phases.push(Date.now());
  await phase(
    world,
    `phase 1: ${first} messages and ${size.file} bytes for each device, links are torn`,
    1,
    first,
    () => tearLinks(world),
  );
  checkMessages(world, 'phase 1', 1, first, true);
  checkFiles(world, 'phase 1', false);
  checkCuts(world);

  phases.push(Date.now());
  await phase(world, 'phase 2: each device process is killed under load', first + 1, second, () => killDevices(world));
  checkMessages(world, 'phase 2', first + 1, second, false);
  checkFiles(world, 'phase 2', true);

  phases.push(Date.now());
  await phase(world, 'phase 3: the gateway is killed under load', second + 1, third, () => killGateway(world));
  checkMessages(world, 'phase 3', second + 1, third, false);
  checkFiles(world, 'phase 3', true);

  world.devices.forEach((device) => device.stopClients());
  for (const device of world.devices)
    checks.equal(`end, ${device.mode}: exit status of hawser connect on SIGTERM`, await device.stop(), 0);
  checks.equal('end: exit status of hawser gateway on SIGTERM', await world.stopGateway(), 0);
  const pairs = handshakes(world.devices, world.gatewayEvents, phases);
  checkHandshakes(pairs);
  showHandshakes(pairs);
  showChecks(world);
}

/** Builds the world, plays, and cleans up what nobody will want to read. */
async function run(): Promise<void> {
  const world = await buildWorld(seed, size.file, size.pace);
  say(`processes' logs and files in ${world.folder}; MQTT broker: ${world.broker}`);
  try {
    await play(world);
  } catch (error) {
    checks.add('the demo came to its end', false, (error as Error).message);
    showChecks(world);
  }
  if (checks.held && !values.keep) await rm(world.folder, { recursive: true });
}

async function main(): Promise<number> {
  const started = Date.now();
  say(`seed ${seed} (npm run demo -- --seed ${seed} plays the same cuts)`);
  try {
    await run();
  } catch (error) {
    checks.add('the demo could be set up', false);
    say(colors.red((error as Error).message));
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  const verdict = checks.held ? colors.green('all held') : colors.red('something did not hold');
  process.stdout.write(`\n${verdict} after ${seconds} s\n`);
  return checks.held ? 0 : 1;
}

process.exit(await main());
