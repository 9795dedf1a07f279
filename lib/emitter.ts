/** An EventEmitter whose listeners cannot hurt what emits, nor each other: one that throws or rejects is reported, and the work goes on. */

import { EventEmitter } from 'node:events';

type Listener = (...args: unknown[]) => unknown;

export class SafeEmitter<T extends { [K in keyof T]: unknown[] } & { error: [Error] }> extends EventEmitter {
  /** Emits; what a listener throws or rejects with becomes 'error', and an error that nobody takes a process warning. */
  protected tell<K extends keyof T & string>(event: K, ...args: T[K]): void {
    if (this.listenerCount(event) === 0) {
      if (event === 'error') process.emitWarning(args[0] as Error);
      return;
    }
    const listeners = this.rawListeners(event) as Listener[];
    for (const listener of listeners) {
      try {
        const returned = listener.apply(this, args);
        if (isThenable(returned)) returned.then(undefined, (reason: unknown) => this.listenerThrew(event, reason));
      } catch (thrown) {
        this.listenerThrew(event, thrown);
      }
    }
  }

  protected listenerThrew(event: string, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (event === 'error') process.emitWarning(error);
    else this.tell('error', ...([error] as unknown as T['error']));
  }

  override on<K extends keyof T & string>(event: K, listener: (...args: T[K]) => void): this {
    return super.on(event, listener as Listener);
  }
  override once<K extends keyof T & string>(event: K, listener: (...args: T[K]) => void): this {
    return super.once(event, listener as Listener);
  }
  override off<K extends keyof T & string>(event: K, listener: (...args: T[K]) => void): this {
    return super.off(event, listener as Listener);
  }
}

/** Of an async listener. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined | null)?.then === 'function';
}
