/**
 * Classes 3 and 5 with the JS engine's hooks: no (key, nonce) pair seals twice, whatever is repeated, cut, rebooted or
 * replayed; and what happens when the random source errs, is constant or starts over. The C core's own tests do the same.
 */

import assert from 'node:assert/strict';
import { Mode, Suite, Transport } from '../../lib/engine.js';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { concat, hex, pattern, seeded, splitStream } from './bytes.js';
import { PowerCut } from './device-double.js';
import { variants, type EnginePair, type Variant } from './engines.js';
import { World } from './harness.js';
import { Noise, full1, fullType, gateKey, h0, ident, position, resume1 } from './reference.js';

/** Every seal of both ends, with its input where a repeat must be looked at. */
class Trace {
  readonly seen = new Set<string>();
  readonly twice: string[] = [];

  readonly note = (key: Uint8Array, nonce: Uint8Array): void => {
    const pair = `${hex(key)} ${hex(nonce)}`;
    if (this.seen.has(pair)) this.twice.push(pair);
    this.seen.add(pair);
  };

  pair(): EnginePair {
    const device = createJsEngine({}, { trace: this.note });
    const gateway = createJsEngine({}, { trace: this.note });
    return { name: 'js, traced', device, gateway };
  }
}

/** Cuts, lost answers, reboots, torn flash, gateway restarts and replays of all that was ever sent. */
function trouble(world: World, random: () => number): void {
  for (let round = 0; round < 60; round++) {
    const dice = Math.floor(random() * 7);
    world.device.flash.tear = dice === 0 ? 'before-wipe' : dice === 1 ? 'mid-write' : 'none';
    try {
      world.dial();
      if (world.link && dice < 5) world.link.cutAfter[dice % 2 ? 'd2g' : 'g2d'] = 1 + Math.floor(random() * 200);
      world.pump();
      if (world.device.core.live && world.device.streams.size < 4) world.device.open('x').write(pattern(100));
      world.advance(50);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      world.reboot();
    }
    if (dice === 5) world.reboot();
    if (dice === 6) {
      world.gateway.restart(random() < 0.5);
      world.hang();
    }
    replay(world, random);
    world.now += Math.floor(random() * 40_000);
  }
}

function replay(world: World, random: () => number): void {
  for (const link of world.links.slice(-6)) {
    const port = world.gateway.listen(Transport.Stream);
    if (random() < 0.7) port.receive(link.bytes('d2g'), world.now);
    port.collect(world.now);
    port.close();
  }
}

describe('keys and nonces [js]', function () {
  this.timeout(60_000);

  for (const variant of variants)
    it(`${variant.name}: no key seals twice under one nonce`, () => {
      for (let seed = 1; seed <= 3; seed++) {
        const trace = new Trace();
        trouble(new World(trace.pair(), variant), seeded(seed));
        assert.ok(trace.seen.size > 100, `${trace.seen.size} seals`);
        assert.deepEqual(trace.twice, [], `seed ${seed}`);
      }
    });

  it('the trace would show a repeat', () => {
    const trace = new Trace();
    trace.note(pattern(32), pattern(12));
    trace.note(pattern(32), pattern(12));
    assert.equal(trace.twice.length, 1);
  });

  it('a device whose random source is constant: resumption repeats no key but for the identical message', () => {
    const trace = new Trace();
    const device = createJsEngine({}, { trace: trace.note, random: (length) => new Uint8Array(length).fill(7) });
    const gateway = createJsEngine({}, { trace: trace.note });
    const world = new World({ name: 'constant', device, gateway }, { mode: Mode.Ticket, suite: Suite.None });
    const seals = new Map<string, string>();
    for (let round = 0; round < 30; round++) {
      if (round % 3 === 0) world.reboot();
      world.device.open('x').write(pattern(10, round));
      world.connect();
      const [message1] = splitStream(world.link?.bytes('d2g') ?? new Uint8Array(0));
      const at = hex(message1?.slice(0, 23) ?? new Uint8Array(0));
      assert.ok(seals.get(at) === undefined || seals.get(at) === hex(message1 ?? new Uint8Array(0)));
      seals.set(at, hex(message1 ?? new Uint8Array(0)));
      world.advance(50);
    }
    assert.deepEqual(trace.twice, []);
  });

  it('a gateway whose random source starts over after a restart gives no answer twice for different messages', () => {
    let calls = 0;
    const constant = () => createJsEngine({}, { random: (length) => new Uint8Array(length).fill(++calls % 3) });
    const world = new World(
      { name: 'constant', device: createJsEngine(), gateway: constant() },
      { mode: Mode.Ticket, suite: Suite.None },
    );
    const nonces = new Set<string>();
    for (let round = 0; round < 20; round++) {
      world.connect();
      const [answer] = splitStream(world.link?.bytes('g2d') ?? new Uint8Array(0));
      nonces.add(hex(answer?.slice(3, 19) ?? new Uint8Array(0)));
    }
    assert.equal(nonces.size, 20, 'n_g is hedged by a counter and by h1');
  });

  for (const role of ['device', 'gateway'] as const)
    it(`a random source that fails at the ${role}: nothing is sent, and it works once the source does`, () => {
      for (const variant of variants) {
        let broken = false;
        const failing = createJsEngine(
          {},
          {
            random: (length) => {
              if (broken) throw new Error('no entropy');
              return new Uint8Array(globalThis.crypto.getRandomValues(new Uint8Array(length)));
            },
          },
        );
        const pair = {
          name: 'failing',
          device: role === 'device' ? failing : createJsEngine(),
          gateway: role === 'gateway' ? failing : createJsEngine(),
        };
        const world = new World(pair, variant);
        broken = true;
        assert.throws(() => world.connect(), { code: 'ERR_HAWSER_RANDOM' }, variant.name);
        assert.equal(world.device.core.live, false);
        assert.equal(world.links.at(-1)?.bytes('g2d').length ?? 0, 0);
        broken = false;
        world.hang();
        for (const port of [...world.gateway.ports]) port.close();
        world.connect();
        assert.ok(world.device.core.live, variant.name);
      }
    });

  it('every call of the crypto port failing in turn, once: never live, no wrong bytes, and the next attempt works', () => {
    for (const variant of variants.filter(({ name }) => !name.startsWith('keys/') && name !== 'keys+psk/P256'))
      for (let failAt = 1; ; failAt++) {
        let calls = 0;
        let armed = false;
        const before = (): void => {
          if (armed && ++calls === failAt) throw new Error('the crypto provider failed');
        };
        const engine = createJsEngine({}, { before });
        const world = new World({ name: 'failing', device: engine, gateway: engine }, variant);
        armed = true;
        let failed = false;
        try {
          world.connect();
        } catch {
          failed = true;
        }
        const reached = calls >= failAt;
        armed = false;
        if (!reached) break;
        if (failed || !world.device.core.live) {
          world.hang();
          world.reboot();
          world.gateway.restart();
          world.until(() => world.device.core.live, `${variant.name}: live after call ${failAt} failed`);
        }
        const { device, gateway } = world.openStream();
        device.write(pattern(50));
        world.advance(50);
        assert.equal(hex(gateway.received), hex(pattern(50)), `${variant.name}, call ${failAt}`);
      }
  });
});

describe('the same randomness, the same bytes [js, reference]', () => {
  const fixed = (length: number): Uint8Array => pattern(length, 90);

  function message1(variant: Variant): { world: World; bytes: Uint8Array } {
    const world = new World(
      { name: 'fixed', device: createJsEngine({}, { random: fixed }), gateway: createJsEngine() },
      variant,
    );
    world.dial();
    return { world, bytes: concat(...world.device.output(world.now)).slice(2) };
  }

  for (const variant of variants)
    it(variant.name, () => {
      const { world, bytes } = message1(variant);
      const { setup, secrets, device } = world;
      if (variant.mode === Mode.Ticket) {
        const { r, ticket } = position(secrets.b0, 0, 0);
        const start = h0(setup, world.row.chain?.id ?? new Uint8Array(0), 0, 0);
        const { m1 } = resume1({ h0: start, r, ticket, rnd: fixed(16), pay1: new Uint8Array(9) });
        assert.equal(hex(bytes), hex(m1));
        return;
      }
      const keyed = variant.mode !== Mode.Psk;
      const psk = variant.mode === Mode.Keys ? undefined : secrets.psk;
      const keys = {
        ephemeral: fixed(32),
        ...(psk && { psk }),
        ...(keyed && { own: secrets.devicePrivate, peer: secrets.gatewayPublic }),
      };
      const noise = new Noise(setup, keys, true, concat(ident(setup), Uint8Array.of(fullType(setup))));
      const gate = keyed && device.pairing.ss ? gateKey(1, device.pairing.ss, psk, setup) : undefined;
      assert.equal(hex(bytes), hex(full1(setup, noise, gate)));
    });
});
