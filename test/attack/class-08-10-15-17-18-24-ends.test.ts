/**
 * Classes 8, 10, 15, 17, 18, 22 and 24: who is at the other end, contexts that are used again, clocks, public keys, comparisons and
 * buffers. Matrices of every field are in test/suite/knockout.test.ts and test/vectors; the C side of 22 and 24 runs under valgrind.
 */

import assert from 'node:assert/strict';
import { Mode, Transport } from '../../lib/engine.js';
import { equal, Port } from '../../lib/engine/js/crypto.js';
import { createJsEngine } from '../../lib/engine/js/index.js';
import { concat, hex, pattern } from '../suite/bytes.js';
import type { Credentials } from '../suite/credentials.js';
import { fullVariants, variants, type EnginePair, type Variant } from '../suite/engines.js';
import { connected, World } from '../suite/harness.js';
import { full1, fullType, ident, framed, Noise } from '../suite/reference.js';
import { attack, red, type Check } from './classes.js';
import { failedAgreementsCount, layered, patched } from './faults.js';

const TICKET = variants[6] as Variant;
const PSK = variants[4] as Variant;

/** A device's own ticket, where the store's row is of another device or the pairing says another gateway. */
function crossed(pair: EnginePair): void {
  for (const over of [{ id: pattern(8, 1) }, { gatewayId: pattern(9, 2) }]) {
    const world = new World(pair, TICKET, { gatewayOver: over });
    world.connect();
    assert.equal(world.device.core.live, false, `live under another ${Object.keys(over).join()}`);
    assert.equal(world.links[0]?.bytes('g2d').length, 0);
  }
}

attack('class 8: a ticket under another identity', crossed, {
  'the gateway looks at the ticket alone': {
    red: /live under another/,
    seed: (check, pair) => {
      const same = { id: new TextEncoder().encode('meter-07'), gatewayId: new TextEncoder().encode('gateway-1') };
      const gateway = layered(pair.gateway, {
        accept: (core) => ({ offerTicket: (pairing, ...rest) => core.offerTicket({ ...pairing, ...same }, ...rest) }),
      });
      check({ ...pair, gateway });
    },
  },
});

/** One device core through many links of every kind of end; each link must be as good as the first. A thousand with an engine's own other end. */
function usedAgain(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  const uses = pair.device.name === pair.gateway.name ? 1000 : 100;
  for (let round = 0; round < uses; round++) {
    const early = round % 3 === 0 ? world.device.open('again') : undefined;
    early?.write(pattern(12, round), true);
    const end = round % 5;
    world.dial(early);
    if (end === 1 && world.link) world.link.cutAfter.g2d = round % 40;
    if (end === 2 && world.link) world.link.cutAfter.d2g = 30 + (round % 60);
    world.pump();
    world.until(() => world.device.core.live, 'live');
    world.advance(50);
    const info = world.device.core.handshake;
    const first = world.link?.log.d2g[0]?.length;
    assert.equal(info?.kind, 'resumption');
    assert.equal(info?.sent, first, `round ${round}: figures of this handshake`);
    for (const stream of [...world.device.streams.values()]) world.device.core.reset(stream.id, 7);
    world.advance(50);
    assert.equal(world.device.streams.size, 0);
    assert.equal(world.session.streams.size, 0, `round ${round}: nothing is left over`);
  }
}

attack('class 10: one context, a thousand uses', usedAgain, {
  'figures of the first handshake stay': {
    red: /figures of this handshake/,
    seed: (check, pair) => {
      const device = layered(pair.device, {
        device: (core) => {
          let first: typeof core.handshake;
          return {
            get handshake() {
              return (first ??= core.handshake);
            },
          };
        },
      });
      check({ ...pair, device });
    },
  },
  'a stream that was reset stays at the gateway once in a while': {
    red: /round [23]\d\d: nothing is left over/,
    seed: (check, pair) => {
      let resets = 0;
      const gateway = layered(pair.gateway, {
        gateway: (core) => ({
          receive: (chunk, now) =>
            core.receive(chunk, now).filter((event) => event.type !== 'closed' || (resets += 1) % 100 !== 0),
        }),
      });
      check({ ...pair, gateway });
    },
  },
});

/** Clocks that jump ahead, go back and wrap at 49.7 days: a session works behind each. */
function clocks(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  for (const now of [2 ** 32 - 5, 5, 2 ** 40, 2 ** 31, 1_000_000, 2 ** 32 + 7, 0]) {
    world.now = now;
    world.hang();
    world.until(() => world.device.core.live, `live at ${now}`, 20);
    const device = world.device.open('echo');
    device.write(pattern(9), true);
    world.advance(200);
    const gateway = world.session.streams.get(device.id);
    assert.ok(gateway, `at ${now}: the stream is open`);
    assert.equal(hex(gateway.received), hex(pattern(9)), `at ${now}`);
    gateway.write(pattern(3), true);
    world.advance(200);
    assert.equal(device.code, 0, `at ${now}: acknowledgements are not held back by an old deadline`);
  }
}

attack('class 15: clocks that jump, go back and wrap', clocks, {
  'an end never takes a time below the highest it saw': {
    red: /^at 5: acknowledgements are not held back/,
    seed: (check, pair) => {
      let highest = 0;
      const gateway = layered(pair.gateway, {
        gateway: (core) => {
          const send = (now: number): Uint8Array | undefined => {
            if (now < highest) return undefined;
            highest = now;
            return core.send(now);
          };
          const deadline = (): number => (core.deadline() < highest ? Infinity : core.deadline());
          const write: typeof core.write = (id, data, fin, now) =>
            now < highest ? { taken: 0, finTaken: false } : core.write(id, data, fin, now);
          return { send, write, deadline };
        },
      });
      check({ ...pair, gateway });
    },
  },
});

/** Each secret of the pairing replaced at the gateway: never live. */
const secretsOf = [
  { mode: Mode.Keys, secret: 'gatewayPrivate' },
  { mode: Mode.KeysPsk, secret: 'gatewayPrivate' },
  { mode: Mode.KeysPsk, secret: 'psk' },
  { mode: Mode.Psk, secret: 'psk' },
] as const;

const skipping = {
  /** Of two keys whoever they belong to an agreement makes the same, and an impostor says that the public key is its own. */
  gatewayPrivate: (check: Check, pair: EnginePair): void => {
    let told: Uint8Array | undefined;
    const device = layered(pair.device, {
      engine: (inner) => ({
        device: (pairing, options) => {
          told = pairing.peer;
          return inner.device(pairing, options);
        },
      }),
    });
    const gateway = layered(pair.gateway, {
      accept: (core) => ({ offerId: (pairing) => core.offerId(told ? { ...pairing, ownPublic: told } : pairing) }),
    });
    patched(
      Port.prototype,
      'dh',
      () => () => pattern(32, 4),
      () => check({ ...pair, device, gateway }),
    );
  },
  /** The same one is put in its place everywhere. */
  psk: (check: Check, pair: EnginePair): void => {
    const psk = pair.device.importSecret(pattern(32, 3));
    const engine = layered(pair.device, {
      engine: (inner) => ({
        device: (pairing, options) => inner.device({ ...pairing, psk }, options),
        gateKeys: (ss, given, ...ids) => inner.gateKeys(ss, given && pattern(32, 3), ...ids),
      }),
      accept: (core) => ({ offerId: (pairing) => core.offerId({ ...pairing, psk }) }),
    });
    check({ ...pair, device: engine, gateway: engine });
  },
};

for (const { mode, secret } of secretsOf)
  for (const variant of fullVariants.filter((each) => each.mode === mode)) {
    const knockedOut = (pair: EnginePair): void => {
      const other = pair.gateway.generateKey(variant.suite);
      const gatewaySecrets = (): Partial<Credentials> =>
        secret === 'psk' ? { psk: other.secret } : { gatewayPrivate: other.secret, gatewayPublic: other.public };
      const world = new World(pair, variant, { gatewaySecrets });
      world.connect();
      assert.equal(world.device.core.live, false, `live with another ${secret}`);
    };
    attack(`class 17: ${variant.name}, another ${secret} at the gateway`, knockedOut, {
      'it is not looked at': { red: new RegExp(`live with another ${secret}`), seed: skipping[secret] },
    });
  }

/** A message 1 that is right but for its ephemeral key, which is of low order; and the same with a good one. */
function lowOrder(pair: EnginePair): void {
  const world = new World(pair, PSK);
  const prologue = concat(ident(world.setup), Uint8Array.of(fullType(world.setup)));
  const answered = (ephemeralPublic?: Uint8Array): boolean => {
    const keys = { ephemeral: pattern(32, 8), psk: world.secrets.psk, ...(ephemeralPublic && { ephemeralPublic }) };
    const port = world.gateway.listen(Transport.Stream);
    port.receive(framed(full1(world.setup, new Noise(world.setup, keys, true, prologue), undefined)), world.now);
    return port.collect(world.now).length > 0;
  };
  assert.equal(answered(), true, 'one that is sound is answered');
  for (const point of [new Uint8Array(32), concat(Uint8Array.of(1), new Uint8Array(31))])
    assert.equal(answered(point), false, `a key of low order is answered: ${hex(point)}`);
}

attack('class 18: an ephemeral key of low order', lowOrder, {
  'its result counts': {
    red: /a key of low order is answered/,
    seed: (check, pair) => failedAgreementsCount(() => check(pair)),
  },
});

describe('class 22: comparisons take the same steps wherever the difference is [js]', () => {
  /** Reads of a comparison, by where the first difference stands. */
  function steps(compare: (a: Uint8Array, b: Uint8Array) => boolean): void {
    const counts = [0, 7, 15, undefined].map((differs) => {
      let reads = 0;
      const bytes = pattern(16);
      const other = bytes.map((byte, at) => (at === differs ? byte ^ 1 : byte));
      const counted = new Proxy(other, {
        get(target, key) {
          if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
          const value: unknown = Reflect.get(target, key, target);
          return value;
        },
      });
      assert.equal(compare(bytes, counted), differs === undefined, 'it compares');
      return reads;
    });
    assert.equal(new Set(counts).size, 1, `reads: ${counts.join(', ')}`);
  }
  it('equal() of lib/engine/js/crypto.ts', () => steps(equal));
  it('goes red for one that stops early', () =>
    red(/reads: /, () => steps((a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]))));
});

describe('class 24: bytes on the wire come from the protocol alone [js]', () => {
  /** A conversation whose random source is fixed, with unset memory filled as given. */
  function conversation(fill: number, engineOf: () => ReturnType<typeof createJsEngine>): string {
    const unset = Buffer.allocUnsafe.bind(Buffer);
    Object.assign(Buffer, { allocUnsafe: (size: number) => unset(size).fill(fill) });
    try {
      const world = connected({ name: 'js', device: engineOf(), gateway: engineOf() }, PSK);
      const { device } = world.openStream();
      device.write(pattern(300));
      world.advance(100);
      world.connect();
      return world.links.map((link) => hex(link.bytes('d2g')) + hex(link.bytes('g2d'))).join();
    } finally {
      Object.assign(Buffer, { allocUnsafe: unset });
    }
  }
  const fixed = (): ReturnType<typeof createJsEngine> => {
    let calls = 0;
    return createJsEngine({}, { random: (length) => pattern(length, ++calls) });
  };
  const check = (engineOf = fixed): void =>
    assert.equal(conversation(0x55, engineOf) === conversation(0xaa, engineOf), true, 'unset memory reached the wire');
  it('whatever unset memory holds', () => check());
  it('goes red when a record is sent from a buffer that is not filled', () =>
    patched(
      Port.prototype,
      'seal',
      (original) => (key, nonce, ad, plain) =>
        original(
          key,
          nonce,
          ad,
          plain.length < 100 ? plain : concat(plain.subarray(0, 10), Buffer.allocUnsafe(plain.length - 10)),
        ),
      () => red(/unset memory reached the wire/, check),
    ));
});
