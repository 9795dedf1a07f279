/**
 * An engine keeps no view of its caller's bytes: what is given as a Buffer, whose slice() shares memory, may be wiped as
 * soon as a call has returned, and only what the contract says is wiped by the engine.
 */

import assert from 'node:assert/strict';
import { Mode, Transport, type Chain, type CorePairing, type DeviceCore } from '../../lib/engine.js';
import { concat, hex } from './bytes.js';
import { forEachPair, variants, type EnginePair } from './engines.js';
import { connected, World } from './harness.js';

/** The same value, every byte array in it a Buffer that shares its memory with nothing else. */
function buffers<T extends object>(value: T): T {
  const entries = Object.entries(value as Record<string, unknown>).map(([key, field]) => [
    key,
    field instanceof Uint8Array ? buffer(field) : field,
  ]);
  return Object.fromEntries(entries) as T;
}

function buffer(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(bytes.length); // not from the pool, which is shared
  out.set(bytes);
  return out;
}

const fields = (value: object): Uint8Array[] => Object.values(value).filter((field) => field instanceof Uint8Array);
const wipeAll = (value: object): void => fields(value).forEach((field) => field.fill(0xee));

/** A device of the world's pairing, booted from these slots. */
function booted(pair: EnginePair, pairing: CorePairing, slots: (Uint8Array | undefined)[]): DeviceCore {
  const core = pair.device.device(pairing);
  core.boot(slots[0], slots[1]);
  return core;
}

forEachPair('bytes of the caller', (pair) => {
  it('chains: neither the given one nor the result is touched by the other', () => {
    const world = connected(pair, { mode: Mode.Ticket, suite: 0 });
    const plain = world.row.chain as Chain;
    const { gateway } = pair;
    for (const to of [
      { b: plain.b, i: plain.i },
      { b: plain.b, i: plain.i + 1 },
      { b: plain.b + 3, i: 0 },
    ]) {
      const given = buffers(plain);
      const tickets = gateway.chainTickets(given, 2).map(({ ticket }) => hex(ticket));
      const moved = gateway.chainMove(given, to);
      assert.deepEqual(fields(given).map(hex), fields(plain).map(hex), 'the given chain is as it was');
      wipeAll(given);
      assert.deepEqual(fields(moved).map(hex), fields(gateway.chainMove(plain, to)).map(hex));
      assert.deepEqual(
        tickets,
        gateway.chainTickets(plain, 2).map(({ ticket }) => hex(ticket)),
      );
    }
    const b0 = buffer(world.secrets.b0);
    const started = gateway.chainStart(b0);
    wipeAll({ b0 });
    assert.deepEqual(fields(started).map(hex), fields(gateway.chainStart(world.secrets.b0)).map(hex));
  });

  for (const variant of variants)
    it(`${variant.name}: pairing, slots, saved state and secrets`, () => {
      const world = connected(pair, variant);
      const plain = world.device.pairing;
      world.hang();
      const slots = world.device.flash.slots;
      const blob = world.device.core.save('retained');

      const pairing = buffers(plain);
      const given = slots.map((slot) => slot && buffer(slot));
      const core = booted(pair, pairing, given);
      const saved = buffer(blob);
      core.restore(saved, new Map());
      assert.equal(hex(saved), '00'.repeat(blob.length), 'a retained blob is wiped by restoring it');
      wipeAll(pairing);
      wipeAll(given);
      saved.fill(0xee);
      assert.equal(hex(core.save('retained')), hex(blob), 'what was restored is what was saved');

      Object.assign(world.device, { core });
      world.connect();
      assert.equal(world.device.core.live, true);
      const secret = buffer(world.secrets.psk);
      const handle = pair.device.importSecret(secret);
      assert.equal(hex(secret), hex(world.secrets.psk), 'a secret is the caller’s to wipe');
      pair.device.releaseSecret(handle);
      assert.equal(hex(secret), hex(world.secrets.psk));
    });

  for (const variant of variants)
    it(`${variant.name}: bytes from the network`, () => {
      const world = new World(pair, variant);
      const accept = pair.gateway.accept(Transport.Stream);
      world.device.core.connect(Transport.Stream, world.now);
      const m1 = buffer(concat(...world.device.output(world.now)));
      const { event } = accept.receive(m1, world.now);
      const digest1 = hex(accept.digest1);
      m1.fill(0xee);
      assert.equal(hex(accept.digest1), digest1);
      const none = Buffer.alloc(0);
      let answer: Uint8Array | undefined;
      if (event?.type === 'id' && accept.offerId(world.row.pairing)) answer = accept.answerFull(none);
      const chain = world.row.chain && buffers(world.row.chain);
      if (event?.type === 'ticket' && chain && accept.offerTicket(world.row.pairing, chain, 2)) {
        wipeAll(chain);
        answer = accept.answerTicket(0, false, none);
      }
      assert.ok(answer, 'message 1 was kept, not looked at again where it came from');
      const m2 = buffer(answer);
      const events = world.device.core.receive(m2.subarray(0, 20), world.now);
      m2.subarray(0, 20).fill(0xee);
      events.push(...world.device.core.receive(m2.subarray(20), world.now));
      world.device.handle(events);
      m2.fill(0xee);
      world.device.handle(world.device.core.timeout(world.now));
      assert.equal(world.device.core.live, true);
      const record = buffer(concat(...world.device.output(world.now)));
      assert.equal(accept.receive(record.subarray(0, 9), world.now).event, undefined);
      record.subarray(0, 9).fill(0xee);
      assert.equal(accept.receive(record.subarray(9), world.now).event?.type, 'confirm');
      record.fill(0xee);
      const session = pair.gateway.gateway(world.row.pairing);
      session.attach(accept, false, world.now);
      assert.equal(session.live, true);
    });
});
