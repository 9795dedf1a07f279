import assert from 'node:assert/strict';
import { Code, Kind, Mode, Suite, type CoreEvent } from '../../lib/engine.js';
import { concat, hex, pattern } from '../suite/bytes.js';
import { variants } from '../suite/engines.js';
import { Link, must } from './link.js';
import { forEachPort } from './ports.js';

function dataOf(events: readonly CoreEvent[], stream: number): Uint8Array {
  return concat(...events.flatMap((event) => (event.type === 'data' && event.stream === stream ? [event.data] : [])));
}

forEachPort('binding: sessions', (engine) => {
  for (const variant of variants.filter((each) => each.mode !== Mode.Ticket))
    it(`${variant.name}: handshake, and bytes both ways`, () => {
      const link = new Link(engine(), {}, variant).connect();
      const stream = link.open();
      const up = pattern(3000);
      const sent = link.device.write(stream, up, true, link.now);
      assert.deepEqual([sent.taken, sent.finTaken], [up.length, true]);
      const events = link.gateway.receive(Buffer.from(must(sent.out, 'records')), link.now);
      assert.equal(hex(dataOf(events, stream)), hex(up));
      assert.ok(events.some((event) => event.type === 'fin'));
      link.wipe();
    });

  it('one receive() takes many records, joins small ones and hands out views of the chunk', () => {
    const link = new Link(engine(), { windowGateway: 1 << 20 }).connect();
    const stream = link.open();
    const all = pattern(500 * 64);
    const records = Array.from({ length: 500 }, (_, at) =>
      must(link.device.write(stream, all.subarray(at * 64, at * 64 + 64), false, link.now).out, 'record'),
    );
    const chunk = Buffer.from(concat(...records));
    const events = link.gateway.receive(chunk, link.now);
    assert.equal(hex(dataOf(events, stream)), hex(all));
    assert.ok(events.length < 10, `${events.length} events`);
    for (const event of events) if (event.type === 'data') assert.equal(event.data.buffer, chunk.buffer);
    link.wipe();
  });

  it('more events than the table holds arrive complete and in order', () => {
    const link = new Link(engine(), { windowGateway: 1 << 20 }).connect();
    const [a, b] = [link.open('a'), link.open('b')];
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < 1500; at++) {
      const stream = at % 2 === 0 ? a : b; // never joined
      chunks.push(must(link.device.write(stream, Uint8Array.of(at & 255), false, link.now).out, 'record'));
    }
    const events = link.gateway.receive(Buffer.from(concat(...chunks)), link.now);
    const seen = events.flatMap((event) => (event.type === 'data' ? [[event.stream, event.data[0]]] : []));
    assert.deepEqual(
      seen,
      chunks.map((_, at) => [at % 2 === 0 ? a : b, at & 255]),
    );
    link.wipe();
  });

  it('one record that ends more streams than the table holds tells of each, in order and once', () => {
    const psk = { mode: Mode.Psk, suite: Suite.X25519 };
    const link = new Link(engine(), {}, psk, { streams: 1500 }).connect();
    const ids = Array.from({ length: 1400 }, () => link.device.open('many', Kind.Stream));
    link.pump();
    link.device.close(Code.Cancelled);
    const events = link.gateway.receive(Buffer.from(must(link.device.send(link.now), 'CLOSE')), link.now);
    const closed = events.flatMap((event) => (event.type === 'closed' ? [event.stream] : []));
    assert.deepEqual(closed, ids);
    assert.equal(events.filter((event) => event.type === 'close').length, 1);
    assert.deepEqual(link.gateway.timeout(link.now), []);
    link.wipe();
  });

  it('records cut at every byte arrive whole, and their data survives the next call', () => {
    const link = new Link(engine()).connect();
    const stream = link.open();
    const sent = [pattern(40, 1), pattern(40, 2)];
    const wire = concat(...sent.map((data) => must(link.device.write(stream, data, false, link.now).out, 'record')));
    const parts: Uint8Array[] = [];
    for (let at = 0; at < wire.length; at++)
      for (const event of link.gateway.receive(Buffer.from(wire.subarray(at, at + 1)), link.now))
        if (event.type === 'data') parts.push(event.data);
    assert.equal(hex(concat(...parts)), hex(concat(...sent)));
    link.wipe();
  });

  it('write() seals as many records as the window allows, and what it returned before stays as it was', () => {
    const link = new Link(engine(), { windowGateway: 100_000 }).connect();
    const stream = link.open();
    const data = pattern(150_000);
    const sent = link.device.write(stream, data, true, link.now);
    assert.deepEqual([sent.taken, sent.finTaken], [100_000, false]);
    assert.equal(link.device.window(stream), 0);
    const out = must(sent.out, 'records');
    const copy = hex(out);
    link.device.ping(link.now);
    must(link.device.send(link.now), 'ping');
    assert.equal(hex(out), copy);
    const events = link.gateway.receive(Buffer.from(out), link.now);
    assert.equal(hex(dataOf(events, stream)), hex(data.subarray(0, 100_000)));
    link.wipe();
  });

  it('small writes share memory and never overlap', () => {
    const link = new Link(engine(), { windowGateway: 1 << 24 }).connect();
    const stream = link.open();
    const outs: { out: Uint8Array; copy: string }[] = [];
    for (let at = 0; at < 3000; at++) {
      const out = must(link.device.write(stream, pattern(64, at), false, link.now).out, 'record');
      outs.push({ out, copy: hex(out) });
    }
    for (const { out, copy } of outs) assert.equal(hex(out), copy);
    assert.ok(new Set(outs.map(({ out }) => out.buffer)).size < 30);
    link.wipe();
  });

  it('what was released is used again, and nothing that was not', () => {
    const link = new Link(engine(), { windowGateway: 1 << 30 }).connect();
    const stream = link.open();
    const write = (): Uint8Array => must(link.device.write(stream, pattern(60_000), false, link.now).out, 'records');
    const release = (out: Uint8Array): void => link.device.release?.(out);
    const kept = Array.from({ length: 20 }, write);
    const copies = kept.map(hex);
    const memories = new Set<ArrayBufferLike>();
    for (let n = 0; n < 200; n += 1) {
      const out = write();
      memories.add(out.buffer);
      release(out);
      release(Buffer.alloc(5));
    }
    assert.ok(memories.size <= 3, `${memories.size} pieces of memory for 12 MB`);
    assert.deepEqual(kept.map(hex), copies);
    kept.forEach(release);
    for (let n = 0; n < 20; n += 1) memories.add(write().buffer);
    assert.ok(memories.size <= 9, 'those came back too');
    link.wipe();
  });

  it('a forged record is a drop event behind the events of the good ones before it, and the link takes no more', () => {
    const link = new Link(engine()).connect();
    const stream = link.open();
    const good = must(link.device.write(stream, pattern(10), false, link.now).out, 'record');
    const bad = Buffer.from(must(link.device.write(stream, pattern(10), false, link.now).out, 'record'));
    bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1;
    const events = link.gateway.receive(Buffer.from(concat(good, bad)), link.now);
    assert.equal(hex(dataOf(events, stream)), hex(pattern(10)));
    const last = events.at(-1);
    assert.ok(last?.type === 'drop' && last.error.code === 'ERR_HAWSER_AUTH');
    assert.equal(events.filter((event) => event.type === 'drop').length, 1);
    link.gateway.linkDown();
    assert.equal(link.gateway.live, false);
    assert.throws(() => link.gateway.receive(Buffer.from(good), link.now), { code: 'ERR_HAWSER_STATE' });
    link.wipe();
  });

  it('messages pass, and streams end with the code that was given', () => {
    const link = new Link(engine()).connect();
    const datagrams = link.device.open('coap', Kind.Messages);
    link.pump();
    link.gateway.consume(datagrams, 0);
    link.pump();
    link.toGateway(Buffer.from(must(link.device.message(datagrams, pattern(50), link.now), 'message')));
    const message = link.gatewayEvents.find((event) => event.type === 'message');
    assert.ok(message?.type === 'message' && hex(message.data) === hex(pattern(50)));
    const stream = link.open();
    link.gateway.reset(stream, Code.Unreachable);
    link.pump();
    assert.ok(link.deviceEvents.some((e) => e.type === 'closed' && e.stream === stream && e.code === Code.Unreachable));
    link.wipe();
  });

  it('keys() tells both ends the same keys, and nothing without keylog', () => {
    const link = new Link(engine(), {}, { mode: Mode.Psk, suite: Suite.X25519 }, { keylog: true }).connect();
    const [device, gateway] = [must(link.device.keys(), 'keys'), must(link.gateway.keys(), 'keys')];
    assert.deepEqual([hex(device.d2g), hex(device.g2d)], [hex(gateway.d2g), hex(gateway.g2d)]);
    assert.notEqual(hex(device.d2g), hex(device.g2d));
    link.wipe();
    const quiet = new Link(engine()).connect();
    assert.deepEqual([quiet.device.keys(), quiet.gateway.keys()], [undefined, undefined]);
    quiet.wipe();
  });

  it('a secret may be released while sessions use it', () => {
    const secret = engine().importSecret(pattern(32, 3));
    const link = new Link(engine());
    const pairing = { ...link.setup, psk: secret };
    const device = engine().device(pairing);
    engine().releaseSecret(secret);
    engine().releaseSecret(secret);
    device.boot();
    device.connect(1, 0);
    assert.ok(device.send(0));
    assert.throws(() => engine().device(pairing), { code: 'ERR_HAWSER_ARG' });
    device.wipe();
    link.wipe();
  });
});
