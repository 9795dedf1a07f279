/** Entries in groups, where whoever holds the most pays first: so that a table that all share can be full without anybody being shut out. */

export class Shares<Entry extends object> {
  readonly #groups = new Map<string, Set<Entry>>();
  /** Names of the groups by their number of entries. */
  readonly #bySize: Set<string>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Oldest first. */
  of(group: string): ReadonlySet<Entry> {
    return this.#groups.get(group) ?? none;
  }

  add(group: string, entry: Entry): void {
    const entries = this.#groups.get(group) ?? new Set();
    if (entries.has(entry)) return;
    this.#rank(group, entries.size, entries.size + 1);
    this.#groups.set(group, entries.add(entry));
    this.#size += 1;
  }

  remove(group: string, entry: Entry): void {
    const entries = this.#groups.get(group);
    if (!entries?.delete(entry)) return;
    this.#rank(group, entries.size + 1, entries.size);
    if (entries.size === 0) this.#groups.delete(group);
    this.#size -= 1;
  }

  /** The oldest of a largest group that `may` go. */
  victim(may: (entry: Entry) => boolean = () => true): Entry | undefined {
    for (let size = this.#bySize.length - 1; size > 0; size -= 1) {
      for (const group of this.#bySize[size] ?? []) {
        for (const entry of this.of(group)) if (may(entry)) return entry;
      }
    }
    return undefined;
  }

  #rank(group: string, from: number, to: number): void {
    this.#bySize[from]?.delete(group);
    if (to > 0) (this.#bySize[to] ??= new Set()).add(group);
    while (this.#bySize.length > 0 && !this.#bySize.at(-1)?.size) this.#bySize.pop();
  }
}

const none: ReadonlySet<never> = new Set<never>();
