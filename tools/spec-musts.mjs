#!/usr/bin/env node
// Lists every MUST of docs/SPEC.md with the code that carries it out and the tests that hold it, and fails on one
// that lacks either. The k-th MUST of section n.m is `SPEC n.m/k`. Tests name it so; code may name the section alone.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCE = new Set(['.c', '.h', '.cc', '.ts', '.mjs']);

/** Paragraphs, list items and table rows, each on one line. */
function joined(spec) {
  const out = [];
  for (const line of spec.split('\n')) {
    const starts = line === '' || /^(#|\||```|[-*] |\d+\. )/.test(line);
    if (starts || out.length === 0 || out.at(-1) === '' || /^(#|\||```)/.test(out.at(-1))) out.push(line);
    else out[out.length - 1] += ` ${line.trim()}`;
  }
  return out;
}

/** Sentences with a MUST, each with its section and its place among the section's MUSTs. */
export function requirements(spec) {
  const found = [];
  let section = '';
  let count = 0;
  for (const line of joined(spec)) {
    const heading = /^#{2,3} (\d+(?:\.\d+)*)/.exec(line);
    if (heading) [section, count] = [heading[1], 0];
    if (section === '') continue;
    for (const sentence of line.split(/(?<=[.;:]) |\|/)) {
      const times = sentence.match(/\bMUST\b/g)?.length ?? 0;
      for (let each = 0; each < times; each++)
        found.push({ id: `${section}/${++count}`, section, text: sentence.trim() });
    }
  }
  return found;
}

function filesBelow(directory) {
  return readdirSync(join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && SOURCE.has(extname(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Every `SPEC n.m` or `SPEC n.m/k` of these directories, as file:line. */
function mentions(directories) {
  const found = [];
  for (const file of directories.flatMap(filesBelow))
    readFileSync(file, 'utf8')
      .split('\n')
      .forEach((line, at) => {
        for (const match of line.matchAll(/SPEC (\d+(?:\.\d+)*(?:\/\d+)?(?:, \d+(?:\.\d+)*(?:\/\d+)?)*)/g))
          for (const id of match[1].split(', ')) found.push({ id, where: `${relative(root, file)}:${at + 1}` });
      });
  return found;
}

function report(list, code, tests) {
  let missing = 0;
  for (const must of list) {
    const inCode = code.filter(({ id }) => id === must.id || id === must.section).map(({ where }) => where);
    const inTests = tests.filter(({ id }) => id === must.id).map(({ where }) => where);
    console.log(`SPEC ${must.id}  ${must.text}`);
    console.log(`  code:  ${summary(inCode)}\n  tests: ${summary(inTests)}`);
    missing += Number(inCode.length === 0) + Number(inTests.length === 0);
  }
  return missing;
}

function summary(places) {
  if (places.length === 0) return 'NONE';
  const shown = places.slice(0, 4).join(', ');
  return places.length > 4 ? `${shown} and ${places.length - 4} more` : shown;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const list = requirements(readFileSync(join(root, 'docs/SPEC.md'), 'utf8'));
  const tests = mentions(['test']);
  const missing = report(list, mentions(['lib', 'csrc', 'binding']), tests);
  const stale = tests.filter(({ id }) => id.includes('/') && !list.some((must) => must.id === id));
  for (const { id, where } of stale) console.log(`${where} names SPEC ${id}, which does not exist`);
  console.log(`${list.length} requirements, ${missing} without code or test, ${stale.length} names of none`);
  process.exitCode = missing + stale.length > 0 ? 1 : 0;
}
