/** The fuzz targets of the JavaScript side over their corpus; and what shows that a fault would be found. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { HawserError } from '../../../lib/errors.js';
import { fuzz } from './fuzzer.js';
import { must, orRefused, utf8, type Target } from './target.js';
import { targets } from './targets.js';

const corpusOf = (name: string): URL => new URL(`../corpus/${name}/`, import.meta.url);
const root = new URL('../../..', import.meta.url).pathname;

/** A parser with one fault, deep enough that blind guessing does not find it. */
const faulty: Target = {
  most: 20,
  words: ['HWPR'],
  seeds: () => [utf8('hello')],
  run: (input) => must(!(Buffer.from(input).toString('latin1', 0, 4) === 'HWPR' && input[4] === 1), 'the fault'),
};

function executions(most: number): () => boolean {
  let rounds = 0;
  return () => ++rounds > most;
}

describe('fuzz targets of the JavaScript side', function () {
  this.timeout(120_000);

  for (const [name, target] of Object.entries(targets))
    it(`${name}: nothing in its corpus is a finding`, () => {
      const files = existsSync(corpusOf(name)) ? readdirSync(corpusOf(name)) : [];
      assert.ok(files.length >= 3, `${files.length} files in the corpus`);
      const inputs = [
        ...files.map((file) => new Uint8Array(readFileSync(new URL(file, corpusOf(name))))),
        ...target.seeds(),
      ];
      for (const input of inputs) target.run(input);
    });

  it('the command knows the same targets', () => {
    const { stderr, status } = spawnSync(process.execPath, ['tools/fuzz.mjs', '--target', 'none'], { cwd: root, encoding: 'utf8' }); // prettier-ignore
    assert.equal(status, 2);
    assert.deepEqual(stderr.match(/js-[a-z]+/g), Object.keys(targets));
  });

  it('a fault is found, and the input that shows it is named', () => {
    const { finding } = fuzz(faulty, faulty.seeds(), executions(200), 1);
    assert.match(String(finding?.error), /the fault/);
    assert.throws(() => faulty.run(finding?.input ?? new Uint8Array(0)), /the fault/);
  });

  it('a refusal is no finding, any other error is one', () => {
    const refusal = new HawserError('ERR_HAWSER_FORMAT', 'no');
    const thrown = (error: Error) => () => {
      throw error;
    };
    assert.equal(orRefused(['ERR_HAWSER_FORMAT'], thrown(refusal)), undefined);
    assert.throws(() => orRefused(['ERR_HAWSER_ARG'], thrown(refusal)), refusal);
    assert.throws(() => orRefused(['ERR_HAWSER_FORMAT'], thrown(new TypeError('raw'))), TypeError);
  });
});
