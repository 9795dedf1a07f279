/**
 * test/c/pairing_forms.h holds what this encoder writes, so that the reader in C is tested against another hand's bytes.
 * HAWSER_UPDATE_FORMS=1 writes the header anew.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Suite, type Engine } from '../../lib/engine.js';
import { decodePairing, encodePairing } from '../../lib/pairing.js';
import type { DevicePairing } from '../../lib/types.js';
import { hex, pattern, utf8 } from '../suite/bytes.js';
import { hasKeys, hasPsk } from '../suite/credentials.js';
import { engineNamed, variants, type Variant } from '../suite/engines.js';

const file = new URL('../c/pairing_forms.h', import.meta.url);

function form(engine: Engine, { mode, suite }: Variant): DevicePairing {
  const pairing: DevicePairing = {
    mode,
    suite,
    id: utf8('device-1'),
    gatewayId: utf8('gateway1'),
    recordMax: 1024,
    windowDevice: 4096,
    windowGateway: 65536,
    maxSteps: 0x10203,
    maxBlocks: suite === Suite.None ? 0xfffffffe : 0x40506,
    addresses: [],
  };
  if (hasPsk(mode)) pairing.psk = pattern(32, 3);
  if (suite === Suite.None) pairing.ticket = pattern(32, 4);
  if (!hasKeys(mode)) return pairing;
  pairing.privateKey = pattern(32, 1);
  pairing.gatewayPublicKey = engine.publicKey(suite, pattern(32, 2));
  pairing.ss = engine.agree(suite, pairing.privateKey, pairing.gatewayPublicKey);
  const gates = engine.gateKeys(pairing.ss, pairing.psk, pairing.id, pairing.gatewayId);
  return Object.assign(pairing, { gateD2g: gates.d2g, gateG2d: gates.g2d });
}

function header(engine: Engine): string {
  const rows = variants.map((variant) => {
    const bytes = hex(encodePairing(form(engine, variant)));
    const lines = bytes.match(/.{1,96}/g)!.map((line) => `     "${line}"`);
    return `    {${variant.mode}, ${variant.suite}, /* ${variant.name} */\n${lines.join('\n')}},\n`;
  });
  return `/*
 * pairing_forms.h - binary pairings (SPEC 4.1) as the TypeScript encoder writes them. Made by
 * test/unit/pairing-forms.test.ts, which also holds it to that.
 */
#ifndef HAWSER_TEST_PAIRING_FORMS_H
#define HAWSER_TEST_PAIRING_FORMS_H

#include <stdint.h>

typedef struct pairing_form {
  uint8_t mode, suite;
  const char *hex;
} pairing_form;

/* clang-format off */
static const pairing_form forms[] = {
${rows.join('')}};
/* clang-format on */

#endif
`;
}

describe('binary pairings for the reader in C', () => {
  it('are what the encoder writes, and the decoder reads', async () => {
    const engine = await engineNamed('js');
    const made = header(engine);
    if (process.env.HAWSER_UPDATE_FORMS === '1') writeFileSync(file, made);
    assert.equal(readFileSync(file, 'utf8'), made);
    for (const variant of variants) {
      const bytes = encodePairing(form(engine, variant));
      assert.equal(hex(encodePairing(decodePairing(bytes))), hex(bytes));
    }
  });
});
