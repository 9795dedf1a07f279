import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import {
  Kind,
  Suite,
  Transport,
  Verdict,
  type Chain,
  type CorePairing,
  type Early,
  type Engine,
  type Secret,
} from '../../lib/engine.js';
import { HawserError } from '../../lib/errors.js';
import { hex, pattern, seeded } from '../suite/bytes.js';
import { Link, none } from './link.js';
import { forEachPort, ports } from './ports.js';
import { createNativeEngine } from '../../lib/engine/native.js';

const detached = (): Uint8Array => {
  const bytes = new Uint8Array(64);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};
/** A view whose memory was cut off under it: it has no bytes left. */
const shrunk = (): Uint8Array => {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer & { resize(length: number): void };
  const buffer = new Resizable(64, { maxByteLength: 128 });
  const bytes = new Uint8Array(buffer, 32, 32);
  buffer.resize(16);
  return bytes;
};

const notBytes: readonly unknown[] = [
  undefined, null, true, 1, NaN, 'text', 10n, Symbol('x'), {}, [], [1, 2, 3], () => 1, new ArrayBuffer(64),
  new DataView(new ArrayBuffer(64)), new Int8Array(64), new Uint8ClampedArray(64), new Uint16Array(32),
  new Float64Array(8), new Uint8Array(new SharedArrayBuffer(64)), { length: 32, 0: 1 },
  new Proxy(new Uint8Array(64), {}), Object.create(Uint8Array.prototype),
]; // prettier-ignore
const notNumber: readonly unknown[] = [
  undefined, null, true, '1', 10n, Symbol('x'), {}, [], [1], () => 1, new Date(), { valueOf: () => 1 }, new Number(1),
]; // prettier-ignore
const badNumber: readonly unknown[] = [NaN, Infinity, -Infinity, -1, -0.5, 2 ** 48 + 2, 2 ** 53, 1e300];
const kinds = {
  bytes: notBytes,
  /** Fixed lengths: a view that lost its memory is too short as well. */
  exact: [...notBytes, none, new Uint8Array(31), new Uint8Array(66), detached(), shrunk()],
  /** 4..32 bytes. */
  id: [...notBytes, none, new Uint8Array(3), new Uint8Array(33), detached(), shrunk()],
  optionalExact: [...notBytes.slice(1), none, new Uint8Array(31), new Uint8Array(66), detached(), shrunk()],
  integer: [...notNumber, ...badNumber, 0.5],
  milliseconds: [...notNumber, ...badNumber],
  boolean: [undefined, null, 0, 1, 'true', {}, []],
  name: [undefined, null, 1, {}, '', 'x'.repeat(33), 'Ü', 'a\0b', 'a b', 'ünïcode', '\u{1f600}', Symbol('x')],
  secret: [undefined, null, 1, 'secret', {}, [], none, Object.create(null) as unknown],
} as const;
type ArgumentKind = keyof typeof kinds;

interface Row {
  readonly name: string;
  readonly args: readonly [ArgumentKind, unknown][];
  readonly call: (...args: never[]) => unknown;
}
const row = (name: string, call: (...args: never[]) => unknown, ...args: [ArgumentKind, unknown][]): Row => ({
  name,
  args,
  call,
});

/** Everything that one engine offers, each argument with a kind and a good value. */
function rows(engine: Engine, link: Link): Row[] {
  const { device, gateway } = link;
  const accept = engine.accept(Transport.Stream);
  const key = pattern(32, 1);
  const data = Buffer.alloc(16);
  const chain = engine.chainStart(key);
  const session = (name: string, core: typeof device | typeof gateway): Row[] => [
    row(`${name}.receive`, (chunk, now) => core.receive(chunk, now), ['bytes', data], ['milliseconds', 1000]),
    row(`${name}.send`, (now) => core.send(now), ['milliseconds', 1000]),
    row(
      `${name}.write`,
      (stream, bytes, fin, now) => core.write(stream, bytes, fin, now),
      ['integer', 0], ['bytes', data], ['boolean', false], ['milliseconds', 1000],
    ), // prettier-ignore
    row(`${name}.window`, (stream) => core.window(stream), ['integer', 0]),
    row(
      `${name}.message`,
      (stream, bytes, now) => core.message(stream, bytes, now),
      ['integer', 0], ['bytes', data], ['milliseconds', 1000],
    ), // prettier-ignore
    row(`${name}.consume`, (stream, bytes) => core.consume(stream, bytes), ['integer', 0], ['integer', 0]),
    row(`${name}.reset`, (stream, code) => core.reset(stream, code), ['integer', 0], ['integer', 0]),
    row(`${name}.ping`, (now) => core.ping(now), ['milliseconds', 1000]),
    row(`${name}.close`, (code) => core.close(code), ['integer', 0]),
    row(`${name}.timeout`, (now) => core.timeout(now), ['milliseconds', 1000]),
  ];
  const early = (part: Partial<Early>): Early => ({ stream: 0, data, fin: false, idempotent: false, ...part });
  return [
    ...session('device', device),
    ...session('gateway', gateway),
    row('boot', (a, b) => device.boot(a, b), ['optionalExact', undefined], ['optionalExact', undefined]),
    row('connect', (t, now) => device.connect(t, now), ['integer', Transport.Stream], ['milliseconds', 1000]),
    row('connect early.stream', (stream) => device.connect(1, 1000, early({ stream })), ['integer', 0]),
    row('connect early.data', (bytes) => device.connect(1, 1000, early({ data: bytes })), ['bytes', data]),
    row('connect early.fin', (fin) => device.connect(1, 1000, early({ fin })), ['boolean', false]),
    row('disconnected', (now) => device.disconnected(now), ['milliseconds', 1000]),
    row('stored', (ok) => device.stored(ok), ['boolean', true]),
    row('open', (name, kind) => device.open(name, kind), ['name', 'mqtt'], ['integer', Kind.Stream]),
    row('save', (kind) => device.save(kind), ['name', 'flash']),
    row('restore', (blob) => device.restore(blob, new Map()), ['bytes', pattern(64)]),
    row('early', (other) => gateway.early(other), ['secret', accept]),
    row(
      'attach',
      (other, continued, now) => gateway.attach(other, continued, now),
      ['secret', accept], ['boolean', false], ['milliseconds', 1000],
    ), // prettier-ignore
    row('accept', (transport) => engine.accept(transport), ['integer', Transport.Stream]),
    row('accept.receive', (chunk, now) => accept.receive(chunk, now), ['bytes', none], ['milliseconds', 1000]),
    row('answerFull', (id) => accept.answerFull(id), ['bytes', none]),
    row(
      'answerTicket',
      (verdict, continued, id) => accept.answerTicket(verdict, continued, id),
      ['integer', Verdict.None], ['boolean', false], ['bytes', none],
    ), // prettier-ignore
    row('offerTicket ahead', (ahead) => accept.offerTicket(link.setup, chain, ahead), ['integer', 2]),
    row('importSecret', (bytes) => engine.importSecret(bytes), ['exact', key]),
    row('releaseSecret', (secret) => engine.releaseSecret(secret), ['secret', engine.importSecret(key)]),
    row('generateKey', (suite) => engine.generateKey(suite), ['integer', Suite.X25519]),
    row('publicKey', (suite, bytes) => engine.publicKey(suite, bytes), ['integer', Suite.X25519], ['exact', key]),
    row(
      'agree',
      (suite, bytes, peer) => engine.agree(suite, bytes, peer),
      ['integer', Suite.X25519], ['exact', key], ['exact', engine.publicKey(Suite.X25519, pattern(32, 9))],
    ), // prettier-ignore
    row(
      'gateKeys',
      (ss, psk, id, gatewayId) => engine.gateKeys(ss, psk, id, gatewayId),
      ['exact', key], ['optionalExact', undefined], ['id', pattern(8)], ['id', pattern(9)],
    ), // prettier-ignore
    row('random', (length) => engine.random(length), ['integer', 16]),
    row('chainStart', (b0) => engine.chainStart(b0), ['exact', key]),
    ...chainRows(engine, chain),
    ...pairingRows(engine, link),
  ];
}

function chainRows(engine: Engine, chain: Chain): Row[] {
  const parts: [keyof Chain, ArgumentKind][] = [['id', 'exact'], ['b', 'integer'], ['i', 'integer'], ['r', 'exact'], ['next', 'exact']]; // prettier-ignore
  return [
    row('chainTickets ahead', (ahead) => engine.chainTickets(chain, ahead), ['integer', 2]),
    row('chainMove to.b', (b) => engine.chainMove(chain, { b, i: 0 }), ['integer', 1]),
    row('chainMove to.i', (i) => engine.chainMove(chain, { b: 0, i }), ['integer', 1]),
    ...parts.map(([part, kind]) =>
      row(`chain.${part}`, (value) => engine.chainTickets({ ...chain, [part]: value as unknown }, 2), [
        kind,
        chain[part],
      ]),
    ),
  ];
}

function pairingRows(engine: Engine, link: Link): Row[] {
  const psk = engine.importSecret(pattern(32, 2));
  const fields: [keyof CorePairing, ArgumentKind, unknown][] = [
    ['mode', 'integer', link.setup.mode], ['suite', 'integer', link.setup.suite], ['id', 'id', link.setup.id],
    ['gatewayId', 'id', link.setup.gatewayId], ['recordMax', 'integer', 1024], ['windowDevice', 'integer', 4096],
    ['windowGateway', 'integer', 4096], ['maxSteps', 'integer', 16], ['maxBlocks', 'integer', 16],
    ['psk', 'secret', psk], ['own', 'secret', psk], ['ticket', 'secret', psk],
    ['peer', 'optionalExact', undefined], ['ownPublic', 'optionalExact', undefined], ['ss', 'optionalExact', undefined],
    ['gateD2g', 'optionalExact', undefined], ['gateG2d', 'optionalExact', undefined],
  ]; // prettier-ignore
  const accept = engine.accept(Transport.Stream);
  const users = {
    device: (pairing: CorePairing) => engine.device(pairing).wipe(),
    gateway: (pairing: CorePairing) => engine.gateway(pairing).wipe(),
    offerId: (pairing: CorePairing) => accept.offerId(pairing),
  };
  return [
    ...Object.entries(users).flatMap(([name, use]) =>
      fields.map(([field, kind, good]) =>
        row(`${name} pairing.${field}`, (value) => use({ ...link.setup, psk, [field]: value as unknown }), [
          kind,
          good,
        ]),
      ),
    ),
    row('device streams', (streams) => engine.device({ ...link.setup, psk }, { streams }).wipe(), ['integer', 4]),
    row('gateway streams', (streams) => engine.gateway({ ...link.setup, psk }, { streams }).wipe(), ['integer', 4]),
  ];
}

/** undefined where an option may be left out. */
const allowed = (name: string, value: unknown): boolean =>
  value === undefined && (name.endsWith(' streams') || /pairing\.(psk|own|ticket)$/.test(name));

forEachPort('binding: wrong arguments', (engine, addon) => {
  it('each wrong value of each argument of each method is ERR_HAWSER_ARG, and changes nothing', () => {
    const link = new Link(engine()).connect();
    link.open();
    const before = [hex(link.device.digest()), hex(link.gateway.digest())];
    let tried = 0;
    for (const { name, args, call } of rows(engine(), link))
      for (const [at, [kind]] of args.entries())
        for (const value of kinds[kind]) {
          if (allowed(name, value)) continue;
          const given = args.map(([, good], index) => (index === at ? value : good));
          const text = `${name}, argument ${at}: ${inspect(value)}`;
          assert.throws(() => call(...(given as never[])), { code: 'ERR_HAWSER_ARG', name: 'HawserError' }, text);
          tried++;
        }
    assert.deepEqual([hex(link.device.digest()), hex(link.gateway.digest())], before);
    assert.ok(tried > 1500, `only ${tried} calls`);
    link.wipe();
  });

  it('secrets that are zero, of another engine, or released are refused', () => {
    const link = new Link(engine());
    assert.throws(() => engine().importSecret(new Uint8Array(32)), { code: 'ERR_HAWSER_ARG' });
    const released = engine().importSecret(pattern(32));
    engine().releaseSecret(released);
    assert.throws(() => engine().device({ ...link.setup, psk: released }), { code: 'ERR_HAWSER_ARG' });
    for (const port of ports) {
      const other = createNativeEngine(port);
      if (other === engine()) continue;
      assert.throws(() => engine().device({ ...link.setup, psk: other.importSecret(pattern(32)) }), {
        code: 'ERR_HAWSER_ARG',
      });
      const raw = engine().accept(Transport.Stream);
      assert.throws(() => other.gateway({ ...link.setup, psk: other.importSecret(pattern(32)) }).early(raw), {
        code: 'ERR_HAWSER_ARG',
      });
    }
    link.wipe();
  });

  it('an object with an accessor that throws or changes memory does no harm', () => {
    const { setup } = new Link(engine());
    const psk = engine().importSecret(pattern(32));
    const hostile: CorePairing = {
      ...setup,
      get psk(): Secret {
        throw new RangeError('from the accessor');
      },
    };
    assert.throws(() => engine().device(hostile), RangeError);
    const id = new Uint8Array(8).fill(7);
    const moving: CorePairing = {
      ...setup,
      psk,
      id,
      get gatewayId(): Uint8Array {
        structuredClone(id.buffer, { transfer: [id.buffer] });
        return pattern(8);
      },
    };
    assert.throws(() => engine().device(moving), { code: 'ERR_HAWSER_ARG' });
  });

  it('times with a fraction are cut, and bytes that are not owned alone are never touched', () => {
    const link = new Link(engine()).connect();
    link.now += 0.75;
    const stream = link.open();
    const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(9);
    assert.throws(() => link.gateway.receive(shared, link.now), HawserError);
    assert.ok(shared.every((byte) => byte === 9));
    assert.equal(link.device.write(stream, Buffer.from('x'), false, link.now).taken, 1);
    link.wipe();
  });

  it('20 000 raw calls with random arguments: a number comes back, nothing is thrown, and a refusal changes nothing', () => {
    const random = seeded(0x68617773);
    const { Device, Gateway, Accept, Secret } = addon();
    const link = new Link(engine()).connect();
    const pool: (() => unknown)[] = [
      ...[...notBytes, ...notNumber, ...badNumber].map((value) => () => value),
      ...[0, 1, 2, 3, 4, 16, 64, 127, 128, 255, 65535, 65536, 2 ** 32, 2 ** 48].map((value) => () => value),
      ...[0, 1, 8, 32, 64, 65, 256, 300, 5000].map((length) => () => pattern(length)),
      () => true, () => false, () => 'mqtt', detached, shrunk,
      () => new Device(), () => new Gateway(), () => new Accept(), () => new Secret(), () => link.device,
    ]; // prettier-ignore
    const pick = (): unknown => pool[Math.floor(random() * pool.length)]?.();
    const psk = new Secret();
    psk.init(pattern(32));
    const { mode, suite, id, gatewayId } = link.setup;
    const pairing = [mode, suite, id, gatewayId, 1024, 4096, 4096, 16, 16, undefined, undefined, undefined, psk];
    let refused = 0;
    for (let calls = 0; calls < 20_000; calls++) {
      const Class = [Device, Gateway, Accept, Secret][calls % 4];
      if (Class === undefined) throw new Error('no class');
      const object = new Class() as unknown as Record<string, (...args: unknown[]) => unknown>;
      if (Class === Accept) object.init?.(1 + 2 * Math.floor(random() * 2));
      else if (Class !== Secret) object.init?.(4, false, ...pairing);
      const methods = Object.getOwnPropertyNames(Class.prototype).filter((name) => name !== 'constructor');
      for (let times = 0; times < 4; times++) {
        const method = methods[Math.floor(random() * methods.length)] ?? '';
        const digest = 'digest' in object ? new Uint8Array(32) : undefined;
        if (digest !== undefined) object.digest?.(digest);
        const result = object[method]?.(...Array.from({ length: Math.floor(random() * 8) }, pick));
        assert.equal(typeof result, 'number', method);
        if ((result as number) > -100 || digest === undefined) continue;
        refused++;
        const after = new Uint8Array(32);
        object.digest?.(after);
        assert.equal(hex(after), hex(digest), method);
      }
      object.wipe?.();
    }
    assert.ok(refused > 5_000, `only ${refused} refusals`);
    link.wipe();
  });
});
