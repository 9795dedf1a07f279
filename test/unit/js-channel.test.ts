import assert from 'node:assert/strict';
import { Code, Kind, Transport, type CoreEvent } from '../../lib/engine.js';
import { Channel } from '../../lib/engine/js/channel.js';
import { Sf } from '../../lib/engine/js/control.js';
import { StateHash } from '../../lib/engine/js/crypto.js';
import { ackFrame, dataHead, openFrame, resetFrame, streamFrame, syncedFrame } from '../../lib/engine/js/frames.js';
import { concat, Frame, RECORD_MAX } from '../../lib/engine/js/wire.js';
import { hex, pattern, utf8 } from '../suite/bytes.js';

const WINDOW = 1000;
const channel = (gateway: boolean): Channel => new Channel({ gateway, streams: 4, windowTx: WINDOW, windowRx: WINDOW });

/** One record's plaintext; the events of what it says. */
function receive(into: Channel, plaintext: Uint8Array): CoreEvent[] {
  into.feed(plaintext);
  return take(into);
}

function take(from: Channel): CoreEvent[] {
  const events: CoreEvent[] = [];
  for (let event = from.next(); event; event = from.next()) events.push(event);
  return events;
}

/** A link that continues the session, or begins a new one. */
function link(end: Channel, continues: boolean): void {
  end.down();
  end.up(0);
  end.line = Transport.Stream;
  if (continues) end.linkContinues();
  else end.linkRenews();
  end.take(Sf.EvLive); // the session's to tell
}

const types = (events: CoreEvent[]): string => events.map(({ type }) => type).join(' ');
const DATA = (id: number, bytes: Uint8Array): Uint8Array => concat(dataHead(Frame.Data, id), bytes);
const FIN = (id: number, bytes: Uint8Array): Uint8Array => concat(dataHead(Frame.Fin, id), bytes);
const OPEN = { id: 0, serial: 1, kind: Kind.Stream, name: 'mqtt' } as const;

/** A gateway with one connected stream. */
function opened(): Channel {
  const gateway = channel(true);
  link(gateway, false);
  receive(gateway, openFrame(OPEN));
  gateway.consume(0, 0);
  drain(gateway);
  return gateway;
}

/** What is due, in hex, one frame each. */
function drain(from: Channel): string[] {
  return from.record(RECORD_MAX).map(hex);
}

function digest(of: Channel): string {
  const into = new StateHash();
  of.hash(into);
  return hex(into.digest());
}

describe('js channel', () => {
  it('gives bytes in order, once, and takes a repeat for what it is', () => {
    const gateway = opened();
    const events = [
      ...receive(gateway, DATA(0, utf8('abc'))),
      ...receive(gateway, concat(openFrame(OPEN), DATA(0, utf8('abcdef')))),
    ];
    const data = events.flatMap((event) => (event.type === 'data' ? [Buffer.from(event.data).toString()] : []));
    assert.deepEqual(data, ['abc', 'def']);
  });

  it('acknowledges late, at a quarter of a window at once, and a FIN at once', () => {
    const gateway = opened();
    receive(gateway, DATA(0, pattern(600)));
    gateway.now = 1000;
    gateway.consume(0, 10);
    assert.equal(gateway.due(1000), false);
    assert.equal(gateway.ackMs, 1025);
    gateway.consume(0, 240);
    assert.equal(gateway.due(1000), true);
    assert.deepEqual(drain(gateway), [hex(ackFrame(0, 250))]);
    receive(gateway, FIN(0, pattern(5)));
    assert.equal(gateway.due(1000), false, 'not before everything was accepted');
    gateway.consume(0, 355);
    assert.deepEqual(drain(gateway), [hex(ackFrame(0, 606))]);
    assert.throws(() => gateway.consume(0, 1), { code: 'ERR_HAWSER_ARG' });
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
        receive(end, FIN(0, utf8('')));
      }
      assert.throws(() => receive(end, frames), { code: 'ERR_HAWSER_PEER' });
    });

  function reopened(): Channel {
    const gateway = opened();
    receive(gateway, openFrame({ ...OPEN, serial: 2 }));
    return gateway;
  }
  function resyncing(): Channel {
    const gateway = opened();
    link(gateway, true);
    return gateway;
  }
  function device(): Channel {
    const end = channel(false);
    link(end, false);
    take(end);
    return end;
  }

  it('ignores bytes for an id that is not open or that it has reset', () => {
    const gateway = opened();
    receive(gateway, DATA(0, utf8('a')));
    const before = digest(gateway);
    receive(gateway, DATA(3, utf8('x')));
    receive(gateway, ackFrame(3, 77));
    assert.equal(digest(gateway), before);
    gateway.reset(0, Code.UpstreamReset);
    assert.deepEqual(take(gateway), [{ type: 'closed', stream: 0, code: Code.UpstreamReset }]);
    assert.deepEqual(receive(gateway, DATA(0, utf8('x'))), []);
    assert.deepEqual(drain(gateway), [hex(resetFrame(0, 1, Code.UpstreamReset))]);
  });

  it('answers a RESET, also of a stream it does not know; a device ignores those', () => {
    const gateway = opened();
    const closed = receive(gateway, resetFrame(0, 1, Code.Cancelled));
    assert.deepEqual(closed, [{ type: 'closed', stream: 0, code: Code.Cancelled }]);
    receive(gateway, resetFrame(2, 9, Code.Cancelled));
    assert.deepEqual(drain(gateway).sort(), [hex(resetFrame(0, 1, 0)), hex(resetFrame(2, 9, 0))].sort());
    assert.deepEqual(drain(gateway), []);
    const end = device();
    receive(end, resetFrame(2, 9, Code.Cancelled));
    assert.equal(end.due(0), false);
  });

  it('owes as many RESETs as it holds streams: more is a violation (SPEC 9)', () => {
    const gateway = opened();
    for (let id = 4; id < 8; id++) receive(gateway, openFrame({ ...OPEN, id, serial: id }));
    assert.throws(() => receive(gateway, openFrame({ ...OPEN, id: 8, serial: 8 })), { code: 'ERR_HAWSER_PEER' });
    assert.deepEqual(drain(gateway), [4, 5, 6, 7].map((id) => hex(resetFrame(id, id, Code.Limit)))); // prettier-ignore
    assert.deepEqual(drain(gateway), []);
  });

  it('goes on from the received offset after a resynchronisation, and a later STREAM rewinds nothing', () => {
    const gateway = opened();
    const stream = gateway.theStream(0);
    gateway.advance(stream, 500, false);
    link(gateway, true);
    assert.deepEqual(
      receive(gateway, concat(streamFrame({ id: 0, serial: 1, tx: 0, rx: 300, ack: 200 }), syncedFrame())),
      [
        { type: 'acked', stream: 0, offset: 200 },
        { type: 'rewind', stream: 0, offset: 300 },
      ],
    );
    assert.equal(drain(gateway)[0], hex(streamFrame({ id: 0, serial: 1, tx: 300, rx: 0, ack: 0 })));
    gateway.advance(stream, 100, false);
    assert.equal(types(receive(gateway, streamFrame({ id: 0, serial: 1, tx: 0, rx: 350, ack: 350 }))), 'acked');
    assert.equal(stream.tx, 400);
  });

  it('answers RESET 5 for what it does not know, and forgets what was not named', () => {
    const gateway = opened();
    link(gateway, true);
    assert.deepEqual(receive(gateway, concat(streamFrame({ id: 2, serial: 7, tx: 0, rx: 0, ack: 0 }), syncedFrame())), [
      { type: 'closed', stream: 0, code: Code.StateLost },
    ]);
    assert.deepEqual(drain(gateway), [hex(resetFrame(2, 7, Code.StateLost)), hex(syncedFrame())]);
  });

  it('repeats the last word on a stream that is over, so that a lost acknowledgement is no error', () => {
    const gateway = opened();
    const stream = gateway.theStream(0);
    gateway.advance(stream, 3, true);
    assert.equal(types(receive(gateway, concat(ackFrame(0, 4), FIN(0, utf8('ab'))))), 'acked data fin');
    gateway.consume(0, 2);
    drain(gateway);
    assert.equal(types(take(gateway)), 'closed');
    link(gateway, true);
    assert.deepEqual(
      receive(gateway, concat(streamFrame({ id: 0, serial: 1, tx: 2, rx: 4, ack: 4 }), syncedFrame())),
      [],
    );
    assert.equal(drain(gateway)[0], hex(streamFrame({ id: 0, serial: 1, tx: 4, rx: 3, ack: 3 })));
  });

  it('names back what the device named even if it ends before the answer goes out', () => {
    const gateway = opened();
    gateway.advance(gateway.theStream(0), 3, true);
    link(gateway, true);
    receive(gateway, concat(streamFrame({ id: 0, serial: 1, tx: 0, rx: 4, ack: 4 }), syncedFrame()));
    assert.equal(types(receive(gateway, FIN(0, utf8('')))), 'fin');
    assert.equal(drain(gateway)[0], hex(streamFrame({ id: 0, serial: 1, tx: 4, rx: 1, ack: 1 })));
    assert.equal(types(take(gateway)), 'closed');
  });

  it('names at the device OPEN what was never acknowledged, STREAM the rest, and loses what stays unnamed', () => {
    const end = device();
    const [first, second, third] = [end.open('a', Kind.Stream), end.open('b', Kind.Stream), end.open('c', Kind.Stream)];
    drain(end);
    assert.equal(types(receive(end, concat(ackFrame(first, 0), ackFrame(third, 0)))), 'opened opened');
    link(end, true);
    take(end);
    assert.deepEqual(drain(end), [
      hex(streamFrame({ id: first, serial: 1, tx: 0, rx: 0, ack: 0 })),
      hex(openFrame({ id: second, serial: 2, kind: Kind.Stream, name: 'b' })),
      hex(streamFrame({ id: third, serial: 3, tx: 0, rx: 0, ack: 0 })),
      hex(syncedFrame()),
    ]);
    const named = [first, second].map((id) => streamFrame({ id, serial: id + 1, tx: 0, rx: 0, ack: 0 }));
    assert.deepEqual(receive(end, concat(...named, syncedFrame())), [
      { type: 'closed', stream: third, code: Code.StateLost },
    ]);
    assert.equal(end.maySend(end.theStream(first)), true);
  });
});
