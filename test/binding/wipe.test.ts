import assert from 'node:assert/strict';
import { Kind, Transport, Verdict, type SessionCore } from '../../lib/engine.js';
import { Link, none } from './link.js';
import { forEachPort } from './ports.js';

const state = { code: 'ERR_HAWSER_STATE', name: 'HawserError' };

/** Every method that a session has, with arguments that are right. */
function sessionCalls(core: SessionCore): Record<string, () => unknown> {
  const data = Buffer.alloc(10);
  return {
    name: () => core.name,
    receive: () => core.receive(data, 1),
    send: () => core.send(1),
    write: () => core.write(0, data, false, 1),
    window: () => core.window(0),
    message: () => core.message(0, data, 1),
    consume: () => core.consume(0, 0),
    reset: () => core.reset(0, 0),
    ping: () => core.ping(1),
    close: () => core.close(0),
    deadline: () => core.deadline(),
    timeout: () => core.timeout(1),
    linkDown: () => core.linkDown(),
    keys: () => core.keys(),
    digest: () => core.digest(),
  };
}

/** A session's calls are refused, and it says that it is not live. */
function assertWiped(core: SessionCore, calls: Record<string, () => unknown>): void {
  assert.equal(core.live, false);
  assertAllRefused({ ...sessionCalls(core), ...calls });
}

function assertAllRefused(calls: Record<string, () => unknown>): void {
  for (const [name, call] of Object.entries(calls)) assert.throws(call, state, name);
}

forEachPort('binding: use after wipe', (engine, addon) => {
  for (const when of ['fresh', 'live'] as const) {
    it(`a device that was wiped when ${when} refuses every call, and a second wipe is nothing`, () => {
      const link = new Link(engine());
      if (when === 'live') link.connect().open();
      const { device } = link;
      device.wipe();
      device.wipe();
      assertWiped(device, {
        boot: () => device.boot(),
        connect: () => device.connect(Transport.Stream, 1),
        disconnected: () => device.disconnected(1),
        stored: () => device.stored(true),
        open: () => device.open('mqtt', Kind.Stream),
        save: () => device.save('flash'),
        restore: () => device.restore(Buffer.alloc(64), new Map()),
        handshake: () => device.handshake,
      });
      link.wipe();
    });

    it(`a gateway's session that was wiped when ${when} refuses every call`, () => {
      const link = new Link(engine());
      if (when === 'live') link.connect().open();
      const { gateway } = link;
      const accept = engine().accept(Transport.Stream);
      gateway.wipe();
      gateway.wipe();
      assertWiped(gateway, {
        early: () => gateway.early(accept),
        attach: () => gateway.attach(accept, false, 1),
      });
      link.wipe();
    });
  }

  it('an accept that was wiped in each of its states refuses every call, also as an argument', () => {
    for (const wipeAfter of ['nothing', 'message 1', 'answer'] as const) {
      const link = new Link(engine());
      const message1 = link.first();
      const accept = engine().accept(Transport.Stream);
      if (wipeAfter === 'message 1') accept.receive(message1, 1);
      if (wipeAfter === 'answer') link.answer(message1);
      const target = wipeAfter === 'answer' && link.accept !== undefined ? link.accept : accept;
      target.wipe();
      target.wipe();
      const chain = engine().chainStart(Buffer.alloc(32, 7));
      const pairing = { ...link.setup, psk: engine().importSecret(Buffer.alloc(32, 7)) };
      assertAllRefused({
        receive: () => target.receive(message1, 1),
        offerId: () => target.offerId(pairing),
        answerFull: () => target.answerFull(none),
        offerTicket: () => target.offerTicket(pairing, chain, 2),
        answerTicket: () => target.answerTicket(Verdict.None, false, none),
        digest1: () => target.digest1,
        clone: () => target.clone(),
        continues: () => target.continues,
        name: () => target.name,
        chain: () => target.chain,
        handshake: () => target.handshake,
        attach: () => link.gateway.attach(target, false, 1),
        early: () => link.gateway.early(target),
      });
      link.wipe();
    }
  });

  it('an object that was never initialised, or is initialised twice, is refused', () => {
    const raw = new (addon().Accept)();
    assert.equal(raw.receive(none, 1), -5);
    assert.equal(raw.init(Transport.Stream), 0);
    assert.equal(raw.init(Transport.Stream), -5);
    raw.wipe();
    assert.equal(new (addon().Device)().live(), 0);
    assert.equal(new (addon().Device)().deadline(), -5);
    assert.equal(new (addon().Gateway)().digest(new Uint8Array(32)), -5);
  });

  it('a method on an object of another class is a TypeError of the runtime', () => {
    const { Device, Accept } = addon();
    const live = Reflect.get(Device.prototype as object, 'live') as () => unknown;
    for (const receiver of [new Accept(), {}, Object.create(Device.prototype as object), undefined])
      assert.throws(() => Reflect.apply(live, receiver, []), TypeError);
    assert.throws(() => Reflect.apply(Device, undefined, []), TypeError);
  });
});
