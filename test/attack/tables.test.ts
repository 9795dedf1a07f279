/** The tables that say which test holds what: nothing in them that is not there, and nothing left out. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const engines = ['native-openssl', 'native-mbedtls', 'js'];
/** Those of the shared list that concern one gateway. */
const due = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24];

interface Row {
  class: number;
  engines: string[];
  /** Paths, and behind each a text that is in it. */
  held: [string, string][];
  faults: [string, string][];
}

/** Rows `| 2 | engines | \`path\`: text; ... | \`path\`: text; ... |`. */
function rows(text: string): Row[] {
  const named = (cell: string): [string, string][] =>
    [...cell.matchAll(/`([^`]+)`: ([^;|]+)/g)].map(([, path = '', what = '']) => [path, what.trim()]);
  return [...text.matchAll(/^\| (\d+) [^|]*\|([^|]+)\|([^|]+)\|([^|]+)\|$/gm)].map(
    ([, number, run = '', held = '', faults = '']) => ({
      class: Number(number),
      engines: run.trim() === 'all' ? engines : run.split(',').map((name) => name.trim()),
      held: named(held),
      faults: named(faults),
    }),
  );
}

function check(text: string): void {
  const all = rows(text);
  for (const number of due)
    for (const engine of engines) {
      const found = all.filter((row) => row.class === number && row.engines.includes(engine));
      assert.ok(
        found.some(({ held }) => held.length > 0),
        `class ${number} is not held on ${engine}`,
      );
      assert.ok(
        found.some(({ faults }) => faults.length > 0),
        `class ${number}: no seeded fault, ${engine}`,
      );
    }
  for (const [path, what] of all.flatMap(({ held, faults }) => [...held, ...faults])) {
    assert.ok(existsSync(new URL(path, root)), `${path} is not there`);
    assert.ok(read(path).includes(what), `${path} does not say: ${what}`);
  }
}

describe('the table of attack classes', () => {
  const text = read('test/attack/README.md');
  it('has each class on each engine, with a test and a seeded fault that are there', () => check(text));
  it('goes red when a class, a file or a fault is not there', () => {
    assert.throws(() => check(text.replace(/^\| 14 .*$/gm, '')), /class 14 is not held/);
    assert.throws(() => check(text.replaceAll('test/c/test_attack.c', 'test/c/none.c')), /is not there/);
    assert.throws(() => check(text.replace('SEED_CONSTANT_N_G', 'SEED_NOTHING')), /does not say/);
  });
});

describe("the table of the model's mutants", () => {
  const searches = read('docs/model/searches.mjs');
  const names = new Set([...searches.matchAll(/^ +\['([A-Z][A-Z0-9_]+)', '[79]/gm)].map(([, name = '']) => name));
  const [, part = ''] = /## Rules of the design([^]*?)\n## Second review/.exec(read('docs/model/README.md')) ?? [];
  const listed = new Set([...part.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = '']) => name));
  it('names each mutant and nothing else', () => assert.deepEqual([...listed].sort(), [...names].sort()));
  it('has a row for each of the fourteen rules', () => {
    for (let rule = 1; rule <= 14; rule++) assert.match(part, new RegExp(`^\\| ${rule} .*\`[A-Z_]+\``, 'm'));
  });
});
