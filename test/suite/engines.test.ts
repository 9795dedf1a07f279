/** The table of engines itself: what is missing is a failure that says so, and a subset is announced. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { loadRow } from './engines.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

function mocha(engines: string): Promise<{ stdout: string }> {
  const args = [
    join(root, 'node_modules/mocha/bin/mocha.js'),
    '--node-option',
    'import=tsx',
    'test/suite/limits.test.ts',
  ];
  return promisify(execFile)(process.execPath, args, {
    cwd: root,
    env: { ...process.env, HAWSER_TEST_ENGINES: engines },
  });
}

describe('the table of engines', function () {
  this.timeout(60_000);

  it('an engine that cannot be loaded is an error that names it and the way to go on without', async () => {
    const row = { name: 'native-mbedtls', load: () => Promise.reject(new Error('no such file')) };
    await assert.rejects(
      loadRow(row),
      /engine native-mbedtls cannot be loaded .*no such file.*HAWSER_TEST_ENGINES=native-openssl,js/,
    );
  });

  it('an engine that calls itself by another name is refused', async () => {
    await assert.rejects(
      loadRow({ name: 'native-openssl', load: () => Promise.resolve(createJsEngine()) }),
      /calls itself js/,
    );
    assert.equal((await loadRow({ name: 'js', load: () => Promise.resolve(createJsEngine()) })).name, 'js');
  });

  it('a subset is run and announced; a name that no engine has fails', async () => {
    const { stdout } = await mocha('js');
    assert.match(stdout, /only js of 3 engines/);
    assert.match(stdout, /limits \[js > js\]/);
    assert.doesNotMatch(stdout, /\[native/);
    await assert.rejects(mocha('js,nativ'), (error: { stderr?: string; stdout?: string }) => {
      assert.match(`${error.stdout}${error.stderr}`, /names no such engine: nativ/);
      return true;
    });
  });
});
