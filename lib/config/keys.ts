/** The gateway's secrets in files of their own, which nobody but their owner may read. */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { parse } from 'smol-toml';
import { Suite } from '../engine.js';
import type { Engine } from '../engine.js';
import { HawserError } from '../errors.js';
import { checkSecret } from '../pairing/terms.js';
import { makePrivate, secretFileFault } from '../secret-file.js';
import type { GatewayIdentity, KeyPair } from '../types.js';
import type { GatewayConfig } from '../config.js';

const fail = (file: string, reason: string, cause?: unknown): HawserError =>
  new HawserError('ERR_HAWSER_CONFIG', `${file}: ${reason}`, { cause });

async function readOpen(handle: FileHandle, file: string): Promise<Buffer> {
  const fault = await secretFileFault(handle);
  if (fault !== undefined) throw fail(file, fault);
  return handle.readFile();
}

/** A file that holds secrets; refused while others may read it. The opened file is what is checked. */
export async function readSecretFile(file: string): Promise<Buffer> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw fail(file, code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'may not be read' : String(code), error);
  }
  try {
    return await readOpen(handle, file);
  } finally {
    await handle.close();
  }
}

/** A new file for its owner alone, on disk when this resolves. Never replaces one unless told. */
export async function writeSecretFile(file: string, data: string | Uint8Array, replace = false): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC } = constants;
  let handle: FileHandle;
  try {
    handle = await open(file, O_WRONLY | O_CREAT | (replace ? O_TRUNC : O_EXCL), 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw fail(file, code === 'EEXIST' ? 'exists already' : `cannot be written (${code})`, error);
  }
  try {
    if (replace) await makePrivate(handle);
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function secretOf(file: string, field: string, value: unknown, suite: Suite): Uint8Array {
  if (typeof value !== 'string' || !/^[0-9a-fA-F]{64}$/.test(value)) throw fail(file, `${field}: not 64 hex digits`);
  const bytes = Buffer.from(value, 'hex');
  try {
    checkSecret('privateKey', suite, bytes);
  } catch (error) {
    throw fail(file, `${field}: ${(error as Error).message.replace(/^privateKey: /, '')}`);
  }
  return bytes;
}

function keyPair(engine: Engine, suite: Suite, secret: Uint8Array): KeyPair {
  return { secret, public: engine.publicKey(suite, secret) };
}

function parseKeys(file: string, text: string): Record<string, unknown> {
  let keys: Record<string, unknown>;
  try {
    keys = parse(text);
  } catch {
    throw fail(file, 'not a key file as `hawser init` writes it'); // the parser's message would quote it
  }
  const unknown = Object.keys(keys).find((key) => key !== 'x25519' && key !== 'p256');
  if (unknown !== undefined) throw fail(file, `${unknown}: unknown key`);
  return keys;
}

/** Reads both files that the configuration names. @throws ERR_HAWSER_CONFIG with file, field and reason. */
export async function readIdentity(
  config: Pick<GatewayConfig, 'id' | 'files'>,
  engine: Engine,
): Promise<GatewayIdentity> {
  const keys = parseKeys(config.files.keys, (await readSecretFile(config.files.keys)).toString());
  const sealing = (await readSecretFile(config.files.sealing_key)).toString().trim();
  return {
    id: config.id,
    x25519: keyPair(engine, Suite.X25519, secretOf(config.files.keys, 'x25519', keys['x25519'], Suite.X25519)),
    p256: keyPair(engine, Suite.P256, secretOf(config.files.keys, 'p256', keys['p256'], Suite.P256)),
    sealingKey: secretOf(config.files.sealing_key, 'sealing key', sealing, Suite.None),
  };
}

/** Makes new keys. @throws ERR_HAWSER_CONFIG if a file is there already. */
export async function createIdentityFiles(files: { keys: string; sealing_key: string }, engine: Engine): Promise<void> {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const x25519 = hex(engine.generateKey(Suite.X25519).secret);
  const p256 = hex(engine.generateKey(Suite.P256).secret);
  const head = "# The gateway's private keys. Whoever has them is the gateway.\n";
  await writeSecretFile(files.keys, `${head}x25519 = "${x25519}"\np256 = "${p256}"\n`);
  await writeSecretFile(files.sealing_key, `${hex(engine.random(32))}\n`);
}
