/** What a build of the firmware refuses, and what must not be in it. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { boards, buildImage, builds, fetchSources, needTools, type BuildName } from '../../tools/firmware-build.mjs';

/** Functions and data of an image. */
async function symbols(build: BuildName): Promise<string[]> {
  const elf = join(await buildImage('an386', build), 'image.elf');
  const nm = boards.an386.compiler.replace(/gcc$/, 'nm');
  const lines = execFileSync(nm, ['--defined-only', elf], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => line.split(' ')[2]!);
}

describe('a build of the firmware', function () {
  this.timeout(180_000);

  before(() => {
    needTools();
    fetchSources();
  });

  it('does not link where something refers to malloc', async () => {
    await assert.rejects(
      buildImage('an386', 'ticket', 'heap', { app: 'test/firmware/heap' }),
      /there is no heap|undefined reference to `_sbrk'/,
    );
  });

  it('does not compile without a random source', async () => {
    await assert.rejects(buildImage('an386', 'ticket', 'random', { defines: 'FIRMWARE_NO_RANDOM=1' }), /#error/);
  });

  const ecdh = /ecdh|ecp_|p256|x25519|mpi/i;
  for (const build of Object.keys(builds) as BuildName[])
    it(`${build}: has no heap, and ${build === 'ticket' ? 'no ECDH' : 'one curve alone'}`, async () => {
      const names = await symbols(build);
      assert.ok(names.includes('hawser_connect') && names.includes('mbedtls_gcm_update'));
      assert.deepEqual(
        names.filter((name) => /^_?(malloc|calloc|realloc|free|sbrk|malloc_r)$/.test(name)),
        [],
      );
      const curve = names.filter((name) => ecdh.test(name));
      if (build === 'ticket') assert.deepEqual(curve, []);
      else assert.equal(curve.includes('p256_ecdh_shared_secret'), build !== 'keys-25519', curve.join(' '));
    });
});
