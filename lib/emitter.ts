/** An EventEmitter whose listeners cannot hurt what emits: one that throws is reported, and the work goes on. */

import { EventEmitter } from 'node:events';

export class SafeEmitter<T extends { [K in keyof T]: unknown[] } & { error: [Error] }> extends EventEmitter {
  /** Emits; what a listener throws becomes 'error', and what no listener takes a process warning. */
  protected tell<K extends keyof T & string>(event: K, ...args: T[K]): void {
    try {
      super.emit(event, ...args);
    } catch (thrown) {
      this.listenerThrew(event, thrown);
    }
  }

  protected listenerThrew(event: string, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (event !== 'error' && this.listenerCount('error') > 0) this.tell('error', ...([error] as unknown as T['error']));
    else process.emitWarning(error);
  }

  override on<K extends keyof T & string>(event: K, listener: (...args: T[K]) => void): this {
    return super.on(event, listener as (...args: unknown[]) => void);
  }
  override once<K extends keyof T & string>(event: K, listener: (...args: T[K]) => void): this {
    return super.once(event, listener as (...args: unknown[]) => void);
  }
  override off<K extends keyof T & string>(event: K, listener: (...args: T[K]) => void): this {
    return super.off(event, listener as (...args: unknown[]) => void);
  }
}

