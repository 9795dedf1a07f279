// npm run firmware: cross-compiles every image, then runs them in qemu against `hawser gateway` (test/firmware).
//
//   npm run firmware [-- --build]      --build: compile and link, and no more
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { boards, buildImage, fetchSources, images, needTools } from './firmware-build.mjs';

const { values } = parseArgs({ options: { build: { type: 'boolean' } } });

needTools();
fetchSources();
for (const { name, board, build } of images) {
  const elf = join(await buildImage(board, build), 'image.elf');
  const { text, data, bss } = sizesOf(boards[board].compiler, elf);
  console.log(`${name.padEnd(18)} flash ${text + data}  static RAM ${data + bss}  ${elf}`);
}
if (!values.build) {
  const env = { ...process.env, HAWSER_FIRMWARE: 'all' };
  const run = ['--forbid-only', 'test/firmware/**/*.test.ts'];
  process.exitCode = spawnSync('node_modules/.bin/mocha', run, { stdio: 'inherit', env }).status ?? 1;
}

function sizesOf(compiler, elf) {
  const { stdout } = spawnSync(compiler.replace(/gcc$/, 'size'), [elf], { encoding: 'utf8' });
  const [text, data, bss] = stdout.split('\n')[1].trim().split(/\s+/).map(Number);
  return { text, data, bss };
}
