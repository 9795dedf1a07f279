import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runProgram } from './child.js';

interface Answer {
  name?: string;
  same?: boolean;
  code?: string;
  message?: string;
  cause?: boolean;
  log: string;
}

function select(option: string | undefined, env: NodeJS.ProcessEnv = {}): Answer {
  const args = option === undefined ? [] : [option];
  const child = runProgram('select', args, { env: { HAWSER_ENGINE: '', NODE_DEBUG: '', ...env } });
  assert.equal(child.status, 0, child.stderr);
  return { ...(JSON.parse(child.stdout) as Omit<Answer, 'log'>), log: child.stderr };
}

/** Lines of the debug log. */
const logged = (answer: Answer): string[] => answer.log.split('\n').filter((line) => line.startsWith('HAWSER '));

describe('engine selection', function () {
  this.timeout(60_000);
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const copies: string[] = [];
  after(() => copies.forEach((directory) => rmSync(directory, { recursive: true })));

  /** lib/ as installed where no addon was built, or one that is broken. */
  function copyOfLib(binary?: string): string {
    const directory = mkdtempSync(join(tmpdir(), 'hawser-select-'));
    copies.push(directory);
    cpSync(join(root, 'lib'), join(directory, 'lib'), { recursive: true });
    cpSync(join(root, 'package.json'), join(directory, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    if (binary !== undefined) {
      mkdirSync(join(directory, 'build', 'native'), { recursive: true });
      writeFileSync(join(directory, 'build', 'native', 'hawser-openssl.node'), binary);
    }
    return pathToFileURL(join(directory, 'lib', 'engine', 'select.ts')).href;
  }

  it('without a choice the native engine serves, and one debug line says so', () => {
    const answer = select(undefined, { NODE_DEBUG: 'hawser' });
    assert.deepEqual([answer.name, answer.same], ['native-openssl', true]);
    assert.equal(logged(answer).length, 1);
    assert.match(logged(answer)[0] ?? '', /engine native-openssl/);
    assert.deepEqual(logged(select(undefined)), []);
  });

  for (const [choice, name] of [
    ['native', 'native-openssl'],
    ['native-mbedtls', 'native-mbedtls'],
    ['js', 'js'],
  ] as const)
    // prettier-ignore
    it(`'${choice}' is forced by the option, or by HAWSER_ENGINE`, () => {
      assert.equal(select(choice).name, name);
      assert.equal(select(undefined, { HAWSER_ENGINE: choice }).name, name);
    });

  it('the option wins over HAWSER_ENGINE', () => {
    assert.equal(select('js', { HAWSER_ENGINE: 'native' }).name, 'js');
    assert.equal(select('native', { HAWSER_ENGINE: 'nonsense' }).name, 'native-openssl');
  });

  for (const wrong of ['Native', 'openssl', ' js', 'toString', '__proto__'])
    it(`'${wrong}' is refused with the valid names, by either way`, () => {
      const answers = [select(wrong), select(undefined, { HAWSER_ENGINE: wrong })];
      for (const { code, message } of answers) {
        assert.equal(code, 'ERR_HAWSER_ENGINE');
        assert.match(message ?? '', /valid: native, native-mbedtls, js/);
      }
      assert.match(answers[1]?.message ?? '', /HAWSER_ENGINE/);
    });

  for (const runtime of ['electron', 'bun'])
    it(`under ${runtime} JS serves and one debug line names the reason`, () => {
      const answer = select(undefined, { RUNTIME: runtime, NODE_DEBUG: 'hawser' });
      assert.equal(answer.name, 'js');
      assert.equal(logged(answer).length, 1);
      assert.match(logged(answer)[0] ?? '', new RegExp(`engine js: .*${runtime}`, 'i'));
    });

  for (const [what, binary] of [
    ['no addon', undefined],
    ['an addon that does not load', 'not an object file'],
  ] as const)
    it(`with ${what} JS serves; forced native is an error with its cause`, () => {
      const LIB = copyOfLib(binary);
      const answer = select(undefined, { LIB, NODE_DEBUG: 'hawser' });
      assert.deepEqual([answer.name, answer.same], ['js', true]);
      assert.equal(logged(answer).length, 1);
      assert.match(logged(answer)[0] ?? '', /engine js: .*native-openssl does not load/);
      for (const choice of ['native', 'native-mbedtls']) {
        const refused = select(choice, { LIB });
        assert.deepEqual([refused.code, refused.cause], ['ERR_HAWSER_ENGINE', true]);
      }
    });
});
