// What a user of the package sees: import and require give the same names, the types are there, the command runs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { bin, exports, version } = JSON.parse(readFileSync('package.json', 'utf8'));

const checks = {
  'import and require give the same names': async () => {
    const imported = Object.keys(await import('hawser'))
      .filter((name) => name !== 'module.exports')
      .sort();
    const required = Object.keys(require('hawser'))
      .filter((name) => name !== '__esModule')
      .sort();
    assert.ok(imported.length > 0);
    assert.deepEqual(required, imported);
  },
  'every exported path exists': () => {
    const paths = Object.values(exports).flatMap((target) =>
      typeof target === 'string' ? target : Object.values(target),
    );
    for (const path of paths) assert.ok(existsSync(path), path);
  },
  'the command says its version': () => {
    const said = execFileSync(process.execPath, [bin.hawser, '--version'], { encoding: 'utf8' });
    assert.ok(said.includes(version), said);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
  } catch (error) {
    failed++;
    console.error(`not so: ${name}: ${error.message}`);
  }
}
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
