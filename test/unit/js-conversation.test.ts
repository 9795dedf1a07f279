import assert from 'node:assert/strict';
import { createJsEngine, type JsEngineHooks } from '../../lib/engine/js/index.js';
import { Mode, Suite, type Engine } from '../../lib/engine.js';
import { hex, pattern } from '../suite/bytes.js';
import { transports, variants } from '../suite/engines.js';
import { World } from '../suite/harness.js';

const UP = pattern(30_000, 1);
const DOWN = pattern(20_000, 2);

function world(hooks: JsEngineHooks, variant: { mode: Mode; suite: Suite }, transport: 1 | 3 = 1): World {
  const engine: Engine = createJsEngine({}, hooks);
  return new World({ name: 'js > js', device: engine, gateway: engine }, variant, { transport });
}

/** Bytes and FIN both ways over several links, one of them cut in the middle. */
function converse(talk: World): void {
  talk.connect();
  const { device, gateway } = talk.openStream('echo');
  device.write(UP, true);
  gateway.write(DOWN, true);
  const link = talk.link;
  assert.ok(link);
  link.cutAfter.d2g = link.bytes('d2g').length + 7_003;
  talk.until(() => device.code !== undefined && gateway.code !== undefined, 'both ends are done');
  assert.equal(hex(gateway.received), hex(UP));
  assert.equal(hex(device.received), hex(DOWN));
  assert.deepEqual([device.code, gateway.code], [0, 0]);
  assert.ok(talk.links.length > 1, 'the link was cut');
}

/** No key ever seals twice under one nonce. Both ends derive the next key of a direction with one same seal. */
function once(): { hooks: JsEngineHooks; seals: () => number } {
  const seen = new Set<string>();
  const trace = (key: Uint8Array, nonce: Uint8Array): void => {
    const pair = `${hex(key)} ${hex(nonce)}`;
    assert.ok(!seen.has(pair), `sealed twice: ${pair}`);
    seen.add(pair);
  };
  return { hooks: { trace }, seals: () => seen.size };
}

describe('js conversation', () => {
  for (const variant of variants)
    for (const transport of transports)
      it(`${variant.name} over ${transport.name}: whole across a cut, no nonce twice`, () => {
        const { hooks, seals } = once();
        converse(world(hooks, variant, transport.code));
        assert.ok(seals() > 10);
      });

  for (const variant of [variants[4], variants[6]])
    it(`${variant.name}: any crypto call that fails, once, ends in a local error and never in a wrong byte`, () => {
      let calls = 0;
      let failAt = Infinity;
      const hooks: JsEngineHooks = {
        before: () => {
          if (++calls === failAt) throw new Error(`call ${failAt} fails`);
        },
      };
      attempt(world(hooks, variant), () => undefined);
      const total = calls;
      assert.ok(total > 20);
      for (let n = 1; n <= total; n++) {
        calls = 0;
        failAt = Infinity;
        const talk = world(hooks, variant);
        attempt(talk, () => {
          calls = 0;
          failAt = n;
        });
        failAt = Infinity;
        recover(talk);
      }
    }).timeout(30_000);

  function attempt(talk: World, arm: () => void): void {
    const end = talk.device.open('echo');
    end.write(pattern(300));
    arm();
    try {
      talk.connect();
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'ERR_HAWSER_CRYPTO', String(error));
    }
  }

  /** Afterwards everything works: at most the stream of the failed session is lost, with an error that says so. */
  function recover(talk: World): void {
    talk.hang();
    talk.until(() => talk.device.core.live, 'live again');
    const end = talk.openStream('again');
    end.device.write(pattern(100, 9));
    talk.advance(100);
    assert.equal(hex(end.gateway.received), hex(pattern(100, 9)));
  }

  it('a random source that fails, or gives zeros, starts nothing', () => {
    let broken: 'no' | 'throws' | 'zeros' | 'short' = 'no';
    const hooks: JsEngineHooks = {
      random: (length) => {
        if (broken === 'throws') throw new Error('no entropy');
        if (broken === 'short') return new Uint8Array(length - 1);
        const out = new Uint8Array(length);
        return broken === 'zeros' ? out : globalThis.crypto.getRandomValues(out);
      },
    };
    for (const how of ['throws', 'zeros', 'short'] as const) {
      broken = 'no';
      const talk = world(hooks, { mode: Mode.Psk, suite: Suite.X25519 });
      broken = how;
      assert.throws(() => talk.connect(), { code: 'ERR_HAWSER_RANDOM' }, how);
      assert.equal(talk.device.core.send(talk.now), undefined);
      assert.equal(talk.device.core.live, false);
    }
  });

  it('a constant random source repeats no key and nonce in resumption', () => {
    const { hooks } = once();
    const constant: JsEngineHooks = { ...hooks, random: (length) => new Uint8Array(length).fill(7) };
    const talk = world(constant, { mode: Mode.Ticket, suite: Suite.None });
    for (let link = 0; link < 5; link++) {
      talk.connect();
      assert.ok(talk.device.core.live);
      if (link % 2) talk.reboot();
    }
  });

  it('takes any number of records in one chunk and any split of them', () => {
    const { hooks } = once();
    const talk = world(hooks, { mode: Mode.Psk, suite: Suite.X25519 });
    talk.connect();
    const { device, gateway } = talk.openStream();
    device.write(pattern(8000, 3));
    const bytes = talk.device.output(talk.now);
    const whole = bytes.reduce((sum, part) => sum + part.length, 0);
    assert.ok(whole >= 8000 + 18);
    for (const part of bytes)
      for (let at = 0; at < part.length; at += 333) talk.arrive('d2g', part.subarray(at, at + 333));
    assert.equal(hex(gateway.received), hex(pattern(8000, 3)));
  });
});
