/** V8's own block coverage of lib/, as a set of places that were reached. */

import { Session, type Profiler } from 'node:inspector';

export class Coverage {
  readonly #session = new Session();
  readonly reached = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** A session of the same thread answers before post() returns. */
  #post(method: string, params?: object): unknown {
    let result: unknown;
    this.#session.post(method, params, (error, value) => {
      if (error) throw error;
      result = value;
    });
    return result;
  }

  /** How many places of lib/ were reached since the last call that never were before. */
  take(): number {
    const before = this.reached.size;
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
    for (const { url, scriptId, functions } of result) {
      if (!/\/lib\/[^?]*\.ts/.test(url)) continue;
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges)
          if (count > 0)
            this.reached.add(`${scriptId} ${startOffset} ${endOffset} ${Math.min(2, Math.floor(Math.log2(count)))}`);
    }
    return this.reached.size - before;
  }
}
