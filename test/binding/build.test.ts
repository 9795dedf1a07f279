import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = fileURLToPath(new URL('../..', import.meta.url));

/** A package of its own with this one's build script, whose CMakeLists.txt is the test's. */
function project(): {
  write: (lists: string) => void;
  build: (...args: string[]) => { status: number | null; text: string };
  built: () => boolean;
  remove: () => void;
} {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'hawser-build-')));
  mkdirSync(join(root, 'tools'));
  cpSync(join(home, 'tools', 'build-native.mjs'), join(root, 'tools', 'build-native.mjs'));
  cpSync(join(home, 'package.json'), join(root, 'package.json'));
  symlinkSync(join(home, 'node_modules'), join(root, 'node_modules'));
  return {
    write: (lists) =>
      writeFileSync(
        join(root, 'CMakeLists.txt'),
        `cmake_minimum_required(VERSION 3.21)\nproject(x LANGUAGES C CXX)\n${lists}\n`,
      ),
    build: (...args) => {
      const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools', 'build-native.mjs'), ...args], {
        encoding: 'utf8',
      });
      return { status, text: stderr };
    },
    built: () => existsSync(join(root, 'done')),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

describe('build of the addon', function () {
  this.timeout(120_000);

  it('a failed configuration is said, harms no install, and the next build starts afresh', () => {
    const { write, build, built, remove } = project();
    try {
      write('message(FATAL_ERROR "not today")');
      const failed = build();
      assert.equal(failed.status, 1);
      assert.match(failed.text, /addon-openssl-configure failed, see build\/addon-openssl-configure\.log/);
      const optional = build('--optional');
      assert.equal(optional.status, 0);
      assert.match(optional.text, /using the JS engine/);
      write('add_custom_target(all_done ALL COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_CURRENT_SOURCE_DIR}/done)');
      const mended = build();
      assert.deepEqual([mended.status, mended.text, built()], [0, '', true]);
    } finally {
      remove();
    }
  });
});
