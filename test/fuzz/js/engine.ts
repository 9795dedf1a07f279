/** The JS engine's readers: a link's first bytes, records' frames, flash and saved state, an answer. */

import { Kind, Mode, Suite, Transport, type Code, type CorePairing, type Engine } from '../../../lib/engine.js';
import { Channel } from '../../../lib/engine/js/channel.js';
import { createJsEngine } from '../../../lib/engine/js/index.js';
import { HawserError } from '../../../lib/errors.js';
import { RECORD_MAX } from '../../../lib/engine/js/wire.js';
import { makeCredentials, makePairing, makeSetup } from '../../suite/credentials.js';
import { checked, must, orRefused, Source, type Target } from './target.js';

let drawn = 0;
const engine = createJsEngine({}, { random: (length) => Uint8Array.from({ length }, () => ++drawn & 255) });

interface World {
  device: CorePairing;
  gateway: CorePairing;
  b0: Uint8Array;
}

function world(mode: Mode): World {
  const setup = makeSetup({ mode, suite: mode === Mode.Ticket ? Suite.None : Suite.X25519 });
  const secrets = makeCredentials(engine, setup);
  const pair = (role: 'device' | 'gateway') => makePairing(engine, role, setup, secrets);
  return { device: pair('device'), gateway: pair('gateway'), b0: secrets.b0 };
}

const ticket = world(Mode.Ticket);
const psk = world(Mode.Psk);
const transports = [Transport.Stream, Transport.Serial] as const;

/** A device that has booted and sent message 1, and its bytes. */
function dialled({ device }: World, transport: Transport) {
  const core = engine.device(device, { streams: 4 });
  core.boot();
  core.open('mqtt', Kind.Stream);
  core.connect(transport, 0);
  return { core, message1: core.send(0) ?? new Uint8Array(0) };
}

/** One link at the gateway, whoever is at its other end: nothing that comes is thrown. */
export const accept: Target = {
  most: 600,
  seeds: () =>
    [ticket, psk].flatMap((each) =>
      transports.map((transport, at) => Buffer.concat([Buffer.from([at, 255]), dialled(each, transport).message1])),
    ),
  run(input) {
    const source = new Source(input);
    const core = engine.accept(source.pick(transports));
    const piece = 1 + source.byte();
    while (source.left > 0) {
      let bytes = source.take(piece);
      while (bytes.length > 0) {
        const { used, event } = core.receive(bytes, 0);
        must(used <= bytes.length, 'more was used than there is');
        if (event?.type === 'drop' || event?.type === 'confirm') return;
        if (event && !answer(core, event.type)) return;
        if (used === 0 && !event) return;
        bytes = bytes.subarray(used);
      }
    }
  },
};

function answer(core: ReturnType<Engine['accept']>, type: 'id' | 'ticket'): boolean {
  if (type === 'id') return core.offerId(psk.gateway) && core.answerFull(new Uint8Array(0)) !== undefined;
  const offer = core.offerTicket(ticket.gateway, engine.chainStart(ticket.b0), 2);
  if (offer) core.answerTicket(offer.early ? 1 : 0, false, new Uint8Array(0));
  return offer !== undefined;
}

/** Frames of records that are genuine, from a peer that may be anything, in every state of a channel. */
export const frames: Target = {
  most: 400,
  seeds: () => [
    Buffer.from('00 0e 03000000000001 0004 6d717474 05 060000 61626300'.replaceAll(' ', ''), 'hex'),
    Buffer.from('0119030000000000010004 6d71747404000000000001'.replaceAll(' ', ''), 'hex'),
    Buffer.from('02020200', 'hex'),
    Buffer.from('0306 0b00000001 05 0c00000001'.replaceAll(' ', ''), 'hex'),
  ],
  run(input) {
    const source = new Source(input);
    const how = source.byte();
    const end = new Channel({ gateway: (how & 1) === 0, streams: 3, windowTx: 100, windowRx: 100 });
    end.up(0);
    end.line = how & 8 ? Transport.Serial : Transport.Stream;
    if (!end.gateway) for (const name of ['a', 'b']) end.open(name, Kind.Stream);
    if (how & 2) end.linkContinues();
    else end.linkRenews();
    while (source.left > 0 && step(end, source));
    must(
      end.record(RECORD_MAX).every((frame) => frame.length > 0),
      'an empty frame',
    );
  },
};

/** A call of the application or a record; false: the peer broke a rule. */
function step(end: Channel, source: Source): boolean {
  const what = source.byte();
  const id = what & 3;
  if (what < 0x10) orRefused(['ERR_HAWSER_CLOSED', 'ERR_HAWSER_ARG'], () => end.consume(id, source.byte()));
  else if (what < 0x20) orRefused(['ERR_HAWSER_CLOSED'], () => end.reset(id, (source.byte() % 12) as Code));
  else if (what < 0x30) end.record(64 + source.byte());
  else if (what < 0x34) {
    end.down();
    end.up(0);
    end.line = Transport.Stream;
    end.linkContinues();
  } else return orRefused(['ERR_HAWSER_PEER'], () => feed(end, source.run())) ?? false;
  return true;
}

function feed(end: Channel, plaintext: Uint8Array): boolean {
  end.feed(plaintext);
  for (let events = 0; ; events++) {
    if (!end.next()) break;
    must(events < 1000, 'events without an end');
  }
  for (const { tx, txAcked, rx, rxAcked, rxSent } of end.slots) {
    must(txAcked <= tx && rxSent <= rxAcked && rxAcked <= rx, 'offsets that cannot be');
  }
  return true;
}

const SLOT =
  '4857534c01000000000000018e3eddd8c6861e4c0000000107070707070707070707070707070707070707070707070707070707070707';
const SAVED = '48575356010101004a4c6dbe787a4573000000010000000000010000000000000000000000000000';

/** A device that boots from any slots, restores any blob, and hears anything for an answer. */
export const device: Target = {
  most: 500,
  seeds: () => [
    Buffer.from(`0138${SLOT}0038${SLOT}0028${SAVED}10`, 'hex'),
    Buffer.concat([Buffer.from(`010000000022`, 'hex'), Buffer.from(`00221a${'cd'.repeat(33)}`, 'hex')]),
  ],
  run(input) {
    const source = new Source(input);
    const { device: pairing } = source.byte() & 1 ? ticket : psk;
    const core = engine.device(pairing, { streams: 4 });
    const slots = [source.run(), source.run()].map((bytes) => checked(bytes.subarray(0, 56)));
    core.boot(slots[0], slots[1]);
    const blob = checked(source.run());
    const names = new Map([[0, 'a'], [1, 'b'], [2, 'c'], [3, 'd']]); // prettier-ignore
    orRefused(['ERR_HAWSER_FORMAT', 'ERR_HAWSER_ARG'], () => core.restore(blob, names));
    const again = orRefused(['ERR_HAWSER_STATE', 'ERR_HAWSER_LIMIT'], () => core.save('flash'));
    must(!again || again.length <= 256, 'a saved state is longer than SPEC 7.4 allows');
    orRefused(['ERR_HAWSER_EXHAUSTED'], () => core.connect(source.pick(transports), 0));
    core.send(0);
    while (source.left > 0) {
      const chunk = source.run();
      const events = orRefused(['ERR_HAWSER_STATE'], () => core.receive(chunk, 0));
      if (!events || events.some(({ type }) => type === 'drop')) core.disconnected(0);
      for (const event of events ?? [])
        must(event.type !== 'drop' || event.error instanceof HawserError, 'a raw error');
    }
  },
};
