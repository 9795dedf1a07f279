/**
 * The packed tarball under other versions of Node, which come as npm packages:
 *
 *   npm run nodes [-- 20.19.0 22 24 26]
 *
 * One addon, built with the Node that runs this, has to serve in all: a tunnel in the main thread and one in a worker.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack, Project, removeFolders, root, run } from './project.js';

const given = process.argv.slice(2);
const versions = given.length > 0 ? given : ['20.19.0', '22', '24', '26'];
const home = join(root, 'build', 'nodes');
mkdirSync(home, { recursive: true });
writeFileSync(join(home, 'package.json'), '{ "private": true }\n');

/** The program `node` of that version. */
function fetchNode(version: string): string {
  const name = `node-${version}`;
  const spec = `${name}@npm:node-${process.platform}-${process.arch}@${version}`;
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--silent', spec], home);
  return join(home, 'node_modules', name, 'bin', 'node');
}

const project = new Project(pack());
for (const version of versions) {
  const node = fetchNode(version);
  const of = run(node, ['-p', '`${process.version} with OpenSSL ${process.versions.openssl}`'], project.path).trim();
  for (const program of ['import.mjs', 'worker.mjs']) {
    const { engine } = JSON.parse(run(node, [program], project.path)) as { engine: string };
    if (engine !== 'native-openssl') throw new Error(`${of}: ${program} ran on ${engine}`);
    console.log(`${of}: ${program} on ${engine}`);
  }
}
removeFolders();
