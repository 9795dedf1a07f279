/**
 * Traces of the code for docs/model/trace.pml, and the program that follows them in a model. The columns and the names of events are those
 * of the models.
 */

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildSearch, needSpin, type Macros } from '../../tools/spin.mjs';

const run = promisify(execFile);
const UNSEEN = -1;
const models = new URL('../../docs/model/', import.meta.url);

export const modelNames = ['chain', 'full'] as const;
export type ModelName = (typeof modelNames)[number];
/** Bounds that a trace of the code does not reach; what it may do besides is what traces do. */
const bounds: Record<ModelName, Macros> = {
  chain: { SENDS: 95, ANSWERS: 200, BLOCKS: 30, STEPS: 3, BARE: true, POLICY: true, RESTORES: 1, DOWN_WITH_STORE: 0 },
  full: { SENDS: 95, ANSWERS: 200, STEPS: 3, MAXBLOCKS: 3, NODES: 2 },
};
const fate: Macros = { REPLAY: true, CUTS: 250, CRASHES: 250, LOSSES: 250, FAILS: 250 };

/** Where a trace is given up: before the bounds of the models are reached. */
export const mostMessages = 90;
export const mostAnswers = 190;
export const mostBlocks = 26;

export interface Happened {
  on: string;
  [column: string]: number | string | undefined;
}
export type Trace = readonly Happened[];

const numbers = new Map<ModelName, Map<string, number>>();

/** Events and columns by name, out of the models themselves. */
function named(model: ModelName): Map<string, number> {
  let found = numbers.get(model);
  if (found === undefined) {
    found = new Map();
    for (const file of ['trace.pml', `${model}.pml`])
      for (const [, name = '', number] of readFileSync(new URL(file, models), 'utf8').matchAll(
        /^ *#define ([A-Z_]+) (\d+)\b/gm,
      ))
        found.set(name, Number(number));
    numbers.set(model, found);
  }
  return found;
}

function line(names: Map<string, number>, { on, ...cells }: Happened): string {
  const columns: number[] = [];
  const number = (name: string): number => {
    const found = names.get(name);
    if (found === undefined) throw new Error(`no model knows ${name}`);
    return found;
  };
  columns[number('OP')] = number(on);
  for (const [name, value] of Object.entries(cells)) columns[number(name)] = value as number;
  return Array.from(columns, (value) => value ?? UNSEEN).join(' ');
}

export interface Refused {
  trace: number;
  /** The event that the model could not follow, and its place. */
  at: number;
  event: Happened;
}

/** A model that follows traces; `macros` may break one of its rules. */
export class Follower {
  private constructor(
    private readonly model: ModelName,
    private readonly program: string,
  ) {}

  static async build(model: ModelName, macros: Macros = {}): Promise<Follower> {
    needSpin();
    const options = ['-O0', '-DSAFETY', '-DVECTORSZ=8000'];
    const name = `replay ${model} ${Object.keys(macros).join(' ')}`;
    return new Follower(model, await buildSearch(model, name, { ...fate, ...bounds[model], ...macros }, options));
  }

  /** What the model does not allow. */
  async refused(traces: readonly Trace[]): Promise<Refused[]> {
    if (traces.length === 0) throw new Error('no traces to follow');
    const dir = dirname(this.program);
    const file = join(dir, 'traces');
    const names = named(this.model);
    writeFileSync(file, traces.map((trace) => [...trace.map((each) => line(names, each)), '0\n'].join('\n')).join(''));
    const env = { ...process.env, TRACES: file };
    const { stdout } = await run(this.program, ['-E', '-n', '-m200000', '-w20'], { cwd: dir, env, maxBuffer: 1 << 24 });
    if (/errors: [1-9]|max search depth|out of memory|aborted/.test(stdout)) throw new Error(stdout);
    const reached = [...stdout.matchAll(/^trace (\d+): (\d+) of (\d+)$/gm)].map((each) => each.slice(1).map(Number));
    if (reached.length !== traces.length) throw new Error(`${reached.length} of ${traces.length} traces: ${stdout}`);
    return reached.flatMap(([trace = 0, at = 0, of = 0]) => {
      if (of !== traces[trace]?.length) throw new Error(`trace ${trace} has ${of} events`);
      const event = traces[trace][at];
      return event === undefined ? [] : [{ trace, at, event }];
    });
  }
}

/** Programs that are wanted, built two at a time before the tests that use them. */
export class Programs {
  private readonly wanted: { model: ModelName; macros: Macros }[] = [];
  private readonly built: Promise<Follower>[] = [];

  add(model: ModelName, macros: Macros): () => Promise<Follower> {
    const at = this.wanted.push({ model, macros }) - 1;
    return () => this.built[at] ?? Follower.build(model, macros);
  }

  async build(): Promise<void> {
    const queue = this.wanted.entries();
    const work = async (): Promise<void> => {
      for (const [at, { model, macros }] of queue) await (this.built[at] = Follower.build(model, macros));
    };
    await Promise.all([work(), work()]);
  }
}

/** For people: the end of a trace that a model refuses. */
export function told(trace: Trace, { at }: Refused): string {
  const show = (each: Happened): string =>
    Object.entries(each)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => (name === 'on' ? value : `${name} ${value}`))
      .join(' ');
  const from = Math.max(0, at - 12);
  return ['', ...trace.slice(from, at).map(show), `refused: ${show(trace[at] ?? { on: 'nothing' })}`].join('\n      ');
}
