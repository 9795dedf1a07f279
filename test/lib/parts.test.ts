import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';

import { Backoff } from '../../lib/backoff.js';
import { Counters } from '../../lib/counters.js';
import type { Credentials } from '../../lib/credentials.js';
import {
  Code,
  Kind,
  Mode,
  Suite,
  Verdict,
  type AcceptCore,
  type CoreEvent,
  type CorePairing,
  type SessionCore,
} from '../../lib/engine.js';
import { Ending } from '../../lib/ending.js';
import { HawserError } from '../../lib/errors.js';
import { Candidates } from '../../lib/gateway/candidates.js';
import { Keyring } from '../../lib/gateway/keyring.js';
import { PassedTickets } from '../../lib/gateway/passed-tickets.js';
import { addressGroup, HalfOpen, type Pending } from '../../lib/gateway/half-open.js';
import { Mux, type StreamEnd } from '../../lib/mux.js';
import { admit, barred } from '../../lib/policy.js';
import { readSaved } from '../../lib/saved.js';
import type { DeviceRecord } from '../../lib/types.js';
import { parseUpstreams } from '../../lib/upstream.js';
import { until } from './world.js';

const record: DeviceRecord = {
  serial: '00'.repeat(16), name: '', mode: Mode.Psk, suite: Suite.X25519, id: randomBytes(8), recordMax: 1024,
  windowDevice: 1024, windowGateway: 1024, maxSteps: 1, maxBlocks: 1, psk: randomBytes(32), upstreams: ['a', 'b', 'u'],
  created: 0, limits: { streams: 1 },
}; // prettier-ignore

describe('policy', () => {
  it('validity: exactly from notBefore until before expiry, and never once revoked', () => {
    const bounded = { ...record, notBefore: 100, expiry: 200 };
    assert.deepEqual(
      [99, 100, 199, 200].map((now) => barred(bounded, now)),
      ['notYetValid', undefined, undefined, 'expired'],
    );
    assert.equal(barred(record, 0), undefined);
    assert.equal(barred({ ...bounded, revoked: 0 }, 150), 'revoked');
  });

  it('upstreams: by name, of the right kind; what exists but is not allowed looks as what does not', () => {
    const upstreams = parseUpstreams({ a: 'tcp://h:1', secret: 'tcp://h:2', u: 'udp://h:3' });
    assert.deepEqual(admit(record, upstreams, 'a', Kind.Stream), { target: { type: 'tcp', host: 'h', port: 1 } });
    assert.deepEqual(admit(record, upstreams, 'u', Kind.Messages), { target: { type: 'udp', host: 'h', port: 3 } });
    for (const [name, kind] of [
      ['secret', Kind.Stream],
      ['b', Kind.Stream],
      ['none', Kind.Stream],
      ['a', Kind.Messages],
      ['u', Kind.Stream],
    ] as const) {
      const verdict = admit(record, upstreams, name, kind);
      assert.ok('code' in verdict && verdict.code === Code.NotAllowed, name);
    }
  });

  it('reads every form of upstream', () => {
    const forms = {
      t: 'tcp://example.net:80',
      six: 'tcp://[::1]:81',
      x: 'unix:/run/x.sock',
      y: 'unix:///run/y',
      d: 'udp://10.0.0.1:53',
    };
    assert.deepEqual(
      [...parseUpstreams(forms).values()],
      [
        { type: 'tcp', host: 'example.net', port: 80 },
        { type: 'tcp', host: '::1', port: 81 },
        { type: 'unix', path: '/run/x.sock' },
        { type: 'unix', path: '/run/y' },
        { type: 'udp', host: '10.0.0.1', port: 53 },
      ],
    );
  });
});

describe('backoff', () => {
  it('doubles up to its maximum, jitters over all of it, and starts over', () => {
    let draw = 1;
    const backoff = new Backoff(100, 1500, () => draw);
    assert.deepEqual(
      Array.from({ length: 7 }, () => backoff.next()),
      [100, 200, 400, 800, 1500, 1500, 1500],
    );
    draw = 0;
    assert.equal(backoff.next(), 0);
    backoff.reset();
    draw = 0.5;
    assert.equal(backoff.next(), 50);
    for (let n = 0; n < 5000; n += 1) assert.ok(backoff.next() <= 1500);
  });

  it('an end ends the wait, and one that came before; a wait that is over leaves nothing behind', async () => {
    const ending = new Ending();
    for (let n = 0; n < 3; n += 1) await new Backoff(1, 1).pause(ending);
    assert.equal(ending.size, 0);
    const waiting = new Backoff(60_000, 60_000, () => 1).pause(ending);
    assert.equal(ending.size, 1);
    ending.end();
    await waiting;
    await new Backoff(60_000, 60_000, () => 1).pause(ending);
    assert.deepEqual([ending.over, ending.size], [true, 0]);
  });
});

describe('counters', () => {
  it('count by reason, and describe each', () => {
    const counters = new Counters();
    counters.add('badRecord');
    counters.add('badRecord');
    assert.equal(counters.get('badRecord'), 2);
    const all = counters.toJSON();
    assert.equal(all.badRecord, 2);
    assert.equal(all.revoked, 0);
    for (const reason of Object.keys(all)) assert.ok(Counters.describe(reason as keyof typeof all).length > 5);
  });
});

describe('candidates', () => {
  const fakeAccept = (): AcceptCore & { wiped: number } =>
    ({
      wiped: 0,
      wipe(this: { wiped: number }) {
        this.wiped += 1;
      },
    }) as unknown as AcceptCore & { wiped: number };
  const entry = (key: string, device: string, address: string, resumption = true) => ({
    key, device, address, record, accept: fakeAccept(), incarnation: 'i', verdict: Verdict.None,
    resumption: resumption ? { q: { b: 0, i: 0 }, chain: new Uint8Array(8), continues: undefined } : undefined,
    replaces: undefined, provisional: undefined, until: 0, spent: false, held: false,
  }); // prettier-ignore

  it('four of a device from one address; the fifth takes the oldest of that address, never of another', () => {
    const candidates = new Candidates(100);
    candidates.add(entry('x', 'dev', 'other'), 0);
    for (let n = 0; n < 10; n += 1) candidates.add(entry(`k${n}`, 'dev', 'here'), n);
    assert.equal(candidates.size, 5);
    assert.ok(candidates.get('x', 10));
    assert.deepEqual(
      ['k5', 'k6', 'k9'].map((key) => candidates.get(key, 10) !== undefined),
      [false, true, true],
    );
  });

  it('live for 60 s, wiped then', () => {
    const candidates = new Candidates(100);
    const one = entry('k', 'dev', 'a');
    candidates.add(one, 1000);
    assert.ok(candidates.get('k', 60_999));
    assert.equal(candidates.get('k', 61_000), undefined);
    assert.equal(one.accept.wiped, 1);
  });

  it('fifty thousand devices: bounded, the newest of all devices stay, nobody is refused', () => {
    const candidates = new Candidates(1000);
    let evicted = 0;
    for (let n = 0; n < 50_000; n += 1) {
      if (candidates.add(entry(`${n}`, `${n}`, 'a'), 0)) evicted += 1;
      assert.ok(candidates.get(`${n}`, 0));
    }
    assert.deepEqual([candidates.size, evicted], [1000, 49_000]);
    candidates.add(entry('later', 'later', 'a'), 60_001);
    assert.equal(candidates.size, 1);
  });

  it('when they are too many in all, the device that holds the most loses its oldest', () => {
    const candidates = new Candidates(20);
    const quiet = ['x', 'y'].map((device) => entry(device, device, 'a'));
    for (const each of quiet) candidates.add(each, 0);
    const greedy = Array.from({ length: 40 }, (_, n) => entry(`g${n}`, 'greedy', `${n}`));
    for (const each of greedy) candidates.add(each, 1);
    assert.equal(candidates.size, 20);
    for (const each of quiet) assert.equal(candidates.get(each.key, 2), each);
    assert.deepEqual([greedy[21]?.accept.wiped, greedy[22]?.accept.wiped], [1, 0]);
  });

  it('when the device is live the digest of a full message 1 stays, without its keys: a repeat costs nothing', () => {
    const candidates = new Candidates(100);
    const [full, warm, other] = [entry('f', 'dev', 'a', false), entry('r', 'dev', 'a'), entry('o', 'dev2', 'a')];
    for (const each of [full, warm, other]) candidates.add(each, 0);
    candidates.endDevice('dev');
    assert.deepEqual(['f', 'r', 'o'].map((key) => candidates.spentBy(key, 1)), ['dev', undefined, undefined]); // prettier-ignore
    assert.deepEqual(['f', 'r', 'o'].map((key) => candidates.get(key, 1) !== undefined), [false, false, true]); // prettier-ignore
    assert.deepEqual([full.accept.wiped, warm.accept.wiped, other.accept.wiped], [1, 1, 0]);
    assert.equal(candidates.spentBy('f', 60_000), undefined);
    assert.equal(candidates.spentSize, 0);
  });

  it('a device that becomes live over and over takes no place from others, and pays alone for what is remembered', () => {
    const candidates = new Candidates(64);
    candidates.add(entry('waits', 'good', 'a', false), 0);
    candidates.add(entry('was', 'other', 'a', false), 0);
    candidates.endDevice('other');
    for (let n = 0; n < 1000; n += 1) {
      candidates.add(entry(`${n}`, 'bad', 'a', false), 1);
      candidates.endDevice('bad');
    }
    assert.equal(candidates.size, 1);
    assert.ok(candidates.get('waits', 2));
    assert.equal(candidates.spentBy('was', 2), 'other');
    assert.deepEqual([candidates.spentBy('999', 2), candidates.spentBy('984', 2), candidates.spentBy('983', 2)], ['bad', 'bad', undefined]); // prettier-ignore
    for (let n = 0; n < 1000; n += 1) {
      candidates.add(entry(`d${n}`, `d${n}`, 'a', false), 1);
      candidates.endDevice(`d${n}`);
    }
    assert.equal(candidates.spentSize, 64);
  });

  it('one that is being confirmed takes the place of none that comes, and gives its own to none', () => {
    const candidates = new Candidates(6);
    const held = entry('held', 'dev', 'a');
    candidates.add(held, 0);
    candidates.hold(held);
    for (let n = 0; n < 9; n += 1) candidates.add(entry(`${n}`, 'dev', 'a'), 0);
    assert.equal(candidates.get('held', 0), held, 'of one device and address');
    for (let n = 0; n < 9; n += 1) candidates.add(entry(`b${n}`, 'dev', `${n}`), 0);
    assert.equal(candidates.get('held', 0), held, 'in all');
    assert.deepEqual([held.accept.wiped, candidates.size], [0, 6]);
  });

  it('one that is being confirmed does not expire meanwhile, but ends with its device', () => {
    const candidates = new Candidates(2);
    const [one, two] = [entry('1', 'dev', 'a'), entry('2', 'dev2', 'a')];
    candidates.add(one, 0);
    candidates.add(two, 0);
    const release = candidates.hold(one);
    candidates.hold(two);
    candidates.expire(100_000);
    assert.deepEqual([one.accept.wiped, two.accept.wiped], [0, 0]);
    candidates.endDevice('dev2');
    assert.equal(two.accept.wiped, 1);
    release();
    candidates.expire(100_000);
    assert.equal(one.accept.wiped, 1);
  });
});

describe('keys that the engine holds for a gateway', () => {
  /** Numbers of those that are held by the engine. */
  const held = new Set<number>();
  const busy = new Set<number>();
  const numbered = (n: number): DeviceRecord => ({ ...record, serial: String(n), id: Buffer.from(String(n)) });
  const make = ({ serial, id }: DeviceRecord): Credentials => {
    held.add(Number(serial));
    return { pairing: { id } as CorePairing, release: () => held.delete(Number(serial)) };
  };
  const isBusy = (id: Uint8Array): boolean => busy.has(Number(Buffer.from(id).toString()));
  beforeEach(() => {
    held.clear();
    busy.clear();
  });

  it('are those of the last ten thousand pairings that were used', () => {
    const { setTimeout: real } = globalThis;
    const due: { action: () => void; ms: number | undefined }[] = [];
    globalThis.setTimeout = ((action: () => void, ms?: number) => {
      due.push({ action, ms });
      return { unref: () => undefined };
    }) as unknown as typeof setTimeout;
    try {
      const keyring = new Keyring(make, isBusy);
      for (let n = 0; n < 10_000; n += 1) keyring.of(numbered(n));
      keyring.of(numbered(0));
      assert.deepEqual([held.size, due.length], [10_000, 0]);
      for (let n = 10_000; n < 10_100; n += 1) keyring.of(numbered(n));
    } finally {
      globalThis.setTimeout = real;
    }
    assert.equal(held.size, 10_100, 'handshakes under way still use them');
    for (const { action, ms } of due) {
      assert.equal(ms, 120_000);
      action();
    }
    assert.deepEqual(
      [held.size, held.has(0), held.has(1), held.has(100), held.has(101)],
      [10_000, true, false, false, true],
    );
  });

  it('of a device that has a session stay, and so does what is made once', async () => {
    const keyring = new Keyring(make, isBusy, { max: 2, grace: 1 });
    busy.add(0);
    const first = keyring.of(numbered(0));
    for (let n = 1; n < 5; n += 1) keyring.of(numbered(n));
    await until(() => held.size === 2, 'the others went');
    assert.deepEqual([...held], [0, 4]);
    assert.equal(keyring.of(numbered(0)), first);
    for (let n = 0; n < 9; n += 1) busy.add(n);
    for (let n = 5; n < 9; n += 1) keyring.of(numbered(n));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(held.size, 6, 'nobody can go');
    keyring.release();
    assert.equal(held.size, 0);
  });
});

/** Takes `room` bytes and says what it was given; the rest of a core is not asked. */
class ScriptedCore {
  live = true;
  room = Infinity;
  readonly written: { at: number; text: string; fin: boolean }[] = [];
  consumed = 0;
  #at = 0;

  write(_id: number, data: Uint8Array, fin: boolean): { taken: number; finTaken: boolean; out: Uint8Array } {
    const taken = Math.min(this.room, data.length);
    this.room -= taken;
    const finTaken = fin && taken === data.length;
    if (taken > 0 || finTaken)
      this.written.push({ at: this.#at, text: Buffer.from(data.subarray(0, taken)).toString(), fin: finTaken });
    this.#at += taken;
    return { taken, finTaken, out: data.slice(0, taken) };
  }
  rewind(offset: number): CoreEvent {
    this.#at = offset;
    return { type: 'rewind', stream: 1, offset };
  }
  consume(_id: number, bytes: number): void {
    this.consumed += bytes;
  }
  send = (): undefined => undefined;
  deadline = (): number => Infinity;
}

/** Sends all that may go: on a busy machine a mux pauses between turns, for others to have theirs. */
async function pumped(mux: Mux): Promise<void> {
  for (let pause = 0; pause < 4; pause += 1) {
    mux.pump();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function scripted(): { core: ScriptedCore; mux: Mux; log: string[]; end: StreamEnd } {
  const core = new ScriptedCore();
  const log: string[] = [];
  const say = (word: string) => (): void => void log.push(word);
  const end: StreamEnd = {
    upstream: 'x', onOpened: say('opened'), onData: say('data'), onFin: say('fin'), onDrain: say('drain'),
    onFinished: say('finished'), onMessage: say('message'), onClosed: (code, how) => void log.push(`closed ${code} ${how}`),
  }; // prettier-ignore
  const mux = new Mux(core as unknown as SessionCore, {
    event: () => undefined,
    threw: (error) => log.push(String(error)),
  });
  return { core, mux, log, end };
}

describe('tickets of the past', () => {
  it('tell their device, for its last eight block starts', () => {
    const passed = new PassedTickets();
    for (let n = 0; n < 10; n++) passed.add('device', `ticket ${n}`);
    passed.add('device', 'ticket 9'); // the same message 1 again
    assert.equal(passed.of('ticket 1'), undefined);
    for (let n = 2; n < 10; n++) assert.equal(passed.of(`ticket ${n}`), 'device');
    assert.equal(passed.of('ticket 10'), undefined);
    assert.equal(passed.size, 8);
  });
  it('of the device that was answered longest ago are forgotten first', () => {
    const passed = new PassedTickets(2);
    passed.add('a', 'a1');
    passed.add('b', 'b1');
    passed.add('a', 'a2');
    passed.add('c', 'c1');
    assert.deepEqual(
      ['a1', 'a2', 'b1', 'c1'].map((ticket) => passed.of(ticket)),
      ['a', 'a', undefined, 'c'],
    );
    assert.equal(passed.size, 3);
  });
});

describe('mux', () => {
  it('keeps what is not acknowledged, and writes it again from where the core says', async () => {
    const { core, mux, log, end } = scripted();
    const port = mux.add(1, end);
    mux.attach({ write: () => true });
    core.room = 8;
    assert.equal(port.write(Buffer.from('abcdef')), false);
    port.write(Buffer.from('ghijkl'));
    port.end();
    await pumped(mux);
    assert.equal(core.written.map(({ text }) => text).join(''), 'abcdefgh');
    mux.dispatch([{ type: 'acked', stream: 1, offset: 3 }, core.rewind(5)]);
    core.written.length = 0;
    core.room = Infinity;
    await pumped(mux);
    assert.deepEqual([core.written[0]?.at, core.written.map(({ text }) => text).join('')], [5, 'fghijkl']);
    assert.equal(core.written.at(-1)?.fin, true);
    assert.equal(port.outstanding, 10, '9 bytes and the FIN');
    mux.dispatch([core.rewind(10)]);
    core.written.length = 0;
    await pumped(mux);
    assert.deepEqual(
      core.written.map(({ text, fin }) => [text, fin]),
      [['kl', true]],
    );
    mux.dispatch([{ type: 'rewind', stream: 1, offset: 13 }]);
    core.written.length = 0;
    await pumped(mux);
    assert.deepEqual(core.written, [], 'all of it was received, FIN included');
    mux.dispatch([
      { type: 'acked', stream: 1, offset: 13 },
      { type: 'fin', stream: 1 },
      { type: 'closed', stream: 1, code: Code.Done },
    ]);
    assert.equal(port.outstanding, 0);
    assert.deepEqual(log, ['drain', 'finished', 'fin', 'closed 0 clean']);
    mux.stop();
  });

  it('waits while the link is clogged, and takes turns between streams', async () => {
    const { core, mux, end } = scripted();
    const [one, two] = [mux.add(1, end), mux.add(2, { ...end })];
    let room = false;
    mux.attach({ write: () => room });
    one.write(Buffer.alloc(400_000, 'a'));
    two.write(Buffer.alloc(400_000, 'b'));
    mux.pump();
    mux.pump();
    assert.equal(core.written.length, 1, 'one write, then it waits');
    for (let n = 0; n < 3; n += 1) {
      mux.drained();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(new Set(core.written.map(({ text }) => text[0])), new Set(['a', 'b']));
    room = true;
    mux.drained();
    const total = (): number => core.written.reduce((sum, { text }) => sum + text.length, 0);
    await until(() => total() >= 800_000, 'all was written');
    assert.equal(total(), 800_000);
    mux.stop();
  });

  it('joins short writes', () => {
    const { core, mux, end } = scripted();
    const port = mux.add(1, end);
    mux.attach({ write: () => true });
    for (let n = 0; n < 100; n += 1) port.write(Buffer.from('0123456789'));
    mux.pump();
    assert.deepEqual(
      core.written.map(({ text }) => text.length),
      [1000],
    );
    mux.stop();
  });

  it("events of a stream that this end gave up are nobody's; one that throws stops no other", () => {
    const { mux, log, end } = scripted();
    const bad = mux.add(1, { ...end, onData: () => { throw new Error('above'); } }); // prettier-ignore
    mux.add(2, end);
    const data = (stream: number): CoreEvent => ({ type: 'data', stream, data: new Uint8Array(1) });
    mux.dispatch([data(1), data(2), data(3)]);
    assert.deepEqual(log, ['Error: above', 'data']);
    assert.equal(bad.closed, false);
    mux.stop();
  });
});

describe('mux over a core that is ahead of it', () => {
  const refusing = (code: 'ERR_HAWSER_CLOSED' | 'ERR_HAWSER_ARG' | 'ERR_HAWSER_STATE') => {
    const { core, mux, log, end } = scripted();
    const refuse = (): never => {
      throw new HawserError(code, 'refused');
    };
    Object.assign(core, { write: refuse, consume: refuse, reset: refuse, message: refuse });
    const port = mux.add(1, end);
    mux.attach({ write: () => true });
    return { mux, log, port };
  };

  for (const code of ['ERR_HAWSER_CLOSED', 'ERR_HAWSER_ARG'] as const) {
    it(`a stream that the core has ended (${code}): writing, accepting and resetting do nothing`, () => {
      const { mux, log, port } = refusing(code);
      port.write(Buffer.from('late'));
      mux.pump();
      port.consume(4);
      assert.deepEqual(log, []);
      port.reset(Code.Cancelled);
      assert.deepEqual(log, [`closed ${Code.Cancelled} cut`]);
      mux.stop();
    });
  }

  it("a message on such a stream is not sent; one that is too long is the caller's mistake; anything else is told", () => {
    assert.equal(refusing('ERR_HAWSER_CLOSED').port.message(Buffer.from('late')), false);
    assert.throws(() => refusing('ERR_HAWSER_ARG').port.message(Buffer.alloc(20_000)), { code: 'ERR_HAWSER_ARG' });
    assert.throws(() => refusing('ERR_HAWSER_STATE').port.consume(1), { code: 'ERR_HAWSER_STATE' });
  });
});

describe('saved states', () => {
  it('reads the streams of SPEC 7.4, and refuses anything shorter', () => {
    for (const kind of [1, 2]) {
      const head = Buffer.alloc(20 + (kind === 2 ? 48 : 0));
      head.write('HWSV\x01', 'latin1');
      head.writeUInt8(kind, 5);
      head.writeUInt8(2, 6);
      const stream = (id: number, messages: number, acked: number): Buffer => {
        const bytes = Buffer.alloc(20);
        bytes.writeUInt16BE(id, 0);
        bytes.writeUInt8(messages, 6);
        bytes.writeUIntBE(acked, 8, 6);
        return bytes;
      };
      const body = Buffer.concat([head, stream(3, 0, 2 ** 40), stream(7, 1, 0)]);
      const blob = Buffer.concat([body, createHash('sha256').update(body).digest().subarray(0, 8)]);
      assert.deepEqual(readSaved(blob), {
        memory: kind === 1 ? 'flash' : 'retained',
        streams: [
          { id: 3, messages: false, acked: 2 ** 40 },
          { id: 7, messages: true, acked: 0 },
        ],
      });
      for (let length = 0; length < blob.length; length += 1)
        assert.throws(() => readSaved(blob.subarray(0, length)), { code: 'ERR_HAWSER_FORMAT' });
    }
  });
});

describe('half-open connections', () => {
  const pending = (
    remote: string | undefined,
    device?: string,
    answeredTo?: string,
  ): Pending & { device: string | undefined } => ({
    remote,
    device,
    answeredTo,
    anonymous: device === undefined,
  });
  const filled = (max: number, perAddress: number, ...connections: Pending[]): HalfOpen<Pending> => {
    const halfOpen = new HalfOpen<Pending>(max, perAddress);
    for (const connection of connections) halfOpen.add(connection);
    return halfOpen;
  };

  it('of one address: the fifth in its place when four are allowed, the oldest of that address goes', () => {
    const mine = Array.from({ length: 4 }, () => pending('10.0.0.1'));
    const halfOpen = filled(1000, 4, pending('10.0.0.2'), ...mine);
    assert.equal(halfOpen.victim('10.0.0.1'), mine[0]);
    assert.equal(halfOpen.victim('10.0.0.2'), undefined);
    halfOpen.remove(mine[0] as Pending);
    assert.equal(halfOpen.victim('10.0.0.1'), undefined);
    assert.equal(halfOpen.size, 4);
  });

  it('in all: whoever has the most loses its own, whoever asks', () => {
    const old = pending('10.0.0.9');
    const flood = Array.from({ length: 9 }, () => pending('10.6.6.6'));
    const halfOpen = filled(10, 100, old, ...flood);
    for (const asks of ['10.0.0.7', '10.0.0.9', '10.6.6.6']) assert.equal(halfOpen.victim(asks), flood[0], asks);
  });

  it('those who were vouched for by nobody go first', () => {
    const [known, unknown] = [pending('10.0.0.1', 'dev'), pending('10.0.0.1')];
    assert.equal(filled(2, 9, known, unknown).victim('10.0.0.2'), unknown);
    assert.equal(filled(1, 9, known).victim('10.0.0.2'), known);
    const elsewhere = ['2001:db8:0:1::1', '2001:db8:0:2::1'].map((remote) => ({ ...unknown, remote }));
    assert.equal(filled(3, 9, known, ...elsewhere).victim('2001:db8:0:3::1'), elsewhere[0]);
  });

  it('four links of a device from one address wait for their first record; a fifth costs one there and nowhere else', () => {
    const here = ['a', 'b', 'c', 'd', 'e'].map((message1) => pending('10.0.0.1', 'dev', message1));
    const others = [pending('10.0.0.2', 'dev', 'a'), pending('10.0.0.1', 'other', 'o'), pending('10.0.0.1')];
    const halfOpen = filled(99, 99, ...others, ...here);
    const waiting = [...others, ...here].filter(({ device }) => device === 'dev');
    assert.deepEqual(halfOpen.surplus(waiting, '10.0.0.1'), [here[0]], 'all of them differ: the oldest');
    assert.deepEqual(halfOpen.surplus(waiting, '10.0.0.2'), []);
    // What is not half-open does not count: a serial line, or one that was closed.
    halfOpen.remove(here[4] as Pending);
    assert.deepEqual(halfOpen.surplus(waiting, '10.0.0.1'), []);
  });

  it("copies of one message 1 from the device's own address end copies, never the link that was first with its own", () => {
    const genuine = pending('10.0.0.1', 'dev', 'mine');
    const [first, ...copies] = Array.from({ length: 4 }, () => pending('10.0.0.1', 'dev', 'recorded'));
    const surplus = (...waiting: Pending[]): Pending[] => filled(99, 99, ...waiting).surplus(waiting, '10.0.0.1');
    assert.deepEqual(surplus(genuine, first as Pending, ...copies), [copies[0]]);
    // The recording is of this very message 1: whoever was first with it stays.
    const same = Array.from({ length: 7 }, () => pending('10.0.0.1', 'dev', 'mine'));
    assert.deepEqual(surplus(...same), same.slice(1, 4));
  });

  it('an IPv6 network of 64 bits is one address, an IPv4 address is itself however it is written, a pipe without one is bounded in all only', () => {
    const same = ['2001:db8::1', '2001:db8:0:0:ffff::2', '2001:0db8:0000:0000:1:2:3:4', '2001:db8::1%eth0'].map(
      addressGroup,
    );
    assert.deepEqual(new Set(same), new Set(['2001:db8:0:0::/64']));
    assert.notEqual(addressGroup('2001:db8:0:1::1'), same[0]);
    assert.deepEqual(['::ffff:10.0.0.1', '10.0.0.1'].map(addressGroup), ['10.0.0.1', '10.0.0.1']);
    assert.equal(addressGroup('::1'), '0:0:0:0::/64');
    assert.equal(filled(3, 1, pending(undefined), pending(undefined)).victim(undefined), undefined);
  });
});
