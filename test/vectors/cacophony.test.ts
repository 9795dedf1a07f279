/** Independent Noise vectors on every engine, in both roles. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseVectors, runVector, usedProtocol } from './cacophony.js';
import { folder, vectorText } from './files.js';
import { root, VECTORS_TIMEOUT_MS } from './lines.js';
import { noiseRunners, type NoiseRunner } from './noise.js';

for (const { name, open } of noiseRunners)
  describe(`Noise vectors [${name}]`, function () {
    this.timeout(VECTORS_TIMEOUT_MS);
    let runner: NoiseRunner | undefined;
    before(async () => {
      runner = await open();
    });
    after(() => runner?.close());

    it('cacophony: every vector of KK, KKpsk0 and NNpsk0 passes in both roles', async () => {
      const text = vectorText('cacophony.json');
      if (text === undefined || runner === undefined) return;
      const vectors = parseVectors(text);
      const used = vectors.filter((vector) => usedProtocol(vector.protocol_name));
      assert.deepEqual(new Set(used.map((vector) => vector.protocol_name)).size, 3);
      for (const vector of used) assert.deepEqual(await runVector(runner, vector), { result: 'passed' }, vector.protocol_name);
    });

    it('a vector with one wrong byte anywhere fails', async () => {
      const text = vectorText('cacophony.json');
      if (text === undefined || runner === undefined) return;
      const vector = parseVectors(text).find(({ protocol_name }) => protocol_name.includes('KKpsk0'));
      assert.ok(vector);
      const wrong = (value: string): string => value.slice(0, -1) + (value.endsWith('0') ? '1' : '0');
      const variants = [
        { ...vector, handshake_hash: wrong(vector.handshake_hash ?? '') },
        { ...vector, init_prologue: wrong(vector.init_prologue) },
        { ...vector, resp_psks: [wrong(vector.resp_psks?.[0] ?? '')] },
        ...vector.messages.map((_, bad) => ({
          ...vector,
          messages: vector.messages.map((message, at) => (at === bad ? { ...message, ciphertext: wrong(message.ciphertext) } : message)),
        })),
      ];
      for (const variant of variants) assert.equal((await runVector(runner, variant)).result, 'failed');
    });
  });

describe('npm run vectors', function () {
  this.timeout(120_000);
  const run = (...args: string[]) => promisify(execFile)(process.execPath, ['--import=tsx', join(root, 'tools/vectors.ts'), ...args]);

  it('counts per protocol name, and counts what hawser does not use as such', async () => {
    if (vectorText('cacophony.json') === undefined) return;
    const { stdout } = await run(join(folder, 'cacophony.json'));
    assert.match(stdout, /Noise_KKpsk0_25519_AESGCM_SHA256 .*passed/);
    assert.match(stdout, /Noise_XX_25519_AESGCM_SHA256 .*not used by hawser/);
    assert.match(stdout, /0 failed/);
  });

  it('says which file is at fault, and exits with 2', async () => {
    await assert.rejects(run(join(root, 'package.json')), (error: { code?: number; stderr?: string }) => {
      assert.equal(error.code, 2);
      assert.match(error.stderr ?? '', /package\.json: no list "vectors"/);
      return true;
    });
  });
});
