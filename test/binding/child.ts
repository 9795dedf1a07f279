/** Programs that these tests run in processes and workers of their own. */

import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs test/binding/programs/<name>.ts to its end. */
export function runProgram(
  name: string,
  args: readonly string[],
  {
    flags = [],
    env = {},
    timeout = 240_000,
  }: { flags?: readonly string[]; env?: NodeJS.ProcessEnv; timeout?: number } = {},
): SpawnSyncReturns<string> {
  const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  return spawnSync(process.execPath, ['--import=tsx', ...flags, file, ...args], {
    cwd: root,
    encoding: 'utf8',
    timeout,
    maxBuffer: 1 << 26,
    env: { ...process.env, ...env },
  });
}

/** The same as a worker thread; tsx does not reach into workers by itself. */
export function startWorker(name: string, data: unknown): Worker {
  const file = new URL(`programs/${name}.ts`, import.meta.url).href;
  const load = `({ register }) => { register(); return import(${JSON.stringify(file)}); }`;
  const start = `import('tsx/esm/api').then(${load})`;
  return new Worker(start, { eval: true, workerData: data, execArgv: [] });
}

export async function messageOf(worker: Worker): Promise<unknown> {
  const failed = once(worker, 'exit').then(([code]) => {
    throw new Error(`the worker ended with ${String(code)} before it said anything`);
  });
  const said = once(worker, 'message') as Promise<[unknown]>;
  failed.catch(() => undefined);
  const [message] = await Promise.race([said, failed]);
  return message;
}
