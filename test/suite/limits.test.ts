/** SPEC 7.3: how far a chain goes, at both ends. */

import assert from 'node:assert/strict';
import { Mode, Suite } from '../../lib/engine.js';
import { hex } from './bytes.js';
import { forEachPair, type EnginePair } from './engines.js';
import { connected, World } from './harness.js';

const TICKET = { mode: Mode.Ticket, suite: Suite.None } as const;
const PSK = { mode: Mode.Psk, suite: Suite.X25519 } as const;

function limits(pair: EnginePair): void {
  it('max_steps: the device jumps to the block in flash instead of reaching i = max_steps', () => {
    const world = connected(pair, TICKET, { over: { maxSteps: 3 } });
    const seen: string[] = [];
    for (let resumed = 0; resumed < 8; resumed++) {
      assert.equal(world.connect().kind, 'resumption');
      assert.ok(world.device.core.live, `resumption ${resumed}`);
      const chain = world.row.chain;
      assert.ok(chain && chain.i <= 3);
      seen.push(`${chain.b}.${chain.i}`);
    }
    assert.deepEqual(seen, ['0.2', '0.3', '1.1', '1.2', '1.3', '2.1', '2.2', '2.3']);
    assert.equal(world.device.flash.writes, 3);
  });

  it('max_steps: a gateway with the smaller limit is silent beyond it', () => {
    const world = connected(pair, TICKET, { gatewayOver: { maxSteps: 2 } });
    world.connect();
    assert.ok(world.device.core.live);
    world.connect();
    assert.equal(world.device.live, 'no');
    assert.equal(world.links.at(-1)?.bytes('g2d').length, 0);
    world.reboot();
    world.connect();
    assert.ok(world.device.core.live);
  });

  it('max_blocks: the device goes back to the full handshake, where the mode has one', () => {
    const world = connected(pair, PSK, { over: { maxBlocks: 2 } });
    const kinds = Array.from({ length: 6 }, () => {
      world.reboot();
      const { kind } = world.connect();
      assert.ok(world.device.core.live);
      return kind;
    });
    assert.deepEqual(kinds, ['resumption', 'full', 'resumption', 'full', 'resumption', 'full']);
  });

  it('max_blocks: a gateway with the smaller limit is silent beyond it, and the ladder heals it', () => {
    const world = connected(pair, PSK, { gatewayOver: { maxBlocks: 1 } });
    world.reboot();
    world.connect();
    assert.equal(world.device.live, 'no');
    world.until(() => world.device.core.live, 'live again by a full handshake');
    assert.equal(world.device.core.handshake?.kind, 'full');
  });

  it('chainMove goes forward one step, or to the start of a later block, and nowhere else', () => {
    for (const engine of [pair.device, pair.gateway]) {
      const chain = engine.chainStart(new Uint8Array(32).fill(7));
      const step = engine.chainMove(chain, { b: 0, i: 1 });
      const block = engine.chainMove(step, { b: 3, i: 0 });
      assert.deepEqual([step.b, step.i, block.b, block.i], [0, 1, 3, 0]);
      assert.equal(hex(block.r), hex(engine.chainMove(chain, { b: 3, i: 0 }).r));
      for (const to of [
        { b: 0, i: 0 },
        { b: 0, i: 3 },
      ])
        assert.throws(() => engine.chainMove(step, to), { code: 'ERR_HAWSER_ARG' });
      for (const to of [
        { b: 2, i: 0 },
        { b: 3, i: 2 },
      ])
        assert.throws(() => engine.chainMove(block, to), { code: 'ERR_HAWSER_ARG' });
    }
  });

  it('both engines derive the same chain, tickets and gate keys', () => {
    const b0 = pair.device.random(32);
    const [one, two] = [pair.device, pair.gateway].map((engine) => {
      const chain = engine.chainMove(engine.chainMove(engine.chainStart(b0), { b: 5, i: 0 }), { b: 5, i: 1 });
      const tickets = engine.chainTickets(chain, 4).map(({ b, i, ticket }) => `${b}.${i} ${hex(ticket)}`);
      return { id: hex(chain.id), r: hex(chain.r), next: hex(chain.next), tickets };
    });
    assert.deepEqual(one, two);
    assert.deepEqual(
      one?.tickets.map((line) => line.split(' ')[0]),
      ['5.1', '5.2', '6.0', '7.0', '8.0', '9.0'],
    );
    const ids = [new Uint8Array(4).fill(1), new Uint8Array(32).fill(2)] as const;
    for (const psk of [undefined, pair.device.random(32)]) {
      const keys = [pair.device, pair.gateway].map((engine) => engine.gateKeys(b0, psk, ...ids));
      assert.deepEqual(keys[0], keys[1]);
    }
  });

  it('a pairing out of range is refused when it is configured (SPEC 2/3)', () => {
    const world = new World(pair, { mode: Mode.Keys, suite: Suite.X25519 });
    for (const [engine, pairing] of [
      [pair.device, world.device.pairing],
      [pair.gateway, world.row.pairing],
    ] as const) {
      assert.throws(() => engine.importSecret(new Uint8Array(32)), { code: 'ERR_HAWSER_ARG' });
      for (const length of [0, 31, 33])
        assert.throws(() => engine.importSecret(new Uint8Array(length).fill(1)), { code: 'ERR_HAWSER_ARG' });
      const make =
        engine === pair.device && pairing === world.device.pairing
          ? (p: typeof pairing) => engine.device(p)
          : (p: typeof pairing) => engine.gateway(p);
      make({ ...pairing });
      const wrong: Partial<typeof pairing>[] = [
        { id: new Uint8Array(3) },
        { id: new Uint8Array(33) },
        { gatewayId: new Uint8Array(3) },
        { recordMax: 63 },
        { recordMax: 16384 },
        { windowDevice: 63 },
        { windowGateway: 2 ** 30 + 1 },
        { maxSteps: 0 },
        { mode: 0 as Mode },
        { mode: 5 as Mode },
        { suite: 3 as Suite },
        { suite: Suite.None },
        { gateD2g: new Uint8Array(32) },
        { gateG2d: new Uint8Array(31) },
        { ss: new Uint8Array(32) },
        { peer: new Uint8Array(31) },
      ];
      for (const over of wrong)
        assert.throws(() => make({ ...pairing, ...over }), { code: 'ERR_HAWSER_ARG' }, JSON.stringify(over));
      for (const field of ['own', 'peer', 'ss', 'gateD2g', 'gateG2d'] as const) {
        const lacking = { ...pairing };
        delete lacking[field];
        assert.throws(() => make(lacking), { code: 'ERR_HAWSER_ARG' }, `without ${field}`);
      }
    }
  });
}

forEachPair('limits', limits);
