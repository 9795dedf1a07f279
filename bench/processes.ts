/** The children of the bench, and how they are asked. */

import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Order } from './child.js';

/** Compiled by main.ts: a loader of TypeScript in each process would be looked through by its garbage collections. */
const program = fileURLToPath(new URL('../build/bench/child.js', import.meta.url));
const children = new Set<ChildProcess>();

export function track(child: ChildProcess): ChildProcess {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Ends every process that the bench started. */
export function endAll(): void {
  for (const child of children) child.kill('SIGTERM');
}

class Child {
  readonly #process: ChildProcess;

  constructor(peer: string, role: 'server' | 'client', held: number) {
    const execArgv = ['--no-warnings'];
    this.#process = track(
      fork(program, [peer, role, String(held)], {
        execArgv,
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      }),
    );
  }

  next(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('a process of the bench has ended'));
      this.#process.once('exit', ended);
      this.#process.once('message', (answer: { value: unknown } | { error: string }) => {
        this.#process.off('exit', ended);
        if ('error' in answer) reject(new Error(answer.error));
        else resolve(answer.value);
      });
    });
  }

  ask(message: object): Promise<unknown> {
    const answer = this.next();
    this.#process.send(message);
    return answer;
  }
}

/** A client that does what it is told. */
export interface Asked {
  ask(order: Order): Promise<number>;
}

/** `held`: megabytes of objects that the process has besides. */
export async function startServer(peer: string, held = 0): Promise<unknown> {
  return new Child(peer, 'server', held).next();
}

export async function startClient(peer: string, address: unknown, held = 0): Promise<Asked> {
  const client = new Child(peer, 'client', held);
  await client.ask({ address });
  return { ask: async (order) => (await client.ask({ order })) as number };
}
