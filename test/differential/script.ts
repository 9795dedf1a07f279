/**
 * One random session: a device and its gateway over links that come and go, on two engines at once. Every choice follows
 * from the seed. The caller keeps to the contract of lib/engine.ts where it says what a caller must do (a link that was
 * dropped is taken down), and to nothing else: verbs come in any order, with arguments that may be wrong.
 */

import {
  Kind,
  Mode,
  Suite,
  Transport,
  Verdict,
  type AcceptCore,
  type AcceptEvent,
  type Chain,
  type Code,
  type CoreEvent,
  type CorePairing,
  type DeviceCore,
  type Early,
  type GatewayCore,
  type Resumption,
  type SessionCore,
} from '../../lib/engine.js';
import { makeCredentials, makePairing, makeSetup, type Credentials, type Setup } from '../suite/credentials.js';
import { Dice } from './dice.js';
import { freshEngines, type Engines, type Side } from './engines.js';
import { Lockstep, show, showEvents, type Both, type Outcome } from './lockstep.js';
import { changes, reordered } from './mutate.js';

const NONE = new Uint8Array(0);
const STREAMS = 4;
const names = ['mqtt', 'http', 'a', 'syslog.udp-1'];

type Direction = 'up' | 'down';

interface Link {
  transport: Transport;
  queues: Record<Direction, Uint8Array[]>;
  accept: Both<AcceptCore> | undefined;
  /** The gateway's session is at this link. */
  attached: boolean;
  /** What the accepted resumption said, and what it was answered. */
  offer: Resumption | undefined;
  continued: boolean;
  verdict: Verdict;
  fed: Both<GatewayCore> | undefined;
}

export interface Options {
  seed: number;
  primitives: 'own' | 'node';
  /** For the proof that differences are found: what to do to the JS engine's end. */
  tamper?: (side: Side, core: SessionCore) => SessionCore;
}

export interface Report {
  counts: ReadonlyMap<string, number>;
}

/** Throws Difference. */
export function runSession(options: Options): Report {
  const script = new Script(options);
  script.run();
  return { counts: script.lockstep.counts };
}

const credentials = new Map<string, Credentials>();

/** Made once per mode and suite: what they are does not matter, and P-256 in JS is slow. */
function credentialsOf(engines: Engines, setup: Setup): Credentials {
  const key = `${setup.mode} ${setup.suite}`;
  let known = credentials.get(key);
  if (!known) {
    engines.seed(7);
    known = makeCredentials(engines.native, setup);
    credentials.set(key, known);
  }
  return known;
}

/** So that a damaged blob is refused for what it is. */
const anyName = { get: () => 'a' } as unknown as ReadonlyMap<number, string>;

class Script {
  readonly dice: Dice;
  readonly lockstep: Lockstep;
  readonly setup: Setup;
  readonly pairings: Record<'device' | 'gateway', Both<CorePairing>>;
  device!: Both<DeviceCore>;
  session: Both<GatewayCore> | undefined;
  chain: Chain | undefined;
  slots: [Uint8Array | undefined, Uint8Array | undefined] = [undefined, undefined];
  link: Link | undefined;
  now = 1_000_000;
  /** A slot image that waits to be written. */
  storing: Uint8Array | undefined;
  saved: { blob: Uint8Array; names: Map<number, string> } | undefined;
  readonly streams = new Map<number, string>();
  /** What has crossed any link, for replays. */
  readonly past: Record<Direction, Uint8Array[]> = { up: [], down: [] };
  #draws = 0;
  answered = false;

  constructor(private readonly options: Options) {
    const { seed, primitives } = options;
    this.dice = new Dice(seed);
    const engines = freshEngines(primitives);
    this.lockstep = new Lockstep(engines, this.dice.one(2) ? 'native' : 'js');
    this.setup = this.#setup();
    const secrets = credentialsOf(engines, this.setup);
    const pair = (role: 'device' | 'gateway'): Both<CorePairing> => ({
      native: makePairing(engines.native, role, this.setup, secrets),
      js: makePairing(engines.js, role, this.setup, secrets),
    });
    this.pairings = { device: pair('device'), gateway: pair('gateway') };
    this.past.up.push(this.dice.bytes(60));
    this.past.down.push(this.dice.bytes(60));
    if (this.setup.mode === Mode.Ticket) this.chain = this.#chainStart(secrets.b0);
  }

  /** Most without ECDH, which says little here and costs much. */
  #setup(): Setup {
    const { dice } = this;
    const mode = dice.choose([[16, Mode.Ticket], [4, Mode.Psk], [1, Mode.Keys], [1, Mode.KeysPsk]]); // prettier-ignore
    const own = this.options.primitives === 'own';
    const suite = mode === Mode.Ticket ? Suite.None : dice.one(own ? 16 : 3) ? Suite.P256 : Suite.X25519;
    const window = () => dice.choose([[4, 64 + dice.below(200)], [2, 1024], [1, 65536]]); // prettier-ignore
    return makeSetup(
      { mode, suite },
      {
        recordMax: dice.choose([[2, 64], [2, 64 + dice.below(300)], [2, 1024], [1, 16383]]), // prettier-ignore
        windowDevice: window(),
        windowGateway: window(),
        maxSteps: dice.choose([[3, 1 + dice.below(4)], [3, 4096]]), // prettier-ignore
        ...(mode === Mode.Ticket ? {} : { maxBlocks: dice.choose([[1, 1 + dice.below(3)], [2, 4096]]) }), // prettier-ignore
      },
    );
  }

  #chainStart(b0: Uint8Array): Chain {
    const outcome = this.lockstep.same('chainStart', (side) => this.lockstep.engines[side].chainStart(b0));
    return outcome.value as Chain;
  }

  // ---- Calls -------------------------------------------------------------------------------------------

  /** Fresh random bytes for a call that may draw some, the same for both. */
  #reseed(): void {
    this.lockstep.engines.seed(this.options.seed * 1009 + ++this.#draws * 7919);
  }

  #call<T>(
    core: Both<SessionCore>,
    label: string,
    run: (side: Side) => T,
    view?: (value: T) => string,
  ): Both<Outcome<T>> {
    const outcome = this.lockstep.call(label, run, view);
    this.lockstep.state(label, core);
    return outcome;
  }

  /** A call that may make events. */
  #events(core: Both<SessionCore>, label: string, run: (side: Side) => CoreEvent[]): CoreEvent[] {
    const outcome = this.lockstep.call(label, run, showEvents);
    const events = outcome[this.lockstep.wire].value ?? [];
    this.lockstep.state(label, core);
    return events;
  }

  /** A call that may make bytes; they go onto the link. */
  #output(core: Both<SessionCore>, label: string, run: (side: Side) => Uint8Array | undefined): void {
    const outcome = this.lockstep.call(label, run, () => 'bytes');
    if (this.link) {
      const out = { native: outcome.native.value, js: outcome.js.value };
      const bytes = this.lockstep.output(label, core, this.link.transport, out);
      if (bytes) this.#carry(core === this.device ? 'up' : 'down', Uint8Array.from(bytes));
    }
    this.lockstep.state(label, core);
  }

  #carry(direction: Direction, bytes: Uint8Array): void {
    this.link?.queues[direction].push(bytes);
    const past = this.past[direction];
    if (past.length < 20) past.push(bytes);
    else past[this.dice.below(past.length)] = bytes;
  }

  // ---- The session -------------------------------------------------------------------------------------

  run(): void {
    this.#newDevice();
    for (let left = 12 + this.dice.below(50); left > 0; left--) this.#step();
    this.lockstep.count('sessions');
  }

  #newDevice(): void {
    const make = (side: Side): DeviceCore => {
      const core = this.lockstep.engines[side].device(this.pairings.device[side], { streams: STREAMS, keylog: true });
      return (this.options.tamper?.(side, core) as DeviceCore | undefined) ?? core;
    };
    this.device = { native: make('native'), js: make('js') };
    this.lockstep.watch(this.device, true, STREAMS);
    this.streams.clear();
    if (this.dice.one(30)) this.#connect(); // before boot(): an error
    this.#boot();
  }

  #boot(): void {
    const slots = this.slots.map((slot) => (slot && this.dice.one(20) ? changes.flip?.(slot, this.dice, []) : slot));
    const label = `boot ${show(slots)}`;
    const outcome = this.#call(this.device, label, (side) => this.device[side].boot(slots[0], slots[1]));
    const { value } = outcome[this.lockstep.wire];
    if (value?.wipe !== undefined) this.slots[value.wipe] = undefined;
  }

  #step(): void {
    const { dice } = this;
    if (this.storing && !dice.one(5)) return this.#store();
    if (!this.link) return this.#offLink();
    const { queues } = this.link;
    const waiting = queues.up.length + queues.down.length;
    const action = dice.choose<() => void>([
      [waiting > 0 ? 30 : 0, () => this.#deliver(queues.up.length > 0 && (queues.down.length === 0 || dice.one(2)) ? 'up' : 'down')], // prettier-ignore
      [8, () => this.#send()],
      [12, () => this.#application()],
      [4, () => this.#time()],
      [2, () => this.#cut()],
      [1, () => this.#odd()],
    ]);
    action();
  }

  #offLink(): void {
    const { dice } = this;
    dice.choose<() => void>([
      [12, () => this.#connect()],
      [4, () => this.#application()],
      [2, () => this.#time()],
      [1, () => this.#save()],
      [1, () => this.#reboot()],
      [1, () => this.#odd()],
    ])();
  }

  // ---- Device ------------------------------------------------------------------------------------------

  #connect(): void {
    const { dice } = this;
    const transport = dice.choose<Transport>([[6, Transport.Stream], [3, Transport.Serial]]); // prettier-ignore
    const early = dice.one(2) ? this.#early() : undefined;
    this.#reseed();
    const label = `connect ${transport} ${show(early)}`;
    const outcome = this.#call(this.device, label, (side) => this.device[side].connect(transport, this.now, early));
    const { value } = outcome[this.lockstep.wire];
    if (!value) return;
    this.lockstep.count(`connect ${value.kind}${value.early ? ' with early data' : ''}`);
    this.#goOffLink();
    this.storing = undefined;
    this.link = {
      transport, queues: { up: [], down: [] }, accept: undefined, attached: false, offer: undefined, continued: false, verdict: 0, fed: undefined,
    }; // prettier-ignore
    this.#output(this.device, 'device.send', (side) => this.device[side].send(this.now));
  }

  #early(): Early | undefined {
    const { dice } = this;
    const ids = [...this.streams.keys()];
    if (ids.length === 0 && !dice.one(10)) return undefined;
    return {
      stream: ids.length > 0 && !dice.one(10) ? dice.pick(ids) : dice.below(STREAMS),
      data: dice.bytes(dice.choose([[4, dice.below(60)], [1, dice.below(500)], [1, 0]])), // prettier-ignore
      fin: dice.one(4),
      idempotent: dice.one(2),
    };
  }

  #store(): void {
    const image = this.storing as Uint8Array;
    this.storing = undefined;
    const ok = !this.dice.one(12);
    if (ok) this.slots = this.slots[0] === undefined ? [image, undefined] : [undefined, image];
    this.#call(this.device, `stored ${ok}`, (side) => this.device[side].stored(ok));
    this.#react(
      this.device,
      this.#events(this.device, 'device.timeout', (side) => this.device[side].timeout(this.now)),
    );
    if (this.link) this.#output(this.device, 'device.send', (side) => this.device[side].send(this.now));
  }

  /** Power goes, or the program starts over with what it has saved. */
  #reboot(): void {
    this.lockstep.count('boots');
    this.#goOffLink();
    this.storing = undefined;
    this.#call(this.device, 'device.save', (side) => {
      this.saved = { blob: this.device[side].save('flash'), names: new Map(this.streams) };
      return this.saved.blob;
    });
    if (this.dice.one(2)) this.#saveRetained();
    const { saved } = this;
    this.saved = undefined;
    this.#newDevice();
    if (saved && !this.dice.one(3)) this.#restore(saved);
  }

  #saveRetained(): void {
    const outcome = this.#call(this.device, 'device.save', (side) => this.device[side].save('retained'));
    const { value } = outcome[this.lockstep.wire];
    if (value) this.saved = { blob: value, names: new Map(this.streams) };
  }

  #save(): void {
    const kind = this.dice.pick(['flash', 'retained'] as const);
    this.#call(this.device, `save ${kind}`, (side) => this.device[side].save(kind));
  }

  #restore(saved: { blob: Uint8Array; names: Map<number, string> }): void {
    const blob = this.dice.one(6) ? (changes.flip?.(saved.blob, this.dice, []) ?? NONE) : saved.blob;
    if (this.dice.one(12)) saved.names.delete(0);
    const label = `restore ${show(blob)} ${[...saved.names.keys()].join()}`;
    const outcome = this.#call(
      this.device,
      label,
      (side) => {
        const copy = Uint8Array.from(blob);
        this.device[side].restore(copy, blob === saved.blob ? saved.names : anyName);
        return copy; // wiped or not
      },
      show,
    );
    if (outcome.js.code) return;
    this.lockstep.count('restored');
    for (const [id, name] of saved.names) this.streams.set(id, name);
  }

  // ---- Bytes -------------------------------------------------------------------------------------------

  #send(): void {
    const { link } = this;
    if (!link) return;
    this.#reseed();
    if (this.dice.one(2) || !link.attached) {
      this.#output(this.device, 'device.send', (side) => this.device[side].send(this.now));
    } else this.#sendDown();
  }

  #sendDown(): void {
    const { session } = this;
    if (session) this.#output(session, 'gateway.send', (side) => session[side].send(this.now));
  }

  /** The next chunk of a direction, as the transport sees fit. */
  #deliver(direction: Direction): void {
    const { dice, link } = this;
    if (!link) return;
    const chunk = link.queues[direction].shift();
    if (chunk === undefined) return;
    const lossy = link.transport === Transport.Serial;
    if (lossy && dice.one(10)) return this.lockstep.count('chunks lost');
    for (const bytes of this.#mangled(direction, chunk)) {
      if (this.link !== link) return;
      if (direction === 'up') this.#toGateway(bytes);
      else this.#toDevice(bytes);
    }
  }

  #mangled(direction: Direction, chunk: Uint8Array): Uint8Array[] {
    const { dice } = this;
    if (dice.one(12)) {
      const [name, change] = dice.pick(Object.entries(changes));
      this.lockstep.count(`inputs: ${name}`);
      return [change(chunk, dice, this.past[dice.one(4) ? (direction === 'up' ? 'down' : 'up') : direction])];
    }
    if (dice.one(20) && this.link) {
      this.lockstep.count('inputs: reordered');
      return [reordered(this.link.transport, chunk, dice)];
    }
    if (dice.one(4)) {
      const at = dice.below(chunk.length + 1);
      return [chunk.subarray(0, at), chunk.subarray(at)];
    }
    return [chunk];
  }

  #toDevice(bytes: Uint8Array): void {
    this.#reseed();
    const label = `device.receive ${show(bytes)}`;
    const events = this.#events(this.device, label, (side) =>
      this.device[side].receive(Uint8Array.from(bytes), this.now),
    );
    this.#react(this.device, events);
  }

  #toGateway(bytes: Uint8Array): void {
    const { link } = this;
    if (!link) return;
    if (!link.attached) return this.#toAccept(link, bytes);
    const session = this.session as Both<GatewayCore>;
    const label = `gateway.receive ${show(bytes)}`;
    const events = this.#events(session, label, (side) => session[side].receive(Uint8Array.from(bytes), this.now));
    this.#react(session, events);
  }

  // ---- Gateway, until the first record -----------------------------------------------------------------

  #toAccept(link: Link, chunk: Uint8Array): void {
    link.accept ??= this.#newAccept(link.transport);
    let bytes = chunk;
    while (bytes.length > 0 && this.link === link && link.accept) {
      const { accept } = link;
      const label = `accept.receive ${show(bytes)}`;
      const { value } = this.lockstep.call(
        label,
        (side) => accept[side].receive(Uint8Array.from(bytes), this.now),
        (result) => show(result.event?.type === 'drop' ? result.event : result), // used: the link is over
      )[this.lockstep.wire];
      this.#acceptState(accept, label);
      if (!value) return;
      bytes = bytes.subarray(value.used);
      if (value.event) this.#onAccept(link, accept, value.event);
      if (link.attached) return this.#toGateway(bytes);
    }
  }

  #newAccept(transport: Transport): Both<AcceptCore> {
    const make = (side: Side): AcceptCore => this.lockstep.engines[side].accept(transport);
    return { native: make('native'), js: make('js') };
  }

  #acceptState(accept: Both<AcceptCore>, label: string): void {
    this.lockstep.call(`${label}: accept`, (side) => {
      const { digest1, continues, name, chain, handshake } = accept[side];
      return { digest1, continues, name, chain, handshake };
    });
  }

  #onAccept(link: Link, accept: Both<AcceptCore>, event: AcceptEvent): void {
    this.lockstep.count(`accept ${event.type}`);
    this.#reseed();
    if (event.type === 'drop') return this.#cutLink();
    if (event.type === 'confirm') return this.#attach(link, accept);
    if (this.answered && this.dice.one(40)) return this.#wrongAnswer(accept);
    if (event.type === 'id') this.#answerFull(link, accept);
    else this.#answerTicket(link, accept);
    this.#acceptState(accept, 'answered');
    if (this.dice.one(20)) this.#clone(link, accept);
  }

  /** Calls out of their place. */
  #wrongAnswer(accept: Both<AcceptCore>): void {
    const connectionId = this.dice.one(2) ? NONE : new Uint8Array(this.dice.below(10));
    const verdict = this.dice.below(4) as Verdict;
    const continued = this.dice.one(2);
    this.lockstep.same('answerTicket out of place', (side) =>
      accept[side].answerTicket(verdict, continued, connectionId),
    );
    this.lockstep.same('answerFull out of place', (side) => accept[side].answerFull(connectionId));
    this.lockstep.same('clone out of place', (side) => accept[side].clone().answer);
    this.#cutLink();
  }

  #answerFull(link: Link, accept: Both<AcceptCore>): void {
    const pairing = this.pairings.gateway;
    const { value: good } = this.lockstep.same('offerId', (side) => accept[side].offerId(pairing[side]));
    if (!good) return this.#silence(link);
    const { value } = this.lockstep.same('answerFull', (side) => accept[side].answerFull(NONE));
    if (value) this.#carry('down', value);
    else this.#silence(link);
  }

  /** A serial line goes on; a connection is closed. */
  #silence(link: Link): void {
    this.lockstep.count('silence');
    if (link.transport === Transport.Stream) this.#cutLink();
    else link.accept = undefined;
  }

  #answerTicket(link: Link, accept: Both<AcceptCore>): void {
    const { dice, chain } = this;
    if (!chain) return this.#silence(link);
    const ahead = dice.choose([[8, 2], [1, 0], [1, 5]]); // prettier-ignore
    const pairing = this.pairings.gateway;
    const { value: offer } = this.lockstep.same('offerTicket', (side) =>
      accept[side].offerTicket(pairing[side], chain, ahead),
    );
    if (!offer) return this.#silence(link);
    this.#move(offer);
    link.offer = offer;
    link.verdict = offer.early ? dice.choose([[5, Verdict.Taken], [2, Verdict.NotTaken], [2, Verdict.Unknown]]) : Verdict.None; // prettier-ignore
    link.continued = this.#mayContinue(offer.continues);
    // Not for the first answer of a process: an engine may draw its boot key before it looks at the arguments.
    if (this.answered && dice.one(30)) link.verdict = dice.below(4) as Verdict;
    if (this.answered && dice.one(30)) link.continued = !link.continued;
    this.answered = true;
    const label = `answerTicket ${link.verdict} ${link.continued}`;
    const { value } = this.lockstep.same(label, (side) =>
      accept[side].answerTicket(link.verdict, link.continued, NONE),
    );
    if (!value) return this.#cutLink();
    this.lockstep.count(`verdict ${link.verdict}`);
    this.#carry('down', value);
    if (link.verdict === Verdict.Taken) this.#feed(link, accept);
  }

  #mayContinue(name: Uint8Array): boolean {
    const own = this.session?.[this.lockstep.wire].name ?? NONE;
    return own.some((byte) => byte !== 0) && show(own) === show(name) && !this.dice.one(8);
  }

  #move(to: { b: number; i: number }): void {
    const { chain } = this;
    if (!chain || (to.b === chain.b && to.i === chain.i)) return;
    const { value } = this.lockstep.same(`chainMove ${to.b} ${to.i}`, (side) =>
      this.lockstep.engines[side].chainMove(chain, { b: to.b, i: to.i }),
    );
    if (value) this.chain = value;
    this.lockstep.same('chainTickets', (side) => this.lockstep.engines[side].chainTickets(this.chain as Chain, 2));
  }

  #newSession(): Both<GatewayCore> {
    const make = (side: Side): GatewayCore => {
      const options = { streams: STREAMS - (this.setup.windowGateway === 65536 ? 1 : 0), keylog: true };
      const core = this.lockstep.engines[side].gateway(this.pairings.gateway[side], options);
      return (this.options.tamper?.(side, core) as GatewayCore | undefined) ?? core;
    };
    const session = { native: make('native'), js: make('js') };
    this.lockstep.watch(session, false, STREAMS);
    return session;
  }

  #feed(link: Link, accept: Both<AcceptCore>): void {
    const session = link.continued && this.session ? this.session : this.#newSession();
    link.fed = session;
    const events = this.#events(session, 'gateway.early', (side) => session[side].early(accept[side]));
    this.#react(session, events);
  }

  #clone(link: Link, accept: Both<AcceptCore>): void {
    const clones: Partial<Both<AcceptCore>> = {};
    const outcome = this.lockstep.same('clone', (side) => {
      const { accept: clone, answer } = accept[side].clone();
      clones[side] = clone;
      return answer;
    });
    if (outcome.value) link.accept = clones as Both<AcceptCore>;
  }

  #attach(link: Link, accept: Both<AcceptCore>): void {
    const full = link.offer === undefined;
    const { continues, chain } = accept[this.lockstep.wire];
    const continued = full ? this.#mayContinue(continues) : link.continued;
    if (full && chain) this.chain = chain;
    else if (link.offer && this.chain && !this.dice.one(15)) this.#move({ b: link.offer.b, i: link.offer.i + 1 });
    const session = link.fed ?? (continued && this.session ? this.session : this.#newSession());
    this.session = session;
    const label = `attach ${continued}`;
    const outcome = this.lockstep.call(label, (side) => session[side].attach(accept[side], continued, this.now), showEvents); // prettier-ignore
    this.lockstep.state(label, session);
    const events = outcome[this.lockstep.wire].value;
    if (!events) return this.#cutLink();
    this.lockstep.count(`attached ${full ? 'full' : 'resumption'} ${continued ? 'CONTINUED' : 'NEW'}`);
    link.attached = true;
    this.#react(session, events);
    if (this.link === link) this.#sendDown();
  }

  // ---- Events ------------------------------------------------------------------------------------------

  #react(core: Both<SessionCore>, events: readonly CoreEvent[]): void {
    for (const event of events) {
      this.lockstep.count(`event ${event.type}`);
      if (event.type === 'store') this.storing = Uint8Array.from(event.slot);
      else if (event.type === 'closed' && core === this.device) this.streams.delete(event.stream);
      else if (event.type === 'drop') return this.#cutLink();
      else if (event.type === 'dead' && !this.dice.one(6)) return this.#cutLink();
      else if (event.type === 'open' && !this.dice.one(3)) this.#consume(core, event.stream, 0);
      else if (event.type === 'data' && !this.dice.one(3)) this.#consume(core, event.stream, event.data.length);
      else if (event.type === 'handshake' && this.link) return this.#freshMessage(this.link, event.message);
    }
  }

  /** Serial: the device has begun anew on a line that the gateway believes to be up. */
  #freshMessage(link: Link, message: Uint8Array): void {
    link.attached = false;
    link.accept = undefined;
    link.offer = undefined;
    link.fed = undefined;
    const { session } = this;
    if (session) this.#call(session, 'gateway.linkDown', (side) => session[side].linkDown());
    this.#toAccept(link, Uint8Array.from(message));
  }

  #cut(): void {
    this.#cutLink();
  }

  /** The link is gone for both ends. */
  #cutLink(): void {
    if (!this.link) return;
    const { attached } = this.link;
    this.link = undefined;
    this.storing = undefined;
    this.#call(this.device, 'disconnected', (side) => this.device[side].disconnected(this.now));
    const { session } = this;
    if (attached && session) this.#call(session, 'gateway.linkDown', (side) => session[side].linkDown());
    this.#react(
      this.device,
      this.#events(this.device, 'device.timeout', (side) => this.device[side].timeout(this.now)),
    );
    if (session)
      this.#react(
        session,
        this.#events(session, 'gateway.timeout', (side) => session[side].timeout(this.now)),
      );
  }

  #goOffLink(): void {
    const { session, link } = this;
    this.link = undefined;
    if (link?.attached && session) this.#call(session, 'gateway.linkDown', (side) => session[side].linkDown());
  }

  // ---- Time --------------------------------------------------------------------------------------------

  /** One in five; the others are what they were before these were. */
  get #clockGoesBack(): boolean {
    return this.options.seed % 5 === 3;
  }

  #time(): void {
    const { dice } = this;
    const core = this.#either();
    const due = core[this.lockstep.wire].deadline();
    this.now = dice.choose([
      [3, this.now + dice.below(40)],
      [3, due === Infinity ? this.now + 1 : Math.max(this.now, due)],
      [1, this.now + dice.below(20_000)],
      [1, this.now + 300_000],
    ]);
    if (this.#clockGoesBack && dice.one(6))
      this.now = Math.max(0, this.now - dice.pick([40, 20_000, 400_000, 2 ** 31]));
    this.#react(
      core,
      this.#events(core, `timeout ${this.now}`, (side) => core[side].timeout(this.now)),
    );
    if (this.link && (core === this.device || this.link.attached))
      this.#output(core, 'send', (side) => core[side].send(this.now));
  }

  #either(): Both<SessionCore> {
    return this.session && this.dice.one(2) ? this.session : this.device;
  }

  // ---- The applications --------------------------------------------------------------------------------

  #application(): void {
    const { dice } = this;
    const core = this.#either();
    dice.choose<() => void>([
      [this.streams.size === 0 ? 16 : 3, () => this.#open()],
      [16, () => this.#write(core)],
      [4, () => this.#consume(core, this.#stream(), dice.below(80))],
      [2, () => this.#message(core)],
      [2, () => this.#reset(core)],
      [1, () => this.#ping(core)],
      [1, () => dice.one(3) && this.#close(core)],
    ])();
  }

  /** Mostly one that the device has. */
  #stream(): number {
    const ids = [...this.streams.keys()];
    return ids.length > 0 && !this.dice.one(8) ? this.dice.pick(ids) : this.dice.below(STREAMS + 1);
  }

  #open(): void {
    const name = this.dice.one(25) ? this.dice.pick(['', 'Über', 'a b', 'x'.repeat(33)]) : this.dice.pick(names);
    const kind = this.dice.choose<Kind>([[5, Kind.Stream], [1, Kind.Messages]]); // prettier-ignore
    const outcome = this.#call(this.device, `open ${name} ${kind}`, (side) => this.device[side].open(name, kind));
    const { value } = outcome[this.lockstep.wire];
    if (value !== undefined) this.streams.set(value, name);
    if (this.link && this.dice.one(2))
      this.#output(this.device, 'device.send', (side) => this.device[side].send(this.now));
  }

  #write(core: Both<SessionCore>): void {
    const id = this.#stream();
    const data = this.dice.bytes(this.dice.choose([[6, this.dice.below(60)], [2, this.dice.below(400)], [1, 0]])); // prettier-ignore
    const fin = this.dice.one(5);
    const label = `write ${core === this.device ? 'device' : 'gateway'} ${id} ${data.length} ${fin}`;
    const outs: Partial<Both<Uint8Array>> = {};
    const outcome = this.lockstep.call(label, (side) => {
      const { taken, finTaken, out } = core[side].write(id, data, fin, this.now);
      if (out) outs[side] = out;
      return { taken, finTaken };
    });
    if (outcome.js.value) this.#out(core, label, outs);
    this.lockstep.state(label, core);
  }

  /** What a call gave besides its result. */
  #out(core: Both<SessionCore>, label: string, outs: Partial<Both<Uint8Array>>): void {
    if (!this.link) return;
    const out = { native: outs.native, js: outs.js };
    const bytes = this.lockstep.output(label, core, this.link.transport, out);
    if (bytes) this.#carry(core === this.device ? 'up' : 'down', Uint8Array.from(bytes));
  }

  #consume(core: Both<SessionCore>, id: number, bytes: number): void {
    this.#call(core, `consume ${id} ${bytes}`, (side) => core[side].consume(id, bytes));
  }

  #message(core: Both<SessionCore>): void {
    const id = this.#stream();
    const data = this.dice.bytes(this.dice.choose([[6, this.dice.below(60)], [1, this.dice.below(400)]])); // prettier-ignore
    this.#output(core, `message ${id} ${data.length}`, (side) => core[side].message(id, data, this.now));
  }

  #reset(core: Both<SessionCore>): void {
    const [id, code] = [this.#stream(), this.dice.below(12) as Code];
    this.#call(core, `reset ${id} ${code}`, (side) => core[side].reset(id, code));
    this.#settle(core);
  }

  /** Events that a call has left for the next one. */
  #settle(core: Both<SessionCore>): void {
    this.#react(
      core,
      this.#events(core, 'timeout', (side) => core[side].timeout(this.now)),
    );
  }

  #ping(core: Both<SessionCore>): void {
    this.#call(core, 'ping', (side) => core[side].ping(this.now));
  }

  #close(core: Both<SessionCore>): void {
    const code = this.dice.below(12) as Code;
    this.#call(core, `close ${code}`, (side) => core[side].close(code));
    this.#settle(core);
    if (this.link) this.#output(core, 'send', (side) => core[side].send(this.now));
    this.#cutLink();
  }

  /** Calls that nobody should make here. */
  #odd(): void {
    const { dice } = this;
    const ok = dice.one(2);
    dice.choose<() => void>([
      [1, () => this.#call(this.device, `stored ${ok}`, (side) => this.device[side].stored(ok))],
      [1, () => this.#boot()],
      [1, () => this.#call(this.device, 'reset', (side) => this.device[side].reset(0, 256 as Code))],
      [1, () => this.#call(this.device, 'open', (side) => this.device[side].open('mqtt', 2 as Kind))],
      [1, () => this.#call(this.device, 'connect', (side) => this.device[side].connect(2, this.now))],
    ])();
  }
}
