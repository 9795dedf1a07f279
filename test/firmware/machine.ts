/**
 * An emulated board: qemu, and the file that plays its flash and its retained RAM (firmware/emulator/machine.h has the same
 * layout). Power is cut by killing qemu, at any instant; the file then holds what had been written so far.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { boards, type BoardName } from '../../tools/firmware-build.mjs';

const MIB = 2 ** 20;
export const PAGE = 2048;
export const pages = { pairing: 0, slot0: 1, slot1: 2, saved: 3, journal0: 4, journal1: 5 } as const;
const PAGES = 8;
const RETAINED = { at: MIB, length: 16_384 };
const HOST = 2 * MIB;
const field = {
  seeded: 0,
  seed: 4,
  cutAfter: 36,
  worn: 40,
  readingMs: 44,
  readings: 48,
  torn: 52,
  state: 56,
  sleepMs: 60,
  lamp: 64,
  erases: 68,
  programs: 100,
  flashSteps: 132,
  traces: 136,
  trace: 140,
} as const;
const TRACE_LENGTH = 44;
const States = { runs: 1, sleeps: 2, cut: 3, fault: 4 } as const;

export interface Power {
  /** Out of deep sleep: retained RAM is as it was. Otherwise it is noise. */
  woken?: boolean;
  /** Readings at most, and milliseconds between them. */
  readings?: number;
  readingMs?: number;
  /** The power goes at this step of the flash. */
  cutAfter?: number;
  /** Pages of the flash that can no longer be erased. */
  worn?: number[];
}

export interface Wear {
  erases: number[];
  programs: number[];
}

/** Waits for a condition, never for a time; the limit only ends a test that has failed. */
export async function until<T>(what: string, look: () => T | undefined | false, ms = 120_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await sleep(5);
  }
}

export class Machine {
  readonly #file: number;
  readonly #base: number;
  readonly #log: string;
  readonly #args: string[];
  readonly #emulator: string;
  #qemu: ChildProcess | undefined;
  /** What qemu itself had to say. */
  #said = '';
  /** For each start a number of 32 bits, from which follows which bits of a word are done when a cut tears it. */
  torn: () => number = () => randomInt(2 ** 32);

  constructor(board: BoardName, elf: string, folder: string, linePort: number) {
    const { machine, memory, shared, emulator } = boards[board];
    const path = join(folder, 'memory');
    this.#log = join(folder, 'console');
    this.#base = shared * MIB;
    this.#emulator = emulator;
    this.#file = openSync(path, 'w+');
    ftruncateSync(this.#file, memory * MIB);
    this.#put(0, Buffer.alloc(PAGES * PAGE, 0xff));
    this.#args = [
      ...['-object', `memory-backend-file,id=shared,size=${memory}M,mem-path=${path},share=on`],
      ...['-display', 'none', '-monitor', 'none'],
      ...['-chardev', `socket,id=line,host=127.0.0.1,port=${linePort},nodelay=on`],
      ...['-chardev', `file,id=log,path=${this.#log},append=on`],
      ...machine,
      ...['-kernel', elf],
    ];
  }

  // ---- Power ----------------------------------------------------------------------------------------------------------

  start({ woken = false, readings = 0, readingMs = 1, cutAfter = 0, worn = [] }: Power = {}): void {
    if (this.#qemu) throw new Error('it runs already');
    if (!woken) this.#put(RETAINED.at, randomBytes(RETAINED.length));
    this.#put(HOST + field.seed, randomBytes(32));
    this.#set(field.seeded, 1);
    this.#set(field.cutAfter, cutAfter);
    this.#set(
      field.worn,
      worn.reduce((mask, page) => mask | (1 << page), 0),
    );
    this.#set(field.readings, readings);
    this.#set(field.readingMs, readingMs);
    this.#set(field.torn, this.torn());
    for (const zero of [field.state, field.flashSteps]) this.#set(zero, 0);
    this.#qemu = spawn(this.#emulator, this.#args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#qemu.stderr?.on('data', (piece: Buffer) => (this.#said += piece.toString()));
  }

  /** So many more ticks of the meter. */
  more(readings: number): void {
    this.#set(field.readings, this.#get(field.readings) + readings);
  }

  /** The plug is pulled. */
  async cut(): Promise<void> {
    const qemu = this.#qemu;
    this.#qemu = undefined;
    if (!qemu || qemu.exitCode !== null || qemu.signalCode !== null) return;
    qemu.kill('SIGKILL');
    await once(qemu, 'exit');
  }

  /** It went to deep sleep of its own accord. */
  async asleep(): Promise<void> {
    const qemu = this.#qemu;
    await until('deep sleep', () => {
      this.check();
      return this.#get(field.state) === States.sleeps && qemu?.exitCode !== null;
    });
    this.#qemu = undefined;
  }

  /** At the step of the flash that start() named. */
  get atCut(): boolean {
    this.check();
    return this.#get(field.state) === States.cut;
  }

  /** @throws if the emulator ended or the firmware faulted. */
  check(): void {
    if (this.#get(field.state) === States.fault) throw new Error(`the firmware faulted: ${this.console}`);
    if (this.#qemu?.exitCode !== null && this.#qemu?.exitCode !== undefined && this.#get(field.state) !== States.sleeps)
      throw new Error(`the emulator ended: ${this.#said}${this.console}`);
  }

  async close(): Promise<void> {
    await this.cut();
    closeSync(this.#file);
  }

  // ---- What can be seen -------------------------------------------------------------------------------------------------

  /** All that was printed, of every power cycle. */
  get console(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, 'latin1') : '';
  }
  clearConsole(): void {
    writeFileSync(this.#log, '');
  }
  page(page: number): Buffer {
    return this.#bytes(page * PAGE, PAGE);
  }
  get lamp(): number {
    return this.#get(field.lamp);
  }
  get wear(): Wear {
    const list = (at: number): number[] => Array.from({ length: PAGES }, (_, page) => this.#get(at + 4 * page));
    return { erases: list(field.erases), programs: list(field.programs) };
  }
  /** Key and nonce, in hex, of every seal since then. */
  clearSeals(): void {
    this.#set(field.traces, 0);
  }
  get seals(): string[] {
    return Array.from({ length: this.#get(field.traces) }, (_, i) =>
      this.#bytes(HOST + field.trace + i * TRACE_LENGTH, TRACE_LENGTH).toString('hex'),
    );
  }

  /** As a production line does: the pairing into its page. */
  flash(page: number, bytes: Uint8Array): void {
    this.#put(page * PAGE, bytes);
  }

  #bytes(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#file, bytes, 0, length, this.#base + at);
    return bytes;
  }
  #put(at: number, bytes: Uint8Array): void {
    writeSync(this.#file, bytes, 0, bytes.length, this.#base + at);
  }
  #get(at: number): number {
    return this.#bytes(HOST + at, 4).readUInt32LE();
  }
  #set(at: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.#put(HOST + at, bytes);
  }
}
