/** What is agreed at pairing, as raw bytes, and the CorePairing that either end makes of it. */

import { Mode, Suite, type CorePairing, type Engine } from '../../lib/engine.js';
import { utf8 } from './bytes.js';

export interface Setup {
  mode: Mode;
  suite: Suite;
  id: Uint8Array;
  gatewayId: Uint8Array;
  recordMax: number;
  windowDevice: number;
  windowGateway: number;
  maxSteps: number;
  maxBlocks: number;
}

export interface Credentials {
  devicePrivate: Uint8Array;
  devicePublic: Uint8Array;
  gatewayPrivate: Uint8Array;
  gatewayPublic: Uint8Array;
  psk: Uint8Array;
  b0: Uint8Array;
}

export const hasKeys = (mode: Mode): boolean => mode === Mode.Keys || mode === Mode.KeysPsk;
export const hasPsk = (mode: Mode): boolean => mode === Mode.KeysPsk || mode === Mode.Psk;

export function makeSetup(variant: { mode: Mode; suite: Suite }, over: Partial<Setup> = {}): Setup {
  const ticket = variant.mode === Mode.Ticket;
  return {
    mode: variant.mode,
    suite: variant.suite,
    id: utf8('meter-07'),
    gatewayId: utf8('gateway-1'),
    recordMax: 1024,
    windowDevice: 4096,
    windowGateway: 8192,
    maxSteps: ticket ? 65536 : 4096,
    maxBlocks: ticket ? 0xfffffffe : 4096,
    ...over,
  };
}

/** Fresh secrets; key pairs only where the mode has them. */
export function makeCredentials(engine: Engine, setup: Setup): Credentials {
  const none = new Uint8Array(0);
  const device = hasKeys(setup.mode) ? engine.generateKey(setup.suite) : { secret: none, public: none };
  const gateway = hasKeys(setup.mode) ? engine.generateKey(setup.suite) : { secret: none, public: none };
  return {
    devicePrivate: device.secret,
    devicePublic: device.public,
    gatewayPrivate: gateway.secret,
    gatewayPublic: gateway.public,
    psk: engine.random(32),
    b0: engine.random(32),
  };
}

/** One end's pairing. `own` and `peer` follow the role; B_0 goes to the device alone (the gateway stores a chain). */
export function makePairing(
  engine: Engine,
  role: 'device' | 'gateway',
  setup: Setup,
  secrets: Credentials,
): CorePairing {
  const pairing: CorePairing = { ...setup };
  if (hasKeys(setup.mode)) Object.assign(pairing, keyFields(engine, role, setup, secrets));
  if (hasPsk(setup.mode)) pairing.psk = engine.importSecret(secrets.psk);
  if (setup.mode === Mode.Ticket && role === 'device') pairing.ticket = engine.importSecret(secrets.b0);
  return pairing;
}

function keyFields(
  engine: Engine,
  role: 'device' | 'gateway',
  setup: Setup,
  secrets: Credentials,
): Partial<CorePairing> {
  const device = role === 'device';
  const own = device ? secrets.devicePrivate : secrets.gatewayPrivate;
  const peer = device ? secrets.gatewayPublic : secrets.devicePublic;
  const ss = engine.agree(setup.suite, own, peer);
  const gates = engine.gateKeys(ss, hasPsk(setup.mode) ? secrets.psk : undefined, setup.id, setup.gatewayId);
  return {
    own: engine.importSecret(own),
    ownPublic: device ? secrets.devicePublic : secrets.gatewayPublic,
    peer,
    ss,
    gateD2g: gates.d2g,
    gateG2d: gates.g2d,
  };
}
