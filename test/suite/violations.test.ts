/**
 * Frames that an authenticated peer must not send (SPEC 9): every engine judges them alike. Each is sealed by the reference under
 * the keys of a live link, behind a stream with id 0 and serial 1 in which nothing was sent.
 */

import assert from 'node:assert/strict';
import { Kind, Mode, Suite, Transport } from '../../lib/engine.js';
import { concat, splitStream, unhex, utf8 } from './bytes.js';
import { forEachEngine } from './engines.js';
import { connected, type Direction, type World } from './harness.js';
import { NONE, record, uint } from './reference.js';

const id = (value: number): Uint8Array => uint(value, 2);
const off = (value: number): Uint8Array => uint(value, 6);
const open = (at: number, serial: number, kind: number, name: string): Uint8Array =>
  concat(unhex('03'), id(at), uint(serial, 4), Uint8Array.of(kind, name.length), utf8(name));
const stream = (at: number, serial: number, tx: number, rx: number, ack: number): Uint8Array =>
  concat(unhex('04'), id(at), uint(serial, 4), off(tx), off(rx), off(ack));
const reset = (at: number, serial: number): Uint8Array =>
  concat(unhex('09'), id(at), uint(serial, 4), Uint8Array.of(0));

/** Towards the gateway, then towards the device. */
const violations: [string, Direction, Uint8Array][] = [
  ['a code that is none', 'd2g', unhex('0e')],
  ['a frame cut short', 'd2g', unhex('0800')],
  ['STATE behind the first record', 'd2g', concat(unhex('01'), new Uint8Array(8))],
  ['SYNCED on a link of a new session', 'd2g', unhex('05')],
  ['OPEN without a name', 'd2g', open(1, 9, 0, '')],
  ['OPEN with a letter that no name has', 'd2g', open(1, 9, 0, 'Mqtt')],
  ['OPEN with a name that is too long', 'd2g', open(1, 9, 0, 'a'.repeat(33))],
  ['OPEN of no kind', 'd2g', open(1, 9, 2, 'mqtt')],
  ['OPEN of no kind for an id in use', 'd2g', open(0, 9, 2, 'mqtt')],
  ['OPEN with serial 0', 'd2g', open(1, 0, 0, 'mqtt')],
  ['STREAM with serial 0', 'd2g', stream(5, 0, 0, 0, 0)],
  ['STREAM of no stream that accepted before it received', 'd2g', stream(5, 7, 0, 0, 9)],
  ['STREAM behind a gap', 'd2g', stream(0, 1, 9, 0, 0)],
  ['STREAM that has what was not sent', 'd2g', stream(0, 1, 0, 9, 0)],
  ['RESET with serial 0', 'd2g', reset(5, 0)],
  ['ACK of what was not sent', 'd2g', concat(unhex('08'), id(0), off(9))],
  ['MSG on a stream of bytes', 'd2g', concat(unhex('0a'), id(0), utf8('x'))],
  ['OPEN by a gateway', 'g2d', open(1, 9, 0, 'mqtt')],
  ['STATUS behind the first record', 'g2d', unhex('0201')],
  ['SYNCED on a link of a new session, from the gateway', 'g2d', unhex('05')],
  ['STREAM behind a gap, from the gateway', 'g2d', stream(0, 1, 9, 0, 0)],
  ['STREAM that has what the device did not send', 'g2d', stream(0, 1, 0, 9, 0)],
  ['STREAM that accepted what the device did not send', 'g2d', stream(0, 1, 0, 9, 9)],
  ['ACK of what the device did not send', 'g2d', concat(unhex('08'), id(0), off(9))],
];

function records(world: World, direction: Direction): number {
  return splitStream(world.link?.bytes(direction) ?? NONE).filter((unit) => ((unit[0] ?? 0) & 0x40) !== 0).length;
}

/** The types of the events that one record makes at its receiver. */
function judge(world: World, direction: Direction, plain: Uint8Array): string[] {
  const keys = world.device.core.keys();
  assert.ok(keys);
  const receiver = direction === 'd2g' ? world.session : world.device;
  const events = receiver.core.receive(record(keys[direction], records(world, direction), plain), world.now);
  return events.map((event) => (event.type === 'drop' ? event.error.code : event.type));
}

forEachEngine('violations', (engine) => {
  const live = (): World => {
    const pair = { name: engine().name, device: engine(), gateway: engine() };
    const world = connected(
      pair,
      { mode: Mode.Ticket, suite: Suite.None },
      {
        transport: Transport.Stream,
        options: { keylog: true },
      },
    );
    assert.equal(world.openStream('mqtt', Kind.Stream).device.id, 0);
    return world;
  };

  it('an empty record, a PING and a STREAM that says what is so are none', () => {
    for (const plain of [NONE, concat(unhex('0b'), uint(7, 4)), stream(0, 1, 0, 0, 0)])
      assert.deepEqual(judge(live(), 'd2g', plain), []);
  });

  for (const [title, direction, plain] of violations)
    it(`${title}: the link is dropped, the session forgotten`, () => {
      const world = live();
      const events = judge(world, direction, plain);
      assert.equal(events.at(-1), 'ERR_HAWSER_PEER', events.join(' '));
      const receiver = direction === 'd2g' ? world.session : world.device;
      assert.equal(receiver.core.live, false);
      assert.deepEqual(receiver.core.name, new Uint8Array(8));
    });

  it('one byte that begins nothing of what may come ends the link at once (SPEC 3.1)', () => {
    for (const first of [0x00, 0x01, 0x0f, 0x10, 0x3f, 0x80, 0xff])
      for (const side of ['device', 'session'] as const) {
        const world = live();
        const events = world[side].core.receive(Uint8Array.of(first), world.now);
        assert.deepEqual(events.map((event) => event.type === 'drop' && event.error.code), ['ERR_HAWSER_FORMAT'], `${side}: ${first}`); // prettier-ignore
      }
    for (const first of [0x10, 0x3f, 0x40, 0x7b, 0x7f, 0x80, 0xff]) {
      const accept = engine().accept(Transport.Stream);
      const { event } = accept.receive(Uint8Array.of(first), 0);
      assert.equal(event?.type, 'drop', String(first));
    }
  });

  it('one byte that may begin what is to come is waited with', () => {
    const world = live();
    for (const side of ['device', 'session'] as const)
      assert.deepEqual(world[side].core.receive(Uint8Array.of(0x40), world.now), []);
    const { event } = engine().accept(Transport.Stream).receive(Uint8Array.of(0x00), 0);
    assert.equal(event, undefined);
  });
});
