/** An EventEmitter whose listeners cannot hurt what emits, nor each other: one that throws is reported, and the work goes on. */

import { EventEmitter } from 'node:events';

type Listener = (...args: unknown[]) => void;

export class SafeEmitter<T extends { [K in keyof T]: unknown[] } & { error: [Error] }> extends EventEmitter {
  /** Emits; what a listener throws becomes 'error', and an error that nobody takes a process warning. */
  protected tell<K extends keyof T & string>(event: K, ...args: T[K]): void {
    if (this.listenerCount(event) === 0) {
      if (event === 'error') process.emitWarning(args[0] as Error);
      return;
    }
    const listeners = this.rawListeners(event) as Listener[];
    for (const listener of listeners) {
      try {
        listener.apply(this, args);
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
