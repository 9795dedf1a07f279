/** What must hold, and whether it did. */

export interface Check {
  what: string;
  ok: boolean;
  detail: string;
}

export class Checks {
  readonly all: Check[] = [];

  add(what: string, ok: boolean, detail = ''): void {
    this.all.push({ what, ok, detail });
  }

  equal(what: string, found: unknown, wanted: unknown): void {
    const ok = JSON.stringify(found) === JSON.stringify(wanted);
    this.add(what, ok, ok ? String(found) : `${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }

  get held(): boolean {
    return this.all.length > 0 && this.all.every(({ ok }) => ok);
  }
}

export interface Order {
  missing: number[];
  /** More than once. */
  repeated: number[];
  inOrder: boolean;
}

/** How the numbers from..to arrived. Others are left aside. */
export function order(numbers: number[], from: number, to: number): Order {
  const counts = new Map<number, number>();
  let inOrder = true;
  let last = from - 1;
  for (const n of numbers) {
    if (n < from || n > to) continue;
    if (n !== last + 1) inOrder = false;
    last = n;
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  const missing: number[] = [];
  for (let n = from; n <= to; n++) if (!counts.has(n)) missing.push(n);
  const repeated = [...counts].filter(([, count]) => count > 1).map(([n]) => n);
  return { missing, repeated, inOrder };
}
