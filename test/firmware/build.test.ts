/** What a build of the firmware refuses, and what must not be in it. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { folder, removeFolders } from '../cli/harness.js';
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
  after(removeFolders);

  it('asks for all that it needs, by the names of packages, where it cannot install it', () => {
    const [path, bin] = [process.env.PATH, folder()];
    symlinkSync('/bin/bash', join(bin, 'bash'));
    try {
      process.env.PATH = bin;
      const compilers = 'gcc-arm-none-eabi qemu-system-arm gcc-riscv64-unknown-elf qemu-system-misc';
      assert.throws(needTools, { message: `missing Debian packages: gcc dpkg-dev bzip2 curl openssl ${compilers}` });
    } finally {
      process.env.PATH = path;
    }
    const asked = spawnSync('bash', ['tools/machine.sh', 'bzip2', 'bzip3'], { encoding: 'utf8' });
    assert.deepEqual([asked.status, asked.stderr], [2, 'machine.sh knows no package bzip3\n']);
  });

  for (const board of ['an386', 'virt'] as const)
    it(`${board}: does not link where something refers to malloc, though there is memory for it`, async () => {
      await assert.rejects(buildImage(board, 'ticket', 'heap', { app: 'test/firmware/heap' }), ({ message }: Error) => {
        assert.match(message, /there is no heap: something refers to malloc/);
        assert.doesNotMatch(message, /undefined reference/);
        return true;
      });
    });

  it('does not compile without a random source', async () => {
    await assert.rejects(
      buildImage('an386', 'ticket', 'random', { defines: 'FIRMWARE_NO_RANDOM=1' }),
      /#error "hawser: no entropy source is known here: define HAWSER_RANDOM in HAWSER_CONFIG_FILE/,
    );
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
