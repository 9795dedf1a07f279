import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG_NAME, configTemplate, createIdentityFiles } from '../config.js';
import { OPTIONS } from '../config/options.js';
import { selectEngine } from '../engine/select.js';
import { UsageError, command } from './command.js';

const ID_LENGTH = 8;

/** Never replaces a file: the keys of a gateway in use would be gone. */
async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new UsageError(`${file}: exists already`);
    throw error;
  }
}

export const init = command({
  name: 'init',
  summary: 'write gateway.toml and new keys',
  usage: `[DIR]

Writes DIR/${CONFIG_NAME} with every option as a comment, and the gateway's keys and sealing key beside it.
Files that exist are left alone and end the command.`,
  options: {},
  positionals: [0, 1],
  async run(_values, [folder = '.'], io) {
    const engine = selectEngine();
    const file = join(folder, CONFIG_NAME);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeNew(file, configTemplate(engine.random(ID_LENGTH)));
    const files = {
      keys: join(folder, OPTIONS.files.keys.value),
      sealing_key: join(folder, OPTIONS.files.sealing_key.value),
    };
    try {
      await createIdentityFiles(files, engine);
    } catch (error) {
      await rm(file); // a configuration without its keys would only mislead
      throw error;
    }
    io.out(`${file}\n`);
    io.note(`Name the upstreams in ${file}, then: hawser pair NAME --allow UPSTREAM -c ${file}`);
    return 0;
  },
});
