import assert from 'node:assert/strict';
import { Code, Kind, type CoreEvent } from '../../lib/engine.js';
import { Channel } from '../../lib/engine/js/channel.js';
import { StateHash } from '../../lib/engine/js/crypto.js';
import { ackFrame, dataHead, openFrame, resetFrame, streamFrame, syncedFrame } from '../../lib/engine/js/frames.js';
import { concat, Frame } from '../../lib/engine/js/wire.js';
import { hex, pattern, utf8 } from '../suite/bytes.js';

const WINDOW = 1000;
const channel = (gateway: boolean): Channel => new Channel({ gateway, streams: 4, windowTx: WINDOW, windowRx: WINDOW });

const take = (from: Channel): CoreEvent[] => from.events.splice(0);
const types = (events: CoreEvent[]): string => events.map(({ type }) => type).join(' ');
const DATA = (id: number, bytes: Uint8Array): Uint8Array => concat(dataHead(Frame.Data, id), bytes);
const FIN = (id: number, bytes: Uint8Array): Uint8Array => concat(dataHead(Frame.Fin, id), bytes);
const OPEN = { id: 0, serial: 1, kind: Kind.Stream, name: 'mqtt' } as const;

/** A gateway with one connected stream. */
function opened(): Channel {
  const gateway = channel(true);
  gateway.linkNew();
  gateway.receive(openFrame(OPEN));
  gateway.consume(0, 0, 0);
  drain(gateway);
  take(gateway);
  return gateway;
}

/** What is due, in hex, one frame each. */
function drain(from: Channel): string[] {
  return [...from.frames()].map(hex);
}

function digest(of: Channel): string {
  const into = new StateHash();
  of.hash(into);
  return hex(into.digest());
}

describe('js channel', () => {
  it('gives bytes in order, once, and takes a repeat for what it is', () => {
    const gateway = opened();
    gateway.receive(DATA(0, utf8('abc')));
    gateway.receive(concat(openFrame(OPEN), DATA(0, utf8('abcdef'))));
    const data = take(gateway).flatMap((event) => (event.type === 'data' ? [Buffer.from(event.data).toString()] : []));
    assert.deepEqual(data, ['abc', 'def']);
  });

  it('acknowledges late, at half a window at once, and a FIN at once', () => {
    const gateway = opened();
    gateway.receive(DATA(0, pattern(600)));
    gateway.consume(0, 10, 1000);
    assert.equal(gateway.due, false);
    assert.equal(gateway.ackAt, 1025);
    gateway.consume(0, 490, 1000);
    assert.equal(gateway.due, true);
    assert.deepEqual(drain(gateway), [hex(ackFrame(0, 500))]);
    gateway.receive(FIN(0, pattern(5)));
    assert.equal(gateway.due, false, 'not before everything was accepted');
    gateway.consume(0, 105, 1000);
    assert.deepEqual(drain(gateway), [hex(ackFrame(0, 606))]);
    assert.throws(() => gateway.consume(0, 1, 1000), { code: 'ERR_HAWSER_ARG' });
  });

  const violations: [string, () => Channel, Uint8Array][] = [
    ['a gap', opened, concat(streamFrame({ id: 0, serial: 1, tx: 5, rx: 0, ack: 0 }), DATA(0, utf8('x')))],
    ['more than the window', opened, DATA(0, pattern(WINDOW + 1))],
    ['an ACK of what was never sent', opened, ackFrame(0, 1)],
    ['bytes behind a FIN', opened, concat(openFrame(OPEN), FIN(0, utf8('a')))],
    ['a message on a stream', opened, concat(dataHead(Frame.Msg, 0), utf8('x'))],
    ['an unknown frame', opened, Uint8Array.of(0x0e)],
    ['STATE later than first', opened, concat(Uint8Array.of(1), new Uint8Array(8))],
    ['STATUS from a device', opened, Uint8Array.of(2, 0)],
    ['SYNCED out of place', opened, syncedFrame()],
    ['an old serial', () => reopened(), openFrame(OPEN)],
    ['a frame cut short', opened, ackFrame(0, 0).subarray(0, 5)],
    ['DATA before SYNCED', () => resyncing(), DATA(0, utf8('x'))],
    ['OPEN from a gateway', () => device(), openFrame(OPEN)],
  ];
  for (const [what, make, frames] of violations)
    it(`refuses ${what}`, () => {
      const end = make();
      if (what === 'bytes behind a FIN') {
        end.receive(FIN(0, utf8('')));
      }
      assert.throws(() => end.receive(frames), { code: 'ERR_HAWSER_PEER' });
    });

  function reopened(): Channel {
    const gateway = opened();
    gateway.receive(openFrame({ ...OPEN, serial: 2 }));
    return gateway;
  }
  function resyncing(): Channel {
    const gateway = opened();
    gateway.linkDown();
    gateway.linkContinued();
    return gateway;
  }
  function device(): Channel {
    const end = channel(false);
    end.linkNew();
    return end;
  }

  it('ignores bytes for an id that is not open or that it has reset', () => {
    const gateway = opened();
    const before = digest(gateway);
    gateway.receive(DATA(3, utf8('x')));
    gateway.receive(ackFrame(3, 77));
    assert.equal(digest(gateway), before);
    gateway.reset(0, Code.UpstreamReset);
    gateway.receive(DATA(0, utf8('x')));
    assert.deepEqual(take(gateway), []);
    assert.deepEqual(drain(gateway), [hex(resetFrame(0, 1, Code.UpstreamReset))]);
    gateway.receive(resetFrame(0, 1, Code.Done));
    assert.deepEqual(take(gateway), [{ type: 'closed', stream: 0, code: Code.UpstreamReset }]);
    assert.deepEqual(drain(gateway), [], 'an answer is not answered');
  });

  it('answers a RESET once, also of a stream it does not know; a device ignores those', () => {
    const gateway = opened();
    gateway.receive(resetFrame(0, 1, Code.Cancelled));
    assert.deepEqual(take(gateway), [{ type: 'closed', stream: 0, code: Code.Cancelled }]);
    gateway.receive(resetFrame(2, 9, Code.Cancelled));
    assert.deepEqual(drain(gateway).sort(), [hex(resetFrame(0, 1, 0)), hex(resetFrame(2, 9, 0))].sort());
    const end = device();
    end.receive(resetFrame(2, 9, Code.Cancelled));
    assert.equal(end.due, false);
  });

  it('refuses streams above its limit without keeping anything of them', () => {
    const gateway = opened();
    for (let id = 4; id < 400; id++) gateway.receive(openFrame({ ...OPEN, id, serial: id }));
    assert.equal(gateway.streams.size, 1);
    const frames = drain(gateway);
    assert.equal(frames.length, 396);
    assert.equal(frames[0], hex(resetFrame(4, 4, Code.Limit)));
    assert.deepEqual(drain(gateway), []);
  });

  it('goes on from the received offset after a resynchronisation, and a later STREAM rewinds nothing', () => {
    const gateway = opened();
    const stream = gateway.stream(0);
    gateway.advance(stream, 500, false);
    gateway.linkDown();
    gateway.linkContinued();
    gateway.receive(concat(streamFrame({ id: 0, serial: 1, tx: 0, rx: 300, ack: 200 }), syncedFrame()));
    assert.deepEqual(take(gateway), [
      { type: 'acked', stream: 0, offset: 200 },
      { type: 'rewind', stream: 0, offset: 300 },
    ]);
    assert.equal(drain(gateway)[0], hex(streamFrame({ id: 0, serial: 1, tx: 300, rx: 0, ack: 0 })));
    gateway.advance(stream, 100, false);
    gateway.receive(streamFrame({ id: 0, serial: 1, tx: 0, rx: 350, ack: 350 }));
    assert.equal(types(take(gateway)), 'acked');
    assert.equal(stream.tx, 400);
  });

  it('answers RESET 5 for what it does not know, and forgets what was not named', () => {
    const gateway = opened();
    gateway.linkDown();
    gateway.linkContinued();
    gateway.receive(concat(streamFrame({ id: 2, serial: 7, tx: 0, rx: 0, ack: 0 }), syncedFrame()));
    assert.deepEqual(take(gateway), [{ type: 'closed', stream: 0, code: Code.StateLost }]);
    assert.deepEqual(drain(gateway), [hex(resetFrame(2, 7, Code.StateLost)), hex(syncedFrame())]);
  });

  it('repeats the last word on a stream that is over, so that a lost acknowledgement is no error', () => {
    const gateway = opened();
    const stream = gateway.stream(0);
    gateway.advance(stream, 3, true);
    gateway.receive(concat(ackFrame(0, 4), FIN(0, utf8('ab'))));
    gateway.consume(0, 2, 0);
    assert.equal(types(take(gateway)), 'acked data fin closed');
    gateway.linkDown();
    gateway.linkContinued();
    gateway.receive(concat(streamFrame({ id: 0, serial: 1, tx: 2, rx: 4, ack: 4 }), syncedFrame()));
    assert.deepEqual(take(gateway), []);
    assert.equal(drain(gateway)[0], hex(streamFrame({ id: 0, serial: 1, tx: 4, rx: 3, ack: 3 })));
  });

  it('names back what the device named even if it ends before the answer goes out', () => {
    const gateway = opened();
    gateway.advance(gateway.stream(0), 3, true);
    gateway.linkDown();
    gateway.linkContinued();
    gateway.receive(concat(streamFrame({ id: 0, serial: 1, tx: 0, rx: 4, ack: 4 }), syncedFrame()));
    gateway.receive(FIN(0, utf8('')));
    assert.equal(types(take(gateway)), 'acked fin closed');
    assert.equal(drain(gateway)[0], hex(streamFrame({ id: 0, serial: 1, tx: 4, rx: 1, ack: 1 })));
  });

  it('names at the device OPEN what was never acknowledged, STREAM the rest, and loses what stays unnamed', () => {
    const end = device();
    const [first, second, third] = [end.open('a', Kind.Stream), end.open('b', Kind.Stream), end.open('c', Kind.Stream)];
    drain(end);
    end.receive(concat(ackFrame(first, 0), ackFrame(third, 0)));
    assert.equal(types(take(end)), 'opened opened');
    end.linkDown();
    end.linkContinued();
    assert.deepEqual(drain(end), [
      hex(streamFrame({ id: first, serial: 1, tx: 0, rx: 0, ack: 0 })),
      hex(openFrame({ id: second, serial: 2, kind: Kind.Stream, name: 'b' })),
      hex(streamFrame({ id: third, serial: 3, tx: 0, rx: 0, ack: 0 })),
      hex(syncedFrame()),
    ]);
    const named = [first, second].map((id) => streamFrame({ id, serial: id + 1, tx: 0, rx: 0, ack: 0 }));
    end.receive(concat(...named, syncedFrame()));
    assert.deepEqual(take(end), [{ type: 'closed', stream: third, code: Code.StateLost }]);
    assert.equal(end.phase, 'open');
  });
});
