/** The tables that say which test holds what: nothing in them that is not there, and nothing left out. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const engines = ['native-openssl', 'native-mbedtls', 'js'];
/** Of the classes, those that concern one gateway. */
const due = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24];

/** All that the two reviews found: critical, high, middling, low, and the second one. */
const found = [
  ...['C1', 'C2', 'C3', 'C4'],
  ...Array.from({ length: 9 }, (_, n) => `H${n + 1}`),
  ...Array.from({ length: 11 }, (_, n) => `M${n + 1}`),
  ...Array.from({ length: 6 }, (_, n) => `L${n + 1}`),
  ...Array.from({ length: 18 }, (_, n) => `second ${n + 1}`),
];

/** Paths from the root of the repository, and behind each a text that is in it. */
type Named = [string, string][];
const named = (cell: string): Named =>
  [...cell.matchAll(/`([^`]+)`: ([^;|]+)/g)].map(([, path = '', what = '']) => [path, what.trim()]);

function areThere(all: Named): void {
  for (const [path, what] of all) {
    assert.ok(existsSync(new URL(path, root)), `${path} is not there`);
    assert.ok(read(path).includes(what), `${path} does not say: ${what}`);
  }
}

interface Row {
  class: number;
  engines: string[];
  held: Named;
  faults: Named;
}

/** Rows `| 2 | engines | \`path\`: text; ... | \`path\`: text; ... |`. */
function rows(text: string): Row[] {
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
  areThere(all.flatMap(({ held, faults }) => [...held, ...faults]));
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

/** Rows `| C1, second 2 | \`path\`: text | \`path\`: text |`, and `| M9 | why there is no test |`. */
function checkReviews(text: string): void {
  const cells = [...text.matchAll(/^\| ((?:[CHML]\d|second \d)[^|]*) \|(.+)\|$/gm)].map(([, ids = '', rest = '']) => ({
    ids: ids.split(', '),
    cells: rest.split(' | '),
  }));
  const listed = cells.flatMap(({ ids }) => ids);
  assert.deepEqual([...listed].sort(), [...found].sort(), 'each finding has one row');
  for (const {
    ids,
    cells: [held = '', faults],
  } of cells) {
    if (faults === undefined) {
      assert.ok(held.trim().length > 20, `${ids.join()}: no reason`);
      continue;
    }
    for (const cell of [held, faults]) assert.ok(named(cell).length > 0, `${ids.join()}: no test or no seeded fault`);
    areThere([...named(held), ...named(faults)]);
  }
}

describe('the table of the reviews', () => {
  const text = read('test/attack/README.md');
  it('has a row for each finding, with a test and a seeded fault that are there, or why there is none', () =>
    checkReviews(text));
  it('goes red when a finding, a test or a fault is not there', () => {
    assert.throws(() => checkReviews(text.replace(/^\| second 9 .*$/gm, '')), /each finding has one row/);
    assert.throws(() => checkReviews(text.replace('H9: a replayed', 'H9: a forgotten')), /does not say/);
    assert.throws(() => checkReviews(text.replace('a boot burns a block', 'model: `SOMETHING`')), /does not say/);
    assert.throws(() => checkReviews(text.replace(/^(\| C3 .*) \|[^|]*\|$/gm, '$1 | model |')), /no seeded fault/);
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

describe('the tables from the model to the code', () => {
  const [, text = ''] = /## From the model to the code([^]*?)\n## Replay/.exec(read('docs/model/README.md')) ?? [];
  const inlines = ['positions', 'chain', 'full', 'streams'].flatMap((name) =>
    [...read(`docs/model/${name}.pml`).matchAll(/^(?:inline |#define )([a-z]\w+)/gm)].map(([, inline = '']) => inline),
  );

  it('name functions that are there, and every rule', () => checkMapping(text, inlines));
  it('go red when a function, a file or a rule is not there', () => {
    assert.throws(() => checkMapping(text.replace('`#choose`', '`#chosen`'), inlines), /#chosen is not in/);
    assert.throws(() => checkMapping(text.replace('`go_live`', '`gone_live`'), inlines), /gone_live is not in/);
    assert.throws(() => checkMapping(text.replace('(lib/rules.ts)', '(lib/rule.ts)'), inlines), /lib\/rule.ts/);
    assert.throws(() => checkMapping(text.replace('`rule_7_5_6_replace`', ''), inlines), /rule_7_5_6_replace/);
    assert.throws(() => checkMapping(text.replace('`slots_at_boot`', '`slots`'), inlines), /slots is no inline/);
  });
});

/** The first column names inlines; a name of another column is defined in the file in brackets behind it, or in the column's. */
function checkMapping(text: string, inlines: string[]): void {
  const listed: string[] = [];
  let columns: string[] = [];
  let checked = 0;
  for (const line of text.split('\n').filter((each) => each.startsWith('|') && !each.startsWith('|---'))) {
    const [model = '', ...cells] = line.slice(1, -1).split('|');
    if (model.trim() === 'model') columns = cells.map((cell) => cell.trim());
    for (const [, name = ''] of model.matchAll(/`([^`]+)`/g)) {
      assert.ok(inlines.includes(name), `${name} is no inline`);
      listed.push(name);
    }
    for (const [at, cell] of cells.entries())
      for (const [, name = '', file] of cell.matchAll(/`([^`]+)`(?: \(([^)]+)\))?/g)) {
        const path = file ?? columns[at] ?? '';
        assert.ok(defines(read(path), name), `${name} is not in ${path}`);
        checked++;
      }
  }
  assert.ok(checked > 40, `${checked} functions`);
  const missing = inlines.filter((name) => name.startsWith('rule_') && !listed.includes(name));
  assert.deepEqual(missing, []);
}

/** A function in C, a function, class, method or getter in TypeScript; \`A.b\` is a method of a class. */
function defines(source: string, name: string): boolean {
  return name.split('.').every((part) => {
    const word = part.replace('#', '\\#');
    const inC = String.raw`^(?:\w[\w *]*[ *])?${word}\([^;]*$`;
    const inTypeScript = String.raw`^(?:export )?(?:async )?function ${word}\b|^(?:export )?(?:abstract )?class ${word}\b|^  (?:(?:protected|private|override|async|get) )*${word}\(`;
    return new RegExp(`${inC}|${inTypeScript}`, 'm').test(source);
  });
}
