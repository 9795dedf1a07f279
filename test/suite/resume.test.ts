/** Resumption: SPEC 7, all of it that both engines do together with the store. */

import assert from 'node:assert/strict';
import { Mode, Suite } from '../../lib/engine.js';
import { hex, splitStream } from './bytes.js';
import { PowerCut } from './device-double.js';
import { forEachPair, fullVariants, variants, type EnginePair } from './engines.js';
import { connected, World } from './harness.js';

const TICKET = { mode: Mode.Ticket, suite: Suite.None } as const;
const PSK = { mode: Mode.Psk, suite: Suite.X25519 } as const;
const PATIENCE_MS = 300_000;

/** Message 1 of the last link, with its length field. */
function message1(world: World): string {
  const link = world.links.at(-1);
  const [first] = splitStream(link?.bytes('d2g') ?? new Uint8Array(0));
  return hex(first ?? new Uint8Array(0));
}

const type = (message: string): string => message.slice(4, 6);
const ticket = (message: string): string => message.slice(6, 22);

/** The device dials and its message 1 is lost, or its answer is. */
function unanswered(world: World, lost: 'd2g' | 'g2d'): string {
  world.dial();
  if (world.link) world.link.mangle = (direction, bytes) => (direction === lost ? [] : [bytes]);
  world.pump();
  const message = message1(world);
  world.hang();
  return message;
}

/** Runs what may end in a power cut. */
function tolerate(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
}

function resumption(pair: EnginePair): void {
  for (const variant of variants)
    it(`${variant.name}: warm resumptions continue the session and write no flash`, () => {
      const world = connected(pair, variant);
      const { device, gateway } = world.openStream();
      const name = hex(world.device.core.name);
      const writes = world.device.flash.writes;
      for (let round = 0; round < 5; round++) {
        assert.equal(world.connect().kind, 'resumption');
        assert.equal(world.device.live, 'continued');
        assert.equal(hex(world.device.core.name), name);
        device.write(Uint8Array.of(round));
        world.advance(50);
      }
      assert.equal(hex(gateway.received), '0001020304');
      assert.equal(world.device.flash.writes, writes);
      assert.equal(writes, 1);
    });

  for (const variant of variants)
    it(`${variant.name}: a boot resumes from flash, NEW, with one write; a boot loop writes nothing`, () => {
      const world = connected(pair, variant);
      const writes = world.device.flash.writes;
      for (let boot = 0; boot < 3; boot++) {
        world.reboot();
        unanswered(world, 'd2g');
      }
      assert.equal(world.device.flash.writes, writes);
      world.reboot();
      assert.equal(world.connect().kind, 'resumption');
      assert.equal(world.device.live, 'new');
      assert.equal(world.device.flash.writes, writes + 1);
    });

  it('the new slot is written and the old one wiped before the first record (SPEC 7.4)', () => {
    const world = connected(pair, TICKET);
    const old = world.device.flash.slots.find((slot) => slot !== undefined);
    world.reboot();
    const sent: number[] = [];
    const store = world.device.onStore;
    world.device.onStore = (slot) => {
      sent.push(world.link?.log.d2g.length ?? -1);
      store(slot);
    };
    world.connect();
    assert.deepEqual(sent, [1], 'nothing but message 1 was sent before the write');
    assert.ok((world.link?.log.d2g.length ?? 0) > 1);
    assert.ok(!world.device.flash.slots.some((slot) => slot && old && hex(slot) === hex(old)));
  });

  it('a message 1 without an answer is repeated byte for byte', () => {
    for (const lost of ['d2g', 'g2d'] as const) {
      const world = connected(pair, TICKET);
      const first = unanswered(world, lost);
      assert.equal(unanswered(world, lost), first);
      world.connect();
      assert.equal(message1(world), first);
      assert.equal(world.device.live, 'continued');
      world.connect();
      assert.notEqual(ticket(message1(world)), ticket(first), 'an answered position is left');
    }
  });

  it('the gateway repeats its answer for 60 s, then answers afresh', () => {
    const world = connected(pair, TICKET);
    unanswered(world, 'g2d');
    unanswered(world, 'g2d');
    const [first, second] = world.links.slice(-2).map((link) => hex(link.bytes('g2d')));
    assert.equal(first, second);
    world.now += 60_001;
    world.connect();
    assert.equal(world.device.live, 'continued');
    const fresh = splitStream(world.link?.bytes('g2d') ?? new Uint8Array(0))[0];
    assert.notEqual(hex(fresh ?? new Uint8Array(0)), first);
  });

  it('after patience without an answer a warm device jumps to the block in flash, once', () => {
    const world = connected(pair, TICKET);
    const warm = unanswered(world, 'g2d');
    world.now += PATIENCE_MS - 1000;
    assert.equal(unanswered(world, 'g2d'), warm);
    world.now += 2000;
    const jumped = unanswered(world, 'd2g');
    assert.notEqual(ticket(jumped), ticket(warm));
    world.now += 2 * PATIENCE_MS;
    assert.equal(unanswered(world, 'd2g'), jumped, 'never beyond an unanswered (f, 0)');
    world.connect();
    assert.ok(world.device.core.live);
    assert.equal(world.device.flash.writes, 2);
  });

  for (const variant of fullVariants)
    it(`${variant.name}: a gateway that lost the chain is reached by a full handshake in turns with (f, 0)`, () => {
      const world = connected(pair, variant);
      world.connect();
      world.row.chain = undefined;
      world.hang();
      const kinds = world.climb(40);
      assert.equal(kinds.at(-1), 'full');
      assert.ok(world.device.core.live);
      assert.ok(
        kinds.slice(0, -1).every((kind) => kind === 'resumption'),
        kinds.join(' '),
      );
      world.reboot();
      assert.equal(world.connect().kind, 'resumption');
      assert.ok(world.device.core.live);
    });

  it('a ladder with every answer lost takes turns for ever, and never more than one block', () => {
    const world = connected(pair, PSK);
    world.reboot();
    const messages = Array.from({ length: 12 }, () => {
      const message = unanswered(world, 'd2g');
      world.now += 60_000;
      return message;
    });
    const types = messages.map(type);
    assert.ok(types.includes('18') && types.includes('15'), types.join(' '));
    for (let at = 1; at < types.length; at++) assert.notEqual(types[at], types[at - 1], types.join(' '));
    assert.equal(new Set(messages.filter((message) => type(message) === '18')).size, 1);
  });

  it('in ticket mode there is nothing but resumption, and silence is never the end', () => {
    const world = connected(pair, TICKET);
    const chain = world.row.chain;
    world.row.chain = undefined;
    world.hang();
    const kinds = world.climb(30);
    assert.equal(kinds.length, 30);
    assert.ok(kinds.every((kind) => kind === 'resumption'));
    world.row.chain = chain;
    world.connect();
    assert.ok(world.device.core.live);
  });

  for (const tear of ['before-write', 'mid-write', 'before-wipe'] as const)
    it(`power that goes ${tear} locks nobody out, in every mode, again and again`, () => {
      for (const variant of variants) {
        const world = new World(pair, variant);
        for (let round = 0; round < 3; round++) {
          world.device.flash.tear = tear;
          // before the wipe the new block is in flash already; the gateway may not know it, and then nothing is written
          const cut = (): unknown => world.connect();
          if (round === 0 || tear !== 'before-wipe') assert.throws(cut, PowerCut, `${variant.name}, round ${round}`);
          else tolerate(cut);
          world.device.flash.tear = 'none';
          world.reboot();
        }
        world.until(() => world.device.core.live, `${variant.name} is live`);
      }
    });

  it('flash that cannot be written: no record is sent, the position stays, and it works once flash does', () => {
    for (const variant of variants) {
      const world = new World(pair, variant);
      world.device.flash.failWrites = true;
      for (let attempt = 0; attempt < 3; attempt++) {
        world.connect();
        assert.equal(world.device.live, 'no');
        assert.equal(world.links.at(-1)?.log.d2g.length, 1, 'message 1 alone');
      }
      const stuck = message1(world);
      world.device.flash.failWrites = false;
      world.connect();
      assert.ok(world.device.core.live, variant.name);
      if (variant.mode === Mode.Ticket) assert.equal(message1(world), stuck);
    }
  });

  it('a store that lost its last block is caught up with: J = 2 blocks ahead are indexed', () => {
    const world = connected(pair, TICKET);
    const chain = world.row.chain;
    world.reboot();
    world.connect();
    world.gateway.restart(true);
    world.row.chain = chain;
    world.reboot();
    world.connect();
    assert.ok(world.device.core.live);
  });

  it('a store rolled back further is silent, until an operator raises J', () => {
    const world = connected(pair, TICKET);
    const chain = world.row.chain;
    for (let boot = 0; boot < 4; boot++) {
      world.reboot();
      world.connect();
    }
    world.gateway.restart(true);
    world.row.chain = chain;
    world.reboot();
    world.connect();
    assert.equal(world.device.live, 'no');
    world.gateway.ahead = 8;
    world.connect();
    assert.ok(world.device.core.live);
  });

  it('flash that was rolled back is refused in silence (a clone looks the same)', () => {
    const world = connected(pair, TICKET);
    const slots = world.device.flash.slots.map((slot) => slot?.slice()) as typeof world.device.flash.slots;
    for (let boot = 0; boot < 3; boot++) {
      world.reboot();
      world.connect();
    }
    world.device.flash.slots = slots;
    world.reboot();
    world.connect();
    assert.equal(world.device.live, 'no');
    assert.equal(world.links.at(-1)?.bytes('g2d').length, 0);
  });

  it('a device with two valid slots takes the higher sequence and wipes the other first', () => {
    const world = connected(pair, TICKET);
    world.device.flash.tear = 'before-wipe';
    world.reboot();
    assert.throws(() => world.connect(), PowerCut);
    const { slots } = world.device.flash;
    assert.ok(slots[0] && slots[1]);
    const fresh = pair.device.device(world.device.pairing);
    const { wipe } = fresh.boot(slots[0], slots[1]);
    const sequence = (slot: Uint8Array): number => Buffer.from(slot).readUInt32BE(8);
    assert.equal(wipe, sequence(slots[0]) < sequence(slots[1]) ? 0 : 1);
    assert.deepEqual(pair.device.device(world.device.pairing).boot(slots[1], slots[0]), { wipe: wipe === 0 ? 1 : 0 });
  });

  it('no bit of a slot may be wrong: the slot is then empty', () => {
    const world = connected(pair, TICKET);
    const slot = world.device.flash.slots.find((each) => each !== undefined);
    assert.ok(slot);
    const good = pair.device.device(world.device.pairing);
    good.boot(slot, undefined);
    const empty = pair.device.device(world.device.pairing);
    empty.boot(undefined, undefined);
    assert.notEqual(hex(good.digest()), hex(empty.digest()));
    for (let bit = 0; bit < 512; bit++) {
      const core = pair.device.device(world.device.pairing);
      const copy = slot.slice();
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      core.boot(copy, undefined);
      assert.equal(hex(core.digest()), hex(empty.digest()), `bit ${bit}`);
    }
  });
}

forEachPair('resumption', resumption);
