/**
 * Attack class 17: each secret, id, role, suite, mode, prologue byte, gate key, chain byte and position replaced in
 * turn on one side. Always refused; what is not replaced is the control. Class 18: bad points from the network.
 */

import assert from 'node:assert/strict';
import { Mode, Suite, Transport, type AcceptEvent, type Chain, type CorePairing } from '../../lib/engine.js';
import { concat, flipped, hex, pattern, utf8 } from './bytes.js';
import { hasKeys, hasPsk, makePairing } from './credentials.js';
import { forEachEngine, forEachPair, fullVariants, variants, type EnginePair, type Variant } from './engines.js';
import { connected, World } from './harness.js';
import {
  framed,
  full1,
  fullType,
  gateKey,
  gateMac,
  h0,
  ident,
  Noise,
  NONE,
  position,
  resume1,
  resume2,
  sha256,
  uint,
  type Identity,
  type NoiseKeys,
} from './reference.js';

type How = 'not configured' | 'silence' | 'device refuses' | 'first record refused' | 'live';

/** One handshake without any look-up in between: the gateway is made to use `pairing` and `chain`, whatever the message says. */
function meets(world: World, pairing: CorePairing, chain: Chain | undefined): How {
  const { device, pair, now } = world;
  device.core.disconnected(now);
  device.core.connect(Transport.Stream, now);
  const message1 = concat(...device.output(now));
  const accept = pair.gateway.accept(Transport.Stream);
  const { event } = accept.receive(message1, now);
  let answer: Uint8Array | undefined;
  try {
    answer = answerOf(accept, event, pairing, chain);
  } catch (error) {
    // a pairing that contradicts itself may be refused as such
    if ((error as { code?: string }).code === 'ERR_HAWSER_ARG') return 'not configured';
    throw error;
  }
  if (answer === undefined) return 'silence';
  device.handle(device.core.receive(answer, now));
  if (device.dropped !== undefined) return 'device refuses';
  if (device.core.deadline() <= now) device.handle(device.core.timeout(now));
  const record = concat(...device.output(now));
  return accept.receive(record, now).event?.type === 'confirm' ? 'live' : 'first record refused';
}

function answerOf(
  accept: ReturnType<EnginePair['gateway']['accept']>,
  event: AcceptEvent | undefined,
  pairing: CorePairing,
  chain: Chain | undefined,
): Uint8Array | undefined {
  if (event?.type === 'id') return accept.offerId(pairing) ? accept.answerFull(NONE) : undefined;
  if (event?.type !== 'ticket' || chain === undefined) return undefined;
  return accept.offerTicket(pairing, chain, 2) === undefined ? undefined : accept.answerTicket(0, false, NONE);
}

/** The gateway's pairing with one thing replaced. */
function knockouts(world: World): Record<string, Partial<CorePairing>> {
  const { setup, secrets, pair } = world;
  const engine = pair.gateway;
  const out: Record<string, Partial<CorePairing>> = {
    id: { id: flipped(setup.id, 3) },
    'id, longer': { id: concat(setup.id, Uint8Array.of(1)) },
    'gateway id': { gatewayId: flipped(setup.gatewayId, 9) },
    'gateway id, shorter': { gatewayId: setup.gatewayId.slice(1) },
    'both ids swapped': { id: setup.gatewayId, gatewayId: setup.id },
    'ids joined differently': {
      id: concat(setup.id, setup.gatewayId.slice(0, 1)),
      gatewayId: setup.gatewayId.slice(1),
    },
  };
  if (hasKeys(setup.mode)) {
    const other = engine.generateKey(setup.suite);
    const stranger = makePairing(engine, 'gateway', setup, {
      ...secrets,
      gatewayPrivate: other.secret,
      gatewayPublic: other.public,
    });
    const impostor = makePairing(engine, 'gateway', setup, {
      ...secrets,
      devicePrivate: other.secret,
      devicePublic: other.public,
    });
    const { gateD2g, gateG2d, ss } = world.row.pairing;
    assert.ok(gateD2g && gateG2d && ss);
    out['own key pair'] = stranger;
    out['own key pair, gates kept'] = { own: stranger.own, ownPublic: stranger.ownPublic } as Partial<CorePairing>;
    out['own private key alone'] = { own: stranger.own } as Partial<CorePairing>;
    out['own public key alone'] = { ownPublic: other.public };
    out['device public key'] = impostor;
    out['device public key, gates kept'] = { peer: other.public };
    out.ss = { ss: flipped(ss, 5) };
    out['gate device to gateway'] = { gateD2g: flipped(gateD2g, 200) };
    out['gate gateway to device'] = { gateG2d: flipped(gateG2d, 100) };
    out['gates swapped'] = { gateD2g: gateG2d, gateG2d: gateD2g };
  }
  if (hasPsk(setup.mode)) out.psk = { psk: engine.importSecret(flipped(secrets.psk, 77)) };
  if (setup.mode === Mode.KeysPsk) out['without psk'] = { mode: Mode.Keys };
  if (setup.mode === Mode.Keys) out['with psk'] = { mode: Mode.KeysPsk, psk: engine.importSecret(secrets.psk) };
  return out;
}

function full(pair: EnginePair, variant: Variant): void {
  it(`${variant.name}: every field of the pairing, replaced at the gateway`, () => {
    const control = new World(pair, variant);
    assert.equal(meets(control, control.row.pairing, undefined), 'live');
    for (const [what, over] of Object.entries(knockouts(new World(pair, variant)))) {
      const world = new World(pair, variant);
      // secrets are the world's own: take the same knock-out from it
      const same = knockouts(world)[what] ?? over;
      assert.notEqual(meets(world, { ...world.row.pairing, ...same }, undefined), 'live', what);
    }
  });
}

function chains(pair: EnginePair): void {
  for (const variant of variants)
    it(`${variant.name}: every byte of the chain, b, i and the identity, replaced at the gateway`, () => {
      const fresh = () => {
        const world = connected(pair, variant);
        world.connect();
        world.hang();
        return world;
      };
      const control = fresh();
      assert.equal(meets(control, control.row.pairing, control.row.chain), 'live');
      const world = fresh();
      const { chain, pairing } = world.row;
      assert.ok(chain);
      const wrong: [string, Partial<Chain>, Partial<CorePairing>][] = [
        ...Array.from({ length: 8 }, (_, at): [string, Partial<Chain>, Partial<CorePairing>] => [
          `chain id byte ${at}`,
          { id: flipped(chain.id, 8 * at) },
          {},
        ]),
        ...Array.from({ length: 32 }, (_, at): [string, Partial<Chain>, Partial<CorePairing>] => [
          `R byte ${at}`,
          { r: flipped(chain.r, 8 * at + 1) },
          {},
        ]),
        ['b + 1', { b: chain.b + 1 }, {}],
        ['i + 1', { i: chain.i + 1 }, {}],
        ['i - 1', { i: chain.i - 1 }, {}],
        ['id', {}, { id: flipped(pairing.id, 3) }],
        ['gateway id', {}, { gatewayId: flipped(pairing.gatewayId, 3) }],
        ['ids swapped', {}, { id: pairing.gatewayId, gatewayId: pairing.id }],
      ];
      for (const [what, chainOver, pairingOver] of wrong)
        assert.equal(meets(world, { ...pairing, ...pairingOver }, { ...chain, ...chainOver }), 'silence', what);
      assert.equal(meets(world, pairing, chain), 'live', 'and nothing of it did harm');
    });

  it('another mode or suite over the same chain is another identity', () => {
    const world = connected(pair, { mode: Mode.Psk, suite: Suite.X25519 });
    const { chain, pairing } = world.row;
    assert.ok(chain);
    const p256 = { ...pairing, suite: Suite.P256 };
    const ticket: CorePairing = { ...pairing, mode: Mode.Ticket, suite: Suite.None, maxBlocks: 0xfffffffe };
    delete ticket.psk;
    for (const other of [p256, ticket]) assert.equal(meets(world, other, chain), 'silence');
    assert.equal(meets(world, pairing, chain), 'live');
  });

  it('class 8: a ticket of one device never opens the session of another', () => {
    const one = connected(pair, { mode: Mode.Ticket, suite: Suite.None }, { over: { id: utf8('device-1') } });
    const two = connected(pair, { mode: Mode.Ticket, suite: Suite.None }, { over: { id: utf8('device-2') } });
    assert.equal(meets(one, two.row.pairing, two.row.chain), 'silence');
    assert.equal(meets(one, two.row.pairing, one.row.chain), 'silence');
    assert.equal(meets(one, one.row.pairing, one.row.chain), 'live');
  });

  it('message 2 with a connection id is refused where the transport has none', () => {
    for (const variant of variants) {
      const world = new World(pair, variant);
      world.device.core.connect(Transport.Stream, world.now);
      const accept = pair.gateway.accept(Transport.Stream);
      const { event } = accept.receive(concat(...world.device.output(world.now)), world.now);
      let answer: Uint8Array | undefined;
      try {
        if (event?.type === 'id')
          answer = accept.offerId(world.row.pairing) ? accept.answerFull(Uint8Array.of(1)) : undefined;
        else if (world.row.chain && accept.offerTicket(world.row.pairing, world.row.chain, 2))
          answer = accept.answerTicket(0, false, Uint8Array.of(1));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_HAWSER_ARG');
      }
      if (answer !== undefined)
        assert.deepEqual(
          world.device.core.receive(answer, world.now).map(({ type }) => type),
          ['drop'],
          variant.name,
        );
    }
  });

  it('a device refuses a message 2 that is right but for its connection id (SPEC 3.2)', () => {
    for (const variant of variants)
      for (const connectionId of [NONE, Uint8Array.of(1), pattern(8)] as Uint8Array[]) {
        const world = new World(pair, variant);
        const reply =
          variant.mode === Mode.Ticket ? forgedAnswer(world, false, 0, connectionId) : fullAnswer(world, connectionId);
        const types = world.device.core.receive(reply, world.now).map(({ type }) => type);
        assert.deepEqual(types, [connectionId.length === 0 ? 'store' : 'drop'], variant.name);
      }
  });

  it('a verdict that does not fit message 1 is refused, and so is CONTINUED for no session (SPEC 7.2/1, 7.2/2)', () => {
    for (const rides of [false, true])
      for (let status = 0; status < 256; status++) {
        const fits = rides ? (status & 3) !== 0 && status < 8 : (status & ~4) === 0;
        const world = new World(pair, { mode: Mode.Ticket, suite: Suite.None });
        const continued = (status & 4) !== 0;
        const reply = forgedAnswer(world, rides, status);
        const types = world.device.core.receive(reply, world.now).map(({ type }) => type);
        if (fits && !continued) assert.deepEqual(types, ['store'], `status ${status}`);
        else assert.deepEqual(types, ['drop'], `status ${status}`);
      }
  });
}

/** Message 2 of a resumption with any status byte, made by the reference for a device at (0, 0). */
function forgedAnswer(world: World, rides: boolean, status: number, connectionId: Uint8Array = NONE): Uint8Array {
  const end = world.device.open('valve');
  end.write(utf8('x'));
  assert.equal(world.device.connect(Transport.Stream, world.now, rides ? end : undefined).early, rides);
  const m1 = concat(...world.device.output(world.now)).slice(2);
  const { r } = position(world.secrets.b0, 0, 0);
  const identity = world.setup;
  const start = h0(identity, chainOf(world), 0, 0);
  return framed(answerTo(r, start, m1, concat(Uint8Array.of(status), connectionId)));
}

const chainOf = (world: World): Uint8Array => world.row.chain?.id ?? NONE;

function answerTo(r: Uint8Array, start: Uint8Array, m1: Uint8Array, pay2: Uint8Array): Uint8Array {
  return resume2(r, sha256(start, m1), Transport.Stream, pattern(16, 1), pay2).m2;
}

/** Message 2 of a full handshake with any connection id, made by the reference with the gateway's secrets. */
function fullAnswer(world: World, connectionId: Uint8Array): Uint8Array {
  world.device.core.connect(Transport.Stream, world.now);
  const m1 = concat(...world.device.output(world.now)).slice(2);
  const { setup, secrets } = world;
  const keys: NoiseKeys = { ephemeral: pattern(32, 41) };
  if (hasKeys(setup.mode)) Object.assign(keys, { own: secrets.gatewayPrivate, peer: secrets.devicePublic });
  if (hasPsk(setup.mode)) keys.psk = secrets.psk;
  const noise = new Noise(setup, keys, false, concat(ident(setup), Uint8Array.of(fullType(setup))));
  noise.read(1, m1.slice(1 + setup.id.length, hasKeys(setup.mode) ? -8 : undefined));
  const message = concat(Uint8Array.of(0x17), noise.write(2, connectionId));
  const { ss } = world.device.pairing;
  if (!ss) return framed(message);
  const gate = gateKey(2, ss, keys.psk, setup);
  return framed(concat(message, gateMac(gate, message)));
}

// ---- Messages that no engine would write, from the reference ---------------------------------------------

/** What the gateway says to a message 1 made outside: undefined is silence. */
function answers(world: World, message: Uint8Array): Uint8Array | undefined {
  const port = world.gateway.listen(Transport.Stream);
  port.receive(framed(message), world.now);
  const out = port.collect(world.now);
  port.close();
  return out.length === 0 ? undefined : concat(...out);
}

function keysOf(world: World): NoiseKeys {
  const keys: NoiseKeys = { ephemeral: pattern(32, 40) };
  if (hasKeys(world.setup.mode))
    Object.assign(keys, { own: world.secrets.devicePrivate, peer: world.secrets.gatewayPublic });
  if (hasPsk(world.setup.mode)) keys.psk = world.secrets.psk;
  return keys;
}

/** The gate key device to gateway, where the mode has one. */
function gateOf(world: World): Uint8Array | undefined {
  const { ss } = world.device.pairing;
  return ss && gateKey(1, ss, hasPsk(world.setup.mode) ? world.secrets.psk : undefined, world.setup);
}

function forged(world: World, prologue: Uint8Array, keys = keysOf(world)): Uint8Array {
  return full1(world.setup, new Noise(world.setup, keys, true, prologue), gateOf(world));
}

function prologues(pair: EnginePair, variant: Variant): void {
  it(`${variant.name}: every byte of the prologue, changed in a message 1 that is right otherwise`, () => {
    const world = new World(pair, variant);
    const right = concat(ident(world.setup), Uint8Array.of(fullType(world.setup)));
    assert.ok(answers(world, forged(world, right)), 'the control is answered');
    for (let at = 0; at < right.length; at++)
      assert.equal(answers(world, forged(world, flipped(right, 8 * at + (at % 8)))), undefined, `byte ${at}`);
    for (const wrong of [NONE, right.slice(1), right.slice(0, -1), concat(right, Uint8Array.of(0))])
      assert.equal(answers(world, forged(world, wrong)), undefined);
  });

  it(`${variant.name}: the reference and the engine agree on a whole handshake, to the first record`, () => {
    const world = new World(pair, variant);
    const noise = new Noise(
      world.setup,
      keysOf(world),
      true,
      concat(ident(world.setup), Uint8Array.of(fullType(world.setup))),
    );
    const answer = answers(world, full1(world.setup, noise, gateOf(world)));
    assert.ok(answer);
    const body = answer.slice(3, hasKeys(variant.mode) ? answer.length - 8 : answer.length);
    assert.equal(noise.read(2, body).length, 0);
    if (hasKeys(variant.mode)) {
      const gate = gateKey(
        2,
        world.device.pairing.ss ?? NONE,
        hasPsk(variant.mode) ? world.secrets.psk : undefined,
        world.setup,
      );
      assert.equal(hex(answer.slice(-8)), hex(gateMac(gate, answer.slice(2, -8))));
    }
  });

  it(`${variant.name}: class 18: ephemeral keys that are no good get no answer`, () => {
    const world = new World(pair, variant);
    const right = concat(ident(world.setup), Uint8Array.of(fullType(world.setup)));
    const good = forged(world, right);
    const length = variant.suite === Suite.P256 ? 65 : 32;
    const head = 1 + world.setup.id.length;
    const bad =
      variant.suite === Suite.P256
        ? [
            new Uint8Array(65),
            concat(Uint8Array.of(4), new Uint8Array(64)),
            concat(Uint8Array.of(2), pattern(64)),
            flipped(good.slice(head, head + 65), 77),
            new Uint8Array(65).fill(255),
          ]
        : [
            new Uint8Array(32),
            concat(Uint8Array.of(1), new Uint8Array(31)),
            concat(Uint8Array.of(0xed), new Uint8Array(30).fill(255), Uint8Array.of(0x7f)),
          ];
    for (const point of bad) {
      const message = concat(good.slice(0, head), point, good.slice(head + length));
      const gate = gateOf(world);
      const withMac = gate === undefined ? message : concat(message.slice(0, -8), gateMac(gate, message.slice(0, -8)));
      assert.equal(answers(world, withMac), undefined, hex(point));
    }
    assert.ok(answers(world, good));
  });
}

function resumptionByReference(engine: EnginePair): void {
  it('ticket: the reference and the engine agree on message 1; each input of h0 changed is refused', () => {
    const world = new World(engine, { mode: Mode.Ticket, suite: Suite.None });
    const { r, ticket } = position(world.secrets.b0, 0, 0);
    const make = (start: Uint8Array) =>
      resume1({ h0: start, r, ticket, rnd: pattern(16, 3), pay1: new Uint8Array(9) }).m1;
    const identity: Identity = world.setup;
    const parts = concat(ident(identity), chainOf(world), uint(0, 4), uint(0, 4));
    for (let at = 0; at < parts.length; at++)
      assert.equal(answers(world, make(sha256(flipped(parts, 8 * at + (at % 8))))), undefined, `byte ${at}`);
    assert.ok(answers(world, make(sha256(parts))));
    assert.equal(hex(sha256(parts)), hex(h0(identity, chainOf(world), 0, 0)));
  });

  it('ticket: flags and early data that break 7.2 are refused in silence', () => {
    const world = () => new World(engine, { mode: Mode.Ticket, suite: Suite.None });
    const open = concat(Uint8Array.of(3, 0, 0), uint(1, 4), Uint8Array.of(0, 4), utf8('echo'));
    const data = concat(Uint8Array.of(6, 0, 0), utf8('hi'));
    const answered = (pay1: Uint8Array): boolean => {
      const here = world();
      const { r, ticket } = position(here.secrets.b0, 0, 0);
      return (
        answers(here, resume1({ h0: h0(here.setup, chainOf(here), 0, 0), r, ticket, rnd: pattern(16), pay1 }).m1) !==
        undefined
      );
    };
    const name = new Uint8Array(8);
    assert.ok(answered(concat(Uint8Array.of(1), name, open, data)));
    assert.ok(answered(concat(Uint8Array.of(1), name, open)));
    assert.ok(answered(concat(Uint8Array.of(0), name)));
    const bad = [
      concat(Uint8Array.of(2), name),
      concat(Uint8Array.of(0x80), name),
      concat(Uint8Array.of(0), name.slice(1)),
      concat(Uint8Array.of(0), name, Uint8Array.of(0)),
      concat(Uint8Array.of(1), name, data),
      concat(Uint8Array.of(1), name, open, open),
      concat(Uint8Array.of(1), name, open, flipped(data, 8)),
      concat(Uint8Array.of(1), name, open, Uint8Array.of(5)),
      concat(Uint8Array.of(1), name, Uint8Array.of(0x0b, 0, 0, 0, 1)),
      concat(Uint8Array.of(1), name, open.slice(0, 9)),
    ];
    for (const pay1 of bad) assert.equal(answered(pay1), false, hex(pay1));
  });
}

forEachPair('class 17 between both ends', (pair) => {
  for (const variant of fullVariants) full(pair, variant);
  chains(pair);
});

forEachEngine('class 17 and 18 against the reference', (engine, name) => {
  const pair = {
    name,
    get device() {
      return engine();
    },
    get gateway() {
      return engine();
    },
  };
  for (const variant of fullVariants) prologues(pair, variant);
  resumptionByReference(pair);
});
