/** Where the independent vectors are. They are not part of the project: $HAWSER_VECTORS, or ../shared/vectors. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lines.js';

export const folder = process.env.HAWSER_VECTORS ?? join(root, '../shared/vectors');

/** How many vectors each file holds, so that a run without the folder can say what it did not do. */
const counts: Readonly<Record<string, number>> = {
  'cacophony.json': 15,
  'wycheproof/aes_gcm_test.json': 316,
  'wycheproof/ecdh_secp256r1_ecpoint_test.json': 355,
  'wycheproof/hkdf_sha256_test.json': 86,
  'wycheproof/hmac_sha256_test.json': 174,
  'wycheproof/x25519_test.json': 518,
  'rfc7748-x25519.txt': 3,
  'rfc-5869-HKDF-SHA256.txt': 3,
};

/** The text of a file, or undefined where the folder is absent (said on the console); a file missing from it throws. */
export function vectorText(name: string): string | undefined {
  if (existsSync(folder)) return readFileSync(join(folder, name), 'utf8');
  console.log(`    ${counts[name] ?? '?'} vectors of ${name} not run: no folder ${folder} (set HAWSER_VECTORS)`);
  return undefined;
}

export interface WycheproofTest {
  tcId: number;
  comment: string;
  flags: string[];
  result: 'valid' | 'invalid' | 'acceptable';
  [field: string]: unknown;
}
export type WycheproofRow = WycheproofTest & { group: Record<string, unknown> };

/** All rows of a Wycheproof file, each with its group's fields. */
export function wycheproof(name: string): WycheproofRow[] | undefined {
  const text = vectorText(`wycheproof/${name}_test.json`);
  if (text === undefined) return undefined;
  const file = JSON.parse(text) as { testGroups: (Record<string, unknown> & { tests: WycheproofTest[] })[] };
  return file.testGroups.flatMap((group) => group.tests.map((test) => ({ ...test, group })));
}

/** `NAME = value` lines in blocks that a COUNT line starts: the format of the RFC files. */
export function blocks(text: string): Record<string, string>[] {
  const out: Record<string, string>[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\w+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] === 'COUNT') out.push({});
    const block = out.at(-1);
    if (block && match?.[1] !== undefined) block[match[1]] = match[2] ?? '';
  }
  return out;
}
