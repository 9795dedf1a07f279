/** One device's session at the gateway: its core, and for each of its streams the connection to an upstream. It outlives links. */

import { Code, type AcceptCore, type CoreEvent, type GatewayCore, type Kind } from '../engine.js';
import { keylogLines } from '../keylog.js';
import { monotonic, Mux, total, type Link, type StreamEnd, type StreamPort } from '../mux.js';
import { admit, barred } from '../policy.js';
import type { DeviceRecord, HandshakeReport, SessionReport } from '../types.js';
import { openUpstream, type Upstream, type UpstreamEnd } from '../upstream.js';
import { idKey, type Context } from './context.js';
import type { Refusal } from './refusals.js';

/** What a session needs of its connection. */
export interface SessionLink extends Link {
  readonly remote: string | undefined;
  /** Without a byte more. */
  destroy(): void;
  /** After what was written. */
  end(): void;
}

export class DeviceSession {
  record: DeviceRecord;
  readonly core: GatewayCore;
  readonly #context: Context;
  readonly #mux: Mux<GatewayCore>;
  #link: SessionLink | undefined;
  #linger: NodeJS.Timeout | undefined;
  #name: Uint8Array | undefined;
  #over = false;
  #announced = false;

  constructor(context: Context, record: DeviceRecord) {
    this.#context = context;
    this.record = record;
    const { streams } = record.limits;
    this.core = context.engine.gateway(context.credentials(record).pairing, {
      streams,
      keylog: context.settings.keylog,
    });
    this.#mux = new Mux(this.core, { event: (event) => this.#onEvent(event), threw: (error) => context.threw(error) });
  }

  get live(): boolean {
    return this.#link !== undefined;
  }
  /** SPEC 9. */
  get name(): Uint8Array {
    return (this.#name ??= this.core.name);
  }
  get over(): boolean {
    return this.#over;
  }
  /** Streams that are open. */
  get streams(): number {
    return this.#mux.ports.size;
  }
  get report(): SessionReport {
    return { device: this.record.id, name: this.record.name, remote: this.#link?.remote };
  }

  // ---- Links ------------------------------------------------------------------------------------------------------

  /** Early data that was TAKEN, before its link is live. */
  early(accept: AcceptCore): void {
    // The device gave up its earlier link when it sent this.
    this.linkDown();
    this.#mux.dispatch(this.core.early(accept));
    this.#mux.pump();
  }

  /** A confirmed link. All earlier ones are dead. */
  attach(link: SessionLink, accept: AcceptCore, continued: boolean, now: number): void {
    this.linkDown();
    clearTimeout(this.#linger);
    this.#link = link;
    const events = this.core.attach(accept, continued, now);
    this.#name = undefined;
    this.#mux.attach(link);
    if (this.#context.settings.keylog) for (const line of keylogLines(this.core)) this.#context.tell('keylog', line);
    this.#announce(continued);
    this.#mux.dispatch(events);
    this.#mux.pump();
  }

  #announce(continued: boolean): void {
    if (this.#announced) this.#context.tell('resume', { ...this.report, continued });
    else this.#context.tell('session', this.report);
    this.#announced = true;
  }

  reportHandshake(figures: Omit<HandshakeReport, 'roundTrips'>): void {
    this.#context.tell('handshake', { ...figures, roundTrips: 1, ...this.report });
  }

  receive(chunk: Uint8Array): void {
    this.#mux.receive(chunk);
  }

  drained(): void {
    this.#mux.drained();
  }

  isLinkedTo(link: SessionLink): boolean {
    return this.#link === link;
  }

  /** The link is gone; streams wait for the next. */
  linkDown(): void {
    const link = this.#link;
    if (!link || this.#over) return;
    const { report } = this;
    this.#link = undefined;
    this.#mux.detach();
    this.core.linkDown();
    link.destroy();
    this.#linger = setTimeout(() => this.end(Code.Timeout), this.#context.settings.linger);
    this.#context.tell('pause', report);
  }

  // ---- The end ----------------------------------------------------------------------------------------------------

  /** For good. `farewell`: the device is told, if it has a link. */
  end(code: Code, farewell = false): void {
    if (this.#over) return;
    const { report } = this;
    const link = this.#link;
    this.#mux.forgetAll(code);
    if (farewell && link) {
      this.core.close(code);
      this.#mux.pump();
    }
    this.#over = true;
    this.#link = undefined;
    clearTimeout(this.#linger);
    this.#mux.stop();
    this.core.wipe();
    if (farewell) link?.end();
    else link?.destroy();
    const { sessions } = this.#context;
    if (sessions.get(this.#key) === this) sessions.delete(this.#key);
    if (this.#announced) this.#context.tell('close', report);
  }

  /** It never became confirmed. Early data that ended with FIN is complete for its upstream; any other is cut off there. */
  abandon(): void {
    if (this.#announced) return;
    for (const port of [...this.#mux.ports.values()]) if (port.peerEnded) this.#mux.forget(port, Code.Done);
    this.end(Code.Timeout);
  }

  /** The operator changed the pairing: what it no longer allows ends now. */
  revise(record: DeviceRecord | undefined, now: number): void {
    if (!record || record.serial !== this.record.serial) return this.end(Code.Revoked, true);
    this.record = record;
    const reason = barred(record, now);
    if (reason) {
      this.#context.drop(reason, { device: record.id, remote: this.#link?.remote });
      return this.end(Code.Revoked, true);
    }
    for (const port of [...this.#mux.ports.values()]) {
      if (!record.upstreams.includes(port.above.upstream)) port.reset(Code.NotAllowed);
    }
  }

  // ---- Events of the core -------------------------------------------------------------------------------------------

  #onEvent(event: CoreEvent): void {
    switch (event.type) {
      case 'open':
        return this.#open(event.stream, event.kind, event.name);
      case 'close':
        return this.end(event.code);
      case 'dead':
        this.#context.drop('dead', { device: this.record.id, remote: this.#link?.remote });
        return this.linkDown();
      case 'drop':
        this.#context.drop('badRecord', { device: this.record.id, remote: this.#link?.remote, error: event.error });
        // A record that is authentic and breaks a rule: the peer is faulty, and the session is forgotten.
        return event.error.code === 'ERR_HAWSER_PEER' ? this.end(Code.Violation) : this.linkDown();
    }
  }

  #open(id: number, kind: Kind, name: string): void {
    const stream = new GatewayStream(this.#context, this.record, name);
    const port = this.#mux.add(id, stream);
    if (this.#context.draining) return port.reset(Code.GoingAway);
    const { streams } = this.record.limits;
    if (this.#mux.ports.size > streams || !this.#context.ends.allows(this.#key, streams))
      return this.#refuse(port, name, 'streamLimit', Code.Limit);
    const admission = admit(this.record, this.#context.upstreams, name, kind);
    if ('code' in admission) return this.#refuse(port, name, admission.reason, admission.code);
    stream.start(port, admission.target);
  }

  #refuse(port: StreamPort, upstream: string, reason: Refusal, code: Code): void {
    const { counters, refusals } = this.#context;
    counters.add(reason);
    const untold = refusals.add(this.#key, reason, monotonic());
    if (untold !== undefined) this.#context.tell('refused', { device: this.record.id, upstream, reason, untold });
    port.reset(code);
  }

  get #key(): string {
    return idKey(this.record.id);
  }
}

/** One stream of a device and its upstream. */
class GatewayStream implements StreamEnd {
  #upstream: UpstreamEnd | undefined;
  #port: StreamPort | undefined;

  constructor(
    private readonly context: Context,
    private readonly record: DeviceRecord,
    readonly upstream: string,
  ) {}

  start(port: StreamPort, target: Upstream): void {
    this.#port = port;
    const closed = this.context.ends.take(idKey(this.record.id));
    try {
      this.#upstream = openUpstream(target, port, {
        record: this.record,
        connectTimeout: this.context.settings.connectTimeout,
        connected: () => port.consume(0),
        failed: (code, error) => this.#failed(code, error),
        message: (data) => void port.message(data),
        closed,
      });
    } catch (error) {
      closed();
      this.#failed(Code.Unreachable, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #failed(code: Code, error: Error): void {
    if (!this.#port || this.#port.closed) return;
    this.context.counters.add('upstreamFailed');
    const device = Buffer.from(this.record.id).toString('hex');
    this.context.tell('debug', `device ${device}: upstream '${this.upstream}': ${error.message}`);
    this.#port.reset(code);
  }

  onData(parts: readonly Uint8Array[]): void {
    const length = total(parts);
    this.#upstream?.write(parts, () => this.#port?.consume(length));
  }
  onFin(): void {
    this.#upstream?.end();
  }
  onDrain(): void {
    this.#upstream?.resume();
  }
  onMessage(bytes: Uint8Array): void {
    this.#upstream?.message(bytes);
  }
  onOpened(): void {
    // The device's side of a stream.
  }
  onSettled(): void {
    this.#upstream?.settled?.();
  }
  onFinished(): void {
    this.#upstream?.finished?.();
  }

  /** A stream that was cut off must not look complete to the upstream: it is whole only behind the device's FIN. */
  onClosed(code: Code): void {
    if (code === Code.Done && this.#port?.peerEnded) this.#upstream?.finish();
    else this.#upstream?.destroy(code);
    this.#upstream = undefined;
  }
}
