/** Puts both ends' reports of each handshake side by side. */

import type { DemoDevice } from './device.js';
import type { EventReader, Handshake } from './events.js';

export interface Pair {
  device: DemoDevice;
  phase: number;
  own: Handshake;
  /** Undefined: the link was cut before the device's first record arrived, so the gateway never took it for live. */
  gateway: Handshake | undefined;
}

/** Both ends report within a moment of each other. */
const NEAR_MS = 3000;

/** `phases`: when each began. In order of time. */
export function handshakes(devices: DemoDevice[], gatewayEvents: EventReader, phases: number[]): Pair[] {
  const pairs = devices.flatMap((device) => {
    const theirs = gatewayEvents.handshakes().filter((one) => one['device'] === device.id);
    return device.events.handshakes().map((own): Pair => {
      const phase = phases.filter((start) => start <= own.time).length;
      return { device, phase, own, gateway: takeNearest(theirs, own) };
    });
  });
  return pairs.sort((a, b) => a.own.time - b.own.time);
}

/** The counterpart saw the same bytes the other way round. */
function takeNearest(theirs: Handshake[], own: Handshake): Handshake | undefined {
  const at = theirs.findIndex(
    (one) => one.sent === own.received && one.received === own.sent && Math.abs(one.time - own.time) < NEAR_MS,
  );
  return at < 0 ? undefined : theirs.splice(at, 1)[0];
}

const HEADING = ['phase', 'device', 'kind', 'streams', 'bytes ->', 'bytes <-', 'RTT', 'ECDH dev', 'gw', 'ms dev', 'gw'];

export function handshakeRows(pairs: Pair[]): string[][] {
  const rows = pairs.map(({ device, phase, own, gateway }) => [
    phase === 0 ? 'start' : String(phase),
    device.mode,
    own.kind,
    own.continued ? 'continued' : 'new',
    String(own.sent),
    String(own.received),
    String(own.roundTrips),
    String(own.ecdh),
    gateway ? String(gateway.ecdh) : '-',
    own.ms.toFixed(1),
    gateway ? gateway.ms.toFixed(1) : '-',
  ]);
  return [HEADING, ...rows];
}
