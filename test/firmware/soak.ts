/**
 * npm run firmware:soak [-- --cuts 1000] [--image an386-ticket] [--seed N]
 *
 * A device in the emulator whose power goes at random points: anywhere in time, at any step of its flash, at any byte on its line,
 * asleep, and without coverage. Ends with 1 if anything in test/firmware/ledger.ts did not hold. The seed gives the plan again,
 * and which bits a cut in the flash leaves; where exactly a cut in time falls is the machine's.
 */

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fetchSources, images, needTools, type BoardName, type BuildName } from '../../tools/firmware-build.mjs';
import { removeFolders } from '../cli/harness.js';
import { Ledger, readJournal } from './ledger.js';
import { pages, until } from './machine.js';
import { World, type Device } from './world.js';

export interface Plan {
  cuts: number;
  board: BoardName;
  build: BuildName;
  variant?: string;
  seed: number;
  /** Some kinds of cycles alone. */
  kinds?: readonly Kind[];
  tell?: (text: string) => void;
}

type Random = (below: number) => number;

function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** One power cycle, until the cut. */
type Run = (device: Device, random: Random) => Promise<void>;

const some = (random: Random): { readings: number; readingMs: number } => ({
  readings: 1 + random(4),
  readingMs: 1 + random(60),
});

const hasDelivered = (device: Device): boolean => device.lines.some((line) => line.startsWith('delivered'));

const delivered = (device: Device): Promise<unknown> =>
  until('a delivery', () => {
    device.machine.check();
    return hasDelivered(device);
  });

const cycles = {
  /** At any time. */
  time: async (device, random) => {
    device.machine.start(some(random));
    await sleep(random(600));
  },
  /** At any step of the flash, or, where it does not get there, once all is delivered. */
  flash: async (device, random) => {
    device.machine.start({ ...some(random), cutAfter: 1 + random(160) });
    await until('the cut', () => device.machine.atCut || hasDelivered(device));
  },
  /** At any byte, either way; or, where there are not so many, once a reading is delivered. */
  line: async (device, random) => {
    const { line } = device;
    const [to, from] = [line.toGateway + random(300), line.toBoard + random(200)];
    device.machine.start(some(random));
    await until('the byte', () => {
      device.machine.check();
      return line.toGateway >= to || line.toBoard >= from || hasDelivered(device);
    });
  },
  /** Where nobody hears it. */
  unreachable: async (device, random) => {
    device.line.up = false;
    device.machine.start({ readings: random(2) });
    const lost = device.line.lost + 1 + random(60);
    await until('message 1', () => {
      device.machine.check();
      return device.line.lost >= lost;
    });
  },
  /** Resumes warm, some times. */
  warm: async (device, random) => {
    device.machine.start(some(random));
    await delivered(device);
    for (let i = 0; i <= random(3); i++) {
      const before = count(device, 'resumption 1');
      device.line.noise();
      device.machine.more(1);
      await until('a warm resumption', () => {
        device.machine.check();
        return count(device, 'resumption 1') > before;
      });
    }
    await sleep(random(20));
  },
  /** Deep sleep either way, out of which it wakes, or does not. */
  asleep: async (device, random) => {
    device.machine.start({ readings: 1 });
    await delivered(device);
    const kind = random(2) === 0 ? 'retained' : 'flash';
    device.command(`${kind} 1`);
    await device.machine.asleep();
    if (random(3) === 0) return;
    device.machine.start({ woken: kind === 'retained', readings: 1, readingMs: 1 + random(30) });
    await sleep(random(300));
  },
  /** The gateway goes first. */
  gateway: async (device, random) => {
    device.machine.start(some(random));
    await sleep(random(300));
    await device.world.crashGateway();
    await sleep(random(300));
  },
} satisfies Record<string, Run>;

export type Kind = keyof typeof cycles;

/** How often each is drawn; the gateway's crash is added once in a hundred. */
const weights: Kind[] = [
  'time',
  'time',
  'time',
  'flash',
  'flash',
  'flash',
  'line',
  'line',
  'unreachable',
  'warm',
  'asleep',
];

const count = (device: Device, line: string): number => device.lines.filter((each) => each === line).length;

export async function soak(world: World, { cuts, board, build, variant, seed, kinds, tell }: Plan): Promise<Ledger> {
  const random = randomFrom(seed);
  const device = await world.device(board, build, variant ?? 'trace');
  const torn = randomFrom(~seed);
  device.machine.torn = () => torn(2 ** 32);
  const ledger = new Ledger();
  const drawn = kinds ?? weights;
  for (let i = 0; i < cuts; i++) {
    const kind = random(100) === 0 && !kinds ? 'gateway' : drawn[random(drawn.length)]!;
    await cycle(device, ledger, cycles[kind], random);
    if ((i + 1) % 100 === 0) tell?.(ledger.summary);
    if (ledger.faults.length > 0) return ledger;
  }
  await cycle(device, ledger, settle, random);
  ledger.close(device.readings);
  return ledger;
}

/** Whatever happened before: the device is heard, and nothing is left open. */
const settle: Run = async (device) => {
  device.machine.start({ readings: 1 });
  await delivered(device);
};

async function cycle(device: Device, ledger: Ledger, run: Run, random: Random): Promise<void> {
  const { machine } = device;
  const { wear: before } = machine;
  const slots: [Buffer, Buffer] = [machine.page(pages.slot0), machine.page(pages.slot1)];
  machine.clearConsole();
  machine.clearSeals();
  try {
    await run(device, random);
  } catch (error) {
    // nothing that a power cut leaves may keep a device from being heard
    ledger.faults.push(`cycle ${ledger.cycles + 1}: ${String(error)}; it said: ${device.lines.join(', ')}`);
  }
  await machine.cut();
  const journal = readJournal([machine.page(pages.journal0), machine.page(pages.journal1)]);
  const unreachable = !device.line.up;
  device.line.up = true;
  ledger.add({ console: device.lines, slots, before, after: machine.wear, seals: machine.seals, unreachable, journal });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      cuts: { type: 'string', default: '1000' },
      image: { type: 'string', default: 'an386-ticket' },
      seed: { type: 'string' },
    },
  });
  const image = images.find(({ name }) => name === values.image);
  if (!image) throw new Error(`--image is one of ${images.map(({ name }) => name).join(', ')}`);
  const seed = Number(values.seed ?? randomInt(2 ** 31));
  const tell = (text: string): void => console.log(text);
  needTools([image.board]);
  fetchSources();
  const world = await World.build();
  tell(`${image.name}, ${values.cuts} cuts, --seed ${seed}`);
  const ledger = await soak(world, { ...image, cuts: Number(values.cuts), seed, tell });
  await world.close();
  removeFolders();
  tell(ledger.summary);
  for (const fault of ledger.faults) tell(fault);
  process.exitCode = ledger.faults.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
