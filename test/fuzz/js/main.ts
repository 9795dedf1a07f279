/**
 * One target of the JavaScript side.
 *
 *   tsx test/fuzz/js/main.ts run TARGET SECONDS CORPUS...     fuzzes; new inputs go to the first folder, findings to build/fuzz/findings
 *   tsx test/fuzz/js/main.ts merge TARGET INTO FROM...        the fewest inputs of all folders
 *   tsx test/fuzz/js/main.ts one TARGET FILE...               runs files, without a fuzzer
 *
 * The last line of `run` is JSON. tools/fuzz.mjs calls this.
 */

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { fewest, fuzz, nameOf } from './fuzzer.js';
import { targets } from './targets.js';

const [command = '', name = '', ...rest] = process.argv.slice(2);
const target = targets[name];
if (!target) throw new Error(`no target is called ${name}; there are ${Object.keys(targets).join(', ')}`);

const read = (folders: readonly string[]): Uint8Array[] =>
  folders.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((file) => new Uint8Array(readFileSync(join(folder, file)))) : [],
  );

const commands: Record<string, () => void> = {
  run() {
    const [seconds = '1', own = '', ...others] = rest;
    const until = performance.now() + 1000 * Number(seconds);
    const last = `build/fuzz/findings/${name}-last`;
    mkdirSync(own, { recursive: true });
    mkdirSync('build/fuzz/findings', { recursive: true });
    const start = [...read([own, ...others]), ...target.seeds()];
    // What ends the process is then in this file.
    const file = openSync(last, 'w');
    const length = Buffer.alloc(4);
    const before = (input: Uint8Array): void => {
      length.writeUInt32BE(input.length);
      writeSync(file, Buffer.concat([length, input]), 0, 4 + input.length, 0);
    };
    const outcome = fuzz(target, start, () => performance.now() >= until, Date.now() >>> 0, before);
    closeSync(file);
    rmSync(last);
    for (const input of outcome.corpus) writeFileSync(join(own, nameOf(input)), input);
    const { executions, coverage, finding } = outcome;
    if (finding) writeFileSync(`build/fuzz/findings/${name}-${nameOf(finding.input)}`, finding.input);
    console.log(
      JSON.stringify({
        executions,
        coverage,
        corpus: outcome.corpus.length,
        finding: finding && inspect(finding.error),
      }),
    );
  },
  merge() {
    const [into = '', ...from] = rest;
    const inputs = fewest(target, [...read([into, ...from]), ...target.seeds()]);
    rmSync(into, { recursive: true, force: true });
    mkdirSync(into, { recursive: true });
    for (const input of inputs) writeFileSync(join(into, nameOf(input)), input);
    console.log(`${inputs.length} inputs`);
  },
  one() {
    for (const file of rest) target.run(new Uint8Array(readFileSync(file)));
    console.log(`${name}: ${rest.length} of ${rest.length} files`);
  },
};
const run = commands[command];
if (!run) throw new Error(`usage: main.ts ${Object.keys(commands).join('|')} TARGET ...`);
run();
