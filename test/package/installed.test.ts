/** The packed tarball in an empty project: no compiler, no install script, everything from inside the package. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILDERS, pack, Project, removeFolders, root } from './project.js';

interface Seen {
  engine: string;
  names: string[];
}

describe('package: installed', function () {
  this.timeout(240_000);
  let project: Project;

  before(() => {
    project = new Project(pack());
  });
  after(removeFolders);

  const seen = (program: string): Seen => JSON.parse(project.run('node', program)) as Seen;

  it('there is no compiler, no build system and no Python', () => {
    const look = (name: string) => project.start({}, 'sh', '-c', `command -v ${name}`).status;
    assert.deepEqual(BUILDERS.filter((name) => look(name) === 0), []); // prettier-ignore
    assert.equal(look('node'), 0);
  });

  it('import and require give the same names and the native engine; a stream goes through', () => {
    const [imported, required] = [seen('import.mjs'), seen('require.cjs')];
    assert.deepEqual([imported.engine, required.engine], ['native-openssl', 'native-openssl']);
    assert.ok(imported.names.includes('createGateway'));
    assert.deepEqual(required.names, imported.names);
  });

  it('a worker thread has a tunnel of its own', () => {
    const said: unknown = JSON.parse(project.run('node', 'worker.mjs'));
    assert.deepEqual(said, { engine: 'native-openssl', main: 'native-openssl' });
  });

  it('the command says its version, makes a gateway and pairs a device', () => {
    const hawser = (...args: string[]): string => project.run('npx', '--no', '--', 'hawser', ...args);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    assert.match(hawser('--version'), new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`));
    hawser('init', 'gateway');
    const config = join('gateway', 'gateway.toml');
    const written = readFileSync(join(project.path, config), 'utf8');
    assert.match(written, /^# mqtt = /m);
    writeFileSync(join(project.path, config), written.replace(/^# mqtt = .*/m, 'mqtt = "tcp://127.0.0.1:1883"'));
    hawser('pair', 'meter', '--allow', 'mqtt', '-c', config, '-o', 'meter.json');
    assert.match(hawser('inspect', 'meter.json'), /meter|device/);
    assert.match(hawser('devices', '-c', config), /meter/);
  });

  describe('types', () => {
    before(() => {
      const modules = join(project.path, 'node_modules');
      // no dependency of this package, since both compilers would be the command `tsc`; first, since npm removes what it does not know
      project.install('typescript-5.2@npm:typescript@5.2.2');
      mkdirSync(join(modules, '@types'), { recursive: true });
      cpSync(join(root, 'node_modules', '@types', 'node'), join(modules, '@types', 'node'), { recursive: true });
      symlinkSync(join(root, 'node_modules', 'undici-types'), join(modules, 'undici-types'));
      cpSync(join(project.path, 'consumer.ts'), join(project.path, 'consumer.mts'));
      symlinkSync(join(root, 'node_modules', 'typescript'), join(modules, 'typescript-own'));
    });

    const tsc = (compiler: string, module: string, resolution: string, files: readonly string[]) =>
      project.start(
        {},
        'node',
        join('node_modules', compiler, 'bin', 'tsc'),
        ...['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022', '--types', 'node'],
        ...['--module', module, '--moduleResolution', resolution],
        // once per compiler the declarations themselves are checked as well, which takes longest
        ...['--skipLibCheck', String(resolution !== 'nodenext'), ...files],
      );

    // the file ends with a wrong use that has to be told, so none of this passes where the types are not found;
    // as consumer.ts it compiles to require(), which TypeScript allows from 5.8 on
    for (const [compiler, module, resolution, files] of [
      ['typescript-own', 'nodenext', 'nodenext', ['consumer.mts', 'consumer.ts']],
      ['typescript-own', 'esnext', 'bundler', ['consumer.ts']],
      ['typescript-5.2', 'nodenext', 'nodenext', ['consumer.mts']],
      ['typescript-5.2', 'esnext', 'bundler', ['consumer.ts']],
    ] as const)
      it(`${compiler} takes ${files.join(' and ')} with module resolution ${resolution}`, () => {
        const { status, stdout } = tsc(compiler, module, resolution, files);
        assert.equal(status, 0, stdout);
      });
  });

  describe('which addon is taken', () => {
    let file: string;
    let kept: Buffer;

    beforeEach(() => {
      const folder = join(project.installed, 'prebuilds', `${process.platform}-${process.arch}`);
      file = join(folder, readdirSync(folder)[0] ?? '');
      kept = readFileSync(file);
    });
    afterEach(() => writeFileSync(file, kept));

    /** The engine, and what the debug log said. */
    function engine(env: NodeJS.ProcessEnv = {}): { said: string; log: string[] } {
      const { status, signal, stdout, stderr } = project.start({ NODE_DEBUG: 'hawser', ...env }, 'node', 'engine.mjs');
      assert.deepEqual([status, signal], [0, null], stderr);
      return { said: stdout.trim(), log: stderr.split('\n').filter((line) => line.startsWith('HAWSER ')) };
    }

    /** JS serves, one debug line says why, and the whole tunnel works; a forced choice is refused for the same reason. */
    function fallsBack(reason: RegExp, env: NodeJS.ProcessEnv = {}): void {
      const { said, log } = engine(env);
      assert.deepEqual([said, log.length], ['js', 1]);
      assert.match(log[0] ?? '', /engine js: slower than the native one/);
      assert.match(log[0] ?? '', reason);
      const forced = engine({ ...env, HAWSER_ENGINE: 'native' }).said;
      assert.match(forced, /^ERR_HAWSER_ENGINE: native-openssl does not load: /);
      assert.match(forced, reason);
    }

    it('the prebuilt one where it fits', () => {
      assert.equal(engine().said, 'native-openssl');
    });

    it('none where there is none: JS serves, in the tunnel too', () => {
      rmSync(file);
      fallsBack(/there is no prebuilt addon for linux-\w+ \(hawser-openssl\.glibc\.node\)/);
      assert.equal(seen('import.mjs').engine, 'js');
    });

    it('none where there is only one for the other C library', () => {
      const other = file.replace('.glibc.', '.musl.');
      renameSync(file, other);
      fallsBack(/there is no prebuilt addon/);
      rmSync(other);
    });

    for (const [what, broken] of [
      ['is garbage', () => Buffer.from('not an object file')],
      ['is empty', () => Buffer.alloc(0)],
      ['is for another machine', () => replaced(kept, 18, Buffer.of(0xf3, 0x00))],
    ] as const)
      it(`not one that ${what}`, () => {
        writeFileSync(file, broken());
        fallsBack(/hawser-openssl\.glibc\.node/);
      });

    it('not one that needs a function which this OpenSSL lacks', () => {
      const name = Buffer.from('\0EVP_MD_fetch\0');
      writeFileSync(file, replaced(kept, kept.indexOf(name), Buffer.from('\0EVP_MD_fetcX\0')));
      fallsBack(/undefined symbol: EVP_MD_fetcX/);
    });

    for (const [version, text] of [
      ['4.0.1', '4.0.1'],
      ['1.1.1w', '1.1.1w'],
      ['', 'none'],
    ] as const)
      it(`none in a Node whose OpenSSL is ${text}`, () => {
        fallsBack(new RegExp(`needs the OpenSSL 3\\.x of Node, and this one has ${text}`), { HAWSER_OPENSSL: version });
      });

    it('and no environment variable leads to another', () => {
      rmSync(file);
      const elsewhere = join(root, 'prebuilds');
      fallsBack(/there is no prebuilt addon/, { HAWSER_PREBUILD: root, NODE_PATH: elsewhere, PREBUILDS_ONLY: '1' });
    });
  });

  it('without lmdb the package loads, and only its store says so', () => {
    const lmdb = join(project.path, 'node_modules', 'lmdb');
    renameSync(lmdb, `${lmdb}.away`);
    const script = "require('hawser').lmdbStore({ path: 'store', sealingKey: Buffer.alloc(32, 1) })";
    const { stdout } = project.start(
      {},
      'node',
      '-e',
      `${script}.catch((error) => console.log(error.code, error.message))`,
    );
    renameSync(`${lmdb}.away`, lmdb);
    assert.match(stdout, /^ERR_HAWSER_STORAGE store store: .*lmdb/);
  });
});

function replaced(bytes: Buffer, at: number, by: Buffer): Buffer {
  assert.ok(at > 0);
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + by.length)]);
}
