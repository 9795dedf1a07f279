/** The binary form of a device's pairing as C, for a program that is built for one device. */

import type { Engine } from '../engine.js';
import type { DevicePairing } from '../types.js';
import { encodePairing } from './binary.js';
import { deviceFingerprint } from './fingerprint.js';
import { modeName, suiteName } from './terms.js';

const PER_LINE = 16;

/** A header that defines `hawser_pairing_form`, what hawser_pairing_read() takes. The name must not end a comment. */
export function pairingToC(engine: Engine, pairing: DevicePairing, name: string): string {
  const bytes = [...encodePairing(pairing)].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += PER_LINE) lines.push(`    ${bytes.slice(at, at + PER_LINE).join(', ')},`);
  return `/*
 * The pairing of ${name} with its gateway, in the binary form of docs/SPEC.md 4.1. It holds secrets: keep it out of
 * repositories and build caches, and delete it when the device has it.
 *
 * device       ${Buffer.from(pairing.id).toString('hex')}
 * mode, suite  ${modeName(pairing.mode)}, ${suiteName(pairing.suite)}
 * fingerprint  ${deviceFingerprint(engine, pairing)}
 */
static const unsigned char hawser_pairing_form[${bytes.length}] = {
${lines.join('\n')}
};
`;
}
