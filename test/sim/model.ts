/**
 * The model that a simulation is held to. It knows only what the applications wrote: every byte arrives once and in
 * order, or the stream reported an error; early data is delivered at most once; nobody is ever locked out.
 */

import assert from 'node:assert/strict';
import { hex } from '../suite/bytes.js';
import type { StreamEnd } from '../suite/ends.js';

/** One stream that the device's program opened, under a name of its own. */
export class StreamModel {
  /** Each time the gateway handed it to an upstream. More than one is a second delivery. */
  readonly upstreams: StreamEnd[] = [];
  /** The device program lost its RAM: nobody waits for this stream any more. */
  orphaned = false;
  /** The application allowed its early data to be delivered again. */
  idempotent = false;

  constructor(readonly device: StreamEnd) {}

  check(): void {
    const { device } = this;
    for (const upstream of this.upstreams) {
      assertPrefix(upstream.received, device.written, `${device.name}: towards the upstream`);
      if (upstream.gotFin)
        assert.equal(upstream.received.length, device.written.length, `${device.name}: FIN in the middle`);
      if (upstream.gotFin) assert.ok(device.wantsFin, `${device.name}: FIN that nobody sent`);
    }
    if (this.upstreams.length > 1)
      assert.ok(this.idempotent, `${device.name}: handed over ${this.upstreams.length} times`);
    const source = this.upstreams.at(-1);
    assertPrefix(device.received, source?.written ?? new Uint8Array(0), `${device.name}: towards the device`);
    if (device.gotFin)
      assert.equal(
        device.received.length,
        source?.written.length,
        `${device.name}: FIN in the middle, towards the device`,
      );
    if (device.code === 0 && source) this.checkDone(source);
  }

  /** The device was told that it ended in good order: then it did, in both directions. */
  private checkDone(source: StreamEnd): void {
    if (source.code !== undefined && source.code !== 0) return;
    assert.equal(
      hex(source.received),
      hex(this.device.written),
      `${this.device.name}: ended in good order without its bytes`,
    );
    assert.ok(source.gotFin && this.device.gotFin, `${this.device.name}: ended in good order without FIN`);
  }

  /** When all is quiet: delivered, or told. */
  checkSettled(): void {
    this.check();
    if (this.orphaned || this.device.code !== undefined) return;
    const upstream = this.upstreams.at(-1);
    assert.ok(upstream, `${this.device.name}: never reached its upstream, and no error`);
    assert.equal(
      upstream.received.length,
      this.device.written.length,
      `${this.device.name}: bytes are missing, and no error`,
    );
    assert.equal(upstream.gotFin, this.device.wantsFin, `${this.device.name}: FIN is missing`);
    assert.equal(
      this.device.received.length,
      upstream.written.length,
      `${this.device.name}: bytes from the upstream are missing`,
    );
    assert.ok(!(this.device.wantsFin && upstream.wantsFin), `${this.device.name}: over both ways, and never closed`);
  }
}

function assertPrefix(part: Uint8Array, whole: Uint8Array, what: string): void {
  assert.ok(part.length <= whole.length, `${what}: ${part.length} bytes of ${whole.length}`);
  assert.equal(Buffer.compare(part, whole.subarray(0, part.length)), 0, `${what}: not what was written`);
}
