/**
 * Classes 1, 9, 16, 19 and 21: what the network changes, sends back or makes up reaches neither state nor application. The matrices of every bit
 * and every state are in test/suite/attack.test.ts; here each class has the fault that its kind of assertion must see.
 */

import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { Transport, type SessionCore } from '../../lib/engine.js';
import { Port } from '../../lib/engine/js/crypto.js';
import { concat, flipped, hex, pattern, splitStream } from '../suite/bytes.js';
import { variants, type EnginePair, type Variant } from '../suite/engines.js';
import { connected, World } from '../suite/harness.js';
import { attack } from './classes.js';
import { layered, patched } from './faults.js';

const TICKET = variants[6] as Variant;
const PSK = variants[4] as Variant;
const NONE = new Uint8Array(0);

/** A real record of the device on its way to the gateway. */
function record(world: World): Uint8Array {
  const { device } = world.openStream();
  device.write(pattern(200, 9));
  return concat(...world.device.output(world.now));
}

function forgedBetweenRecords(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  const real = record(world);
  const before = hex(world.session.core.digest());
  const events = world.session.core.receive(flipped(real, 8 * real.length - 1), world.now);
  assert.equal(events.at(-1)?.type, 'drop', 'a forged record is refused');
  assert.equal(hex(world.session.core.digest()), before, 'a forged record moves nothing');
  world.session.handle(world.session.core.receive(real.slice(), world.now));
  assert.equal(
    hex([...world.session.streams.values()][0]?.received ?? NONE),
    hex(pattern(200, 9)),
    'the genuine one is taken afterwards',
  );
}

attack('class 1: a forged record between two real ones', forgedBetweenRecords, {
  'a record that fails costs the link its keys at once': {
    red: /a forged record moves nothing/,
    seed: (check, pair) => {
      const gateway = layered(pair.gateway, {
        gateway: (core) => ({
          receive: (chunk, now) => {
            const events = core.receive(chunk, now);
            if (events.some(({ type }) => type === 'drop')) core.linkDown();
            return events;
          },
        }),
      });
      check({ ...pair, gateway });
    },
  },
  'tags are not checked': {
    red: /a forged record is refused/,
    seed: (check, pair) => withoutTags(() => check(pair)),
  },
});

/** AES-GCM that decrypts and never looks at the tag. */
function withoutTags(action: () => void): void {
  const open = (key: Uint8Array, nonce: Uint8Array, _ad: Uint8Array, sealed: Uint8Array): Uint8Array =>
    new Uint8Array(createDecipheriv('aes-256-gcm', key, nonce).update(sealed.subarray(0, -16)));
  patched(Port.prototype, 'open', () => open, action);
}

/** Any type byte but the right one, and any bit of the messages of a handshake, gets silence. */
function everyHeader(pair: EnginePair): void {
  for (const variant of [PSK, TICKET]) {
    const world = new World(pair, variant);
    world.dial();
    const message = concat(...world.device.output(world.now));
    for (let type = 0; type < 256; type++) {
      if (type === message[2]) continue;
      const other = message.slice();
      other[2] = type;
      const port = world.gateway.listen(Transport.Stream);
      port.receive(other, world.now);
      assert.equal(port.collect(world.now).length, 0, `${variant.name}: type ${type} is answered`);
      port.close();
    }
  }
}

attack('class 9: every other type byte in front of a real message 1', everyHeader, {
  'the bits of the version are ignored': {
    red: /type \d+ is answered/,
    seed: (check, pair) => {
      const gateway = layered(pair.gateway, {
        accept: (core) => ({
          receive: (chunk, now) => {
            const same = chunk.slice();
            if (same.length > 2 && (same[0] ?? 0) < 0x10) same[2] = ((same[2] ?? 0) & 0x0f) | 0x10;
            return core.receive(same, now);
          },
        }),
      });
      check({ ...pair, gateway });
    },
  },
});

/**
 * What an end said comes back to it as if the other had: to a device that waits for its answer, and to either end of a link that is live. Its own
 * records are ahead of what the other sent, so that the one it waits for is among them.
 */
function reflected(pair: EnginePair): void {
  const taken = (['device', 'gateway'] as const).filter((who) => takesItsOwn(pair, who));
  assert.deepEqual(taken, [], `its own is taken by: ${taken.join(', ')}`);
}

function takesItsOwn(pair: EnginePair, who: 'device' | 'gateway'): boolean {
  const world = new World(pair, TICKET);
  world.dial();
  const first = world.device.output(world.now);
  assert.equal(takes(world.device.core, first, world.now), false, 'message 1 is no answer to itself');
  world.connect();
  const ends = world.openStream();
  const own = splitStream(world.link?.bytes(who === 'device' ? 'd2g' : 'g2d') ?? NONE);
  for (let n = 0; n < 12; n++) {
    ends[who].write(pattern(30, n));
    own.push(...(who === 'device' ? world.device : world.session).output(world.now));
  }
  return takes(who === 'device' ? world.device.core : world.session.core, own, world.now);
}

/** The core did not refuse each of them, or one changed something. */
function takes(core: SessionCore, units: readonly Uint8Array[], now: number): boolean {
  assert.ok(units.length > 0);
  return units.some((bytes) => {
    const before = hex(core.digest());
    return core.receive(bytes.slice(), now).at(-1)?.type !== 'drop' || hex(core.digest()) !== before;
  });
}

attack('class 16: own records sent back', reflected, {
  'both directions have one key': {
    red: /its own is taken by: device, gateway/,
    seed: (check, pair) =>
      patched(
        Port.prototype,
        'prf',
        (original) =>
          (key, label, ...parts) =>
            original(key, label === 'g2d' ? 'd2g' : label, ...parts),
        () => check(pair),
      ),
  },
});

/** Every bit of each message of a resumption, in its place. */
function everyBit(pair: EnginePair): void {
  const world = new World(pair, TICKET);
  world.dial();
  const message = concat(...world.device.output(world.now));
  for (let bit = 0; bit < 8 * message.length; bit++) {
    const port = world.gateway.listen(Transport.Stream);
    port.receive(flipped(message, bit), world.now);
    assert.equal(port.collect(world.now).length, 0, `bit ${bit} of message 1 is answered`);
    port.close();
  }
  for (let length = 0; length < message.length; length++) {
    const port = world.gateway.listen(Transport.Stream);
    port.receive(message.slice(0, length), world.now);
    assert.equal(port.collect(world.now).length, 0, `message 1 cut to ${length}`);
    port.close();
  }
  for (let bit = 0; bit < 8 * 64; bit++) {
    const slot = slotOf(pair);
    const other = new World(pair, TICKET);
    other.device.flash.slots = [flipped(slot, bit), undefined];
    other.reboot();
    other.connect();
    assert.equal(other.device.core.live, true, `bit ${bit} of a slot: it is empty, the pairing's B_0 counts`);
  }
}

const slots = new WeakMap<object, Uint8Array>();
function slotOf(pair: EnginePair): Uint8Array {
  const known = slots.get(pair.device);
  if (known) return known;
  const world = connected(pair, TICKET);
  const slot = world.device.flash.slots.find((each) => each !== undefined);
  assert.ok(slot);
  slots.set(pair.device, slot);
  return slot;
}

attack('class 19: every bit and every length', everyBit, {
  'tags are not checked': {
    red: /bit \d+ of message 1 is answered/,
    seed: (check, pair) => withoutTags(() => check(pair)),
  },
});

/** A record whose tag is wrong leaves nothing of its plaintext, neither in events nor in the caller's buffer. */
function nothingReleased(pair: EnginePair): void {
  const world = connected(pair, TICKET);
  const real = record(world);
  const secret = hex(pattern(200, 9)).slice(0, 64);
  const chunk = flipped(real, 8 * real.length - 1);
  const events = world.session.core.receive(chunk, world.now);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['drop'],
    'it is refused, and nothing else is said',
  );
  assert.ok(!hex(chunk).includes(secret), 'plaintext in the buffer');
}

attack('class 21: plaintext of a record that fails', nothingReleased, {
  'it is decrypted in place before the tag is looked at': {
    red: /plaintext in the buffer/,
    seed: (check, pair) =>
      patched(
        Port.prototype,
        'open',
        (original) => (key, nonce, ad, sealed) => {
          const plain = original(key, nonce, ad, sealed);
          if (!plain) sealed.set(createDecipheriv('aes-256-gcm', key, nonce).update(sealed.subarray(0, -16)));
          return plain;
        },
        () => check(pair),
      ),
  },
});
